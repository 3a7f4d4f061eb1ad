"""The list of templates, as Meta gives it, and a runner that keeps it."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from retoma.errors import RetomaError
from retoma.transports.base import ListsTemplates, Template
from tests.support import transports
from tests.transports.scripted_server import ScriptedServer, scripted

BODY = {
    "type": "BODY",
    "text": "Olá {{nome}}",
    "example": {"body_text_named_params": [{"param_name": "nome"}]},
}
FIRST = {
    "data": [
        {
            "name": "promocao",
            "language": "pt_BR",
            "status": "APPROVED",
            "category": "MARKETING",
            "parameter_format": "NAMED",
            "components": [BODY],
            "quality_score": {"score": "GREEN", "date": 1_795_000_000},
            "id": "1",
        },
        {"name": "a row without a language", "status": "APPROVED"},
        "no object",
    ],
    "paging": {"cursors": {"before": "A", "after": "B"}, "next": "https://graph.example/next"},
}
LAST = {
    "data": [{"name": "aviso", "language": "pt_BR", "status": "REJECTED", "id": "2"}],
    "paging": {"cursors": {"before": "B", "after": "C"}},
}


async def listed(*answers: tuple[int, Any], **settings: object) -> tuple[list[Template], list[str]]:
    """The templates, and the lines of the requests, from a server that gives these answers."""
    lines: list[str] = []
    waiting = list(answers)

    async def answer(server: ScriptedServer, reader: Any, writer: Any) -> None:
        while waiting:
            lines.append((await reader.readuntil(b"\r\n")).decode())
            status, document = waiting.pop(0)
            body = json.dumps(document).encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
            await server.answer(reader, writer, head.encode() + body)

    async with scripted(answer) as server:
        given = {"base_url": server.url, "phone_number_id": "104", "waba_id": "900", **settings}
        cloud = transports.create("whatsapp_cloud", given)
        assert isinstance(cloud, ListsTemplates)
        try:
            return await cloud.list_templates(), lines
        finally:
            await cloud.aclose()


async def test_all_pages_are_read() -> None:
    templates, lines = await listed((200, FIRST), (200, LAST))

    assert templates == [
        Template("promocao", "pt_BR", "APPROVED", "MARKETING", "GREEN", named=True, components=[BODY]),
        Template("aviso", "pt_BR", "REJECTED", None, None, named=False, components=[]),
    ]
    first, second = (urlsplit(line.split()[1]) for line in lines)
    assert first.path == second.path == "/v25.0/900/message_templates"
    assert "after" not in parse_qs(first.query)
    assert parse_qs(second.query)["after"] == ["B"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": {"code": 190, "message": "Error validating access token: abc"}}), "cloud_190"),
        ((502, "bad gateway"), "http_502"),
        ((200, {"data": "no list"}), "unreadable_answer"),
    ],
)
async def test_why_there_is_no_list(answer: tuple[int, Any], words: str) -> None:
    with pytest.raises(RetomaError) as refused:
        await listed(answer)

    assert words in refused.value.message
    assert "abc" not in refused.value.message


async def test_half_a_list_is_none() -> None:
    with pytest.raises(RetomaError):
        await listed((200, FIRST), (500, {}))


async def test_without_the_id_of_the_account_there_is_no_list() -> None:
    with pytest.raises(RetomaError, match="waba_id"):
        await listed(waba_id=None)


async def test_pages_that_never_end_are_no_list() -> None:
    with pytest.raises(RetomaError, match="does not end"):
        await listed(*[(200, FIRST)] * 200)
