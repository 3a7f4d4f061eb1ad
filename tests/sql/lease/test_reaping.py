"""The batch of a runner that is gone: tick reaps it, and nothing is lost or sent twice."""

from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    doorbells,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    release,
    send_all,
    silence,
    status,
    tick,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("frozen_clock")


def die_with(db: Db, database: str, channel: int, sent: int, recorded: int = 0) -> None:
    """A runner in a separate session reserves some messages, records the first of them, and dies."""
    with psycopg.connect(database, autocommit=True) as session:
        leased = must_lease(session, make_runner(session, "doomed"), channel)
        advance(session, leased, want=sent)
        if recorded:
            advance(session, leased, accepted(*range(1, recorded + 1)))
        pid = session.info.backend_pid
    wait_until(lambda: not call(db, "select exists (select from pg_stat_activity where pid = %s)", pid))


def test_invariant_9_the_batch_of_a_lost_session_is_taken_back_at_once(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db)
    die_with(db, database, channel, sent=0)
    silence(db)

    assert tick(db)["reaped"] == 1

    assert doorbells(db) == [channel]
    assert send_all(db, make_runner(db), channel) == [1, 2, 3]


def test_invariant_9_a_frozen_runner_is_caught_when_its_lease_expires(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    must_lease(db, runner, channel)

    move_clock(db, "59 s")
    assert tick(db)["reaped"] == 0
    move_clock(db, "2 s")
    assert tick(db)["reaped"] == 1


def test_invariant_10_after_a_restart_of_the_server_a_missing_session_proves_nothing(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db)
    die_with(db, database, channel, sent=0)
    db.execute("update retoma_internal.runner set server_started_at = server_started_at - interval '1 hour'")

    assert tick(db)["reaped"] == 0

    move_clock(db, "61 s")
    assert tick(db)["reaped"] == 1


def test_a_runner_that_registers_again_keeps_its_lease(db: Db, database: str, channel: int) -> None:
    make_campaign(db)
    with (
        psycopg.connect(database, autocommit=True) as first,
        psycopg.connect(database, autocommit=True) as second,
    ):
        runner = make_runner(first)
        leased = must_lease(first, runner, channel)
        second.execute("select retoma.register_runner(%s, 'runner-1')", (runner,))
        first.close()

        assert tick(db)["reaped"] == 0
        assert advance(second, leased, want=1).ordinals == [1]


def test_a_runner_that_unregisters_gives_everything_back(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    must_lease(db, runner, channel)

    db.execute("select retoma.unregister_runner(%s)", (runner,))

    leased = db.execute("select count(*) from retoma_internal.batch where status = 'leased'").fetchone()
    assert leased == (0,)
    assert tick(db)["reaped"] == 0


def test_invariant_4_what_was_under_way_is_in_doubt_and_nothing_else(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db, size=10)
    die_with(db, database, channel, sent=5, recorded=2)

    tick(db)

    assert books(db) == {"sent": 2, "in_doubt": 3, "pending": 5}
    doubtful = db.execute("select ordinal, code from retoma.v_in_doubt order by 1").fetchall()
    assert doubtful == [(3, "runner_gone"), (4, "runner_gone"), (5, "runner_gone")]
    assert_counters_match_deliveries(db)


def test_invariant_4_what_is_in_doubt_is_not_sent_again_by_itself(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db, size=10)
    die_with(db, database, channel, sent=5, recorded=2)
    tick(db)
    move_clock(db, "1 day")
    tick(db)

    assert send_all(db, make_runner(db), channel) == [6, 7, 8, 9, 10]

    assert status(db) == "completed"
    assert books(db) == {"sent": 7, "in_doubt": 3}


def test_invariant_4_a_channel_that_dedupes_sends_it_again_under_the_same_id_and_by_itself_only(
    db: Db, database: str
) -> None:
    first = make_channel(db, "sales", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    other = make_channel(db, "support", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    make_campaign(db, size=2, channels=["sales", "support"])
    die_with(db, database, first, sent=2)
    token = call(db, "select token from retoma_internal.campaign")
    runner = make_runner(db)

    tick(db)

    assert books(db) == {"pending": 2}
    assert lease(db, runner, other) is None
    again = advance(db, must_lease(db, runner, first), want=2)
    assert [message[1] for message in again.messages] == [f"{token}00000001", f"{token}00000002"]
    assert_counters_match_deliveries(db)


def test_invariant_4_a_repeat_that_is_never_answered_ends_in_doubt(db: Db, database: str) -> None:
    channel = make_channel(db, "sales", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    make_campaign(db, size=1, max_attempts=3)
    for _ in range(3):
        die_with(db, database, channel, sent=1)
        tick(db)

    assert books(db) == {"in_doubt": 1}
    assert lease(db, make_runner(db), channel) is None
    assert status(db) == "completed"


def test_a_dead_lease_with_nothing_left_completes_the_batch(db: Db, database: str, channel: int) -> None:
    make_campaign(db, size=2)
    die_with(db, database, channel, sent=2, recorded=0)

    tick(db)

    assert status(db) == "completed"
    assert books(db) == {"in_doubt": 2}


def test_a_clean_release_leaves_nothing_in_doubt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    silence(db)

    release(db, leased)

    assert books(db) == {"sent": 1, "pending": 2}
    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == [2, 3]


def test_a_release_with_sends_under_way_leaves_them_in_doubt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    release(db, leased)

    assert books(db) == {"in_doubt": 1, "pending": 2}


def test_a_release_of_the_last_messages_completes_the_campaign(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    release(db, leased)

    assert status(db) == "completed"


@pytest.mark.parametrize("cause", ["pause_campaign", "cancel_campaign"])
def test_a_lease_that_dies_in_a_campaign_that_stopped_is_taken_back_too(
    db: Db, database: str, channel: int, cause: str
) -> None:
    make_campaign(db)
    with psycopg.connect(database, autocommit=True) as session:
        advance(session, must_lease(session, make_runner(session), channel), want=1)
        db.execute(f"select retoma.{cause}('natal')")
        db.execute("update retoma_internal.runner set stopped_at = retoma.clock()")

    tick(db)

    rest = "pending" if cause == "pause_campaign" else "cancelled"
    assert books(db) == {"in_doubt": 1, rest: 2}


def test_a_text_that_cannot_be_rendered_interrupts_the_campaign_before_anybody_failed(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)

    db.execute("select retoma.refuse_content(%s, %s, %s, 'unknown filter shout')", leased.fence)

    assert books(db) == {"pending": 3}
    row = db.execute("select cause, reason, what_to_do from retoma.v_interrupted_campaigns").fetchone()
    advice = "Upgrade the runner that refused its content, then: select retoma.resume_campaign('natal')"
    assert row == ("content", "unknown filter shout", advice)
    db.execute("select retoma.resume_campaign('natal')")
    assert send_all(db, runner, channel) == [1, 2, 3]


def test_what_happened_to_a_lease_is_in_the_audit(db: Db, database: str, channel: int) -> None:
    make_campaign(db)
    die_with(db, database, channel, sent=1)
    tick(db)

    rows = db.execute(
        "select runner, channel, from_state, to_state, code, why from retoma.v_event"
        " where subject = 'batch' order by id"
    ).fetchall()

    assert rows == [
        ("doomed", "sales", "ready", "leased", None, None),
        ("doomed", "sales", "leased", "reaped", "runner_gone", "1 messages without an outcome"),
        ("doomed", "sales", "leased", "ready", None, None),
    ]


def test_a_reaped_zombie_is_refused_when_it_wakes_up(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    move_clock(db, "2 minutes")
    tick(db)
    with refused(db, "RT010"):
        advance(db, leased, accepted(1, 2), want=1)
    assert books(db) == {"in_doubt": 2, "pending": 1}
