"""Sessions on servers that other people set up: every connection of Retoma is made or prepared here.

A role or a database may have its own DateStyle, time zone, isolation level or time-outs. The values that this
code counts on are set in each session, by a statement: poolers refuse start-up options, and the address may
have options already.

A pooler in transaction mode gives each transaction another session. The sign of life of a runner is a lock of
its session, so such a pooler is refused. A pooler in session mode is fine.
"""

import asyncio
from typing import Any, Final, LiteralString, TypeVar, overload

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import AsyncRowFactory, RowFactory, tuple_row
from psycopg.types.json import Json

from retoma.errors import RetomaError

Row = TypeVar("Row")

OPTIONS: Final[dict[str, Any]] = {
    # Some encodings of PostgreSQL are unknown to Python, so this cannot wait for a statement.
    "client_encoding": "UTF8",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Arguments for psycopg, which make a dead or stalled connection known within seconds."""

_PINNED: Final = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
_PINNED_FROM_17_ON: Final = _PINNED | {"transaction_timeout": "0"}

_PIN: LiteralString = """
select pg_catalog.set_config(s.key, s.value, false) from pg_catalog.json_each_text(%s) as s
"""
_BACKEND: LiteralString = "select pg_catalog.pg_backend_pid()"

_ANSWER_S = 15.0
_TRIALS = 5
_TRIAL_S = 5.0
# "begin" through a pooler that gives each statement another session.
_PROTOCOL_VIOLATION = "08P01"


@overload
def connect(conninfo: str, application: str, *, autocommit: bool = True) -> psycopg.Connection: ...
@overload
def connect(
    conninfo: str, application: str, row_factory: RowFactory[Row], *, autocommit: bool = True
) -> psycopg.Connection[Row]: ...
def connect(
    conninfo: str, application: str, row_factory: RowFactory[Any] = tuple_row, *, autocommit: bool = True
) -> psycopg.Connection[Any]:
    """A connection with the values that Retoma counts on.

    Args:
        conninfo: a PostgreSQL connection string.
        application: for pg_stat_activity, such as "retoma campaign".
        row_factory: makes rows; tuples by default.
        autocommit: false for one transaction from the first statement on.

    Raises:
        RetomaError: it goes through a pooler in transaction mode.
        psycopg.OperationalError: the database cannot be reached.
    """
    # A person may have reasons for another connect_timeout.
    given = conninfo_to_dict(conninfo).keys() - {"client_encoding"}
    options = {name: value for name, value in OPTIONS.items() if name not in given}
    connection = psycopg.connect(
        conninfo, autocommit=True, row_factory=row_factory, application_name=application, **options
    )
    try:
        # A pooler makes up the number that it tells its clients.
        if _first(connection.cursor(row_factory=tuple_row).execute(_BACKEND)) != connection.info.backend_pid:
            asyncio.run(refuse_transaction_pooler(conninfo))
        connection.execute(_PIN, _pinned(connection.info))
        connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


async def connect_async(
    conninfo: str, application: str, row_factory: AsyncRowFactory[Row]
) -> psycopg.AsyncConnection[Row]:
    """As `connect`, in autocommit mode; its statements are not prepared.

    Raises:
        TimeoutError: the database was reached, and does not answer.
    """
    connection = await psycopg.AsyncConnection.connect(
        conninfo,
        autocommit=True,
        row_factory=row_factory,
        prepare_threshold=None,
        application_name=application,
        **OPTIONS,
    )
    try:
        async with asyncio.timeout(_ANSWER_S):
            if await backend(connection) != connection.info.backend_pid:
                await refuse_transaction_pooler(conninfo)
            await pin(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def pin(connection: psycopg.AsyncConnection[Any]) -> None:
    """Set the values in a session; for the connections of pools, in autocommit mode."""
    await connection.execute(_PIN, _pinned(connection.info))


async def backend(connection: psycopg.AsyncConnection[Any]) -> int:
    """The process of the server that serves this connection now."""
    cursor = await connection.cursor(row_factory=tuple_row).execute(_BACKEND)
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 (a select without a table returns one row)
    return int(row[0])


def transaction_pooler() -> RetomaError:
    """The refusal of a pooler in transaction mode."""
    return RetomaError(
        "This database is reached through a pooler in transaction mode, and Retoma needs sessions.",
        hint="Set RETOMA_DATABASE_URL to the server itself, or let the pooler use session mode for it.",
    )


async def refuse_transaction_pooler(conninfo: str) -> None:
    """Find out whether two transactions of one connection can run in two sessions.

    While one connection rests, the other begins a transaction. Unless sessions are kept, it gets the session
    of the first one, or the first one gets another session afterwards. A pooler that has no session to spare
    is let pass: if it is in transaction mode after all, a runner finds out at its ticks.

    Raises:
        RetomaError: they can.
        psycopg.OperationalError: the database cannot be reached.
    """
    try:
        async with (
            asyncio.timeout(_TRIAL_S),
            await _bare(conninfo) as resting,
            await _bare(conninfo) as other,
        ):
            for _ in range(_TRIALS):
                if await _shares_sessions(resting, other):
                    raise transaction_pooler()
    except TimeoutError:
        return
    except psycopg.Error as error:
        if error.sqlstate != _PROTOCOL_VIOLATION:
            raise
        raise transaction_pooler() from error


async def _shares_sessions(
    resting: psycopg.AsyncConnection[Any], other: psycopg.AsyncConnection[Any]
) -> bool:
    before = await backend(resting)
    async with other.transaction():
        return await backend(other) == before or await backend(resting) != before


async def _bare(conninfo: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        conninfo, autocommit=True, prepare_threshold=None, application_name="retoma", **OPTIONS
    )


def _pinned(info: psycopg.ConnectionInfo) -> tuple[Json]:
    return (Json(_PINNED if info.server_version < 170_000 else _PINNED_FROM_17_ON),)


def _first(cursor: psycopg.Cursor[tuple[Any, ...]]) -> object:
    row = cursor.fetchone()
    return row and row[0]
