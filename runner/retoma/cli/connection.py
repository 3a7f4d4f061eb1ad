"""The connection of commands that call SQL functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

import click

from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

Row = dict[str, Any]

# Retoma's own transactions take milliseconds; only the start of a campaign with millions takes longer.
_LOCK_TIMEOUT: LiteralString = "set lock_timeout = '10s'"


@contextmanager
def connected(command: str) -> "Iterator[psycopg.Connection[Row]]":
    """A connection in autocommit mode, whose rows are dictionaries.

    Args:
        command: for pg_stat_activity, such as "campaign".

    Raises:
        RetomaError: the embedded server cannot be started, the address is that of a transaction pooler, or
            another session keeps locked what a statement needs.
        psycopg.OperationalError: the database cannot be reached.
    """
    # Imported here: `retoma --help` must not wait for a database driver.
    from psycopg.rows import dict_row  # noqa: PLC0415

    from retoma.database import session  # noqa: PLC0415
    from retoma.database.url import database_url  # noqa: PLC0415

    with session.connect(database_url(), f"retoma {command}", dict_row) as connection:
        connection.add_notice_handler(_say)
        with bounded_waits(connection):
            yield connection


@contextmanager
def bounded_waits(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Wait 10 seconds for a lock at most.

    Raises:
        RetomaError: another session keeps it; says which one, as far as this role may know.
    """
    from psycopg.errors import InsufficientPrivilege, LockNotAvailable  # noqa: PLC0415
    from psycopg.rows import scalar_row  # noqa: PLC0415

    connection.execute(_LOCK_TIMEOUT)
    try:
        yield
    except LockNotAvailable as error:
        try:
            cursor = connection.cursor(row_factory=scalar_row)
            holder = cursor.execute("select retoma.blocking_session()").fetchone()
        except InsufficientPrivilege:
            holder = None
        raise RetomaError(
            f"Another session keeps locked what this needs: {holder or 'it is not known which'}",
            hint="Let it commit or roll back, or end it: table v_open_transaction; then run this again",
        ) from error


def _say(notice: "psycopg.errors.Diagnostic") -> None:
    if notice.severity_nonlocalized == "WARNING":
        click.echo(f"warning: {notice.message_primary}", err=True)
        if notice.message_hint:
            click.echo(f"hint: {notice.message_hint}", err=True)


def call(connection: "psycopg.Connection[Row]", query: LiteralString, *arguments: object) -> Row:
    """Run a query that returns exactly one row, such as the call of a function."""
    row = connection.execute(query, arguments).fetchone()
    assert row is not None  # noqa: S101 (a function without `setof` returns one row)
    return row
