"""What follows from a failure that the provider reports later: it counts as much as one in its answer."""

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    lease,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    send_all,
    status,
    tick,
)
from tests.support.errors import rule

pytestmark = pytest.mark.usefixtures("frozen_clock")


def send_some(db: Db, runner: UUID, channel: int, count: int) -> None:
    """Sends so many messages of one batch, which is then given back."""
    leased = must_lease(db, runner, channel)
    ordinals = advance(db, leased, want=count).ordinals
    advance(db, leased, accepted(*ordinals))
    db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)


def report(db: Db, status: str, *ordinals: int, code: str | None = None, campaign: str = "natal") -> None:
    """One call of the provider for these messages."""
    token = call(db, "select token from retoma_internal.campaign where name = %s", campaign)
    receipts = [{"message_id": f"{token}{n:08x}", "status": status, "code": code} for n in ordinals]
    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))


@pytest.mark.parametrize("error_class", ["channel_down", "auth"])
def test_the_first_refusal_of_the_account_disconnects_the_channel(
    db: Db, channel: int, runner: UUID, error_class: str
) -> None:
    rule(db, "restricted", error_class)
    make_campaign(db, size=30)
    send_some(db, runner, channel, 3)

    report(db, "failed", 1, code="restricted")

    assert books(db) == {"failed": 1, "sent": 2, "pending": 27}
    assert status(db) == "interrupted"
    assert db.execute("select state, reason from retoma.v_channel").fetchone() == (
        "disconnected",
        f"{error_class}: restricted",
    )
    assert lease(db, runner, channel) is None
    assert_counters_match_deliveries(db)


def test_a_replayed_or_late_refusal_does_not_disconnect_a_channel_that_is_connected_again(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "restricted", "channel_down")
    make_campaign(db, size=30)
    send_some(db, runner, channel, 3)
    report(db, "failed", 1, code="restricted")
    move_clock(db, "1 hour")
    db.execute("select retoma.channel_connected('sales')")

    report(db, "failed", 1, code="restricted")  # again
    report(db, "failed", 2, code="restricted")  # for the first time, of a message that was sent before

    assert books(db) == {"failed": 2, "sent": 1, "pending": 27}
    assert call(db, "select state from retoma.v_channel") == "connected"
    move_clock(db, "1 s")
    send_some(db, runner, channel, 1)
    report(db, "failed", 4, code="restricted")
    assert call(db, "select state from retoma.v_channel") == "disconnected"


def test_a_refusal_that_came_before_its_outcome_stops_the_channel_at_the_next_tick(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "restricted", "channel_down")
    make_campaign(db, size=30)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    report(db, "failed", 1, code="restricted")
    assert status(db) == "running"
    advance(db, leased, accepted(1))

    tick(db)

    assert status(db) == "interrupted"
    assert books(db) == {"failed": 1, "pending": 29}
    move_clock(db, "1 hour")
    tick(db)
    assert lease(db, runner, channel) is None


@pytest.mark.parametrize("order", [range(1, 11), range(10, 0, -1), [2, 4, 6, 8, 10, 1, 3, 5, 7, 9]])
def test_failures_of_messages_that_were_sent_in_a_row_pause_the_channel(
    db: Db, channel: int, runner: UUID, order: list[int]
) -> None:
    make_campaign(db, size=30)
    send_some(db, runner, channel, 12)

    for ordinal in order:
        assert status(db) == "running"
        report(db, "failed", ordinal, code="ack_error")

    assert books(db) == {"failed": 10, "sent": 2, "pending": 18}
    row = db.execute("select state, reason from retoma.v_channel").fetchone()
    assert row is not None
    assert row[0] == "paused"
    assert "ack_error" in row[1]


def test_failures_that_all_come_in_one_call_pause_the_channel(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=30)
    send_some(db, runner, channel, 12)

    report(db, "failed", *range(1, 13))

    assert status(db) == "interrupted"


def test_single_failures_among_many_messages_never_stop_a_channel_that_reports_nothing_else(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=200)
    send_all(db, runner, channel)
    make_campaign(db, "pascoa", size=1)

    report(db, "failed", *[n for n in range(1, 201) if n % 10])

    assert books(db) == {"failed": 180, "sent": 20}
    assert db.execute("select state from retoma.v_channel").fetchone() == ("connected",)


def test_after_a_resume_only_what_is_sent_from_then_on_counts(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=40)
    send_some(db, runner, channel, 15)
    report(db, "failed", *range(1, 11))
    db.execute("select retoma.resume_channel('sales')")
    move_clock(db, "1 s")

    report(db, "failed", *range(11, 16))
    send_some(db, runner, channel, 9)
    report(db, "failed", *range(16, 25))
    assert status(db) == "running"
    send_some(db, runner, channel, 1)
    report(db, "failed", 25)

    assert status(db) == "interrupted"


def test_contents_that_are_refused_by_receipt_interrupt_their_campaign_and_not_the_channel(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "dead_link", "permanent_message")
    make_campaign(db, size=40)
    make_campaign(db, "pascoa", size=1)
    send_some(db, runner, channel, 15)

    report(db, "failed", *range(1, 11), code="dead_link")

    assert books(db) == {"failed": 10, "sent": 5, "pending": 25}
    (row,) = db.execute("select campaign, cause, reason from retoma.v_interrupted_campaigns").fetchall()
    assert row[:2] == ("natal", "breaker")
    assert "dead_link" in row[2]
    assert call(db, "select state from retoma.v_channel") == "connected"
    assert send_all(db, runner, channel) == [1]
    move_clock(db, "1 s")
    db.execute("select retoma.resume_campaign('natal')")
    report(db, "failed", *range(11, 16), code="dead_link")
    move_clock(db, "1 s")
    send_some(db, runner, channel, 9)
    report(db, "failed", *range(16, 25), code="dead_link")
    assert status(db) == "running"
    send_some(db, runner, channel, 1)
    report(db, "failed", 25, code="dead_link")
    assert status(db) == "interrupted"
    assert_counters_match_deliveries(db)


def test_the_first_receipt_that_the_campaign_cannot_be_sent_interrupts_it(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "template_paused", "campaign_down")
    make_campaign(db, size=30)
    send_some(db, runner, channel, 3)

    report(db, "failed", 1, code="template_paused")

    assert books(db) == {"failed": 1, "sent": 2, "pending": 27}
    assert status(db) == "interrupted"
    assert call(db, "select state from retoma.v_channel") == "connected"
    move_clock(db, "1 s")
    db.execute("select retoma.resume_campaign('natal')")
    report(db, "failed", 2, code="template_paused")  # of a message that was sent before
    assert status(db) == "running"


@pytest.mark.parametrize("error_class", ["campaign_down", "permanent_message"])
def test_a_campaign_that_is_stopped_already_does_not_hide_another_one(
    db: Db, channel: int, runner: UUID, error_class: str
) -> None:
    rule(db, "template_paused", error_class)
    make_campaign(db, size=30)
    move_clock(db, "1 hour")
    send_some(db, runner, channel, 12)
    db.execute("select retoma.pause_campaign('natal')")
    move_clock(db, "-30 minutes")  # what it sent is newer than what the other one sends
    make_campaign(db, "pascoa", size=30)
    move_clock(db, "1 minute")
    send_some(db, runner, channel, 12)
    tokens = db.execute("select token from retoma_internal.campaign").fetchall()
    move_clock(db, "1 hour")

    receipts = [
        {"message_id": f"{token}{n:08x}", "status": "failed", "code": "template_paused"}
        for (token,) in tokens
        for n in range(1, 13)
    ]
    db.execute("select retoma.record_receipts('sales', %s)", [Jsonb(receipts)])

    interrupted = db.execute("select campaign, cause from retoma.v_interrupted_campaigns").fetchall()
    assert interrupted == [("pascoa", "breaker")]


def test_the_threshold_of_failed_receipts_is_a_row(db: Db, channel: int, runner: UUID) -> None:
    db.execute("update retoma.breaker set threshold = 3 where failure = 'failed_receipt'")
    make_campaign(db, size=30)
    send_some(db, runner, channel, 3)

    report(db, "failed", 1, 2, 3)

    assert status(db) == "interrupted"


def test_a_rule_that_suppresses_counts_for_receipts_too(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "opted_out", "permanent_recipient", suppress=True)
    make_campaign(db, size=2)
    send_all(db, runner, channel)

    report(db, "failed", 1, code="opted_out")

    make_campaign(db, "pascoa", size=2)
    assert send_all(db, runner, channel) == [2]


def test_two_channels_that_are_refused_at_once_both_stop(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "restricted", "channel_down")
    other = make_channel(db, "other")
    make_campaign(db, size=3)
    make_campaign(db, "pascoa", size=3, channels=["other"])
    leases = [must_lease(db, runner, c) for c in (channel, other)]
    for leased, (name, campaign) in zip(leases, (("sales", "natal"), ("other", "pascoa")), strict=True):
        advance(db, leased, want=1)
        token = call(db, "select token from retoma_internal.campaign where name = %s", campaign)
        receipt = {"message_id": f"{token}00000001", "status": "failed", "code": "restricted"}
        db.execute("select retoma.record_receipts(%s, %s)", (name, Jsonb([receipt])))
        advance(db, leased, accepted(1))

    for _ in range(2):
        tick(db)

    assert db.execute("select state from retoma.v_channel").fetchall() == [("disconnected",)] * 2


def test_a_refusal_that_may_mean_the_account_stops_the_channel_only_when_it_comes_in_a_row(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "refused", "recipient_or_account")
    make_campaign(db, size=30)
    send_some(db, runner, channel, 12)

    report(db, "failed", 1, 2, 4, 6, 8, 9, code="refused")
    report(db, "failed", 3, code="another")
    assert (status(db), books(db)) == ("running", {"failed": 7, "sent": 5, "pending": 18})

    report(db, "failed", 10, code="refused")
    assert status(db) == "interrupted"
    assert call(db, "select state from retoma.v_channel") == "paused"
