"""The way into the database: COPY into the staging table, then `retoma.load_staged`, in one transaction."""

from collections.abc import Iterable
from typing import LiteralString, NamedTuple

import psycopg
from psycopg.rows import class_row

_COPY: LiteralString = "copy retoma.recipient_staging (campaign, line, phone, variables, zone) from stdin"
_LOAD: LiteralString = "select accepted, duplicates, rejected from retoma.load_staged(%s)"


class Loaded(NamedTuple):
    """What the database made of the staged rows; the three add up to their number."""

    accepted: int
    duplicates: int
    rejected: int


def load(connection: psycopg.Connection, campaign: str, blocks: Iterable[str]) -> Loaded:
    """Loads rows into a draft campaign: all of them, or none if anything fails on the way.

    Args:
        connection: outside a transaction.
        blocks: text for COPY in its text format, in the order of the columns of `_COPY`.

    Raises:
        psycopg.Error: the database refuses, as when the campaign is missing or no longer a draft.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(Loaded)) as cursor:
        # With nothing staged this only checks the campaign: better now than after a million rows.
        cursor.execute(_LOAD, [campaign])
        with cursor.copy(_COPY) as copy:
            for block in blocks:
                copy.write(block)
        cursor.execute(_LOAD, [campaign])
        row = cursor.fetchone()
        assert row is not None  # noqa: S101 (a function without `setof` returns one row)
        return row


def copy_escaped(text: str) -> str:
    """A value as COPY's text format wants it (PostgreSQL documentation, COPY, "Text Format")."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
