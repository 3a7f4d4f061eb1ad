"""Bounds for the Liquid of a text, before it is parsed.

The parser of python-liquid cuts a text with regular expressions that go back over blanks and over tags that
are never closed: a text of 65,536 characters can keep it busy for minutes. A text that passes here is parsed
within a second. This module reads a text once, from left to right.
"""

import re

from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_CONTENT, Token

from retoma.content.budget import LONGEST_TAG, MOST_TAGS

_MOST_BLANKS = re.compile(r"\s{60}")
_OPENING = re.compile(r"\{\{|\{%")
_CLOSING = re.compile(r"\}\}|%\}")
_CLOSED_BY = {"{{": "}}", "{%": "%}"}
_VERBATIM = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "doc")}


def refuse_unbounded(text: str) -> None:
    """Refuse a text whose braces do not pair, or that has too many or too long tags.

    Raises:
        LiquidSyntaxError: with the place in the text.
    """
    place = tags = 0
    while True:
        opening = _OPENING.search(text, place)
        if closing := _CLOSING.search(text, place, opening.start() if opening else len(text)):
            raise _error(f"{closing[0]} closes nothing", text, closing.start())
        if opening is None:
            return
        end = _end_of_tag(text, opening)
        tags += 1 + text.count("\n", opening.end(), end)
        if tags > MOST_TAGS:
            raise _error(f"it has more than {MOST_TAGS:,} outputs and tags", text, opening.start())
        place = _after_verbatim(text, opening, end)


def _end_of_tag(text: str, opening: re.Match[str]) -> int:
    """Where the closing braces begin."""
    closing = _CLOSED_BY[opening[0]]
    start = opening.end()
    end = text.find(closing, start, start + LONGEST_TAG + len(closing))
    if end < 0:
        never = text.find(closing, start) < 0
        why = f"is not closed by {closing}" if never else f"has more than {LONGEST_TAG:,} characters in it"
        raise _error(f"{opening[0]} {why}", text, opening.start())
    if _MOST_BLANKS.search(text, start, end):
        raise _error("60 or more blanks in a row in a tag", text, opening.start())
    return end


def _after_verbatim(text: str, opening: re.Match[str], end: int) -> int:
    """The place behind the tag; for raw and doc, behind their content, which is not Liquid."""
    after = end + 2
    name = text[opening.end() : end].removeprefix("-").removesuffix("-").strip()
    if opening[0] == "{{" or name not in _VERBATIM:
        return after
    verbatim_end = _VERBATIM[name].search(text, after)
    if verbatim_end is None:
        raise _error(f"{{% {name} %}} is not closed by {{% end{name} %}}", text, opening.start())
    return verbatim_end.end()


def _error(message: str, text: str, place: int) -> LiquidSyntaxError:
    return LiquidSyntaxError(message, token=Token(TOKEN_CONTENT, text[place : place + 2], place, text))
