"""Evolution API and Evolution GO as the sandbox speaks them: requests, answers, and calls of their webhooks.

An instance of Evolution GO is named by its token, which is the name of the channel here.
"""

import hashlib
import json
import time
from collections.abc import Collection, Mapping

from retoma.rehearsal.sandbox import addresses
from retoma.rehearsal.sandbox.dialects import BadRequest, read_object, waha_message_id
from retoma.rehearsal.sandbox.ledger import Delivery

API, GO = "evolution", "evolution_go"

_UPDATES = {"delivered": "DELIVERY_ACK", "read": "READ", "played": "PLAYED", "failed": "ERROR"}
_STATES = {"delivered": "Delivered", "read": "Read"}


def read(dialect: str, channel: str, body: bytes, ignores_ids: Collection[str]) -> Delivery:
    """A message for either of them.

    Args:
        dialect: API or GO.
        channel: the instance.
        body: the JSON.
        ignores_ids: instances that use ids of their own, as Evolution API up to 2.3.7.

    Raises:
        BadRequest: it has no number.
    """
    request = dict(read_object(body))
    number, identifier = (
        request.pop("number", None),
        request.pop("messageId" if dialect == API else "id", None),
    )
    if not isinstance(number, str) or not number:
        raise BadRequest("number is missing or not a text")
    text = request.get("text")
    content = text if isinstance(text, str) else json.dumps(request, sort_keys=True)
    return Delivery(
        at=time.time(),
        dialect=dialect,
        channel=channel,
        message_id=waha_message_id(identifier) if isinstance(identifier, str) else None,
        to=f"+{number.removeprefix('+')}",
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        dedupes=isinstance(identifier, str) and channel not in ignores_ids,
        takes_id=channel not in ignores_ids,
    )


def given_id(delivery: Delivery) -> str:
    """The id under which the message is known."""
    message_id = delivery.message_id
    if message_id is None or not delivery.takes_id:
        message_id = hashlib.sha256(f"{delivery.identity} {delivery.at}".encode()).hexdigest()[:18]
    return f"3EB0{message_id.upper()}"


def accepted(delivery: Delivery) -> dict[str, object]:
    """The answer to a message that was taken."""
    chat = f"{delivery.to[1:]}@s.whatsapp.net"
    if delivery.dialect == GO:
        info = {"Chat": chat, "IsFromMe": True, "ID": given_id(delivery)}
        return {"message": "success", "data": {"Info": info}}
    key = {"remoteJid": chat, "fromMe": True, "id": given_id(delivery)}
    return {"key": key, "status": "PENDING", "messageTimestamp": int(delivery.at)}


def asked_id(dialect: str, body: bytes) -> str:
    """Our id in a lookup, "" when there is none."""
    request = read_object(body)
    where = request.get("where")
    key = where.get("key") if isinstance(where, dict) else None
    identifier = request.get("id") if dialect == GO else key.get("id") if isinstance(key, dict) else None
    return identifier if isinstance(identifier, str) else ""


def found(dialect: str, identifier: str, *, is_here: bool) -> dict[str, object]:
    """The answer to a lookup."""
    if dialect == GO:
        return {"message": "success", "data": {"result": {"message_id": identifier} if is_here else None}}
    records = [{"key": {"id": identifier}, "MessageUpdate": []}] if is_here else []
    return {"messages": {"total": len(records), "pages": 1, "currentPage": 1, "records": records}}


def checked(dialect: str, body: bytes, known: Mapping[str, str | None]) -> object:
    """The answer to a number check; known: see addresses.parse."""
    asked = read_object(body).get("number" if dialect == GO else "numbers")
    digits = [str(number).removeprefix("+") for number in asked] if isinstance(asked, list) else []
    found = [(n, addresses.address_of(f"+{n}", "s.whatsapp.net", known)) for n in digits]
    if dialect == API:
        return [{"jid": a or f"{n}@s.whatsapp.net", "exists": a is not None, "number": n} for n, a in found]
    users = [{"Query": n, "IsInWhatsapp": a is not None, "RemoteJID": a or ""} for n, a in found]
    return {"message": "success", "data": {"Users": users}}


def report(delivery: Delivery, status: str) -> dict[str, object]:
    """A call of the webhook that reports on one delivery; Evolution GO reports no failures."""
    identifier, chat = given_id(delivery), f"{delivery.to[1:]}@s.whatsapp.net"
    if delivery.dialect == API:
        event = "messages.update" if status in _UPDATES else "send.message"
        data: Mapping[str, object] = {"keyId": identifier, "fromMe": True, "status": _UPDATES.get(status)}
        if status not in _UPDATES:
            data = {"key": {"id": identifier, "remoteJid": chat, "fromMe": True}, "status": "PENDING"}
        return {"event": event, "instance": delivery.channel, "data": data}
    call: dict[str, object] = {"instanceToken": delivery.channel}
    if status not in _STATES:
        return {**call, "event": "SendMessage", "data": {"Info": {"ID": identifier, "IsFromMe": True}}}
    receipt = {"Chat": chat, "IsFromMe": False, "MessageIDs": [identifier]}
    return {**call, "event": "Receipt", "state": _STATES[status], "data": receipt}
