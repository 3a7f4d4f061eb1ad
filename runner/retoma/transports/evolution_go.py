"""Evolution GO, an HTTP gateway to WhatsApp Web over whatsmeow: send, look up, check, pair, webhooks.

Facts from its source, version 0.6.1 (25 March 2026). It takes a message id from the caller for every kind
that we send, and answers only when WhatsApp's server has the message. We never give `delay`: the server
would sleep inside the request. `formatJid` is false: otherwise the server takes the ninth digit out of
Brazilian numbers by itself. With its own number check (CHECK_USER_EXISTS, on by default) it sends to the
address that WhatsApp says.

Its webhooks have no signature. But each carries the token of the instance, which is our api_key: a call
without it is refused.

Its own codes:

- invalid_request: 400, thrown before the send.
- not_on_whatsapp, session_down, media_refused, media_unreachable: 500 in words that it says before the
  send.
- server_463, server_479, server_error: WhatsApp itself refused.
- unreadable_answer: 200 without the id of a message; content_not_supported.

Any other 500 may come after the send.
"""

import re
from collections.abc import Mapping

from retoma.transports import (
    evolution_common,
    evolution_go_contents,
    evolution_go_webhooks,
    pairing,
    whatsapp_web,
)
from retoma.transports.base import (
    Account,
    Fact,
    Lookup,
    Message,
    NumberCheck,
    PairingSession,
    SendResult,
    Settings,
    WebhookRefused,
)
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.signatures import json_object, same_secret
from retoma.transports.whatsapp_web_contents import NotSupported

_DOWN = re.compile(r"(failed to connect client: )?(client disconnected|no active session found)")
_UNKNOWN_NUMBER = re.compile(r"number \S+ is not registered on WhatsApp")


def create(settings: Settings) -> "EvolutionGo":
    """Make a transport to Evolution GO.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return EvolutionGo(SettingsReader("evolution_go", settings))


class EvolutionGo:
    """One instance of one server, which its token names."""

    def __init__(self, settings: SettingsReader) -> None:
        self._base = settings.url("base_url")
        self._token = settings.header("api_key")
        self._looks_up = settings.flag("store")
        headers = {"apikey": self._token} if self._token else {}
        self._http = HttpClient(self._base, headers, settings.seconds("timeout_s"))
        self._targets = {path: self._target("send", path) for path in ("text", "media", "poll")}

    def _target(self, group: str, call: str) -> str:
        return (self._base / group / call).raw_path_qs

    async def send(self, message: Message) -> SendResult:
        try:
            path, fields = evolution_go_contents.request(message.content)
        except NotSupported as why:
            return whatsapp_web.not_supported(why)
        request = {
            "number": whatsapp_web.number(message),
            "formatJid": False,
            "id": whatsapp_web.whatsapp_id(message.id),
            **fields,
        }
        answer = await self._http.post_json(self._targets[path], encode(request), {}, message.send_before)
        if not answer.ok:
            return whatsapp_web.failed(answer, _error_code(answer))
        return evolution_common.accepted(answer, _given_id(answer), message.id)

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        # The server keeps what receipts it has seen, and only with DATABASE_SAVE_MESSAGES: absence proves
        # nothing.
        if not self._looks_up:
            return "unknown"
        identifier = whatsapp_web.whatsapp_id(message_id)
        answer = await self._http.post_json(self._target("message", "status"), encode({"id": identifier}), {})
        data = answer.field("data") if answer.ok else None
        found = data.get("result") if isinstance(data, dict) else None
        return "found" if isinstance(found, dict) and found.get("message_id") == identifier else "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        question = encode({"number": [phone], "formatJid": False})
        answer = await self._http.post_json(self._target("user", "check"), question, {})
        data = answer.field("data") if answer.ok else None
        users = data.get("Users") if isinstance(data, dict) else None
        user = users[0] if isinstance(users, list) and len(users) == 1 else None
        if not isinstance(user, dict):
            return NumberCheck(None)
        address = user.get("RemoteJID") or None
        return evolution_common.number_check(user.get("IsInWhatsapp"), address, user.get("LID"))

    def require_signature(self, headers: Mapping[str, str]) -> None:
        # The proof is in the body.
        return None

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        call = json_object(body)
        if self._token is not None and not same_secret(self._token, call.get("instanceToken")):
            raise WebhookRefused("The token in the webhook call is missing or not that of the instance.", 401)
        # The token names the instance: a call with it is never about another one.
        return evolution_go_webhooks.facts(call)

    async def read_account(self) -> Account:
        answer = await self._http.get_json((self._base / "instance" / "status").raw_path_qs)
        data = answer.field("data")
        is_in = data.get("LoggedIn") if isinstance(data, dict) else None
        if not answer.ok or not isinstance(is_in, bool):
            raise whatsapp_web.says_nothing(answer)
        return Account(is_in, "logged_in" if is_in else "logged_out", server="Evolution GO")

    def pair(self, phone: str | None) -> PairingSession:
        return pairing.EvolutionGoPairing(self._http, self._base, phone)

    async def aclose(self) -> None:
        await self._http.aclose()


def _given_id(answer: Answer) -> str | None:
    return evolution_go_webhooks.id_of(answer.field("data"))


def _error_code(answer: Answer) -> str | None:
    text = answer.field("error")
    if not isinstance(text, str):
        return answer.code
    if answer.status == 400:
        return "invalid_request"
    return _failure(text) or answer.code if answer.status == 500 else answer.code


def _failure(text: str) -> str | None:
    # Whole texts, as the server writes them before the send. A part of a text can come from anywhere.
    if _DOWN.fullmatch(text):
        return "session_down"
    if _UNKNOWN_NUMBER.fullmatch(text):
        return "not_on_whatsapp"
    if text == "invalid media type" or text.startswith("Invalid file format: '"):
        return "media_refused"
    if text.startswith('Get "'):
        return "media_unreachable"
    return whatsapp_web.server_code(text)
