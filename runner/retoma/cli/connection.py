"""The connection of commands that call SQL functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

import click

if TYPE_CHECKING:
    import psycopg

Row = dict[str, Any]


@contextmanager
def connected(command: str) -> "Iterator[psycopg.Connection[Row]]":
    """A connection in autocommit mode, whose rows are dictionaries.

    Args:
        command: for pg_stat_activity, such as "campaign".

    Raises:
        RetomaError: the embedded server cannot be started, or the address is that of a transaction pooler.
        psycopg.OperationalError: the database cannot be reached.
    """
    # Imported here: `retoma --help` must not wait for a database driver.
    from psycopg.rows import dict_row  # noqa: PLC0415

    from retoma.database import session  # noqa: PLC0415
    from retoma.database.url import database_url  # noqa: PLC0415

    with session.connect(database_url(), f"retoma {command}", dict_row) as connection:
        connection.add_notice_handler(_say)
        yield connection


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
