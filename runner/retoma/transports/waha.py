"""WAHA, the HTTP gateway to WhatsApp Web (https://waha.devlike.pro): send, lookup, webhooks.

The engines NOWEB and GOWS take a message id from the caller (2026.4.3 or later), and a repeat with the same
id shows once on the recipient's phone. WEBJS does not: there, a message in doubt waits for an operator.

Its own codes: session_<STATUS> when the session does not work; server_463 (the account is restricted),
server_479 and server_error when WhatsApp itself refused; no_lid when it knows no address of the person;
ack_error in a receipt without a number.
"""

import re
from collections.abc import Mapping

from retoma.transports.base import (
    ConnectionChange,
    Fact,
    Inbound,
    Lookup,
    Message,
    NumberCheck,
    Receipt,
    ReceiptStatus,
    SendResult,
    Settings,
    unix_seconds,
)
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.signatures import require_signature, verified_object

_TAKES_OUR_ID = ("NOWEB", "GOWS")
_OUR_ID = re.compile(r"3EB0([0-9A-F]{32})(?![0-9A-F])")
_ID_PARTS = re.compile(r"(?:true|false)_[^_]*_([^_]*)")
_DOWN = ("STOPPED", "STARTING", "SCAN_QR_CODE", "PASSKEY_REQUIRED", "PASSKEY_CONFIRMATION_REQUIRED", "FAILED")
_SERVER_ERROR = re.compile(r"server returned error (\d{3})\b")
# GOWS: "no LID found for … from server"; WEBJS: "Lid is missing in chat table". Both stop before they send.
_NO_ADDRESS = re.compile(r"\bno LID found\b|\bLid is missing\b", re.IGNORECASE)
_BY_NUMBER, _HIDDEN = ("@c.us", "@s.whatsapp.net"), "@lid"
_ACKS: dict[int, ReceiptStatus] = {1: "server", 2: "delivered", 3: "read", 4: "played"}


def create(settings: Settings) -> "Waha":
    """Make a WAHA transport.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return Waha(SettingsReader("waha", settings))


def waha_id(message_id: str) -> str:
    """The id under which WhatsApp knows our message."""
    return f"3EB0{message_id.upper()}"


def chat_id(phone: str) -> str:
    """The address of a person, from E.164."""
    return f"{phone.removeprefix('+')}@c.us"


class Waha:
    """One session of one WAHA server."""

    def __init__(self, settings: SettingsReader) -> None:
        self._base = settings.url("base_url")
        self._session = settings.text("session")
        self._chooses_id = settings.text("engine") in _TAKES_OUR_ID
        self._webhook_key = settings.optional_text("webhook_hmac_key")
        # Without a caller-chosen id there is nothing to look up by.
        self._looks_up = settings.flag("store") and self._chooses_id
        api_key = settings.header("api_key")
        headers = {"X-Api-Key": api_key} if api_key else {}
        self._http = HttpClient(self._base, headers, settings.seconds("timeout_s"))
        self._send_target = (self._base / "api" / "sendText").raw_path_qs

    async def send(self, message: Message) -> SendResult:
        request = {
            "session": self._session,
            "chatId": chat_id(message.phone),
            "text": message.content["text"],
        }
        if self._chooses_id:
            request["id"] = waha_id(message.id)
        answer = await self._http.post_json(self._send_target, encode(request), {}, message.send_before)
        if answer.ok:
            return self._accepted(message, answer)
        return SendResult(
            "error",
            code=_error_code(answer),
            http_status=answer.status,
            retry_after_s=answer.retry_after_s,
            written=answer.written,
            detail=answer.detail,
        )

    def _accepted(self, message: Message, answer: Answer) -> SendResult:
        given = _given_id(answer)
        if not self._chooses_id or given is None:
            return SendResult("accepted", http_status=answer.status, provider_id=given)
        if given.upper() == waha_id(message.id):
            return SendResult("accepted", http_status=answer.status, took_id=True)
        # An older server ignores our id without a word.
        return SendResult("accepted", http_status=answer.status, provider_id=given, took_id=False)

    async def lookup(self, message_id: str, phone: str) -> Lookup:
        if not self._looks_up:
            return "unknown"
        chat = chat_id(phone)
        name = f"true_{chat}_{waha_id(message_id)}"
        url = self._base / "api" / self._session / "chats" / chat / "messages" / name
        answer = await self._http.get_json(url.raw_path_qs)
        if answer.ok and answer.field("id"):
            return "found"
        # A missing session, a wrong path and a proxy answer 404 as well; only this one speaks of the message.
        text = answer.field("message")
        if answer.status == 404 and isinstance(text, str) and text.startswith("Message"):
            return "absent"
        return "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        url = (self._base / "api" / "contacts" / "check-exists").with_query(
            phone=phone.removeprefix("+"), session=self._session
        )
        answer = await self._http.get_json(url.raw_path_qs)
        exists, address = answer.field("numberExists"), answer.field("chatId")
        if not answer.ok or not isinstance(exists, bool):
            return NumberCheck(None)
        return NumberCheck(exists, address if isinstance(address, str) else None)

    def require_signature(self, headers: Mapping[str, str]) -> None:
        require_signature(self._webhook_key, headers.get("x-webhook-hmac", ""), "sha512")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        call = verified_object(self._webhook_key, body, headers.get("x-webhook-hmac", ""), "sha512")
        payload = call.get("payload")
        # One webhook address may serve several sessions; each channel takes only its own.
        if call.get("session") != self._session or not isinstance(payload, dict):
            return []
        at = unix_seconds(call.get("timestamp"), per_second=1000)
        match call.get("event"):
            case "message.ack":
                return _receipt(payload, at)
            case "session.status":
                return _connection_change(payload)
            case "message":
                return _inbound(payload, at)
            case _:
                return []

    async def aclose(self) -> None:
        await self._http.aclose()


def _error_code(answer: Answer) -> str | None:
    status = answer.field("status")
    if answer.status == 422 and isinstance(status, str) and status != "WORKING":
        return _session_code(status)
    exception = answer.field("exception")
    text = exception.get("message") if isinstance(exception, dict) else None
    # Seen by users of GOWS: status 500, {"exception": {"message": "2 UNKNOWN: server returned error 463"}}
    if isinstance(text, str) and (refusal := _SERVER_ERROR.search(text)):
        return _server_code(refusal[1])
    if isinstance(text, str) and _NO_ADDRESS.search(text):
        return "no_lid"
    return answer.code


def _session_code(status: str) -> str:
    # Only known values become codes: error_rule has a row for each.
    return f"session_{status}" if status in _DOWN else "session_OTHER"


def _server_code(number: str) -> str:
    return f"server_{number}" if number in ("463", "479") else "server_error"


def _given_id(answer: Answer) -> str | None:
    key = answer.field("key")  # NOWEB can answer with the message of Baileys as it is
    return _last_part(answer.field("id")) or _last_part(key.get("id") if isinstance(key, dict) else None)


def _last_part(value: object) -> str | None:
    """The part of a WAHA id that is the same in all places: true_<chat>_<this>. A chat has several names."""
    identifier = _provider_id(value)
    if identifier is None or (parts := _ID_PARTS.match(identifier)) is None:
        return identifier or None
    return parts[1] or None


def _provider_id(value: object) -> str | None:
    # WEBJS answers {"_serialized": …, "id": …}, the others a text.
    if isinstance(value, dict):
        value = value.get("_serialized")
    return value if isinstance(value, str) else None


def _receipt(payload: Mapping[str, object], at: float | None) -> list[Fact]:
    provider_id, ack = _last_part(payload.get("id")), payload.get("ack")
    if provider_id is None or payload.get("fromMe") is False:
        return []
    ours = _OUR_ID.search(provider_id)
    message_id = ours[1].lower() if ours else None
    if ack == -1:
        return [Receipt(message_id, provider_id, "failed", _ack_error(payload), at)]
    if isinstance(ack, int) and ack in _ACKS:
        return [Receipt(message_id, provider_id, _ACKS[ack], None, at)]
    return []


def _ack_error(payload: Mapping[str, object]) -> str:
    # NOWEB passes on the number that WhatsApp gave, inside Baileys' own update.
    data = payload.get("_data")
    update = data.get("update", data) if isinstance(data, dict) else None
    parameters = update.get("messageStubParameters") if isinstance(update, dict) else None
    number = parameters[0] if isinstance(parameters, list) and parameters else None
    return _server_code(number) if isinstance(number, str) else "ack_error"


def _connection_change(payload: Mapping[str, object]) -> list[Fact]:
    status = payload.get("status")
    # STARTING settles by itself within seconds and must not interrupt a campaign.
    if not isinstance(status, str) or status == "STARTING":
        return []
    if status == "WORKING":
        return [ConnectionChange(True, "session_WORKING")]
    return [ConnectionChange(False, _session_code(status))]


def _inbound(payload: Mapping[str, object], at: float | None) -> list[Fact]:
    sender, text = payload.get("from"), payload.get("body")
    if not isinstance(sender, str) or not isinstance(text, str) or payload.get("fromMe"):
        return []
    if not sender.endswith((*_BY_NUMBER, _HIDDEN)):
        return []
    if sender.endswith(_HIDDEN):
        sender = _other_address(payload.get("_data")) or ""
    return [Inbound(_phone(sender), text, _provider_id(payload.get("id")), at)]


def _other_address(data: object) -> str | None:
    """The number of a sender with a LID: the engine often knows it, and has its own field for it."""
    # NOWEB: key.remoteJidAlt of Baileys, see devlikeapro/waha#2010; GOWS: Info.SenderAlt of whatsmeow.
    for group, name in (("key", "remoteJidAlt"), ("Info", "SenderAlt")):
        facts = data.get(group) if isinstance(data, dict) else None
        address = facts.get(name) if isinstance(facts, dict) else None
        if isinstance(address, str):
            return address
    return None


def _phone(address: str) -> str | None:
    if not address.endswith(_BY_NUMBER):
        return None
    # A device of that person follows after a colon.
    number = address.partition("@")[0].partition(":")[0]
    return f"+{number}" if number.isdigit() else None
