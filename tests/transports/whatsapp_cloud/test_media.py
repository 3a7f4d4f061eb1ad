"""A file is uploaded as Meta asks for it, and what it answers is an id or a reason."""

import hashlib
import json
from typing import Any

import pytest

from retoma.errors import RetomaError
from retoma.rehearsal.sandbox.cloud_media import media_id
from retoma.transports.base import Medium, Message, UploadsMedia
from retoma.transports.whatsapp_cloud import requests
from tests.support import transports
from tests.support.files import PNG
from tests.support.sandbox_process import SandboxProcess
from tests.transports.scripted_server import ScriptedServer, scripted

PICTURE = Medium('ofertã "x".png', "image/png", PNG)
PATH = "/{version}/{phone_number_id}/media"


async def uploaded(url: str, medium: Medium = PICTURE, **settings: object) -> str:
    given = {"base_url": url, "phone_number_id": "104", "media_path": PATH, **settings}
    cloud = transports.create("whatsapp_cloud", given)
    assert isinstance(cloud, UploadsMedia)
    try:
        return await cloud.upload_medium(medium)
    finally:
        await cloud.aclose()


async def test_the_sandbox_takes_it(sandbox: SandboxProcess) -> None:
    given = await uploaded(f"{sandbox.url}/cloud")

    assert given == media_id(hashlib.sha256(PNG).digest())


async def test_the_sandbox_refuses_another_type(sandbox: SandboxProcess) -> None:
    with pytest.raises(RetomaError, match=r"did not take the file \(cloud_100\)"):
        await uploaded(f"{sandbox.url}/cloud", PICTURE._replace(mimetype="model/stl"))


def answers(status: int, document: Any, seen: list[bytes]) -> Any:
    async def answer(server: ScriptedServer, reader: Any, writer: Any) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        seen.append(head + await reader.readexactly(length))
        body = json.dumps(document).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


async def test_the_request_has_what_meta_asks_for() -> None:
    seen: list[bytes] = []
    async with scripted(answers(200, {"id": "1234"}, seen)) as server:
        assert await uploaded(server.url) == "1234"

    (request,) = seen
    assert request.startswith(b"POST /v25.0/104/media HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer a token of the tests\r\n" in request
    assert b'name="messaging_product"\r\n\r\nwhatsapp\r\n' in request
    assert b'name="type"\r\n\r\nimage/png\r\n' in request
    assert b"Content-Type: image/png\r\n" in request
    assert b"\r\n\r\n" + PNG + b"\r\n" in request


async def test_a_provider_in_between_has_its_own_path_and_header() -> None:
    seen: list[bytes] = []
    async with scripted(answers(200, {"id": "1234"}, seen)) as server:
        await uploaded(server.url, media_path="/media", auth_header="D360-API-KEY")

    assert seen[0].startswith(b"POST /media HTTP/1.1\r\n")
    assert b"\r\nD360-API-KEY: a token of the tests\r\n" in seen[0]


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (400, {"error": {"code": 100, "message": "Param file must be a file"}}, "cloud_100"),
        (401, {"error": {"code": 190, "message": "expired: a token of the tests"}}, "cloud_190"),
        (500, {"error": {"code": "131000"}}, "cloud_131000"),
        (502, "a page of a proxy", "http_502"),
        (302, {"id": "1"}, "http_302"),
        (200, {"id": 1234}, "http_200"),
        (200, {"id": ""}, "http_200"),
        (200, {}, "http_200"),
    ],
)
async def test_any_other_answer_is_a_reason_without_secrets(status: int, document: Any, code: str) -> None:
    async with scripted(answers(status, document, [])) as server:
        with pytest.raises(RetomaError) as error:
            await uploaded(server.url)

    assert error.value.message == f"The provider did not take the file ({code})."
    assert "a token" not in f"{error.value} {error.value.hint}"


async def test_a_provider_that_is_not_there_is_a_reason() -> None:
    with pytest.raises(RetomaError, match=r"could not be reached to upload a file \(ClientConnectorError\)"):
        await uploaded("http://127.0.0.1:1")


def test_a_message_names_the_id() -> None:
    image = {"kind": "image", "media": {"id": "1234"}, "caption": "Olá"}
    template = {"kind": "template", "name": "a", "language": "pt_BR", "header": {"video": {"id": "5"}}}
    built = [requests.build(Message("0" * 32, "+5511955500001", c)) for c in (image, template)]

    assert built[0]["image"] == {"id": "1234", "caption": "Olá"}
    header = built[1]["template"]["components"][0]  # type: ignore[index]
    assert header == {"type": "header", "parameters": [{"type": "video", "video": {"id": "5"}}]}
