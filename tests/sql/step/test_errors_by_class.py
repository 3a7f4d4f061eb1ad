"""error_rule: what each class of error does to its message, its channel and its campaign."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    doorbells,
    error,
    freeze_clock,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    send_all,
    silence,
    state,
    status,
    tick,
)


@pytest.fixture(autouse=True)
def _time_passes_only_when_told(db: Db) -> None:
    freeze_clock(db)


def rule(db: Db, code: str, error_class: str, **facts: object) -> None:
    """Adds a rule for all transports; facts: suppress, counts_attempt, defer_s."""
    defaults: dict[str, object] = {"suppress": False, "counts_attempt": True, "defer_s": None}
    db.execute(
        "insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s)"
        " values ('*', %(code)s, %(class)s, %(suppress)s, %(counts_attempt)s, %(defer_s)s)",
        defaults | facts | {"code": code, "class": error_class},
    )


def fail(db: Db, runner: UUID, channel: int, code: str, **facts: object) -> str:
    """Leases, reserves one message, and records this error for it. Returns the action of the last step."""
    leased = must_lease(db, runner, channel)
    (ordinal,) = advance(db, leased, want=1).ordinals
    return advance(db, leased, [error(ordinal, code, **facts)]).action


def due_in_s(db: Db) -> float:
    """Seconds until the batch of retries is due."""
    return float(
        call(
            db,
            "select extract(epoch from max(not_before) - retoma.clock())"
            " from retoma_internal.batch where attempt > 1",
        )
    )


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


def test_permanent_recipient_fails_this_message_only(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "no_account", "permanent_recipient")
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    ordinals = advance(db, leased, want=20).ordinals

    advance(db, leased, [error(n, "no_account") for n in ordinals])

    assert books(db) == {"failed": 20}
    assert status(db) == "completed"
    assert call(db, "select count(*) from retoma_internal.suppression") == 0


def test_a_rule_that_suppresses_keeps_the_number_out_of_every_campaign(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "opted_out", "permanent_recipient", suppress=True)
    make_campaign(db, size=1)
    fail(db, runner, channel, "opted_out")

    make_campaign(db, "pascoa", size=2)

    assert send_all(db, runner, channel) == [2]
    assert books(db, "pascoa") == {"sent": 1, "skipped": 1}
    row = db.execute("select phone, reason, source from retoma_internal.suppression").fetchone()
    assert row == (phone(1), "invalid", "null opted_out")


def test_permanent_message_trips_the_breaker_when_it_comes_in_a_row(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    for _ in range(4):
        (ordinal,) = advance(db, leased, want=1).ordinals
        assert advance(db, leased, [error(ordinal, "http_422")]).action == "wait"
    (ordinal,) = advance(db, leased, want=1).ordinals

    assert advance(db, leased, [error(ordinal, "http_422")], want=1).action == "released"

    assert books(db) == {"failed": 5, "pending": 15}
    row = db.execute("select cause, reason from retoma.v_interrupted_campaigns").fetchone()
    assert row == ("breaker", "5 messages in a row were refused for their content (http_422)")


def test_a_message_that_is_accepted_resets_the_breaker(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    for _ in range(4):
        ordinals = advance(db, leased, want=4).ordinals
        advance(db, leased, [error(n, "http_422") for n in ordinals])
        (ordinal,) = advance(db, leased, want=1).ordinals
        advance(db, leased, accepted(ordinal))

    assert status(db) == "completed"
    assert books(db) == {"failed": 16, "sent": 4}


def test_a_breaker_is_reset_by_the_operator_and_not_by_a_reconnect(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    advance(db, leased, [error(n, "http_422") for n in advance(db, leased, want=5).ordinals])
    db.execute("select retoma.channel_disconnected('sales')")
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "interrupted"
    silence(db)

    assert call(db, "select retoma.resume_campaign('natal')") == "running"

    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == list(range(6, 21))


@pytest.mark.parametrize("error_class", ["channel_down", "auth"])
def test_channel_down_and_auth_disconnect_the_channel_and_send_the_message_later(
    db: Db, channel: int, runner: UUID, error_class: str
) -> None:
    rule(db, "gone", error_class)
    make_campaign(db, size=3, max_attempts=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    assert advance(db, leased, [error(1, "gone")], want=1).action == "drain"
    assert advance(db, leased, [error(2, "gone")], want=1).action == "released"

    assert books(db) == {"pending": 3}
    assert db.execute("select state, reason from retoma.v_channel").fetchone() == (
        "disconnected",
        f"{error_class}: gone",
    )
    assert status(db) == "interrupted"
    move_clock(db, "1 day")
    tick(db)
    assert lease(db, runner, channel) is None
    db.execute("select retoma.channel_connected('sales')")
    assert sorted(send_all(db, runner, channel)) == [1, 2, 3]


@pytest.mark.parametrize("counts_attempt", [True, False])
def test_campaign_down_interrupts_the_campaign_alone_and_sends_the_message_later(
    db: Db, channel: int, runner: UUID, counts_attempt: bool
) -> None:
    rule(db, "template_paused", "campaign_down", counts_attempt=counts_attempt)
    db.execute("update retoma.error_rule set note = 'its quality is low' where code = 'template_paused'")
    make_campaign(db, size=3, max_attempts=1)
    make_campaign(db, "pascoa", size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    assert advance(db, leased, [error(1, "template_paused")], want=1).action == "drain"
    assert advance(db, leased, [error(2, "template_paused")], want=1).action == "released"

    assert books(db) == {"pending": 3}
    assert db.execute("select cause, reason from retoma.v_interrupted_campaigns").fetchall() == [
        ("breaker", "campaign_down: template_paused: its quality is low")
    ]
    assert send_all(db, runner, channel) == [1]
    assert books(db, "pascoa") == {"sent": 1}
    assert call(db, "select retoma.resume_campaign('natal')") == "running"
    assert sorted(send_all(db, runner, channel)) == [1, 2, 3]
    assert_counters_match_deliveries(db)


def test_a_step_that_stops_channel_and_campaign_takes_their_locks_in_order(
    db: Db, channel: int, runner: UUID
) -> None:
    rule(db, "gone", "channel_down")
    rule(db, "template_paused", "campaign_down")
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    advance(db, leased, [error(1, "template_paused"), error(2, "gone")])

    assert call(db, "select state from retoma.v_channel") == "disconnected"
    assert status(db) == "interrupted"
    assert books(db) == {"pending": 3}


def test_ambiguous_is_in_doubt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)

    fail(db, runner, channel, "timeout", written=True)

    assert books(db) == {"in_doubt": 1, "pending": 1}
    assert db.execute("select ordinal, code from retoma.v_in_doubt").fetchall() == [(1, "timeout")]


def test_ambiguous_on_a_channel_that_dedupes_is_sent_again_by_the_same_channel(db: Db, runner: UUID) -> None:
    safe = make_channel(db, "safe", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    other = make_channel(db, "other")
    make_campaign(db, size=1, channels=["safe", "other"])

    fail(db, runner, safe, "timeout", written=True)

    assert books(db) == {"pending": 1}
    move_clock(db, "60 s")
    assert lease(db, runner, other) is None
    assert send_all(db, runner, safe) == [1]
    assert_counters_match_deliveries(db)


def test_once_it_may_have_arrived_a_message_is_never_counted_as_not_sent(db: Db, runner: UUID) -> None:
    safe = make_channel(db, "safe", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    make_campaign(db, size=1, channels=["safe"], max_attempts=2)
    fail(db, runner, safe, "timeout", written=True)
    move_clock(db, "60 s")

    fail(db, runner, safe, "connect_failed", written=False)

    assert books(db) == {"in_doubt": 1}


@pytest.mark.parametrize(("written", "outcome"), [(True, "in_doubt"), (None, "in_doubt"), (False, "pending")])
def test_an_error_without_a_rule_is_judged_by_whether_anything_was_written(
    db: Db, channel: int, runner: UUID, written: bool | None, outcome: str
) -> None:
    make_campaign(db, size=1)

    fail(db, runner, channel, "never seen before", written=written)

    assert books(db) == {outcome: 1}


def test_a_rule_of_the_transport_goes_before_the_rule_for_all(db: Db, channel: int, runner: UUID) -> None:
    rule(db, "odd", "permanent_message")
    db.execute("insert into retoma.error_rule (transport, code, class) values ('null', 'odd', 'transient')")
    db.execute("insert into retoma.error_rule (transport, code, class) values ('waha', 'odd', 'auth')")
    make_campaign(db, size=1)

    fail(db, runner, channel, "odd")

    assert books(db) == {"pending": 1}


def test_a_rule_that_the_operator_changes_holds_from_the_next_error_on(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    fail(db, runner, channel, "http_500")
    db.execute("update retoma.error_rule set class = 'permanent_recipient' where code = 'http_500'")

    fail(db, runner, channel, "http_500")

    assert (state(db, 1), state(db, 2)) == ("in_doubt", "failed")


def test_errors_of_all_classes_in_one_step_are_each_recorded(db: Db, channel: int, runner: UUID) -> None:
    for code in (
        "transient",
        "rate_limited_channel",
        "rate_limited_recipient",
        "permanent_recipient",
        "permanent_message",
        "campaign_down",
        "channel_down",
        "auth",
        "ambiguous",
    ):
        rule(db, code, code)
    make_campaign(db, size=9)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=9)
    codes = call(db, "select array_agg(code order by code) from retoma.error_rule where code = class")

    advance(db, leased, [error(n, code) for n, code in enumerate(codes, 1)] + accepted(9))

    assert books(db) == {"sent": 1, "in_doubt": 1, "failed": 2, "pending": 5}
    assert_counters_match_deliveries(db)


def test_another_runner_sees_the_hold_of_the_channel_too(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2, batch_size=1)
    fail(db, runner, channel, "http_429", retry_after_s=60)

    assert lease(db, make_runner(db, "other"), channel) is None
    db.execute("select retoma.resume_channel('sales')")
    assert lease(db, make_runner(db, "third"), channel) is not None
