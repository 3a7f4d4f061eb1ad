"""Sessions that call everything at random, and sessions that behave as badly as PostgreSQL lets them."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from tests.hammer.catalogue import Function
from tests.hammer.notes import Notes
from tests.hammer.values import CHANNELS, Values

LEFT_OPEN_S = 8.0
"""How long a transaction is left open; longer than any tick may take."""

# The hammer itself ends sessions and takes what others hold.
_ENDED = {"57P01", "57P02", "57P03", None}
# What runners call does not wait long for a session that was left open: see the page of errors.
_GAVE_UP_WAITING = "55P03"
_SHOWN = 300
NAME_TAKEN = "RT004"


@dataclass(frozen=True)
class Caller:
    """What a session needs that calls at random.

    Args:
        url: where it connects, and as whom.
        functions: what it may call.
        values: what it gives.
        dice: its chance.
        notes: where it says what it saw.
        over: set when the run ends.
    """

    url: str
    functions: list[Function]
    values: Values
    dice: random.Random
    notes: Notes
    over: threading.Event


def call_at_random(caller: Caller) -> None:
    """Single calls, and transactions of several; some of them are left open, or end with their connection."""
    while not caller.over.is_set():
        with _session(caller.url) as session:
            while not caller.over.is_set() and not session.closed:
                _transaction(session, caller, caller.dice.choice([1, 1, 1, 2, 3, 5]))


def _transaction(session: psycopg.Connection, caller: Caller, calls: int) -> None:
    for _ in range(calls):
        if not _call(session, caller, caller.dice.choice(caller.functions)):
            return
    if calls > 1 and caller.dice.random() < 0.3:
        caller.over.wait(caller.dice.uniform(0, LEFT_OPEN_S))
    with _ended_by_the_hammer():
        match caller.dice.random():
            case share if share < 0.05:
                session.close()
            case share if share < 0.2:
                session.rollback()
            case _:
                session.commit()


def _call(session: psycopg.Connection, caller: Caller, function: Function) -> bool:
    """Makes one call; False when the transaction is over because of it."""
    statement, arguments = function.call(caller.values, caller.dice)
    try:
        session.execute(statement, arguments).fetchall()
    except psycopg.Error as error:
        state = error.sqlstate or ""
        refusal = state if state.startswith("RT") or state == _GAVE_UP_WAITING else None
        caller.notes.called(function.name, refusal)
        if refusal is None and not (session.closed and error.sqlstate in _ENDED):
            shown = f"{statement} with {arguments!r:.{_SHOWN}}: {error!s:.{_SHOWN}}"
            caller.notes.failed(f"{function.name}: {error.sqlstate}", shown)
        if not session.closed:
            with _ended_by_the_hammer():
                session.rollback()
        return False
    caller.notes.called(function.name)
    return True


def tick(url: str, tick_max_s: float, notes: Notes, over: threading.Event) -> None:
    """Ticks as a runner does, and measures each."""
    with psycopg.connect(url, autocommit=True) as session:
        while not over.wait(0.2):
            begin = time.monotonic()
            try:
                session.execute("select retoma.tick()")
            except psycopg.Error as error:
                notes.failed(f"a tick: {error.sqlstate}", f"{error!s:.{_SHOWN}}")
            seconds = time.monotonic() - begin
            notes.ticked(seconds)
            if seconds > tick_max_s:
                notes.failed(f"a tick that took longer than {tick_max_s:.0f} s", f"{seconds:.1f} s")


def end_sessions(url: str, dice: random.Random, over: threading.Event) -> None:
    """Ends the sessions of callers at random, as an administrator does, or a network."""
    with psycopg.connect(url, autocommit=True) as session:
        while not over.wait(dice.uniform(0.2, 2)):
            session.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'hammer' order by random() limit 1"
            )


def take_advisory_locks(url: str, dice: random.Random, over: threading.Event) -> None:
    """Takes the advisory locks that others hold or might want; anybody who may connect may do that."""
    while not over.is_set():
        with _session(url) as session, _ended_by_the_hammer():
            session.execute("set lock_timeout = '500 ms'")
            session.commit()
            seen = session.execute(
                "select distinct classid::bigint::int, objid::bigint::int, objsubid from pg_locks"
                " where locktype = 'advisory' and classid::bigint < 2^31 and objid::bigint < 2^31"
            ).fetchall()
            for first, second, parts in dice.sample(seen, min(3, len(seen))):
                for key in (second, 0):
                    statement = (
                        f"select pg_advisory_lock({first}, {key})"
                        if parts == 2
                        else f"select pg_advisory_lock({first}::bigint << 32 | {key})"
                    )
                    try:
                        session.execute(statement)
                        session.commit()
                    except psycopg.errors.LockNotAvailable:
                        session.rollback()
            over.wait(dice.uniform(0, LEFT_OPEN_S))


def make_work(
    url: str, values: Values, dice: random.Random, over: threading.Event, begun: Callable[[], None]
) -> None:
    """Starts campaigns as they should be, so that there is always something to send."""
    with psycopg.connect(url, autocommit=True) as session:
        while not over.wait(1):
            name = values.new_campaign()
            people = [{"phone": values.phone()} for _ in range(dice.choice([3, 40, 200]))]
            create = "select retoma.create_campaign(%s, %s::text[], 'Oi', 7, p_max_attempts => 20)"
            if _is_done(session, create, name, dice.sample(CHANNELS, 2)):
                begun()
                _is_done(session, "select retoma.add_recipients(%s, %s)", name, Jsonb(people))
                _is_done(session, "select retoma.start_campaign(%s)", name)


def _is_done(session: psycopg.Connection, statement: str, *arguments: object) -> bool:
    """Makes a call; a refusal leaves the campaign to what the random callers make of it."""
    try:
        session.execute(statement, arguments)
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("RT"):
            raise
        return error.sqlstate == NAME_TAKEN
    return True


@contextmanager
def _session(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, application_name="hammer") as session:
        try:
            yield session
        finally:
            session.close()


@contextmanager
def _ended_by_the_hammer() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        if error.sqlstate not in _ENDED:
            raise
