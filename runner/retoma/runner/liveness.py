"""The runner's sign of life, and the tick.

A session advisory lock lives exactly as long as the process or its connection: when either is gone, the
server frees it within milliseconds and the tick of any other runner reaps the leases.
"""

import asyncio
from typing import Any, Final, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import DictRow, dict_row, tuple_row

from retoma.database import schema, session
from retoma.database.session import backend
from retoma.runner.calls import APPLICATION, CALL_TIMEOUT_S, LOCK_NOT_AVAILABLE, backoff, is_passing
from retoma.transports.base import now

log = structlog.get_logger()

TICK_S = 0.5

UNREGISTER_S = 1.5
"""Longest time for giving back all leases at a stop; the next tick reaps the rest."""

REFUSED_S = 60.0
"""When the database has refused for so long what it took before, the process ends, and says so."""

UNREGISTER: Final = "select retoma.unregister_runner(%s)"

# Each tick tells its session: a pooler that gives each transaction another one is noticed here at the latest.
_TICK: Final = "select t.*, pg_catalog.pg_backend_pid() as session from retoma.tick(%s) as t"


async def keep_alive(
    conninfo: str,
    runner_id: UUID,
    name: str,
    *,
    registered: asyncio.Event,
    unchecked: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Hold the registration and tick until stop is set; go on through outages of the database.

    Args:
        conninfo: where the database is. Not through a transaction pooler: the session is the sign of life.
        runner_id: identity of this process.
        name: for people.
        registered: set at the first registration; leasing is refused before.
        unchecked: set at each tick that finds contents to check.
        stop: ends the loop, and unregisters.

    Raises:
        RetomaError: the schema is of another version, or a pooler keeps no session.
        psycopg.Error: the database has no schema of Retoma, or has refused for REFUSED_S what it took
            before. A login that is refused cannot be told from a server that is away: the log has the reason.
    """
    attempt = 0
    trouble = _Trouble()
    versions = None
    while not stop.is_set():
        try:
            async with await session.connect_async(conninfo, APPLICATION, dict_row) as connection:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    versions = await _known_versions(connection, versions)
                    await connection.execute("select retoma.register_runner(%s, %s)", (runner_id, name))
                log.info("registered", runner=name)
                registered.set()
                attempt = 0
                await _tick_until(connection, runner_id, unchecked, stop, trouble)
        except (psycopg.Error, TimeoutError) as error:
            trouble.note(error, "liveness_lost", may_last=registered.is_set())
        await backoff(attempt, stop)
        # Soon again: if it is killed before it has registered anew, only the end of its leases tells.
        attempt = min(attempt + 1, 2)


class _Trouble:
    """What keeps the database from answering: said once, and raised when it will not pass."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._refused_at: float | None = None

    def over(self) -> None:
        """The database has answered."""
        self._reason = self._refused_at = None

    def note(
        self, error: psycopg.Error | TimeoutError, event: str, *, may_last: bool, **facts: str | None
    ) -> None:
        """Raises the error when the database refuses, and has never taken it or refuses for long."""
        if isinstance(error, TimeoutError) or is_passing(error):
            self._refused_at = None
        elif not may_last:
            raise error
        else:
            self._refused_at = self._refused_at or now()
            if now() - self._refused_at > REFUSED_S:
                raise error
        known, self._reason = self._reason, str(error).partition("\n")[0] or "no answer"
        if self._reason != known:
            sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
            log.warning(event, error=type(error).__name__, sqlstate=sqlstate, reason=self._reason, **facts)


async def _known_versions(
    connection: psycopg.AsyncConnection[DictRow], known: list[tuple[Any, ...]] | None
) -> list[tuple[Any, ...]]:
    """The versions in the database. Another one is refused at first; a running process tells, and goes on."""
    cursor = await connection.cursor(row_factory=tuple_row).execute(schema.INSTALLED_VERSIONS)
    installed = await cursor.fetchall()
    if known is None:
        schema.refuse_other_version(installed)
    elif installed != known:
        log.warning("schema_upgraded", advice="restart this runner with the new version of Retoma")
    return installed


async def _tick_until(
    connection: psycopg.AsyncConnection[DictRow],
    runner_id: UUID,
    unchecked: asyncio.Event,
    stop: asyncio.Event,
    trouble: _Trouble,
) -> None:
    registered_in = await backend(connection)
    # Shorter than ours: then the server ends the statement, and the session, our sign of life, stays.
    await connection.execute(f"set statement_timeout to '{CALL_TIMEOUT_S - 5:.0f}s'")
    while not stop.is_set():
        done = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                cursor = await connection.execute(_TICK, (runner_id,))
                done = await cursor.fetchone()
        except psycopg.Error as error:
            # A server that has become a standby refuses every tick.
            if connection.closed or error.sqlstate == "25006":
                raise
            blocking = await _blocking_session(connection, error)
            trouble.note(error, "tick_failed", may_last=True, session=blocking)
        else:
            assert done is not None  # noqa: S101 (tick returns one row)
            if done.pop("session") != registered_in:
                raise session.transaction_pooler()
            trouble.over()
        if done and any(done[key] for key in ("reaped", "started")):
            log.info("tick", **done)
        if done and done["unchecked"]:
            unchecked.set()
        try:
            await asyncio.wait_for(stop.wait(), TICK_S)
        except TimeoutError:
            continue
    async with asyncio.timeout(UNREGISTER_S):
        await connection.execute(UNREGISTER, (runner_id,))


async def _blocking_session(connection: psycopg.AsyncConnection[DictRow], error: psycopg.Error) -> str | None:
    """In words, the session for which the database gave up waiting."""
    if error.sqlstate != LOCK_NOT_AVAILABLE:
        return None
    async with asyncio.timeout(CALL_TIMEOUT_S):
        cursor = await connection.execute("select retoma.blocking_session() as session")
        row = await cursor.fetchone()
    return cast(str, row["session"]) if row else None
