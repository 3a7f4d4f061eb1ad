"""The first messages of a campaign, made before anything is sent."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from retoma.content.apart import render_apart
from retoma.content.results import RenderError
from retoma.content.written import Content, Written
from retoma.errors import RetomaError

MESSAGES = 100
"""How many are made: in a list, a fault of the text shows in its first rows."""


class Trial(NamedTuple):
    """What came of the first messages.

    Args:
        first: number, phone and content of the first one that could be made; None without recipients.
        made: how many could be made.
        failed: how many could not.
        why: of the first one that could not, with its number.
    """

    first: tuple[int, str, Content] | None
    made: int
    failed: int
    why: str | None

    def insist(self) -> None:
        """Refuse a campaign of which no message can be made.

        Raises:
            RetomaError: none of those that were tried.
        """
        if self.failed and self.first is None:
            raise RetomaError(
                f"None of the first {self.failed} messages can be made; {self.why}.",
                hint="Import other values (retoma import --replace), or create a campaign with another text.",
            )


def try_out(connection: psycopg.Connection[dict[str, Any]], campaign: str) -> Trial:
    """Make the first messages of a campaign, as a runner would."""
    query = "select * from retoma.sample_recipients(%s, %s)"
    rows = connection.execute(query, [campaign, MESSAGES]).fetchall()
    content = connection.execute("select * from retoma.campaign_content(%s)", [campaign]).fetchone()
    if not rows or content is None:
        return Trial(None, 0, 0, None)
    return _judged(rows, Written(content["content"], content["texts"]))


def _judged(rows: Sequence[dict[str, Any]], written: Written) -> Trial:
    results = render_apart(written, [(row["phone"], row["variables"]) for row in rows])
    first: tuple[int, str, Content] | None = None
    why: str | None = None
    failed = 0
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, RenderError):
            failed += 1
            why = why or f"number {row['ordinal']}: {result.words}"
        else:
            first = first or (row["ordinal"], row["phone"], result)
    return Trial(first, len(rows) - failed, failed, why)
