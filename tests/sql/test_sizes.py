"""What callers and providers give has a size: beyond it, it is refused in words, or shortened."""

from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    Outcome,
    accepted,
    advance,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    refused,
)

HUGE = "x" * 1_000_000


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select retoma.opt_in('+5511955510001', %s)", "the source of an opt-in has 1000000 characters"),
        (
            "select retoma.register_runner(gen_random_uuid(), %s)",
            "the name of a runner has 1000000 characters",
        ),
        (
            "select retoma.configure_channel('sales', jsonb_build_object('session', %s::text))",
            "session has 1000000 characters, but at most 2000 are allowed",
        ),
        ("select retoma.create_campaign(%s, 'sales', 'Olá')", "is not a name for a campaign"),
        ("select retoma.create_campaign('natal', 'sales', %s)", "the content has 1000028 characters"),
    ],
)
def test_what_is_too_long_is_refused(db: Db, statement: str, words: str) -> None:
    make_channel(db, transport="waha", settings={"base_url": "http://127.0.0.1", "session": "default"})

    with refused(db, "RT003", words):
        db.execute(statement, (HUGE,))


@pytest.mark.parametrize(
    "statement",
    [
        "select retoma.start_campaign(%s)",
        "select retoma.pause_channel(%s)",
        "select retoma.create_channel(%s, 'null')",
        "select retoma.create_channel('other', %s)",
        "select retoma.create_campaign('natal', 'sales', 'Olá', p_time_zone => %s)",
        "select retoma.configure_channel('sales', jsonb_build_object(%s::text, 1))",
        "select retoma.media_remove(%s)",
    ],
)
def test_a_refusal_does_not_repeat_a_huge_name(db: Db, statement: str) -> None:
    make_channel(db, transport="waha", settings={"base_url": "http://127.0.0.1", "session": "default"})

    with pytest.raises(psycopg.Error) as refusal:
        db.execute(statement, (HUGE,))

    assert refusal.value.sqlstate in {"RT001", "RT003"}
    assert len(refusal.value.diag.message_primary or "") < 500
    assert len(refusal.value.diag.message_hint or "") < 5000


def test_an_opt_out_is_never_refused_for_its_words(db: Db) -> None:
    db.execute("select retoma.opt_out('+5511955510001', %s)", (HUGE,))

    assert call(db, "select length(source) from retoma_internal.suppression") == 500
    assert call(db, "select length(source) from retoma_internal.consent") == 500


@pytest.mark.parametrize("function", ["pause_channel", "channel_disconnected"])
def test_the_reason_of_a_channel_is_shortened(db: Db, function: str) -> None:
    make_channel(db)

    db.execute(f"select retoma.{function}('sales', %s)", (HUGE,))

    assert call(db, "select length(reason) from retoma.v_channel") == 500
    assert call(db, "select max(length(why)) from retoma_internal.event") <= 500


@pytest.mark.parametrize(
    "outcome",
    [{**accepted(1)[0], "provider_id": HUGE}, error(1, HUGE), {"ordinal": 1, "status": HUGE}],
)
def test_an_outcome_with_a_huge_word_is_refused_in_few_words(db: Db, outcome: Outcome) -> None:
    channel = make_channel(db)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)

    with refused(db, "RT003", "cannot take the outcome") as _:
        advance(db, leased, [outcome])

    assert advance(db, leased, [{**accepted(1)[0], "provider_id": "i" * 200}], want=1).action == "send"


def test_ids_of_receipts_have_a_size_and_their_codes_are_shortened(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    sent = advance(db, leased, want=1).messages[0][1]
    advance(db, leased, accepted(1))

    reports = [{"message_id": HUGE, "status": "read"}, {"provider_id": HUGE, "status": "read"}]
    refusals = call(db, "select refused from retoma.record_receipts('sales', %s)", Jsonb(reports))
    assert [refusal["key"] for refusal in refusals] == ["not_ours", "bad_provider_id"]
    for message_id in (sent, f"{sent[:-1]}2"):
        receipts = Jsonb([{"message_id": message_id, "status": "failed", "code": HUGE}])
        db.execute("select retoma.record_receipts('sales', %s)", (receipts,))

    assert call(db, "select length(code) from retoma_internal.delivery") == 200
    assert call(db, "select length(code) from retoma_internal.receipt_inbox") == 200


def test_recipients_with_huge_variables_are_rejected_one_by_one(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=0, start=False)
    people = [{"phone": phone(n), "variables": {"x": HUGE}} for n in range(1, 5)] + [{"phone": phone(5)}]

    row = db.execute("select * from retoma.add_recipients('natal', %s)", (Jsonb(people),)).fetchone()

    assert row == (1, 0, 4)
    assert call(db, "select max(length(reason)) from retoma.recipient_reject") < 100


def test_a_staged_recipient_with_huge_variables_is_rejected(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=0, start=False)
    insert = "insert into retoma.recipient_staging (campaign, phone, variables) values ('natal', %s, %s)"
    db.execute(insert, (phone(1), Jsonb({"x": HUGE})))
    db.execute(insert, (phone(2), Jsonb({"x": "y"})))

    assert db.execute("select * from retoma.load_staged('natal')").fetchone() == (1, 0, 1)


def test_a_name_of_a_runner_of_usual_length_is_taken(db: Db) -> None:
    db.execute("select retoma.register_runner(%s, %s)", (uuid4(), "r" * 200))

    assert call(db, "select length(runner) from retoma.v_runner") == 200
