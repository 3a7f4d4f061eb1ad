"""People whose number a provider hides: an opt-out by another address reaches the number of the list."""

import time
from typing import Any

import pytest

from tests.support.campaigns import Db, call, make_campaign, make_channel, make_runner, phone, send_all
from tests.support.evolution import KEY, api_call, go_call
from tests.support.receivers import SECRET, Receiver
from tests.transports.whatsapp_cloud import payloads as p

BASE: dict[str, object] = {"base_url": "http://127.0.0.1:1"}
GATEWAY = BASE | {"check_numbers": False}
SETTINGS: dict[str, dict[str, Any]] = {
    "waha": GATEWAY | {"session": "S", "engine": "GOWS", "webhook_hmac_key": SECRET},
    "evolution": GATEWAY | {"instance": "loja", "jwt_key": KEY},
    "evolution_go": GATEWAY | {"api_key": KEY},
    "whatsapp_cloud": BASE
    | {"phone_number_id": p.NUMBER_ID, "access_token": "a token", "app_secret": SECRET},
}
LID = "123456789012345@lid"


@pytest.fixture
def ours(db: Db, transport: str) -> str:
    """The id of a message that was sent to phone(1) on the channel sales."""
    gaps: dict[str, Any] = {} if transport == "whatsapp_cloud" else {"gap_min_s": 0, "batch_gap_min_s": 0}
    channel = make_channel(db, transport=transport, settings=SETTINGS[transport], **gaps)
    make_campaign(db, size=1)
    send_all(db, make_runner(db), channel)
    message_id: str = call(db, "select message_id from retoma.v_message")
    return message_id


def says(receiver: Receiver, transport: str, words: str) -> None:
    """A message of a person of whom the provider shows no number."""
    match transport:
        case "waha":
            payload = {"id": "false_1", "from": LID, "fromMe": False, "body": words}
            event = {"event": "message", "session": "S", "payload": payload}
            assert receiver.waha("sales", event) == (200, {"facts": 1})
        case "evolution":
            key = {"id": "in-1", "remoteJid": LID, "fromMe": False}
            data = {"key": key, "message": {"conversation": words}, "messageTimestamp": int(time.time())}
            assert receiver.post("sales", *api_call("messages.upsert", data, KEY)) == (200, {"facts": 1})
        case "evolution_go":
            info = {"ID": "in-1", "Chat": LID, "Sender": LID, "IsFromMe": False, "IsGroup": False}
            data = {"Info": info, "Message": {"conversation": words}}
            assert receiver.post("sales", *go_call("Message", data, KEY)) == (200, {"facts": 1})
        case _:
            hidden = p.inbound("text", {"body": words}, timestamp=str(int(time.time())))
            del hidden["from"]
            assert receiver.meta("sales", p.call("messages", p.messages(messages=[hidden])))[0] == 200


def reports(receiver: Receiver, transport: str, message_id: str) -> None:
    """A receipt of our message, which names the person by the same address, without the number."""
    theirs = f"3EB0{message_id.upper()}"
    match transport:
        case "waha":
            payload = {"id": f"true_{LID}_{theirs}", "to": LID, "fromMe": True, "ack": 2}
            assert (
                receiver.waha("sales", {"event": "message.ack", "session": "S", "payload": payload})[0] == 200
            )
        case "evolution":
            data: dict[str, Any] = {"keyId": theirs, "remoteJid": LID, "fromMe": True, "status": "READ"}
            assert receiver.post("sales", *api_call("messages.update", data, KEY))[0] == 200
        case "evolution_go":
            data = {"MessageIDs": [theirs], "Chat": LID, "Sender": LID, "IsFromMe": False}
            assert receiver.post("sales", *go_call("Receipt", data, KEY, state="Read"))[0] == 200
        case _:
            status = p.status("delivered", biz_opaque_callback_data=message_id)
            del status["recipient_id"]
            assert receiver.meta("sales", p.call("messages", p.messages(statuses=[status])))[0] == 200


def suppressed(db: Db) -> list[str]:
    return [row[0] for row in db.execute("select phone from retoma.v_suppression order by 1")]


@pytest.mark.parametrize("transport", SETTINGS)
@pytest.mark.parametrize("receipt_first", [True, False])
def test_the_receipt_of_a_message_tells_who_wrote_under_a_hidden_address(
    db: Db, receiver: Receiver, transport: str, ours: str, receipt_first: bool
) -> None:
    if receipt_first:
        reports(receiver, transport, ours)
    says(receiver, transport, "SAIR")
    assert bool(suppressed(db)) is receipt_first
    reports(receiver, transport, ours)

    assert suppressed(db) == [phone(1)]
    assert db.execute("select phone, campaign, state from retoma.v_reply").fetchall() == [
        (phone(1), "natal", "opted_out")
    ]
    lines = [line for line in receiver.end() if line["event"] != "reply_waits_for_a_person"]
    told = [] if receipt_first else [("numbers_of_opt_outs_learnt", "sales", 1)]
    assert [(line["event"], line["channel"], line["opt_outs"]) for line in lines] == told


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("transport", ["whatsapp_cloud"])
def test_who_stops_marketing_under_an_id_is_known_by_the_number(db: Db, receiver: Receiver) -> None:
    stop = {"user_id": "BR.new", "category": "marketing_messages", "value": "stop", "timestamp": p.AT}
    notice = {"type": "user_changed_user_id", "user_id": "BR.new", "previous_user_id": p.USER_ID}
    status = p.status("sent", biz_opaque_callback_data=None)
    moved = p.inbound("system", {"body": "User …", **notice})

    for field, value in (
        ("user_preferences", {"user_preferences": [stop]}),
        ("messages", {"statuses": [status]}),
        ("messages", {"messages": [moved]}),
    ):
        assert suppressed(db) == []
        assert receiver.meta("sales", p.call(field, p.messages(**value)))[0] == 200

    assert suppressed(db) == [f"+{p.PERSON}"]
    assert db.execute("select phone, state, settled_by from retoma.v_reply").fetchall() == [
        (f"+{p.PERSON}", "opted_out", "number learnt")
    ]
