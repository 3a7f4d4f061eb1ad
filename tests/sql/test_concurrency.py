"""Real sessions at the same time: no batch is leased twice, nothing deadlocks, nothing is left over."""

from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    Lease,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    status,
    tick,
)
from tests.support.concurrency import sessions, wait_patiently, waits
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _what_waits_may_wait(db: Db) -> None:
    wait_patiently(db)


def two_leases(db: Db) -> tuple[Lease, Lease]:
    """A campaign with two messages, each of which is under way in a batch of its own."""
    channel = make_channel(db, max_leases=2)
    make_campaign(db, size=2, batch_size=1)
    first, second = (must_lease(db, make_runner(db, name), channel) for name in ("one", "two"))
    advance(db, first, want=1)
    advance(db, second, want=1)
    return first, second


def test_a_batch_is_never_leased_twice_at_a_time(db: Db, database: str) -> None:
    channel = make_channel(db)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 64}')")
    make_campaign(db, size=120, batch_size=1)

    def lease_many(session: Db) -> list[int]:
        return [must_lease(session, make_runner(session, f"runner-{n}"), channel).batch_id for n in range(15)]

    with sessions(database, 4) as four, ThreadPoolExecutor(4) as pool:
        leased = [batch for batches in pool.map(lease_many, four) for batch in batches]

    assert len(leased) == len(set(leased)) == 60


def test_a_lease_passes_over_a_batch_that_somebody_has_locked(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db, size=2, batch_size=1)
    with psycopg.connect(database) as other:
        other.execute("select from retoma_internal.batch where id = 1 for update")

        assert must_lease(db, make_runner(db), channel).batch_id == 2


def test_leases_of_one_channel_are_counted_in_turn(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db, size=10, batch_size=1)
    with sessions(database, 4) as four, ThreadPoolExecutor(4) as pool:
        leased = list(pool.map(lambda session: lease(session, make_runner(session), channel), four))

    assert len([one for one in leased if one]) == 1


def test_two_last_batches_that_end_at_once_complete_the_campaign(db: Db, database: str) -> None:
    first, second = two_leases(db)
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        assert advance(slow, first, accepted(1)).action == "completed"
        waiting = pool.submit(advance, other, second, accepted(2))
        wait_until(lambda: waits(db, other))
        slow.commit()
        assert waiting.result(timeout=60).action == "completed"

    assert status(db) == "completed"
    assert books(db) == {"sent": 2}


def test_two_channels_that_go_down_at_once_interrupt_their_campaign(db: Db, database: str) -> None:
    make_channel(db, "sales")
    make_channel(db, "support")
    make_campaign(db, channels=["sales", "support"])
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        slow.execute("select retoma.channel_disconnected('sales')")
        waiting = pool.submit(other.execute, "select retoma.channel_disconnected('support')")
        wait_until(lambda: waits(db, other))
        slow.commit()
        waiting.result(timeout=60)

    assert call(db, "select status from retoma_internal.campaign") == "interrupted"


def test_a_channel_that_comes_back_while_the_other_goes_down_leaves_the_campaign_running(
    db: Db, database: str
) -> None:
    make_channel(db, "sales")
    make_channel(db, "support")
    make_campaign(db, channels=["sales", "support"])
    db.execute("select retoma.channel_disconnected('sales')")
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        slow.execute("select retoma.channel_disconnected('support')")
        waiting = pool.submit(other.execute, "select retoma.channel_connected('sales')")
        wait_until(lambda: waiting.done() or waits(db, other))
        slow.commit()
        waiting.result(timeout=60)

    assert call(db, "select status from retoma_internal.campaign") == "running"


def test_a_reservation_waits_for_nobody_s_opt_out_and_sees_the_committed_ones(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db, size=2)
    leased = must_lease(db, make_runner(db), channel)
    with psycopg.connect(database) as person:
        person.execute("select retoma.opt_out(%s)", (phone(1),))
        assert advance(db, leased, want=1).ordinals == [1]
        person.execute("select retoma.opt_out(%s)", (phone(2),))
        person.commit()

    assert advance(db, leased, accepted(1), want=1).action == "completed"
    assert books(db) == {"sent": 1, "skipped": 1}


def test_invariant_2_a_step_that_waited_for_the_end_of_its_lease_is_refused(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    move_clock(db, "61 s")
    with (
        psycopg.connect(database) as reaper,
        sessions(database, 1) as (zombie,),
        ThreadPoolExecutor(1) as pool,
    ):
        assert tick(reaper)["reaped"] == 1
        waiting: Future[object] = pool.submit(advance, zombie, leased, [], 1)
        wait_until(lambda: waits(db, zombie))
        reaper.commit()
        with pytest.raises(psycopg.Error) as caught:
            waiting.result(timeout=60)

    assert caught.value.diag.sqlstate == "RT010"
    assert books(db) == {"pending": 3}


def test_a_lease_that_was_renewed_while_the_reaper_looked_is_kept(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db)
    leased = must_lease(db, make_runner(db), channel)
    move_clock(db, "61 s")
    with psycopg.connect(database) as alive:
        advance(alive, leased, want=1)
        assert tick(db)["reaped"] == 0
        alive.commit()
    assert tick(db)["reaped"] == 0
    assert books(db) == {"sending": 1, "pending": 2}


def test_two_first_campaigns_of_a_block_share_its_partitions(db: Db, database: str) -> None:
    make_channel(db)
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        make_campaign(slow, "first", start=False)
        waiting = pool.submit(make_campaign, other, "second", start=False)
        wait_until(lambda: waits(db, other))
        slow.commit()
        waiting.result(timeout=60)

    assert [books(db, name) for name in ("first", "second")] == [{"pending": 3}, {"pending": 3}]


def test_a_receipt_that_two_report_while_its_outcome_is_recorded_is_counted_once(
    db: Db, database: str
) -> None:
    first, second = two_leases(db)
    advance(db, first, accepted(1))
    ids = [row[0] for row in db.execute("select message_id from retoma.v_message order by ordinal")]

    def report(session: Db, message_ids: list[str]) -> None:
        receipts = [{"message_id": message_id, "status": "delivered"} for message_id in message_ids]
        session.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))

    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database) as slow,
    ):
        holder.execute("select from retoma_internal.batch where id = %s for update", (first.batch_id,))
        report(db, ids)
        advance(db, second, accepted(2))
        report(slow, ids[1:])
        holder.commit()
        tick(db)
        slow.commit()
    tick(db)

    assert call(db, "select delivered from retoma.v_campaign_summary") == 2


@pytest.mark.parametrize(
    ("change", "expected"), [("channel_disconnected", "interrupted"), ("channel_connected", "running")]
)
def test_a_campaign_that_starts_while_its_channel_changes_is_put_right_by_a_tick(
    db: Db, database: str, change: str, expected: str
) -> None:
    make_channel(db)
    make_campaign(db, start=False)
    if change == "channel_connected":
        db.execute("select retoma.channel_disconnected('sales')")
    with psycopg.connect(database) as slow:
        slow.execute("select retoma.start_campaign('natal')")
        db.execute(f"select retoma.{change}('sales')")

    tick(db)

    assert call(db, "select status from retoma_internal.campaign") == expected


def test_a_report_of_a_connection_waits_for_one_of_its_loss(db: Db, database: str) -> None:
    make_channel(db)
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        slow.execute("select retoma.channel_disconnected('sales')")
        connecting = pool.submit(other.execute, "select retoma.channel_connected('sales')")
        wait_until(lambda: connecting.done() or waits(db, other))
        slow.commit()
        connecting.result(timeout=60)

    assert call(db, "select connected from retoma_internal.channel")


def test_a_retry_passes_over_batches_that_it_has_not_locked(db: Db, database: str) -> None:
    first, second = two_leases(db)
    advance(db, second, [error(2, "http_400")])
    with (
        psycopg.connect(database) as holder,
        sessions(database, 1) as (other,),
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("select from retoma_internal.batch where id = %s for update", (second.batch_id,))
        retrying = pool.submit(other.execute, "select retoma.retry_failed('natal')")
        wait_until(lambda: waits(db, other))
        advance(db, first, [error(1, "http_400")])
        holder.commit()
        retrying.result(timeout=60)

    assert books(db) == {"failed": 1, "pending": 1}
    assert_counters_match_deliveries(db)


def test_two_who_configure_a_channel_at_once_both_have_their_way(db: Db, database: str) -> None:
    make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"})
    with psycopg.connect(database) as slow, sessions(database, 1) as (other,), ThreadPoolExecutor(1) as pool:
        slow.execute("select retoma.configure_channel('sales', '{\"lookup\": true}')")
        configuring = pool.submit(
            other.execute, "select retoma.configure_channel('sales', '{\"idempotent\": true}')"
        )
        wait_until(lambda: waits(db, other))
        slow.commit()
        configuring.result(timeout=60)

    assert call(db, "select looks_up and 'text' = any(dedupes) from retoma_internal.channel")


def test_a_step_waits_for_a_receipt_that_proves_an_earlier_attempt(db: Db, database: str) -> None:
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1", "idempotent": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout")])
    db.execute("select retoma.opt_out(%s)", (phone(1),))
    move_clock(db, "1 hour")
    leased = must_lease(db, runner, channel)
    receipt = [{"message_id": call(db, "select message_id from retoma.v_message"), "status": "delivered"}]
    with psycopg.connect(database) as slow, ThreadPoolExecutor(1) as pool, sessions(database, 1) as (other,):
        slow.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipt),))
        stepping = pool.submit(advance, other, leased, (), 1)
        wait_until(lambda: stepping.done() or waits(db, other))
        slow.commit()
        stepping.result(timeout=60)

    assert books(db) == {"sent": 1}
