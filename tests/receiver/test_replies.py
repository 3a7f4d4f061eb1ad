"""Replies, as providers report them: who wants no more messages gets none, and nobody is overlooked."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, books, call, make_campaign, make_channel, make_runner, send_all
from tests.support.receivers import SECRET, Receiver

SETTINGS = {
    "base_url": "http://127.0.0.1:1",
    "session": "S",
    "engine": "NOWEB",
    "webhook_hmac_key": SECRET,
    "check_numbers": False,
}
TIME_MS = 1764222900005
ME = "5511955500099@c.us"


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db, transport="waha", settings=SETTINGS, gap_min_s=0, batch_gap_min_s=0)


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


def event(
    name: str = "message", *, sender: str = "5511955510001@c.us", at: int = TIME_MS, **payload: Any
) -> dict[str, Any]:
    """An event of WAHA about a message from a person; at: Unix milliseconds."""
    message = {
        "id": f"false_{sender}_3A8E",
        "timestamp": at // 1000,
        "from": sender,
        "fromMe": False,
        "body": "SAIR",
        "hasMedia": False,
    }
    return {
        "id": f"evt_{at}",
        "timestamp": at,
        "event": name,
        "session": "S",
        "engine": "NOWEB",
        "me": {"id": ME},
        "payload": message | payload,
    }


def suppressed(db: Db) -> list[str]:
    return [row[0] for row in db.execute("select phone from retoma.v_suppression order by 1")]


def button(kind: str, **fields: Any) -> dict[str, Any]:
    return {"body": None, "_data": {"message": {kind: fields}}}


def test_a_reply_from_an_older_form_of_a_number_skips_the_number_of_the_list(
    db: Db, receiver: Receiver, channel: int, runner: UUID
) -> None:
    replied = ["5215587654321", "5491123456789", "22505345678", "551195551000", "22997000001"]
    listed = ["+525587654321", "+541123456789", "+2250505345678", "+5511995551000", "+2290197000001"]
    make_campaign(db, size=0, start=False)
    recipients = Jsonb([{"phone": phone} for phone in listed])
    db.execute("select retoma.add_recipients('natal', %s)", (recipients,))
    db.execute("select retoma.start_campaign('natal')")

    for number in replied:
        assert receiver.waha("sales", event(sender=f"{number}@c.us")) == (200, {"facts": 1})

    assert send_all(db, runner, channel) == []
    assert books(db) == {"skipped": 5}


@pytest.mark.usefixtures("channel")
def test_whatever_field_holds_the_number_of_a_hidden_sender_it_is_found(
    db: Db, receiver: Receiver, subtests: pytest.Subtests
) -> None:
    cases: list[dict[str, Any]] = [
        {"key": {"remoteJidAlt": "{}@s.whatsapp.net"}},
        {"key": {"senderPn": "{}@s.whatsapp.net"}},
        {"key": {"remoteJidAlt": "", "senderPn": "{}@s.whatsapp.net"}},
        {"key": {"remoteJidAlt": "1@lid", "senderPn": "{}@s.whatsapp.net"}},
        {"Info": {"SenderAlt": "{}:12@s.whatsapp.net"}},
    ]
    for number, data in enumerate(cases):
        with subtests.test(data=data):
            phone = f"551195551{number:04}"
            filled = {
                group: {name: value.format(phone) for name, value in facts.items()}
                for group, facts in data.items()
            }
            hidden = event(sender=f"463913515{number}@lid", _data=filled)

            assert receiver.waha("sales", hidden)[0] == 200

            assert f"+{phone}" in suppressed(db)


@pytest.mark.usefixtures("channel")
def test_an_opt_out_without_a_number_is_listed_for_a_person_and_logged(db: Db, receiver: Receiver) -> None:
    assert receiver.waha("sales", event(sender="4639135154355@lid"))[0] == 200

    assert db.execute("select address, state, code from retoma.v_reply").fetchall() == [
        ("4639135154355@lid", "waiting", "no_number")
    ]
    (line,) = receiver.end()
    assert (line["event"], line["channel"], line["code"]) == (
        "reply_waits_for_a_person",
        "sales",
        "no_number",
    )
    assert "SAIR" not in str(line)


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize("names", [["message"], ["message.any"], ["message", "message.any"]])
def test_each_subscription_that_brings_messages_counts_and_both_count_once(
    db: Db, receiver: Receiver, names: list[str]
) -> None:
    for name in names:
        assert receiver.waha("sales", event(name))[0] == 200

    assert suppressed(db) == ["+5511955510001"]
    assert call(db, "select count(*) from retoma.v_reply") == 1


@pytest.mark.usefixtures("channel")
def test_what_the_account_itself_wrote_is_no_reply(db: Db, receiver: Receiver) -> None:
    assert receiver.waha("sales", event("message.any", fromMe=True, source="api")) == (200, {"facts": 0})

    assert call(db, "select count(*) from retoma.v_reply") == 0


@pytest.mark.usefixtures("channel")
def test_a_choice_is_an_opt_out_by_its_words_or_its_value(
    db: Db, receiver: Receiver, subtests: pytest.Subtests
) -> None:
    flow = {"paramsJson": '{"id": "sair"}'}
    cases: list[dict[str, Any]] = [
        button("buttonsResponseMessage", selectedButtonId="sair", selectedDisplayText="SAIR"),
        button("buttonsResponseMessage", selectedButtonId="stop", selectedDisplayText="Toque aqui"),
        button("templateButtonReplyMessage", selectedId="x", selectedDisplayText="Sair da lista"),
        button("listResponseMessage", title="Parar", singleSelectReply={"selectedRowId": "3"}),
        button("listResponseMessage", title="C", singleSelectReply={"selectedRowId": "stop"}),
        button("interactiveResponseMessage", body={"text": "Ok"}, nativeFlowResponseMessage=flow),
        button("ephemeralMessage", message={"buttonsResponseMessage": {"selectedDisplayText": "SAIR"}}),
        {"body": "", "_data": {"Message": {"buttonsResponseMessage": {"selectedButtonID": "sair"}}}},
        {"body": "Toque aqui", "_data": {"selectedButtonId": "sair"}},
    ]
    for number, payload in enumerate(cases):
        with subtests.test(payload=payload):
            phone = f"551195551{number:04}"
            assert receiver.waha("sales", event(sender=f"{phone}@c.us", **payload))[0] == 200

            assert f"+{phone}" in suppressed(db)


@pytest.mark.usefixtures("channel")
def test_a_message_that_is_edited_into_an_opt_out_is_one(db: Db, receiver: Receiver) -> None:
    """Even where the edit has the id and the time of the original."""
    assert receiver.waha("sales", event(body="Oi"))[0] == 200
    edited = event("message.edited", at=TIME_MS + 5_000) | {"id": "evt_2"}
    edited["payload"] |= {"timestamp": TIME_MS // 1000, "editedMessageId": "3A8E"}
    for _ in range(2):
        assert receiver.waha("sales", edited)[0] == 200

    assert suppressed(db) == ["+5511955510001"]
    assert call(db, "select count(*) from retoma.v_reply") == 2


@pytest.mark.usefixtures("channel")
def test_a_replayed_stop_does_not_undo_a_later_opt_in(db: Db, receiver: Receiver) -> None:
    assert receiver.waha("sales", event())[0] == 200
    db.execute("select retoma.opt_in('+5511955510001', 'form')")

    assert receiver.waha("sales", event())[0] == 200
    db.execute("delete from retoma_internal.reply")
    assert receiver.waha("sales", event())[0] == 200

    assert suppressed(db) == []


@pytest.mark.usefixtures("channel")
def test_a_replayed_report_of_the_session_changes_nothing(db: Db, receiver: Receiver) -> None:
    def report(status: str, at: int) -> None:
        document = {"timestamp": at, "event": "session.status", "session": "S", "payload": {"status": status}}
        assert receiver.waha("sales", document) == (200, {"facts": 1})

    report("FAILED", TIME_MS)
    report("WORKING", TIME_MS + 1)
    report("FAILED", TIME_MS)
    assert call(db, "select state from retoma.v_channel") == "connected"

    report("STOPPED", TIME_MS + 2)
    report("WORKING", TIME_MS + 1)
    assert call(db, "select state from retoma.v_channel") == "disconnected"


@pytest.mark.usefixtures("channel")
def test_a_picture_is_a_reply_and_a_notice_of_the_engine_is_none(db: Db, receiver: Receiver) -> None:
    receiver.waha("sales", event(body=None, hasMedia=True, id="a"))
    receiver.waha("sales", event(body=None, id="b"))

    assert db.execute("select text, state from retoma.v_reply").fetchall() == [("", "no_action")]


def test_a_receiver_of_ones_own_reports_buttons_ids_and_times(
    db: Db, new_receiver: Callable[..., Receiver]
) -> None:
    make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1:1", "secret": SECRET})
    sent = {"from": "+5511955510001", "button": "stop", "id": "in-1", "at": TIME_MS / 1000}
    receiver = new_receiver()

    assert receiver.hook("sales", {"inbound": [sent]}) == (200, {"facts": 1})
    db.execute("select retoma.opt_in('+5511955510001', 'form')")
    assert receiver.hook("sales", {"inbound": [sent]}) == (200, {"facts": 1})

    assert suppressed(db) == []
    assert call(db, "select button from retoma.v_reply") == "stop"
