"""record_receipts: what the provider reports later on, in any order, early, late or twice."""

from itertools import permutations
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
    error,
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


def report(db: Db, status: str, ordinal: int = 1, **facts: object) -> int:
    """Reports on a message of the channel sales. Returns how many receipts were applied."""
    receipt: dict[str, object] = {"message_id": message_id(db, ordinal), "status": status}
    return int(call(db, "select retoma.record_receipts('sales', %s)", Jsonb([receipt | facts])))


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
    return int(
        call(
            db,
            "select retoma.record_receipts('sales', jsonb_agg(jsonb_build_object("
            "'message_id', retoma_internal.message_id(c.token, d.ordinal), 'status', %s::text)))"
            " from retoma_internal.delivery as d join retoma_internal.campaign as c on c.id = d.campaign_id",
            status,
        )
    )


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

    applied = call(
        db,
        "select retoma.record_receipts('sales', %s)",
        Jsonb([{"provider_id": "wamid.1", "status": "read"}]),
    )

    assert applied == 1
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

    receipts = Jsonb([{"message_id": message_id(db), "status": "failed"}])
    assert call(db, "select retoma.record_receipts('other', %s)", receipts) == 0
    tick(db)

    assert books(db) == {"sent": 1}


def test_reports_on_messages_that_are_not_ours_wait_and_are_forgotten(
    db: Db, channel: int, subtests: pytest.Subtests
) -> None:
    make_campaign(db, size=1)
    cases = [
        "",
        "x",
        "3EB0" + "0" * 28,
        "g" * 32,
        "0" * 32,
        "f" * 32,
        "a" * 24 + "zzzzzzzz",
        "'; drop table retoma_internal.event; --",
    ]
    for unknown in cases:
        with subtests.test(unknown=unknown):
            receipts = [
                {"message_id": unknown, "status": "delivered"},
                {"provider_id": unknown, "status": "read"},
            ]
            assert call(db, "select retoma.record_receipts('sales', %s)", Jsonb(receipts)) == 0
    assert tick(db)["settled"] == 0
    move_clock(db, "25 hours")
    db.execute("select retoma.cleanup()")
    assert call(db, "select count(*) from retoma_internal.receipt_inbox") == 0


def test_a_skipped_message_is_not_settled_by_a_receipt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    db.execute("select retoma.opt_out(phone) from retoma_internal.message")
    send_all(db, runner, channel)

    assert report(db, "delivered") == 0

    assert books(db) == {"skipped": 1}


def test_what_are_not_receipts_is_refused_whole(db: Db, channel: int, subtests: pytest.Subtests) -> None:
    cases: list[object] = [
        None,
        {},
        "x",
        [1],
        [{}],
        [{"message_id": "a"}],
        [{"status": "read"}],
        [{"message_id": "a", "status": "lost"}],
        [{"message_id": "a", "status": None}],
        [{"message_id": "a", "status": "read"}, {"status": "read"}],
        [{"message_id": "a", "status": "read", "at": "yesterday-ish"}],
        [{"message_id": "a", "status": "read", "at": "2026-01-01 12:00 Nowhere/Town"}],
        [{"message_id": "a", "status": "read", "at": "infinity"}],
        [{"message_id": "a", "status": "read", "at": "-infinity"}],
    ]
    for receipts in cases:
        with subtests.test(receipts=receipts), refused(db, "RT003"):
            db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))


def test_the_time_that_is_not_one_is_named(db: Db, channel: int) -> None:
    times = ["2026-01-01T12:00:00Z", "2026-13-01T12:00:00Z", "yesterday-ish"]
    receipts = [{"message_id": "a", "status": "read", "at": at} for at in times]

    with refused(db, "RT003", "'2026-13-01T12:00:00Z' is not a time"):
        db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))


def test_a_time_in_the_future_counts_as_now(db: Db, channel: int) -> None:
    receipt = {"message_id": "a", "status": "read", "at": "2999-01-01T12:00:00Z"}
    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb([receipt]),))

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
