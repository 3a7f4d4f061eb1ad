"""The requests that providers take and the answers that they give."""

import hashlib
import json
import re
import time
from collections.abc import Collection, Mapping

from retoma.rehearsal.sandbox.ledger import Delivery

_WAHA_ID = re.compile(r"(?:true_[^_]*_)?3EB0([0-9A-F]{32})")


class BadRequest(Exception):
    """The request is not one that the provider understands."""


def read_waha(call: str, body: bytes, ignores_ids: Collection[str] = ()) -> Delivery:
    """A request to send. An id makes it deduped, as on the engines NOWEB and GOWS.

    Args:
        call: the last part of the address: sendText, sendImage, ...
        body: the JSON.
        ignores_ids: sessions that use ids of their own, as those of older servers.
    """
    request = dict(read_object(body))
    session, chat = (_text(request, key) for key in ("session", "chatId"))
    identifier = request.pop("id", None)
    text = _text(request, "text") if call == "sendText" else json.dumps(request, sort_keys=True)
    return Delivery(
        at=time.time(),
        dialect="waha",
        channel=session,
        message_id=waha_message_id(identifier) if isinstance(identifier, str) else None,
        to=chat if chat.endswith("@lid") else f"+{chat.partition('@')[0]}",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        dedupes=isinstance(identifier, str) and session not in ignores_ids,
        takes_id=session not in ignores_ids,
    )


def waha_message_id(identifier: str) -> str:
    """Our id out of WAHA's; any other id stays as it is."""
    ours = _WAHA_ID.fullmatch(identifier)
    return ours[1].lower() if ours else identifier


def waha_serialized_id(delivery: Delivery) -> str:
    """The id that WAHA gives back for a delivery: true_<chat>_<id>."""
    message_id = delivery.message_id
    if message_id is None or not delivery.takes_id:
        message_id = hashlib.sha256(f"{delivery.identity} {delivery.at}".encode()).hexdigest()[:18]
    chat = delivery.to if "@" in delivery.to else f"{delivery.to[1:]}@c.us"
    return f"true_{chat}_3EB0{message_id.upper()}"


def waha_accepted(delivery: Delivery) -> dict[str, object]:
    return {"id": waha_serialized_id(delivery), "timestamp": int(delivery.at), "fromMe": True, "ack": 0}


def waha_session_down(session: str, status: str) -> dict[str, object]:
    return {
        "error": "Session status is not as expected. Try again later or restart the session",
        "session": session,
        "status": status,
        "expected": ["WORKING"],
    }


def read_cloud(phone_number_id: str, body: bytes) -> Delivery:
    """A message for the Cloud API. Our id is only carried along, and a repeat is delivered again."""
    request = read_object(body)
    to, kind = _text(request, "to"), _text(request, "type")
    if request.get("messaging_product") != "whatsapp" or not isinstance(request.get(kind), dict):
        raise BadRequest(f"messaging_product is not whatsapp, or {kind} is missing")
    content: Mapping[str, object] = request[kind]  # type: ignore[assignment]
    text = _text(content, "body") if kind == "text" else json.dumps(content, sort_keys=True)
    return Delivery(
        at=time.time(),
        dialect="whatsapp_cloud",
        channel=phone_number_id,
        message_id=_text(request, "biz_opaque_callback_data"),
        to=f"+{to.removeprefix('+')}",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        dedupes=False,
        takes_id=False,
    )


def cloud_id(delivery: Delivery) -> str:
    """The id that the Cloud API gives to a delivery: another one for each repeat."""
    digest = hashlib.sha256(f"{delivery.identity} {delivery.at}".encode()).hexdigest()
    return f"wamid.{digest[:40].upper()}"


def cloud_accepted(delivery: Delivery) -> dict[str, object]:
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": delivery.to, "wa_id": delivery.to[1:]}],
        "messages": [{"id": cloud_id(delivery)}],
    }


def cloud_status(delivery: Delivery, status: str, error: str) -> dict[str, object]:
    """A call of the webhook that reports on one delivery; error is the code of a failed one, or a word."""
    report: dict[str, object] = {
        "id": cloud_id(delivery),
        "status": {"server": "sent"}.get(status, status),
        "timestamp": str(int(time.time())),
        "recipient_id": delivery.to[1:],
        "biz_opaque_callback_data": delivery.message_id,
    }
    value: dict[str, object] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550000000", "phone_number_id": delivery.channel},
    }
    if status == "failed":
        code = int(error) if error.isdigit() else 131026
        report["errors"] = [{"code": code, "title": "Message undeliverable", "error_data": {"details": ""}}]
    else:
        value["contacts"] = [{"wa_id": delivery.to[1:]}]
    change = {"field": "messages", "value": {**value, "statuses": [report]}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [change]}]}


def read_webhook(channel: str, body: bytes, idempotency_key: str | None, dedupes: bool) -> Delivery:
    """A message for the generic webhook; the header and the body must name the same id."""
    request = read_object(body)
    message_id, to, text = (_text(request, key) for key in ("id", "to", "text"))
    if idempotency_key not in (None, message_id):
        raise BadRequest("Idempotency-Key is not the id in the body")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Delivery(time.time(), "webhook", channel, message_id, to, sha256, dedupes)


def read_object(body: bytes) -> Mapping[str, object]:
    """The JSON object in the body of a request."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object")
    return value


def _text(request: Mapping[str, object], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{key} is missing or not a text")
    return value
