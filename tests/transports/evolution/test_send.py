"""Evolution API: its requests for each kind of content, and what its answers mean.

The answers are retold from its source: 2.3.6, and branch develop of 17 May 2026 (2.4.0-rc2): the schemas in
src/validate, the try blocks of whatsapp.baileys.service.ts, and the handler of errors in main.ts.
"""

import pytest

from retoma.transports.base import Message, NumberCheck, SendResult
from tests.support import transports
from tests.support.gateways import Asked, gateway

MESSAGE = Message("0123456789abcdef0123456789abcdef", "+5511955500001", {})
OURS = "3EB00123456789ABCDEF0123456789ABCDEF"
THEIRS = "3EB08A6895830F110A5E4D"
TEXT: dict[str, object] = {"kind": "text", "text": "Olá Ana"}
PICTURE = {"link": "https://files.example/may/offer.png"}
BUTTONS = [{"id": "yes", "title": "Sim"}, {"id": "stop", "title": "Sair"}]

CONTENTS: list[tuple[dict[str, object], str, dict[str, object]]] = [
    (TEXT, "sendText", {"text": "Olá Ana"}),
    (
        {"kind": "image", "media": {"mimetype": "image/png", "data": "iVBORw=="}},
        "sendMedia",
        {"mediatype": "image", "media": "iVBORw==", "mimetype": "image/png"},
    ),
    (
        {"kind": "document", "media": {"mimetype": "application/pdf", "data": "JVBERi0="}, "filename": "a"},
        "sendMedia",
        {"mediatype": "document", "media": "JVBERi0=", "mimetype": "application/pdf", "fileName": "a"},
    ),
    (
        {"kind": "audio", "media": {"mimetype": "audio/ogg", "data": "T2dnUw=="}},
        "sendWhatsAppAudio",
        {"audio": "T2dnUw=="},
    ),
    (
        {"kind": "image", "media": PICTURE, "caption": "Olá"},
        "sendMedia",
        {"mediatype": "image", "media": PICTURE["link"], "mimetype": "image/png", "caption": "Olá"},
    ),
    (
        {"kind": "video", "media": {"link": "https://files.example/tour"}},
        "sendMedia",
        {"mediatype": "video", "media": "https://files.example/tour", "mimetype": "video/mp4"},
    ),
    (
        {"kind": "document", "media": {"link": "https://files.example/7"}, "filename": "Fatura.pdf"},
        "sendMedia",
        {
            "mediatype": "document",
            "media": "https://files.example/7",
            "mimetype": "application/pdf",
            "fileName": "Fatura.pdf",
        },
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.mp3"}, "voice": False},
        "sendMedia",
        {"mediatype": "audio", "media": "https://files.example/hello.mp3", "mimetype": "audio/mpeg"},
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.ogg"}, "voice": True},
        "sendWhatsAppAudio",
        {"audio": "https://files.example/hello.ogg"},
    ),
    (
        {"kind": "poll", "question": "Sábado?", "options": ["Sim", "Não"]},
        "sendPoll",
        {"name": "Sábado?", "values": ["Sim", "Não"], "selectableCount": 1},
    ),
    (
        {"kind": "poll", "question": "Quais?", "options": ["A", "B"], "multiple": True},
        "sendPoll",
        {"name": "Quais?", "values": ["A", "B"], "selectableCount": 0},
    ),
    (
        {"kind": "buttons", "header": {"text": "Maio"}, "text": "Vem?", "footer": "Loja", "buttons": BUTTONS},
        "sendButtons",
        {
            "title": "Maio",
            "description": "Vem?",
            "footer": "Loja",
            "buttons": [
                {"type": "reply", "id": "yes", "displayText": "Sim"},
                {"type": "reply", "id": "stop", "displayText": "Sair"},
            ],
        },
    ),
    (
        {"kind": "buttons", "header": {"image": PICTURE}, "text": "Vem?\nSó hoje", "buttons": BUTTONS[:1]},
        "sendButtons",
        {
            "title": "Vem?",
            "description": "Só hoje",
            "thumbnailUrl": PICTURE["link"],
            "buttons": [{"type": "reply", "id": "yes", "displayText": "Sim"}],
        },
    ),
]
WITHOUT_ID = ("sendWhatsAppAudio", "sendButtons")


async def sent(
    content: dict[str, object], answer: object, status: int = 201
) -> tuple[SendResult, list[Asked]]:
    """What comes of a content when every call gets this answer, and what the server was asked."""
    async with gateway() as server:
        for call in ("sendText", "sendMedia", "sendWhatsAppAudio", "sendPoll", "sendButtons"):
            server.answer(f"/message/{call}/loja", answer, status=status)
        transport = transports.create(
            "evolution", {"base_url": server.url, "instance": "loja", "api_key": "a key of the tests"}
        )
        result = await transport.send(MESSAGE._replace(content=content))
        await transport.aclose()
    return result, server.asked


def accepted(identifier: str) -> dict[str, object]:
    key = {"remoteJid": "5511955500001@s.whatsapp.net", "fromMe": True, "id": identifier}
    return {"key": key, "pushName": "", "status": "PENDING", "messageTimestamp": 1790000000}


@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_a_content_becomes_the_request_of_its_kind(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    result, (request,) = await sent(content, accepted(OURS))

    assert (result.status, result.code) == ("accepted", None)
    assert request.path == f"/message/{path}/loja"
    assert request.headers["apikey"] == "a key of the tests"
    gives_id = {} if path in WITHOUT_ID else {"messageId": OURS}
    # Never "delay": the server would send after our own deadline.
    assert request.body == {"number": "5511955500001", **fields, **gives_id}


@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_whether_our_id_was_taken_is_learnt_from_the_answer_of_each_kind(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    old, _ = await sent(content, accepted(THEIRS))
    new, _ = await sent(content, accepted(OURS))

    can_carry_it = path not in WITHOUT_ID
    assert (old.status, old.provider_id) == ("accepted", THEIRS)
    assert old.took_id is (False if can_carry_it else None)
    assert new.took_id is (True if can_carry_it else None)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "image", "media": {"file": "offer"}},
        {"kind": "list", "text": "Olá", "button": "Ver", "sections": []},
        {"kind": "template", "name": "may", "language": "pt_BR"},
        {"kind": "buttons", "text": "Olá", "header": {"video": PICTURE}, "buttons": BUTTONS},
    ],
)
async def test_what_it_cannot_say_is_refused_before_anything_is_written(content: dict[str, object]) -> None:
    result, asked = await sent(content, accepted(OURS))

    assert asked == []
    assert (result.status, result.code, result.written) == ("error", "content_not_supported", False)


async def test_an_empty_answer_was_accepted_only_where_our_id_can_be_in_it() -> None:
    with_id, _ = await sent(CONTENTS[1][0], b"")
    without_id, _ = await sent(CONTENTS[8][0], b"")

    assert (with_id.status, with_id.took_id, with_id.provider_id) == ("accepted", None, None)
    assert (without_id.status, without_id.code) == ("error", "unreadable_answer")


@pytest.mark.parametrize("answer", [{}, {"key": {}}, [], b"<html>OK</html>", b"{"])
async def test_an_answer_that_is_not_the_servers_proves_nothing(answer: object) -> None:
    result, _ = await sent(TEXT, answer)

    assert (result.status, result.code, result.written) == ("error", "unreadable_answer", True)


def error(status: int, message: object) -> dict[str, object]:
    names = {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}
    return {"status": status, "error": names[status], "response": {"message": message}}


ABSENT = {"jid": "5511955500001@s.whatsapp.net", "exists": False, "number": "5511955500001"}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, error(400, [ABSENT]), "not_on_whatsapp"),
        (400, error(400, [['requires property "text"']]), "invalid_request"),
        (400, error(400, ["Text is required"]), "invalid_request"),
        (400, error(400, ["Owned media must be a url or base64"]), "invalid_request"),
        # After the message went out: the database, a webhook, or anything else in the same try block.
        (
            400,
            error(400, ["PrismaClientKnownRequestError: Invalid `message.create()`"]),
            "refused_while_sending",
        ),
        (400, error(400, ["[object Object]"]), "refused_while_sending"),
        (400, error(400, [{"exists": True}]), "refused_while_sending"),
        (400, error(400, None), "refused_while_sending"),
        (400, error(400, [[]]), "refused_while_sending"),
        (400, error(400, ["Error: Connection Closed"]), "connection_closed"),
        (400, {"message": "Bad Request"}, "http_400"),
        (400, b"<html>Bad Request</html>", "http_400"),
        (500, error(500, "Connection Closed"), "connection_closed_before"),
        (500, error(500, ["Error: getaddrinfo ENOTFOUND files.example"]), "failed_before_sending"),
        (500, error(500, "Do not know how to serialize a BigInt"), "http_500"),
        (500, error(500, "Converting circular structure to JSON"), "http_500"),
        (500, b"<html>Internal Server Error</html>", "http_500"),
        (401, {"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}, "http_401"),
        (404, error(404, ['The "loja" instance does not exist']), "http_404"),
        (503, {"error": "service not activated", "code": "LICENSE_REQUIRED"}, "license_required"),
        (503, b"", "http_503"),
        (502, b"<html>Bad Gateway</html>", "http_502"),
    ],
)
async def test_an_error_is_named_by_what_it_proves(status: int, body: object, code: str) -> None:
    result, _ = await sent(TEXT, body, status)

    assert result == SendResult("error", code=code, http_status=status, written=True)


async def lookup(answer: object, status: int = 200, *, store: bool = True) -> tuple[str, list[Asked]]:
    async with gateway() as server:
        server.answer("/chat/findMessages/loja", answer, status=status)
        settings = {"base_url": server.url, "instance": "loja", "store": store}
        transport = transports.create("evolution", settings)
        result = await transport.lookup(MESSAGE.id, MESSAGE.phone)
        await transport.aclose()
    return result, server.asked


def records(*identifiers: str) -> dict[str, object]:
    found = [{"key": {"id": identifier}, "MessageUpdate": []} for identifier in identifiers]
    return {"messages": {"total": len(found), "pages": 1, "currentPage": 1, "records": found}}


async def test_a_lookup_asks_by_our_id_in_whatever_chat_it_is() -> None:
    result, (request,) = await lookup(records(OURS))

    assert result == "found"
    assert (request.method, request.body) == ("POST", {"where": {"key": {"id": OURS}}})


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (records(), 200),
        (records(THEIRS), 200),
        ({}, 200),
        ([], 200),
        ({"messages": {"records": [7, {"key": None}]}}, 200),
        (error(404, ["no"]), 404),
        (b"", 200),
    ],
)
async def test_a_lookup_that_does_not_find_it_proves_nothing(answer: object, status: int) -> None:
    assert (await lookup(answer, status))[0] == "unknown"


async def test_a_server_that_keeps_nothing_is_not_asked() -> None:
    assert await lookup(records(OURS), store=False) == ("unknown", [])


@pytest.mark.parametrize(
    ("answer", "status", "check"),
    [
        ([{"jid": "551195550001@s.whatsapp.net", "exists": True, "number": "5511955500001"}], 200,
         NumberCheck(True, "+551195550001")),
         ([{"jid": "551195550001@s.whatsapp.net", "exists": True, "number": "5511955500001",
            "lid": "123456789012345@lid"}], 200,
          NumberCheck(True, "+551195550001", "123456789012345@lid")),
        ([ABSENT], 200, NumberCheck(False)),
        ([], 200, NumberCheck(None)),
        ([ABSENT, ABSENT], 200, NumberCheck(None)),
        ([{"exists": "yes"}], 200, NumberCheck(None)),
        (error(500, "Connection Closed"), 500, NumberCheck(None)),
    ],
)  # fmt: skip
async def test_a_number_check_says_yes_no_or_that_it_does_not_know(
    answer: object, status: int, check: NumberCheck
) -> None:
    async with gateway() as server:
        server.answer("/chat/whatsappNumbers/loja", answer, status=status)
        transport = transports.create("evolution", {"base_url": server.url, "instance": "loja"})
        assert await transport.check_number(MESSAGE.phone) == check
        await transport.aclose()

    assert [request.body for request in server.asked] == [{"numbers": ["5511955500001"]}]
