"""Whatever a stranger or a provider sends to a real receiver, it answers, and only what is signed can count.

400 and 401 are answers; a 5xx would make a provider send the same again, for days.
"""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retoma.transports.signatures import sign
from tests.receiver.test_replies import event
from tests.support.campaigns import Db, make_channel
from tests.support.evolution import Call, api_document, bearer, go_document
from tests.support.receivers import SECRET, Receiver
from tests.support.waiting import PATIENT_S
from tests.transports.whatsapp_cloud import payloads as p

_ANYWHERE = {"base_url": "http://127.0.0.1:1"}
_OURS = "0123456789abcdef" * 2
_AT_WHATSAPP = f"3EB0{_OURS.upper()}"
_PERSON, _HIDDEN = "5511955500001@s.whatsapp.net", "123456789012345@lid"


class Proof(Protocol):
    """How a call shows who makes it."""

    def proven(self, document: Any) -> Call:
        """A call of the provider itself."""

    def forged(self, document: Any, others: str) -> list[Call]:
        """The calls of a stranger; others: what stands where the proof has to be."""


@dataclass(frozen=True)
class Signature:
    """A signature of the body in a header, after a prefix."""

    header: str
    algorithm: Literal["sha256", "sha512"]
    prefix: str = ""

    def proven(self, document: Any) -> Call:
        body = encoded(document)
        return body, self._signed(body, SECRET)

    def forged(self, document: Any, others: str) -> list[Call]:
        body = encoded(document)
        headers = [
            {},
            {self.header: others},
            self._signed(body, "another"),
            self._signed(body + b" ", SECRET),
        ]
        return [(body, header) for header in headers]

    def _signed(self, body: bytes, key: str) -> dict[str, str]:
        return {self.header: self.prefix + sign(key, body, self.algorithm)}


class Bearer:
    """A token in a header, as Evolution API has it. It does not depend on the body."""

    def proven(self, document: Any) -> Call:
        return encoded(document), bearer(SECRET)

    def forged(self, document: Any, others: str) -> list[Call]:
        body = encoded(document)
        unsigned = bearer(SECRET)["Authorization"].rpartition(".")[0]
        headers = [{}, *({"Authorization": value} for value in (others, f"Bearer {others}", unsigned + "."))]
        return [(body, header) for header in (*headers, bearer("another"))]


class TokenInside:
    """The token of the instance in the JSON, as Evolution GO has it."""

    def proven(self, document: Any) -> Call:
        return self._with(document, SECRET)

    def forged(self, document: Any, others: str) -> list[Call]:
        return [self._with(document, token) for token in (None, others, "another", [SECRET])]

    def _with(self, document: Any, token: object) -> Call:
        named = document | {"instanceToken": token} if isinstance(document, dict) else document
        return encoded(named), {}


@dataclass(frozen=True)
class Dialect:
    """How a provider calls.

    Args:
        transport: its name.
        settings: of a channel whose calls are proven.
        proof: how a call shows that it is of the provider.
        documents: whole calls, of which parts are damaged.
    """

    transport: str
    settings: Mapping[str, object]
    proof: Proof
    documents: list[Any]


def encoded(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


_BY_LID = {"id": "in-1", "remoteJid": _HIDDEN, "remoteJidAlt": _PERSON, "fromMe": False}
_BY_NUMBER = {**_BY_LID, "remoteJid": _PERSON, "remoteJidAlt": _HIDDEN}
_WROTE = {"conversation": "SAIR"}
_CHOSE = {"buttonsResponseMessage": {"selectedDisplayText": "Sair", "selectedButtonId": "stop"}}
_AT_GO = "2026-09-21T14:13:20-03:00"
_GO_BY_LID = {"ID": "in-1", "Chat": _HIDDEN, "SenderAlt": _PERSON, "IsFromMe": False, "Timestamp": _AT_GO}
_GO_BY_NUMBER = {**_GO_BY_LID, "Chat": _PERSON, "SenderAlt": _HIDDEN}

DIALECTS = [
    Dialect(
        "webhook",
        {"url": "http://127.0.0.1:1", "secret": SECRET},
        Signature("X-Retoma-Signature", "sha256", "sha256="),
        [
            {
                "receipts": [{"id": _OURS, "status": "failed", "code": "x", "provider_id": "p", "at": p.AT}],
                "inbound": [
                    {"from": f"+{p.PERSON}", "text": "SAIR", "button": "stop", "id": "in-1", "at": p.AT}
                ],
            }
        ],
    ),
    Dialect(
        "waha",
        {**_ANYWHERE, "session": "S", "engine": "NOWEB", "webhook_hmac_key": SECRET},
        Signature("X-Webhook-Hmac", "sha512"),
        [
            event(),
            event("message.edited", sender="4639135154355@lid", editedMessageId="3A8E"),
            event("message.ack", id="true_5511955510001@c.us_3EB0", ack=-1, ackName="ERROR"),
            event("message.ack", id=f"true_5511955510001@c.us_{_OURS.upper()}", ack=3),
            event("session.status", status="FAILED"),
            event("session.status", status="WORKING"),
        ],
    ),
    Dialect(
        "whatsapp_cloud",
        {
            **_ANYWHERE,
            "phone_number_id": p.NUMBER_ID,
            "waba_id": p.WABA,
            "access_token": "a token",
            "app_secret": SECRET,
        },
        Signature("X-Hub-Signature-256", "sha256", "sha256="),
        [
            p.call("messages", p.messages(statuses=[p.status("failed", errors=[p.FAILED_ERROR])])),
            p.call(
                "messages", p.messages(contacts=[p.CONTACT], messages=[p.inbound("text", {"body": "SAIR"})])
            ),
            p.call("user_preferences", p.messages(user_preferences=[{"wa_id": p.PERSON, "value": "stop"}])),
            p.call("account_update", {"event": "ACCOUNT_RESTRICTION"}),
            p.call(
                "account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}
            ),
        ],
    ),
    Dialect(
        "evolution",
        {**_ANYWHERE, "instance": "loja", "jwt_key": SECRET},
        Bearer(),
        [
            api_document("messages.update", {"keyId": _AT_WHATSAPP, "fromMe": True, "status": "ERROR"}),
            api_document("messages.upsert", {"key": _BY_LID, "message": _WROTE, "messageTimestamp": 9}),
            api_document("messages.upsert", [{"key": _BY_NUMBER, "message": _CHOSE}]),
            api_document("send.message", {"key": {"id": _AT_WHATSAPP}}),
            api_document("connection.update", {"state": "close", "statusReason": 401}),
            api_document("connection.update", {"state": "open"}),
        ],
    ),
    Dialect(
        "evolution_go",
        {**_ANYWHERE, "api_key": SECRET},
        TokenInside(),
        [
            go_document("Receipt", {"MessageIDs": [_AT_WHATSAPP], "Timestamp": _AT_GO}, SECRET, state="Read"),
            go_document("Message", {"Info": _GO_BY_LID, "Message": _WROTE}, SECRET),
            go_document("Message", {"Info": _GO_BY_NUMBER, "Message": _CHOSE}, SECRET),
            go_document("SendMessage", {"Info": {"ID": _AT_WHATSAPP, "Timestamp": _AT_GO}}, SECRET),
            go_document("LoggedOut", {"reason": "logged out from another device"}, SECRET),
            go_document("Connected", {}, SECRET),
        ],
    ),
]

# Whatever JSON can hold, also what PostgreSQL cannot: NUL, half a surrogate pair, numbers beyond any type.
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\0", "\ud800", "SAIR", "+0", "x" * 5_000, "infinity", "1e400"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([10**400, -(2**63), 1e308, 0.1]) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)
STATE = """
select
  (select count(*) from retoma_internal.receipt_inbox), (select count(*) from retoma_internal.reply),
  (select count(*) from retoma_internal.suppression), (select count(*) from retoma_internal.event),
  (select connected from retoma_internal.channel)
"""
Post = Callable[[str, bytes, Mapping[str, str]], int]
patiently = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def damaged(draw: st.DrawFn, documents: list[Any]) -> Any:
    """One of the documents in which one part, at any depth, is something else or missing."""
    document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    place = document
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
            place = inner
            continue
        if draw(st.integers(0, 3)):
            place[key] = draw(JSON)
        else:
            del place[key]
        return document


@pytest.fixture
def post(receiver: Receiver) -> Iterator[Post]:
    """Posts over a connection that is kept; returns the status."""
    connection = http.client.HTTPConnection(receiver.address, timeout=PATIENT_S)

    def send(channel: str, body: bytes, headers: Mapping[str, str]) -> int:
        connection.request("POST", f"/hooks/{channel}", body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    yield send
    connection.close()
    assert not [line for line in receiver.end() if "exception" in line]


def is_no_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def state(db: Db) -> psycopg.rows.TupleRow | None:
    return db.execute(STATE).fetchone()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.transport)
def test_a_damaged_call_is_answered_and_counts_only_when_it_is_signed(
    db: Db, post: Post, dialect: Dialect
) -> None:
    make_channel(db, transport=dialect.transport, settings=dialect.settings)

    @patiently
    @given(document=damaged(dialect.documents) | JSON, others=st.sampled_from(["", "another", "no hex"]))
    def check(document: Any, others: str) -> None:
        before = state(db)
        # What is no object has no place for a token.
        is_readable = isinstance(document, dict) or not isinstance(dialect.proof, TokenInside)
        for forged in dialect.proof.forged(document, others):
            assert post("sales", *forged) == (401 if is_readable else 400)
        assert state(db) == before

        assert post("sales", *dialect.proof.proven(document)) in (200, 400)

    check()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.transport)
def test_what_is_no_json_is_answered(db: Db, post: Post, dialect: Dialect) -> None:
    make_channel(db, transport=dialect.transport, settings=dialect.settings)

    @patiently
    @given(body=st.binary(max_size=200).filter(is_no_json))
    def check(body: bytes) -> None:
        before = state(db)
        assert post("sales", *dialect.proof.proven(body)) in (200, 400)
        assert state(db) == before

    check()


def test_whatever_the_channel_is_called_it_is_not_found(post: Post) -> None:
    @patiently
    @given(name=st.binary(min_size=1, max_size=30))
    def check(name: bytes) -> None:
        assert post("".join(f"%{byte:02x}" for byte in name), b"{}", {}) in (400, 404)

    check()
