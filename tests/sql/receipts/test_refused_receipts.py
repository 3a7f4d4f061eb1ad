"""record_receipts: what is refused, and that it is refused alone."""

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    books,
    call,
    make_campaign,
    make_channel,
    refused,
    send_all,
    tick,
)
from tests.support.receipts import message_id, record, waiting


def test_receipts_of_an_unknown_channel_are_refused(db: Db) -> None:
    with refused(db, "RT001"):
        db.execute("select retoma.record_receipts('sales', '[]')")


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
    assert waiting(db) == 0


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
