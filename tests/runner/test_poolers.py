"""A pooler in transaction mode is refused in one sentence; one in session mode is as good as the server."""

import asyncio
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from retoma.database import session
from retoma.errors import RetomaError
from retoma.runner import liveness
from tests.runner.conftest import World
from tests.support.campaigns import Db, call
from tests.support.command import environment, retoma
from tests.support.pooler import PROGRAM, Mode, pooler
from tests.support.runners import Runners
from tests.support.waiting import DEADLINE_S

with_pooler = pytest.mark.skipif(PROGRAM is None, reason="no PgBouncer (Debian: apt-get install pgbouncer)")

REFUSAL = [
    "error: This database is reached through a pooler in transaction mode, and Retoma needs sessions.",
    "hint: Set RETOMA_DATABASE_URL to the server itself, or let the pooler use session mode for it.",
]


@with_pooler
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("command", [("runner",), ("receive", "--port", "0"), ("campaign", "list")])
def test_what_gives_each_transaction_another_session_is_refused_at_the_start(
    db: Db, database: str, tmp_path: Path, mode: Mode, command: tuple[str, ...]
) -> None:
    with pooler(database, mode, tmp_path / "pooler") as url:
        done = subprocess.run(
            [sys.executable, "-m", "retoma", *command],
            env=environment(database_url=url),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )

    assert done.returncode == 1
    assert done.stderr.splitlines() == REFUSAL
    assert call(db, "select count(*) from retoma_internal.runner") == 0


@with_pooler
def test_a_campaign_is_sent_through_a_pooler_in_session_mode(
    world: World, database: str, tmp_path: Path, runners: Runners
) -> None:
    world.webhook("sales")
    with pooler(database, "session", tmp_path / "pooler") as url:
        runner = runners.start("r1", url)
        world.campaign("spring", "sales", messages=50)

        row = world.wait_for_end("spring")

        listed = retoma("campaign", "list", database_url=url)
        assert runner.terminate() == 0
    assert (row["sent"], row["in_doubt"]) == (50, 0)
    assert (listed.returncode, "spring" in listed.stdout) == (0, True), listed.stderr
    assert "Traceback" not in runner.text()


@with_pooler
async def test_a_pooler_without_a_session_to_spare_is_not_refused(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_TRIAL_S", 0.5)
    with pooler(database, "session", tmp_path / "pooler", size=1) as url:
        await session.refuse_transaction_pooler(url)


async def test_a_tick_in_another_session_than_the_registration_ends_the_runner(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial at the start can find nothing, as with a pooler of several processes."""

    async def another(connection: object) -> int:
        return -1

    monkeypatch.setattr(liveness, "backend", another)
    registered, unchecked, stop = (asyncio.Event() for _ in range(3))
    living = liveness.keep_alive(
        database, uuid4(), "r1", registered=registered, unchecked=unchecked, stop=stop
    )

    with pytest.raises(RetomaError, match="pooler in transaction mode"):
        await asyncio.wait_for(living, DEADLINE_S)
    assert registered.is_set()
