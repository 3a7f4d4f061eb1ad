"""Whatever a gateway answers or reports: a fact, or a refusal, never an accident. By hypothesis."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, get_args
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retoma.transports.base import (
    Alias,
    ConnectionChange,
    Inbound,
    Message,
    Receipt,
    ReceiptStatus,
    Transport,
    WebhookRefused,
)
from retoma.transports.http.client import Answer, HttpClient
from tests.support import transports

KEY = "a key of the tests"
MESSAGE = Message("0123456789abcdef0123456789abcdef", "+5511955500001", {"kind": "text", "text": "segredo"})
OURS = "3EB00123456789ABCDEF0123456789ABCDEF"

# Texts that have a meaning somewhere, so that examples reach deeper than the first comparison.
_WORDS = st.sampled_from(
    [
        *("WORKING", "FAILED", "open", "close", "READ", "ERROR", "Read", "Delivered", "Connection Closed"),
        *("server returned error 463", "no LID found", "LICENSE_REQUIRED", "client disconnected"),
        *(OURS, f"true_5511955500001@c.us_{OURS}", "1@lid", "5511955500001@s.whatsapp.net", "SAIR", ""),
    ]
)
_KEYS = st.sampled_from(
    [
        *("id", "key", "status", "response", "message", "exception", "error", "data", "Info", "ID", "ack"),
        *(
            "_serialized",
            "keyId",
            "remoteJid",
            "remoteJidAlt",
            "fromMe",
            "conversation",
            "from",
            "body",
            "_data",
        ),
        *(
            "update",
            "messageStubParameters",
            "state",
            "MessageIDs",
            "Chat",
            "IsFromMe",
            "Message",
            "timestamp",
        ),
        *("messageTimestamp", "Timestamp", "records", "messages", "exists", "numberExists", "Users", "code"),
        *("imageMessage", "interactiveResponseMessage", "ephemeralMessage", "protocolMessage", "caption"),
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | _WORDS
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(), inner, max_size=5),
    max_leaves=20,
)
_EVENTS = {
    "waha": ["message", "message.any", "message.ack", "message.edited", "session.status"],
    "evolution": [
        *("messages.update", "messages.upsert", "send.message", "connection.update", "qrcode.updated"),
        *("logout.instance", "MESSAGES_UPSERT"),
    ],
    "evolution_go": ["Message", "Receipt", "SendMessage", "Connected", "LoggedOut", "TemporaryBan"],
}
_SETTINGS: dict[str, dict[str, object]] = {
    "waha": {"session": "s", "engine": "GOWS", "store": True, "webhook_hmac_key": KEY},
    "evolution": {"instance": "s", "store": True, "webhook_secret": KEY},
    "evolution_go": {"api_key": KEY, "store": True},
}
GATEWAYS = pytest.mark.parametrize("name", sorted(_SETTINGS))


def made(name: str) -> Transport:
    return transports.create(name, {"base_url": "http://127.0.0.1:9", **_SETTINGS[name]})


def answered(name: str, answer: Answer, ask: Callable[[Transport], Awaitable[Any]]) -> Any:
    """What a transport makes of an answer."""

    async def run() -> Any:
        transport = made(name)
        with (
            patch.object(HttpClient, "post_json", return_value=answer),
            patch.object(HttpClient, "get_json", return_value=answer),
        ):
            return await ask(transport)

    return asyncio.run(run())


@GATEWAYS
@given(status=st.sampled_from([200, 201, 204, 400, 404, 409, 422, 500, 503]), body=_JSON | st.binary())
def test_any_answer_to_a_send_becomes_a_result_without_content_or_number(
    name: str, status: int, body: object
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    result = answered(name, Answer(status, raw), lambda transport: transport.send(MESSAGE))

    # "accepted" has no code; an error always has one, which the database can have a rule for.
    assert result.status == ("accepted" if result.code is None else "error")
    assert (result.code is None) <= (200 <= status < 300)
    assert name != "waha" or (result.code is None) == (200 <= status < 300)
    assert result.written
    assert result.took_id is not True or OURS.encode() in raw.upper()
    assert result.detail is None


@GATEWAYS
@given(status=st.sampled_from([200, 404, 500]), body=_JSON | st.binary())
def test_any_answer_to_a_question_is_found_absent_or_unknown(name: str, status: int, body: object) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, raw)

    found = answered(name, answer, lambda transport: transport.lookup(MESSAGE.id, MESSAGE.phone))
    check = answered(name, answer, lambda transport: transport.check_number(MESSAGE.phone))

    assert found in ("found", "absent", "unknown")
    assert found != "absent" or name == "waha"
    assert check.exists in (True, False, None)


def call_of(name: str, event: object, payload: object) -> tuple[dict[str, str], bytes]:
    """A call that is let in."""
    if name == "waha":
        body = json.dumps({"event": event, "session": "s", "timestamp": 1741249702485, "payload": payload})
        return {
            "x-webhook-hmac": hmac.new(KEY.encode(), body.encode(), hashlib.sha512).hexdigest()
        }, body.encode()
    if name == "evolution":
        body = json.dumps({"event": event, "instance": "s", "data": payload})
        return {"x-retoma-secret": KEY}, body.encode()
    body = json.dumps({"event": event, "instanceToken": KEY, "data": payload, "state": "Read"})
    return {}, body.encode()


@GATEWAYS
@given(data=st.data(), payload=_JSON)
def test_any_report_becomes_facts_that_the_database_can_take(
    name: str, data: st.DataObject, payload: object
) -> None:
    event = data.draw(st.sampled_from(_EVENTS[name]) | _LEAVES)
    headers, body = call_of(name, event, payload)

    for fact in made(name).parse_webhook(headers, body):
        match fact:
            case Receipt():
                assert fact.status in get_args(ReceiptStatus)
                assert fact.message_id or fact.provider_id
            case Inbound():
                assert fact.phone or fact.address
                assert isinstance(fact.text, str)
            case Alias():
                assert fact.address.isascii()
                assert 0 < len(fact.address) <= 200
                assert fact.message_id
            case ConnectionChange():
                assert fact.reason


@GATEWAYS
@given(body=st.binary() | _JSON.map(lambda value: json.dumps(value).encode()), header=st.text(max_size=150))
def test_a_call_that_shows_no_secret_says_nothing(name: str, body: bytes, header: str) -> None:
    headers = {"x-webhook-hmac": header, "x-retoma-secret": header, "authorization": header}

    with pytest.raises(WebhookRefused) as refused:
        made(name).parse_webhook(headers, body)

    assert refused.value.http_status in (400, 401)
