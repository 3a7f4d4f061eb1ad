"""No state of the tables keeps a lease for ever: rows are kept, and what cannot go on ends with a reason."""

from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    send_all,
    status,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")

ERASING = "set retoma_internal.erasing = 'yes'"
"""What cleanup() sets. In a test it stands for rows that were lost in another way."""


def test_rows_that_a_lease_relies_on_cannot_be_removed(
    db: Db, channel: int, runner: UUID, subtests: pytest.Subtests
) -> None:
    make_campaign(db, size=2, start=False, time_zone="America/Sao_Paulo")
    db.execute("select retoma.add_window('natal', '00:00', '24:00')")
    db.execute("select retoma.start_campaign('natal')")
    advance(db, must_lease(db, runner, channel), want=1)
    advance(db, must_lease(db, runner, channel), want=1)
    tables = (
        "retoma.setting",
        "retoma_internal.message",
        "retoma_internal.message_p0",
        "retoma_internal.delivery",
        "retoma_internal.delivery_p0",
        "retoma_internal.batch",
        "retoma_internal.batch_list",
        "retoma_internal.campaign",
        "retoma_internal.campaign_content",
        "retoma_internal.campaign_channel",
        "retoma_internal.campaign_zone",
        "retoma_internal.channel",
        "retoma_internal.channel_pacing",
    )
    for table in tables:
        for statement in (f"delete from {table}", f"truncate {table} cascade"):
            with subtests.test(statement=statement), refused(db, "RT011", "cannot be removed"):
                db.execute(statement)
    with refused(db, "RT011", "immutable"):
        db.execute("update retoma_internal.message_p0 set phone = '+15550100'")


def test_cleanup_still_erases(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    assert send_all(db, runner, channel) == [1, 2, 3]
    move_clock(db, "100 days")

    assert call(db, "select campaigns from retoma.cleanup()") == 1

    assert call(db, "select count(*) from retoma_internal.message") == 0
    with pytest.raises(psycopg.Error, match="cannot be removed"):
        db.execute("delete from retoma_internal.batch")


def test_a_message_that_was_removed_fails_and_its_lease_goes_on(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    db.execute(ERASING)
    db.execute("delete from retoma_internal.message where ordinal = 2")

    assert advance(db, leased, want=3).ordinals == [1, 3]
    advance(db, leased, accepted(1, 3))

    assert status(db) == "completed"
    assert books(db) == {"sent": 2, "failed": 1}
    assert call(db, "select code from retoma_internal.delivery where ordinal = 2") == "message_missing"


def test_a_removed_message_of_a_lost_reply_is_withdrawn(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    db.execute(ERASING)
    db.execute("delete from retoma_internal.message where ordinal = 2")

    again = advance(db, leased, want=2, seen=0)

    assert (again.ordinals, again.withdrawn) == ([1], [2])


def test_a_step_that_fails_is_given_up_with_a_reason_and_the_channel_goes_on(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, "short", start=False, time_zone="America/Sao_Paulo")
    db.execute("select retoma.add_window('short', '00:00', '24:00')")
    db.execute("select retoma.start_campaign('short')")
    leased = must_lease(db, runner, channel)
    db.execute("update retoma_internal.batch_list set ordinals = ordinals[:1]")
    make_campaign(db, "whole")

    with refused(db, "RT012", "shorter than its 3 messages"):
        advance(db, leased, want=3)
    give_up = "select retoma.give_up_batch(%s, %s, %s, 'RT012', 'the list of +5511955510001 is short')"
    db.execute(give_up, leased.fence)
    tick(db)

    row = db.execute("select campaign, cause, reason from retoma.v_interrupted_campaigns").fetchone()
    assert row == (
        "short",
        "defect",
        f"batch {leased.batch_id}: the list of *** is short (RT012)",
    )
    assert send_all(db, runner, channel) == [1, 2, 3]
    assert books(db, "whole") == {"sent": 3}


def test_an_error_that_says_nothing_about_the_batch_interrupts_nothing(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)

    db.execute("select retoma.give_up_batch(%s, %s, %s, '42883', 'no such function')", leased.fence)
    tick(db)

    assert status(db) == "running"
    assert lease(db, runner, channel) is None
    move_clock(db, "1 minute")
    assert send_all(db, runner, channel) == [1, 2, 3]


@pytest.mark.parametrize(
    "loss",
    [
        "delete from retoma_internal.channel_pacing",
        "delete from retoma_internal.delivery where ordinal = 1",
        "delete from retoma_internal.batch_list",
        "delete from retoma_internal.message",
    ],
)
def test_a_lease_ends_whatever_rows_were_lost(db: Db, channel: int, runner: UUID, loss: str) -> None:
    make_campaign(db, start=False, time_zone="America/Sao_Paulo")
    db.execute("select retoma.add_window('natal', '00:00', '24:00')")
    db.execute("select retoma.start_campaign('natal')")
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    advance(db, leased, accepted(1))
    db.execute(ERASING)
    db.execute(loss)
    move_clock(db, "2 minutes")

    assert tick(db)["reaped"] == 1

    assert books(db)["pending"] == 1
    assert call(db, "select count(*) from retoma_internal.batch where status = 'leased'") == 0
    if "delivery" in loss:
        assert books(db) == {"in_doubt": 2, "pending": 1}
        assert_counters_match_deliveries(db)


def test_a_batch_without_a_lease_has_nothing_under_way(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    for state in ("ready", "completed", "cancelled"):
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(
                "update retoma_internal.batch set status = %s, lease_epoch = lease_epoch + 1,"
                " runner_id = null, lease_channel_id = null, lease_expires_at = null",
                (state,),
            )


def test_a_lease_that_a_session_keeps_locked_does_not_hold_up_the_channel(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    make_campaign(db, "locked")
    leased = must_lease(db, runner, channel)
    make_campaign(db, "free")
    with psycopg.connect(database) as session:
        session.execute("select from retoma_internal.batch where id = %s for update", (leased.batch_id,))
        move_clock(db, "61 s")
        tick(db)
        holding = "select batch_id from retoma.lease_batch(%s, %s, %s)"
        assert call(db, holding, runner, channel, [leased.batch_id]) is None
        move_clock(db, "60 s")

        other = call(db, holding, runner, channel, [leased.batch_id])

        campaign = "select campaign from retoma.campaign_batch_details where batch_id = %s"
        assert call(db, campaign, other) == "free"
    tick(db)
    assert lease(db, runner, channel) is not None


GIVE_UP = "select retoma.give_up_batch(%s, %s, %s, '22P05', 'no such character')"


def test_invariant_4_a_lookup_proves_nothing_about_a_batch_that_was_given_up(db: Db) -> None:
    channel = make_channel(
        db, "asking", "webhook", {"url": "http://127.0.0.1", "lookup": True}, max_in_flight=5
    )
    make_campaign(db, channels=["asking"])
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=3)

    db.execute(GIVE_UP, leased.fence)
    move_clock(db, "10 minutes")

    # Its requests may still be under way.
    asked = db.execute("select message_id, attempt from retoma.due_lookups(%s)", (channel,)).fetchall()
    answers = [{"message_id": one, "attempt": attempt, "result": "absent"} for one, attempt in asked]
    db.execute("select retoma.record_lookups(%s, %s)", (channel, Jsonb(answers)))
    assert len(answers) == books(db)["in_doubt"] == 3


def test_a_batch_that_was_given_up_is_not_leased_before_its_campaign_is_interrupted(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, batch_size=3)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    db.execute(GIVE_UP, leased.fence)
    move_clock(db, "10 minutes")

    assert lease(db, runner, channel) is None


def test_a_lease_that_has_been_over_for_as_long_as_it_lasts_reserves_nothing_more(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    move_clock(db, "2 minutes")

    late = advance(db, leased, accepted(1), want=2)

    assert (late.action, late.ordinals, late.why_not) == ("released", [], "lease_overdue")
    assert books(db) == {"sent": 1, "pending": 2}


def test_a_lease_that_is_broken_starts_the_gaps_again(db: Db) -> None:
    channel = make_channel(db, "paced", gap_min_s=20, batch_gap_min_s=40)
    make_campaign(db, batch_size=3, channels=["paced"])
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    move_clock(db, "61 s")
    db.execute(
        "create or replace function retoma_internal.settle_lease(p_batch retoma_internal.batch, p_code text)"
        " returns void language plpgsql as $$ begin raise division_by_zero; end $$"
    )

    tick(db)

    assert call(db, "select next_send_at > retoma.clock() from retoma_internal.channel_pacing")
