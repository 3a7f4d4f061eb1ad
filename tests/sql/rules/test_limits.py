"""Limits: at most so many messages per period, of channels and campaigns, decided at reservation."""

import datetime
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    Lease,
    Step,
    accepted,
    advance,
    call,
    doorbells,
    freeze_clock,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    release,
    send_all,
    set_clock,
    silence,
    tick,
)
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _time_passes_only_when_told(db: Db) -> None:
    freeze_clock(db)


def set_limit(
    db: Db, maximum: int | None, per: str = "day", *, scope: str = "channel", zone: str | None = None
) -> None:
    """A limit of the channel sales, or of the campaign natal."""
    name = {"channel": "sales", "campaign": "natal"}[scope]
    db.execute("select retoma.set_limit(%s, %s, %s, %s, %s)", (scope, name, maximum, per, zone))


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
    leased = must_lease(db, runner, channel)
    set_clock(db, "2026-03-02 22:30:00.5 UTC")
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


def test_all_limits_of_a_channel_and_a_campaign_hold_together(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=20)
    set_limit(db, 5, "hour")
    set_limit(db, 9, "day")
    set_limit(db, 7, "24 hours", scope="campaign")
    runner = make_runner(db)
    set_clock(db, "2026-03-02 12:00 UTC")
    assert len(send_all(db, runner, channel)) == 5

    set_clock(db, "2026-03-02 13:00 UTC")
    assert len(send_all(db, runner, channel)) == 2
    set_clock(db, "2026-03-03 14:00 UTC")

    assert len(send_all(db, runner, channel)) == 5


def test_a_limit_of_a_channel_is_one_for_all_of_its_campaigns(db: Db) -> None:
    channel = make_channel(db)
    set_limit(db, 3)
    make_campaign(db, "first", size=2)
    make_campaign(db, "second", size=2)

    assert len(send_all(db, make_runner(db), channel)) == 3


def test_invariant_7_a_limit_of_a_campaign_holds_over_all_of_its_channels(db: Db) -> None:
    sales, support = make_channel(db, "sales"), make_channel(db, "support")
    make_campaign(db, size=10, batch_size=2, channels=["sales", "support"])
    set_limit(db, 5, scope="campaign")
    runner = make_runner(db)
    set_clock(db, "2026-03-02 12:00 UTC")
    first = must_lease(db, runner, sales)
    sent = advance(db, first, want=2).ordinals
    advance(db, first, accepted(*sent))
    sent += send_all(db, runner, support)
    sent += send_all(db, runner, sales)
    assert len(sent) == 5
    silence(db)
    tick(db)
    assert doorbells(db) == []

    set_clock(db, "2026-03-03 00:01 UTC")
    tick(db)

    assert doorbells(db) == [sales, support]
    assert len(send_all(db, runner, support)) == 5


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


@contextmanager
def while_a_step_waits(
    database: str, db: Db, held: str, leased: Lease
) -> Iterator[tuple[psycopg.Connection, Future[Step]]]:
    """A step of the lease that waits for the locks of the statement `held`, in a transaction left open."""
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(database, autocommit=True) as session,
        psycopg.connect(database) as operator,
    ):
        operator.execute(held)
        step = pool.submit(advance, session, leased, want=9)
        pid = session.info.backend_pid
        wait_until(lambda: call(db, "select cardinality(pg_blocking_pids(%s)) > 0", pid))
        yield operator, step


@pytest.mark.parametrize("per", ["day", "24 hours"])
def test_a_step_that_waited_over_midnight_is_judged_by_the_time_when_it_goes_on(
    database: str, db: Db, channel: int, per: str
) -> None:
    set_limit(db, 5, per)
    make_campaign(db, size=50, batch_size=10)
    runner = make_runner(db)
    set_clock(db, "2026-03-02 23:59 UTC")
    leased = must_lease(db, runner, channel)
    held = f"select retoma.set_limit('channel', 'sales', 5, '{per}')"
    with while_a_step_waits(database, db, held, leased) as (operator, step):
        set_clock(db, "2026-03-03 08:00 UTC")
        operator.commit()
        assert len(step.result(60).ordinals) == 5
    advance(db, leased, accepted(1, 2, 3, 4, 5))

    set_clock(db, "2026-03-03 23:59 UTC")

    assert send_all(db, runner, channel) == []


def test_a_limit_that_is_replaced_while_a_step_waits_holds_for_it(
    database: str, db: Db, channel: int, runner: UUID
) -> None:
    set_limit(db, 2)
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    with while_a_step_waits(database, db, "select retoma.set_limit('channel', 'sales', null)", leased) as (
        operator,
        step,
    ):
        operator.execute("select retoma.set_limit('channel', 'sales', 2, '24 hours')")
        operator.commit()

        assert step.result(60).ordinals == []

    assert len(send_all(db, runner, channel)) == 2


def test_a_limit_that_is_set_while_a_step_waits_for_its_pacing_holds_for_it(database: str, db: Db) -> None:
    channel = make_channel(db, rate_per_s=1000)
    make_campaign(db, size=20)
    leased = must_lease(db, make_runner(db), channel)
    held = """select retoma.configure_channel('sales', p_pacing => '{"burst": 900}')"""
    with while_a_step_waits(database, db, held, leased) as (operator, step):
        set_limit(db, 2)
        operator.commit()

        assert len(step.result(60).ordinals) == 2


def test_a_new_zone_gives_no_second_allowance(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=20)
    set_limit(db, 5, zone="America/Sao_Paulo")
    assert len(send_all(db, runner, channel)) == 5

    set_limit(db, 6)
    assert call(db, "select time_zone from retoma.v_limit") == "America/Sao_Paulo"
    set_limit(db, 7, zone="Asia/Tokyo")

    assert len(send_all(db, runner, channel)) == 2


@pytest.mark.parametrize("scope", ["channel", "campaign"])
def test_a_limit_can_be_changed_and_taken_away(db: Db, scope: str) -> None:
    channel = make_channel(db)
    make_campaign(db, size=9)
    runner = make_runner(db)
    for maximum, sent in ((2, 2), (3, 1), (1, 0), (None, 6)):
        set_limit(db, maximum, scope=scope)
        assert len(send_all(db, runner, channel)) == sent


def test_a_raised_limit_rings_the_channel(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    set_limit(db, 1)
    assert send_all(db, runner, channel) == [1]
    silence(db)
    tick(db)
    assert doorbells(db) == []

    set_limit(db, 2)
    tick(db)

    assert doorbells(db) == [channel]


def test_what_is_no_limit_is_refused(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    cases: list[tuple[tuple[object, ...], str, str]] = [
        (("channel", "sales", 0), "RT003", "a limit cannot be 0 messages"),
        (("channel", "sales", -1), "RT003", "a limit cannot be -1 messages"),
        (("channel", "support", 1), "RT001", "there is no channel 'support'"),
        (("campaign", "natal", 1), "RT001", "there is no campaign 'natal'"),
        (("person", None, 1), "RT003", "a limit cannot be set for a 'person'"),
        ((None, "sales", 1), "RT003", "a limit cannot be set for a null"),
        (("channel", "sales", 1, "fortnight"), "RT003", "'fortnight' is not a period"),
        (("channel", "sales", 1, "0.5 s"), "RT003", "'0.5 s' is not a period"),
        (("channel", "sales", 1, "32 days"), "RT003", "'32 days' is not a period"),
        (("channel", "sales", 1, "-24 hours"), "RT003", "'-24 hours' is not a period"),
        (("channel", "sales", 1, "9999999999 years"), "RT003", "is not a period"),
        (("channel", "sales", 1, None), "RT003", "null is not a period"),
        (("channel", "sales", 1, "day", "Sao_Paolo"), "RT003", "Sao_Paolo"),
    ]
    for arguments, code, words in cases:
        marks = ", ".join(["%s"] * len(arguments))
        with subtests.test(arguments=arguments), refused(db, code, words):
            db.execute(f"select retoma.set_limit({marks})", arguments)
    assert call(db, "select count(*) from retoma.v_limit") == 0


def test_a_limit_with_sends_under_way_waits_for_them(db: Db, channel: int, runner: UUID) -> None:
    set_limit(db, 2)
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    assert advance(db, leased, want=1).action == "wait"
    step = advance(db, leased, accepted(1, 2), want=1)

    assert (step.action, step.why_not) == ("released", "limit_reached")


def test_v_limit_shows_what_is_used(db: Db, channel: int, runner: UUID) -> None:
    set_clock(db, "2026-03-02 12:00 UTC")
    make_campaign(db, size=5)
    set_limit(db, 3)
    set_limit(db, 8, "24 hours", scope="campaign", zone="America/Sao_Paulo")

    send_all(db, runner, channel)

    rows = db.execute(
        "select scope, subject, maximum, per, time_zone, used, remaining, exhausted_until from retoma.v_limit"
        " order by limit_id"
    ).fetchall()
    midnight = datetime.datetime(2026, 3, 3, tzinfo=datetime.UTC)
    assert rows == [
        ("channel", "sales", 3, "day", "UTC", 3, 0, midnight),
        ("campaign", "natal", 8, "24 hours", "America/Sao_Paulo", 3, 5, None),
    ]
    set_limit(db, 2)
    assert call(db, "select (used, remaining)::text from retoma.v_limit where scope = 'channel'") == "(3,0)"


def test_the_days_of_a_campaign_s_limit_begin_in_its_own_zone(db: Db, channel: int) -> None:
    make_campaign(db, start=False)
    db.execute("""select retoma.configure_campaign('natal', '{"time_zone": "America/Manaus"}')""")

    set_limit(db, 2, scope="campaign")

    assert call(db, "select time_zone from retoma.v_limit") == "America/Manaus"


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


def test_limits_are_exact_when_channels_and_campaigns_share_them(database: str, db: Db) -> None:
    """Rules whose ids are in another order than their scopes: two sessions must not wait for each other."""
    names = ["sales", "support"]
    channels = [make_channel(db, name, max_leases=8) for name in names]
    for campaign in ("first", "second"):
        make_campaign(db, campaign, size=400, batch_size=20, channels=names)
    for scope, name, maximum in (
        ("campaign", "first", 130), ("channel", "sales", 100), ("campaign", "second", 90),
        ("channel", "support", 140),
    ):  # fmt: skip
        db.execute("select retoma.set_limit(%s, %s, %s)", (scope, name, maximum))

    def send(number: int) -> None:
        with psycopg.connect(database, autocommit=True) as session:
            runner = make_runner(session, f"r{number}")
            while (leased := lease(session, runner, channels[number % 2])) is not None:
                outcomes = accepted()
                while (step := advance(session, leased, outcomes, want=3)).action == "send":
                    outcomes = accepted(*step.ordinals)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))

    rows = db.execute("select subject, used, maximum from retoma.v_limit order by subject").fetchall()
    used = {subject: count for subject, count, _ in rows}
    assert all(count <= maximum for _, count, maximum in rows)
    assert used["first"] + used["second"] == used["sales"] + used["support"] == 220
    assert used == {"first": 130, "second": 90, "sales": used["sales"], "support": 220 - used["sales"]}
