"""Limits: at most so many messages per period, of channels and campaigns, decided at reservation."""

import datetime
from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    doorbells,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    refused,
    send_all,
    set_clock,
    set_limit,
    silence,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


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
