"""What Meta asks and reports, through the receiver to the database."""

import time

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
)
from tests.support.receivers import SECRET, Receiver
from tests.transports.whatsapp_cloud import payloads as p

QUESTION = {"hub.mode": "subscribe", "hub.verify_token": "the token", "hub.challenge": "1158201444"}
SETTINGS = {
    "base_url": "http://127.0.0.1:1",
    "phone_number_id": p.NUMBER_ID,
    "waba_id": p.WABA,
    "access_token": "a token",
    "app_secret": SECRET,
    "verify_token": "the token",
}


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db, transport="whatsapp_cloud", settings=SETTINGS)


@pytest.mark.usefixtures("channel")
def test_the_handshake_is_answered_only_to_who_knows_the_token(db: Db, receiver: Receiver) -> None:
    assert receiver.get("sales", QUESTION) == (200, "text/plain", "1158201444")

    assert receiver.get("sales", QUESTION | {"hub.verify_token": "a guess"})[0] == 401
    assert receiver.get("sales", {})[0] == 401
    assert receiver.get("nowhere", QUESTION)[0] == 404
    make_channel(db, "generic", "webhook", {"url": "http://127.0.0.1:1"})
    assert receiver.get("generic", QUESTION)[0] == 405
    assert "the token" not in receiver.log.read_text()


@pytest.mark.usefixtures("channel")
def test_who_stops_marketing_in_whatsapp_is_not_written_to_any_more(db: Db, receiver: Receiver) -> None:
    choice = {"wa_id": p.PERSON, "user_id": p.USER_ID, "category": "marketing_messages", "timestamp": p.AT}
    stop = p.call("user_preferences", p.messages(user_preferences=[{**choice, "value": "stop"}]))

    for _ in range(2):  # Meta repeats
        assert receiver.meta("sales", stop) == (200, {"facts": 1})

    assert db.execute("select phone from retoma_internal.suppression").fetchall() == [(f"+{p.PERSON}",)]
    assert db.execute("select button, state from retoma.v_reply").fetchall() == [
        ("marketing_messages:stop", "opted_out")
    ]


@pytest.mark.usefixtures("channel")
def test_who_resumes_marketing_is_for_a_person_to_decide(db: Db, receiver: Receiver) -> None:
    choice = {"wa_id": p.PERSON, "category": "marketing_messages", "timestamp": p.AT}
    for value in ("stop", "resume"):
        preference = {**choice, "value": value, "timestamp": p.AT + (value == "resume")}
        resumed = p.call("user_preferences", p.messages(user_preferences=[preference]))
        assert receiver.meta("sales", resumed)[0] == 200

    assert db.execute("select phone from retoma_internal.suppression").fetchall() == [(f"+{p.PERSON}",)]


@pytest.mark.usefixtures("channel")
def test_a_restriction_stops_the_channel_and_an_unsigned_call_changes_nothing(
    db: Db, receiver: Receiver
) -> None:
    restricted = p.call("account_update", {"event": "ACCOUNT_RESTRICTION"})
    del restricted["entry"][0]["time"]
    state = "select connected, state_reason from retoma_internal.channel"

    for secret in (None, "another"):
        assert receiver.meta("sales", restricted, secret=secret)[0] == 401
    assert db.execute(state).fetchone() == (True, None)

    assert receiver.meta("sales", restricted) == (200, {"facts": 2})
    assert db.execute(state).fetchone() == (False, "account_RESTRICTED")


@pytest.mark.usefixtures("channel")
def test_a_change_of_the_account_has_it_asked_again(db: Db, receiver: Receiver) -> None:
    assert call(db, "select channel from retoma.readings_due('account')") == "sales"
    assert db.execute("select channel from retoma.readings_due('account')").fetchall() == []
    changed = p.call("business_capability_update", p.CHANGES["business_capability_update"])

    assert receiver.meta("sales", changed, secret="another")[0] == 401
    assert db.execute("select channel from retoma.readings_due('account')").fetchall() == []
    assert receiver.meta("sales", changed) == (200, {"facts": 1})

    assert call(db, "select channel from retoma.readings_due('account')") == "sales"


@pytest.mark.usefixtures("channel")
def test_fields_without_a_meaning_here_are_answered_with_200(receiver: Receiver) -> None:
    for field, value in p.IGNORED.items():
        assert receiver.meta("sales", p.call(field, value)) == (200, {"facts": 0})


def test_a_status_with_our_id_settles_a_message_in_doubt(db: Db, receiver: Receiver, channel: int) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    step = advance(db, leased, want=1)
    message_id = step.messages[0][1]
    advance(db, leased, [error(1, "cloud_131000_5xx", http_status=500)])
    assert call(db, "select outcome from retoma_internal.delivery") == "in_doubt"

    report = p.status("delivered", biz_opaque_callback_data=message_id, timestamp=str(int(time.time())))
    sent = p.call("messages", p.messages(statuses=[report]))
    assert receiver.meta("sales", sent, secret="another")[0] == 401
    assert call(db, "select outcome from retoma_internal.delivery") == "in_doubt"
    # It also names the person by number and by id.
    assert receiver.meta("sales", sent) == (200, {"facts": 2})

    assert db.execute("select outcome, receipt from retoma_internal.delivery").fetchall() == [
        ("sent", "delivered")
    ]


@pytest.mark.usefixtures("channel")
def test_what_meta_does_to_a_template_is_recorded(db: Db, receiver: Receiver) -> None:
    turn = db.execute("select channel_id, asked_at from retoma.readings_due('templates')").fetchone()
    assert turn is not None
    listed = [{"name": "promocao", "language": "pt_BR", "status": "APPROVED", "components": []}]
    db.execute("select retoma.record_templates(%s, %s, %s)", (*turn, Jsonb(listed)))

    for field, value in p.TEMPLATE_REPORTS.items():
        assert receiver.meta("sales", p.call(field, value)) == (200, {"facts": 1})

    assert db.execute("select status, category, quality from retoma.v_template").fetchall() == [
        ("PAUSED", "MARKETING", "YELLOW")
    ]
