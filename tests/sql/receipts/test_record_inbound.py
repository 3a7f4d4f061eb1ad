"""record_inbound: what people answer is understood as a person would, kept, and leads to a campaign."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    freeze_clock,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    phone,
    refused,
    send_all,
)

OPT_OUTS = """
SAIR
"SAIR"
“Sair”
SAIR 🙏
*SAIR*
_sair_
~Sair~
S A I R
s.a.i.r
SAIRRR!!!
\N{FULLWIDTH LATIN CAPITAL LETTER S}AIR
\N{MATHEMATICAL BOLD CAPITAL S}AIR
SAÍR
sair.
Sair, por favor
Oi, quero sair. Obrigada!
STOP
Stop. Thank you
stop stop stop
STOP, please!
STOPALL
Stop all
UNSUBSCRIBE
unsubscribe, thanks
Opt-out
opt out
PARAR
Pare!
Cancelar.
DESCADASTRAR
descadastre por favor
BAJA
Darme de baja, gracias
Arrêt
abmelden bitte
Não quero mais receber mensagens de vocês
oi bom dia, nao quero mais receber isso
Pare de me mandar mensagem!!!
me tira da lista
Please stop sending me these messages
Don\N{RIGHT SINGLE QUOTATION MARK}t text me again
No quiero recibir más mensajes
""".strip().splitlines()

NEAR_MISSES = """
SAI
Siar
STPO
UNSUSCRIBE
PARA
não parar
don't stop
Please do not unsubscribe me
não me descadastre
quero cancelar meu pedido
Como faço para sair do grupo?
Sair ou ficar, tanto faz
isso é spam
vou denunciar no Procon
Não quero
""".strip().splitlines()

OTHERS = """
Obrigado!
Oi
Não
Quero sim, manda o link
Quanto custa?
👍
!
A saída é às 9h?
Vou parcelar
""".strip().splitlines()


def record(db: Db, *replies: dict[str, Any], channel: str = "sales") -> list[tuple[int, str | None, str]]:
    """Records replies; returns those that wait for a person."""
    statement = "select reply_id, provider_id, code from retoma.record_inbound(%s, %s)"
    return db.execute(statement, (channel, Jsonb(list(replies)))).fetchall()


def reply(text: str = "SAIR", number: int = 1, **facts: Any) -> dict[str, Any]:
    return {"phone": phone(number), "text": text} | facts


def states(db: Db) -> list[tuple[str, str | None]]:
    return db.execute("select state, code from retoma.v_reply order by reply_id").fetchall()


def suppressed(db: Db) -> list[str]:
    return [row[0] for row in db.execute("select phone from retoma.v_suppression order by 1")]


@pytest.mark.usefixtures("channel")
def test_what_a_person_would_call_an_opt_out_is_one(db: Db) -> None:
    record(db, *(reply(text, number) for number, text in enumerate(OPT_OUTS)))

    missed = db.execute("select text, state from retoma.v_reply where state <> 'opted_out'").fetchall()
    assert missed == []
    assert len(suppressed(db)) == len(OPT_OUTS)


@pytest.mark.usefixtures("channel")
def test_what_may_be_an_opt_out_waits_for_a_person(db: Db) -> None:
    waiting = record(db, *(reply(text, number) for number, text in enumerate(NEAR_MISSES)))

    wrong = db.execute("select text, state, code from retoma.v_reply where code is distinct from 'near_miss'")
    assert wrong.fetchall() == []
    assert len(waiting) == len(NEAR_MISSES)
    assert suppressed(db) == []


@pytest.mark.usefixtures("channel")
def test_other_replies_are_only_kept(db: Db) -> None:
    assert record(db, *(reply(text, number) for number, text in enumerate(OTHERS))) == []

    wrong = db.execute("select text, state, code from retoma.v_reply where state <> 'no_action'").fetchall()
    assert wrong == []
    assert call(db, "select count(*) from retoma.v_reply") == len(OTHERS)


@pytest.mark.usefixtures("channel")
def test_an_operator_changes_the_words(db: Db) -> None:
    db.execute("insert into retoma.reply_word (words, meaning) values ('1', 'opt_out'), ('Стоп!', 'opt_out')")
    db.execute("delete from retoma.reply_word where words = 'basta'")

    record(db, reply("1", 1), reply("стоп", 2), reply("Basta", 3))

    assert [state for state, _ in states(db)] == ["opted_out", "opted_out", "no_action"]


@pytest.mark.usefixtures("channel")
def test_without_any_words_nothing_is_an_opt_out_and_nothing_breaks(db: Db) -> None:
    db.execute("delete from retoma.reply_word")

    assert record(db, reply("SAIR")) == []
    assert states(db) == [("no_action", None)]


@pytest.mark.usefixtures("channel")
def test_a_button_is_read_by_its_words_and_by_its_value(db: Db) -> None:
    record(db, reply("Sair da lista", 1, button="x"), reply("Toque aqui", 2, button="stop"))
    record(db, {"phone": phone(3), "button": "SAIR"})

    assert suppressed(db) == [phone(1), phone(2), phone(3)]


@pytest.mark.usefixtures("channel")
def test_an_opt_out_without_a_number_waits_until_a_person_gives_it(db: Db) -> None:
    hidden = {"phone": None, "address": "4639135154355@lid", "text": "SAIR", "provider_id": "a"}
    ((reply_id, provider_id, code),) = record(db, hidden)
    assert (provider_id, code) == ("a", "no_number")
    with refused(db, "RT003", "not an E.164 number"):
        db.execute("select retoma.resolve_reply(%s, 'opt_out')", (reply_id,))

    assert call(db, "select retoma.resolve_reply(%s, 'opt_out', %s)", reply_id, phone(7)) == "opted_out"

    assert suppressed(db) == [phone(7)]
    assert call(db, "select count(*) from retoma.v_reply where state = 'waiting'") == 0


@pytest.mark.usefixtures("channel")
def test_a_person_decides_about_a_near_miss(db: Db) -> None:
    first, second = (row[0] for row in record(db, reply("SAI", 1), reply("SAI", 2)))

    assert call(db, "select retoma.resolve_reply(%s, 'opt_out')", first) == "opted_out"
    assert call(db, "select retoma.resolve_reply(%s, 'no_opt_out')", second) == "settled"

    assert suppressed(db) == [phone(1)]
    assert call(db, "select count(*) from retoma.v_reply where settled_by = session_user") == 2


@pytest.mark.usefixtures("channel")
def test_a_decision_about_a_reply_holds_from_the_time_of_the_reply(db: Db) -> None:
    freeze_clock(db)
    ((reply_id, _, _),) = record(db, reply("SAI", at="2026-03-02T11:00:00Z"))
    db.execute("select retoma.opt_in(%s, 'form')", (phone(1),))

    assert call(db, "select retoma.resolve_reply(%s, 'opt_out')", reply_id) == "outdated"
    assert suppressed(db) == []


@pytest.mark.usefixtures("channel")
def test_decisions_that_cannot_be_are_refused(db: Db) -> None:
    ((reply_id, _, _),) = record(db, reply("SAI"))

    with refused(db, "RT001", "no reply 0"):
        db.execute("select retoma.resolve_reply(0, 'opt_out')")
    for decision in ("yes", None):
        with refused(db, "RT003", "is not a decision"):
            db.execute("select retoma.resolve_reply(%s, %s)", (reply_id, decision))


@pytest.mark.usefixtures("channel")
def test_a_replayed_stop_does_not_undo_a_later_opt_in(db: Db, subtests: pytest.Subtests) -> None:
    freeze_clock(db)
    replays = [
        {"provider_id": "a", "at": "2026-03-02T11:00:00Z"},
        {"provider_id": "b"},
        {"at": "2026-03-02T11:00:00Z"},
    ]
    for number, facts in enumerate(replays):
        with subtests.test(facts=facts):
            record(db, reply("STOP", number, **facts))
            move_clock(db, "10 s")
            db.execute("select retoma.opt_in(%s, 'form')", (phone(number),))

            record(db, reply("STOP", number, **facts), reply("STOP", number, **facts))

            assert suppressed(db) == []
            assert call(db, "select count(*) from retoma.v_reply where phone = %s", phone(number)) == 1


@pytest.mark.usefixtures("channel")
def test_what_comes_twice_in_one_call_is_kept_once(db: Db) -> None:
    with_id = reply(number=1, provider_id="a", at="2026-03-02T11:00:00Z")
    without_id = reply(number=2, at="2026-03-02T11:00:00Z")

    record(
        db, with_id, with_id, without_id, without_id, without_id | {"text": "Oi"}, reply(number=3), with_id
    )

    kept = db.execute("select phone, text from retoma.v_reply order by phone, text").fetchall()
    assert kept == [(phone(1), "SAIR"), (phone(2), "Oi"), (phone(2), "SAIR"), (phone(3), "SAIR")]


@pytest.mark.usefixtures("channel")
def test_a_session_that_was_left_open_holds_replies_up_for_a_second(db: Db, database: str) -> None:
    record(db, reply(number=1, provider_id="a"))
    with psycopg.connect(database) as other:
        other.execute("select retoma.opt_out(%s, 'form')", (phone(1),))

        with pytest.raises(psycopg.errors.LockNotAvailable):
            record(db, reply(number=1, provider_id="b"))
        record(db, reply(number=2, provider_id="c"))
        other.rollback()

    assert suppressed(db) == [phone(1), phone(2)]


@pytest.mark.usefixtures("channel")
def test_a_stop_that_arrives_late_does_not_undo_a_later_opt_in_even_after_clean_up(db: Db) -> None:
    freeze_clock(db)
    db.execute("select retoma.opt_in(%s, 'form')", (phone(1),))

    record(db, reply("STOP", provider_id="late", at="2026-03-01T11:00:00Z"))
    db.execute("delete from retoma_internal.reply")
    record(db, reply("STOP", provider_id="late", at="2026-03-01T11:00:00Z"))

    assert suppressed(db) == []
    assert states(db) == [("outdated", None)]
    assert call(db, "select count(*) from retoma.v_consent where not given") == 1


@pytest.mark.usefixtures("channel")
def test_a_time_in_the_future_counts_as_now(db: Db) -> None:
    freeze_clock(db)
    record(db, reply("SAIR", at="2999-01-01T00:00:00Z"))
    move_clock(db, "1 minute")
    db.execute("select retoma.opt_in(%s, 'form')", (phone(1),))

    assert suppressed(db) == []
    assert call(db, "select at = timestamptz '2026-03-02 12:00 UTC' from retoma.v_reply") is True


def test_a_reply_is_attributed_to_the_campaign_that_the_channel_sent_last(
    db: Db, channel: int, runner: UUID
) -> None:
    make_channel(db, "support")
    for name in ("first", "second"):
        make_campaign(db, name, size=2)
        send_all(db, runner, channel)
    make_campaign(db, "never sent", size=2)
    make_campaign(db, "other channel", size=2, channels=["support"])

    record(db, reply("oi", 1), reply("oi", 9))

    assert db.execute("select campaign from retoma.v_reply order by reply_id").fetchall() == [
        ("second",),
        (None,),
    ]


def test_a_reply_is_attributed_by_any_form_of_the_number_and_by_its_time(
    db: Db, channel: int, runner: UUID
) -> None:
    freeze_clock(db)
    for name in ("morning", "evening"):
        make_campaign(db, name, size=0, start=False)
        db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb([{"phone": "+525587654321"}])))
        db.execute("select retoma.start_campaign(%s)", (name,))
        send_all(db, runner, channel)
        move_clock(db, "6 hours")

    for at in ("2026-03-02T12:00:10Z", "2026-03-02T19:00:00Z", "2026-03-01T12:00:00Z"):
        record(db, {"phone": "+5215587654321", "text": "oi", "at": at})

    campaigns = db.execute("select campaign from retoma.v_reply order by reply_id").fetchall()
    assert campaigns == [("morning",), ("evening",), (None,)]


def test_a_reply_stops_what_is_being_sent(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    record(db, reply("SAIR", 2))

    assert advance(db, leased, accepted(1), want=1).ordinals == []


def test_clean_up_erases_replies_and_keeps_longer_what_waits_for_a_person(db: Db, channel: int) -> None:
    record(db, reply("oi", 1), reply("SAI", 2))
    move_clock(db, "2 days")

    assert call(db, "select replies from retoma.cleanup('1 day')") == 1
    assert states(db) == [("waiting", "near_miss")]

    move_clock(db, "89 days")
    assert call(db, "select replies from retoma.cleanup()") == 1


@pytest.mark.usefixtures("channel")
def test_a_long_text_is_kept_and_understood_by_its_beginning(db: Db) -> None:
    record(db, reply("a " * 1_000 + "não quero mais receber" + " b" * 100_000))

    assert states(db) == [("opted_out", None)]
    assert call(db, "select length(text) from retoma.v_reply") == 4096


@pytest.mark.usefixtures("channel")
def test_a_text_that_is_made_to_be_slow_is_not(db: Db) -> None:
    """The minute is for a busy machine: the hours of a regular expression that refers back are more."""
    db.execute("set statement_timeout = '60 s'")

    record(
        db, *(reply(part * 4096, number) for number, part in enumerate(["ab", "aabb", "a ", "stop ", "!"]))
    )

    assert len(states(db)) == 5


@pytest.mark.usefixtures("channel")
def test_what_cannot_be_a_reply_is_refused(db: Db) -> None:
    cases: list[tuple[object, str]] = [
        ({}, "JSON array"),
        ([1], "JSON array"),
        ([{"text": "SAIR"}], "JSON array"),
        ([{"phone": phone(1)}], "JSON array"),
        ([reply(address="x" * 201)], "JSON array"),
        ([reply(provider_id="x" * 501)], "JSON array"),
        ([{"phone": "11955510001", "text": "SAIR"}], "not an E.164 number"),
        ([reply(at="yesterday or so")], "is not a time"),
        ([reply(at="2026-01-01 12:00 Nowhere/Town")], "is not a time"),
        ([reply(at="infinity")], "is not a time"),
        ([reply(at="-infinity")], "is not a time"),
    ]
    for document, words in cases:
        with refused(db, "RT003", words):
            db.execute("select retoma.record_inbound('sales', %s)", (Jsonb(document),))
    with refused(db, "RT001", "no channel"):
        db.execute("select retoma.record_inbound('nobody', '[]')")
