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


class Made(NamedTuple):
    """A message that could be made.

    Args:
        variant: which content of the campaign it is, from 1.
        number: its place in the list.
        phone: who gets it, E.164.
        content: what it says.
    """

    variant: int
    number: int
    phone: str
    content: Content


class Trial(NamedTuple):
    """What came of the first messages.

    Args:
        firsts: of each variant, the first one that could be made. A rare variant may be missing,
            because none of these messages gets it.
        variants: how many contents the campaign has.
        made: how many could be made.
        failed: how many could not.
        why: of the first one that could not, with its number.
    """

    firsts: Sequence[Made]
    variants: int
    made: int
    failed: int
    why: str | None

    def insist(self) -> None:
        """Refuse a campaign of which no message can be made.

        Raises:
            RetomaError: none of those that were tried.
        """
        if self.failed and not self.firsts:
            raise RetomaError(
                f"None of the first {self.failed} messages can be made; {self.why}.",
                hint="Import other values (retoma import --replace), or create a campaign with another text.",
            )


def try_out(connection: psycopg.Connection[dict[str, Any]], campaign: str) -> Trial:
    """Make the first messages of a campaign, as a runner would."""
    query = "select * from retoma.sample_recipients(%s, %s)"
    rows = connection.execute(query, [campaign, MESSAGES]).fetchall()
    contents = connection.execute("select * from retoma.campaign_content(%s)", [campaign]).fetchall()
    made: list[Made] = []
    faults: list[tuple[int, str]] = []
    for content in contents:
        own = [row for row in rows if row["variant"] == content["variant"]]
        written = Written(content["content"], content["texts"])
        results = render_apart(written, [(row["phone"], row["variables"]) for row in own]) if own else []
        for row, result in zip(own, results, strict=True):
            if isinstance(result, RenderError):
                faults.append((row["ordinal"], result.words))
            else:
                made.append(Made(row["variant"], row["ordinal"], row["phone"], result))
    why = "number {}: {}".format(*min(faults)) if faults else None
    return Trial(_firsts(made), len(contents), len(made), len(faults), why)


def _firsts(made: Sequence[Made]) -> list[Made]:
    firsts: dict[int, Made] = {}
    for message in made:
        firsts.setdefault(message.variant, message)
    return list(firsts.values())
