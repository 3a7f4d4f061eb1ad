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
    error,
    lease,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    phone,
    send_all,
    state,
    status,
    tick,
)
from tests.support.errors import fail, rule

pytestmark = pytest.mark.usefixtures("frozen_clock")


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
