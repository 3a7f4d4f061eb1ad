"""Reports of Evolution API and Evolution GO, which do not sign them: what lets one in, what it changes."""

import time

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
)
from tests.support.evolution import KEY, Call, api_call, go_call
from tests.support.receivers import Receiver

PERSON, HIDDEN = "5511955500002@s.whatsapp.net", "123456789012345@lid"


@pytest.fixture(params=["evolution", "evolution_go"])
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def sent(db: Db, transport: str) -> str:
    """The id at WhatsApp of a message that was sent on the channel sales."""
    settings = {"instance": "loja", "jwt_key": KEY} if transport == "evolution" else {"api_key": KEY}
    channel = make_channel(
        db,
        transport=transport,
        settings={"base_url": "http://127.0.0.1:9", "check_numbers": False, **settings},
    )
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    step = advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    return f"3EB0{step.messages[0][1].upper()}"


def receipt(transport: str, identifier: str, key: str) -> Call:
    if transport == "evolution":
        data = {"keyId": identifier, "fromMe": True, "status": "READ"}
        return api_call("messages.update", data, key)
    return go_call("Receipt", {"MessageIDs": [identifier], "IsFromMe": False}, key, state="Read")


def reply(transport: str, words: str, key: str) -> Call:
    message = {"conversation": words}
    if transport == "evolution":
        ids = {"id": "in-1", "remoteJid": HIDDEN, "remoteJidAlt": PERSON, "fromMe": False}
        data = {"key": ids, "message": message, "messageTimestamp": int(time.time())}
        return api_call("messages.upsert", data, key)
    info = {"ID": "in-1", "Chat": HIDDEN, "SenderAlt": PERSON, "IsFromMe": False, "IsGroup": False}
    return go_call("Message", {"Info": info, "Message": message}, key)


def end(transport: str, key: str) -> Call:
    if transport == "evolution":
        return api_call("connection.update", {"state": "close", "statusReason": 401}, key)
    return go_call("LoggedOut", {"reason": "logged out from another device"}, key)


def facts(db: Db) -> tuple[object, ...]:
    """What reports can change."""
    return (
        call(db, "select receipt from retoma_internal.delivery"),
        call(db, "select count(*) from retoma.v_suppression"),
        call(db, "select count(*) from retoma.v_reply"),
        call(db, "select state from retoma.v_channel"),
    )


def test_reports_of_the_gateway_are_recorded(db: Db, receiver: Receiver, transport: str, sent: str) -> None:
    answers = [
        receiver.post("sales", *made)
        for made in (receipt(transport, sent, KEY), reply(transport, "SAIR", KEY), end(transport, KEY))
    ]

    assert answers == [(200, {"facts": 1})] * 3
    assert facts(db) == ("read", 1, 1, "disconnected")


def test_a_report_of_somebody_else_changes_nothing(
    db: Db, receiver: Receiver, transport: str, sent: str
) -> None:
    before = facts(db)

    answers = [
        receiver.post("sales", *made)[0]
        for key in ("", "another key")
        for made in (receipt(transport, sent, key), reply(transport, "SAIR", key), end(transport, key))
    ]

    assert answers == [401] * 6
    assert facts(db) == before
