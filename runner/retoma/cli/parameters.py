"""Option values that are more than one word: gaps, limits, settings, windows, times.

Each function is the `type` of an option, and click puts the option's name before its message.
"""

import datetime
import json
import re
from collections.abc import Callable
from typing import NamedTuple

import click

NONE = "none"
"""What stands for the null of a patch: it takes a value away."""

Patch = dict[str, object]

_GAP = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
_LIMIT = re.compile(r"([1-9]\d{0,8})/(.*\S)")
_WINDOW = re.compile(r"(\d{1,2}:\d{2})-(\d{1,2}:\d{2})(?:/([1-7](?:[-,][1-7])*))?")


class Window(NamedTuple):
    """When to send, in the recipient's own time: until before closes, on ISO days (1 is Monday)."""

    opens: str
    closes: str
    days: list[int]


class Limit(NamedTuple):
    """At most so many messages per period; the database knows the periods."""

    maximum: int
    per: str


def gap(key: str) -> Callable[[str], Patch]:
    """The type of a random pause: "5-15", "10" or "none", in seconds.

    Args:
        key: what the pause is called in the patch, before _min_s and _max_s.
    """

    def seconds(text: str) -> Patch:
        found = _GAP.fullmatch(text)
        if text != NONE and not found:
            raise click.BadParameter(
                f"“{text}” is not a pause. Give seconds: 5-15 for a random one, 10 for a fixed one; or none."
            )
        shortest, longest = (_scalar(found[1]), _scalar(found[2] or found[1])) if found else (None, None)
        return {f"{key}_min_s": shortest, f"{key}_max_s": longest}

    return seconds


def number(key: str) -> Callable[[str], Patch]:
    """The type of a number or "none"; what is too small or too large, the database decides.

    Args:
        key: what it is called in the patch.
    """

    def read(text: str) -> Patch:
        value = None if text == NONE else _scalar(text)
        if text != NONE and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise click.BadParameter(f"“{text}” is not a number. Give a number, or none to take it away.")
        return {key: value}

    return read


def limit(text: str) -> Limit:
    """MESSAGES/PERIOD: "1000/day", "250/24 hours"."""
    found = _LIMIT.fullmatch(text)
    if not found:
        raise click.BadParameter(f"“{text}” is not a limit. Write 1000/day, or 250/24 hours.")
    return Limit(int(found[1]), found[2])


def setting(text: str) -> tuple[str, object]:
    """KEY=VALUE; true, false, null and numbers keep their types, all else is text."""
    key, separator, value = text.partition("=")
    if not (key and separator):
        # It is not repeated: it may be a secret without its key.
        raise click.BadParameter("A setting is KEY=VALUE, for example session=default.")
    return key, _scalar(value)


def window(text: str) -> Window:
    """OPENS-CLOSES[/DAYS]: "09:00-18:00/1-5", "22:00-06:00"."""
    found = _WINDOW.fullmatch(text)
    try:
        if found:
            return Window(_time(found[1]), _time(found[2]), _days(found[3] or "1-7"))
    except ValueError:
        pass
    raise click.BadParameter(
        f"“{text}” is not a window. Write 09:00-18:00, with days 09:00-18:00/1-5 (1 is Monday)."
    )


def region(text: str) -> str:
    """A country by its ISO 3166 code: "BR"."""
    import phonenumbers  # noqa: PLC0415

    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise click.BadParameter(f"“{text}” is not a country. Give its ISO 3166 code, as in BR, PT or US.")
    return text.upper()


def instant(text: str) -> datetime.datetime:
    """A moment in ISO 8601; without an offset it has no zone yet."""
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"“{text}” is not a time. Write 2030-05-31T09:00 or 2030-05-31T09:00-03:00."
        ) from None


def _scalar(text: str) -> object:
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value


def _refuse_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _time(text: str) -> str:
    # As text: 24:00 is a time of the database, and not of Python.
    hour, minute = map(int, text.split(":"))
    if (hour, minute) != (24, 0):
        datetime.time(hour, minute)
    return text


def _days(text: str) -> list[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        days.update(range(int(first), int(last or first) + 1))
    if not days:
        raise ValueError
    return sorted(days)
