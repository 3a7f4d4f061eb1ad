"""One run: a database with campaigns and runners, callers of every role, and what they saw."""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from tests.hammer import callers
from tests.hammer.catalogue import functions
from tests.hammer.notes import Notes
from tests.hammer.values import CHANNELS, Values
from tests.support.campaigns import assert_counters_match_deliveries, make_runner
from tests.support.runners import runners_on

ROLES = (
    "retoma_operator",
    "retoma_operator",
    "retoma_operator",
    "retoma_runner",
    "retoma_runner",
    "retoma_monitor",
)


def hammer(
    url: str, directory: Path, seconds: float, seed: int, *, tick_max_s: float, say: Callable[[str], None]
) -> Notes:
    """Hammers a database for some seconds.

    Args:
        url: a fresh database with Retoma, as its owner.
        directory: gets the logs of the runners.
        seed: of all chance, but for the order in which sessions come.
        tick_max_s: a tick that takes longer is a failure; on an idle machine, 5 seconds.
        say: told now and then how far it is.
    """
    notes = Notes()
    over = threading.Event()
    count = _Counter()
    with psycopg.connect(url, autocommit=True) as db, runners_on(url, directory) as runners:
        logins = {role: _login(db, url, role) for role in sorted(set(ROLES))}
        _prepare(db)
        known = [make_runner(db, f"known-{number}") for number in range(2)] + [uuid.uuid4()]
        processes = [runners.start(f"runner-{number}", logins["retoma_runner"]) for number in (1, 2)]

        def values(dice: random.Random) -> Values:
            return Values(dice, count.now, known, lambda: count.message_ids)

        def played_by(who: str) -> random.Random:
            return random.Random(f"{seed} {who}")

        operator, worker = logins["retoma_operator"], logins["retoma_runner"]
        actors: list[Callable[[], None]] = [
            partial(callers.tick, worker, tick_max_s, notes, over),
            partial(callers.end_sessions, url, played_by("end"), over),
            partial(callers.take_advisory_locks, logins["retoma_monitor"], played_by("lock"), over),
            partial(
                callers.make_work, operator, values(played_by("names")), played_by("work"), over, count.next
            ),
        ]
        for number, role in enumerate(ROLES):
            dice = played_by(f"caller {number}")
            caller = callers.Caller(logins[role], functions(db, role), values(dice), dice, notes, over)
            actors.append(partial(callers.call_at_random, caller))
        with ThreadPoolExecutor(len(actors)) as pool:
            playing = [pool.submit(actor) for actor in actors]
            try:
                for left in _rounds(playing, seconds):
                    count.message_ids = _sent_last(db)
                    say(f"{left:5.0f} s left: {count.now()} campaigns, {notes}")
            finally:
                over.set()
            for one in playing:
                one.result()
        for process in processes:
            if process.process.poll() is not None:
                notes.failed("a runner ended", process.text()[-2000:])
            elif process.terminate() != 0:
                notes.failed("a runner did not end well", process.text()[-2000:])
            _read_log(process.text(), notes)
        _judge(db, notes)
    return notes


class _Counter:
    """How many campaigns there are, and messages that were sent."""

    def __init__(self) -> None:
        self._campaigns = 0
        self.message_ids: list[str] = []

    def now(self) -> int:
        return self._campaigns

    def next(self) -> None:
        self._campaigns += 1


def _login(db: psycopg.Connection, url: str, role: str) -> str:
    """URL of a user who is a member of one role of Retoma, and of nothing else."""
    name = role.replace("retoma", "hammer")
    found = db.execute("select from pg_roles where rolname = %s", (name,)).fetchone()
    if found is None:
        db.execute(
            sql.SQL("create role {} login in role {}").format(sql.Identifier(name), sql.Identifier(role))
        )
    return psycopg.conninfo.make_conninfo(url, user=name)


def _prepare(db: psycopg.Connection) -> None:
    pacing = json.dumps({"max_leases": 2, "max_in_flight": 4})
    for name in CHANNELS:
        db.execute("select retoma.create_channel(%s, 'null', '{}', %s)", (name, pacing))
    # Leases that end early are taken over often.
    db.execute("update retoma.setting set lease_duration = '3 s'")


def _rounds(playing: list[Future[None]], seconds: float) -> Iterator[float]:
    """Seconds that are left, every 10 seconds, until none is left or an actor has ended."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not any(one.done() for one in playing):
        yield left
        time.sleep(min(left, 10))


def _sent_last(db: psycopg.Connection) -> list[str]:
    return [
        row[0] for row in db.execute("select message_id from retoma.v_delivery order by at desc limit 50")
    ]


def _read_log(log: str, notes: Notes) -> None:
    for line in log.splitlines():
        try:
            json.loads(line)
        except ValueError:
            notes.failed("a line of a runner's log is not JSON", line)


def _judge(db: psycopg.Connection, notes: Notes) -> None:
    try:
        assert_counters_match_deliveries(db)
    except AssertionError as wrong:
        notes.failed("the books do not balance", f"{wrong!s:.2000}")
