"""Each kind of content through WAHA: the request is one that its published description allows."""

import pytest

from retoma.transports.base import Message, SendResult
from tests.support import transports
from tests.support.gateways import Asked, gateway
from tests.transports.waha import openapi

MESSAGE = Message("0123456789abcdef0123456789abcdef", "+5511955500001", {})
OURS = "3EB00123456789ABCDEF0123456789ABCDEF"
THEIRS = "3EB08A6895830F110A5E4D"
PICTURE = {"link": "https://files.example/may/offer.png"}
STORED = {"mimetype": "image/png", "data": "iVBORw=="}

CONTENTS: list[tuple[dict[str, object], str, dict[str, object]]] = [
    ({"kind": "text", "text": "Olá Ana"}, "sendText", {"text": "Olá Ana"}),
    (
        {"kind": "image", "media": PICTURE, "caption": "Olá"},
        "sendImage",
        {"file": {"mimetype": "image/png", "url": PICTURE["link"]}, "caption": "Olá"},
    ),
    (
        {"kind": "image", "media": {"link": "https://files.example/show?id=7"}},
        "sendImage",
        {"file": {"mimetype": "image/jpeg", "url": "https://files.example/show?id=7"}},
    ),
    (
        {"kind": "document", "media": {"link": "https://files.example/7"}, "filename": "Fatura de maio.PDF"},
        "sendFile",
        {
            "file": {
                "mimetype": "application/pdf",
                "url": "https://files.example/7",
                "filename": "Fatura de maio.PDF",
            }
        },
    ),
    (
        {"kind": "video", "media": {"link": "https://files.example/tour.mp4"}, "caption": "Olá"},
        "sendVideo",
        {
            "file": {
                "mimetype": "video/mp4",
                "url": "https://files.example/tour.mp4",
                "filename": "tour.mp4",
            },
            "asNote": False,
            "caption": "Olá",
            "convert": True,
        },
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.mp3"}, "voice": True},
        "sendVoice",
        {
            "file": {"mimetype": "audio/ogg; codecs=opus", "url": "https://files.example/hello.mp3"},
            "convert": True,
        },
    ),
    (
        {"kind": "audio", "media": {"link": "https://files.example/hello.mp3"}, "voice": False},
        "sendFile",
        {
            "file": {
                "mimetype": "audio/mpeg",
                "url": "https://files.example/hello.mp3",
                "filename": "hello.mp3",
            }
        },
    ),
    (
        {"kind": "poll", "question": "Sábado?", "options": ["Sim", "Não"]},
        "sendPoll",
        {"poll": {"name": "Sábado?", "options": ["Sim", "Não"], "multipleAnswers": False}},
    ),
    (
        {
            "kind": "list",
            "text": "Escolha",
            "button": "Ver",
            "header": {"text": "Lojas"},
            "footer": "Até já",
            "sections": [
                {"title": "SP", "rows": [{"id": "sp1", "title": "Centro", "description": "aberta"}]},
                {"rows": [{"id": "rj1", "title": "Lapa"}]},
            ],
        },
        "sendList",
        {
            "message": {
                "title": "Lojas",
                "description": "Escolha",
                "button": "Ver",
                "footer": "Até já",
                "sections": [
                    {"title": "SP", "rows": [{"title": "Centro", "rowId": "sp1", "description": "aberta"}]},
                    {"title": "", "rows": [{"title": "Lapa", "rowId": "rj1"}]},
                ],
            }
        },
    ),
]

STORED_FILES: list[tuple[dict[str, object], str, dict[str, object]]] = [
    (
        {"kind": "image", "media": STORED},
        "sendImage",
        {"file": {"mimetype": "image/png", "data": "iVBORw=="}},
    ),
    (
        {"kind": "document", "media": STORED, "filename": "a.png"},
        "sendFile",
        {"file": {"mimetype": "image/png", "data": "iVBORw==", "filename": "a.png"}},
    ),
    (
        {"kind": "audio", "media": {"mimetype": "audio/ogg", "data": "T2dnUw=="}},
        "sendVoice",
        {
            "file": {"mimetype": "audio/ogg; codecs=opus", "filename": "voice.ogg", "data": "T2dnUw=="},
            "convert": True,
        },
    ),
    (
        {"kind": "video", "media": {"mimetype": "video/mp4", "data": "AAAAIA=="}},
        "sendVideo",
        {
            "file": {"mimetype": "video/mp4", "data": "AAAAIA==", "filename": "video.mp4"},
            "asNote": False,
            "convert": True,
        },
    ),
]


async def sent(
    content: dict[str, object], engine: str = "GOWS", given: str = THEIRS
) -> tuple[SendResult, list[Asked]]:
    """What comes of a content, and what WAHA was asked; its answer shows the id `given`."""
    async with gateway() as waha:
        for path in openapi.REQUESTS:
            waha.answer(path, {"id": f"true_5511955500001@c.us_{given}"}, status=201)
        transport = transports.create("waha", {"base_url": waha.url, "session": "sales", "engine": engine})
        result = await transport.send(MESSAGE._replace(content=content))
        await transport.aclose()
    return result, waha.asked


@pytest.mark.parametrize("engine", ["WEBJS", "WPP", "NOWEB", "GOWS"])
@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_a_content_becomes_a_request_that_the_description_of_waha_allows(
    content: dict[str, object], path: str, fields: dict[str, object], engine: str
) -> None:
    if path == "sendList":
        engine = {"WEBJS": "NOWEB", "WPP": "GOWS"}.get(engine, engine)  # the others send no lists

    result, asked = await sent(content, engine)

    assert result.status == "accepted"
    (request,) = asked
    assert request.path == f"/api/{path}"
    assert isinstance(request.body, dict)
    given = request.body.pop("id", None)
    assert request.body == {"session": "sales", "chatId": "5511955500001@c.us", **fields}
    assert openapi.faults(request.path, request.body) == []
    takes_id = engine == "GOWS" or (engine == "NOWEB" and path in ("sendText", "sendPoll"))
    assert given == (OURS if takes_id and path != "sendList" else None)


@pytest.mark.parametrize(("content", "path", "fields"), STORED_FILES)
async def test_a_stored_file_goes_along_in_base64(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    result, (request,) = await sent(content, "NOWEB")

    assert result.status == "accepted"
    assert (request.path, isinstance(request.body, dict)) == (f"/api/{path}", True)
    assert request.body == {"session": "sales", "chatId": "5511955500001@c.us", **fields}
    assert openapi.faults(request.path, request.body) == []


@pytest.mark.parametrize(("content", "path", "fields"), CONTENTS)
async def test_an_id_that_the_server_ignores_is_reported_for_each_kind(
    content: dict[str, object], path: str, fields: dict[str, object]
) -> None:
    ignoring, _ = await sent(content, "GOWS", THEIRS)
    taking, _ = await sent(content, "GOWS", OURS)

    gave_one = path != "sendList"
    assert (ignoring.took_id, ignoring.provider_id) == (False if gave_one else None, THEIRS)
    assert taking.took_id is (True if gave_one else None)


@pytest.mark.parametrize("content", [CONTENTS[1][0], CONTENTS[3][0], CONTENTS[4][0], CONTENTS[5][0]])
async def test_noweb_gets_no_id_with_media_because_nobody_says_what_it_does_with_it(
    content: dict[str, object],
) -> None:
    result, (request,) = await sent(content, "NOWEB")

    assert isinstance(request.body, dict)
    assert "id" not in request.body
    assert (result.took_id, result.provider_id) == (None, THEIRS)


@pytest.mark.parametrize(
    ("content", "engine"),
    [
        (CONTENTS[-1][0], "WEBJS"),
        (CONTENTS[-1][0], "WPP"),
        ({"kind": "image", "media": {"file": "offer"}}, "GOWS"),
        ({"kind": "template", "name": "may", "language": "pt_BR"}, "GOWS"),
        ({"kind": "buttons", "text": "Olá", "buttons": [{"id": "1", "title": "Sim"}]}, "NOWEB"),
    ],
)
async def test_what_waha_cannot_say_is_refused_before_anything_is_written(
    content: dict[str, object], engine: str
) -> None:
    result, asked = await sent(content, engine)

    assert asked == []
    assert (result.status, result.code, result.written) == ("error", "content_not_supported", False)
    assert result.detail
    assert "Olá" not in result.detail


async def test_media_are_converted_only_where_the_channel_says_so() -> None:
    async with gateway() as waha:
        waha.answer("/api/sendVideo", {}, status=201)
        transport = transports.create("waha", {"base_url": waha.url, "convert": False})
        await transport.send(MESSAGE._replace(content=CONTENTS[4][0]))
        await transport.aclose()

    (request,) = waha.asked
    assert isinstance(request.body, dict)
    assert request.body["convert"] is False
