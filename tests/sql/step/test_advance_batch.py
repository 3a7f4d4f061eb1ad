"""advance_batch: one step of a leased batch in one transaction."""

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    lose_commits,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    refused,
    send_all,
    state,
    status,
)


def test_invariant_1_a_reservation_is_committed_before_its_messages_are_handed_out(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    leased = must_lease(db, runner, channel)

    step = advance(db, leased, want=2)

    assert (step.action, step.reserved, step.ordinals) == ("send", 2, [1, 2])
    assert call(db, "select reserved from retoma_internal.batch") == 2
    assert books(db) == {"sending": 2, "pending": 3}
    assert state(db, 2) == "sending"
    assert state(db, 3) == "pending"


def test_a_message_comes_with_a_stable_id_its_number_and_its_variables(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    token = call(db, "select token from retoma_internal.campaign")

    step = advance(db, must_lease(db, runner, channel), want=1)

    assert step.messages == [(1, f"{token}00000001", phone(1), {"name": "n1"})]


def test_a_step_records_and_reserves_in_one_go_until_the_batch_is_completed(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)

    assert advance(db, leased, want=2).ordinals == [1, 2]
    step = advance(db, leased, accepted(2), want=2)
    assert (step.action, step.ordinals) == ("send", [3])
    assert advance(db, leased, accepted(1), want=2).action == "wait"
    assert advance(db, leased, accepted(3)).action == "completed"

    assert books(db) == {"sent": 3}
    assert_counters_match_deliveries(db)


def test_wanting_nothing_records_and_reserves_nothing(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)

    step = advance(db, leased, want=0)

    assert (step.action, step.reserved, step.messages) == ("wait", 0, [])
    advance(db, leased, want=1)
    assert advance(db, leased, accepted(1), want=0).reserved == 1
    assert books(db) == {"sent": 1, "pending": 2}


def test_a_negative_want_is_none(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    assert advance(db, must_lease(db, runner, channel), want=-5).reserved == 0


def test_more_than_the_batch_has_is_what_it_has(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    assert advance(db, must_lease(db, runner, channel), want=1000).ordinals == [1, 2, 3]


def test_an_outcome_that_is_given_twice_counts_once(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=5)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=3)
    outcomes = [*accepted(1), error(2, "http_400", written=True)]

    for _ in range(3):
        advance(db, leased, outcomes)

    assert books(db) == {"sent": 1, "failed": 1, "sending": 1, "pending": 2}
    assert_counters_match_deliveries(db)


def test_the_first_outcome_of_a_message_stands(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, accepted(1))

    advance(db, leased, [error(1, "http_400")])

    assert state(db, 1) == "sent"


@pytest.mark.parametrize("second", [accepted(1), [error(1, "http_400")], [error(1, "timeout")]])
@pytest.mark.parametrize("first", [accepted(1), [error(1, "http_400")]])
def test_the_same_message_twice_in_one_call_counts_once(
    db: Db, channel: int, runner: UUID, first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    advance(db, leased, [*first, *second])

    assert sum(books(db).values()) == 2
    assert_counters_match_deliveries(db)


def test_messages_of_a_lost_reply_are_given_again(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=5)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1, seen=0)
    lost = advance(db, leased, accepted(1), want=2, seen=1)

    again = advance(db, leased, accepted(1), want=2, seen=1)

    assert again.messages == lost.messages
    assert again.reserved == lost.reserved == 3
    assert books(db) == {"sent": 1, "sending": 2, "pending": 2}


def test_messages_of_a_lost_reply_are_withdrawn_when_the_campaign_was_paused_since(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, max_attempts=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1, seen=0)
    db.execute("select retoma.pause_campaign('natal')")

    step = advance(db, leased, want=1, seen=0)

    assert (step.action, step.ordinals, step.withdrawn) == ("send", [], [1])
    advance(db, leased, [error(1, "not_attempted", written=False)], seen=1)
    assert books(db) == {"pending": 3}
    db.execute("select retoma.resume_campaign('natal')")
    assert send_all(db, runner, channel) == [1, 2, 3]


def test_a_high_water_mark_that_was_never_given_is_refused(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    for seen in (-1, 4):
        with refused(db, "RT003", "the runner cannot have seen"):
            advance(db, leased, want=1, seen=seen)


def test_a_server_that_has_lost_reservations_takes_them_from_the_runner(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=4)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=3)
    lose_commits(db, "update retoma_internal.batch set reserved = 1")

    step = advance(db, leased, [*accepted(1), *accepted(2)], want=1, seen=3)

    assert (step.action, step.ordinals, step.reserved) == ("send", [4], 4)
    assert books(db) == {"sent": 2, "sending": 2}
    assert call(db, "select count(*) from retoma_internal.event where code = 'commits_lost'") == 1


def test_outcomes_that_are_malformed_or_not_of_this_reservation_are_refused_whole(
    db: Db, channel: int, runner: UUID, subtests: pytest.Subtests
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    cases: list[object] = [
        accepted(3),
        accepted(99),
        accepted(0),
        [{"ordinal": -1, "status": "accepted"}],
        [{"ordinal": 1.5, "status": "accepted"}],
        [{"ordinal": "1", "status": "accepted"}],
        [{"ordinal": 12345678901, "status": "accepted"}],
        [{"ordinal": 1}],
        [{"ordinal": 1, "status": "sent"}],
        [{"status": "accepted"}],
        [1],
        [None],
        [*accepted(1), *accepted(3)],
        [error(1, "x", written="perhaps")],
        [error(1, "x", http_status=99_999)],
        [error(1, "x", http_status="teapot")],
        [error(1, "x", retry_after_s="soon")],
        {"ordinal": 1, "status": "accepted"},
        "accepted",
        None,
    ]
    for outcomes in cases:
        with subtests.test(outcomes=outcomes), refused(db, "RT003"):
            db.execute(
                "select retoma.advance_batch(%s, %s, %s, %s, 1)",
                (*leased.fence, Jsonb(outcomes)),
            )


def test_an_outcome_of_another_batch_is_refused(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2, batch_size=1)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    first, second = must_lease(db, runner, channel), must_lease(db, make_runner(db), channel)
    advance(db, first, want=1)
    advance(db, second, want=1)
    with refused(db, "RT003", "cannot take the outcome"):
        advance(db, first, accepted(2))


def test_a_held_message_is_sent_and_flagged(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    advance(db, leased, [{"ordinal": 1, "status": "held", "provider_id": "abc"}])

    assert db.execute("select state, code from retoma.v_message").fetchall() == [("sent", "held")]
    assert call(db, "select provider_id from retoma_internal.delivery") == "abc"


def test_a_campaign_with_two_channels_is_sent_once_between_them(db: Db, channel: int, runner: UUID) -> None:
    support = make_channel(db, "support")
    make_campaign(db, size=10, batch_size=2, channels=["sales", "support"])
    first = must_lease(db, runner, channel)

    rest = send_all(db, runner, support)

    own = advance(db, first, want=2).ordinals
    advance(db, first, accepted(*own))
    assert sorted(own + rest) == list(range(1, 11))
    assert status(db) == "completed"


def test_a_channel_that_goes_down_ends_the_lease_when_its_sends_are_recorded(
    db: Db, channel: int, runner: UUID
) -> None:
    make_channel(db, "support")
    make_campaign(db, channels=["sales", "support"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    db.execute("select retoma.channel_disconnected('sales')")

    assert advance(db, leased, accepted(1), want=1).action == "drain"
    assert advance(db, leased, accepted(2), want=1).action == "released"

    assert lease(db, runner, channel) is None
    assert books(db) == {"sent": 2, "pending": 1}


@pytest.mark.parametrize(
    ("statement", "why_not", "because"),
    [
        ("pause_campaign('natal')", "campaign_paused", "the campaign is paused"),
        ("cancel_campaign('natal')", "campaign_cancelled", "the campaign is cancelled"),
        ("pause_channel('sales')", "channel_paused", "the channel is paused"),
        ("channel_disconnected('sales')", "channel_disconnected", "the channel is disconnected"),
        ("clock()", "limit_reached", "a limit of the channel or the campaign is used up"),
    ],
)
def test_a_step_that_may_reserve_nothing_says_why(db: Db, statement: str, why_not: str, because: str) -> None:
    channels = [make_channel(db, "sales"), make_channel(db, "support")]
    make_campaign(db, size=5, channels=["sales", "support"])
    leased = must_lease(db, make_runner(db), channels[0])
    db.execute("select retoma.set_limit('channel', 'sales', 1)")
    assert advance(db, leased, want=1).why_not is None
    db.execute(f"select retoma.{statement}")

    row = db.execute(
        "select action, why_not, because"
        " from retoma.advance_batch(%s, %s, %s, p_want => 1, p_accepted => '{1}')",
        leased.fence,
    ).fetchone()

    assert row == ("released", why_not, because)


def test_invariant_5_the_books_of_a_batch_are_guarded_by_the_database(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    for change in ("sent = 1", "reserved = 4", "failed = -1", "runner_id = gen_random_uuid()"):
        with pytest.raises(Exception, match="violates"):
            db.execute(f"update retoma_internal.batch set {change}")


def test_the_guard_of_batches_refuses_steps_back_and_changes_under_the_same_epoch(
    db: Db, channel: int, runner: UUID, subtests: pytest.Subtests
) -> None:
    make_campaign(db)
    advance(db, must_lease(db, runner, channel), want=1)
    cases: list[str] = [
        "reserved = 0",
        "lease_epoch = 0",
        "status = 'completed', runner_id = null, lease_channel_id = null, lease_expires_at = null",
        "status = 'ready', runner_id = null, lease_channel_id = null, lease_expires_at = null",
    ]
    for change in cases:
        with subtests.test(change=change), refused(db, "RT002", "cannot go"):
            db.execute(f"update retoma_internal.batch set {change}")


def test_the_guard_of_batches_refuses_to_reopen_a_completed_one(
    db: Db, channel: int, runner: UUID, subtests: pytest.Subtests
) -> None:
    make_campaign(db)
    send_all(db, runner, channel)
    cases: list[str] = ["ready", "leased", "cancelled"]
    for to in cases:
        with subtests.test(to=to), refused(db, "RT002", "cannot go from completed"):
            db.execute("update retoma_internal.batch set status = %s, lease_epoch = lease_epoch + 1", (to,))


def test_a_step_reads_no_deliveries_but_its_own_whatever_the_table_was_when_its_plan_was_made(
    db: Db, channel: int, runner: UUID
) -> None:
    read = (
        "select sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) from pg_index as i where i.indrelid"
        " in (select inhrelid from pg_inherits where inhparent = 'retoma_internal.delivery'::regclass)"
    )
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    for _ in range(2):
        step = advance(db, leased, want=5)
        advance(db, leased, accepted(*step.ordinals))
    columns = "at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome"
    db.execute(
        f"insert into retoma_internal.delivery ({columns})"
        " select now(), %s, 1, g, %s, 1, 1, 'sent' from generate_series(1001, 6000) as g",
        (leased.batch_id, channel),
    )
    step = advance(db, leased, want=5)

    with db.transaction():
        before = call(db, read)
        advance(db, leased, accepted(*step.ordinals))
        after = call(db, read)

    assert after - before < 100
