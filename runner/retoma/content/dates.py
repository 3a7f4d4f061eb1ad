"""The filter `date`, without the clock and the time zone of the machine that renders.

A message is the same in every attempt, whichever runner makes it and whenever. What of a date Liquid would
fill in from today, such as the year of `31/12`, is an error where it would be written.
"""

import datetime
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


@with_environment
@liquid_filter
def date(value: object, fmt: str, *, environment: Environment) -> str:
    """Write a date.

    Args:
        value: a date in words, or seconds since 1970 (UTC). Any other text stays as it is.
        fmt: as of strftime.
        environment: of Liquid.

    Raises:
        FilterArgumentError: it depends on the day on which it is asked, or is no text and no number.
    """
    if not isinstance(value, str) or value.isdigit():
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
    first, second = _DEFAULTS
    try:
        return (
            parser.parse(words, parserinfo=_words, default=first),
            parser.parse(words, parserinfo=_words, default=second),
        )
    except parser.ParserError:
        return None
