"""What an answer of the Cloud API says.

cloud_<number> is the code of Meta's error object; after an HTTP status 5xx it is cloud_<number>_5xx, because
such an answer proves nothing, whatever its code. unreadable_answer is a 2xx without the id of a message.
hub_<status> and hub_rate_limit are errors of a provider in between that passes the API on (360dialog). All
else is http_<status>: an answer that is not Meta's own, which proves nothing.
"""

import re
from collections.abc import Mapping

from retoma.transports.base import SendResult
from retoma.transports.http.client import Answer

# Codes have at most seven digits, and phone numbers have more: a code never carries one into a log.
_CODE = re.compile(r"[0-9]{1,7}")
# What the database keeps. A message with another id was taken all the same.
_STORABLE = re.compile(r"[!-~]{1,200}")
_TRACE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]{1,40}")
_HUB_RATE_LIMIT = re.compile(r"\bexceeded the\b.*\blimit\b", re.IGNORECASE)
# Both wait for Meta's check of the quality, and may still end as failed.
_HELD = ("held_for_quality_assessment", "paused")


def result_of(answer: Answer) -> SendResult:
    """The facts of one attempt to send."""
    body = answer.body
    error = body.get("error") if isinstance(body, dict) else None
    if answer.ok and not isinstance(error, dict) and (sent := _sent(body)) is not None:
        return sent
    return SendResult(
        "error",
        code=_code(answer, body, error),
        http_status=answer.status,
        retry_after_s=answer.retry_after_s,
        written=answer.written,
        detail=answer.detail or _detail(error),
    )


def provider_code(value: object) -> str | None:
    """The code of an error as error_rule names it; None for anything but a number, or a text of digits."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not _CODE.fullmatch(str(value)):
        return None
    return f"cloud_{int(value)}"


def _sent(body: object) -> SendResult | None:
    messages = body.get("messages") if isinstance(body, dict) else None
    message = messages[0] if isinstance(messages, list) and messages else None
    wamid = message.get("id") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(wamid, str) or not wamid:
        return None
    held = message.get("message_status") in _HELD
    provider_id = wamid if _STORABLE.fullmatch(wamid) else None
    return SendResult("held" if held else "accepted", http_status=200, provider_id=provider_id)


def _code(answer: Answer, body: object, error: object) -> str | None:
    code = provider_code(error.get("code")) if isinstance(error, dict) else None
    if code is not None:
        return f"{code}_5xx" if answer.status is not None and answer.status >= 500 else code
    if answer.ok:
        return "unreadable_answer"
    return _hub_code(answer.status, body) or answer.code


def _hub_code(status: int | None, body: object) -> str | None:
    """The error of 360dialog: {"meta": {"success": false, "httpCode": 401, "developerMessage": …}}."""
    meta = body.get("meta") if isinstance(body, dict) else None
    if status is None or status >= 500 or not isinstance(meta, Mapping) or meta.get("success") is not False:
        return None
    text = meta.get("developerMessage") or meta.get("developer_message")
    if isinstance(text, str) and _HUB_RATE_LIMIT.search(text):
        return "hub_rate_limit"
    return f"hub_{status}"


def _detail(error: object) -> str | None:
    """The numbers by which Meta's support finds the case. Its words can quote what was sent."""
    if not isinstance(error, dict):
        return None
    subcode, trace = error.get("error_subcode"), error.get("fbtrace_id")
    facts = []
    if provider_code(subcode):
        facts.append(f"subcode {subcode}")
    if isinstance(trace, str) and _TRACE.fullmatch(trace):
        facts.append(f"trace {trace}")
    return ", ".join(facts) or None
