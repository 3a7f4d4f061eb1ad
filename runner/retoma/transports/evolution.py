"""Evolution API, an HTTP gateway to WhatsApp Web: send, lookup, number check, pairing, webhooks.

Facts from its source: 2.3.6, and branch develop (2.4.0-rc2, 17 May 2026), for instances of the kind
WHATSAPP-BAILEYS.

From 2.4.0-rc1 on it takes a message id from the caller for texts, media and polls; older servers drop the
field in silence. So we always give ours, and the answer shows whether it was taken. Voice notes and buttons
never carry one. We never give `delay`: the server would sleep inside the request and send later, past our
deadline.

Its own codes:

- not_on_whatsapp, invalid_request: refused before the send.
- failed_before_sending: the number check or the preparation of a medium failed (500 with its JSON).
- connection_closed_before: the same, because the instance was reconnecting.
- refused_while_sending: any other 400. One try block of the server holds the send and the work after it, so
  the message may be out. connection_closed: one of them, which says that the socket was closed.
- license_required: from 2.4.0 on, a server without a licence.
- unreadable_answer: 201 without the key of a message; no body at all is taken for an acceptance where the
  request carried our id.
- ack_error in a receipt; content_not_supported.
"""

from collections.abc import Mapping

from retoma.transports import (
    evolution_common,
    evolution_contents,
    evolution_webhooks,
    pairing,
    whatsapp_web,
)
from retoma.transports.base import (
    Account,
    Description,
    Fact,
    Lookup,
    Message,
    NumberCheck,
    PairingSession,
    SendResult,
    Settings,
)
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.whatsapp_web_contents import NotSupported

# Thrown before the send, outside the try block that makes every other 400 a doubt.
_REFUSED_BEFORE = frozenset(
    {
        "Text is required",
        "At least one button is required",
        "Maximum of 3 reply buttons allowed",
        "Reply buttons cannot be mixed with other button types",
        "Owned media must be a url or base64",
        "Owned media must be a url, base64, or valid file with buffer",
        "File buffer, URL, or base64 audio is required",
        "For base64 the file name must be informed.",
    }
)
# Express fails like this while it writes an answer, which is after the send.
_AFTER_SENDING = ("serialize", "circular")


def create(settings: Settings) -> "Evolution":
    """Make a transport to Evolution API.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return Evolution(SettingsReader("evolution", settings))


class Evolution:
    """One instance of one server."""

    def __init__(self, settings: SettingsReader) -> None:
        self._base = settings.url("base_url")
        self._instance = settings.text("instance")
        self._looks_up = settings.flag("store")
        self._door = evolution_webhooks.Door(
            jwt_key=settings.optional_text("jwt_key"), secret=settings.optional_text("webhook_secret")
        )
        api_key = settings.header("api_key")
        headers = {"apikey": api_key} if api_key else {}
        self._http = HttpClient(self._base, headers, settings.seconds("timeout_s"))
        self._targets = {path: self._target("message", path) for path in evolution_contents.PATHS}

    def _target(self, group: str, call: str) -> str:
        return (self._base / group / call / self._instance).raw_path_qs

    async def send(self, message: Message) -> SendResult:
        try:
            request = evolution_contents.request(message.content)
        except NotSupported as why:
            return whatsapp_web.not_supported(why)
        fields = {"number": whatsapp_web.digits(whatsapp_web.number(message)), **request.fields}
        if request.takes_id:
            fields["messageId"] = whatsapp_web.whatsapp_id(message.id)
        target = self._targets[request.path]
        answer = await self._http.post_json(target, encode(fields), {}, message.send_before)
        if not answer.ok:
            return whatsapp_web.failed(answer, _error_code(answer))
        if request.takes_id and not answer.raw.strip():
            # With S3 on, the server can answer with nothing although it sent. Our id, if it took it, finds
            # the receipts.
            return whatsapp_web.accepted(answer, None, message.id)
        our_id = message.id if request.takes_id else None
        return evolution_common.accepted(answer, _given_id(answer), our_id)

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        # The row is written after the send, and only if the server keeps new messages: absence proves
        # nothing.
        if not self._looks_up:
            return "unknown"
        identifier = whatsapp_web.whatsapp_id(message_id)
        question = encode({"where": {"key": {"id": identifier}}})
        answer = await self._http.post_json(self._target("chat", "findMessages"), question, {})
        messages = answer.field("messages") if answer.ok else None
        records = messages.get("records") if isinstance(messages, dict) else None
        if not isinstance(records, list):
            return "unknown"
        # An older server may ignore the question and show any messages: ours must be among them.
        keys = [record.get("key") for record in records if isinstance(record, dict)]
        found = any(isinstance(key, dict) and key.get("id") == identifier for key in keys)
        return "found" if found else "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        question = encode({"numbers": [whatsapp_web.digits(phone)]})
        answer = await self._http.post_json(self._target("chat", "whatsappNumbers"), question, {})
        body = answer.body if answer.ok else None
        found = body[0] if isinstance(body, list) and len(body) == 1 else None
        if not isinstance(found, dict):
            return NumberCheck(None)
        return evolution_common.number_check(found.get("exists"), found.get("jid"), found.get("lid"))

    def require_signature(self, headers: Mapping[str, str]) -> None:
        self._door.check(headers)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        self._door.check(headers)
        return evolution_webhooks.facts(self._instance, headers, body)

    async def describe(self) -> Description | None:
        answer = await self._http.get_json((self._base / "").raw_path_qs)
        version = answer.field("version")
        says_it = answer.ok and whatsapp_web.is_word(version)
        return Description(f"Evolution API {version}", {}) if says_it else None

    async def read_account(self) -> Account:
        here = (self._base / "instance" / "connectionState" / self._instance).raw_path_qs
        answer = await self._http.get_json(here)
        instance = answer.field("instance")
        state = instance.get("state") if isinstance(instance, dict) else None
        if not answer.ok or not whatsapp_web.is_word(state):
            raise whatsapp_web.says_nothing(answer)
        described = await self.describe()
        # While it connects anew, it says so for seconds: that is no state of the account.
        connected = None if state == "connecting" else state == "open"
        return Account(connected, str(state), server=described.server if described else None)

    def pair(self, phone: str | None) -> PairingSession:
        return pairing.EvolutionPairing(self._http, self._base, self._instance, phone)

    async def aclose(self) -> None:
        await self._http.aclose()


def _given_id(answer: Answer) -> str | None:
    key = answer.field("key")
    identifier = key.get("id") if isinstance(key, dict) else None
    return identifier if isinstance(identifier, str) and identifier else None


def _error_code(answer: Answer) -> str | None:
    if answer.status == 503 and answer.field("code") == "LICENSE_REQUIRED":
        return "license_required"
    response = answer.field("response")
    if not isinstance(response, dict) or answer.field("status") != answer.status:
        return answer.code  # not the server's own JSON
    if answer.status == 400:
        return _refusal(response.get("message"))
    if answer.status == 500:
        return _failure(response.get("message"))
    return answer.code


def _refusal(message: object) -> str:
    first = message[0] if isinstance(message, list) and message else None
    if isinstance(first, dict) and first.get("exists") is False:
        return "not_on_whatsapp"
    # The validation gives all of its complaints as one list.
    is_validation = isinstance(first, list) and bool(first) and all(isinstance(text, str) for text in first)
    if is_validation or (isinstance(first, str) and first in _REFUSED_BEFORE):
        return "invalid_request"
    if isinstance(first, str) and first.removeprefix("Error: ") == "Connection Closed":
        return "connection_closed"
    return "refused_while_sending"


def _failure(message: object) -> str:
    first = message[0] if isinstance(message, list) and message else message
    text = first.lower() if isinstance(first, str) else ""
    if any(word in text for word in _AFTER_SENDING):
        return "http_500"
    return "connection_closed_before" if "connection closed" in text else "failed_before_sending"
