"""Campaigns, channels and runners in the database at one moment, and their rate of change."""

import datetime
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

OVER = ("completed", "cancelled")
UNDER_WAY = ("scheduled", "running", "paused", "interrupted")

RATE_WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """A row of v_campaign_summary; reason: why nothing is sent; waits_until: until when, if that is known."""

    name: str
    status: str
    reason: str | None
    waits_until: datetime.datetime | None
    total: int
    pending: int
    sending: int
    sent: int
    failed: int
    skipped: int
    in_doubt: int
    cancelled: int

    @property
    def done(self) -> int:
        """Messages that need no runner any more."""
        return self.total - self.pending - self.sending

    @property
    def is_over(self) -> bool:
        return self.status in OVER


@dataclass(frozen=True, slots=True)
class Channel:
    """A row of v_channel; next_send_in_s is None when it may send now."""

    name: str
    state: str
    reason: str | None
    held_because: str | None
    next_send_in_s: float | None
    leases: int


class Snapshot(NamedTuple):
    """One look at the database; runners are the names of those that live."""

    campaigns: tuple[Campaign, ...]
    channels: tuple[Channel, ...]
    runners: tuple[str, ...]


def take(connection: psycopg.Connection[Any], names: Sequence[str]) -> Snapshot:
    """Look at campaigns, the channels that they use, and the live runners.

    Args:
        names: campaigns, in the order of the reply; one that does not exist is missing in it.
    """
    with connection.cursor(row_factory=class_row(Campaign)) as campaigns:
        campaigns.execute(
            """
            select
              s.campaign as name, s.status, s.reason, s.waits_until, s.total, s.pending, s.sending, s.sent,
              s.failed, s.skipped, s.in_doubt, s.cancelled
            from retoma.v_campaign_summary as s
            where s.campaign = any(%(names)s)
            order by array_position(%(names)s, s.campaign)
            """,
            {"names": list(names)},
        )
        found = tuple(campaigns)
    with connection.cursor(row_factory=class_row(Channel)) as channels:
        channels.execute(
            """
            select v.channel as name, v.state, v.reason, v.held_because, v.leases,
              case when v.next_send_at > retoma.clock()
                then extract(epoch from v.next_send_at - retoma.clock())::float end as next_send_in_s
            from retoma.v_channel as v
            where v.channel = any(
              select unnest(s.channels) from retoma.v_campaign_summary as s
              where s.campaign = any(%s)
            )
            order by v.channel
            """,
            [list(names)],
        )
        used = tuple(channels)
    with connection.cursor(row_factory=class_row(_Named)) as cursor:
        cursor.execute(
            "select runner as name from retoma.v_runner where state = 'alive' order by registered_at"
        )
        runners = tuple(row.name for row in cursor)
    return Snapshot(found, used, runners)


def under_way(connection: psycopg.Connection[Any]) -> list[str]:
    """Names of the campaigns that are scheduled, running, paused or interrupted."""
    with connection.cursor(row_factory=class_row(_Named)) as cursor:
        cursor.execute(
            "select campaign as name from retoma.v_campaign_summary where status = any(%s)"
            " order by created_at, campaign",
            [list(UNDER_WAY)],
        )
        return [row.name for row in cursor]


class Pace:
    """Messages done per second, over the last RATE_WINDOW_S seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def note(self, at_s: float, done: int) -> None:
        """Add a point: seconds of any steady clock, and messages done until then."""
        self._points.append((at_s, done))
        while at_s - self._points[0][0] > RATE_WINDOW_S:
            self._points.popleft()

    @property
    def per_s(self) -> float:
        (first_at, first), (last_at, last) = self._points[0], self._points[-1]
        return max(last - first, 0) / (last_at - first_at) if last_at > first_at else 0.0

    def seconds_for(self, messages: int) -> float | None:
        """How long this many messages take at this pace; None when nothing moves."""
        return messages / self.per_s if self.per_s else None


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
