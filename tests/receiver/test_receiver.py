"""`retoma receive`: when a provider gets its 200, its report is in the database, and nothing else is."""

import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from retoma.receiver.app import wants_out
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
from tests.support.command import environment

SECRET = "s3cret of the test"
MESSAGE_ID = "0123456789abcdef0123456789abcdef"
MESSAGE_STATE = "select receipt from retoma_internal.delivery"


class Receiver:
    """A running `retoma receive`."""

    def __init__(self, database: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "retoma", "receive", "--port", "0"],
            env=environment(database_url=database),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().split()[2]).netloc

    def hook(self, channel: str, document: object, *, secret: str | None = SECRET) -> tuple[int, Any]:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = hmac.new((secret or "").encode(), body, hashlib.sha256).hexdigest()
        headers = {} if secret is None else {"X-Retoma-Signature": f"sha256={digest}"}
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("POST", f"/hooks/{channel}", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture
def receiver(database: str) -> Iterator[Receiver]:
    running = Receiver(database)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def message_id(db: Db) -> str:
    """A message that was sent on the channel sales, whose reports are signed."""
    settings = {"url": "http://127.0.0.1:1", "secret": SECRET}
    channel = make_channel(db, transport="webhook", settings=settings)
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    step = advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    return step.messages[0][1]


def test_a_receipt_is_recorded_when_the_provider_gets_its_200(
    db: Db, receiver: Receiver, message_id: str
) -> None:
    answer = receiver.hook("sales", {"receipts": [{"id": message_id, "status": "delivered"}]})

    assert answer == (200, {"facts": 1})
    assert call(db, MESSAGE_STATE) == "delivered"


def test_receipts_twice_and_in_any_order_never_move_a_message_back(
    db: Db, receiver: Receiver, message_id: str
) -> None:
    for report in ("read", "read", "delivered", "server"):
        assert receiver.hook("sales", {"receipts": [{"id": message_id, "status": report}]})[0] == 200

    assert call(db, MESSAGE_STATE) == "read"


@pytest.mark.parametrize("secret", [None, "another"])
def test_a_call_without_the_right_signature_is_not_believed(
    db: Db, receiver: Receiver, message_id: str, secret: str | None
) -> None:
    document = {"receipts": [{"id": message_id, "status": "failed"}]}

    assert receiver.hook("sales", document, secret=secret)[0] == 401
    assert call(db, MESSAGE_STATE) is None


@pytest.mark.parametrize(
    "document",
    [
        b"not json",
        b"[" * 100_000,
        [],
        {"receipts": 1},
        {"receipts": [{"id": "x", "status": "read"}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "at": 1741249702485}]},
        {"receipts": [{"id": MESSAGE_ID, "status": "read", "provider_id": "a\0b"}]},
        {"inbound": [{"from": "5511955501299", "text": "SAIR"}]},
    ],
    ids=["text", "deep", "list", "no list", "id", "milliseconds", "NUL", "no plus"],
)
def test_a_call_that_is_not_understood_is_refused_and_records_nothing(
    db: Db, receiver: Receiver, message_id: str, document: object
) -> None:
    status, answer = receiver.hook("sales", document)

    assert status == 400
    assert answer["error"]
    assert call(db, MESSAGE_STATE) is None
    assert call(db, "select count(*) from retoma_internal.suppression") == 0


def test_a_number_that_the_database_refuses_is_not_asked_for_again(db: Db, receiver: Receiver) -> None:
    make_channel(db, transport="waha", settings={"base_url": "http://127.0.0.1:1", "session": "default"})
    payload = {"id": "false_1", "from": "0@c.us", "body": "SAIR"}

    answer = receiver.hook(
        "sales", {"event": "message", "session": "default", "payload": payload}, secret=None
    )

    assert answer == (400, {"error": "A value is refused: this is not an E.164 number."})


def test_an_unknown_channel_is_not_found(receiver: Receiver) -> None:
    assert receiver.hook("nobody", {})[0] == 404


def test_a_person_who_writes_an_opt_out_word_is_suppressed_and_others_are_not(
    db: Db, receiver: Receiver, message_id: str
) -> None:
    inbound = [{"from": "+5511955510001", "text": "  Sair! "}, {"from": "+5511955510002", "text": "Não saia"}]

    assert receiver.hook("sales", {"inbound": inbound}) == (200, {"facts": 2})

    rows = db.execute("select phone, reason, source from retoma_internal.suppression").fetchall()
    assert rows == [("+5511955510001", "opt_out", "reply on sales")]


@pytest.mark.parametrize("text", ["STOP", "parar", "Cancelar.", "descadastrar", " SAÍR "])
def test_opt_out_words_in_any_case_with_or_without_accents(text: str) -> None:
    assert wants_out(text)


@pytest.mark.parametrize("text", ["", "stop it", "não parar", "!"])
def test_what_only_contains_such_a_word_is_no_opt_out(text: str) -> None:
    assert not wants_out(text)


def test_a_session_that_goes_down_and_comes_back_interrupts_and_resumes_its_campaigns(
    db: Db, receiver: Receiver
) -> None:
    settings = {"base_url": "http://127.0.0.1:1", "session": "default", "engine": "NOWEB"}
    make_channel(db, transport="waha", settings=settings)
    make_campaign(db)

    def report(state: str) -> int:
        document = {"event": "session.status", "session": "default", "payload": {"status": state}}
        return receiver.hook("sales", document, secret=None)[0]

    # As stored: the view would also say that no runner is alive.
    stored = "select status from retoma_internal.campaign"
    assert report("FAILED") == 200
    assert call(db, stored) == "interrupted"
    assert report("WORKING") == 200
    assert call(db, stored) == "running"


def test_the_receiver_ends_when_it_is_told_to(receiver: Receiver) -> None:
    os.kill(receiver.process.pid, signal.SIGTERM)

    assert receiver.process.wait(timeout=60) == 0
