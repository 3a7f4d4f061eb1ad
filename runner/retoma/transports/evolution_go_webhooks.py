"""The webhooks of Evolution GO: events of whatsmeow, as Go writes them."""

from collections.abc import Mapping
from datetime import datetime

from retoma.transports import evolution_common, whatsapp_web
from retoma.transports.base import ConnectionChange, Fact, Receipt, ReceiptStatus, unix_seconds

_STATES: Mapping[str, ReceiptStatus] = {"Delivered": "delivered", "Read": "read"}
# "Disconnected" is not among them: the server connects again by itself. Most of the time that takes
# seconds, and must not interrupt a campaign.
_ENDED = {
    "LoggedOut": "session_logged_out",
    "TemporaryBan": "session_banned",
    "ConnectFailure": "session_connect_failure",
    "QRTimeout": "session_qr_timeout",
    "QRCode": "session_qr_code",
}


def facts(call: Mapping[str, object]) -> list[Fact]:
    """What a call says, whose token was checked."""
    data, event = call.get("data"), call.get("event")
    found = data if isinstance(data, dict) else {}
    match event:
        case "Receipt":
            return _receipts(call.get("state"), found)
        case "Message":
            return _inbound(found)
        case "SendMessage":
            return _own(found)
        case "Connected":
            return [ConnectionChange(True, "session_connected")]
        case str() if event in _ENDED:
            return [ConnectionChange(False, _ENDED[event])]
        case _:
            return []


def id_of(data: object) -> str | None:
    """The message id in an answer or a call; None when there is none."""
    info = data.get("Info") if isinstance(data, dict) else None
    identifier = info.get("ID") if isinstance(info, dict) else None
    return identifier if isinstance(identifier, str) and identifier else None


def _receipts(state: object, data: Mapping[str, object]) -> list[Fact]:
    identifiers = data.get("MessageIDs")
    if not isinstance(state, str) or state not in _STATES or not isinstance(identifiers, list):
        return []
    at = _time(data.get("Timestamp"))
    receipts = [
        Receipt(whatsapp_web.our_id(identifier), identifier, _STATES[state], None, at)
        for identifier in identifiers
        if isinstance(identifier, str) and identifier
    ]
    ours = next((receipt.message_id for receipt in receipts if receipt.message_id), None)
    return [*receipts, *whatsapp_web.recipient_alias(data.get("Chat"), ours, at)]


def _own(data: Mapping[str, object]) -> list[Fact]:
    """The server reports each message that WhatsApp's server took."""
    info = data.get("Info")
    if not isinstance(info, dict):
        return []
    return evolution_common.own_message(id_of(data), info.get("Chat"), _time(info.get("Timestamp")))


def _inbound(data: Mapping[str, object]) -> list[Fact]:
    info = data.get("Info")
    if not isinstance(info, dict) or info.get("IsFromMe") is not False or info.get("IsGroup") is True:
        return []
    aliases = [_without_device(info.get(name)) for name in ("Chat", "Sender", "SenderAlt")]
    at = _time(info.get("Timestamp"))
    return evolution_common.inbound(data.get("Message"), info.get("Chat"), aliases, id_of(data), at)


def _without_device(address: object) -> str | None:
    if not isinstance(address, str):
        return None
    user, _, server = address.partition("@")
    return f"{user.partition(':')[0]}@{server}"


def _time(value: object) -> float | None:
    """Unix seconds from a time as Go writes it; None for another text, and for one without a zone."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return unix_seconds(moment.timestamp()) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
