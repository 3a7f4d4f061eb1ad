"""Display of snapshots: a live picture on a terminal, lines elsewhere, JSON for programs."""

import dataclasses
import datetime
import json
import time
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from retoma.monitor.snapshot import Campaign, Channel, Pace, Snapshot

_COLOURS = {
    "running": "green",
    "completed": "bold green",
    "connected": "green",
    "interrupted": "bold red",
    "disconnected": "bold red",
    "paused": "yellow",
    "scheduled": "cyan",
}


class Display(Protocol):
    """Shows snapshots until it is left."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, snapshot: Snapshot) -> None:
        """The newest state of things."""

    def say(self, line: str, style: str = "") -> None:
        """Something that happened; style is one of rich, for terminals."""


class Picture:
    """A live picture under the lines that were said."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8)
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        bars = Table.grid(padding=(0, 2), expand=True)
        for takes_the_rest in (False, False, True, False, False):
            bars.add_column(ratio=1 if takes_the_rest else None, no_wrap=True)
        for campaign in snapshot.campaigns:
            pace = self._paces[campaign.name]
            pace.note(time.monotonic(), campaign.done)
            bars.add_row(*_bar(campaign, pace))
        notes = [Text(f"  {line}", style="yellow") for c in snapshot.campaigns for line in _remarks(c)]
        parts: list[RenderableType] = [bars, *notes, _channels(snapshot.channels), _runners(snapshot.runners)]
        self._live.update(Group(*parts))

    def say(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style=style))


class Lines:
    """A line for every campaign, channel and set of runners that changed since the last look.

    Args:
        write: takes one line.
        interval_s: seconds between two lines about one campaign; a change of status never waits.
    """

    def __init__(self, write: Callable[[str], None], interval_s: float = 0.0) -> None:
        self._write = write
        self._interval_s = interval_s
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._campaigns: dict[str, tuple[float, Campaign]] = {}
        self._states: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        for campaign in snapshot.campaigns:
            self._paces[campaign.name].note(now, campaign.done)
            if self._is_news(now, campaign):
                self._campaigns[campaign.name] = now, campaign
                self.say(_line(campaign, self._paces[campaign.name]))
        for channel in snapshot.channels:
            self._if_new(f"channel {channel.name}", _channel_words(channel))
        self._if_new("runners alive", ", ".join(snapshot.runners) or "none")

    def say(self, line: str, style: str = "") -> None:
        self._write(f"{datetime.datetime.now().astimezone():%H:%M:%S %Z}  {line}")

    def _is_news(self, now: float, campaign: Campaign) -> bool:
        at, before = self._campaigns.get(campaign.name, (0.0, None))
        if before is None or before.status != campaign.status:
            return True
        return campaign != before and now - at >= self._interval_s

    def _if_new(self, what: str, state: str) -> None:
        # How long a channel waits changes with every look; that it waits does not.
        kept = state.partition(", next in")[0]
        if self._states.get(what) != kept:
            self._states[what] = kept
            self.say(f"{what}: {state}")


class JsonLines:
    """One JSON document per line, whenever something changed."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._before: Snapshot | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        for campaign in snapshot.campaigns:
            self._paces[campaign.name].note(now, campaign.done)
        if snapshot == self._before:
            return
        self._before = snapshot
        document = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(),
            "campaigns": [
                {**dataclasses.asdict(c), "per_s": round(self._paces[c.name].per_s, 2)}
                for c in snapshot.campaigns
            ],
            "channels": [dataclasses.asdict(channel) for channel in snapshot.channels],
            "runners": snapshot.runners,
        }
        self._write(json.dumps(document, ensure_ascii=False, default=datetime.datetime.isoformat))

    def say(self, line: str, style: str = "") -> None:
        self._write(json.dumps({"message": line}, ensure_ascii=False))


def duration(seconds: float) -> str:
    """Seconds as people read them: 0:16, 1:02:03, 3 days."""
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.0f} days"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bar(campaign: Campaign, pace: Pace) -> tuple[RenderableType, ...]:
    return (
        Text(campaign.name, style="bold"),
        Text(campaign.status, style=_COLOURS.get(campaign.status, "")),
        ProgressBar(total=max(campaign.total, 1), completed=campaign.done),
        Text(f"{campaign.done:,}/{campaign.total:,}"),
        Text(_speed(campaign, pace), style="dim"),
    )


def _line(campaign: Campaign, pace: Pace) -> str:
    share = f" ({100 * campaign.done / campaign.total:.0f} %)" if campaign.total else ""
    facts = [
        f"{campaign.name}: {campaign.status}",
        f"{campaign.done:,} of {campaign.total:,}{share}",
        *filter(None, [_speed(campaign, pace)]),
        *_remarks(campaign),
    ]
    return ", ".join(facts)


def _speed(campaign: Campaign, pace: Pace) -> str:
    if campaign.status != "running" or not pace.per_s:
        return ""
    left = pace.seconds_for(campaign.pending + campaign.sending)
    speed = f"{pace.per_s:,.0f}/s" if pace.per_s >= 1 else f"{60 * pace.per_s:.1f}/min"
    return speed if left is None else f"{speed}, {duration(left)} left"


def _remarks(campaign: Campaign) -> list[str]:
    counts = {"failed": campaign.failed, "skipped": campaign.skipped, "in doubt": campaign.in_doubt,
              "cancelled": campaign.cancelled}  # fmt: skip
    remarks = [f"{count:,} {word}" for word, count in counts.items() if count]
    if campaign.reason:
        remarks.append(f"because: {campaign.reason}")
    if campaign.waits_until:
        remarks.append(f"until {_when(campaign.waits_until)}")
    return remarks


def _when(at: datetime.datetime) -> str:
    """A time as people read it, in the zone of this machine: Fri 2030-05-31 09:00 -03."""
    return f"{at.astimezone():%a %Y-%m-%d %H:%M %Z}"


def _channels(channels: tuple[Channel, ...]) -> Text:
    line = Text("  ")
    for number, channel in enumerate(channels):
        line.append(("; " if number else "channels: "), style="dim")
        line.append(f"{channel.name} ")
        line.append(_channel_words(channel), style=_COLOURS.get(channel.state, ""))
    return line


def _channel_words(channel: Channel) -> str:
    words = channel.state
    why = channel.held_because or channel.reason
    if why and why != channel.state:
        words += f" ({why})"
    # Less than a second is the rhythm of a fast channel, not a wait.
    if channel.state == "connected" and channel.next_send_in_s is not None and channel.next_send_in_s >= 1:
        words += f", next in {duration(channel.next_send_in_s)}"
    return words


def _runners(runners: tuple[str, ...]) -> Text:
    if not runners:
        return Text("  runners: none alive; start one: retoma runner", style="bold red")
    return Text(f"  runners: {', '.join(runners)}", style="dim")
