"""The faults that chaos found, each in a few steps; their schedules are in tests/chaos/schedules."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    accepted,
    advance,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    release,
    state,
)

Db = psycopg.Connection

LOOKS_UP = {"url": "http://127.0.0.1:9", "lookup": True}
DEDUPES = {"url": "http://127.0.0.1:9", "idempotent": True}


def test_suppressed_numbers_at_the_end_of_a_reservation_take_no_message_away(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=3)
    for ordinal in (2, 3):
        db.execute("select retoma.opt_out(%s)", (phone(ordinal),))
    leased = must_lease(db, make_runner(db), channel)

    step = advance(db, leased, want=2)

    assert step.ordinals == [1]


def test_the_gap_between_batches_holds_after_a_batch_that_ends_with_a_suppressed_number(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5, gap_max_s=5, batch_gap_min_s=60, batch_gap_max_s=60)
    make_campaign(db, size=4, batch_size=2)
    db.execute("select retoma.opt_out(%s)", (phone(2),))
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    move_clock(db, "6 seconds")

    assert advance(db, leased, want=1).action == "completed"

    assert lease(db, runner, channel) is None
    move_clock(db, "61 seconds")
    assert advance(db, must_lease(db, runner, channel), want=1).ordinals == [3]


def test_two_leases_that_read_the_clock_in_another_order_earn_no_time_twice(db: Db) -> None:
    channel = make_channel(db, rate_per_s=10, burst=1)
    late = datetime.now(UTC)

    db.execute("select retoma_internal.spend_pacing(%s, 1, %s)", (channel, late))
    db.execute("select retoma_internal.spend_pacing(%s, 1, %s)", (channel, late - timedelta(seconds=5)))

    since = call(db, "select tokens_at from retoma_internal.channel_pacing where channel_id = %s", channel)
    assert since == late


def test_a_message_that_a_lookup_did_not_find_is_skipped_once_its_number_is_suppressed(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=LOOKS_UP)
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    release(db, leased)
    db.execute("select retoma.opt_out(%s)", (phone(1),))
    move_clock(db, "1 hour")
    row = db.execute("select message_id from retoma.due_lookups(%s)", (channel,)).fetchone()
    assert row is not None

    absent = Jsonb([{"message_id": row[0], "attempt": 1, "result": "absent"}])
    db.execute("select retoma.record_lookups(%s, %s)", (channel, absent))
    advance(db, must_lease(db, runner, channel), want=1)

    assert books(db) == {"skipped": 1}


def test_a_refusal_of_a_repeat_leaves_in_doubt_what_the_first_attempt_may_have_sent(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=DEDUPES)
    make_campaign(db, size=1)
    runner = make_runner(db)
    first = must_lease(db, runner, channel)
    advance(db, first, want=1)
    advance(db, first, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")
    repeat = must_lease(db, runner, channel)
    advance(db, repeat, want=1)

    advance(db, repeat, [error(1, "http_409", written=True, http_status=409)])

    assert state(db, 1) == "in_doubt"
