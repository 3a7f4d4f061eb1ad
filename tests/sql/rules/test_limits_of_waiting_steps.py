"""Limits while several transactions use or change them."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    Lease,
    Step,
    accepted,
    advance,
    call,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    send_all,
    set_clock,
    set_limit,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("frozen_clock")


@contextmanager
def while_a_step_waits(
    database: str, db: Db, held: str, leased: Lease
) -> Iterator[tuple[psycopg.Connection, Future[Step]]]:
    """A step of the lease that waits for the locks of the statement `held`, in a transaction left open."""
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(database, autocommit=True) as session,
        psycopg.connect(database) as operator,
    ):
        operator.execute(held)
        step = pool.submit(advance, session, leased, want=9)
        pid = session.info.backend_pid
        wait_until(lambda: call(db, "select cardinality(pg_blocking_pids(%s)) > 0", pid))
        yield operator, step


@pytest.mark.parametrize("per", ["day", "24 hours"])
def test_a_step_that_waited_over_midnight_is_judged_by_the_time_when_it_goes_on(
    database: str, db: Db, channel: int, per: str
) -> None:
    set_limit(db, 5, per)
    make_campaign(db, size=50, batch_size=10)
    runner = make_runner(db)
    set_clock(db, "2026-03-02 23:59 UTC")
    leased = must_lease(db, runner, channel)
    held = f"select retoma.set_limit('channel', 'sales', 5, '{per}')"
    with while_a_step_waits(database, db, held, leased) as (operator, step):
        set_clock(db, "2026-03-03 08:00 UTC")
        operator.commit()
        assert len(step.result(60).ordinals) == 5
    advance(db, leased, accepted(1, 2, 3, 4, 5))

    set_clock(db, "2026-03-03 23:59 UTC")

    assert send_all(db, runner, channel) == []


def test_a_limit_that_is_replaced_while_a_step_waits_holds_for_it(
    database: str, db: Db, channel: int, runner: UUID
) -> None:
    set_limit(db, 2)
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    with while_a_step_waits(database, db, "select retoma.set_limit('channel', 'sales', null)", leased) as (
        operator,
        step,
    ):
        operator.execute("select retoma.set_limit('channel', 'sales', 2, '24 hours')")
        operator.commit()

        assert step.result(60).ordinals == []

    assert len(send_all(db, runner, channel)) == 2


def test_a_limit_that_is_set_while_a_step_waits_for_its_pacing_holds_for_it(database: str, db: Db) -> None:
    channel = make_channel(db, rate_per_s=1000)
    make_campaign(db, size=20)
    leased = must_lease(db, make_runner(db), channel)
    held = """select retoma.configure_channel('sales', p_pacing => '{"burst": 900}')"""
    with while_a_step_waits(database, db, held, leased) as (operator, step):
        set_limit(db, 2)
        operator.commit()

        assert len(step.result(60).ordinals) == 2


def test_limits_are_exact_when_channels_and_campaigns_share_them(database: str, db: Db) -> None:
    """Rules whose ids are in another order than their scopes: two sessions must not wait for each other."""
    names = ["sales", "support"]
    channels = [make_channel(db, name, max_leases=8) for name in names]
    for campaign in ("first", "second"):
        make_campaign(db, campaign, size=400, batch_size=20, channels=names)
    for scope, name, maximum in (
        ("campaign", "first", 130), ("channel", "sales", 100), ("campaign", "second", 90),
        ("channel", "support", 140),
    ):  # fmt: skip
        db.execute("select retoma.set_limit(%s, %s, %s)", (scope, name, maximum))

    def send(number: int) -> None:
        with psycopg.connect(database, autocommit=True) as session:
            runner = make_runner(session, f"r{number}")
            while (leased := lease(session, runner, channels[number % 2])) is not None:
                outcomes = accepted()
                while (step := advance(session, leased, outcomes, want=3)).action == "send":
                    outcomes = accepted(*step.ordinals)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))

    rows = db.execute("select subject, used, maximum from retoma.v_limit order by subject").fetchall()
    used = {subject: count for subject, count, _ in rows}
    assert all(count <= maximum for _, count, maximum in rows)
    assert used["first"] + used["second"] == used["sales"] + used["support"] == 220
    assert used == {"first": 130, "second": 90, "sales": used["sales"], "support": 220 - used["sales"]}
