"""`retoma drill` as an operator runs it."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from retoma.database import embedded
from retoma.errors import RetomaError
from retoma.rehearsal.drill import crashes
from retoma.rehearsal.drill.crashes import Recovery
from retoma.rehearsal.drill.ledger import LedgerReader
from retoma.rehearsal.drill.stage import Stage
from retoma.rehearsal.drill.verdict import times
from tests.support.clusters import Server
from tests.support.command import environment, retoma
from tests.support.waiting import wait_until


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Not below the directory of pytest: each session that starts closes it to the account of the server."""
    directory = Path(tempfile.mkdtemp(prefix="retoma-scratch-"))
    yield directory
    shutil.rmtree(directory)


def drill(
    *arguments: str, scratch: Path, database_url: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a drill whose temporary files go to `scratch`, while this database is configured."""
    return subprocess.run(
        [sys.executable, "-m", "retoma", "drill", "--json", *arguments],
        env=environment(database_url=database_url) | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_drill_keeps_its_promises_and_leaves_nothing_behind(empty_database: str, scratch: Path) -> None:
    result = drill(
        "--rounds", "3", "--seconds", "90", "--seed", "1", scratch=scratch, database_url=empty_database
    )

    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(result.stdout)
    assert document["kept"] is True
    assert sorted(done["crash"] for done in document["rounds"]) == ["freeze", "kill", "restart"]
    figures = document["figures"]
    assert (figures["lost"], figures["duplicated"], figures["failed"]) == (0, 0, 0)
    assert figures["sent"] + figures["in_doubt"] == figures["recipients"]
    assert list(scratch.iterdir()) == []
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select to_regnamespace('retoma')").fetchone() == (None,)


def test_a_given_database_is_used_and_its_server_is_not_restarted(
    empty_database: str, server: Server, scratch: Path
) -> None:
    with psycopg.connect(server.url()) as bystander:
        result = drill("--rounds", "2", "--seconds", "90", "--database-url", empty_database, scratch=scratch)

        assert result.returncode == 0, result.stdout + result.stderr
        document = json.loads(result.stdout)
        assert sorted(done["crash"] for done in document["rounds"]) == ["freeze", "kill"]
        assert bystander.execute("select 1").fetchone() == (1,)


def test_a_database_with_something_in_it_is_refused_and_stays_as_it_is(database: str) -> None:
    result = retoma("drill", "--database-url", database)

    assert result.returncode == 1
    assert "wants an empty database" in result.stderr
    assert "hint: " in result.stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from retoma_internal.channel").fetchone() == (0,)


def test_a_database_that_does_not_come_back_ends_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(home: Path) -> str:
        raise RetomaError("PostgreSQL did not start.")

    monkeypatch.setattr(embedded, "stop", lambda *_: True)
    monkeypatch.setattr(embedded, "start", fails)
    monkeypatch.setattr(crashes, "MAX_DOWN_S", 0)
    scene = SimpleNamespace(scratch_home=Path, leased=lambda: {"sales"}, url="postgresql://127.0.0.1:1/none")
    before = set(threading.enumerate())

    with pytest.raises(RetomaError, match="did not start"):
        crashes.restart_the_database(cast(Stage, scene), random.Random(1))

    wait_until(lambda: set(threading.enumerate()) <= before)


def test_the_ledger_is_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    whole = '{"kind":"accepted","channel":"sales","at":10.5,"message_id":"a"}\n'
    path.write_text(whole + '{"kind":"dupl')
    reader = LedgerReader(path)

    assert reader.first_after("sales", 10.0) == 10.5
    assert reader.first_after("sales", 11.0) is None

    path.write_text(whole + '{"kind":"duplicate","channel":"sales","at":11.5,"message_id":"a"}\n')
    assert reader.first_after("sales", 11.0) == 11.5


def test_times_are_counted_by_kind_of_crash() -> None:
    found = times([Recovery("kill", "sales", seconds) for seconds in (0.1, 0.2, 0.6, 9.0)])

    assert list(found) == ["kill"]
    kill = found["kill"]
    assert (kill.p50_s, kill.p95_s, kill.max_s) == (0.2, 9.0, 9.0)
    assert [(limit, count) for limit, count in kill.buckets if count] == [(0.25, 2), (1.0, 1), (None, 1)]
