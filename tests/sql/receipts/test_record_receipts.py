"""record_receipts: what the provider reports later on, in any order, early, late or twice."""

from itertools import permutations
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    assert_counters_match_deliveries,
    books,
    make_campaign,
    must_lease,
    send_all,
    state,
)
from tests.support.receipts import in_doubt, message_id, record, report, totals, waiting


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
    assert waiting(db) == 0
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


def test_a_provider_s_own_id_leads_to_the_message_too(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [{"ordinal": 1, "status": "accepted", "provider_id": "wamid.1"}])

    assert record(db, [{"provider_id": "wamid.1", "status": "read"}]).applied == 1
    assert totals(db) == (1, 1)


def test_a_skipped_message_is_not_settled_by_a_receipt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    db.execute("select retoma.opt_out(phone) from retoma_internal.message")
    send_all(db, runner, channel)

    assert report(db, "delivered") == 0

    assert books(db) == {"skipped": 1}
