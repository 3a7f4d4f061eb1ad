"""Option values that are more than one word: gaps, settings, windows, times."""

import datetime
import json
import re
from decimal import Decimal
from typing import NamedTuple

import click

_GAP = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
_WINDOW = re.compile(r"(\d{1,2}:\d{2})-(\d{1,2}:\d{2})(?:/([1-7](?:[-,][1-7])*))?")


class Gap(NamedTuple):
    """A random pause, in seconds."""

    shortest: Decimal
    longest: Decimal


class Window(NamedTuple):
    """When to send, in the recipient's own time: from opens until before closes, on ISO days (1 is Monday)."""

    opens: datetime.time
    closes: datetime.time
    days: list[int]


class GapType(click.ParamType):
    """Seconds: "5-15" or "10"."""

    name = "MIN-MAX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Gap:
        if isinstance(value, Gap):
            return value
        found = _GAP.fullmatch(str(value))
        if not found:
            self.fail(f"“{value}” is not a pause. Give seconds: 5-15 for a random one, 10 for a fixed one.")
        gap = Gap(Decimal(found[1]), Decimal(found[2] or found[1]))
        if gap.shortest > gap.longest:
            self.fail(f"“{value}”: the first number is the shorter pause.")
        return gap


class SettingType(click.ParamType):
    """KEY=VALUE; true, false and numbers are what they look like, all else is text."""

    name = "KEY=VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, object]:
        if isinstance(value, tuple):
            return value
        key, separator, text = str(value).partition("=")
        if not (key and separator):
            # The value is not repeated: it may be a secret without its key.
            self.fail("A setting is KEY=VALUE, for example session=default.")
        return key, _scalar(text)


class WindowType(click.ParamType):
    """OPENS-CLOSES[/DAYS]: "09:00-18:00/1-5"."""

    name = "OPENS-CLOSES[/DAYS]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Window:
        if isinstance(value, Window):
            return value
        found = _WINDOW.fullmatch(str(value))
        try:
            if not found:
                raise ValueError
            return Window(_time(found[1]), _time(found[2]), _days(found[3] or "1-7"))
        except ValueError:
            self.fail(
                f"“{value}” is not a window. Write 09:00-18:00, with days 09:00-18:00/1-5 (1 is Monday)."
            )


class InstantType(click.ParamType):
    """A moment in ISO 8601; without an offset in the zone of this machine."""

    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime.datetime:
        if isinstance(value, datetime.datetime):
            return value
        try:
            # The zone of this machine is what a person who types no offset means.
            return datetime.datetime.fromisoformat(str(value)).astimezone()
        except ValueError:
            self.fail(f"“{value}” is not a time. Write 2030-05-31T09:00 or 2030-05-31T09:00-03:00.")


def _scalar(text: str) -> object:
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value


def _refuse_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _time(text: str) -> datetime.time:
    hour, minute = map(int, text.split(":"))
    return datetime.time(hour, minute)


def _days(text: str) -> list[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        days.update(range(int(first), int(last or first) + 1))
    if not days:
        raise ValueError
    return sorted(days)
