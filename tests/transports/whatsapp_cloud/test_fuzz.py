"""Whatever comes, nothing crashes, and what is not signed changes nothing."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retoma.transports.base import (
    AccountChanged,
    Alias,
    ConnectionChange,
    Inbound,
    Message,
    Receipt,
    Refused,
    SendResult,
    TemplateReport,
    WebhookRefused,
)
from retoma.transports.http.client import Answer
from retoma.transports.signatures import sign
from retoma.transports.whatsapp_cloud import requests
from retoma.transports.whatsapp_cloud.answers import result_of
from tests.support import transports
from tests.transports.whatsapp_cloud import contents
from tests.transports.whatsapp_cloud import payloads as p

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)
WHOLE_CALLS = [
    p.call("messages", p.messages(statuses=[p.status("failed", errors=[p.FAILED_ERROR])])),
    p.call(
        "messages",
        p.messages(
            contacts=[p.CONTACT],
            messages=[
                p.inbound("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "x"}}),
                p.inbound("edit", {"message": {"type": "text", "text": {"body": "x"}}}),
            ],
        ),
    ),
    p.call("user_preferences", p.messages(user_preferences=[{"user_id": "BR.1", "value": "stop"}])),
    p.call(
        "account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "X"}]}
    ),
    *(p.call(field, value) for field, value in p.TEMPLATE_REPORTS.items()),
    p.call("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
]
ANSWERS = [
    {"messaging_product": "whatsapp", "messages": [{"id": "wamid.A", "message_status": "accepted"}]},
    {"error": {"message": "x", "code": 131000, "error_subcode": 1, "fbtrace_id": "A", "error_data": {}}},
    {"meta": {"success": False, "developerMessage": "You have exceeded the limit"}},
]


@st.composite
def damaged(draw: st.DrawFn, documents: list[Any]) -> Any:
    """One of the documents in which one part, at any depth, is something else or missing."""
    document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    place, parts = document, 0
    while isinstance(place, dict | list) and place and parts < draw(st.integers(0, 9)):
        parts += 1
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.booleans()):
            if draw(st.booleans()):
                place[key] = draw(JSON)
            else:
                del place[key]
            break
        place = place[key]
    return document


KNOWN = (Receipt, Inbound, Alias, ConnectionChange, TemplateReport, AccountChanged, Refused)


@settings(max_examples=400, deadline=None)
@given(damaged(WHOLE_CALLS) | JSON)
def test_a_signed_call_gives_facts_or_is_refused(call: Any) -> None:
    body = json.dumps(call).encode()
    cloud = transports.create(
        "whatsapp_cloud", {"base_url": "https://graph.example", "app_secret": "s"} | PLAIN
    )
    headers = {"x-hub-signature-256": f"sha256={sign('s', body, 'sha256')}"}
    try:
        facts = cloud.parse_webhook(headers, body)
    except WebhookRefused as refused:
        assert refused.http_status == 400  # noqa: PT017 - most calls are not refused
        return
    for fact in facts:
        assert isinstance(fact, KNOWN)
        if isinstance(fact, Receipt):
            assert fact.message_id or fact.provider_id
        if isinstance(fact, Inbound):
            assert fact.phone or fact.address
        if isinstance(fact, Alias):
            assert 0 < len(fact.address) <= 200
            assert fact.phone or fact.message_id or fact.previous
        if isinstance(fact, Receipt | Inbound | Alias) and fact.at is not None:
            assert math.isfinite(fact.at)


PLAIN = {"phone_number_id": p.NUMBER_ID}


@settings(max_examples=200, deadline=None)
@given(damaged(WHOLE_CALLS), st.text(max_size=80))
def test_a_call_that_is_not_signed_gives_no_facts(call: Any, signature: str) -> None:
    cloud = transports.create(
        "whatsapp_cloud", {"base_url": "https://graph.example", "app_secret": "s"} | PLAIN
    )

    with pytest.raises(WebhookRefused) as refused:
        cloud.parse_webhook({"x-hub-signature-256": signature}, json.dumps(call).encode())
    assert refused.value.http_status == 401


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([200, 201, 400, 401, 404, 429, 500, 503]),
    (damaged(ANSWERS) | JSON).map(lambda document: json.dumps(document).encode()) | st.binary(max_size=50),
)
def test_every_answer_is_a_result(status: int, body: bytes) -> None:
    result = result_of(Answer(status, body))

    assert isinstance(result, SendResult)
    assert (result.status == "error") == (result.code is not None)
    if result.status != "error":
        assert status < 300


@settings(max_examples=400, deadline=None)
@given(damaged(list(contents.ALL.values())) | st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_every_content_is_a_request_or_cannot_be_said(content: Any) -> None:
    try:
        request = requests.build(Message(p.OURS, f"+{p.PERSON}", content))
    except requests.BadContent:
        return
    assert json.dumps(request)
