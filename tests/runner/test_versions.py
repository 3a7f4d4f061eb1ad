"""A runner works with the schema of its own version, and says so when it does not."""

import json

import pytest

from tests.support.campaigns import Db, call
from tests.support.command import retoma
from tests.support.runners import Runners
from tests.support.waiting import wait_until

NEWER = (
    "insert into retoma_internal.schema_version (component, version, name, checksum)"
    " values ('retoma', '9999', 'later', 'x')"
)
EDITED = "update retoma_internal.schema_version set checksum = 'x' where version = '0000'"


@pytest.mark.parametrize(
    ("change", "said"),
    [(NEWER, "made by a newer Retoma (migration 9999)"), (EDITED, "has been edited since")],
)
@pytest.mark.parametrize("command", [("runner",), ("receive", "--port", "0")])
def test_another_version_is_refused_at_the_start(
    db: Db, database: str, command: tuple[str, ...], change: str, said: str
) -> None:
    db.execute(change.encode())

    done = retoma(*command, database_url=database)

    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.splitlines()[-1].startswith("hint: ")
    assert call(db, "select count(*) from retoma_internal.runner") == 0


def test_a_runner_goes_on_through_an_upgrade_and_tells(db: Db, runners: Runners) -> None:
    runner = runners.start("r1")
    wait_until(lambda: "registered" in runner.text())
    db.execute(NEWER.encode())

    db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'retoma runner'"
    )

    wait_until(lambda: "schema_upgraded" in runner.text())
    wait_until(lambda: call(db, "select count(*) from retoma.v_runner where state = 'alive'") == 1)
    assert runner.terminate() == 0


def test_a_schema_from_psql_whose_version_nobody_recorded_is_taken(db: Db, runners: Runners) -> None:
    db.execute("delete from retoma_internal.schema_version")

    runner = runners.start("r1")

    wait_until(lambda: "registered" in runner.text())
    assert "schema_unrecorded" in [json.loads(line)["event"] for line in runner.text().splitlines()]


def test_a_runner_that_is_refused_for_long_what_it_was_given_before_ends(db: Db, runners: Runners) -> None:
    runner = runners.start("r1", prelude="from retoma.runner import liveness\nliveness.REFUSED_S = 0\n")
    wait_until(lambda: "registered" in runner.text())

    db.execute("alter function retoma.tick(uuid) rename to tock")

    assert runner.process.wait(60) == 1
    assert runner.text().splitlines()[-2].startswith("error: The runner ended because its liveness did")
