"""due_lookups and record_lookups: asking the provider about messages in doubt."""

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    doorbells,
    error,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    release,
    send_all,
    silence,
    status,
    tick,
)

SETTINGS: dict[str, object] = {"url": "http://127.0.0.1", "lookup": True}


@pytest.fixture
def asking(db: Db) -> int:
    """A channel that can look up messages, with one of a campaign of two in doubt."""
    channel = make_channel(db, transport="webhook", settings=SETTINGS)
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    release(db, leased)
    return channel


def claim(db: Db, channel: int) -> list[tuple[object, ...]]:
    return db.execute("select * from retoma.due_lookups(%s)", (channel,)).fetchall()


def lookup(db: Db, result: str, attempt: int = 1) -> Jsonb:
    """An answer of the provider about the message in doubt."""
    message_id = call(db, "select message_id from retoma.v_in_doubt")
    return Jsonb([{"message_id": message_id, "attempt": attempt, "result": result}])


def answer(db: Db, channel: int, result: str) -> int:
    """Answers for the message in doubt. Returns how many messages it was about."""
    return int(call(db, "select retoma.record_lookups(%s, %s)", channel, lookup(db, result)))


def test_invariant_4_the_provider_is_asked_when_the_request_cannot_be_under_way_any_more(
    db: Db, asking: int
) -> None:
    assert claim(db, asking) == []

    move_clock(db, "61 s")

    message_id = call(db, "select message_id from retoma.v_in_doubt")
    assert claim(db, asking) == [
        (message_id, 1, phone(1), None, "sales", "webhook", SETTINGS | {"media_as": "link", "timeout_s": 30})
    ]


def test_a_channel_with_something_to_ask_is_rung(db: Db, asking: int, runner: UUID) -> None:
    send_all(db, runner, asking)
    silence(db)
    tick(db)
    assert doorbells(db) == []

    move_clock(db, "61 s")
    tick(db)

    assert doorbells(db) == [asking]


def test_a_message_that_is_found_is_sent(db: Db, asking: int) -> None:
    assert answer(db, asking, "found") == 1

    assert books(db) == {"sent": 1, "pending": 1}
    assert_counters_match_deliveries(db)


def test_a_message_that_is_absent_is_sent_again_under_its_id_by_its_channel(
    db: Db, asking: int, runner: UUID
) -> None:
    other = make_channel(db, "other")
    db.execute(
        "insert into retoma_internal.campaign_channel (campaign_id, channel_id) values (1, %s)", (other,)
    )
    message_id = call(db, "select message_id from retoma.v_in_doubt")

    assert answer(db, asking, "absent") == 1

    assert books(db) == {"pending": 2}
    assert send_all(db, runner, other) == [2]
    step = advance(db, must_lease(db, runner, asking), want=1)
    assert (step.ordinals, step.messages[0][1]) == ([1], message_id)
    assert_counters_match_deliveries(db)


def test_a_completed_campaign_is_reopened_for_a_message_that_is_absent(
    db: Db, asking: int, runner: UUID
) -> None:
    send_all(db, runner, asking)
    assert status(db) == "completed"
    silence(db)

    answer(db, asking, "absent")

    assert status(db) == "running"
    assert doorbells(db) == [asking]
    assert send_all(db, runner, asking) == [1]
    assert status(db) == "completed"


def test_a_message_that_the_provider_does_not_know_of_stays_in_doubt_and_is_asked_about_later(
    db: Db, asking: int
) -> None:
    move_clock(db, "61 s")

    assert answer(db, asking, "unknown") == 1

    assert books(db) == {"in_doubt": 1, "pending": 1}
    assert claim(db, asking) == []
    move_clock(db, "61 s")
    assert len(claim(db, asking)) == 1


def test_invariant_4_absent_proves_nothing_where_the_transport_does_not_make_it_a_proof(
    db: Db, runner: UUID
) -> None:
    settings: dict[str, object] = {
        "base_url": "http://127.0.0.1",
        "session": "default",
        "engine": "GOWS",
        "store": True,
    }
    settings["check_numbers"] = False
    channel = make_channel(db, transport="waha", settings=settings)
    make_campaign(db, size=1, max_attempts=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    move_clock(db, "61 s")
    assert len(claim(db, channel)) == 1

    assert answer(db, channel, "absent") == 1

    assert (books(db), send_all(db, runner, channel)) == ({"in_doubt": 1}, [])
    assert claim(db, channel) == []
    move_clock(db, "61 s")
    assert len(claim(db, channel)) == 1
    assert answer(db, channel, "found") == 1
    assert books(db) == {"sent": 1}


def test_an_answer_that_comes_twice_or_too_late_changes_nothing(db: Db, asking: int) -> None:
    results = lookup(db, "absent")
    assert call(db, "select retoma.record_lookups(%s, %s)", asking, results) == 1

    assert call(db, "select retoma.record_lookups(%s, %s)", asking, results) == 0

    assert books(db) == {"pending": 2}


def test_an_answer_says_nothing_of_a_later_attempt(db: Db, asking: int, runner: UUID) -> None:
    send_all(db, runner, asking)
    results = lookup(db, "absent")
    db.execute("select retoma.record_lookups(%s, %s)", (asking, results))
    leased = must_lease(db, runner, asking)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])

    assert call(db, "select retoma.record_lookups(%s, %s)", asking, results) == 0

    assert books(db) == {"in_doubt": 1, "sent": 1}


def test_a_message_in_doubt_of_a_cancelled_campaign_is_only_settled_by_being_found(
    db: Db, asking: int
) -> None:
    db.execute("select retoma.cancel_campaign('natal')")
    move_clock(db, "61 s")

    assert answer(db, asking, "absent") == 1

    assert books(db) == {"in_doubt": 1, "cancelled": 1}
    assert claim(db, asking) == []
    move_clock(db, "61 s")
    assert answer(db, asking, "found") == 1
    assert books(db) == {"sent": 1, "cancelled": 1}


def test_the_answer_of_another_channel_is_not_believed(db: Db, asking: int) -> None:
    assert answer(db, make_channel(db, "other"), "found") == 0
    assert books(db) == {"in_doubt": 1, "pending": 1}


@pytest.mark.parametrize("unknown", ["", "x", "g" * 32, "f" * 32])
def test_answers_about_messages_that_are_not_ours_are_passed_over(db: Db, asking: int, unknown: str) -> None:
    results = Jsonb([{"message_id": unknown, "attempt": 1, "result": "absent"}])
    assert call(db, "select retoma.record_lookups(%s, %s)", asking, results) == 0


def test_a_channel_that_cannot_lookup_or_is_away_is_not_asked(db: Db, asking: int) -> None:
    move_clock(db, "61 s")
    db.execute("select retoma.channel_disconnected('sales')")
    assert claim(db, asking) == []
    db.execute("select retoma.channel_connected('sales')")
    db.execute("select retoma.configure_channel('sales', %s)", (Jsonb({"lookup": False}),))
    assert claim(db, asking) == []
