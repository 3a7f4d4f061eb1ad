"""What Meta's answers prove, from the answer to the class that the database gives it."""

import json
from typing import Any

import pytest

from retoma.transports.base import SendResult
from retoma.transports.http.client import Answer
from retoma.transports.whatsapp_cloud.answers import result_of
from tests.support.campaigns import Db, call

CLASSES = {
    "transient": (131057, 134101),
    "rate_limited_channel": (4, 80007, 130429),
    "rate_limited_recipient": (131056, 131049),
    "permanent_recipient": (131050, 131026, 131021, 131030, 130403, 130472, 130497, 131062, 137000),
    "permanent_message": (
        *(100, 131008, 131009, 131047, 131051, 131052, 131053, 131055, 134100, 134102, 135000),
        *(132000, 132001, 132005, 132007, 132008, 132012, 132018),
    ),
    "campaign_down": (132015, 132016, 132068, 132069, 131063, 139200, 139000),
    # 131048 and 131064: a limit that time does not lift, so a person has to look.
    "channel_down": (
        *(33, 368, 131031, 131037, 131042, 131045, 133000, 133005, 133006, 133007, 133008, 133009),
        *(133010, 133015, 133016, 134011, 136024, 131048, 131064),
    ),
    "auth": (0, 3, 10, 190, 200, 250, 299, 131005),
    "ambiguous": (1, 2, 131000, 131016, 133004, 2494100, 987654, 199, 300),
}


def refused(code: object, status: int = 400, **more: object) -> SendResult:
    error = {"message": "(#1) Olá Ana +5511955501234", "type": "OAuthException", "code": code, **more}
    return result_of(Answer(status, json.dumps({"error": error}).encode()))


def accepted(message: dict[str, object], status: int = 200) -> SendResult:
    body = {"messaging_product": "whatsapp", "messages": [message]}
    return result_of(Answer(status, json.dumps(body).encode()))


def class_of(db: Db, result: SendResult) -> Any:
    return call(
        db,
        "select class from retoma_internal.classify('whatsapp_cloud', %s, %s)",
        result.code,
        result.written,
    )


def test_an_accepted_message_has_the_id_of_the_provider() -> None:
    assert accepted({"id": "wamid.A"}) == SendResult("accepted", http_status=200, provider_id="wamid.A")
    assert accepted({"id": "wamid.A", "message_status": "accepted"}).status == "accepted"


def test_an_id_that_the_database_cannot_keep_does_not_undo_the_acceptance() -> None:
    for wamid in ("x" * 201, "wamid.\0", "wamid.\ud800"):
        assert accepted({"id": wamid}) == SendResult("accepted", http_status=200)


@pytest.mark.parametrize("status", ["held_for_quality_assessment", "paused"])
def test_what_meta_keeps_for_its_check_is_held(status: str) -> None:
    result = accepted({"id": "wamid.A", "message_status": status})

    assert (result.status, result.provider_id) == ("held", "wamid.A")


def test_the_code_decides_whatever_the_status_below_500(db: Db) -> None:
    for expected, codes in CLASSES.items():
        for code in codes:
            assert {refused(code, status).code for status in (400, 403, 404, 429)} == {f"cloud_{code}"}
            assert refused(str(code)).code == f"cloud_{code}"
            assert class_of(db, refused(code)) == expected, code


def test_an_answer_5xx_proves_nothing_whatever_its_code(db: Db) -> None:
    for code in (1, 2, 100, 190, 130429, 131000, 131016, 131026, 132001):
        for status in (500, 502, 503, 504):
            assert class_of(db, refused(code, status)) == "ambiguous"


NOT_METAS_OWN = [
    b"",
    b"<html>Bad Gateway</html>",
    b"{}",
    b'{"error": "no"}',
    b'{"error": {"message": "without a code"}}',
    b'{"error": {"code": true}}',
    b'{"error": {"code": 5511955501234}}',
    b"[1]",
]


def test_an_answer_that_is_not_metas_own_proves_nothing(db: Db) -> None:
    for status in (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504):
        results = {result_of(Answer(status, body)) for body in NOT_METAS_OWN}

        assert results == {SendResult("error", code=f"http_{status}", http_status=status)}
        assert class_of(db, results.pop()) == "ambiguous"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b'{"messages": []}', b'{"messages": [{}]}', b'{"messages": [{"id": 1}]}', b"[]"],
    ids=str,
)
def test_a_good_status_without_an_id_is_no_acceptance(body: bytes) -> None:
    result = result_of(Answer(200, body))

    assert (result.status, result.code) == ("error", "unreadable_answer")


def test_an_error_in_a_good_status_is_an_error(db: Db) -> None:
    result = refused(131000, 200)

    assert (result.status, result.code, class_of(db, result)) == ("error", "cloud_131000", "ambiguous")
    assert class_of(db, result_of(Answer(200, b"<html>"))) == "ambiguous"


def test_the_detail_has_numbers_for_metas_support_and_no_words() -> None:
    details = {"details": "Recipient +5511955501234"}

    result = refused(131026, error_subcode=2494010, fbtrace_id="AbC_12", error_data=details)
    assert result.detail == "subcode 2494010, trace AbC_12"
    assert (
        refused(131026, error_data="a text", fbtrace_id="5511955501234", error_subcode="Olá").detail is None
    )


def test_retry_after_is_passed_on() -> None:
    body = b'{"error": {"code": 130429}}'

    assert result_of(Answer(429, body, retry_after_s=12.0)).retry_after_s == 12.0


def test_waiting_times_are_rows(db: Db) -> None:
    rule = "select defer_s from retoma_internal.classify('whatsapp_cloud', %s, true)"

    assert call(db, rule, "cloud_131049") == 86_400
    assert call(db, rule, "cloud_134101") == 600


def test_only_who_opted_out_of_marketing_is_suppressed(db: Db) -> None:
    suppressing = db.execute(
        "select code from retoma.error_rule where transport = 'whatsapp_cloud' and suppress"
    ).fetchall()

    assert suppressing == [("cloud_131050",)]


def test_errors_of_360dialog(db: Db) -> None:
    """https://docs.360dialog.com/docs/support/api-error-message-list"""
    for status, text, code, expected in (
        (401, "Invalid API key", "hub_401", "auth"),
        (403, "The endpoint is blocked", "hub_403", "auth"),
        (400, "Your WhatsApp for Business API has been disabled", "hub_400", "channel_down"),
        (400, "You have exceeded the endpoint rate limit.", "hub_rate_limit", "rate_limited_channel"),
        (500, "Internal server error", "http_500", "ambiguous"),
        (502, "WhatsApp for Business API not available", "http_502", "ambiguous"),
        (418, "Something new", "hub_418", "ambiguous"),
    ):
        body = {"meta": {"success": False, "httpCode": status, "developerMessage": text}}
        result = result_of(Answer(status, json.dumps(body).encode()))
        assert (result.code, class_of(db, result)) == (code, expected)


def test_an_error_of_the_network_is_reported_as_it_was(db: Db) -> None:
    late = result_of(Answer(None, failure="timeout", detail="TimeoutError"))
    unsent = result_of(Answer(None, failure="connect_failed", detail="OSError"))

    assert (late.code, late.written, class_of(db, late)) == ("timeout", True, "ambiguous")
    assert (unsent.code, unsent.written, class_of(db, unsent)) == ("connect_failed", False, "transient")
