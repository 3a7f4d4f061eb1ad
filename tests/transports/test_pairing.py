"""Pairing, asked step by step: answers as WAHA, Evolution API and Evolution GO give them."""

import pytest

from retoma.errors import RetomaError
from retoma.transports.base import Describes, Description, Pairing, Pairs
from tests.support import transports
from tests.support.gateways import Asked, Gateway, gateway

PHONE = "+5511955500001"


async def looked(
    server: Gateway, name: str, times: int, phone: str | None, **settings: object
) -> list[Pairing]:
    transport = transports.create(name, {"base_url": server.url, **settings})
    assert isinstance(transport, Pairs)
    session = transport.pair(phone)
    try:
        return [await session.look() for _ in range(times)]
    finally:
        await transport.aclose()


def calls(asked: list[Asked]) -> list[str]:
    return [f"{request.method} {request.path}" for request in asked]


async def test_a_session_of_waha_is_started_shows_its_codes_and_then_its_number() -> None:
    async with gateway() as waha:
        states = ["STOPPED", "STARTING", "SCAN_QR_CODE", "SCAN_QR_CODE"]
        working = {"status": "WORKING", "me": {"id": "5511955500001@c.us", "pushName": "Loja"}}
        waha.answer("/api/sessions/loja", *({"status": state} for state in states), working)
        waha.answer("/api/sessions/loja/start", {"status": "STARTING"}, status=201)
        waha.answer("/api/loja/auth/qr", {"value": "2@one"}, {"value": "2@two"})
        waha.answer("/api/loja/auth/request-code", {"code": "ABCD-EFGH"}, status=201)

        seen = await looked(waha, "waha", 5, PHONE, session="loja")

    assert seen == [
        Pairing(False, state="STOPPED"),
        Pairing(False, state="STARTING"),
        Pairing(False, qr="2@one", code="ABCD-EFGH", state="SCAN_QR_CODE"),
        Pairing(False, qr="2@two", code="ABCD-EFGH", state="SCAN_QR_CODE"),
        Pairing(True, phone=PHONE, state="WORKING"),
    ]
    # A second code would make the first one worthless.
    assert calls(waha.asked).count("POST /api/loja/auth/request-code") == 1
    assert [r.body for r in waha.asked if r.path.endswith("request-code")] == [{"phoneNumber": PHONE[1:]}]
    assert [r.query for r in waha.asked if r.path.endswith("qr")] == [{"format": "raw"}] * 2


async def test_a_session_that_failed_is_started_anew() -> None:
    async with gateway() as waha:
        waha.answer("/api/sessions/loja", {"status": "FAILED"})
        waha.answer("/api/sessions/loja/restart", {}, status=201)

        await looked(waha, "waha", 1, None, session="loja")

    assert calls(waha.asked) == ["GET /api/sessions/loja", "POST /api/sessions/loja/restart"]


@pytest.mark.parametrize("phone", [None, PHONE])
async def test_an_instance_of_evolution_shows_its_codes_and_then_its_number(phone: str | None) -> None:
    states = [
        {"instance": {"instanceName": "loja", "state": state}} for state in ("close", "connecting", "open")
    ]
    async with gateway() as server:
        server.answer("/instance/connectionState/loja", *states)
        code = "WZYEH1YY" if phone else None
        answer = {"pairingCode": code, "code": "2@one", "base64": "data:image/png;base64,x", "count": 1}
        server.answer("/instance/connect/loja", answer)
        server.answer(
            "/instance/fetchInstances", [{"name": "loja", "ownerJid": "5511955500001@s.whatsapp.net"}]
        )

        seen = await looked(server, "evolution", 3, phone, instance="loja")

    assert seen == [
        Pairing(False, qr="2@one", code=code, state="close"),
        Pairing(False, qr="2@one", code=code, state="connecting"),
        Pairing(True, phone=PHONE, state="open"),
    ]
    asked = [r.query for r in server.asked if r.path == "/instance/connect/loja"]
    assert asked == [{"number": PHONE[1:]} if phone else {}] * 2


async def test_an_instance_of_evolution_go_is_never_asked_for_a_code_when_it_is_logged_in() -> None:
    async with gateway() as server:
        waiting = {"message": "success", "data": {"Connected": True, "LoggedIn": False, "Name": ""}}
        logged_in = {"message": "success", "data": {"Connected": True, "LoggedIn": True, "Name": "Loja"}}
        server.answer("/instance/status", waiting, waiting, logged_in)
        server.answer("/instance/qr", {"message": "success", "data": {"Qrcode": "data:x", "Code": "2@one"}})
        server.answer("/instance/pair", {"message": "success", "data": {"PairingCode": "ABCD-EFGH"}})

        seen = await looked(server, "evolution_go", 3, PHONE)

    waits = Pairing(False, qr="2@one", code="ABCD-EFGH", state="not logged in")
    assert seen == [waits, waits, Pairing(True, state="logged in")]
    assert calls(server.asked).count("POST /instance/pair") == 1
    assert calls(server.asked)[-1] == "GET /instance/status"


async def test_an_instance_of_evolution_go_that_is_not_started_is_started_by_its_code() -> None:
    async with gateway() as server:
        server.answer("/instance/status", {"error": "no active session found"}, status=400)
        server.answer("/instance/qr", {"error": "no QR code available"}, status=400)

        assert await looked(server, "evolution_go", 1, PHONE) == [Pairing(False, state="not logged in")]

    assert calls(server.asked) == ["GET /instance/status", "GET /instance/qr"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("waha", "/api/sessions/default"),
        ("evolution", "/instance/connectionState/default"),
        ("evolution_go", "/instance/status"),
    ],
)
@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "does not take the key"), (404, "does not have"), (502, "did not answer as expected: http_502")],
)
async def test_what_cannot_succeed_says_why(name: str, path: str, status: int, words: str) -> None:
    async with gateway() as server:
        server.answer(path, {}, status=status)

        with pytest.raises(RetomaError, match=words) as refused:
            await looked(server, name, 1, None)

    assert refused.value.hint


@pytest.mark.parametrize(
    ("name", "settings", "path", "answer", "description"),
    [
        (
            "waha",
            {"engine": "GOWS"},
            "/api/server/version",
            {"version": "2026.8.1", "engine": "GOWS"},
            Description("WAHA 2026.8.1, engine GOWS", {}),
        ),
        (
            "waha",
            {"engine": "NOWEB"},
            "/api/server/version",
            {"version": "2026.8.1", "engine": "WEBJS"},
            Description("WAHA 2026.8.1, engine WEBJS", {"engine": "WEBJS"}),
        ),
        ("waha", {}, "/api/server/version", {"version": 7}, None),
        ("waha", {}, "/api/server/version", {"version": "1", "engine": "$(reboot)"}, None),
        ("waha", {}, "/api/server/version", {"version": "\x1b[2J", "engine": "GOWS"}, None),
        ("evolution", {}, "/", {"status": 200, "version": "2.3.7"}, Description("Evolution API 2.3.7", {})),
        ("evolution", {}, "/", b"<html></html>", None),
    ],
)
async def test_a_server_says_what_it_is(
    name: str, settings: dict[str, object], path: str, answer: object, description: Description | None
) -> None:
    async with gateway() as server:
        server.answer(path, answer)
        transport = transports.create(name, {"base_url": server.url, **settings})
        assert isinstance(transport, Describes)

        assert await transport.describe() == description
        await transport.aclose()
