"""Group commit, seen by callers: real connections to a real receiver."""

import http.client
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.support.campaigns import Db, call, make_channel, phone
from tests.support.receivers import SECRET, Receiver, signed
from tests.support.waiting import PATIENT_S, wait_until
from tests.transports.whatsapp_cloud import payloads as p

CALLERS = 20
WAITS_FOR_A_LOCK = "select exists(select from pg_stat_activity where wait_event_type = 'Lock')"
REPLIES = "select count(*) from retoma_internal.reply"
SETTINGS = {
    "base_url": "http://127.0.0.1:1",
    "phone_number_id": p.NUMBER_ID,
    "waba_id": p.WABA,
    "access_token": "a token",
    "app_secret": SECRET,
}


@pytest.fixture(autouse=True)
def channel(db: Db) -> int:
    """The channel sales of Meta; the channel generic of somebody's own receiver."""
    make_channel(db, "generic", "webhook", {"url": "http://127.0.0.1:1", "secret": SECRET})
    return make_channel(db, transport="whatsapp_cloud", settings=SETTINGS)


def inbound(number: int, text: str = "SAIR", sender: str | None = None) -> dict[str, Any]:
    return {"inbound": [{"from": sender or phone(number), "text": text, "id": f"in-{number}"}]}


def test_each_of_many_callers_gets_its_own_answer(db: Db, receiver: Receiver) -> None:
    """Every fourth one reports what the database refuses, between those that it takes."""

    def post(number: int) -> tuple[int, Any]:
        sender = "+0" if number % 4 == 0 else None
        return receiver.hook("generic", inbound(number, sender=sender))

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = list(callers.map(post, range(2 * CALLERS)))

    assert [status for status, _ in answers] == [400 if n % 4 == 0 else 200 for n in range(2 * CALLERS)]
    assert call(db, REPLIES) == 30


def test_whoever_waits_when_the_receiver_is_stopped_is_answered(
    db: Db, database: str, receiver: Receiver
) -> None:
    with psycopg.connect(database) as other, ThreadPoolExecutor(2) as callers:
        # The first call waits in the database for less than the second that it may wait for a lock.
        other.execute("lock table retoma_internal.reply in exclusive mode")
        first = callers.submit(receiver.hook, "generic", inbound(1))
        wait_until(partial(call, db, WAITS_FOR_A_LOCK))
        os.kill(receiver.process.pid, signal.SIGTERM)
        other.rollback()

        assert first.result()[0] in (200, 503)  # on a busy machine the second may have passed
    assert receiver.process.wait(timeout=PATIENT_S) == 0
    assert call(db, REPLIES) == (1 if first.result()[0] == 200 else 0)


def test_calls_of_one_connection_are_answered_in_their_order(db: Db, receiver: Receiver) -> None:
    """Sent without waiting for answers: down and up, without a time, 21 times in turn."""
    make_channel(db, "waha", "waha", {"base_url": "http://127.0.0.1:1", "session": "S"})
    with receiver.connect() as caller:
        for number in range(21):
            state = "WORKING" if number % 2 else "FAILED"
            body = json.dumps({"event": "session.status", "session": "S", "payload": {"status": state}})
            head = f"POST /hooks/waha HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
            caller.sendall((head + body).encode())
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 21:
            part = caller.recv(65_536)
            assert part, received
            received += part

    states = db.execute("""
        select e.to_state from retoma_internal.event as e
        inner join retoma_internal.channel as c on e.channel_id = c.id
        where c.name = 'waha' order by e.id
    """).fetchall()
    assert [state for (state,) in states] == ["connected", "disconnected"] * 11


def test_a_long_call_with_many_entries_and_changes_is_taken_whole(db: Db, receiver: Receiver) -> None:
    """About 3.5 MiB, as a provider sends after it could not reach us for a while."""
    one_call = p.call(
        "messages",
        *(
            p.messages(
                contacts=[{"wa_id": phone(number)[1:]}],
                messages=[
                    p.inbound(
                        "text",
                        {"body": "Oi " + "ã" * 500},
                        **{"from": phone(number)[1:], "id": f"wamid.{number}"},
                    )
                ],
            )
            for number in range(100)
        ),
    )
    entries = [
        json.loads(json.dumps(one_call["entry"][0]).replace("wamid.", f"wamid.{n}.")) for n in range(9)
    ]
    body = json.dumps({**one_call, "entry": entries}).encode()
    assert 2_500_000 < len(body) < 4 * 1024 * 1024

    for secret in (None, "another"):
        assert receiver.meta("sales", body, secret=secret)[0] == 401
    assert call(db, REPLIES) == 0

    assert receiver.meta("sales", body) == (200, {"facts": 900})
    assert call(db, REPLIES) == 900


def test_a_new_secret_counts_at_once_and_the_old_one_no_more(db: Db, receiver: Receiver) -> None:
    connection = http.client.HTTPConnection(receiver.address, timeout=PATIENT_S)

    def post(number: int, secret: str) -> int:
        body = json.dumps(inbound(number)).encode()
        connection.request("POST", "/hooks/generic", body, signed("X-Retoma-Signature", secret, body))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert post(1, SECRET) == 200
    db.execute("select retoma.configure_channel('generic', '{\"secret\": \"a new one\"}', '{}')")
    assert post(2, "a new one") == 200
    assert post(3, SECRET) == 401
    assert call(db, REPLIES) == 2
