"""The receiver's way to the database: a pool whose connections are asked whether they live."""

import asyncio
from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
import structlog
from psycopg.rows import tuple_row
from psycopg_pool import AsyncConnectionPool

from retoma.database import schema, session

log = structlog.get_logger()

APPLICATION = "retoma receive"

_CONNECTIONS = 4
# While the database restarts, a call waits for so long; then the provider hears that it should call again.
# After an outage the pool has forgotten its failed tries, and the first call makes it connect at once.
_WAIT_S = 10
# A statement that takes longer is on a stalled connection.
_STATEMENT_S = 15
_PAUSE_S = 1


class Database:
    """Runs single statements, each a transaction of its own. All of them must be harmless when repeated."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            open=False,
            timeout=_WAIT_S,
            reconnect_timeout=_WAIT_S,
            check=AsyncConnectionPool.check_connection,
            configure=session.pin,
            kwargs={**session.OPTIONS, "application_name": APPLICATION, "autocommit": True},
        )

    async def __aenter__(self) -> "Database":
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def check(self) -> None:
        """Connects once, as soon as the database is there, to see whether it can be worked with.

        Raises:
            RetomaError: it goes through a pooler in transaction mode, or its schema is of another version.
            psycopg.Error: it has no schema of Retoma.
        """
        told = False
        while True:
            try:
                await self._check()
                return
            except (psycopg.OperationalError, TimeoutError) as error:
                if not told:
                    log.warning("database_away", reason=str(error).partition("\n")[0])
                told = True
            await asyncio.sleep(_PAUSE_S)

    async def _check(self) -> None:
        async with (
            await session.connect_async(self._url, APPLICATION, tuple_row) as connection,
            asyncio.timeout(_STATEMENT_S),
        ):
            cursor = await connection.execute(schema.INSTALLED_VERSIONS)
            schema.refuse_other_version(await cursor.fetchall())

    async def run(self, statement: LiteralString, parameters: Sequence[object]) -> tuple[Any, ...] | None:
        """The first row of a statement, which runs a second time when its connection is lost.

        Raises:
            psycopg.Error: it is refused, or the database is away.
        """
        try:
            return await self._run_once(statement, parameters)
        except _ConnectionLost:
            return await self._run_once(statement, parameters)

    async def _run_once(
        self, statement: LiteralString, parameters: Sequence[object]
    ) -> tuple[Any, ...] | None:
        async with self._pool.connection() as connection:
            try:
                async with asyncio.timeout(_STATEMENT_S):
                    return await (await connection.execute(statement, parameters)).fetchone()
            except TimeoutError as error:
                raise psycopg.OperationalError("the database does not answer") from error
            except psycopg.Error as error:
                # Also the time-outs of a transaction, which end the session, are of other classes of error.
                if connection.closed:
                    raise _ConnectionLost(*error.args) from error
                raise


class _ConnectionLost(psycopg.OperationalError):
    pass
