"""error_rule: what a rate limit of the provider does to the message and to the channel."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    send_all,
)
from tests.support.errors import due_in_s, fail, rule

pytestmark = pytest.mark.usefixtures("frozen_clock")


def test_rate_limited_recipient_is_deferred_and_the_others_go_on(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "pair_limit", "rate_limited_recipient")
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    step = advance(db, leased, [error(1, "pair_limit", retry_after_s=90)], want=2)

    assert step.ordinals == [2, 3]
    assert 90 <= due_in_s(db) <= 180
    assert call(db, "select held_because from retoma.v_channel") is None


def test_rate_limited_channel_holds_the_channel_and_takes_the_message_back(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    step = advance(db, leased, [error(1, "slow_down", retry_after_s=100)], want=1)

    assert (step.action, step.ordinals) == ("released", [])
    assert books(db) == {"pending": 2}
    assert "slow_down" in call(db, "select held_because from retoma.v_channel")
    assert lease(db, runner, channel) is None
    move_clock(db, "99 s")
    assert lease(db, runner, channel) is None
    move_clock(db, "2 s")
    assert sorted(send_all(db, runner, channel)) == [1, 2]


def test_rate_limited_channel_never_uses_up_the_attempts_of_a_message(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=1, max_attempts=1)
    for hold in (4, 16, 64, 256):
        assert fail(db, runner, channel, "slow_down") == "completed"
        move_clock(db, f"{hold - 1} s")
        assert lease(db, runner, channel) is None
        move_clock(db, "2 s")

    assert send_all(db, runner, channel) == [1]


def test_each_hold_of_a_series_is_longer_whatever_the_provider_says(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=1)
    holds = []
    for _ in range(15):
        fail(db, runner, channel, "slow_down", retry_after_s=0)
        hold = (
            "select extract(epoch from hold_until - retoma.clock())::int from retoma_internal.channel_pacing"
        )
        holds.append(call(db, hold))
        move_clock(db, "2 hours")

    assert holds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]
    assert send_all(db, runner, channel) == [1]


def test_another_runner_sees_the_hold_of_the_channel_too(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2, batch_size=1)
    fail(db, runner, channel, "http_429", retry_after_s=60)

    assert lease(db, make_runner(db, "other"), channel) is None
    db.execute("select retoma.resume_channel('sales')")
    assert lease(db, make_runner(db, "third"), channel) is not None


def test_limits_of_requests_that_were_under_way_count_once(db: Db, runner: UUID) -> None:
    channel = make_channel(db, "fast", rate_per_s=100, burst=10, max_in_flight=10)
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=10, channels=["fast"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=3)
    for ordinal in (1, 2, 3):
        advance(db, leased, [error(ordinal, "slow_down")])

    assert call(db, "select throttle from retoma.v_channel") == pytest.approx(0.5)
    assert call(db, "select hold_until - retoma.clock() <= '4 s' from retoma_internal.channel_pacing") is True


def test_the_speed_is_halved_by_a_rate_limit_and_comes_back(db: Db, runner: UUID) -> None:
    channel = make_channel(db, "fast", rate_per_s=100, max_in_flight=10)
    rule(db, "slow_down", "rate_limited_channel")
    make_campaign(db, size=10, channels=["fast"])
    for _ in range(2):
        fail(db, runner, channel, "slow_down", retry_after_s=1)
        assert call(db, "select throttle from retoma.v_channel") == pytest.approx(0.5)
        move_clock(db, "4 minutes")
        assert call(db, "select throttle from retoma.v_channel") == 1
