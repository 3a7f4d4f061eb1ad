"""How far into a number a pattern looks, so that what it said of one number can be said of others.

The patterns of `phonenumbers` ask about the first digits, then for so many digits more: `[2-9]\\d{7}` looks
at one character and at the length. Two texts of digits of one length that begin alike as far as it looks are
alike to it.
"""

from collections.abc import Iterable
from re import ASCII, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_DIGIT = [(_constants.CATEGORY, _constants.CATEGORY_DIGIT)]


def depth(pattern: str) -> int | None:
    r"""The number of leading characters that a pattern looks at.

    Every other character only has to be a digit (`\d`), for any match and any failure at the start of a text.

    Returns:
        None for a pattern with parts that phone numbers do not need.
    """
    try:
        return _measure(_parser.parse(pattern, ASCII), 0)[1]
    except _NotForNumbers:
        return None


class _NotForNumbers(Exception):
    pass


def _measure(items: Iterable[tuple[object, Any]], start: int) -> tuple[int, int]:
    """Where items that begin at `start` end at the latest, and how far they look."""
    end = start
    looks = 0
    for kind, value in items:
        if kind is _constants.LITERAL or (kind is _constants.IN and value != _DIGIT):
            end += 1
            looks = max(looks, end)
        elif kind is _constants.IN:
            end += 1
        elif kind is _constants.SUBPATTERN:
            end, inside = _measure(value[3], end)
            looks = max(looks, inside)
        elif kind is _constants.BRANCH:
            ways = [_measure(way, end) for way in value[1]]
            end = max(last for last, _ in ways)
            looks = max(looks, *(inside for _, inside in ways))
        elif kind is _constants.MAX_REPEAT and value[1] is not _constants.MAXREPEAT:
            most, repeated = value[1], value[2]
            for _ in range(most):
                end, inside = _measure(repeated, end)
                looks = max(looks, inside)
        elif kind in (_constants.ASSERT, _constants.ASSERT_NOT) and value[0] > 0:
            looks = max(looks, _measure(value[1], end)[1])
        elif kind is not _constants.AT or value not in (_constants.AT_END, _constants.AT_END_STRING):
            raise _NotForNumbers
    return end, looks
