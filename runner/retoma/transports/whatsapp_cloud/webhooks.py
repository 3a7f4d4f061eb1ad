"""The facts in a call of Meta's webhooks.

One call can have several entries, an entry several changes, and a change several statuses. What has no
meaning for Retoma is passed over: Meta adds fields at any time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from retoma.transports.base import (
    AccountChanged,
    Alias,
    ConnectionChange,
    Fact,
    Inbound,
    Receipt,
    ReceiptStatus,
    Refused,
    TemplateReport,
    WebhookRefused,
    unix_seconds,
)
from retoma.transports.whatsapp_cloud.answers import provider_code

Json = Mapping[str, object]

_OUR_ID = re.compile(r"[0-9a-f]{32}")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_LONGEST_ID = 200
# As they stand in retoma.record_receipts.
_STATUSES: dict[object, ReceiptStatus] = {
    "sent": "server",
    "delivered": "delivered",
    "read": "read",
    "played": "played",
    "failed": "failed",
}
# Notices about a person, which that person did not write.
_NOT_WRITTEN = ("system", "request_welcome")
_BAN_STATES = {"DISABLE": False, "REINSTATE": True}
_APPROVED_AGAIN = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED", "UNPAUSED": "APPROVED"}
_RESTRICTS_SENDING = "RESTRICTED_BIZ_INITIATED_MESSAGING"


class Account(NamedTuple):
    """What a channel takes reports about. One address can serve several numbers and accounts.

    Args:
        phone_number_id: None takes every number.
        waba_id: None takes every account.
    """

    phone_number_id: str | None
    waba_id: str | None


def facts_of(call: Json, account: Account) -> list[Fact]:
    """All facts of one call, in its order.

    Raises:
        WebhookRefused: 400, the call has no entries.
    """
    entries = call.get("entry")
    if not isinstance(entries, list):
        raise WebhookRefused("The field entry of the webhook call is not a list.", 400)
    return [fact for entry in entries for fact in _entry_facts(entry, account)]


def _entry_facts(entry: object, account: Account) -> Iterator[Fact]:
    if not isinstance(entry, dict) or account.waba_id not in (None, entry.get("id")):
        return
    for change in _objects(entry.get("changes")):
        value = change.get("value")
        if not isinstance(value, dict):
            continue
        match change.get("field"):
            case "messages" if _is_for(value, account):
                yield from _each(value.get("statuses"), _receipt)
                contacts = _objects(value.get("contacts"))
                yield from _each(_objects(value.get("statuses")), partial(_recipient, contacts))
                yield from _each(value.get("messages"), partial(_inbound, contacts))
            case "user_preferences":
                # Of any number: who refuses one number of a business gets nothing from the others. And Meta
                # sends this only to the address of the app, even where a number has one of its own.
                yield from _each(value.get("user_preferences"), _preference)
            case "user_id_update":
                yield from _each(_objects(value.get("user_id_update")), _changed_id)
            case "message_template_status_update":
                yield from _template_report(value, status=_template_status(value))
            case "message_template_quality_update":
                yield from _template_report(value, quality=_text(value, "new_quality_score"))
            case "template_category_update":
                yield from _template_report(value, category=_text(value, "new_category"))
            case "account_update":
                yield from _connection_change(value, _at(entry.get("time")))
                yield AccountChanged()
            case "phone_number_quality_update" | "business_capability_update" | "account_alerts":
                yield AccountChanged()


def _is_for(value: Json, account: Account) -> bool:
    metadata = value.get("metadata")
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return number is None or account.phone_number_id in (None, number)


def _each(items: object, read: Callable[[Json], Fact | None]) -> Iterator[Fact]:
    for item in items if isinstance(items, list) else []:
        fact = read(item) if isinstance(item, dict) else Refused("A report is not an object.")
        if fact is not None:
            yield fact


def _receipt(item: Json) -> Fact | None:
    status = _STATUSES.get(_text(item, "status"))
    if status is None:
        return None
    ours, wamid = _text(item, "biz_opaque_callback_data"), _text(item, "id")
    message_id = ours if ours and _OUR_ID.fullmatch(ours) else None
    if wamid and len(wamid) > _LONGEST_ID:
        wamid = None
    if message_id is None and not wamid:
        return Refused("A status has no id.")
    # A failed one may come without its reason.
    code = _failure(item.get("errors")) if status == "failed" else None
    return Receipt(message_id, wamid, status, code, _at(item.get("timestamp")))


def _recipient(contacts: list[Json], status: Json) -> Fact | None:
    """Both names of the person who got a message of ours; the number may be missing, our id tells it."""
    ours, wa_id = _text(status, "biz_opaque_callback_data"), _text(status, "recipient_id")
    user_id = _text(status, "recipient_user_id") or _user_id_of(wa_id, contacts)
    if status.get("recipient_type") == "group" or _text(status, "status") not in _STATUSES:
        return None
    message_id = ours if ours and _OUR_ID.fullmatch(ours) else None
    return _alias(user_id, wa_id, message_id=message_id, at=_at(status.get("timestamp")))


def _moved(message: Json, notice: Json) -> Fact | None:
    """A person has another number, and with it another id."""
    # user_changed_number names the new number; in user_changed_user_id there is none.
    changed = _text(notice, "type")
    if changed not in ("user_changed_number", "user_changed_user_id"):
        return None
    return _alias(
        _text(notice, "user_id"),
        _text(notice, "wa_id"),
        previous=_text(notice, "previous_user_id") or _text(message, "from_user_id"),
        at=_at(message.get("timestamp")),
    )


def _changed_id(item: Json) -> Fact | None:
    """The same as a field of its own, in the form of May 2026."""
    ids = item.get("user_id")
    if not isinstance(ids, dict):
        return None
    return _alias(
        _text(ids, "current"),
        _text(item, "wa_id"),
        previous=_text(ids, "previous"),
        at=_at(item.get("timestamp")),
    )


def _alias(
    user_id: str | None,
    wa_id: str | None,
    *,
    message_id: str | None = None,
    previous: str | None = None,
    at: float | None,
) -> Alias | None:
    if previous == user_id or (previous and len(previous) > _LONGEST_ID):
        previous = None
    phone = _phone(wa_id)
    if not user_id or len(user_id) > _LONGEST_ID or not (phone or message_id or previous):
        return None
    return Alias(user_id, phone, message_id, previous, at)


def _phone(wa_id: str | None) -> str | None:
    return f"+{wa_id}" if wa_id and _DIGITS.fullmatch(wa_id) else None


def _failure(errors: object) -> str | None:
    for error in _objects(errors):
        return provider_code(error.get("code"))
    return None


# By the type of a message: where its words and the value behind them are.
_WORDS = {
    "text": ("body", None),
    "button": ("text", "payload"),
    "reply": ("title", "id"),
    "reaction": ("emoji", None),
}


class _Said(NamedTuple):
    text: str
    button: str | None = None


def _inbound(contacts: list[Json], message: Json) -> Fact | None:
    kind = _text(message, "type") or ""
    part = message.get(kind)
    if kind == "system" and isinstance(part, dict):
        return _moved(message, part)
    if kind in _NOT_WRITTEN:
        return None
    if kind == "edit" and isinstance(part, dict) and isinstance(edited := part.get("message"), dict):
        # The new words; the id is that of the edit.
        kind = _text(edited, "type") or ""
        part = edited.get(kind)
    sender = _text(message, "from")
    user_id = _text(message, "from_user_id") or _user_id_of(sender, contacts)
    said = _said(kind, part)
    return _from_person(
        sender, user_id, said, provider_id=_text(message, "id"), at=_at(message.get("timestamp"))
    )


def _from_person(
    wa_id: str | None, user_id: str | None, said: _Said, *, provider_id: str | None, at: float | None
) -> Fact:
    address = user_id or wa_id
    if not address:
        return Refused("A message names no sender.")
    return Inbound(_phone(wa_id), said.text, provider_id, at, address=address, button=said.button)


def _user_id_of(wa_id: str | None, contacts: list[Json]) -> str | None:
    for contact in contacts:
        if len(contacts) == 1 or _text(contact, "wa_id") == wa_id:
            return _text(contact, "user_id")
    return None


def _said(kind: str, part: object) -> _Said:
    if not isinstance(part, dict):
        return _Said("")
    if kind == "interactive":
        # The reply to buttons or a list, or the end of a Flow.
        part = part.get(_text(part, "type") or "")
        return _said("reply", part)
    words, value = _WORDS.get(kind, ("caption", None))
    return _Said(_text(part, words) or _text(part, "body") or "", _text(part, value) if value else None)


def _preference(item: Json) -> Fact | None:
    """Whether a person wants marketing, as set in WhatsApp itself. "resume" is kept, and decides nothing."""
    choice, category = _text(item, "value"), _text(item, "category") or ""
    if choice is None:
        return None
    wa_id, user_id, at = _text(item, "wa_id"), _text(item, "user_id"), _at(item.get("timestamp"))
    said = _Said("", f"{category}:{choice}")
    # It has no id of its own, and comes again until it is answered.
    identifier = f"{said.button} {at} {user_id or wa_id}"
    fact = _from_person(wa_id, user_id, said, provider_id=identifier, at=at)
    return replace(fact, opts_out=choice == "stop") if isinstance(fact, Inbound) else fact


def _connection_change(value: Json, at: float | None) -> Iterator[Fact]:
    match value.get("event"):
        case "DISABLED_UPDATE":
            ban = value.get("ban_info")
            state = _text(ban, "waba_ban_state") if isinstance(ban, dict) else None
            # SCHEDULE_FOR_DISABLE announces it: the account still sends.
            if state in _BAN_STATES:
                yield ConnectionChange(_BAN_STATES[state], f"account_{state}", at)
        case "ACCOUNT_RESTRICTION":
            kinds = [_text(item, "restriction_type") for item in _objects(value.get("restriction_info"))]
            if not kinds or _RESTRICTS_SENDING in kinds:
                yield ConnectionChange(False, "account_RESTRICTED", at)
        case "ACCOUNT_DELETED" | "PARTNER_REMOVED" as event:
            yield ConnectionChange(False, f"account_{event}", at)


def _template_status(value: Json) -> str | None:
    event = _text(value, "event")
    return _APPROVED_AGAIN.get(event, event) if event else None


def _template_report(
    value: Json, *, status: str | None = None, category: str | None = None, quality: str | None = None
) -> Iterator[Fact]:
    name, language = _text(value, "message_template_name"), _text(value, "message_template_language")
    if name and language and (status or category or quality):
        # Meta writes pt-BR in some of these reports, and pt_BR in the list.
        yield TemplateReport(name, language.replace("-", "_"), status, category, quality)


def _objects(items: object) -> list[Json]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _text(part: Json, key: str) -> str | None:
    value = part.get(key)
    return value if isinstance(value, str) and value else None


def _at(value: object) -> float | None:
    """A time in whole seconds; Meta writes it as a text or as a number."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = int(value)
    return unix_seconds(value)
