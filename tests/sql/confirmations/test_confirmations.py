"""An opt-out by reply is confirmed once, in the turn of the channel, and never after the person came back."""

from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    refused,
)

ANA = "+5511955501234"
TEXT = "Você não recebe mais mensagens."
GAPS = {"gap_min_s": 5, "gap_max_s": 5, "max_in_flight": 1, "max_leases": 1}


@pytest.fixture(autouse=True)
def confirming(db: Db, frozen_clock: None) -> int:
    return make_channel(db, "sales", settings={"opt_out_confirmation": TEXT})


def answer(db: Db, text: str = "SAIR", phone: str = ANA, **fields: Any) -> None:
    db.execute(
        "select * from retoma.record_inbound('sales', %s)", [Jsonb([{"phone": phone, "text": text} | fields])]
    )


def claim(db: Db) -> list[Any]:
    query = "select confirmation_id, phone, content from retoma.confirmations_to_send(gen_random_uuid())"
    return db.execute(query).fetchall()


def record(db: Db, confirmation: int, **outcome: object) -> None:
    db.execute("select retoma.record_confirmation(%s, %s)", [confirmation, Jsonb(outcome)])


def states(db: Db) -> list[Any]:
    return db.execute("select state, why from retoma.v_confirmation order by confirmation_id").fetchall()


def test_an_opt_out_is_confirmed_once_however_often_it_is_said(db: Db) -> None:
    answer(db)
    answer(db, "PARAR")
    ((confirmation, phone, content),) = claim(db)

    assert (phone, content) == (ANA, {"kind": "text", "text": TEXT})
    assert claim(db) == []
    record(db, confirmation, status="accepted")
    record(db, confirmation, status="error", code="timeout")
    answer(db, "STOP")
    assert (claim(db), states(db)) == ([], [("sent", None)])


@pytest.mark.parametrize("text", ["quero cancelar meu pedido", "Bom dia"])
def test_what_waits_for_a_person_or_is_none_is_not_confirmed(db: Db, text: str) -> None:
    answer(db, text)
    assert claim(db) == []


def test_what_a_person_decides_to_be_one_is_confirmed(db: Db) -> None:
    answer(db, "quero cancelar meu pedido")
    move_clock(db, "2 hours")
    reply = call(db, "select reply_id from retoma.v_reply where state = 'waiting'")
    call(db, "select retoma.resolve_reply(%s, 'opt_out')", reply)
    assert len(claim(db)) == 1


def test_without_the_setting_or_for_a_number_that_is_suppressed_nothing_is_queued(db: Db) -> None:
    call(db, "select retoma.opt_out(%s)", ANA)
    answer(db)
    db.execute("select retoma.configure_channel('sales', '{\"opt_out_confirmation\": null}')")
    answer(db, phone="+5511955501235")
    assert states(db) == []


def test_one_whose_runner_died_is_in_doubt_and_never_sent_again(db: Db) -> None:
    answer(db)
    ((confirmation, *_),) = claim(db)
    move_clock(db, "2 minutes")
    assert (claim(db), states(db)) == ([], [("in_doubt", "no_outcome")])
    record(db, confirmation, status="accepted")
    assert states(db) == [("sent", None)]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("select retoma.opt_in('+5511955501234', 'web form')", "opted_in"),
        ("select retoma.configure_channel('sales', '{\"opt_out_confirmation\": null}')", "no_text"),
        ("update retoma.setting set clock_shift = clock_shift + '61 minutes'", "too_old"),
    ],
)
def test_it_expires(db: Db, statement: str, why: str) -> None:
    answer(db)
    db.execute(statement)
    assert (claim(db), states(db)) == ([], [("expired", why)])


@pytest.mark.parametrize(
    ("stop", "go"),
    [
        ("select retoma.pause_channel('sales')", "select retoma.resume_channel('sales')"),
        ("select retoma.channel_disconnected('sales')", "select retoma.channel_connected('sales')"),
    ],
)
def test_it_waits_for_the_channel(db: Db, stop: str, go: str) -> None:
    db.execute(stop)
    answer(db)
    assert claim(db) == []
    db.execute(go)
    assert len(claim(db)) == 1


def test_it_counts_under_a_limit_and_waits_for_it(db: Db) -> None:
    call(db, "select retoma.set_limit('channel', 'sales', 1, 'day')")
    answer(db)
    answer(db, phone="+5511955501235")
    assert (len(claim(db)), claim(db)) == (1, [])


def test_it_has_the_next_turn_of_a_channel_with_gaps_and_starts_a_gap(db: Db, runner: UUID) -> None:
    channel = make_channel(db, "slow", settings={"opt_out_confirmation": TEXT}, gap_min_s=10)
    make_campaign(db, size=3, channels=["slow"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    db.execute("select * from retoma.record_inbound('slow', %s)", [Jsonb([{"phone": ANA, "text": "SAIR"}])])
    move_clock(db, "11 seconds")
    assert claim(db) == [], "a message of the campaign is under way"
    assert advance(db, leased, accepted(1), want=1).ordinals == []
    move_clock(db, "9 seconds")
    assert claim(db) == [], "the gap is not over"
    move_clock(db, "2 seconds")
    assert advance(db, leased, want=1).ordinals == [], "the turn is kept"

    ((confirmation, *_),) = claim(db)
    move_clock(db, "15 seconds")
    assert advance(db, leased, want=1).ordinals == [], "the confirmation is under way"
    record(db, confirmation, status="accepted")
    assert advance(db, leased, want=1).ordinals == [], "its gap is not over"
    move_clock(db, "11 seconds")
    assert advance(db, leased, want=1).ordinals == [2]


@pytest.mark.parametrize(
    ("outcome", "state", "channel"),
    [
        ({"code": "timeout"}, "in_doubt", "connected"),
        ({"code": "http_400"}, "failed", "connected"),
        ({"code": "connect_failed", "written": False}, "failed", "connected"),
        ({"code": "http_401"}, "failed", "disconnected"),
    ],
)
def test_the_rules_of_errors_say_what_came_of_it(
    db: Db, outcome: dict[str, object], state: str, channel: str
) -> None:
    answer(db)
    ((confirmation, *_),) = claim(db)
    record(db, confirmation, status="error", **outcome)
    assert states(db) == [(state, outcome["code"])]
    assert call(db, "select state from retoma.v_channel where channel = 'sales'") == channel


def test_receipts_about_it_are_neither_refused_nor_kept(db: Db) -> None:
    answer(db)
    ((confirmation, *_),) = claim(db)
    record(db, confirmation, status="accepted", provider_id="wamid.1")
    identifier = call(db, "select message_id from retoma.v_confirmation")
    receipts = [
        {"message_id": identifier, "status": "delivered"},
        {"provider_id": "wamid.1", "status": "read"},
    ]
    row = db.execute("select * from retoma.record_receipts('sales', %s)", [Jsonb(receipts)]).fetchone()
    assert row == (0, 0, [])


def test_its_words_are_checked_and_do_not_change_the_provider(db: Db) -> None:
    with refused(db, "RT003", "opt_out_confirmation has 1001 characters, but at most 1000 are allowed"):
        db.execute(
            "select retoma.configure_channel('sales', %s)", [Jsonb({"opt_out_confirmation": "a" * 1001})]
        )
    version = "select settings_version from retoma_internal.channel where name = 'sales'"
    before = call(db, version)
    db.execute("select retoma.configure_channel('sales', '{\"opt_out_confirmation\": \"Ok\"}')")
    assert call(db, version) == before


def test_cleanup_erases_it(db: Db) -> None:
    answer(db)
    move_clock(db, "91 days")
    call(db, "select retoma.cleanup()")
    assert states(db) == []


def test_the_outcome_must_be_one(db: Db) -> None:
    answer(db)
    ((confirmation, *_),) = claim(db)
    with refused(db, "RT003", "a confirmation cannot take the outcome"):
        record(db, confirmation, status="perhaps")


def test_a_late_outcome_leaves_the_turn_to_the_confirmation_that_is_under_way(db: Db) -> None:
    db.execute("select retoma.configure_channel('sales', p_pacing => %s)", [Jsonb(GAPS)])
    answer(db)
    ((late, *_),) = claim(db)
    move_clock(db, "10 minutes")
    answer(db, phone="+5511955501235")
    ((under_way, *_),) = claim(db)
    kept = "select turn_kept_until > retoma.clock() from retoma_internal.channel_pacing"
    record(db, late, status="accepted")

    assert call(db, kept)
    record(db, under_way, status="accepted")
    assert not call(db, kept)
