"""WAHA, the HTTP gateway to WhatsApp Web (https://waha.devlike.pro): send, lookup, pairing, webhooks.

The requests are those of WAHA's OpenAPI description, version 2026.7.1.

The engines NOWEB and GOWS take a message id from the caller (2026.4.3 or later), and a repeat with the same
id shows once on the recipient's phone. WEBJS and WPP do not: there, a message in doubt waits for an operator.
The description declares the id for texts and polls. GOWS hands it on with media too; whether it does, the
answer shows. A list never carries one.

463 of WhatsApp means that the account may open no new chats for some days, or only not this one. WAHA
2026.8.1 knows which, and is asked after each: new_chats_locked, new_chat_refused. Without an answer, and in a
receipt, it stays server_463.

Its own codes: session_<STATUS> when the session does not work; those of 463, server_479 and server_error when
WhatsApp itself refused; no_lid when it knows no address of the person; ack_error in a receipt without a
number; content_not_supported.
"""

import re
import time
from collections.abc import Mapping

from retoma.transports import choices, pairing, waha_contents, whatsapp_web
from retoma.transports.base import (
    Account,
    ConnectionChange,
    Description,
    Fact,
    Inbound,
    Lookup,
    Message,
    NumberCheck,
    PairingSession,
    Receipt,
    ReceiptStatus,
    SendResult,
    Settings,
    unix_seconds,
)
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.signatures import require_signature, verified_object
from retoma.transports.whatsapp_web import BY_NUMBER, HIDDEN
from retoma.transports.whatsapp_web_contents import NotSupported

_TAKES_OUR_ID = ("NOWEB", "GOWS")
# By the path of the request: the engines that take our id there.
_WITH_ID = {
    "sendText": _TAKES_OUR_ID,
    "sendPoll": _TAKES_OUR_ID,
    **dict.fromkeys(("sendImage", "sendFile", "sendVideo", "sendVoice"), ("GOWS",)),
}
_ID_PARTS = re.compile(r"(?:true|false)_(?P<chat>[^_]*)_(?P<last>[^_]*)")
_DOWN = ("STOPPED", "STARTING", "SCAN_QR_CODE", "PASSKEY_REQUIRED", "PASSKEY_CONFIRMATION_REQUIRED", "FAILED")
# GOWS: "no LID found for … from server"; WEBJS: "Lid is missing in chat table". Both stop before they send.
_NO_ADDRESS = re.compile(r"\bno LID found\b|\bLid is missing\b", re.IGNORECASE)
_ACKS: dict[int, ReceiptStatus] = {1: "server", 2: "delivered", 3: "read", 4: "played"}


def create(settings: Settings) -> "Waha":
    """Make a WAHA transport.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return Waha(SettingsReader("waha", settings))


def chat_id(address: str) -> str:
    """The name of the chat with a person, from E.164 or an address that hides it."""
    return address if address.endswith(HIDDEN) else f"{whatsapp_web.digits(address)}@c.us"


class Waha:
    """One session of one WAHA server."""

    def __init__(self, settings: SettingsReader) -> None:
        self._base = settings.url("base_url")
        self._session = settings.text("session")
        self._engine = settings.text("engine")
        self._converts = settings.flag("convert")
        self._webhook_key = settings.optional_text("webhook_hmac_key")
        # Without a caller-chosen id there is nothing to look up by.
        self._looks_up = settings.flag("store") and self._engine in _TAKES_OUR_ID
        api_key = settings.header("api_key")
        headers = {"X-Api-Key": api_key} if api_key else {}
        self._http = HttpClient(self._base, headers, settings.seconds("timeout_s"))
        self._targets = {path: (self._base / "api" / path).raw_path_qs for path in (*_WITH_ID, "sendList")}

    async def send(self, message: Message) -> SendResult:
        try:
            path, fields = waha_contents.request(message.content, self._engine, converts=self._converts)
        except NotSupported as why:
            return whatsapp_web.not_supported(why)
        request = {"session": self._session, "chatId": chat_id(message.address or message.phone), **fields}
        gives_id = self._engine in _WITH_ID.get(path, ())
        if gives_id:
            request["id"] = whatsapp_web.whatsapp_id(message.id)
        answer = await self._http.post_json(self._targets[path], encode(request), {}, message.send_before)
        if answer.ok:
            return whatsapp_web.accepted(answer, _given_id(answer), message.id if gives_id else None)
        code = _error_code(answer)
        if code != "server_463":
            return whatsapp_web.failed(answer, code)
        code, ends_in_s = await self._meaning_of_463()
        return whatsapp_web.failed(answer, code)._replace(retry_after_s=ends_in_s)

    async def _meaning_of_463(self) -> tuple[str, float | None]:
        """Its code, and the seconds until the account may begin new chats."""
        url = self._base / "api" / "sessions" / self._session / "timelock"
        answer = await self._http.get_json(url.raw_path_qs)
        active, ends = answer.field("isActive"), unix_seconds(answer.field("timeEnforcementEnds"))
        if not answer.ok or not isinstance(active, bool):
            return "server_463", None
        if not active:
            return "new_chat_refused", None
        return "new_chats_locked", None if ends is None else max(ends - time.time(), 0.0)

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        if not self._looks_up:
            return "unknown"
        answer: Lookup = "absent"
        for chat in {chat_id(address or phone): None, chat_id(phone): None}:
            found = await self._lookup_in(chat, message_id)
            if found == "found":
                return found
            if found == "unknown":
                answer = found
        return answer

    async def _lookup_in(self, chat: str, message_id: str) -> Lookup:
        name = f"true_{chat}_{whatsapp_web.whatsapp_id(message_id)}"
        url = self._base / "api" / self._session / "chats" / chat / "messages" / name
        # A chat has two addresses, by number and hidden; "merge" searches both (2026.3.1).
        answer = await self._http.get_json(url.with_query(merge="true").raw_path_qs)
        if answer.ok and answer.field("id"):
            return "found"
        # A missing session, a wrong path and a proxy answer 404 as well; only this one speaks of the message.
        text = answer.field("message")
        if answer.status == 404 and isinstance(text, str) and text.startswith("Message"):
            return "absent"
        return "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        url = (self._base / "api" / "contacts" / "check-exists").with_query(
            phone=whatsapp_web.digits(phone), session=self._session
        )
        answer = await self._http.get_json(url.raw_path_qs)
        exists, address = answer.field("numberExists"), answer.field("chatId")
        if not answer.ok or not isinstance(exists, bool):
            return NumberCheck(None)
        if not exists:
            return NumberCheck(exists)
        return NumberCheck(exists, whatsapp_web.known_address(address), whatsapp_web.hidden_of(address))

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
                return _connection_change(payload, at)
            case "message" | "message.any":
                # Both may be subscribed: they have the same id, and count once.
                written_at = unix_seconds(payload.get("timestamp"))
                return _inbound(payload, _provider_id(payload.get("id")), written_at or at)
            case "message.edited":
                # The id and the time in the payload may be those of the original.
                event_id = call.get("id")
                return _inbound(payload, event_id if isinstance(event_id, str) else None, at)
            case _:
                return []

    async def describe(self) -> Description | None:
        answer = await self._http.get_json((self._base / "api" / "server" / "version").raw_path_qs)
        version, engine = answer.field("version"), answer.field("engine")
        if not (answer.ok and whatsapp_web.is_word(version) and whatsapp_web.is_word(engine)):
            return None
        wrong = {"engine": str(engine)} if engine != self._engine else {}
        return Description(f"WAHA {version}, engine {engine}", wrong)

    async def read_account(self) -> Account:
        here = (self._base / "api" / "sessions" / self._session).raw_path_qs
        answer = await self._http.get_json(here)
        status = answer.field("status")
        if not answer.ok or not whatsapp_web.is_word(status):
            raise whatsapp_web.says_nothing(answer)
        described = await self.describe()
        # While it starts, it says so for seconds: that is no state of the account.
        return Account(
            None if status == "STARTING" else status == "WORKING",
            None if status == "WORKING" else _session_code(str(status)),
            server=described.server if described else None,
        )

    def pair(self, phone: str | None) -> PairingSession:
        return pairing.WahaPairing(self._http, self._base, self._session, phone)

    async def aclose(self) -> None:
        await self._http.aclose()


def _error_code(answer: Answer) -> str | None:
    status = answer.field("status")
    if answer.status == 422 and isinstance(status, str) and status != "WORKING":
        return _session_code(status)
    exception = answer.field("exception")
    text = exception.get("message") if isinstance(exception, dict) else None
    # Seen by users of GOWS: status 500, with the words of whatsmeow in exception.message.
    if code := whatsapp_web.server_code(text):
        return code
    if isinstance(text, str) and _NO_ADDRESS.search(text):
        return "no_lid"
    return answer.code


def _session_code(status: str) -> str:
    # Only known values become codes: error_rule has a row for each.
    return f"session_{status}" if status in _DOWN else "session_OTHER"


def _given_id(answer: Answer) -> str | None:
    key = answer.field("key")  # NOWEB can answer with the message of Baileys as it is
    return _last_part(answer.field("id")) or _last_part(key.get("id") if isinstance(key, dict) else None)


def _last_part(value: object) -> str | None:
    """The part of a WAHA id that is the same in all places: true_<chat>_<this>. A chat has several names."""
    identifier = _provider_id(value)
    if identifier is None or (parts := _ID_PARTS.match(identifier)) is None:
        return identifier or None
    return parts["last"] or None


def _provider_id(value: object) -> str | None:
    # WEBJS answers {"_serialized": …, "id": …}, the others a text.
    if isinstance(value, dict):
        value = value.get("_serialized")
    return value if isinstance(value, str) else None


def _receipt(payload: Mapping[str, object], at: float | None) -> list[Fact]:
    provider_id, ack = _last_part(payload.get("id")), payload.get("ack")
    if provider_id is None or payload.get("fromMe") is False:
        return []
    message_id = whatsapp_web.our_id(provider_id)
    if ack == -1:
        receipt = Receipt(message_id, provider_id, "failed", _ack_error(payload), at)
    elif isinstance(ack, int) and ack in _ACKS:
        receipt = Receipt(message_id, provider_id, _ACKS[ack], None, at)
    else:
        return []
    return [receipt, *whatsapp_web.recipient_alias(_chat_of(payload), message_id, at)]


def _chat_of(payload: Mapping[str, object]) -> str | None:
    """The address of the chat of a message that we sent, if it hides the number."""
    parts = _ID_PARTS.match(_provider_id(payload.get("id")) or "")
    return whatsapp_web.hidden_of(parts["chat"] if parts else None, payload.get("to"))


def _ack_error(payload: Mapping[str, object]) -> str:
    # Since 2026.7.2 NOWEB has an error of its own, with the number that WhatsApp gave. Before, the number was
    # inside Baileys' own update.
    error = payload.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int | str) and not isinstance(code, bool) and re.fullmatch(r"\d{3}", str(code)):
        return whatsapp_web.refused_by_server(str(code))
    data = payload.get("_data")
    update = data.get("update", data) if isinstance(data, dict) else None
    parameters = update.get("messageStubParameters") if isinstance(update, dict) else None
    number = parameters[0] if isinstance(parameters, list) and parameters else None
    return whatsapp_web.refused_by_server(number) if isinstance(number, str) else "ack_error"


def _connection_change(payload: Mapping[str, object], at: float | None) -> list[Fact]:
    status = payload.get("status")
    # STARTING settles by itself within seconds and must not interrupt a campaign.
    if not isinstance(status, str) or status == "STARTING":
        return []
    if status == "WORKING":
        return [ConnectionChange(True, "session_WORKING", at)]
    return [ConnectionChange(False, _session_code(status), at)]


def _inbound(payload: Mapping[str, object], provider_id: str | None, at: float | None) -> list[Fact]:
    sender, text = payload.get("from"), payload.get("body")
    if not isinstance(sender, str) or payload.get("fromMe"):
        return []
    if not sender.endswith((*BY_NUMBER, HIDDEN)):
        return []
    choice = choices.chosen(payload.get("_data"))
    if not isinstance(text, str) or not text:
        text = choice.text
    # Without words it is a picture or the like; or a notice of the engine, which nobody wrote.
    if not (text or choice.value or payload.get("hasMedia")):
        return []
    addresses = [sender, *_other_addresses(payload.get("_data"))]
    phone = next((found for address in addresses if (found := whatsapp_web.phone_of(address))), None)
    address = whatsapp_web.hidden_of(*addresses) or sender
    return [Inbound(phone, text, provider_id, at, address=address, button=choice.value)]


def _other_addresses(data: object) -> list[object]:
    """Other addresses of a sender: the engine often knows them, and has its own fields for them."""
    # NOWEB: key.remoteJidAlt of Baileys, see devlikeapro/waha#2010, and senderPn and senderLid of its older
    # versions. GOWS: Info.SenderAlt of whatsmeow. A field may be there and empty.
    key, info = (data.get(group) if isinstance(data, dict) else None for group in ("key", "Info"))
    names = [(key, "remoteJidAlt"), (key, "senderPn"), (key, "senderLid"), (info, "SenderAlt")]
    return [facts.get(name) for facts, name in names if isinstance(facts, dict)]
