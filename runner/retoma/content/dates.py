"""The filter `date`, without the clock and the time zone of the machine that renders.

A message is the same in every attempt, whichever runner makes it and whenever. What of a date Liquid would
fill in from today, such as the year of `31/12`, is an error where it would be written.

A date in digits is read one way for all recipients: year, month, day when the year comes first, otherwise
day, month, year. Liquid's own reads 03/04/2024 as March and 13/04/2024 as April.
"""

import datetime
import re
from functools import lru_cache

from dateutil import parser
from liquid import Environment
from liquid.builtin.filters.misc import date as liquid_date
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter, with_environment

from retoma.names import CLOCKS

# Unlike in year, month, day and day of the week; both years have a 29 February.
_DEFAULTS = datetime.datetime(2000, 1, 1), datetime.datetime(2004, 2, 2)


class _Words(parser.parserinfo):
    def convertyear(self, year: int, century_specified: bool = False) -> int:
        """Of two digits, as POSIX has it: dateutil's own answer depends on the year in which it is asked."""
        if century_specified or year >= 100:
            return year
        return year + (2000 if year < 69 else 1900)


_words = _Words()  # type: ignore[no-untyped-call]

_YEAR_FIRST = re.compile(r"(?<!\d)\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)")
_DAY_FIRST = re.compile(
    r"(?<![\d:/.-])\d{1,2}(?:([-/])(\d{1,2})(?:\1(?:\d{4}|\d{2}))?|\.(\d{1,2})\.(?:\d{4}|\d{2}))(?![\d:/])"
)
_COMPACT = re.compile(r"(?:19|20)\d{6}", re.ASCII)
_SECONDS = re.compile(r"\d{9,10}", re.ASCII)


class NoSuchDate(FilterArgumentError):
    """Digits that are no date in the one order in which they are read."""


@with_environment
@liquid_filter
def date(value: object, fmt: str, *, environment: Environment) -> str:
    """Write a date.

    Args:
        value: a date in words or digits, or seconds since 1970 (UTC, 9 or 10 digits). Any other text stays.
        fmt: as of strftime.
        environment: of Liquid.

    Raises:
        FilterArgumentError: it depends on the day on which it is asked, or is no text and no number.
        NoSuchDate: 04/13/2024, 31/02/2024, 45356.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or _SECONDS.fullmatch(value):
        return str(liquid_date(value, fmt, environment=environment))
    if value in CLOCKS:
        raise FilterArgumentError("it would be the clock of a runner", token=None)
    found = _parsed(value)
    if found is None:
        return value
    first, second = (str(liquid_date(one, fmt, environment=environment)) for one in found)
    if first != second:
        raise FilterArgumentError("a part of the date is missing", token=None)
    return first


@lru_cache(maxsize=256)
def _parsed(words: str) -> tuple[datetime.datetime, datetime.datetime] | None:
    """A date, with what is missing filled in, in two ways; None if it is none."""
    numbers = _DAY_FIRST.search(words)
    year_first = _YEAR_FIRST.search(words) or _COMPACT.fullmatch(words)
    if (words.isdecimal() and not year_first) or (numbers and int(numbers[2] or numbers[3]) > 12):
        raise _no_such_date()
    first, second = (_parsed_as(words, default, day_first=bool(numbers)) for default in _DEFAULTS)
    if first is None or second is None:
        if numbers or year_first:
            raise _no_such_date()
        return None
    if not (numbers or year_first) and first != _parsed_as(words, _DEFAULTS[0], day_first=True):
        # As 3 4 2024: an order that nothing shows.
        raise _no_such_date()
    return first, second


def _parsed_as(words: str, default: datetime.datetime, *, day_first: bool) -> datetime.datetime | None:
    try:
        found: datetime.datetime = parser.parse(words, parserinfo=_words, default=default, dayfirst=day_first)
    except parser.ParserError:
        return None
    return found


def _no_such_date() -> NoSuchDate:
    return NoSuchDate("digits that are no date", token=None)
