"""The special parts of WAHA: sessions, errors of WhatsApp itself, and its webhooks."""

import hashlib
import hmac
import json
import math
from collections.abc import Callable

import pytest

from retoma.transports import whatsapp_web
from retoma.transports.base import (
    Alias,
    ConnectionChange,
    Fact,
    Inbound,
    Message,
    NumberCheck,
    Receipt,
    Transport,
    WebhookRefused,
)
from tests.support import transports
from tests.support.gateways import gateway
from tests.support.sandbox_process import SandboxProcess
from tests.transports.scripted_server import scripted

NewSandbox = Callable[..., SandboxProcess]

FOUND = 200, {"id": "true_x_3EB0"}
GONE = 404, {"statusCode": 404, "message": "Message not found"}
SILENT = 500, {"statusCode": 500}

KEY = "a key of the tests"
MESSAGE_ID = "0123456789abcdef0123456789abcdef"
WHATSAPP_ID = "true_5511955500001@c.us_3EB00123456789ABCDEF0123456789ABCDEF"


@pytest.mark.parametrize(
    ("status", "code"),
    [("STARTING", "session_STARTING"), ("FAILED", "session_FAILED"), ("A_NEW_ONE", "session_OTHER")],
)
async def test_a_session_that_does_not_work_is_named(
    sandbox: SandboxProcess, message: Message, status: str, code: str
) -> None:
    session = f"session-{status}"
    sandbox.call("PUT", f"/_sandbox/sessions/{session}", {"status": status})
    transport = transports.create("waha", {"base_url": f"{sandbox.url}/waha", "session": session})

    result = await transport.send(message)

    await transport.aclose()
    assert (result.code, result.http_status) == (code, 422)
    assert sandbox.figures("waha", session)["accepted"] == 0


async def test_a_session_can_fail_in_the_middle_of_a_campaign(
    sandbox: SandboxProcess, message: Message
) -> None:
    sandbox.fault(channel="fails", do="session", session_status="FAILED", after=2)
    transport = transports.create("waha", {"base_url": f"{sandbox.url}/waha", "session": "fails"})

    codes = [(await transport.send(message)).code for _ in range(4)]

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert codes == [None, None, "session_FAILED", "session_FAILED"]


@pytest.mark.parametrize(("number", "code"), [("463", "server_463"), ("599", "server_error")])
async def test_a_refusal_by_whatsapp_itself_is_named(
    sandbox: SandboxProcess, message: Message, number: str, code: str
) -> None:
    body = {"statusCode": 500, "exception": {"message": f"2 UNKNOWN: server returned error {number}"}}
    sandbox.fault(channel="restricted", do="status", status=500, body=body)
    transport = transports.create("waha", {"base_url": f"{sandbox.url}/waha", "session": "restricted"})

    result = await transport.send(message)

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert result.code == code


@pytest.mark.parametrize(
    ("timelock", "code", "waits"),
    [
        ({"isActive": True, "timeEnforcementEnds": 1_800_007_200}, "new_chats_locked", 7200),
        ({"isActive": True, "timeEnforcementEnds": 1_799_999_999}, "new_chats_locked", 0),
        ({"isActive": True, "timeEnforcementEnds": None}, "new_chats_locked", None),
        ({"isActive": False}, "new_chat_refused", None),
        ({"isActive": "yes"}, "server_463", None),
        ({"statusCode": 404, "message": "Cannot GET"}, "server_463", None),
    ],
)
async def test_the_server_is_asked_what_463_means(
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
    timelock: dict[str, object],
    code: str,
    waits: int | None,
) -> None:
    monkeypatch.setattr("retoma.transports.waha.time.time", lambda: 1_800_000_000)
    refusal = {"statusCode": 500, "exception": {"message": "2 UNKNOWN: server returned error 463"}}
    async with gateway() as server:
        server.answer("/api/sendText", refusal, status=500)
        known = "statusCode" not in timelock
        server.answer("/api/sessions/default/timelock", timelock, status=200 if known else 404)
        transport = transports.create("waha", {"base_url": server.url, "session": "default"})
        result = await transport.send(message)
        await transport.aclose()
    assert (result.code, result.http_status, result.retry_after_s) == (code, 500, waits)


@pytest.mark.parametrize(
    "words",
    ["2 UNKNOWN: no LID found for 5511955505000@s.whatsapp.net from server", "Lid is missing in chat table"],
)
async def test_a_person_without_an_address_is_told_from_trouble_of_the_server(
    sandbox: SandboxProcess, message: Message, words: str
) -> None:
    body = {"statusCode": 500, "exception": {"message": words, "name": "Error"}}
    sandbox.fault(channel="unknown", do="status", status=500, body=body)
    transport = transports.create("waha", {"base_url": f"{sandbox.url}/waha", "session": "unknown"})

    result = await transport.send(message)

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert result.code == "no_lid"


async def test_the_api_key_is_sent(
    new_sandbox: NewSandbox, tmp_path_factory: pytest.TempPathFactory, message: Message
) -> None:
    guarded = new_sandbox(tmp_path_factory.mktemp("ledger"), "--api-key", "the right key")
    settings = {"base_url": f"{guarded.url}/waha", "engine": "NOWEB"}
    right = transports.create("waha", settings | {"api_key": "the right key"})
    wrong = transports.create("waha", settings | {"api_key": "another key"})

    codes = [(await transport.send(message)).code for transport in (right, wrong)]

    await right.aclose()
    await wrong.aclose()
    guarded.kill()
    assert codes == [None, "http_401"]


async def test_a_missing_session_does_not_prove_that_a_message_is_absent(message: Message) -> None:
    body = b'{"statusCode":404,"message":"Session \\"sales\\" does not exist"}'
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with scripted(lambda server, reader, writer: server.answer(reader, writer, answer)) as server:
        settings = {"base_url": server.url, "session": "sales", "engine": "NOWEB", "store": True}
        transport = transports.create("waha", settings)
        result = await transport.lookup(message.id, message.phone)
        await transport.aclose()

    assert result == "unknown"


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({"numberExists": True, "chatId": "551155500001@c.us"}, NumberCheck(True, "+551155500001")),
        ({"numberExists": True, "chatId": "70001@lid"}, NumberCheck(True, "70001@lid", "70001@lid")),
        ({"numberExists": True}, NumberCheck(True)),
        ({"numberExists": True, "chatId": "a chat@lid"}, NumberCheck(True)),
        ({"numberExists": False, "chatId": "551155500001@c.us"}, NumberCheck(False)),
        ({"statusCode": 500}, NumberCheck(None)),
    ],
)
async def test_a_number_check_gives_the_chat_to_send_to(answer: object, check: NumberCheck) -> None:
    async with gateway() as server:
        server.answer("/api/contacts/check-exists", answer)
        transport = transports.create("waha", {"base_url": server.url, "session": "loja"})
        assert await transport.check_number("+5511955500001") == check
        await transport.aclose()
    assert server.asked[0].query == {"phone": "5511955500001", "session": "loja"}


@pytest.mark.parametrize(
    ("address", "chat"),
    [(None, "5511955500001@c.us"), ("+551155500001", "551155500001@c.us"), ("70001@lid", "70001@lid")],
)
async def test_a_message_goes_to_its_address(address: str | None, chat: str, message: Message) -> None:
    async with gateway() as server:
        server.answer("/api/sendText", {"id": "true_x_3EB0"})
        transport = transports.create("waha", {"base_url": server.url, "session": "loja"})
        await transport.send(message._replace(phone="+5511955500001", address=address))
        await transport.aclose()
    assert isinstance(server.asked[0].body, dict)
    assert server.asked[0].body["chatId"] == chat


@pytest.mark.parametrize(
    ("under_address", "under_number", "result", "asked"),
    [
        (FOUND, GONE, "found", 1),
        (GONE, FOUND, "found", 2),
        (GONE, GONE, "absent", 2),
        (GONE, SILENT, "unknown", 2),
        (SILENT, GONE, "unknown", 2),
        (SILENT, FOUND, "found", 2),
    ],
)
async def test_absent_means_under_no_name_of_the_chat(
    under_address: tuple[int, object],
    under_number: tuple[int, object],
    result: str,
    asked: int,
    message: Message,
) -> None:
    settings = {"session": "loja", "engine": "NOWEB", "store": True}
    ours = whatsapp_web.whatsapp_id(message.id)
    async with gateway() as server:
        for chat, (status, body) in (("70001@lid", under_address), ("5511955500001@c.us", under_number)):
            path = f"/api/loja/chats/{chat}/messages/true_{chat}_{ours}"
            server.answer(path, body, status=status)
        transport = transports.create("waha", {"base_url": server.url, **settings})
        assert await transport.lookup(message.id, "+5511955500001", "70001@lid") == result
        await transport.aclose()
    assert len(server.asked) == asked


async def test_only_an_id_that_is_not_ours_is_reported(sandbox: SandboxProcess, message: Message) -> None:
    settings = {"base_url": f"{sandbox.url}/waha", "session": "ids"}
    noweb = transports.create("waha", settings | {"engine": "NOWEB"})
    webjs = transports.create("waha", settings | {"engine": "WEBJS"})

    results = [await transport.send(message) for transport in (noweb, webjs)]

    await noweb.aclose()
    await webjs.aclose()
    assert (results[0].provider_id, results[0].took_id) == (None, True)
    assert str(results[1].provider_id).startswith("3EB0")
    assert results[1].took_id is None


THEIRS = "3EB08A6895830F110A5E4D"


@pytest.mark.parametrize(
    ("body", "provider_id", "took_id"),
    [
        ({"id": f"true_5511955500001@c.us_{THEIRS}"}, THEIRS, False),
        ({"id": f"true_123456789012345@lid_{THEIRS}"}, THEIRS, False),
        ({"key": {"remoteJid": "5511955500001@s.whatsapp.net", "fromMe": True, "id": THEIRS}}, THEIRS, False),
        ({"id": {"_serialized": f"true_5511955500001@c.us_{THEIRS}", "id": THEIRS}}, THEIRS, False),
        ({"id": WHATSAPP_ID}, None, True),
        ({"id": WHATSAPP_ID.replace("@c.us", "@lid")}, None, True),
        ({"key": {"id": f"3EB0{MESSAGE_ID.upper()}"}}, None, True),
        ({"status": "PENDING"}, None, None),
        ({"id": ""}, None, None),
        ({"id": 7, "key": "x"}, None, None),
    ],
)
async def test_the_answer_shows_whether_our_id_was_taken(
    sandbox: SandboxProcess,
    message: Message,
    body: dict[str, object],
    provider_id: str | None,
    took_id: bool | None,
) -> None:
    sandbox.fault(channel="shows", do="lie", status=201, body=body)
    settings = {"base_url": f"{sandbox.url}/waha", "session": "shows", "engine": "NOWEB"}
    transport = transports.create("waha", settings)

    result = await transport.send(message._replace(id=MESSAGE_ID))

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert (result.status, result.provider_id, result.took_id) == ("accepted", provider_id, took_id)


def facts(event: dict[str, object], signature: str | None = None, engine: str = "WEBJS") -> list[Fact]:
    """The facts that the transport reads from a signed call."""
    settings = {"base_url": "http://127.0.0.1:3000", "session": "sales", "engine": engine}
    transport: Transport = transports.create("waha", settings | {"webhook_hmac_key": KEY})
    body = json.dumps({"session": "sales", "timestamp": 1741249702485, **event}).encode()
    right = hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()
    return transport.parse_webhook({"x-webhook-hmac": right if signature is None else signature}, body)


@pytest.mark.parametrize(
    ("ack", "status"), [(1, "server"), (2, "delivered"), (3, "read"), (4, "played"), (-1, "failed")]
)
def test_an_ack_becomes_a_receipt_under_our_own_id(ack: int, status: str) -> None:
    (receipt,) = facts({"event": "message.ack", "payload": {"id": WHATSAPP_ID, "fromMe": True, "ack": ack}})

    assert isinstance(receipt, Receipt)
    assert (receipt.message_id, receipt.provider_id) == (MESSAGE_ID, f"3EB0{MESSAGE_ID.upper()}")
    assert (receipt.status, receipt.at) == (status, 1741249702.485)


@pytest.mark.parametrize(
    "chat",
    [
        {"id": f"true_123456789@lid_3EB0{MESSAGE_ID.upper()}"},
        {"id": WHATSAPP_ID, "to": "123456789:7@lid"},
    ],
)
def test_an_ack_from_a_hidden_chat_names_the_person_behind_it(chat: dict[str, object]) -> None:
    (_, alias) = facts({"event": "message.ack", "payload": {**chat, "fromMe": True, "ack": 2}})

    assert alias == Alias("123456789@lid", message_id=MESSAGE_ID, at=1741249702.485)


@pytest.mark.parametrize("engine", ["NOWEB", "GOWS", "WEBJS"])
def test_an_ack_of_a_message_that_is_not_ours_keeps_only_its_own_id(engine: str) -> None:
    # An engine that takes our ids may ignore them: the database knows which ids can be of a message of ours.
    payload = {"id": "true_5511955500001@lid_3EB0C127D7BACC83D6A1", "fromMe": True, "ack": 2}

    (receipt,) = facts({"event": "message.ack", "payload": payload}, engine=engine)

    assert isinstance(receipt, Receipt)
    assert receipt.message_id is None
    assert receipt.provider_id == "3EB0C127D7BACC83D6A1"


def test_a_failed_ack_carries_the_number_of_whatsapps_error() -> None:
    data = {"update": {"messageStubParameters": ["463"]}}
    payload = {"id": WHATSAPP_ID, "fromMe": True, "ack": -1, "_data": data}

    (receipt,) = facts({"event": "message.ack", "payload": payload})

    assert isinstance(receipt, Receipt)
    assert receipt.code == "server_463"


@pytest.mark.parametrize("timestamp", [None, "now", True, -1, 0, 1741249702, 10**18, 10**400, math.nan])
def test_a_time_that_is_none_is_left_out(timestamp: object) -> None:
    payload = {"id": WHATSAPP_ID, "fromMe": True, "ack": 2}

    (receipt,) = facts({"event": "message.ack", "timestamp": timestamp, "payload": payload})

    assert isinstance(receipt, Receipt)
    assert receipt.at is None


def test_a_session_that_stops_or_starts_again_is_a_connection_change() -> None:
    changes = [
        facts({"event": "session.status", "payload": {"status": status}})
        for status in ("WORKING", "FAILED", "SCAN_QR_CODE", "STARTING")
    ]

    assert changes == [
        [ConnectionChange(True, "session_WORKING", 1741249702.485)],
        [ConnectionChange(False, "session_FAILED", 1741249702.485)],
        [ConnectionChange(False, "session_SCAN_QR_CODE", 1741249702.485)],
        [],
    ]


@pytest.mark.parametrize("event", ["message", "message.any"])
def test_a_message_from_a_person_is_inbound_at_the_time_at_which_it_was_written(event: str) -> None:
    payload = {"id": "false_1", "from": "5511955500001@c.us", "fromMe": False, "body": "SAIR"}
    address = "5511955500001@c.us"

    assert facts({"event": event, "payload": payload | {"timestamp": 1741249000}}) == [
        Inbound("+5511955500001", "SAIR", "false_1", 1741249000, address)
    ]
    assert facts({"event": event, "payload": payload}) == [
        Inbound("+5511955500001", "SAIR", "false_1", 1741249702.485, address)
    ]


def test_an_edit_has_the_id_and_the_time_of_its_event() -> None:
    payload = {"id": "false_1", "from": "5511955500001@c.us", "body": "SAIR", "timestamp": 1741249000}

    assert facts({"event": "message.edited", "id": "evt_2", "payload": payload}) == [
        Inbound("+5511955500001", "SAIR", "evt_2", 1741249702.485, "5511955500001@c.us")
    ]


@pytest.mark.parametrize(
    ("data", "text", "button"),
    [
        ({"message": {"buttonsResponseMessage": {"selectedButtonId": "b1"}}}, "", "b1"),
        ({"Message": {"listResponseMessage": {"title": "Sair", "singleSelectReply": None}}}, "Sair", None),
        (
            {"message": {"buttonsResponseMessage": {"Response": {"SelectedDisplayText": "Sair"}}}},
            "Sair",
            None,
        ),
        ({"listResponse": {"singleSelectReply": {"selectedRowId": "r1"}}}, "", "r1"),
        ({"message": {"interactiveResponseMessage": {"body": {"text": "Sair"}}}}, "Sair", None),
    ],
)
def test_a_choice_is_read_from_what_the_engine_passes_on(data: object, text: str, button: str | None) -> None:
    payload = {"id": "false_1", "from": "5511955500001@c.us", "body": None, "_data": data}

    (inbound,) = facts({"event": "message", "payload": payload})

    assert isinstance(inbound, Inbound)
    assert (inbound.text, inbound.button) == (text, button)


@pytest.mark.parametrize(
    "data",
    [
        {"message": {"interactiveResponseMessage": {"nativeFlowResponseMessage": {"paramsJson": "{"}}}},
        {"message": {"buttonsResponseMessage": {"selectedButtonId": 7}}},
        {"message": {"protocolMessage": {"type": "EPHEMERAL_SETTING"}}},
        {"message": ["x"]},
        "x",
    ],
)
def test_a_message_without_words_picture_or_choice_is_no_reply(data: object) -> None:
    payload = {"id": "false_1", "from": "5511955500001@c.us", "body": None, "_data": data}

    assert facts({"event": "message", "payload": payload}) == []


@pytest.mark.parametrize(
    "data",
    [
        {"key": {"remoteJid": "123456789@lid", "remoteJidAlt": "5511955500001@s.whatsapp.net"}},
        {"key": {"remoteJid": "123456789@lid", "senderPn": "5511955500001@s.whatsapp.net"}},
        {"key": {"remoteJidAlt": "", "senderPn": "5511955500001@s.whatsapp.net"}},
        {"Info": {"Sender": "123456789:7@lid", "SenderAlt": "5511955500001:7@s.whatsapp.net"}},
    ],
)
def test_a_hidden_sender_whose_number_the_engine_knows_is_known_by_it(data: dict[str, object]) -> None:
    payload = {"id": "false_1", "from": "123456789@lid", "body": "SAIR", "_data": data}

    assert facts({"event": "message", "payload": payload}) == [
        Inbound("+5511955500001", "SAIR", "false_1", 1741249702.485, "123456789@lid")
    ]


@pytest.mark.parametrize(
    "data",
    [
        {"key": {"remoteJidAlt": "123456789@lid"}},
        {"key": {"senderLid": "123456789@lid"}},
        {"Info": {"SenderAlt": "123456789:7@lid"}},
    ],
)
def test_a_sender_with_a_number_is_also_known_by_the_hidden_address(data: dict[str, object]) -> None:
    payload = {"id": "false_1", "from": "5511955500001@c.us", "body": "Oi", "_data": data}

    assert facts({"event": "message", "payload": payload}) == [
        Inbound("+5511955500001", "Oi", "false_1", 1741249702.485, "123456789@lid")
    ]


@pytest.mark.parametrize(
    "data", [None, {}, {"key": "x"}, {"key": {"remoteJidAlt": "1@lid"}}, {"Info": {"SenderAlt": ""}}]
)
def test_a_hidden_number_is_not_guessed(data: object) -> None:
    payload = {"id": "false_1", "from": "123456789@lid", "body": "SAIR", "_data": data}

    (inbound,) = facts({"event": "message", "payload": payload})

    assert isinstance(inbound, Inbound)
    assert (inbound.phone, inbound.address) == (None, "123456789@lid")


@pytest.mark.parametrize(
    "event",
    [
        {"event": "message.ack", "session": "support", "payload": {"id": WHATSAPP_ID, "ack": 3}},
        {"event": "message.ack", "payload": {"id": WHATSAPP_ID, "ack": 0}},
        {"event": "message", "payload": {"from": "1@g.us", "body": "in a group"}},
        {"event": "message", "payload": {"from": "1@c.us", "body": "our own", "fromMe": True}},
        {"event": "presence.update", "payload": {}},
        {"event": "message.ack", "payload": "no object"},
    ],
)
def test_what_does_not_concern_the_channel_is_no_fact(event: dict[str, object]) -> None:
    assert facts(event) == []


@pytest.mark.parametrize("signature", ["", "0" * 128, "çã"])
def test_a_call_without_the_right_signature_is_refused(signature: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        facts({"event": "session.status", "payload": {"status": "FAILED"}}, signature)

    assert refused.value.http_status == 401
