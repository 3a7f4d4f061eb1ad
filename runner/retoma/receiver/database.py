"""The receiver's way to the database: a pool whose connections are asked whether they live."""

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

_CONNECTIONS = 4
# While the database restarts, a call waits for so long; then the provider hears that it should call again.
# After an outage the pool has forgotten its failed tries, and the first call makes it connect at once.
_WAIT_S = 10


class Database:
    """Runs single statements, each a transaction of its own. All of them must be harmless when repeated."""

    def __init__(self, url: str) -> None:
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            open=False,
            timeout=_WAIT_S,
            reconnect_timeout=_WAIT_S,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True},
        )

    async def __aenter__(self) -> "Database":
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

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
                return await (await connection.execute(statement, parameters)).fetchone()
            except psycopg.OperationalError as error:
                if connection.closed:
                    raise _ConnectionLost(*error.args) from error
                raise


class _ConnectionLost(psycopg.OperationalError):
    pass
