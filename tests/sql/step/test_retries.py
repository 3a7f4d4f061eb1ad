"""error_rule: when a message is tried again, and how often."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    make_campaign,
    move_clock,
    must_lease,
    send_all,
    status,
    tick,
)
from tests.support.errors import due_in_s, fail, rule

pytestmark = pytest.mark.usefixtures("frozen_clock")


def test_transient_is_tried_again_later(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "busy", "transient")
    make_campaign(db, size=1)

    assert fail(db, runner, channel, "busy") == "completed"

    assert books(db) == {"pending": 1}
    assert status(db) == "running"
    assert lease(db, runner, channel) is None
    assert 30 <= due_in_s(db) <= 60
    move_clock(db, "60 s")
    assert send_all(db, runner, channel) == [1]
    assert status(db) == "completed"
    assert_counters_match_deliveries(db)


def test_transient_waits_four_times_longer_each_time_and_fails_after_the_last_attempt(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "busy", "transient")
    make_campaign(db, size=1, max_attempts=3)
    for delay in (30, 120):
        fail(db, runner, channel, "busy")
        assert delay <= due_in_s(db) <= 2 * delay
        move_clock(db, f"{2 * delay} s")

    fail(db, runner, channel, "busy")

    assert books(db) == {"failed": 1}
    assert status(db) == "completed"
    assert call(db, "select array_agg(attempt order by attempt) from retoma_internal.delivery") == [1, 2, 3]


def test_the_delay_of_a_rule_is_kept_and_a_longer_one_of_the_provider_too(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "later", "transient", defer_s=600)
    make_campaign(db, size=1)
    fail(db, runner, channel, "later")
    assert 600 <= due_in_s(db) <= 1200
    move_clock(db, "20 minutes")

    fail(db, runner, channel, "later", retry_after_s=3600)

    assert 3600 <= due_in_s(db) <= 7200


def test_an_attempt_that_does_not_count_is_repeated_as_often_as_needed(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1, max_attempts=1)
    for _ in range(5):
        fail(db, runner, channel, "not_attempted", written=False)
        move_clock(db, "1 minute")

    assert send_all(db, runner, channel) == [1]


@pytest.mark.parametrize(("code", "facts"), [("slow_down", {"retry_after_s": 0}), ("not_attempted", {})])
def test_a_provider_or_runner_that_never_asks_for_time_gets_longer_and_longer_pauses(
    db: Db, channel: int, runner: UUID, code: str, facts: dict[str, object]
) -> None:
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=1)
    for _ in range(600):
        if lease(db, runner, channel) is None:
            move_clock(db, "1 s")
        else:
            fail(db, runner, channel, code, **facts)

    assert 5 <= call(db, "select count(*) from retoma_internal.delivery") <= 20


@pytest.mark.parametrize(
    "class_", ["rate_limited_channel", "campaign_down", "channel_down", "auth", "transient"]
)
def test_attempts_that_count_against_nothing_come_to_an_end(
    db: Db, channel: int, runner: UUID, class_: str
) -> None:
    rule(db, "again", class_, counts_attempt=False, defer_s=0)
    make_campaign(db, size=1)
    db.execute("update retoma_internal.batch set attempt = 99")
    for _ in range(2):
        assert books(db) == {"pending": 1}
        fail(db, runner, channel, "again", retry_after_s=0)
        move_clock(db, "2 hours")
        db.execute("select retoma.channel_connected('sales')")
        db.execute(
            "select retoma.resume_campaign(c.name) from retoma_internal.campaign as c"
            " where c.interrupt_cause = 'breaker'"
        )

    assert books(db) == {"failed": 1}
    assert call(db, "select retoma.retry_failed('natal')") == 1
    assert send_all(db, runner, channel) == [1]


def test_a_message_that_was_sent_as_often_as_the_column_can_hold_stays_failed(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "again", "channel_down")
    make_campaign(db, size=1)
    db.execute("update retoma_internal.batch set attempt = 32767")
    fail(db, runner, channel, "again")

    assert books(db) == {"failed": 1}
    assert call(db, "select retoma.retry_failed('natal')") == 0
    assert tick(db)["reaped"] == 0


def test_messages_to_retry_gather_in_one_batch(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "busy", "transient")
    make_campaign(db, size=6, batch_size=4)
    for size in (4, 2):
        leased = must_lease(db, runner, channel)
        for _ in range(size):
            (ordinal,) = advance(db, leased, want=1).ordinals
            advance(db, leased, [error(ordinal, "busy")])

    sizes = db.execute("select size from retoma_internal.batch where attempt = 2 order by id").fetchall()
    assert [size for (size,) in sizes] == [4, 2]
    assert books(db) == {"pending": 6}
    assert_counters_match_deliveries(db)
