"""The runner's sign of life, and the tick.

A session advisory lock lives exactly as long as the process or its connection: when either is gone, the
server frees it within milliseconds and the tick of any other runner reaps the leases.
"""

import asyncio
from typing import Final, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import DictRow, dict_row

from retoma.runner.calls import (
    CALL_TIMEOUT_S,
    CONNECTION_OPTIONS,
    LOCK_NOT_AVAILABLE,
    backoff,
    is_passing,
)

log = structlog.get_logger()

TICK_S = 0.5

UNREGISTER_S = 1.5
"""Longest time for giving back all leases at a stop; the next tick reaps the rest."""

UNREGISTER: Final = "select retoma.unregister_runner(%s)"


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
        psycopg.Error: the database has no schema of Retoma, or gives no permission to it. A login that is
            refused cannot be told from a server that is away: the log has the reason.
    """
    attempt = 0
    reason = None
    while not stop.is_set():
        try:
            connection = await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True, row_factory=dict_row, **CONNECTION_OPTIONS
            )
            async with connection:
                await connection.execute("select retoma.register_runner(%s, %s)", (runner_id, name))
                log.info("registered", runner=name)
                registered.set()
                attempt, reason = 0, None
                await _tick_until(connection, runner_id, unchecked, stop)
        except psycopg.Error as error:
            if not is_passing(error) and registered.is_set() is False:
                raise
            known, reason = reason, str(error).partition("\n")[0]
            if reason != known:
                log.warning(
                    "liveness_lost", error=type(error).__name__, sqlstate=error.sqlstate, reason=reason
                )
        except TimeoutError:
            log.warning("liveness_lost", error="no answer")
        await backoff(attempt, stop)
        # Soon again: if it is killed before it has registered anew, only the end of its leases tells.
        attempt = min(attempt + 1, 2)


async def _tick_until(
    connection: psycopg.AsyncConnection[DictRow],
    runner_id: UUID,
    unchecked: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    # Shorter than ours: then the server ends the statement, and the session, our sign of life, stays.
    await connection.execute(f"set statement_timeout to '{CALL_TIMEOUT_S - 5:.0f}s'")
    reason = None
    while not stop.is_set():
        known, reason, done = reason, None, None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                cursor = await connection.execute("select * from retoma.tick(%s)", (runner_id,))
                done = await cursor.fetchone()
        except psycopg.Error as error:
            # A server that has become a standby refuses every tick.
            if connection.closed or error.sqlstate == "25006":
                raise
            reason = str(error).partition("\n")[0]
            if reason != known:
                log.warning(
                    "tick_failed",
                    sqlstate=error.sqlstate,
                    reason=reason,
                    session=await _blocking_session(connection, error),
                )
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
