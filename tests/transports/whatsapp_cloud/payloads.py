"""Calls of Meta's webhooks, retold from its documentation with numbers and ids of our own."""

from typing import Any

Json = dict[str, Any]

NUMBER_ID = "104"
WABA = "900"
OURS = "0123456789abcdef0123456789abcdef"
WAMID = "wamid.HBgNNTUxMTk1NTUwMTIzNBUCABEYEjA="
PERSON = "5511955501234"
USER_ID = "BR.Xk29fQ7"
AT = 1_795_000_000
METADATA = {"display_phone_number": "551155550000", "phone_number_id": NUMBER_ID}
CONTACT = {"profile": {"name": "Ana"}, "wa_id": PERSON, "user_id": USER_ID}


def call(field: str, *values: Json, waba: str = WABA) -> Json:
    """One call with one entry, and a change for each value."""
    changes = [{"field": field, "value": value} for value in values]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba, "time": AT, "changes": changes}],
    }


def messages(**value: Any) -> Json:
    """A change of the field messages."""
    return {"messaging_product": "whatsapp", "metadata": METADATA, **value}


def status(name: str, **more: Any) -> Json:
    """One report about a message that we sent."""
    return {
        "id": WAMID,
        "status": name,
        "timestamp": str(AT),
        "recipient_id": PERSON,
        "recipient_user_id": USER_ID,
        "biz_opaque_callback_data": OURS,
        **more,
    }


def inbound(kind: str, part: Any, **more: Any) -> Json:
    """One message of a person."""
    message = {"from": PERSON, "from_user_id": USER_ID, "id": "wamid.IN", "timestamp": str(AT), "type": kind}
    return {**message, kind: part, **more}


PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}
FAILED_ERROR = {
    "code": 131026,
    "title": "Message undeliverable",
    "message": "Message undeliverable",
    "error_data": {"details": "Message undeliverable."},
    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
}
TEMPLATE_REPORTS: dict[str, Json] = {
    "message_template_status_update": {
        "event": "PAUSED",
        "message_template_id": 594425479261596,
        "message_template_name": "promocao",
        "message_template_language": "pt-BR",
        "reason": "NONE",
        "other_info": {"title": "FIRST_PAUSE", "description": "…"},
    },
    "message_template_quality_update": {
        "previous_quality_score": "GREEN",
        "new_quality_score": "YELLOW",
        "message_template_id": 594425479261596,
        "message_template_name": "promocao",
        "message_template_language": "pt-BR",
    },
    "template_category_update": {
        "message_template_id": 594425479261596,
        "message_template_name": "promocao",
        "message_template_language": "pt_BR",
        "previous_category": "UTILITY",
        "new_category": "MARKETING",
    },
}
CHANGES: dict[str, Json] = {
    "phone_number_quality_update": {
        "display_phone_number": "551155550000",
        "event": "THROUGHPUT_UPGRADE",
        "current_limit": "TIER_UNLIMITED",
    },
    "business_capability_update": {
        "max_daily_conversations_per_business": 100_000,
        "max_phone_numbers_per_waba": 20,
    },
    "account_alerts": {
        "entity_type": "BUSINESS",
        "entity_id": WABA,
        "alert_info": {"alert_severity": "INFORMATIONAL", "alert_status": "ACTIVE", "alert_type": "X"},
    },
}
IGNORED: dict[str, Json] = {
    "phone_number_name_update": {
        "display_phone_number": "551155550000",
        "decision": "APPROVED",
        "requested_verified_name": "Loja",
        "rejection_reason": None,
    },
    "account_review_update": {"decision": "APPROVED"},
    "security": {"display_phone_number": "551155550000", "event": "PIN_CHANGED", "requester": "1"},
    "smb_message_echoes": messages(message_echoes=[inbound("text", {"body": "SAIR"})]),
    "history": messages(history=[{"threads": [{"messages": [inbound("text", {"body": "SAIR"})]}]}]),
    "a_field_of_next_year": {"statuses": [status("failed")], "messages": "no list"},
}
