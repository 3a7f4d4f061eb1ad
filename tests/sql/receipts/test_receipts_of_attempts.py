"""record_receipts: which of several attempts a report is about, and what it says of the others."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    Lease,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    freeze_clock,
    lease,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    send_all,
    tick,
)
from tests.support.receipts import in_doubt, report, totals, waiting


def _first_attempt_failed_for_now(db: Db, runner: UUID, channel: int) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "connect_failed", written=False)])
    move_clock(db, "2 minutes")


def _second_attempt(db: Db, runner: UUID, channel: int) -> Lease:
    _first_attempt_failed_for_now(db, runner, channel)
    leased = must_lease(db, runner, channel)
    assert advance(db, leased, want=1).ordinals == [1]
    return leased


def test_a_receipt_settles_the_latest_attempt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "http_400")])
    db.execute("select retoma.retry_failed('natal')")
    send_all(db, runner, channel)

    report(db, "delivered")

    assert call(db, "select array_agg(receipt order by attempt) from retoma_internal.delivery") == [
        None,
        "delivered",
    ]
    assert_counters_match_deliveries(db)


def test_invariant_4_a_receipt_before_the_repeat_makes_the_repeat_needless(db: Db, runner: UUID) -> None:
    safe = make_channel(db, "sales", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    in_doubt(db, runner, safe)
    assert books(db) == {"pending": 1}
    report(db, "server")
    move_clock(db, "1 minute")

    assert send_all(db, runner, safe) == []

    assert books(db) == {"sent": 1}
    assert_counters_match_deliveries(db)


def test_a_message_that_was_tried_again_is_delivered_once(db: Db, runner: UUID) -> None:
    settings = {"url": "http://127.0.0.1", "idempotent": True}
    channel = make_channel(db, transport="webhook", settings=settings)
    in_doubt(db, runner, channel)
    assert report(db, "delivered") == 1
    move_clock(db, "1 hour")
    assert send_all(db, runner, channel) == []
    assert books(db) == {"sent": 1}

    for status in ("delivered", "read"):
        assert report(db, status) == 1

    assert totals(db) == (1, 1)
    assert db.execute("select state, receipt from retoma.v_message").fetchall() == [("sent", "read")]
    assert_counters_match_deliveries(db)


def test_a_delivery_that_is_reported_while_a_further_attempt_is_under_way_settles_it(
    db: Db, channel: int, runner: UUID
) -> None:
    retry_is_under_way = _second_attempt(db, runner, channel)

    assert report(db, "delivered") == 0
    advance(db, retry_is_under_way, [error(1, "http_500", written=True)])
    tick(db)

    assert books(db) == {"sent": 1}
    assert totals(db) == (1, 0)
    assert waiting(db) == 0
    assert_counters_match_deliveries(db)


def test_a_delivery_that_is_reported_between_two_attempts_settles_the_later_one(
    db: Db, channel: int, runner: UUID
) -> None:
    _first_attempt_failed_for_now(db, runner, channel)
    report(db, "delivered")

    assert send_all(db, runner, channel) == []

    assert books(db) == {"sent": 1}
    assert_counters_match_deliveries(db)


def test_a_failure_that_is_reported_while_a_further_attempt_is_under_way_is_its_failure(
    db: Db, channel: int, runner: UUID
) -> None:
    retry_is_under_way = _second_attempt(db, runner, channel)

    assert report(db, "failed", code="131026") == 0
    advance(db, retry_is_under_way, accepted(1))
    assert books(db) == {"sent": 1}
    tick(db)

    assert books(db) == {"failed": 1}
    assert call(db, "select code from retoma.v_message") == "131026"
    assert_counters_match_deliveries(db)


def test_a_failure_of_an_attempt_that_is_over_says_nothing_of_the_next_one(
    db: Db, channel: int, runner: UUID
) -> None:
    _first_attempt_failed_for_now(db, runner, channel)
    assert report(db, "failed") == 1

    assert send_all(db, runner, channel) == [1]
    tick(db)

    assert books(db) == {"sent": 1}


def test_a_delivery_after_a_failure_and_a_further_attempt_is_that_of_the_further_one(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    report(db, "failed")
    db.execute("select retoma.retry_failed('natal')")
    send_all(db, runner, channel)

    report(db, "delivered")

    receipts = "select array_agg(receipt order by attempt) from retoma_internal.delivery"
    assert call(db, receipts) == ["failed", "delivered"]
    assert totals(db) == (1, 0)
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize("moment", ["during", "after"])
def test_a_late_failure_of_an_earlier_attempt_says_nothing_of_a_further_one(
    db: Db, channel: int, runner: UUID, moment: str
) -> None:
    freeze_clock(db)
    retry_is_under_way = _second_attempt(db, runner, channel)
    before_the_first_was_over = "2026-03-02T11:59:59Z"

    if moment == "during":
        report(db, "failed", at=before_the_first_was_over)
    advance(db, retry_is_under_way, accepted(1))
    if moment == "after":
        report(db, "failed", at=before_the_first_was_over)
    tick(db)

    assert books(db) == {"sent": 1}
    assert waiting(db) == 0


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_failure_that_is_repeated_says_nothing_of_a_further_attempt(
    db: Db, channel: int, runner: UUID, moment: str
) -> None:
    freeze_clock(db)
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    move_clock(db, "5 s")
    report(db, "failed", at="2026-03-02T12:00:05Z")
    move_clock(db, "1 minute")
    db.execute("select retoma.retry_failed('natal')")

    if moment == "before":
        report(db, "failed", at="2026-03-02T12:00:05Z")
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    if moment == "during":
        report(db, "failed", at="2026-03-02T12:00:05Z")
    advance(db, leased, accepted(1))
    if moment == "after":
        report(db, "failed", at="2026-03-02T12:00:05Z")
    tick(db)

    assert books(db) == {"sent": 1}
    assert waiting(db) == 0
    report(db, "failed", at="2026-03-02T12:01:05Z")
    assert books(db) == {"failed": 1}
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize("answer", ["http_422", "http_500", "connect_failed"])
def test_a_message_that_has_arrived_is_sent_whatever_a_further_attempt_says(
    db: Db, channel: int, runner: UUID, answer: str
) -> None:
    retry_is_under_way = _second_attempt(db, runner, channel)
    report(db, "read")

    advance(db, retry_is_under_way, [error(1, answer)])
    tick(db)
    move_clock(db, "1 day")

    assert lease(db, runner, channel) is None
    assert books(db) == {"sent": 1}
    assert totals(db) == (1, 1)
    assert_counters_match_deliveries(db)
