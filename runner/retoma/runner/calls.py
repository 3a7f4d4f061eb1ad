"""Calls of the runner's SQL functions, which go on through restarts and outages of the database.

Every function that is called here may be called again with the same arguments when its reply was lost: that
is a property of the SQL, see advance_batch and lease_batch.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, LiteralString

import psycopg
import structlog
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from retoma.database import session

log = structlog.get_logger()

CALL_TIMEOUT_S = 15.0
"""A call that takes longer is on a stalled connection: the connection is cut and the call made again."""

RECONNECT_S = 0.5
"""Time between two attempts of a pool to connect while the database is away."""

APPLICATION: Final = "retoma runner"

STALE_LEASE = "RT010"

LOCK_NOT_AVAILABLE = "55P03"

# PostgreSQL's documentation, appendix A: connection, rollback, resources, operator intervention, system.
_PASSING_CLASSES = {"08", "40", "53", "57", "58"}
# A server that has become a standby; time-outs of an idle transaction, of a transaction, of a lock.
_PASSING = {"25006", "25P03", "25P04", LOCK_NOT_AVAILABLE}

_BLOCKING = "select retoma.blocking_session() as session"


class StaleLease(Exception):
    """The lease is over: send nothing more of the batch and record nothing."""


class Stopped(Exception):
    """The runner was told to stop while the database was away."""


async def backoff(attempt: int, stop: asyncio.Event, doublings: int = 3) -> None:
    """Wait before the next attempt: 0.1 s doubling up to 0.8 s, with jitter; ends early when stop is set.

    Args:
        doublings: how often the time doubles; 3 make 0.8 s.
    """
    delay = 0.1 * 2 ** min(attempt, doublings) * random.uniform(0.5, 1.0)
    try:
        await asyncio.wait_for(stop.wait(), delay)
    except TimeoutError:
        return


async def keep_connecting(pool: AsyncConnectionPool) -> None:
    """For a pool's `reconnect_failed`: begin again at once, for as long as the database is away.

    A pool gives up after its reconnect_timeout. Tasks that wait for a connection then wait until their own
    time-outs: 30 s for a pool that is being opened, though the database has long been there again.
    """
    await pool.check()


class Database:
    """A pool of autocommit connections; one call is one transaction.

    Args:
        conninfo: a PostgreSQL connection string, with one or several hosts.
        size: connections at most.
        stop: set when the runner stops; waiting for the database then ends.
        idle: connections that are kept open, used or not.
    """

    def __init__(self, conninfo: str, size: int, stop: asyncio.Event, *, idle: int = 1) -> None:
        # The pool would wait longer and longer between its attempts: so it gives up soon, and begins again.
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]] = AsyncConnectionPool(
            conninfo,
            kwargs={
                **session.OPTIONS,
                "application_name": APPLICATION,
                "autocommit": True,
                "row_factory": dict_row,
            },
            configure=session.pin,
            min_size=idle,
            max_size=size,
            open=False,
            timeout=2.0,
            reconnect_timeout=RECONNECT_S,
            reconnect_failed=keep_connecting,
        )
        self._stop = stop
        # First come, first served. A task that waits in the pool itself loses its place with every time-out:
        # with thousands of channels it did little else.
        self._turns = asyncio.Semaphore(size)
        self._away = False
        self._held_up: set[asyncio.Task[Any] | None] = set()

    def is_held_up(self, tasks: Iterable[asyncio.Task[Any]]) -> bool:
        """Whether the call of one of these tasks waits for a lock, again and again."""
        return not self._held_up.isdisjoint(tasks)

    async def open(self) -> None:
        """Open the pool; connections are made in the background."""
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=0.5)

    async def call(
        self,
        query: LiteralString,
        arguments: Sequence[object],
        timeout_s: float | None = CALL_TIMEOUT_S,
        *,
        waits_for_locks: bool = True,
    ) -> list[DictRow]:
        """Run one statement as one transaction, again and again until the database has answered.

        Args:
            query: a call of a function that may be repeated with the same arguments.
            arguments: its parameters.
            timeout_s: after which the call is cut and made again; None if it may take long.
            waits_for_locks: whether the call is made again when the database gave up waiting for a lock.

        Returns:
            The rows.

        Raises:
            StaleLease: the database refused the lease epoch (RT010).
            Stopped: the runner stops and the database is away.
            psycopg.Error: any other refusal: a defect of this program or of the rows.
        """
        try:
            return await self._call(query, arguments, timeout_s, waits_for_locks=waits_for_locks)
        finally:
            self._held_up.discard(asyncio.current_task())

    async def _call(
        self,
        query: LiteralString,
        arguments: Sequence[object],
        timeout_s: float | None,
        *,
        waits_for_locks: bool,
    ) -> list[DictRow]:
        attempt = 0
        while True:
            locked = False
            async with self._turns:
                if self._stop.is_set() and self._away:
                    raise Stopped
                try:
                    async with asyncio.timeout(timeout_s), self._pool.connection() as connection:
                        rows = await _rows(connection, query, arguments)
                    self._away = False
                    return rows
                except PoolTimeout as error:
                    self._note(attempt, error)
                    self._away = True
                    attempt += 1
                    continue  # the call that waits in the pool gets the first new connection
                except psycopg.Error as error:
                    if error.sqlstate == STALE_LEASE:
                        raise StaleLease(str(error)) from error
                    locked = error.sqlstate == LOCK_NOT_AVAILABLE
                    if not is_passing(error) or (locked and not waits_for_locks):
                        raise
                    if locked:
                        await self._note_locked(attempt)
                    else:
                        self._note(attempt, error)
                except TimeoutError as error:
                    self._note(attempt, error)
            if self._stop.is_set() and attempt > 0:
                raise Stopped
            # A session that was left open keeps its locks: other calls need the connections more.
            await backoff(attempt, self._stop, doublings=4 if locked else 3)
            attempt += 1

    async def _note_locked(self, attempt: int) -> None:
        self._held_up.add(asyncio.current_task())
        if attempt > 0:
            return
        session = None
        with suppress(psycopg.Error, PoolTimeout, TimeoutError):
            async with asyncio.timeout(CALL_TIMEOUT_S), self._pool.connection() as connection:
                session = (await _rows(connection, _BLOCKING, ()))[0]["session"]
        log.warning("lock_not_available", session=session)

    def _note(self, attempt: int, error: Exception) -> None:
        if attempt == 0:
            log.warning(
                "database_away", error=type(error).__name__, sqlstate=getattr(error, "sqlstate", None)
            )


async def _rows(
    connection: psycopg.AsyncConnection[DictRow], query: LiteralString, arguments: Sequence[object]
) -> list[DictRow]:
    try:
        cursor = await connection.execute(query, arguments)
        return await cursor.fetchall()
    except psycopg.errors.ReadOnlySqlTransaction:
        # This server has become a standby: the pool connects anew, to the one that can be written to.
        await connection.close()
        raise


def is_passing(error: psycopg.Error) -> bool:
    """Whether the same call may succeed later: lost connection, shutdown, time-out, deadlock, full disk."""
    if isinstance(error, PoolTimeout) or error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in _PASSING_CLASSES or error.sqlstate in _PASSING
