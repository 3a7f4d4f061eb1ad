"""Pacing lives in the database: it holds over any number of runners, restarts and pauses."""

from itertools import pairwise

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    Lease,
    accepted,
    advance,
    books,
    call,
    doorbells,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    release,
    silence,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


def now_s(db: Db) -> float:
    return float(call(db, "select extract(epoch from retoma.clock())"))


def send_one(db: Db, leased: Lease) -> tuple[float, int]:
    """Waits as told until a message may be sent and sends it; returns when that was (s), and its ordinal."""
    while (step := advance(db, leased, want=1)).action == "wait":
        assert step.wait_s is not None
        move_clock(db, f"{step.wait_s} s")
    assert step.action == "send"
    at = now_s(db)
    advance(db, leased, accepted(*step.ordinals))
    return at, step.ordinals[0]


def test_invariant_6_no_gap_is_ever_shorter_than_the_least_nor_longer_than_the_greatest(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5, gap_max_s=15)
    make_campaign(db, size=101)
    leased = must_lease(db, make_runner(db), channel)

    times = [send_one(db, leased)[0] for _ in range(101)]

    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= 5
    assert max(gaps) <= 15.001
    assert max(gaps) - min(gaps) > 5, "gaps are random"


def test_invariant_6_a_message_that_may_not_be_sent_yet_is_not_reserved(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)

    step = advance(db, leased, accepted(1), want=1)

    assert (step.action, step.reserved) == ("wait", 1)
    assert step.wait_s == pytest.approx(5)
    assert books(db) == {"sent": 1, "pending": 2}


def test_a_paced_channel_sends_one_at_a_time_however_many_are_wanted(db: Db) -> None:
    channel = make_channel(db, gap_min_s=1)
    make_campaign(db)

    assert advance(db, must_lease(db, make_runner(db), channel), want=10).ordinals == [1]


def test_the_gap_counts_from_the_end_of_a_send_however_long_it_took(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    move_clock(db, "20 s")

    assert advance(db, leased, accepted(1), want=1).wait_s == pytest.approx(5)


def test_invariant_6_the_gap_holds_over_another_runner_another_batch_and_another_campaign(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5)
    make_campaign(db, "first", size=1)
    make_campaign(db, "second", size=1)
    first = must_lease(db, make_runner(db), channel)
    advance(db, first, want=1)
    advance(db, first, accepted(1))

    step = advance(db, must_lease(db, make_runner(db, "two"), channel), want=1)

    assert step.action == "wait"
    assert step.wait_s == pytest.approx(5)


def test_invariant_6_the_gap_holds_after_a_crash_in_the_middle_of_a_send(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5)
    make_campaign(db)
    runner = make_runner(db)
    advance(db, must_lease(db, runner, channel), want=1)
    move_clock(db, "1 minute")
    db.execute("update retoma_internal.runner set stopped_at = retoma.clock()")
    tick(db)

    step = advance(db, must_lease(db, make_runner(db, "two"), channel), want=1)

    assert step.action == "wait"
    assert step.wait_s == pytest.approx(5)


def test_a_pause_of_its_own_lies_between_two_batches(db: Db) -> None:
    channel = make_channel(db, gap_min_s=1, gap_max_s=1, batch_gap_min_s=20, batch_gap_max_s=25)
    make_campaign(db, size=20, batch_size=2)
    runner = make_runner(db)
    pauses = []
    last = None
    for _ in range(10):
        leased = must_lease(db, runner, channel)
        first, _ = send_one(db, leased)
        if last is not None:
            pauses.append(first - last)
        last, _ = send_one(db, leased)

    assert len(pauses) == 9
    assert min(pauses) >= 20
    assert max(pauses) <= 25.001


def test_a_channel_whose_pause_is_long_is_leased_when_it_is_nearly_over(db: Db) -> None:
    channel = make_channel(db, gap_min_s=1, batch_gap_min_s=100)
    make_campaign(db, size=2, batch_size=1)
    runner = make_runner(db)
    send_one(db, must_lease(db, runner, channel))
    silence(db)

    assert lease(db, runner, channel) is None
    tick(db)
    assert doorbells(db) == []
    move_clock(db, "71 s")
    tick(db)
    assert doorbells(db) == [channel]
    assert advance(db, must_lease(db, runner, channel), want=1).wait_s == pytest.approx(29)


def test_a_gap_longer_than_half_a_lease_gives_the_batch_back(db: Db) -> None:
    channel = make_channel(db, gap_min_s=45)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)

    assert advance(db, leased, accepted(1), want=1).action == "released"


def test_invariant_6_downtime_is_not_caught_up_with_a_burst(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5)
    make_campaign(db, size=100)
    runner = make_runner(db)
    send_one(db, must_lease(db, runner, channel))
    move_clock(db, "1 day")
    leased = must_lease(db, runner, channel)

    times = [send_one(db, leased)[0] for _ in range(5)]

    assert times[-1] - times[0] == pytest.approx(20)


@pytest.mark.parametrize(("rate", "burst"), [(10, 1), (10, 20), (2.5, 4)])
def test_invariant_6_no_window_of_time_has_more_than_its_rate_and_one_burst(
    db: Db, rate: float, burst: int
) -> None:
    channel = make_channel(db, rate_per_s=rate, burst=burst, max_in_flight=50)
    make_campaign(db, size=1000)
    leased = must_lease(db, make_runner(db), channel)
    sent: list[float] = []
    for pause in [0, 0, 0.05, 0.3, 5, 0, 0.01, 0.1] * 8:
        move_clock(db, f"{pause} s")
        step = advance(db, leased, want=50)
        sent += [now_s(db)] * len(step.ordinals)
        advance(db, leased, accepted(*step.ordinals))

    assert len(sent) > 20
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= rate * (sent[last] - begin) + burst + 1e-3


def test_invariant_6_a_bucket_holds_one_burst_after_a_night_of_silence(db: Db) -> None:
    channel = make_channel(db, rate_per_s=10, burst=15, max_in_flight=100)
    make_campaign(db, size=300)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    for _ in range(2):
        step = advance(db, leased, want=100)
        assert len(step.ordinals) == 15
        advance(db, leased, accepted(*step.ordinals))
        step = advance(db, leased, want=100)
        assert step.action == "wait"
        assert step.wait_s == pytest.approx(0.1)
        release(db, leased)
        move_clock(db, "12 hours")
        leased = must_lease(db, runner, channel)


def test_a_clock_that_goes_back_earns_no_tokens(db: Db) -> None:
    channel = make_channel(db, rate_per_s=1, burst=1)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, accepted(*advance(db, leased, want=1).ordinals))

    move_clock(db, "-1 hour")

    assert advance(db, leased, want=1).action != "send"


def test_a_throttled_channel_is_slower_by_as_much(db: Db) -> None:
    channel = make_channel(db, gap_min_s=10)
    make_campaign(db, size=3)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "http_429", retry_after_s=1)])
    move_clock(db, "20 s")
    send_one(db, must_lease(db, runner, channel))

    wait_s = advance(db, must_lease(db, runner, channel), want=1).wait_s

    # Half the speed, less what came back in the meantime.
    assert wait_s is not None
    assert 17 <= wait_s <= 20


def test_new_pacing_holds_from_the_next_step_of_a_lease_on(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=10)
    leased = must_lease(db, make_runner(db), channel)
    assert len(advance(db, leased, want=2).ordinals) == 2

    gaps = {"gap_min_s": 5, "gap_max_s": 5, "max_in_flight": 1}
    db.execute("select retoma.configure_channel('sales', p_pacing => %s)", (Jsonb(gaps),))

    assert advance(db, leased, accepted(1, 2), want=5).action == "wait"


def test_a_clock_that_goes_back_leaves_no_gap_longer_than_the_longest(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5, gap_max_s=15)
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    send_one(db, leased)
    move_clock(db, "-1 hour")

    step = advance(db, leased, want=1)

    assert step.action == "wait"
    assert step.wait_s is not None
    assert 0 < step.wait_s <= 15
    assert call(db, "select count(*) from v_event where code = 'pacing_set_back'") == 1
    send_one(db, leased)
    assert books(db) == {"sent": 2}


def test_a_channel_whose_gap_comes_from_a_clock_that_went_back_is_rung(db: Db) -> None:
    channel = make_channel(db, gap_min_s=5, gap_max_s=15)
    make_campaign(db, size=2)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    send_one(db, leased)
    release(db, leased)
    silence(db)
    move_clock(db, "-1 hour")

    tick(db, runner)

    assert doorbells(db) == [channel]


def test_after_a_clock_that_goes_back_a_bucket_fills_and_a_throttle_is_no_less(db: Db) -> None:
    channel = make_channel(db, gap_min_s=0, gap_max_s=0, rate_per_s=1, burst=1)
    make_campaign(db, size=3)
    leased = must_lease(db, make_runner(db), channel)
    db.execute("update retoma_internal.channel_pacing set throttle = 0.5, throttled_at = retoma.clock()")
    send_one(db, leased)
    move_clock(db, "-1 hour")

    at = [send_one(db, leased)[0] for _ in range(2)]

    assert at[1] - at[0] <= 2.1
