"""record_receipts: what the provider reports later on, in any order, early, late or twice."""

from itertools import permutations
from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

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
    refused,
    release,
    send_all,
    state,
    tick,
)


def message_id(db: Db, ordinal: int = 1) -> str:
    return str(call(db, "select message_id from retoma.v_message where ordinal = %s", ordinal))


class Recorded(NamedTuple):
    """What record_receipts answered."""

    applied: int
    waiting: int
    refused: list[dict[str, object]]


def record(db: Db, receipts: object, channel: str = "sales") -> Recorded:
    row = db.execute("select * from retoma.record_receipts(%s, %s)", (channel, Jsonb(receipts))).fetchone()
    assert row is not None
    return Recorded(*row)


def report(db: Db, status: str, ordinal: int = 1, **facts: object) -> int:
    """Reports on a message of the channel sales. Returns how many receipts were applied."""
    receipt: dict[str, object] = {"message_id": message_id(db, ordinal), "status": status}
    return record(db, [receipt | facts]).applied


def in_doubt(db: Db, runner: UUID, channel: int, size: int = 1) -> None:
    make_campaign(db, size=size)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])


def totals(db: Db) -> tuple[int, int]:
    """How many messages were delivered, and read."""
    row = db.execute("select delivered, read from retoma.v_campaign_summary").fetchone()
    assert row is not None
    return (int(row[0]), int(row[1]))


FETCHED = """
select sum(pg_stat_get_xact_tuples_fetched(i.indexrelid)) from pg_index as i
where i.indrelid in (select inhrelid from pg_inherits where inhparent = 'retoma_internal.delivery'::regclass)
"""


def report_on_all(db: Db, status: str) -> int:
    """One receipt for each message, all in one call."""
    receipts = call(
        db,
        "select jsonb_agg(jsonb_build_object("
        "'message_id', retoma_internal.message_id(c.token, d.ordinal), 'status', %s::text))"
        " from retoma_internal.delivery as d join retoma_internal.campaign as c on c.id = d.campaign_id",
        status,
    )
    return record(db, receipts).applied


def test_receipts_are_counted_on_the_way_to_being_read(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    send_all(db, runner, channel)

    for status, expected in (("server", (0, 0)), ("delivered", (1, 0)), ("read", (1, 1))):
        assert report(db, status) == 1
        assert totals(db) == expected
        assert_counters_match_deliveries(db)


@pytest.mark.parametrize("order", list(permutations(["server", "delivered", "read"])))
def test_any_order_ends_the_same(db: Db, channel: int, runner: UUID, order: tuple[str, ...]) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)

    for status in order:
        report(db, status)

    assert totals(db) == (1, 1)
    assert db.execute("select state, receipt from retoma.v_message").fetchall() == [("sent", "read")]
    assert_counters_match_deliveries(db)


def test_repeats_are_harmless_in_one_call_and_in_several(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    receipt = {"message_id": message_id(db), "status": "delivered"}

    for _ in range(2):
        db.execute("select retoma.record_receipts('sales', %s)", (Jsonb([receipt] * 3),))

    assert totals(db) == (1, 0)
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0
    assert_counters_match_deliveries(db)


def test_all_reports_on_a_message_in_one_call_are_the_best_of_them(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    receipts = [{"message_id": message_id(db), "status": status} for status in ("read", "server", "failed")]

    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))

    assert totals(db) == (1, 1)
    assert state(db, 1) == "sent"


def test_played_is_read(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)

    report(db, "played")

    assert totals(db) == (1, 1)


def test_a_failure_reported_later_makes_a_sent_message_failed(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    report(db, "server")

    report(db, "failed", code="131026")

    assert books(db) == {"failed": 1}
    assert db.execute("select state, code, receipt from retoma.v_message").fetchall() == [
        ("failed", "131026", "failed")
    ]
    assert_counters_match_deliveries(db)


def test_a_late_failure_never_takes_a_delivery_back(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    report(db, "delivered")

    report(db, "failed")

    assert books(db) == {"sent": 1}
    assert totals(db) == (1, 0)


def test_a_delivery_is_believed_after_a_failure(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    send_all(db, runner, channel)
    report(db, "failed")

    report(db, "delivered")

    assert books(db) == {"sent": 1}
    assert_counters_match_deliveries(db)


@pytest.mark.parametrize(
    ("status", "outcome"), [("server", "sent"), ("delivered", "sent"), ("read", "sent"), ("failed", "failed")]
)
def test_invariant_4_a_receipt_settles_what_is_in_doubt(
    db: Db, channel: int, runner: UUID, status: str, outcome: str
) -> None:
    in_doubt(db, runner, channel)
    assert books(db) == {"in_doubt": 1}

    report(db, status)

    assert books(db) == {outcome: 1}
    assert_counters_match_deliveries(db)


def test_a_receipt_that_is_ahead_of_its_outcome_waits_for_it(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    assert report(db, "delivered") == 0
    assert totals(db) == (0, 0)
    advance(db, leased, accepted(1))

    assert tick(db)["settled"] == 1
    assert totals(db) == (1, 0)
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


def test_many_receipts_at_once_are_looked_up_once_each(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=200, batch_size=200)
    send_all(db, runner, channel)
    # The inbox is empty nearly always, and so it is when it is analysed.
    report_on_all(db, "server")
    db.execute("analyze retoma_internal.receipt_inbox, retoma_internal.delivery, retoma_internal.batch")

    with db.transaction():
        before = call(db, FETCHED)
        assert report_on_all(db, "delivered") == 200
        fetched = call(db, FETCHED) - before

    assert totals(db) == (200, 0)
    assert fetched < 200 * 10


def test_a_receipt_that_came_before_its_runner_died_settles_the_message(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    report(db, "server")
    release(db, leased)
    assert books(db) == {"in_doubt": 1}

    tick(db)

    assert books(db) == {"sent": 1}


def test_invariant_4_a_receipt_before_the_repeat_makes_the_repeat_needless(db: Db, runner: UUID) -> None:
    safe = make_channel(db, "sales", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    in_doubt(db, runner, safe)
    assert books(db) == {"pending": 1}
    report(db, "server")
    move_clock(db, "1 minute")

    assert send_all(db, runner, safe) == []

    assert books(db) == {"sent": 1}
    assert_counters_match_deliveries(db)


def test_a_provider_s_own_id_leads_to_the_message_too(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [{"ordinal": 1, "status": "accepted", "provider_id": "wamid.1"}])

    assert record(db, [{"provider_id": "wamid.1", "status": "read"}]).applied == 1
    assert totals(db) == (1, 1)


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


def test_a_report_of_another_channel_is_not_believed(db: Db, channel: int, runner: UUID) -> None:
    make_channel(db, "other")
    make_campaign(db, size=1)
    send_all(db, runner, channel)

    (refused_one,) = record(db, [{"message_id": message_id(db), "status": "failed"}], "other").refused
    assert refused_one["key"] == "not_ours"
    tick(db)

    assert books(db) == {"sent": 1}


def test_ids_that_no_message_of_the_channel_can_have_do_not_wait(
    db: Db, channel: int, subtests: pytest.Subtests
) -> None:
    make_campaign(db, size=3)
    make_channel(db, "other")
    make_campaign(db, "theirs", channels=["other"])
    make_campaign(db, "erased", size=1, start=False)
    db.execute("update retoma_internal.campaign set erased_at = now() where name = 'erased'")
    rows = db.execute("select name, token from retoma_internal.campaign").fetchall()
    tokens = {str(name): str(token) for name, token in rows}
    cases = [
        "",
        "x",
        "3EB0" + "0" * 28,
        "g" * 32,
        "0" * 32,
        "f" * 32,
        "a" * 24 + "zzzzzzzz",
        "'; drop table retoma_internal.event; --",
        tokens["natal"] + "00000000",
        tokens["natal"] + "00000004",
        tokens["natal"] + "ffffffff",
        tokens["theirs"] + "00000001",
        tokens["erased"] + "00000001",
    ]
    for unknown in cases:
        with subtests.test(unknown=unknown):
            (refusal,) = record(db, [{"message_id": unknown, "status": "delivered"}]).refused
            assert refusal == {
                "item": 1,
                "key": "not_ours",
                "reason": "no message of this channel has its id",
            }
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


def test_a_report_with_an_unknown_id_of_the_provider_waits_for_the_length_of_two_leases(
    db: Db, channel: int
) -> None:
    freeze_clock(db)
    assert record(db, [{"provider_id": "wamid.9", "status": "read"}]) == (0, 1, [])

    for seconds in (119, 60):
        assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 1
        move_clock(db, f"{seconds} s")
        assert tick(db)["settled"] == 0
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


def test_a_report_on_a_message_that_was_never_sent_waits_a_day(db: Db, channel: int) -> None:
    make_campaign(db, size=1)
    assert report(db, "delivered") == 0

    move_clock(db, "23 hours")
    tick(db)
    db.execute("select retoma.cleanup()")
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 1
    move_clock(db, "2 hours")
    db.execute("select retoma.cleanup()")
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


def test_a_report_that_is_repeated_waits_once(db: Db, channel: int) -> None:
    for _ in range(3):
        record(db, [{"provider_id": "wamid.9", "status": "read"}] * 3)

    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 1


def test_the_inbox_of_a_channel_is_bounded(db: Db, channel: int) -> None:
    db.execute("update retoma.setting set receipts_waiting = 3")
    make_channel(db, "other")
    receipts = [{"provider_id": f"wamid.{n}", "status": "read"} for n in range(5)]

    first = record(db, receipts)
    again = record(db, receipts[4:])

    assert (first.applied, first.waiting) == (0, 3)
    assert [(r["item"], r["key"]) for r in first.refused] == [(4, "too_many_wait"), (5, "too_many_wait")]
    assert [r["key"] for r in again.refused] == ["too_many_wait"]
    assert record(db, receipts[:1], "other").waiting == 1


def test_a_tick_reads_the_inbox_in_portions_and_comes_to_all_of_it(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1500, batch_size=1500)
    leased = must_lease(db, runner, channel)
    ordinals = advance(db, leased, want=1500).ordinals
    db.execute(
        "insert into retoma_internal.receipt_inbox (channel_id, provider_id, status, at)"
        " select %s, 'stranger.' || n, 'read', now() from generate_series(1, 2500) as n",
        (channel,),
    )
    ids = [row[0] for row in db.execute("select message_id from retoma.v_message").fetchall()]
    assert record(db, [{"message_id": i, "status": "delivered"} for i in ids]).waiting == 1500
    advance(db, leased, accepted(*ordinals))

    settled = []
    for _ in range(4):
        settled.append(tick(db)["settled"] or 0)

    assert sum(settled) == 1500
    assert max(settled) <= 1000
    assert totals(db) == (1500, 0)


def test_a_receipt_that_waits_longer_is_looked_at_more_rarely(db: Db, channel: int) -> None:
    freeze_clock(db)
    make_campaign(db, size=1)
    report(db, "read")
    move_clock(db, "1 hour")

    tick(db)

    wait = "select extract(epoch from try_after - retoma.clock())::int from retoma_internal.receipt_inbox"
    assert call(db, wait) == 900


def test_a_skipped_message_is_not_settled_by_a_receipt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    db.execute("select retoma.opt_out(phone) from retoma_internal.message")
    send_all(db, runner, channel)

    assert report(db, "delivered") == 0

    assert books(db) == {"skipped": 1}


@pytest.mark.parametrize("receipts", [None, {}, "x"])
def test_what_is_no_array_of_receipts_is_refused_whole(db: Db, channel: int, receipts: object) -> None:
    with refused(db, "RT003", "receipts are a JSON array of objects"):
        db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))


@pytest.mark.parametrize(
    ("receipt", "key"),
    [
        (1, "not_an_object"),
        (None, "not_an_object"),
        ([], "not_an_object"),
        ({}, "bad_status"),
        ({"message_id": "a"}, "bad_status"),
        ({"status": "read"}, "no_id"),
        ({"status": "read", "message_id": None}, "no_id"),
        ({"provider_id": "a", "status": "lost"}, "bad_status"),
        ({"provider_id": "a", "status": None}, "bad_status"),
        ({"provider_id": "", "status": "read"}, "bad_provider_id"),
        ({"provider_id": "a" * 201, "status": "read"}, "bad_provider_id"),
        ({"provider_id": "a", "status": "read", "at": "yesterday-ish"}, "bad_time"),
        ({"provider_id": "a", "status": "read", "at": "2026-13-01T12:00:00Z"}, "bad_time"),
        ({"provider_id": "a", "status": "read", "at": "2026-01-01 12:00 Nowhere/Town"}, "bad_time"),
        ({"provider_id": "a", "status": "read", "at": "infinity"}, "bad_time"),
        ({"provider_id": "a", "status": "read", "at": {}}, "bad_time"),
    ],
)
def test_one_bad_receipt_refuses_itself_and_not_its_call(
    db: Db, channel: int, runner: UUID, receipt: object, key: str
) -> None:
    make_campaign(db, size=2)
    send_all(db, runner, channel)
    good = [{"message_id": message_id(db, n), "status": "delivered"} for n in (1, 2)]

    done = record(db, [good[0], receipt, good[1]])

    assert (done.applied, done.waiting) == (2, 0)
    ((item, named, reason),) = [tuple(r[k] for k in ("item", "key", "reason")) for r in done.refused]
    assert (item, named) == (2, key)
    assert reason


def test_a_time_in_the_future_counts_as_now(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    receipt = {"message_id": message_id(db), "status": "read", "at": "2999-01-01T12:00:00Z"}

    assert record(db, [receipt]).waiting == 1

    assert call(db, "select at <= retoma.clock() from retoma_internal.receipt_inbox") is True


def test_receipts_of_an_unknown_channel_are_refused(db: Db) -> None:
    with refused(db, "RT001"):
        db.execute("select retoma.record_receipts('sales', '[]')")


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
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0
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
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


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
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0
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


def test_invariant_4_a_receipt_that_waits_because_its_batch_is_in_use_makes_the_repeat_needless(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    in_doubt(db, runner, channel)
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.resolve_in_doubt('natal', 'resend')")
        assert record(db, [{"message_id": message_id(db), "status": "delivered"}]).waiting == 1

    leased = must_lease(db, runner, channel)
    step = advance(db, leased, want=1)

    assert step.ordinals == []
    assert books(db) == {"sent": 1}
