"""The webhooks of Evolution API, as its source writes them, and what lets a call in."""

import json

import pytest

from retoma.transports.base import Alias, ConnectionChange, Fact, Inbound, Receipt, WebhookRefused
from tests.support import transports
from tests.support.evolution import KEY, api_document, token

MESSAGE_ID = "0123456789abcdef0123456789abcdef"
OURS = f"3EB0{MESSAGE_ID.upper()}"
THEIRS = "3EB08A6895830F110A5E4D"
AT = 1790000000.5
PERSON, HIDDEN = "5511955500001@s.whatsapp.net", "123456789012345@lid"


def body(event: str, data: object, instance: object = "loja") -> bytes:
    """A call."""
    return json.dumps(api_document(event, data, instance)).encode()


def parsed(call: bytes, headers: dict[str, str] | None = None, **settings: object) -> list[Fact]:
    transport = transports.create(
        "evolution", {"base_url": "http://127.0.0.1:8080", "instance": "loja", **settings}
    )
    headers = {"x-timestamp": "1790000000500", **(headers or {})}
    transport.require_signature(headers)
    return transport.parse_webhook(headers, call)


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [
        ("DELIVERY_ACK", "delivered", None),
        ("READ", "read", None),
        ("PLAYED", "played", None),
        ("ERROR", "failed", "ack_error"),
    ],
)
def test_an_update_becomes_a_receipt_under_our_own_id(status: str, expected: str, code: str | None) -> None:
    data = {"keyId": OURS, "remoteJid": HIDDEN, "fromMe": True, "status": status, "messageId": "cmd8x0001"}

    receipt = Receipt(MESSAGE_ID, OURS, expected, code, AT)  # type: ignore[arg-type]
    assert parsed(body("messages.update", data)) == [receipt, Alias(HIDDEN, message_id=MESSAGE_ID, at=AT)]
    assert parsed(body("messages.update", data | {"remoteJid": PERSON})) == [receipt]


@pytest.mark.parametrize("status", ["SERVER_ACK", "PENDING", "DELETED", None, 3])
def test_a_status_that_the_server_also_gives_when_it_knows_none_proves_nothing(status: object) -> None:
    data = {"keyId": OURS, "remoteJid": PERSON, "fromMe": True, "status": status}

    assert parsed(body("messages.update", data)) == []


def test_an_id_of_the_server_is_kept_and_its_database_id_is_not() -> None:
    data = {"keyId": THEIRS, "fromMe": True, "status": "READ", "messageId": "cmd8x0001"}

    assert parsed(body("messages.update", data)) == [Receipt(None, THEIRS, "read", None, AT)]


def test_a_message_that_it_wrote_to_the_socket_is_reported_as_passed_on() -> None:
    data = {"key": {"id": OURS, "remoteJid": PERSON, "fromMe": True}, "status": "PENDING"}
    of_a_person = {"key": {"id": THEIRS, "remoteJid": PERSON, "fromMe": True}, "status": "PENDING"}

    receipt = Receipt(MESSAGE_ID, OURS, "server", None, AT)
    assert parsed(body("send.message", data)) == [receipt]
    data["key"] |= {"remoteJidAlt": HIDDEN}  # type: ignore[operator]
    assert parsed(body("send.message", data)) == [receipt, Alias(HIDDEN, message_id=MESSAGE_ID, at=AT)]
    assert parsed(body("send.message", of_a_person)) == []


@pytest.mark.parametrize("event", ["connection.update", "CONNECTION_UPDATE"])
def test_the_connection(event: str) -> None:
    states = [
        parsed(body(event, {"instance": "loja", "state": state, "statusReason": 401}))
        for state in ("open", "close", "refused", "connecting", 7)
    ]

    assert states == [
        [ConnectionChange(True, "instance_open", AT)],
        [ConnectionChange(False, "instance_close", AT)],
        [ConnectionChange(False, "instance_refused", AT)],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("qrcode.updated", "instance_qrcode"),
        ("logout.instance", "instance_logout"),
        ("remove.instance", "instance_removed"),
    ],
)
def test_an_instance_that_waits_for_its_phone_is_not_connected(event: str, reason: str) -> None:
    assert parsed(body(event, {"instance": "loja"})) == [ConnectionChange(False, reason, AT)]


@pytest.mark.parametrize("stamp", ["", "now", "1", "9" * 5000, "٣" * 13])
def test_a_time_that_is_none_is_left_out(stamp: str) -> None:
    call = body("connection.update", {"state": "open"})

    assert parsed(call, {"x-timestamp": stamp}) == [ConnectionChange(True, "instance_open", None)]


def upsert(key: dict[str, object], message: object) -> list[Fact]:
    data = {
        "key": {"id": "in-1", "fromMe": False, **key},
        "pushName": "Ana",
        "message": message,
        "messageTimestamp": 1790000007,
        "messageType": "conversation",
    }
    return parsed(body("messages.upsert", data))


@pytest.mark.parametrize(
    ("key", "phone", "address"),
    [
        ({"remoteJid": PERSON}, "+5511955500001", PERSON),
        ({"remoteJid": PERSON, "remoteJidAlt": HIDDEN, "addressingMode": "pn"}, "+5511955500001", HIDDEN),
        ({"remoteJid": HIDDEN, "remoteJidAlt": PERSON}, "+5511955500001", HIDDEN),
        ({"remoteJid": HIDDEN, "senderPn": PERSON}, "+5511955500001", HIDDEN),
        ({"remoteJid": HIDDEN}, None, HIDDEN),
        ({"remoteJid": HIDDEN, "remoteJidAlt": ""}, None, HIDDEN),
    ],
)
def test_a_person_is_known_by_number_and_by_the_hidden_address(
    key: dict[str, object], phone: str | None, address: str
) -> None:
    assert upsert(key, {"conversation": "SAIR"}) == [Inbound(phone, "SAIR", "in-1", 1790000007, address)]


@pytest.mark.parametrize(
    ("message", "text", "button"),
    [
        ({"conversation": "SAIR"}, "SAIR", None),
        ({"extendedTextMessage": {"text": "SAIR"}}, "SAIR", None),
        ({"imageMessage": {"caption": "SAIR", "url": "x"}}, "SAIR", None),
        ({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "SAIR"}}}}, "SAIR", None),
        ({"ephemeralMessage": {"message": {"conversation": "SAIR"}}}, "SAIR", None),
        ({"audioMessage": {"url": "x"}}, "", None),
        (
            {"templateButtonReplyMessage": {"selectedId": "stop", "selectedDisplayText": "Sair"}},
            "Sair",
            "stop",
        ),
        (
            {"listResponseMessage": {"title": "Sair", "singleSelectReply": {"selectedRowId": "stop"}}},
            "Sair",
            "stop",
        ),
        (
            {
                "interactiveResponseMessage": {
                    "body": {"text": "Sair"},
                    "nativeFlowResponseMessage": {"name": "quick_reply", "paramsJson": '{"id":"stop"}'},
                }
            },
            "Sair",
            "stop",
        ),
    ],
)
def test_the_words_and_the_choice_of_a_person(message: object, text: str, button: str | None) -> None:
    assert upsert({"remoteJid": PERSON}, message) == [
        Inbound("+5511955500001", text, "in-1", 1790000007, PERSON, button=button)
    ]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"remoteJid": "123-456@g.us"}, {"conversation": "in a group"}),
        ({"remoteJid": "status@broadcast"}, {"conversation": "a status"}),
        ({"remoteJid": PERSON, "fromMe": True}, {"conversation": "our own"}),
        ({"remoteJid": PERSON, "fromMe": None}, {"conversation": "whose?"}),
        ({"remoteJid": PERSON}, {"reactionMessage": {"text": "👍"}}),
        ({"remoteJid": PERSON}, {"protocolMessage": {"type": "REVOKE"}}),
        ({"remoteJid": PERSON}, None),
        ({"remoteJid": 7}, {"conversation": "x"}),
    ],
)
def test_what_no_person_wrote_to_the_channel_is_no_reply(key: dict[str, object], message: object) -> None:
    assert upsert(key, message) == []


@pytest.mark.parametrize("instance", ["suporte", None, 7])
def test_a_call_for_another_instance_changes_nothing(instance: object) -> None:
    assert parsed(body("connection.update", {"state": "close"}, instance)) == []


CALL = body("connection.update", {"state": "close"})


@pytest.mark.parametrize("age_s", [0, 1500])
def test_a_token_of_the_server_lets_in_and_so_it_does_while_the_server_tries_again(age_s: float) -> None:
    headers = {"authorization": f"Bearer {token(expires_in_s=600 - age_s)}"}

    assert parsed(CALL, headers, jwt_key=KEY) == [ConnectionChange(False, "instance_close", AT)]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x.y.z",
        "Bearer çã.é.ü",
        f"Bearer {KEY}",
        f"Basic {token()}",
        f"Bearer {token('another key')}",
        f"Bearer {token(algorithm='none')}",
        f"Bearer {token(algorithm='HS512')}",
        f"Bearer {token().rpartition('.')[0]}.",
        f"Bearer {token(expires_in_s=-86_400)}",
        f"Bearer {token(payload={'app': 'evolution'})}",
        f"Bearer {token(payload={'exp': 'never'})}",
        f"Bearer {token(payload=['exp'])}",
    ],
)
def test_a_call_without_a_valid_token_is_refused(authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}

    with pytest.raises(WebhookRefused) as refused:
        parsed(CALL, headers, jwt_key=KEY)

    assert refused.value.http_status == 401


def test_a_secret_in_a_header_lets_in_and_another_one_does_not() -> None:
    assert parsed(CALL, {"x-retoma-secret": KEY}, webhook_secret=KEY) != []
    for given in ({}, {"x-retoma-secret": ""}, {"x-retoma-secret": f"{KEY}x"}, {"x-retoma-secret": "çã"}):
        with pytest.raises(WebhookRefused) as refused:
            parsed(CALL, given, webhook_secret=KEY)
        assert refused.value.http_status == 401


def test_with_both_keys_both_are_asked_for() -> None:
    with pytest.raises(WebhookRefused):
        parsed(CALL, {"x-retoma-secret": KEY}, webhook_secret=KEY, jwt_key=KEY)


@pytest.mark.parametrize("broken", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(broken: bytes) -> None:
    with pytest.raises(WebhookRefused) as refused:
        parsed(broken)

    assert refused.value.http_status == 400
