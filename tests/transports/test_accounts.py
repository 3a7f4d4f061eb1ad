"""What each provider says of an account, as its server writes it."""

import json
from typing import Any

import pytest

from retoma.errors import RetomaError
from retoma.transports.base import Account, ReadsAccount
from tests.support import transports
from tests.transports.scripted_server import ScriptedServer, scripted

SETTINGS: dict[str, dict[str, object]] = {
    "whatsapp_cloud": {"phone_number_id": "104"},
    "waha": {"session": "default"},
    "evolution": {"instance": "one"},
    "evolution_go": {"api_key": "t"},
}
# Meta's page "Phone numbers", retold.
NUMBER = {
    "id": "104",
    "status": "CONNECTED",
    "quality_rating": "YELLOW",
    "throughput": {"level": "STANDARD"},
    "whatsapp_business_manager_messaging_limit": "TIER_2K",
    "health_status": {"can_send_message": "LIMITED", "entities": []},
}


async def read(transport: str, *answers: tuple[int, Any]) -> tuple[Account, list[str]]:
    """The account, and the lines of the requests, from a server that gives these answers in turn."""
    lines: list[str] = []
    waiting = list(answers)

    async def answer(server: ScriptedServer, reader: Any, writer: Any) -> None:
        lines.append((await reader.readuntil(b"\r\n")).decode())
        status, document = waiting.pop(0)
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        await server.answer(reader, writer, head.encode() + body)

    async with scripted(answer) as server:
        made = transports.create(transport, {"base_url": server.url, **SETTINGS[transport]})
        assert isinstance(made, ReadsAccount)
        try:
            return await made.read_account(), lines
        finally:
            await made.aclose()


async def test_a_number_of_the_cloud_api_has_a_state_a_quality_and_two_limits() -> None:
    account, lines = await read("whatsapp_cloud", (200, NUMBER))

    assert account == Account(True, "CONNECTED", None, "YELLOW", 2000, 80)
    assert lines[0].startswith("GET /v25.0/104?fields=")
    assert "whatsapp_business_manager_messaging_limit" in lines[0]


@pytest.mark.parametrize(
    ("changed", "connected", "reason"),
    [
        ({"status": "FLAGGED"}, False, "FLAGGED"),
        ({"status": "RESTRICTED"}, False, "RESTRICTED"),
        ({"status": "BANNED"}, False, "BANNED"),
        ({"health_status": {"can_send_message": "BLOCKED"}}, False, "health_BLOCKED"),
        ({"status": "PENDING"}, None, "PENDING"),
        ({"status": None}, None, None),
    ],
)
async def test_a_number_that_may_not_send_is_not_connected(
    changed: dict[str, object], connected: bool | None, reason: str | None
) -> None:
    account, _ = await read("whatsapp_cloud", (200, NUMBER | changed))

    assert (account.connected, account.reason) == (connected, reason)


async def test_what_the_cloud_api_does_not_say_is_not_known() -> None:
    account, _ = await read(
        "whatsapp_cloud",
        (
            200,
            {
                **{"status": "CONNECTED", "quality_rating": ["GREEN"], "throughput": "HIGH"},
                **{"whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED", "health_status": None},
            },
        ),
    )

    assert account == Account(True, "CONNECTED")


@pytest.mark.parametrize(
    ("status", "connected", "reason"),
    [
        ("WORKING", True, None),
        ("SCAN_QR_CODE", False, "session_SCAN_QR_CODE"),
        ("FAILED", False, "session_FAILED"),
        ("STARTING", None, "session_STARTING"),
        ("SOMETHING_NEW", False, "session_OTHER"),
    ],
)
async def test_a_session_of_waha(status: str, connected: bool | None, reason: str | None) -> None:
    account, lines = await read(
        "waha",
        (200, {"name": "default", "status": status, "me": {"id": "5511955501234@c.us"}}),
        (200, {"version": "2026.8.1", "engine": "NOWEB", "tier": "PLUS"}),
    )

    assert account == Account(connected, reason, "WAHA 2026.8.1, engine NOWEB")
    assert lines[0].startswith("GET /api/sessions/default ")


@pytest.mark.parametrize(
    ("state", "connected"), [("open", True), ("close", False), ("connecting", None), ("refused", False)]
)
async def test_an_instance_of_evolution_api(state: str, connected: bool | None) -> None:
    account, lines = await read(
        "evolution",
        (200, {"instance": {"instanceName": "one", "state": state}}),
        (200, {"status": 200, "message": "Welcome", "version": "2.4.0"}),
    )

    assert account == Account(connected, state, "Evolution API 2.4.0")
    assert lines[0].startswith("GET /instance/connectionState/one ")


@pytest.mark.parametrize(("logged_in", "reason"), [(True, "logged_in"), (False, "logged_out")])
async def test_an_instance_of_evolution_go(logged_in: bool, reason: str) -> None:
    account, _ = await read(
        "evolution_go", (200, {"data": {"Connected": True, "LoggedIn": logged_in}, "message": "success"})
    )

    assert account == Account(logged_in, reason, "Evolution GO")


@pytest.mark.parametrize("transport", sorted(SETTINGS))
@pytest.mark.parametrize(
    "answer",
    [(401, {"error": {"code": 190}}), (404, {"message": "no"}), (200, ["x"]), (200, {}), (500, None)],
)
async def test_an_answer_that_says_nothing_is_a_fault_without_a_secret(
    transport: str, answer: tuple[int, Any]
) -> None:
    with pytest.raises(RetomaError) as refused:
        await read(transport, answer, answer)

    assert "says nothing" in refused.value.message
