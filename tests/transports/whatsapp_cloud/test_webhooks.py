"""Each report of Meta gives the right facts, and what has no meaning here is passed over without an error."""

import json
from typing import Any

import pytest
from pywa import WhatsApp
from pywa.types import Message as PywaMessage
from pywa.types import MessageStatus, RawUpdate
from pywa.utils import webhook_updates_validator

from retoma.rehearsal.sandbox.dialects import cloud_status, read_cloud
from retoma.transports.base import (
    AccountChanged,
    Alias,
    AnswersHandshake,
    ConnectionChange,
    Fact,
    Inbound,
    Receipt,
    Refused,
    TemplateReport,
    Transport,
    WebhookRefused,
)
from retoma.transports.signatures import sign
from tests.support import transports
from tests.transports.whatsapp_cloud import payloads as p

SECRETS = {"app_secret": "the new secret", "app_secret_old": "the old secret"}


def cloud(**settings: object) -> Transport:
    ours = {"base_url": "https://graph.example", "phone_number_id": p.NUMBER_ID, "waba_id": p.WABA}
    return transports.create("whatsapp_cloud", {**ours, **settings})


def facts(call: Any, **settings: object) -> list[Fact]:
    """What a call says, without the names of people; see aliases."""
    return [fact for fact in all_facts(call, **settings) if not isinstance(fact, Alias)]


def aliases(call: Any, **settings: object) -> list[Fact]:
    return [fact for fact in all_facts(call, **settings) if isinstance(fact, Alias)]


def all_facts(call: Any, **settings: object) -> list[Fact]:
    return cloud(**settings).parse_webhook({}, json.dumps(call).encode())


def fact_of(status_or_message: p.Json) -> Fact:
    key = "statuses" if "status" in status_or_message else "messages"
    (fact,) = facts(p.call("messages", p.messages(contacts=[p.CONTACT], **{key: [status_or_message]})))
    return fact


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sent", "server"), ("delivered", "delivered"), ("read", "read"), ("played", "played")],
)
def test_a_status_is_a_receipt_of_our_message(theirs: str, ours: Any) -> None:
    assert fact_of(p.status(theirs, pricing=p.PRICING)) == Receipt(p.OURS, p.WAMID, ours, None, p.AT)


@pytest.mark.parametrize("foreign", [None, "a word of another program", p.OURS.upper(), p.OURS + "0"])
def test_without_our_id_the_id_of_meta_counts(foreign: str | None) -> None:
    assert fact_of(p.status("read", biz_opaque_callback_data=foreign)) == Receipt(
        None, p.WAMID, "read", None, p.AT
    )


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([p.FAILED_ERROR], "cloud_131026"),
        ([{"code": "132015", "title": "Template is paused"}], "cloud_132015"),
        ([{"title": "no code"}], None),
        ([], None),
        (None, None),
        ("a text", None),
    ],
    ids=str,
)
def test_a_failure_has_the_code_of_meta_as_a_number_or_a_text(errors: Any, code: str | None) -> None:
    # Meta sends no contacts with a failure.
    call = p.call("messages", p.messages(statuses=[p.status("failed", errors=errors)]))

    assert facts(call) == [Receipt(p.OURS, p.WAMID, "failed", code, p.AT)]


def test_a_status_without_the_number_of_the_person_counts() -> None:
    report = p.status("delivered")
    del report["recipient_id"]

    assert fact_of(report) == Receipt(p.OURS, p.WAMID, "delivered", None, p.AT)


def test_a_status_of_next_year_is_passed_over() -> None:
    assert facts(p.call("messages", p.messages(statuses=[p.status("teleported"), p.status("warning")]))) == []


@pytest.mark.parametrize(
    ("kind", "part", "text", "button"),
    [
        ("text", {"body": "Quero sair"}, "Quero sair", None),
        ("button", {"text": "Sair", "payload": "opt-out-17"}, "Sair", "opt-out-17"),
        (
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "nao", "title": "Não"}},
            "Não",
            "nao",
        ),
        (
            "interactive",
            {"type": "list_reply", "list_reply": {"id": "9", "title": "9 h", "description": "com a Bia"}},
            "9 h",
            "9",
        ),
        (
            "interactive",
            {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}},
            "Sent",
            None,
        ),
        ("image", {"id": "1", "mime_type": "image/jpeg", "caption": "Olha"}, "Olha", None),
        ("audio", {"id": "1", "voice": True}, "", None),
        ("location", {"latitude": -23.5, "longitude": -46.6}, "", None),
        ("reaction", {"message_id": p.WAMID, "emoji": "👍"}, "👍", None),
        (
            "edit",
            {"original_message_id": "wamid.0", "message": {"type": "text", "text": {"body": "Sair"}}},
            "Sair",
            None,
        ),
        ("unsupported", None, "", None),
        ("a_type_of_next_year", {"body": 17}, "", None),
    ],
    ids=lambda value: value if isinstance(value, str) and value.islower() else "",
)
def test_what_a_person_writes(kind: str, part: Any, text: str, button: str | None) -> None:
    assert fact_of(p.inbound(kind, part)) == Inbound(
        f"+{p.PERSON}", text, "wamid.IN", p.AT, address=p.USER_ID, button=button
    )


def test_a_person_without_a_visible_number_has_an_address() -> None:
    hidden = p.inbound("text", {"body": "SAIR"})
    del hidden["from"]
    assert fact_of(hidden) == Inbound(None, "SAIR", "wamid.IN", p.AT, address=p.USER_ID)

    # Older versions have the id of the person only beside the message.
    del hidden["from_user_id"]
    assert fact_of(hidden) == Inbound(None, "SAIR", "wamid.IN", p.AT, address=p.USER_ID)

    call = p.call("messages", p.messages(messages=[hidden]))
    assert [type(fact) for fact in facts(call)] == [Refused]


def test_notices_that_nobody_wrote_are_no_replies() -> None:
    moved = p.inbound("system", {"type": "user_changed_number", "body": "SAIR", "wa_id": p.PERSON})

    assert facts(p.call("messages", p.messages(messages=[moved, p.inbound("request_welcome", None)]))) == []


@pytest.mark.parametrize("name", ["sent", "delivered", "read", "failed"])
def test_a_status_names_the_person_by_number_and_id_and_by_our_message(name: str) -> None:
    both = p.call("messages", p.messages(statuses=[p.status(name)]))
    assert aliases(both) == [Alias(p.USER_ID, f"+{p.PERSON}", p.OURS, at=p.AT)]

    # After 30 days without contact, Meta leaves the number out.
    hidden = p.status(name, biz_opaque_callback_data=p.OURS)
    del hidden["recipient_id"]
    assert aliases(p.call("messages", p.messages(statuses=[hidden]))) == [
        Alias(p.USER_ID, message_id=p.OURS, at=p.AT)
    ]
    # Of a message of another program nothing is known.
    foreign = hidden | {"biz_opaque_callback_data": None}
    assert aliases(p.call("messages", p.messages(statuses=[foreign]))) == []


def test_the_id_of_a_person_may_stand_beside_the_status() -> None:
    status = p.status("sent")
    del status["recipient_user_id"]
    other = {"wa_id": "5511955509999", "user_id": "BR.other"}

    call = p.call("messages", p.messages(statuses=[status], contacts=[other, p.CONTACT]))

    assert aliases(call) == [Alias(p.USER_ID, f"+{p.PERSON}", p.OURS, at=p.AT)]


@pytest.mark.parametrize(
    "change",
    [
        {"recipient_user_id": None},
        {"recipient_user_id": "x" * 201},
        {"recipient_user_id": 7},
        {"recipient_type": "group"},
        {"status": "teleported"},
    ],
    ids=str,
)
def test_what_names_no_person_twice_teaches_nothing(change: p.Json) -> None:
    assert aliases(p.call("messages", p.messages(statuses=[p.status("sent") | change]))) == []


def test_a_person_with_another_number_has_another_id() -> None:
    kept = {"user_id": "BR.new", "previous_user_id": p.USER_ID}
    notices: list[tuple[p.Json, Fact]] = [
        (
            {"type": "user_changed_number", "wa_id": "5511955505678", **kept},
            Alias("BR.new", "+5511955505678", previous=p.USER_ID, at=p.AT),
        ),
        ({"type": "user_changed_user_id", **kept}, Alias("BR.new", previous=p.USER_ID, at=p.AT)),
        # Until August 2026 the notice named the new id alone.
        ({"type": "user_changed_user_id", "user_id": "BR.new"}, Alias("BR.new", previous=p.USER_ID, at=p.AT)),
    ]
    for notice, alias in notices:
        call = p.call("messages", p.messages(messages=[p.inbound("system", {"body": "User…", **notice})]))
        assert all_facts(call) == [alias]
    update = {
        "wa_id": "5511955505678",
        "detail": "…",
        "user_id": {"previous": p.USER_ID, "current": "BR.new"},
        "timestamp": str(p.AT),
    }
    assert all_facts(p.call("user_id_update", p.messages(user_id_update=[update]))) == [notices[0][1]]
    del update["wa_id"]
    assert all_facts(p.call("user_id_update", p.messages(user_id_update=[update, 7]))) == [notices[1][1]]


@pytest.mark.parametrize(
    "notice",
    [
        {"type": "user_changed_number", "wa_id": p.PERSON},
        {"type": "user_changed_user_id", "user_id": p.USER_ID},
        {"type": "a_notice_of_next_year", "user_id": "BR.new", "wa_id": p.PERSON},
        None,
    ],
    ids=str,
)
def test_a_notice_without_a_change_teaches_nothing(notice: Any) -> None:
    assert all_facts(p.call("messages", p.messages(messages=[p.inbound("system", notice)]))) == []
    assert all_facts(p.call("user_id_update", {"user_id_update": [{"user_id": notice}]})) == []


@pytest.mark.parametrize(("choice", "opts_out"), [("stop", True), ("resume", False), ("signup", False)])
def test_preferences_of_marketing(choice: str, opts_out: bool) -> None:
    preference = {
        "wa_id": p.PERSON,
        "user_id": p.USER_ID,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": choice,
        "timestamp": p.AT,
    }

    (fact,) = facts(p.call("user_preferences", p.messages(user_preferences=[preference])))

    assert isinstance(fact, Inbound)
    assert (fact.phone, fact.address, fact.at) == (f"+{p.PERSON}", p.USER_ID, p.AT)
    assert (fact.text, fact.button, fact.opts_out) == ("", f"marketing_messages:{choice}", opts_out)

    del preference["wa_id"]
    (hidden,) = facts(p.call("user_preferences", p.messages(user_preferences=[preference])))
    assert isinstance(hidden, Inbound)
    assert (hidden.phone, hidden.address, hidden.opts_out) == (None, p.USER_ID, opts_out)


@pytest.mark.parametrize(
    ("value", "connected", "reason"),
    [
        (
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "x"}},
            False,
            "account_DISABLE",
        ),
        (
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            True,
            "account_REINSTATE",
        ),
        (
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [
                    {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": p.AT},
                    {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": p.AT},
                ],
            },
            False,
            "account_RESTRICTED",
        ),
        ({"event": "ACCOUNT_RESTRICTION"}, False, "account_RESTRICTED"),
        ({"event": "ACCOUNT_DELETED"}, False, "account_ACCOUNT_DELETED"),
        ({"event": "PARTNER_REMOVED"}, False, "account_PARTNER_REMOVED"),
    ],
    ids=str,
)
def test_what_meta_does_to_the_account(value: p.Json, connected: bool, reason: str) -> None:
    change = ConnectionChange(connected, reason, p.AT)

    assert facts(p.call("account_update", value)) == [change, AccountChanged()]
    assert facts(p.call("account_update", value, waba="another account")) == []


@pytest.mark.parametrize(
    "value",
    [
        {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}},
        {"event": "DISABLED_UPDATE"},
        {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}],
        },
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
        {"event": "VERIFIED_ACCOUNT", "phone_number": p.PERSON},
        {},
    ],
    ids=str,
)
def test_what_does_not_stop_the_account(value: p.Json) -> None:
    assert facts(p.call("account_update", value)) == [AccountChanged()]


@pytest.mark.parametrize(
    "field", ["phone_number_quality_update", "business_capability_update", "account_alerts"]
)
def test_what_changes_the_limits_of_an_account_has_it_asked_again(field: str) -> None:
    assert facts(p.call(field, p.CHANGES[field])) == [AccountChanged()]
    assert facts(p.call(field, p.CHANGES[field], waba="another account")) == []


def test_what_meta_does_to_a_template() -> None:
    changed = {
        "message_template_status_update": TemplateReport("promocao", "pt_BR", status="PAUSED"),
        "message_template_quality_update": TemplateReport("promocao", "pt_BR", quality="YELLOW"),
        "template_category_update": TemplateReport("promocao", "pt_BR", category="MARKETING"),
    }
    for field, report in changed.items():
        assert facts(p.call(field, p.TEMPLATE_REPORTS[field])) == [report]
        assert facts(p.call(field, {})) == []

    field = "message_template_status_update"
    again = p.call(field, p.TEMPLATE_REPORTS[field] | {"event": "REINSTATED"})
    assert facts(again) == [TemplateReport("promocao", "pt_BR", status="APPROVED")]


@pytest.mark.parametrize("field", p.IGNORED)
def test_other_fields_are_passed_over(field: str) -> None:
    assert facts(p.call(field, p.IGNORED[field])) == []


def test_every_report_of_a_call_counts() -> None:
    """Several entries, several changes, several statuses: many programs read only the first."""
    one = p.call(
        "messages",
        p.messages(statuses=[p.status("sent"), p.status("delivered")]),
        p.messages(messages=[p.inbound("text", {"body": "Oi"}), "no object"], contacts=[p.CONTACT]),
    )
    two = p.call("messages", p.messages(statuses=[p.status("read")]))
    call = {**one, "entry": [*one["entry"], "no object", {"id": p.WABA}, *two["entry"]]}

    kinds = [fact.status if isinstance(fact, Receipt) else type(fact).__name__ for fact in facts(call)]

    assert kinds == ["server", "delivered", "Inbound", "Refused", "read"]


def test_reports_about_another_sender_are_not_ours() -> None:
    other = p.messages(statuses=[p.status("read")], messages=[p.inbound("text", {"body": "SAIR"})])
    other["metadata"] = {"phone_number_id": "another number"}

    assert facts(p.call("messages", other)) == []
    assert len(facts(p.call("messages", other), phone_number_id=None, path="/{endpoint}")) == 2


def test_an_opt_out_counts_whichever_number_of_the_business_it_names() -> None:
    preference = {"wa_id": p.PERSON, "category": "marketing_messages", "value": "stop", "timestamp": p.AT}
    other = p.messages(user_preferences=[preference]) | {"metadata": {"phone_number_id": "another number"}}

    (fact,) = facts(p.call("user_preferences", other))

    assert isinstance(fact, Inbound)
    assert fact.opts_out


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer another", "the token of the hub", "ç"])
def test_a_provider_that_does_not_sign_brings_a_token(header: str | None) -> None:
    hub = cloud(webhook_token="the token of the hub")
    body = json.dumps(p.call("messages", p.messages(statuses=[p.status("read")]))).encode()

    right = {"authorization": "Bearer the token of the hub"}
    hub.require_signature(right)
    assert len(hub.parse_webhook(right, body)) == 2
    wrong = {} if header is None else {"authorization": header}
    for refuse in (lambda: hub.require_signature(wrong), lambda: hub.parse_webhook(wrong, body)):
        with pytest.raises(WebhookRefused) as refused:
            refuse()
        assert refused.value.http_status == 401


@pytest.mark.parametrize("secret", SECRETS.values())
def test_a_call_may_be_signed_with_either_secret(secret: str) -> None:
    body = json.dumps(p.call("messages", p.messages(statuses=[p.status("read")]))).encode()
    headers = {"x-hub-signature-256": f"sha256={sign(secret, body, 'sha256')}"}

    cloud(**SECRETS).require_signature(headers)
    assert len(cloud(**SECRETS).parse_webhook(headers, body)) == 2
    assert webhook_updates_validator(secret, body, headers["x-hub-signature-256"])


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha256=ç" + "0" * 63, "\ud800"])
def test_a_call_without_the_right_signature_is_refused(signature: str) -> None:
    body = json.dumps(p.call("messages", p.messages(statuses=[p.status("read")]))).encode()

    with pytest.raises(WebhookRefused) as refused:
        cloud(**SECRETS).parse_webhook({"x-hub-signature-256": signature}, body)
    assert refused.value.http_status == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"entry": {}}', b"\xff", b"[" * 100_000], ids=repr)
def test_what_is_no_call_of_meta_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused) as refused:
        cloud().parse_webhook({}, body)
    assert refused.value.http_status == 400


def test_the_handshake() -> None:
    meta = cloud(verify_token="only Meta and we know it")
    assert isinstance(meta, AnswersHandshake)
    question = {
        "hub.mode": "subscribe",
        "hub.verify_token": "only Meta and we know it",
        "hub.challenge": "1158201444",
    }

    assert meta.answer_handshake(question) == "1158201444"
    for change, status in (
        ({"hub.verify_token": "a guess"}, 401),
        ({"hub.verify_token": ""}, 401),
        ({"hub.verify_token": "\ud800"}, 401),
        ({"hub.mode": "unsubscribe"}, 400),
        ({"hub.challenge": "<script>"}, 400),
        ({"hub.challenge": ""}, 400),
    ):
        with pytest.raises(WebhookRefused) as refused:
            meta.answer_handshake(question | change)
        assert refused.value.http_status == status

    unset = cloud()
    assert isinstance(unset, AnswersHandshake)
    with pytest.raises(WebhookRefused):
        unset.answer_handshake(question | {"hub.verify_token": ""})


def raw(call: p.Json) -> RawUpdate:
    return RawUpdate(json.dumps(call).encode(), hmac_header=None, update_hash="x")


def test_pywa_reads_the_same_in_what_the_sandbox_sends() -> None:
    request = {
        "messaging_product": "whatsapp",
        "to": f"+{p.PERSON}",
        "type": "text",
        "text": {"body": "Olá"},
        "biz_opaque_callback_data": p.OURS,
    }
    delivery = read_cloud(p.NUMBER_ID, json.dumps(request).encode())
    client = WhatsApp(phone_id=p.NUMBER_ID, token="t", validate_updates=False)

    for status in ("server", "delivered", "read"):
        call = cloud_status(delivery, status, "")
        theirs = MessageStatus.from_update(client, raw(call))
        (ours,) = facts(call, waba_id=None)
        assert isinstance(ours, Receipt)
        assert (ours.provider_id, ours.message_id) == (theirs.id, theirs.tracker)
        assert theirs.status.value == {"server": "sent"}.get(status, status)
        assert ours.at == theirs.timestamp.timestamp()


def test_pywa_reads_the_same_in_what_a_person_writes() -> None:
    call = p.call(
        "messages", p.messages(contacts=[p.CONTACT], messages=[p.inbound("text", {"body": "Quero sair"})])
    )
    client = WhatsApp(phone_id=p.NUMBER_ID, token="t", validate_updates=False)

    theirs = PywaMessage.from_update(client, raw(call))

    (ours,) = facts(call)
    assert isinstance(ours, Inbound)
    assert (ours.text, ours.provider_id) == (theirs.text, theirs.id)
    assert (ours.phone, ours.address) == (f"+{theirs.from_user.wa_id}", theirs.from_user.bsuid)
