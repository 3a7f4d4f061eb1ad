"""resolve_in_doubt and retry_failed: an operator's word on messages that did not go through."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    doorbells,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    refused,
    send_all,
    silence,
    state,
    status,
)


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


@pytest.fixture
def channel(db: Db, runner: UUID) -> int:
    """Its campaign is completed: 1 was sent, 2 and 3 are in doubt, 4 and 5 failed by different errors."""
    channel = make_channel(db)
    make_campaign(db, size=5, batch_size=2)
    outcomes = {
        1: accepted(1)[0],
        2: error(2, "timeout"),
        3: error(3, "timeout"),
        4: error(4, "http_400"),
        5: error(5, "http_422"),
    }
    while leased := lease(db, runner, channel):
        ordinals = advance(db, leased, want=2).ordinals
        advance(db, leased, [outcomes[n] for n in ordinals])
    silence(db)
    return channel


def resolve(db: Db, decision: str | None, phones: list[str] | None = None) -> int:
    return int(call(db, "select retoma.resolve_in_doubt('natal', %s, %s)", decision, phones))


@pytest.mark.parametrize("decision", ["sent", "failed"])
def test_in_doubt_is_settled_as_the_operator_says(db: Db, channel: int, decision: str) -> None:
    assert books(db) == {"sent": 1, "in_doubt": 2, "failed": 2}

    assert resolve(db, decision) == 2

    assert (state(db, 2), state(db, 3)) == (decision, decision)
    assert status(db) == "completed"
    assert doorbells(db) == []
    assert call(db, "select code from retoma.v_message where ordinal = 2") == "operator"
    assert_counters_match_deliveries(db)


def test_invariant_4_resend_sends_what_was_in_doubt_again_and_nothing_else(
    db: Db, channel: int, runner: UUID
) -> None:
    assert resolve(db, "resend") == 2

    assert status(db) == "running"
    assert doorbells(db) == [channel]
    assert books(db) == {"sent": 1, "pending": 2, "failed": 2}
    assert send_all(db, runner, channel) == [2, 3]
    assert status(db) == "completed"
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize("decision", ["sent", "failed", "resend"])
def test_a_decision_can_be_about_single_numbers(db: Db, channel: int, decision: str) -> None:
    assert resolve(db, decision, [phone(3), phone(4), "+15550100"]) == 1

    assert state(db, 2) == "in_doubt"
    assert state(db, 3) == {"resend": "pending"}.get(decision, decision)
    assert state(db, 4) == "failed"
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize("decision", ["sent", "failed", "resend"])
def test_a_decision_about_nothing_is_harmless(db: Db, channel: int, decision: str) -> None:
    assert resolve(db, decision, []) == 0
    assert resolve(db, "sent") == 2
    assert resolve(db, decision) == 0
    assert status(db) == "completed"


def test_a_decision_that_is_none_is_refused(db: Db, channel: int) -> None:
    for decision in ("maybe", "", None):
        with refused(db, "RT003", "is not a decision"):
            resolve(db, decision)


def test_a_cancelled_campaign_can_be_settled_but_sends_nothing_again(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout")])
    db.execute("select retoma.cancel_campaign('natal')")
    with refused(db, "RT002", "it is cancelled"):
        resolve(db, "resend")

    assert resolve(db, "sent") == 1
    assert books(db) == {"sent": 1, "cancelled": 2}


def test_failed_messages_are_sent_again_with_their_attempts_counted_anew(
    db: Db, channel: int, runner: UUID
) -> None:
    assert call(db, "select retoma.retry_failed('natal')") == 2

    assert status(db) == "running"
    assert doorbells(db) == [channel]
    assert books(db) == {"sent": 1, "in_doubt": 2, "pending": 2}
    assert send_all(db, runner, channel) == [4, 5]
    assert call(db, "select max(attempts_counted) from retoma_internal.batch") == 0
    assert status(db) == "completed"
    assert_counters_match_deliveries(db)


def test_failed_messages_are_chosen_by_their_error(db: Db, channel: int, runner: UUID) -> None:
    assert call(db, "select retoma.retry_failed('natal', '{http_422,other}')") == 1

    assert send_all(db, runner, channel) == [5]


def test_with_nothing_failed_nothing_happens(db: Db, channel: int) -> None:
    assert call(db, "select retoma.retry_failed('natal', '{other}')") == 0

    assert status(db) == "completed"
    assert doorbells(db) == []


def test_a_retry_while_the_channel_is_away_waits_for_it(db: Db, channel: int) -> None:
    db.execute("select retoma.channel_disconnected('sales')")

    db.execute("select retoma.retry_failed('natal')")

    assert status(db) == "interrupted"
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "running"


def test_a_number_that_opted_out_since_is_skipped_by_the_retry(db: Db, channel: int, runner: UUID) -> None:
    db.execute("select retoma.opt_out(%s)", (phone(4),))

    db.execute("select retoma.retry_failed('natal')")

    assert send_all(db, runner, channel) == [5]
    assert state(db, 4) == "skipped"


@pytest.mark.parametrize("begun", [False, True])
def test_a_campaign_that_has_not_begun_or_is_cancelled_has_nothing_to_retry(db: Db, begun: bool) -> None:
    make_channel(db)
    make_campaign(db, start=False)
    if begun:
        db.execute("select retoma.cancel_campaign('natal')")
    with refused(db, "RT002", "cannot retry messages of"):
        db.execute("select retoma.retry_failed('natal')")
