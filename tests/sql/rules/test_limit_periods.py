"""Periods of limits: hours, days, weeks and months of a zone, and any so many hours."""

import datetime
import random
from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    doorbells,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    release,
    send_all,
    set_clock,
    set_limit,
    silence,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.mark.parametrize(("zone", "midnight"), [(None, "00:00+00"), ("America/Sao_Paulo", "03:00+00")])
def test_a_daily_limit_ends_at_midnight_of_its_zone(db: Db, zone: str | None, midnight: str) -> None:
    channel = make_channel(db)
    set_limit(db, 2, zone=zone)
    make_campaign(db, size=5)
    runner = make_runner(db)
    set_clock(db, "2026-03-02 22:00 UTC")
    assert send_all(db, runner, channel) == [1, 2]
    assert call(db, "select held_because from retoma.v_channel") == "limit of 2 messages per day used up"

    set_clock(db, f"2026-03-03 {midnight}")
    move_clock(db, "-1 minute")
    assert lease(db, runner, channel) is None
    move_clock(db, "2 minutes")
    silence(db)
    tick(db)

    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == [3, 4]


@pytest.mark.parametrize(
    ("per", "last_moment", "first_moment"),
    [
        ("hour", "2026-03-02 22:59:59", "2026-03-02 23:00"),
        ("day", "2026-03-02 23:59:59", "2026-03-03 00:00"),
        ("week", "2026-03-08 23:59:59", "2026-03-09 00:00"),
        ("month", "2026-03-31 23:59:59", "2026-04-01 00:00"),
        ("24 hours", "2026-03-03 22:30:00", "2026-03-03 22:45:01"),
        ("90 minutes", "2026-03-03 00:00:00", "2026-03-03 00:00:57"),
        ("100 seconds", "2026-03-02 22:31:40", "2026-03-02 22:31:42"),
    ],
)
def test_a_period_ends(db: Db, per: str, last_moment: str, first_moment: str) -> None:
    channel = make_channel(db)
    set_limit(db, 1, per)
    make_campaign(db, size=2)
    runner = make_runner(db)
    set_clock(db, "2026-03-02 22:30:00 UTC")
    assert send_all(db, runner, channel) == [1]

    set_clock(db, f"{last_moment} UTC")
    assert send_all(db, runner, channel) == []
    set_clock(db, f"{first_moment} UTC")

    assert send_all(db, runner, channel) == [2]


def test_a_day_with_25_hours_has_one_allowance(db: Db) -> None:
    channel = make_channel(db)
    set_limit(db, 1, zone="Europe/Lisbon")
    make_campaign(db, size=2)
    runner = make_runner(db)
    set_clock(db, "2026-10-24 23:30 UTC")  # 00:30 in Lisbon; the clocks go back at 01:00 UTC
    assert send_all(db, runner, channel) == [1]

    set_clock(db, "2026-10-25 23:59 UTC")
    assert send_all(db, runner, channel) == []
    set_clock(db, "2026-10-26 00:00 UTC")

    assert send_all(db, runner, channel) == [2]


def test_a_rolling_limit_holds_in_every_period_and_comes_back(db: Db) -> None:
    dice = random.Random(7)
    channel = make_channel(db)
    set_limit(db, 10, "24 hours")
    make_campaign(db, size=200, batch_size=20)
    runner = make_runner(db)
    at = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    sent: list[datetime.datetime] = []
    for _ in range(60):
        at += datetime.timedelta(minutes=dice.choice([1, 7, 40, 300, 900]))
        set_clock(db, at.isoformat())
        due = len([one for one in sent if one > at - datetime.timedelta(hours=24, minutes=15)])
        got = 0
        if (leased := lease(db, runner, channel)) is not None:
            ordinals = advance(db, leased, want=dice.choice([1, 4, 20])).ordinals
            if advance(db, leased, accepted(*ordinals)).action == "wait":
                release(db, leased)
            got = len(ordinals)
        assert got > 0 or due == 10, "nothing was allowed although the period had room"
        sent += [at] * got
        assert len([one for one in sent if one > at - datetime.timedelta(hours=24)]) <= 10


def test_a_slot_of_an_odd_length_is_not_forgotten_early(db: Db, channel: int, runner: UUID) -> None:
    """100 seconds / 96 is rounded up to a microsecond: 96 such slots are more than the period."""
    set_limit(db, 5, "100 seconds")
    make_campaign(db, size=20)
    set_clock(db, "2026-03-02 22:30:00.5 UTC")
    leased = must_lease(db, runner, channel)
    assert len(advance(db, leased, want=4).ordinals) == 4

    move_clock(db, "99 seconds")

    assert len(advance(db, leased, want=9).ordinals) == 1


def test_an_hour_that_the_wall_repeats_has_its_own_allowance(db: Db, channel: int, runner: UUID) -> None:
    set_limit(db, 1, "hour", zone="Europe/Lisbon")
    make_campaign(db, size=2)
    set_clock(db, "2026-10-25 00:10 UTC")  # 01:10 in Lisbon, for the first time
    assert send_all(db, runner, channel) == [1]

    set_clock(db, "2026-10-25 01:00 UTC")

    assert send_all(db, runner, channel) == [2]


def test_a_clock_that_goes_back_over_midnight_finds_the_use_of_its_day(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    set_limit(db, 2)
    set_clock(db, "2026-03-02 23:59:59 UTC")
    leased = must_lease(db, runner, channel)
    assert advance(db, leased, want=1).ordinals == [1]
    set_clock(db, "2026-03-03 00:00:01 UTC")
    assert advance(db, leased, want=2).ordinals == [2, 3]

    set_clock(db, "2026-03-02 23:59:59 UTC")

    assert advance(db, leased, want=9).ordinals == [4]


def test_a_rolling_limit_counts_what_lies_in_the_future_of_a_clock_that_went_back(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    set_limit(db, 2, "24 hours")
    set_clock(db, "2026-03-03 00:00:01 UTC")
    leased = must_lease(db, runner, channel)
    assert advance(db, leased, want=2).ordinals == [1, 2]

    set_clock(db, "2026-03-02 23:59:59 UTC")

    assert advance(db, leased, want=1).ordinals == []


def test_a_new_zone_gives_no_second_allowance(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=20)
    set_limit(db, 5, zone="America/Sao_Paulo")
    assert len(send_all(db, runner, channel)) == 5

    set_limit(db, 6)
    assert call(db, "select time_zone from retoma.v_limit") == "America/Sao_Paulo"
    set_limit(db, 7, zone="Asia/Tokyo")

    assert len(send_all(db, runner, channel)) == 2


def test_cleanup_keeps_what_counts(db: Db, channel: int, runner: UUID) -> None:
    set_clock(db, "2026-03-02 12:00 UTC")
    make_campaign(db, size=9)
    set_limit(db, 5, "month")
    set_limit(db, 100, "24 hours", scope="campaign")
    assert len(send_all(db, runner, channel)) == 5
    set_clock(db, "2026-03-30 12:00 UTC")

    db.execute("select retoma.cleanup()")

    assert call(db, "select array_agg(used) from retoma.v_limit where scope = 'channel'") == [5]
    assert call(db, "select count(*) from retoma_internal.limit_use") == 1


def test_the_days_of_a_campaign_s_limit_begin_in_its_own_zone(db: Db, channel: int) -> None:
    make_campaign(db, start=False)
    db.execute("""select retoma.configure_campaign('natal', '{"time_zone": "America/Manaus"}')""")

    set_limit(db, 2, scope="campaign")

    assert call(db, "select time_zone from retoma.v_limit") == "America/Manaus"
