"""breaker: failures in a row, of any kind, stop the channel before they use up the audience."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    send_all,
    status,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def channel(db: Db) -> int:
    """One message is under way at a time."""
    return make_channel(db, max_in_flight=1)


def fail_in_turn(db: Db, runner: UUID, channel: int, code: str, count: int) -> None:
    """Sends one message after the other, as long as the channel may; each ends in this error."""
    for _ in range(count):
        leased = lease(db, runner, channel)
        if leased is None:
            return
        step = advance(db, leased, want=1)
        for ordinal in step.ordinals:
            advance(db, leased, [error(ordinal, code)])
        if _still_leased(db, leased.batch_id):
            db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)


def _still_leased(db: Db, batch_id: int) -> bool:
    return bool(call(db, "select status = 'leased' from retoma_internal.batch where id = %s", batch_id))


@pytest.mark.parametrize("code", ["http_500", "http_502", "timeout", "connection_lost", "never_heard_of"])
def test_answers_that_prove_nothing_stop_the_channel_after_a_few_in_a_row(
    db: Db, channel: int, runner: UUID, code: str
) -> None:
    make_campaign(db, size=30)

    fail_in_turn(db, runner, channel, code, 30)

    assert books(db) == {"in_doubt": 5, "pending": 25}
    assert status(db) == "interrupted"
    row = db.execute("select state, reason from retoma.v_channel").fetchone()
    assert row == ("paused", f"5 messages in a row were not accepted, the last with {code}")
    row = db.execute("select cause, reason, what_to_do from retoma.v_interrupted_campaigns").fetchone()
    assert row is not None
    assert row[0] == "channel"
    assert code in row[1]
    assert row[2] == "select retoma.resume_channel('sales')"
    assert_counters_match_deliveries(db)


def test_a_channel_that_dedupes_stops_too_and_what_may_have_arrived_is_still_pending(
    db: Db, runner: UUID
) -> None:
    channel = make_channel(
        db, "sales", "webhook", {"url": "http://127.0.0.1", "idempotent": True}, max_in_flight=1
    )
    make_campaign(db, size=30)

    fail_in_turn(db, runner, channel, "http_500", 30)

    assert books(db) == {"pending": 30}
    assert status(db) == "interrupted"
    db.execute("select retoma.resume_channel('sales')")
    move_clock(db, "1 hour")
    assert sorted(send_all(db, runner, channel)) == list(range(1, 31))


def test_the_breaker_counts_over_batches_of_one_message(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=30, batch_size=1)

    fail_in_turn(db, runner, channel, "http_500", 30)

    assert books(db) == {"in_doubt": 5, "pending": 25}


def test_one_accepted_message_begins_the_count_anew(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=30)
    for _ in range(5):
        fail_in_turn(db, runner, channel, "http_500", 4)
        leased = must_lease(db, runner, channel)
        (ordinal,) = advance(db, leased, want=1).ordinals
        advance(db, leased, accepted(ordinal), want=0)
        db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)

    assert books(db) == {"in_doubt": 20, "sent": 5, "pending": 5}
    assert status(db) == "running"


def test_messages_that_one_event_ended_together_count_as_one(db: Db, runner: UUID) -> None:
    channel = make_channel(db, max_in_flight=10, max_leases=2)
    make_campaign(db, size=60, batch_size=60)
    leased = must_lease(db, runner, channel)
    lost = advance(db, leased, want=20).ordinals
    advance(db, leased, [error(n, "connection_lost") for n in lost])
    assert status(db) == "running"

    more = advance(db, leased, want=4).ordinals
    advance(db, leased, [error(n, "connection_lost") for n in more])

    assert status(db) == "interrupted"
    assert books(db) == {"in_doubt": 24, "pending": 36}


def test_the_threshold_is_a_row(db: Db, channel: int, runner: UUID) -> None:
    db.execute("update retoma.breaker set threshold = 2 where failure = 'ambiguous'")
    make_campaign(db, size=30)

    fail_in_turn(db, runner, channel, "http_500", 30)

    assert books(db) == {"in_doubt": 2, "pending": 28}


def test_a_kind_of_failure_without_a_row_never_stops_a_channel(db: Db, channel: int, runner: UUID) -> None:
    db.execute("delete from retoma.breaker where failure = 'ambiguous'")
    make_campaign(db, size=30)

    fail_in_turn(db, runner, channel, "http_500", 30)

    assert books(db) == {"in_doubt": 30}
    assert status(db) == "completed"


def test_after_a_resume_the_count_begins_anew(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=30)
    fail_in_turn(db, runner, channel, "http_500", 30)

    db.execute("select retoma.resume_channel('sales')")
    fail_in_turn(db, runner, channel, "http_500", 4)

    assert books(db) == {"in_doubt": 9, "pending": 21}
    assert status(db) == "running"


def test_a_campaign_goes_on_with_its_other_channel(db: Db, channel: int, runner: UUID) -> None:
    other = make_channel(db, "other")
    make_campaign(db, size=30, channels=["sales", "other"])

    fail_in_turn(db, runner, channel, "http_500", 30)

    assert status(db) == "running"
    assert len(send_all(db, runner, other)) == 25


def test_errors_before_anything_was_taken_hold_the_channel_longer_each_time(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=60)

    fail_in_turn(db, runner, channel, "connect_failed", 60)

    assert status(db) == "running"
    assert "20 messages in a row" in call(db, "select held_because from retoma.v_channel")
    for hold_s in (4, 16, 64):
        move_clock(db, f"{hold_s - 1} s")
        assert lease(db, runner, channel) is None
        move_clock(db, "2 s")
        fail_in_turn(db, runner, channel, "connect_failed", 1)
    move_clock(db, "5 minutes")
    assert len(send_all(db, runner, channel)) == 60
    assert call(db, "select failures from retoma_internal.channel_pacing") == {}


def test_a_list_on_which_nobody_can_be_reached_stops_the_channel(db: Db, channel: int, runner: UUID) -> None:
    db.execute(
        "insert into retoma.error_rule (transport, code, class) values ('*', 'dead', 'permanent_recipient')"
    )
    make_campaign(db, size=80)

    fail_in_turn(db, runner, channel, "dead", 80)

    assert books(db) == {"failed": 50, "pending": 30}
    assert status(db) == "interrupted"


def test_what_the_runner_did_not_send_is_no_failure_of_the_provider(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=30)
    for _ in range(3):
        leased = must_lease(db, runner, channel)
        ordinals = advance(db, leased, want=30).ordinals
        advance(db, leased, [error(n, "not_attempted", written=False) for n in ordinals])

    assert status(db) == "running"
    assert call(db, "select failures from retoma_internal.channel_pacing") == {}


def test_a_lease_that_ends_with_its_runner_is_no_failure_of_the_provider(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=30)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=30)
    db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)

    assert books(db) == {"in_doubt": 30}
    assert call(db, "select failures from retoma_internal.channel_pacing") == {}


def test_a_campaign_whose_messages_alone_prove_nothing_is_interrupted_and_not_its_channel(
    db: Db, runner: UUID
) -> None:
    channel = make_channel(db, max_in_flight=1, max_leases=2)
    make_campaign(db, size=30)
    first = must_lease(db, runner, channel)
    make_campaign(db, "pascoa", size=30)
    row = db.execute(
        "select batch_id, lease_epoch, reserved from retoma.lease_batch(%s, %s, array[%s::bigint])",
        (runner, channel, first.batch_id),
    ).fetchone()
    assert row is not None
    second = type(first)(runner, *row)
    for _ in range(6):
        for ordinal in advance(db, first, want=1).ordinals:
            advance(db, first, [error(ordinal, "http_500")])
        for ordinal in advance(db, second, want=1).ordinals:
            advance(db, second, accepted(ordinal))

    assert status(db, "natal") == "interrupted"
    assert books(db, "natal") == {"in_doubt": 6, "pending": 24}
    assert status(db, "pascoa") == "running"
    assert call(db, "select state from retoma.v_channel") == "connected"
    db.execute("select retoma.resume_campaign('natal')")
    assert len(send_all(db, runner, channel)) == 24 + 24
