"""Any service that takes messages by HTTP: the generic transport.

docs/guide/transports.md describes the duties of the receiver. Beyond that, a receipt may have a
provider_id.
"""

import re
from collections.abc import Callable, Mapping
from typing import get_args

from retoma.transports.base import (
    Fact,
    Inbound,
    Lookup,
    Message,
    NumberCheck,
    Receipt,
    ReceiptStatus,
    Refused,
    SendResult,
    Settings,
    WebhookRefused,
    unix_seconds,
)
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.signatures import require_signature, sign, verified_object

SIGNATURE_HEADER = "X-Retoma-Signature"

_STATUSES: tuple[ReceiptStatus, ...] = get_args(ReceiptStatus)
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def create(settings: Settings) -> "Webhook":
    """Make a generic webhook transport.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return Webhook(SettingsReader("webhook", settings))


class Webhook:
    """One receiver."""

    def __init__(self, settings: SettingsReader) -> None:
        self._url = settings.url("url")
        self._secret = settings.optional_text("secret")
        self._looks_up = settings.flag("lookup")
        self._target = self._url.raw_path_qs
        self._http = HttpClient(self._url, {}, settings.seconds("timeout_s"))

    async def send(self, message: Message) -> SendResult:
        payload = encode({"id": message.id, "to": message.phone, **message.content})
        headers = {"Idempotency-Key": message.id}
        if self._secret is not None:
            headers[SIGNATURE_HEADER] = f"sha256={sign(self._secret, payload, 'sha256')}"
        answer = await self._http.post_json(self._target, payload, headers, message.send_before)
        if answer.ok:
            provider_id = _provider_id(answer, message)
            return SendResult("accepted", http_status=answer.status, provider_id=provider_id)
        return SendResult(
            "error",
            code=_error_code(answer),
            http_status=answer.status,
            retry_after_s=answer.retry_after_s,
            written=answer.written,
            detail=answer.detail or _receiver_code(answer),
        )

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        if not self._looks_up:
            return "unknown"
        answer = await self._http.get_json((self._url / message_id).with_query(self._url.query).raw_path_qs)
        if answer.ok:
            return "found"
        return "absent" if answer.status == 404 and isinstance(answer.body, dict) else "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        return NumberCheck(None)

    def require_signature(self, headers: Mapping[str, str]) -> None:
        require_signature(self._secret, _signature(headers), "sha256")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        call = verified_object(self._secret, body, _signature(headers), "sha256")
        return [
            *(_read(item, _receipt) for item in _items(call, "receipts")),
            *(_read(item, _inbound) for item in _items(call, "inbound")),
        ]

    async def aclose(self) -> None:
        await self._http.aclose()


def _error_code(answer: Answer) -> str | None:
    # 503 alone may come after the message was taken; with Retry-After the receiver refused it on purpose.
    if answer.status == 503 and answer.retry_after_s is not None:
        return "http_503_retry_after"
    return answer.code


def _receiver_code(answer: Answer) -> str | None:
    code = answer.field("code")
    return f"code {code}" if isinstance(code, str) and _CODE.fullmatch(code) else None


def _provider_id(answer: Answer, message: Message) -> str | None:
    value = answer.field("id")
    return value if isinstance(value, str) and value != message.id else None


def _signature(headers: Mapping[str, str]) -> str:
    return headers.get(SIGNATURE_HEADER.lower(), "").removeprefix("sha256=")


def _items(call: Mapping[str, object], key: str) -> list[object]:
    items = call.get(key, [])
    if not isinstance(items, list):
        raise WebhookRefused(f"The field {key} of the webhook call is not a list of objects.", 400)
    return items


def _read(item: object, read: Callable[[Mapping[str, object]], Fact]) -> Fact:
    if not isinstance(item, dict):
        return Refused("A receipt or an inbound message is not an object.")
    try:
        return read(item)
    except WebhookRefused as refused:
        return Refused(refused.message)


def _receipt(item: Mapping[str, object]) -> Receipt:
    message_id, status = item.get("id"), item.get("status")
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id) or status not in _STATUSES:
        raise WebhookRefused(f"A receipt needs our id and a status of {', '.join(_STATUSES)}.", 400)
    return Receipt(message_id, _text(item, "provider_id"), status, _text(item, "code"), _at(item))


def _inbound(item: Mapping[str, object]) -> Inbound:
    phone, text, button = _text(item, "from"), _text(item, "text"), _text(item, "button")
    if phone is None or (text is None and button is None):
        raise WebhookRefused("An inbound message needs the texts from, and text or button.", 400)
    if not _PHONE.fullmatch(phone):
        raise WebhookRefused("The sender of an inbound message is not an E.164 number with +.", 400)
    return Inbound(phone, text or "", _text(item, "id"), _at(item), button=button)


def _text(item: Mapping[str, object], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) else None


def _at(item: Mapping[str, object]) -> float | None:
    value = item.get("at")
    at = unix_seconds(value)
    if at is None and value is not None:
        raise WebhookRefused("The field at is not a time in Unix seconds.", 400)
    return at
