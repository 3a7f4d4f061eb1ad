"""The way into the database: blocks of rows to `retoma.add_recipients`, all in one transaction."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import LiteralString, NamedTuple

import psycopg
from psycopg.rows import class_row

_ADD: LiteralString = """
select accepted, duplicates, rejected
from retoma.add_recipients(%s, %s::bigint[], %s::text[], %s::jsonb[], %s::text[])
"""


class Loaded(NamedTuple):
    """Counts of the rows by their fate in the database; the three add up to the number of rows."""

    accepted: int
    duplicates: int
    rejected: int


@dataclass
class Block:
    """Rows for the database, by column.

    Attributes:
        lines: of the file.
        phones: in E.164, which needs no quotes in an array.
        variables: JSON objects, each on one line.
        zones: names joined by commas, "" where unknown.
    """

    lines: list[int] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)

    def arrays(self) -> list[str]:
        """The columns as PostgreSQL writes arrays (its documentation, "Array Input and Output Syntax")."""
        variables = "\n".join(self.variables).replace("\\", "\\\\").replace('"', '\\"').replace("\n", '","')
        return [
            "{" + ",".join(map(str, self.lines)) + "}",
            "{" + ",".join(self.phones) + "}",
            '{"' + variables + '"}' if self.variables else "{}",
            '{"' + '","'.join(self.zones) + '"}' if self.zones else "{}",
        ]


def load(
    connection: psycopg.Connection,
    campaign: str,
    blocks: Iterable[Block],
    *,
    replace: bool = False,
    before_commit: Callable[[], None] = lambda: None,
) -> Loaded:
    """Loads rows into a draft campaign: all of them, or none if anything fails on the way.

    While the database works on one block, the next is being made.

    Args:
        connection: outside a transaction.
        replace: whether they take the place of the recipients that the campaign has, unless none is accepted.
        before_commit: called when the database has taken all rows.

    Raises:
        psycopg.Error: the database refuses, as when the campaign is missing or no longer a draft.
    """

    def add(arrays: list[str]) -> Loaded:
        with connection.cursor(row_factory=class_row(Loaded)) as cursor:
            row = cursor.execute(_ADD, [campaign, *arrays]).fetchone()
        assert row is not None  # noqa: S101 (a function without `setof` returns one row)
        return row

    with connection.transaction(), ThreadPoolExecutor(max_workers=1) as database:
        if replace:
            connection.execute("select retoma.clear_recipients(%s)", [campaign])
        # With no rows this only checks the campaign: better now than after a million of them.
        total = add(Block().arrays())
        running: Future[Loaded] | None = None
        try:
            for block in blocks:
                arrays = block.arrays()
                if running:
                    total = _sum(total, running.result())
                running = database.submit(add, arrays)
            if running:
                total = _sum(total, running.result())
        except BaseException:
            if running and not running.done():
                # The executor would wait for it, and it may be waiting for another session.
                with suppress(psycopg.Error):
                    connection.cancel_safe()
            raise
        before_commit()
        if replace and total.accepted == 0:
            raise psycopg.Rollback
    return total


def _sum(one: Loaded, other: Loaded) -> Loaded:
    return Loaded(
        one.accepted + other.accepted, one.duplicates + other.duplicates, one.rejected + other.rejected
    )
