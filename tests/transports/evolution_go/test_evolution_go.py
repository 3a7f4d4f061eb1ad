"""Evolution GO: requests, answers and webhooks, retold from its source, version 0.6.1 of 25 March 2026."""

import json

import pytest

from retoma.transports.base import (
    Alias,
    ConnectionChange,
    Fact,
    Inbound,
    Message,
    NumberCheck,
    Receipt,
    SendResult,
    WebhookRefused,
)
from tests.support import transports
from tests.support.evolution import go_document
from tests.support.gateways import Asked, gateway

MESSAGE = Message("0123456789abcdef0123456789abcdef", "+5511955500001", {})
OURS = "3EB00123456789ABCDEF0123456789ABCDEF"
THEIRS = "3EB08A6895830F110A5E4D"
TOKEN = "a token of the tests"
TEXT: dict[str, object] = {"kind": "text", "text": "Olá Ana"}
PERSON, HIDDEN = "5511955500001@s.whatsapp.net", "123456789012345@lid"

CONTENTS: list[tuple[dict[str, object], str, dict[str, object]]] = [
    (TEXT, "text", {"text": "Olá Ana"}),
    (
        {"kind": "image", "media": {"link": "https://files.example/offer.png"}, "caption": "Olá"},
        "media",
        {"type": "image", "url": "https://files.example/offer.png", "caption": "Olá"},
    ),
    (
        {"kind": "video", "media": {"link": "https://files.example/tour.mp4"}},
        "media",
        {"type": "video", "url": "https://files.example/tour.mp4"},
    ),
    (
        {"kind": "document", "media": {"link": "https://files.example/7"}, "filename": "Fatura.pdf"},
        "media",
        {"type": "document", "url": "https://files.example/7", "filename": "Fatura.pdf"},
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.mp3"}},
        "media",
        {"type": "audio", "url": "https://files.example/hello.mp3"},
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.mp3"}, "voice": False},
        "media",
        {"type": "document", "url": "https://files.example/hello.mp3", "filename": "hello.mp3"},
    ),
    (
        {"kind": "poll", "question": "Sábado?", "options": ["Sim", "Não"]},
        "poll",
        {"question": "Sábado?", "options": ["Sim", "Não"], "maxAnswer": 1},
    ),
    (
        {"kind": "poll", "question": "Quais?", "options": ["A", "B"], "multiple": True},
        "poll",
        {"question": "Quais?", "options": ["A", "B"], "maxAnswer": 0},
    ),
]


async def sent(
    content: dict[str, object], answer: object, status: int = 200
) -> tuple[SendResult, list[Asked]]:
    """What comes of a content when every call gets this answer, and what the server was asked."""
    async with gateway() as server:
        for call in ("text", "media", "poll"):
            server.answer(f"/send/{call}", answer, status=status)
        transport = transports.create("evolution_go", {"base_url": server.url, "api_key": TOKEN})
        result = await transport.send(MESSAGE._replace(content=content))
        await transport.aclose()
    return result, server.asked


def accepted(identifier: str) -> dict[str, object]:
    info = {"Chat": PERSON, "Sender": "5511955509999:1@s.whatsapp.net", "IsFromMe": True, "ID": identifier}
    return {"message": "success", "data": {"Info": info, "Message": {}, "MessageContextInfo": {}}}


@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_a_content_becomes_the_request_of_its_kind_with_our_id(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    result, (request,) = await sent(content, accepted(OURS))

    assert (result.status, result.took_id, result.provider_id) == ("accepted", True, None)
    assert request.path == f"/send/{path}"
    assert request.headers["apikey"] == TOKEN
    # Never "delay". And the number as it is: with formatJid the server would take its ninth digit out.
    assert request.body == {"number": "+5511955500001", "formatJid": False, "id": OURS, **fields}


@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_an_id_that_the_server_ignores_is_reported_for_each_kind(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    result, _ = await sent(content, accepted(THEIRS))

    assert (result.status, result.took_id, result.provider_id) == ("accepted", False, THEIRS)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "image", "media": {"file": "offer"}},
        {"kind": "buttons", "text": "Olá", "buttons": [{"id": "1", "title": 'a "quote"'}]},
        {"kind": "list", "text": "Olá", "button": "Ver", "sections": []},
    ],
)
async def test_what_it_cannot_say_is_refused_before_anything_is_written(content: dict[str, object]) -> None:
    result, asked = await sent(content, accepted(OURS))

    assert asked == []
    assert (result.status, result.code, result.written) == ("error", "content_not_supported", False)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "message body is required"}, "invalid_request"),
        (400, b"<html>Bad Request</html>", "http_400"),
        (401, {"error": "not authorized"}, "http_401"),
        (500, {"error": "no active session found"}, "session_down"),
        (500, {"error": "client disconnected"}, "session_down"),
        (500, {"error": "failed to connect client: client disconnected"}, "session_down"),
        (500, {"error": "number +5511955500001 is not registered on WhatsApp"}, "not_on_whatsapp"),
        (500, {"error": "Invalid file format: 'text/html'. Only 'image/jpeg' …"}, "media_refused"),
        (500, {"error": "invalid media type"}, "media_refused"),
        (500, {"error": 'Get "https://files.example/7": dial tcp: no such host'}, "media_unreachable"),
        (500, {"error": "server returned error 463"}, "server_463"),
        (500, {"error": "server returned error 479"}, "server_479"),
        (500, {"error": "server returned error 420"}, "server_error"),
        # These may come after the message was written.
        (500, {"error": "timed out waiting for message send response"}, "http_500"),
        (500, {"error": "failed to send: client disconnected while waiting"}, "http_500"),
        (500, {"error": "instance not found"}, "http_500"),
        (500, {"error": None}, "http_500"),
        (500, b"", "http_500"),
        (502, {"error": "client disconnected"}, "http_502"),
    ],
)
async def test_an_error_is_named_by_what_it_proves(status: int, body: object, code: str) -> None:
    result, _ = await sent(TEXT, body, status)

    assert result == SendResult("error", code=code, http_status=status, written=True)


@pytest.mark.parametrize("answer", [{}, {"message": "success", "data": None}, b"", b"<html>OK</html>"])
async def test_an_answer_that_is_not_the_servers_proves_nothing(answer: object) -> None:
    result, _ = await sent(TEXT, answer)

    assert (result.status, result.code, result.written) == ("error", "unreadable_answer", True)


def stored(identifier: str) -> dict[str, object]:
    return {"message": "success", "data": {"result": {"message_id": identifier, "status": "Read"}}}


@pytest.mark.parametrize(
    ("store", "answer", "status", "expected"),
    [
        (True, stored(OURS), 200, "found"),
        (True, stored(THEIRS), 200, "unknown"),
        (True, {"message": "success", "data": {"result": None}}, 200, "unknown"),
        (True, {"error": "client disconnected"}, 500, "unknown"),
        (True, b"", 200, "unknown"),
        (False, stored(OURS), 200, "unknown"),
    ],
)
async def test_a_lookup_can_prove_only_that_a_message_is_there(
    store: bool, answer: object, status: int, expected: str
) -> None:
    async with gateway() as server:
        server.answer("/message/status", answer, status=status)
        transport = transports.create("evolution_go", {"base_url": server.url, "store": store})
        assert await transport.lookup(MESSAGE.id, MESSAGE.phone) == expected
        await transport.aclose()

    assert [request.body for request in server.asked] == ([{"id": OURS}] if store else [])


def users(*found: dict[str, object]) -> dict[str, object]:
    return {"message": "success", "data": {"Users": list(found)}}


YES: dict[str, object] = {"Query": "+5511955500001", "IsInWhatsapp": True, "RemoteJID": PERSON, "LID": HIDDEN}
NO: dict[str, object] = {"Query": "+5511955500001", "IsInWhatsapp": False, "RemoteJID": ""}


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        (users(YES), NumberCheck(True, "+5511955500001", HIDDEN)),
        (users({**YES, "LID": ""}), NumberCheck(True, "+5511955500001")),
        (users({**YES, "LID": "", "RemoteJID": HIDDEN}), NumberCheck(True, HIDDEN, HIDDEN)),
        (users({**YES, "LID": "", "RemoteJID": "1203@g.us"}), NumberCheck(True)),
        (users(NO), NumberCheck(False)),
        (users(), NumberCheck(None)),
        (users(YES, NO), NumberCheck(None)),
        ({"message": "success", "data": None}, NumberCheck(None)),
        (b"", NumberCheck(None)),
    ],
)
async def test_a_number_check_says_yes_no_or_that_it_does_not_know(
    answer: object, check: NumberCheck
) -> None:
    async with gateway() as server:
        server.answer("/user/check", answer)
        transport = transports.create("evolution_go", {"base_url": server.url})
        assert await transport.check_number(MESSAGE.phone) == check
        await transport.aclose()

    assert [request.body for request in server.asked] == [{"number": ["+5511955500001"], "formatJid": False}]


def parsed(event: str, data: object, token: object = TOKEN, **more: object) -> list[Fact]:
    transport = transports.create("evolution_go", {"base_url": "http://127.0.0.1:8080", "api_key": TOKEN})
    return transport.parse_webhook({}, json.dumps(go_document(event, data, token, **more)).encode())


RECEIPT = {
    "Chat": HIDDEN,
    "Sender": HIDDEN,
    "IsFromMe": False,
    "IsGroup": False,
    "MessageIDs": [OURS, THEIRS],
    "Timestamp": "2026-09-21T14:13:20-03:00",
    "Type": "read",
}


@pytest.mark.parametrize(("state", "status"), [("Delivered", "delivered"), ("Read", "read")])
def test_a_receipt_tells_of_each_of_its_messages(state: str, status: str) -> None:
    facts = parsed("Receipt", RECEIPT, state=state)

    at = 1790010800.0
    assert facts == [
        Receipt(MESSAGE.id, OURS, status, None, at),  # type: ignore[arg-type]
        Receipt(None, THEIRS, status, None, at),  # type: ignore[arg-type]
        Alias(HIDDEN, message_id=MESSAGE.id, at=at),
    ]
    by_number = parsed("Receipt", {**RECEIPT, "Chat": PERSON}, state=state)
    of_others = parsed("Receipt", {**RECEIPT, "MessageIDs": [THEIRS]}, state=state)
    assert [fact for fact in (*by_number, *of_others) if isinstance(fact, Alias)] == []


@pytest.mark.parametrize("state", ["ReadSelf", "", None, 7])
def test_what_we_read_ourselves_is_no_receipt(state: object) -> None:
    assert parsed("Receipt", RECEIPT, state=state) == []


@pytest.mark.parametrize("timestamp", [None, 7, "now", "2026-09-21T14:13:20", "0001-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_left_out(timestamp: object) -> None:
    (receipt, _, _) = parsed("Receipt", {**RECEIPT, "Timestamp": timestamp}, state="Read")

    assert isinstance(receipt, Receipt)
    assert receipt.at is None


def test_a_message_that_whatsapp_took_is_reported_as_passed_on() -> None:
    info = {"ID": OURS, "IsFromMe": True, "Timestamp": "2026-09-21T17:13:20.5Z"}

    assert parsed("SendMessage", {"Info": info}) == [Receipt(MESSAGE.id, OURS, "server", None, 1790010800.5)]
    assert parsed("SendMessage", {"Info": {**info, "ID": THEIRS}}) == []


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("Connected", ConnectionChange(True, "session_connected")),
        ("LoggedOut", ConnectionChange(False, "session_logged_out")),
        ("TemporaryBan", ConnectionChange(False, "session_banned")),
        ("ConnectFailure", ConnectionChange(False, "session_connect_failure")),
        ("QRCode", ConnectionChange(False, "session_qr_code")),
        ("QRTimeout", ConnectionChange(False, "session_qr_timeout")),
    ],
)
def test_the_connection(event: str, change: ConnectionChange) -> None:
    assert parsed(event, {"reason": "x"}) == [change]


@pytest.mark.parametrize("event", ["Disconnected", "PairSuccess", "Presence", None, 7])
def test_what_settles_by_itself_or_does_not_concern_the_channel_is_no_fact(event: str) -> None:
    assert parsed(event, {}) == []


def inbound(info: dict[str, object], message: object) -> list[Fact]:
    every = {"ID": "in-1", "IsFromMe": False, "IsGroup": False, "Timestamp": "2026-09-21T17:13:20Z"}
    return parsed("Message", {"Info": {**every, **info}, "Message": message})


@pytest.mark.parametrize(
    ("info", "phone", "address"),
    [
        ({"Chat": PERSON, "Sender": PERSON, "SenderAlt": ""}, "+5511955500001", PERSON),
        ({"Chat": PERSON, "Sender": PERSON, "SenderAlt": "123456789012345:7@lid"}, "+5511955500001", HIDDEN),
        ({"Chat": HIDDEN, "Sender": "123456789012345:7@lid", "SenderAlt": PERSON}, "+5511955500001", HIDDEN),
        ({"Chat": HIDDEN, "Sender": HIDDEN, "SenderAlt": ""}, None, HIDDEN),
    ],
)
def test_a_person_is_known_by_number_and_by_the_hidden_address(
    info: dict[str, object], phone: str | None, address: str
) -> None:
    assert inbound(info, {"conversation": "SAIR"}) == [Inbound(phone, "SAIR", "in-1", 1790010800.0, address)]


def test_the_choice_of_a_person() -> None:
    message = {
        "buttonsResponseMessage": {"Response": {"SelectedDisplayText": "Sair"}, "selectedButtonID": "s"}
    }

    (reply,) = inbound({"Chat": PERSON}, message)

    assert isinstance(reply, Inbound)
    assert (reply.text, reply.button) == ("Sair", "s")


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"Chat": PERSON, "IsFromMe": True}, {"conversation": "our own"}),
        ({"Chat": "123-456@g.us", "IsGroup": True}, {"conversation": "in a group"}),
        ({"Chat": "status@broadcast"}, {"conversation": "a status"}),
        ({"Chat": PERSON}, {"reactionMessage": {"text": "👍"}}),
        ({"Chat": PERSON}, None),
    ],
)
def test_what_no_person_wrote_to_the_channel_is_no_reply(info: dict[str, object], message: object) -> None:
    assert inbound(info, message) == []


@pytest.mark.parametrize("token", [None, "", "another token", 7, "çã", ["a token of the tests"]])
def test_a_call_without_the_token_of_the_instance_is_refused(token: object) -> None:
    with pytest.raises(WebhookRefused) as refused:
        parsed("LoggedOut", {}, token)

    assert refused.value.http_status == 401
