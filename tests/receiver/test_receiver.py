"""`retoma receive`: when a provider gets its 200, its report is in the database, and nothing else is."""

import gzip
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from retoma.receiver.door import Door, Limits
from tests.support import other_servers
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
from tests.support.clusters import Server
from tests.support.receivers import SECRET, Receiver
from tests.support.waiting import PATIENT_S, wait_until

MESSAGE_ID = "0123456789abcdef0123456789abcdef"
MESSAGE_STATE = "select receipt from retoma_internal.delivery"


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


HEAD = "POST /hooks/sales HTTP/1.1\r\nHost: here\r\n"


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    said = b""
    try:
        while part := connection.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    return said


def test_a_caller_who_says_nothing_is_shown_out(new_receiver: Callable[..., Receiver]) -> None:
    receiver = new_receiver("--head-timeout", "0.5")

    with receiver.connect() as caller:
        assert everything(caller) == b""

    assert receiver.end() == []


def test_a_caller_who_does_not_finish_the_head_is_shown_out(new_receiver: Callable[..., Receiver]) -> None:
    receiver = new_receiver("--head-timeout", "0.5")

    def is_told_of() -> bool:
        with suppress(BrokenPipeError, ConnectionResetError), receiver.connect() as caller:
            caller.sendall(HEAD.encode())
            assert everything(caller) == b""
        return "head_too_late" in receiver.log.read_text()

    wait_until(is_told_of)  # where the machine is busy, half a second may pass before the first word


def test_a_connection_that_is_kept_open_in_silence_is_closed(new_receiver: Callable[..., Receiver]) -> None:
    receiver = new_receiver("--head-timeout", "5")

    with receiver.connect() as caller:
        caller.sendall(f"{HEAD}Content-Length: 0\r\n\r\n".encode())
        assert everything(caller).count(b"HTTP/1.1") <= 1


def test_a_body_that_does_not_come_is_not_waited_for(
    message_id: str, new_receiver: Callable[..., Receiver]
) -> None:
    receiver = new_receiver("--body-timeout", "0.5")

    with receiver.connect() as caller:
        signature = f"X-Retoma-Signature: sha256={'0' * 64}"
        caller.sendall(f"{HEAD}{signature}\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert everything(caller).startswith(b"HTTP/1.1 408 ")


def test_there_are_no_more_connections_of_an_address_and_in_all_than_allowed(
    new_receiver: Callable[..., Receiver],
) -> None:
    for options in (("--connections", "2"), ("--connections-per-address", "2")):
        receiver = new_receiver(*options)
        with receiver.connect() as first, receiver.connect():
            # Both are counted when the answer to a call on the first one is there.
            first.sendall(f"{HEAD}Content-Length: 0\r\n\r\n".encode())
            assert first.recv(1000).startswith(b"HTTP/1.1 404 ")
            with receiver.connect() as third:
                assert everything(third).startswith(b"HTTP/1.1 503 ")
        # Those who leave make room.
        assert wait_until(partial(answer_or_none, receiver)) == 404


def answer_or_none(receiver: Receiver) -> int | None:
    status = receiver.hook("nobody", {})[0]
    return None if status == 503 else status


def test_a_call_without_a_signature_is_refused_before_its_body_comes(
    message_id: str, receiver: Receiver
) -> None:
    with receiver.connect() as caller:
        caller.sendall(f"{HEAD}Content-Length: 1000000\r\n\r\n".encode())
        assert caller.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_a_call_too_long_is_refused_before_its_body_comes(message_id: str, receiver: Receiver) -> None:
    with receiver.connect() as caller:
        caller.sendall(f"{HEAD}Content-Length: 100000000\r\n\r\n".encode())
        assert caller.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_bodies_of_many_callers_do_not_fill_the_memory(
    message_id: str, new_receiver: Callable[..., Receiver]
) -> None:
    receiver = new_receiver("--body-timeout", "600")
    signature = f"X-Retoma-Signature: sha256={'0' * 64}"
    long_call = f"{HEAD}{signature}\r\nContent-Length: 4000000\r\n\r\n{{".encode()

    with ExitStack() as callers:

        def another_is_refused() -> bool:
            caller = callers.enter_context(receiver.connect())
            caller.sendall(long_call)
            caller.settimeout(0.1)
            try:
                return caller.recv(1000).startswith(b"HTTP/1.1 503 ")
            except TimeoutError:
                return False

        wait_until(another_is_refused)
        # A short call still has its place.
        assert receiver.hook("sales", {"receipts": [{"id": message_id, "status": "read"}]})[0] == 200


def test_gzip_is_taken_and_bad_gzip_is_one_line_in_the_log(
    db: Db, message_id: str, receiver: Receiver
) -> None:
    body = json.dumps({"receipts": [{"id": message_id, "status": "read"}]}).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Retoma-Signature": f"sha256={digest}", "Content-Encoding": "gzip"}
    statuses = []
    for sent in (gzip.compress(body), b"no gzip at all", gzip.compress(body)[:-12]):
        connection = http.client.HTTPConnection(receiver.address, timeout=PATIENT_S)
        connection.request("POST", "/hooks/sales", sent, headers)
        statuses.append(connection.getresponse().status)
        connection.close()

    # What is cut off reads as a shorter body, which is not the one that was signed.
    assert statuses == [200, 400, 401]
    assert call(db, MESSAGE_STATE) == "read"
    assert not [line for line in receiver.end() if "exception" in line]


def test_a_caller_who_goes_away_leaves_no_traceback(message_id: str, receiver: Receiver) -> None:
    signature = f"X-Retoma-Signature: sha256={'0' * 64}"
    for sent in (HEAD, f"{HEAD}{signature}\r\nContent-Length: 100\r\n\r\n{{", "no HTTP at all\r\n\r\n"):
        with receiver.connect() as caller:
            caller.sendall(sent.encode())
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends by a reset
    assert receiver.hook("nobody", {})[0] == 404

    assert not [line for line in receiver.end() if "exception" in line]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_control_characters_of_a_caller_are_escaped_in_the_log(
    db: Db, new_receiver: Callable[..., Receiver], tmp_path: Path, log_format: str
) -> None:
    receiver = new_receiver("--log-format", log_format)
    make_channel(db, transport="waha", settings={"base_url": "http://127.0.0.1:1", "session": "default"})
    payload = {"id": "\x1b[2Jfalse\nline\x9b\u202e", "from": "1@lid", "body": "SAIR"}

    call_of_waha = {"event": "message", "session": "default", "payload": payload}
    assert receiver.hook("sales", call_of_waha, secret=None)[0] == 200

    receiver.process.terminate()
    receiver.process.wait(timeout=60)
    log = (tmp_path / "receiver-0.log").read_text()
    assert "reply_waits_for_a_person" in log
    assert "false\\nline" in log
    assert len(log.splitlines()) == 1
    assert "\x1b[2J" not in log
    assert not {"\x9b", "\u202e"} & set(log)


def test_one_bad_receipt_refuses_itself_and_not_its_call(db: Db, receiver: Receiver, message_id: str) -> None:
    receipts = [
        {"id": MESSAGE_ID, "status": "eaten"},
        {"id": MESSAGE_ID, "status": "read", "provider_id": "a\0b"},
        {"id": message_id, "status": "delivered"},
        {"id": MESSAGE_ID, "status": "read", "code": "a\0b"},
    ]

    status, answer = receiver.hook("sales", {"receipts": receipts})

    assert (status, answer["facts"], answer["refused"], len(answer["errors"])) == (200, 1, 3, 3)
    assert call(db, MESSAGE_STATE) == "delivered"


def test_one_bad_number_keeps_nobody_from_opting_out(db: Db, receiver: Receiver, message_id: str) -> None:
    inbound = [{"from": phone, "text": "SAIR"} for phone in ("+0", "+5511955510001")]

    assert receiver.hook("sales", {"inbound": inbound})[0] == 200

    assert call(db, "select array_agg(phone) from retoma_internal.suppression") == ["+5511955510001"]


def test_after_a_restart_of_the_database_the_next_calls_are_taken(
    server: Server, database: str, receiver: Receiver, message_id: str
) -> None:
    document = {"receipts": [{"id": message_id, "status": "delivered"}]}
    assert receiver.hook("sales", document)[0] == 200

    server.restart()

    assert [receiver.hook("sales", document)[0] for _ in range(5)] == [200] * 5
    with psycopg.connect(database) as connection:
        assert connection.execute(MESSAGE_STATE).fetchone() == ("delivered",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_ipv6(one: str, other: str, same: bool) -> None:
    door = Door(Limits(connections=10, per_address=1, head_timeout_s=1, body_timeout_s=1))
    assert door.enter(one) is not None

    assert (door.enter(other) is None) == same


def test_a_receipt_is_recorded_on_a_database_that_somebody_else_set_up(
    server: Server, database: str, db: Db, message_id: str, new_receiver: Callable[..., Receiver]
) -> None:
    other_servers.set_up(server, database)
    receiver = new_receiver()

    answer = receiver.hook("sales", {"receipts": [{"id": message_id, "status": "delivered"}]})

    assert answer == (200, {"facts": 1})
    assert call(db, MESSAGE_STATE) == "delivered"
