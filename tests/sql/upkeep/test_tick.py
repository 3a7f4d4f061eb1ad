"""tick: any one live runner runs it, so recovery needs no operator."""

from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    advance,
    call,
    doorbells,
    error,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    silence,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


def test_one_tick_at_a_time(db: Db, database: str, channel: int) -> None:
    with psycopg.connect(database) as other:
        tick(other)

        assert tick(db) == {"settled": None, "reaped": None, "started": None, "rung": None}

        other.commit()
        assert tick(db) == {"settled": 0, "reaped": 0, "started": 0, "rung": 0}


def test_invariant_9_a_doorbell_that_was_lost_is_rung_again(db: Db, channel: int) -> None:
    make_campaign(db)
    silence(db)

    assert tick(db)["rung"] == 1

    assert doorbells(db) == [channel]


def test_channels_that_could_not_send_are_not_rung(db: Db) -> None:
    for name in ("away", "halted", "held", "busy", "idle"):
        make_channel(db, name)
    db.execute("select retoma.channel_disconnected('away')")
    db.execute("select retoma.pause_channel('halted')")
    make_campaign(db, channels=["away", "halted", "held"])
    make_campaign(db, "other", channels=["busy"])
    db.execute(
        "update retoma_internal.channel_pacing set hold_until = retoma.clock() + '1 hour'"
        " where channel_id = (select id from retoma_internal.channel where name = 'held')"
    )
    must_lease(db, make_runner(db), call(db, "select id from retoma_internal.channel where name = 'busy'"))
    silence(db)

    assert tick(db)["rung"] == 0
    assert doorbells(db) == []


def test_a_retry_rings_when_it_is_due(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "connect_failed", written=False)])
    silence(db)
    assert tick(db)["rung"] == 0

    move_clock(db, "1 minute")

    assert tick(db)["rung"] == 1


def test_invariant_9_jobs_of_a_dead_worker_do_not_stand_in_the_way(db: Db, channel: int) -> None:
    make_campaign(db)
    dead = call(
        db,
        "insert into procrastinate.procrastinate_workers (last_heartbeat)"
        " values (now() - interval '2 minutes') returning id",
    )
    alive = call(db, "insert into procrastinate.procrastinate_workers default values returning id")
    fetch = "select id from procrastinate.procrastinate_fetch_job_v2(array['retoma'], %s)"
    stalled = call(db, fetch, dead)
    db.execute("select retoma.ring(array[%s]::int[])", (channel,))
    working = call(db, fetch, alive)

    tick(db)

    left = db.execute("select id from procrastinate.procrastinate_jobs where status = 'doing'").fetchall()
    assert left == [(working,)]
    assert stalled != working
    assert doorbells(db) == [channel]


def test_a_tick_is_a_sign_of_life_of_its_runner(db: Db, runner: UUID) -> None:
    move_clock(db, "50 s")
    tick(db, runner)
    move_clock(db, "50 s")

    assert call(db, "select state from retoma.v_runner") == "alive"
    move_clock(db, "20 s")
    assert call(db, "select state from retoma.v_runner") == "gone"
