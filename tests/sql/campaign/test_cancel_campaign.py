"""cancel_campaign: whatever was under way, everything ends, and each doubt can be settled."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    release,
    tick,
)
from tests.support.concurrency import waits
from tests.support.waiting import wait_until


@pytest.fixture
def channel(db: Db) -> int:
    """A channel that dedupes: a message that may have been sent waits to be sent again."""
    return make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1", "idempotent": True})


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


def cancel(db: Db) -> None:
    db.execute("select retoma.cancel_campaign('natal')")


def lose_the_answers(db: Db, runner: UUID, channel: int, size: int) -> None:
    """All messages of a new campaign were written to the provider, which did not answer."""
    make_campaign(db, size=size)
    leased = must_lease(db, runner, channel)
    ordinals = advance(db, leased, want=size).ordinals
    advance(db, leased, [error(ordinal, "timeout", written=True) for ordinal in ordinals])


def report(db: Db, ordinal: int, status: str) -> None:
    """The provider reports on a message."""
    message_id = call(db, "select message_id from retoma.message_state where ordinal = %s", ordinal)
    receipt = {"message_id": message_id, "status": status}
    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb([receipt]),))


def in_doubt(db: Db) -> list[tuple[int, str]]:
    return db.execute("select ordinal, code from retoma.v_in_doubt order by ordinal").fetchall()


def open_batches(db: Db) -> int:
    query = "select count(*) from retoma.campaign_batch_details where status in ('ready', 'leased')"
    return int(call(db, query))


def test_messages_that_waited_to_be_sent_again_are_in_doubt_and_are_seen(
    db: Db, channel: int, runner: UUID
) -> None:
    lose_the_answers(db, runner, channel, size=2)

    cancel(db)

    assert books(db) == {"in_doubt": 2}
    assert in_doubt(db) == [(1, "cancelled"), (2, "cancelled")]
    assert open_batches(db) == 0
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize("decision", ["sent", "failed"])
def test_an_operator_settles_them(db: Db, channel: int, runner: UUID, decision: str) -> None:
    lose_the_answers(db, runner, channel, size=2)
    cancel(db)

    assert call(db, "select retoma.resolve_in_doubt('natal', %s)", decision) == 2

    assert books(db) == {decision: 2}
    assert_counters_match_deliveries(db)


def test_a_receipt_settles_them(db: Db, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=2)
    cancel(db)

    report(db, 1, "delivered")
    report(db, 2, "failed")

    assert books(db) == {"sent": 1, "failed": 1}
    assert_counters_match_deliveries(db)


def test_a_receipt_that_came_before_the_cancelling_counts(db: Db, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=2)
    report(db, 1, "delivered")

    cancel(db)

    assert books(db) == {"sent": 1, "in_doubt": 1}
    assert in_doubt(db) == [(2, "cancelled")]


def test_a_receipt_that_is_being_applied_decides(db: Db, database: str, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=1)
    with psycopg.connect(database) as provider:
        report(provider, 1, "delivered")
        cancel(db)
        provider.commit()

    tick(db)

    assert books(db) == {"sent": 1}
    assert open_batches(db) == 0


@pytest.mark.parametrize(
    ("code", "outcome"), [("timeout", {"in_doubt": 1}), ("connect_failed", {"cancelled": 1})]
)
def test_a_message_that_was_under_way_leaves_no_batch_behind(
    db: Db, channel: int, runner: UUID, code: str, outcome: dict[str, int]
) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    cancel(db)
    advance(db, leased, [error(1, code, written=code == "timeout")])

    tick(db)

    assert open_batches(db) == 0
    assert books(db) == outcome
    assert len(in_doubt(db)) == outcome.get("in_doubt", 0)
    assert_counters_match_deliveries(db)


def test_a_batch_of_repeats_that_was_leased_ends_in_doubt(db: Db, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=3)
    move_clock(db, "1 hour")
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    cancel(db)
    assert books(db) == {"sending": 1, "in_doubt": 2}
    assert_counters_match_deliveries(db)

    assert advance(db, leased, accepted(1)).action == "released"
    tick(db)

    assert books(db) == {"sent": 1, "in_doubt": 2}
    assert in_doubt(db) == [(2, "cancelled"), (3, "cancelled")]
    assert open_batches(db) == 0


def test_a_batch_of_repeats_that_is_given_back_ends_in_doubt(db: Db, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=2)
    move_clock(db, "1 hour")
    leased = must_lease(db, runner, channel)
    cancel(db)
    release(db, leased)

    tick(db)

    assert in_doubt(db) == [(1, "cancelled"), (2, "cancelled")]
    assert_counters_match_deliveries(db)


def test_a_step_at_the_moment_of_the_cancelling_leaves_no_batch_behind(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    with psycopg.connect(database) as step:
        # It has read a campaign that is running; nobody sees yet that it queues a message again.
        advance(step, leased, [*accepted(1), error(2, "timeout", written=True)])
        with psycopg.connect(database, autocommit=True) as operator, ThreadPoolExecutor(1) as pool:
            cancelling = pool.submit(cancel, operator)
            wait_until(lambda: cancelling.done() or waits(db, operator))
            step.commit()
            cancelling.result(60)

    tick(db)

    assert open_batches(db) == 0
    assert books(db) in ({"sent": 1, "in_doubt": 1}, {"sent": 1})


def test_a_decision_to_send_again_at_the_moment_of_the_cancelling_sends_nothing(
    db: Db, database: str, runner: UUID
) -> None:
    channel = make_channel(db, "plain")
    make_campaign(db, size=2, batch_size=1, channels=["plain"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    with psycopg.connect(database) as operator, ThreadPoolExecutor(1) as pool:
        operator.execute("select from retoma_internal.batch where id = 1 for update")
        with psycopg.connect(database, autocommit=True) as other:
            deciding = pool.submit(other.execute, "select retoma.resolve_in_doubt('natal', 'resend')")
            wait_until(lambda: waits(db, other))
            cancel(db)
            operator.commit()
            deciding.result(60)

    tick(db)

    assert books(db) == {"in_doubt": 1, "cancelled": 1}
    assert in_doubt(db) == [(1, "cancelled")]
    assert open_batches(db) == 0


def test_the_channel_is_free_for_other_settings(db: Db, channel: int, runner: UUID) -> None:
    lose_the_answers(db, runner, channel, size=1)
    other = Jsonb({"url": "http://127.0.0.2"})
    with refused(db, "RT002", "must send messages again"):
        db.execute("select retoma.configure_channel('sales', %s)", (other,))

    cancel(db)

    db.execute("select retoma.configure_channel('sales', %s)", (other,))


def test_ticks_forget_a_campaign_that_is_over(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    cancel(db)
    assert call(db, "select cancelling from retoma_internal.campaign") is True
    advance(db, leased, accepted(1))

    tick(db)

    assert call(db, "select cancelling from retoma_internal.campaign") is False
    assert lease(db, runner, channel) is None
