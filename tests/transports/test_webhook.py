"""The special parts of the generic webhook: signatures of both sides, and its answers."""

import hashlib
import hmac
import json
import math

import pytest

from retoma.transports.base import Fact, Inbound, Message, Receipt, Refused, WebhookRefused
from tests.support import transports
from tests.support.sandbox_process import SandboxProcess
from tests.transports.scripted_server import ScriptedServer, scripted

SECRET = "a secret of the tests"
MESSAGE_ID = "0123456789abcdef0123456789abcdef"


async def test_the_request_is_signed_and_names_its_id_twice(message: Message) -> None:
    async with scripted(ScriptedServer.answer) as server:
        transport = transports.create("webhook", {"url": f"{server.url}/messages", "secret": SECRET})
        await transport.send(message)
        await transport.aclose()

    signature = hmac.new(SECRET.encode(), server.body, hashlib.sha256).hexdigest()
    assert server.headers["x-retoma-signature"] == f"sha256={signature}"
    assert server.headers["idempotency-key"] == message.id
    assert json.loads(server.body) == {"id": message.id, "to": message.phone, **message.content}


async def test_a_503_with_a_pause_is_told_apart_from_one_without(
    sandbox: SandboxProcess, message: Message
) -> None:
    answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 3\r\n\r\n"
    async with scripted(lambda server, reader, writer: server.answer(reader, writer, answer)) as server:
        transport = transports.create("webhook", {"url": server.url})
        result = await transport.send(message)
        await transport.aclose()

    assert (result.code, result.retry_after_s) == ("http_503_retry_after", 3.0)


async def test_a_pause_given_as_a_date_is_read_against_the_servers_clock(message: Message) -> None:
    answer = (
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
        b"Retry-After: Wed, 01 Jan 2020 00:01:30 GMT\r\n\r\n"
    )
    async with scripted(lambda server, reader, writer: server.answer(reader, writer, answer)) as server:
        transport = transports.create("webhook", {"url": server.url})
        result = await transport.send(message)
        await transport.aclose()

    assert result.retry_after_s == 90.0


@pytest.mark.parametrize(
    ("pause", "expected"),
    [
        ("604799", 604_799.0),
        ("604801", 604_800.0),
        ("9" * 309, 604_800.0),
        ("Fri, 01 Jan 2021 00:00:00 GMT", 604_800.0),
        ("Wed, 01 Jan 99999999999 00:00:00 GMT", None),
    ],
)
async def test_a_pause_is_a_week_at_most(message: Message, pause: str, expected: float | None) -> None:
    answer = (
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
        f"Retry-After: {pause}\r\n\r\n"
    ).encode()
    async with scripted(lambda server, reader, writer: server.answer(reader, writer, answer)) as server:
        transport = transports.create("webhook", {"url": server.url})
        result = await transport.send(message)
        await transport.aclose()

    assert (result.code, result.retry_after_s) == ("http_429", expected)


async def test_the_receivers_own_code_is_kept_for_the_operator(
    sandbox: SandboxProcess, message: Message
) -> None:
    sandbox.fault(channel="codes", do="status", status=422, body={"code": "template_unknown"})
    transport = transports.create("webhook", {"url": f"{sandbox.url}/webhook/codes"})

    result = await transport.send(message)

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert (result.code, result.detail) == ("http_422", "code template_unknown")


def facts(call: object, signature: str | None = None) -> list[Fact]:
    """What the transport makes of a signed call."""
    transport = transports.create("webhook", {"url": "http://127.0.0.1:3000", "secret": SECRET})
    body = json.dumps(call).encode()
    right = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return transport.parse_webhook({"x-retoma-signature": right if signature is None else signature}, body)


def test_receipts_and_inbound_messages_are_read() -> None:
    call = {
        "receipts": [
            {"id": MESSAGE_ID, "status": "delivered", "provider_id": "p-1", "at": 1741249702.5},
            {"id": MESSAGE_ID, "status": "failed", "code": "no_such_number"},
        ],
        "inbound": [
            {"from": "+5511955500001", "text": "SAIR", "id": "in-1"},
            {"from": "+5511955500001", "button": "stop", "at": 1741249702},
        ],
    }

    assert facts(call) == [
        Receipt(MESSAGE_ID, "p-1", "delivered", None, 1741249702.5),
        Receipt(MESSAGE_ID, None, "failed", "no_such_number", None),
        Inbound("+5511955500001", "SAIR", "in-1", None),
        Inbound("+5511955500001", "", None, 1741249702, button="stop"),
    ]


@pytest.mark.parametrize(
    "call", [[], {"receipts": {}}, {"inbound": "text"}], ids=["list", "no list", "a text"]
)
def test_a_call_that_is_not_understood_is_refused_whole(call: object) -> None:
    with pytest.raises(WebhookRefused) as refused:
        facts(call)

    assert refused.value.http_status == 400


GOOD = {"id": MESSAGE_ID, "status": "read"}


@pytest.mark.parametrize(
    "call",
    [
        {"receipts": ["text"]},
        {"receipts": [{"id": "not ours", "status": "read"}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "eaten"}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": 1741249702485}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": -1}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": 10**400}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": math.nan}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": "2026-01-01T12:00:00Z"}]},
        {"inbound": [{"from": "+5511955500001"}]},
        {"inbound": [{"from": "5511955500001", "text": "SAIR"}]},
        {"inbound": [{"from": "+5511955500001", "text": "SAIR", "at": math.inf}]},
    ],
)
def test_one_bad_report_refuses_itself_and_not_its_call(call: dict[str, list[object]]) -> None:
    good, bad = facts({**call, "receipts": [GOOD, *call.get("receipts", [])]})

    assert good == Receipt(MESSAGE_ID, None, "read")
    assert isinstance(bad, Refused)
    assert bad.reason


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    transport = transports.create("webhook", {"url": "http://127.0.0.1:3000"})

    with pytest.raises(WebhookRefused) as refused:
        transport.parse_webhook({}, b'{"receipts":' + b"[" * 100_000)

    assert refused.value.http_status == 400


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha256=\udcff"])
def test_a_call_without_the_right_signature_is_refused(signature: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        facts({"receipts": []}, signature)

    assert refused.value.http_status == 401
