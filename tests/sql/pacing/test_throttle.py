"""After rate limits of the provider a channel is slower for a while: it is shown, and can be ended."""

from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    error,
    freeze_clock,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
)


@pytest.fixture(autouse=True)
def _time_passes_only_when_told(db: Db) -> None:
    freeze_clock(db)
    db.execute("set timezone = 'UTC'")


def limited(db: Db, runner: UUID, times: int = 1, **pacing: Any) -> int:
    """A channel whose provider has said "too fast" that often, for 10 s each; the last hold is over."""
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"}, **pacing)
    make_campaign(db, size=100)
    for _ in range(times):
        leased = must_lease(db, runner, channel)
        (ordinal,) = advance(db, leased, want=1).ordinals
        advance(db, leased, [error(ordinal, "http_429", retry_after_s=10)], want=1)
        move_clock(db, "10 s")
    return channel


def shown(db: Db) -> dict[str, object]:
    query = "select held_because, throttle, throttled_until::text as until from retoma.v_channel"
    row = db.cursor(row_factory=dict_row).execute(query).fetchone()
    assert row is not None
    return row


def test_a_channel_that_is_slower_says_why_and_until_when(db: Db, runner: UUID) -> None:
    limited(db, runner, rate_per_s=100)

    assert shown(db) == {
        "held_because": "slower after a rate limit of the provider (http_429)",
        # A half, and of that a quarter in each minute: here a sixth of a minute.
        "throttle": pytest.approx(0.5 * (1 + 10 / 240)),
        "until": "2026-03-02 12:04:00+00",
    }

    move_clock(db, "4 minutes")
    assert shown(db) == {"held_because": None, "throttle": 1, "until": None}


def test_an_operator_ends_it(db: Db, runner: UUID) -> None:
    channel = limited(db, runner, times=3, rate_per_s=10, burst=10, max_in_flight=10)
    assert float(str(shown(db)["throttle"])) < 0.3

    db.execute("select retoma.resume_channel('sales')")

    assert shown(db) == {"held_because": None, "throttle": 1, "until": None}
    move_clock(db, "1 s")
    retried = must_lease(db, runner, channel)
    first = advance(db, retried, want=100).ordinals
    advance(db, retried, accepted(*first))
    assert len(first + advance(db, must_lease(db, runner, channel), want=100).ordinals) == 10


def test_an_operator_ends_the_long_gap_too(db: Db, runner: UUID) -> None:
    channel = limited(db, runner, times=4, rate_per_s=100)
    gaps = Jsonb({"gap_min_s": 20, "gap_max_s": 20, "max_in_flight": 1, "max_leases": 1})
    db.execute("select retoma.configure_channel('sales', p_pacing => %s)", (gaps,))
    leased = must_lease(db, runner, channel)
    (ordinal,) = advance(db, leased, want=1).ordinals
    advance(db, leased, [error(ordinal, "http_400")], want=1)
    gap = "select extract(epoch from next_send_at - retoma.clock())::int from retoma.v_channel"
    assert call(db, gap) > 60

    db.execute("select retoma.resume_channel('sales')")

    assert call(db, gap) == 20


def test_the_next_rate_limit_counts_as_the_first(db: Db, runner: UUID) -> None:
    channel = limited(db, runner, times=3, rate_per_s=100)
    db.execute("select retoma.resume_channel('sales')")
    move_clock(db, "1 s")
    leased = must_lease(db, runner, channel)
    (ordinal,) = advance(db, leased, want=1).ordinals
    advance(db, leased, [error(ordinal, "http_429")], want=1)

    row = "select extract(epoch from next_send_at - retoma.clock())::int, throttle from retoma.v_channel"
    assert db.execute(row).fetchone() == (4, 0.5)
