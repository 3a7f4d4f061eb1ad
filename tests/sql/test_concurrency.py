"""Real sessions at the same time: no batch is leased twice, nothing deadlocks, nothing is left over."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

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
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    release,
    silence,
    status,
    tick,
)
from tests.support.waiting import wait_until


@contextmanager
def sessions(database: str, count: int) -> Iterator[list[Db]]:
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(database, autocommit=True)) for _ in range(count)]


def waits(observer: Db, session: Db) -> bool:
    """Whether a session waits for a lock."""
    return bool(call(observer, "select cardinality(pg_blocking_pids(%s)) > 0", session.info.backend_pid))


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
    channel = make_channel(db)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    make_campaign(db, size=2, batch_size=1)
    first, second = (must_lease(db, make_runner(db, name), channel) for name in ("one", "two"))
    advance(db, first, want=1)
    advance(db, second, want=1)
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


def test_lookups_and_an_operator_s_decision_at_once_do_not_deadlock(db: Db, database: str) -> None:
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1", "lookup": True})
    make_campaign(db, size=2, batch_size=1)
    runner = make_runner(db)
    for ordinal in (1, 2):
        leased = must_lease(db, runner, channel)
        advance(db, leased, want=1)
        advance(db, leased, [error(ordinal, "timeout")])
    message_id = call(db, "select message_id from retoma.v_in_doubt where ordinal = 2")
    lookups = Jsonb([{"message_id": message_id, "attempt": 1, "result": "found"}])
    with (
        psycopg.connect(database) as holder,
        sessions(database, 2) as (operator, asker),
        ThreadPoolExecutor(2) as pool,
    ):
        holder.execute("select from retoma_internal.batch where id = 1 for update")
        deciding = pool.submit(operator.execute, "select retoma.resolve_in_doubt('natal', 'sent')")
        wait_until(lambda: waits(db, operator))
        asking = pool.submit(asker.execute, "select retoma.record_lookups(%s, %s)", (channel, lookups))
        wait_until(lambda: asking.done() or waits(db, asker))
        holder.commit()
        deciding.result(timeout=60)
        asking.result(timeout=60)

    assert books(db) == {"sent": 2}


def test_a_receipt_that_two_report_while_its_outcome_is_recorded_is_counted_once(
    db: Db, database: str
) -> None:
    channel = make_channel(db)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    make_campaign(db, size=2, batch_size=1)
    first, second = (must_lease(db, make_runner(db, name), channel) for name in ("one", "two"))
    advance(db, first, want=1)
    advance(db, second, want=1)
    advance(db, first, accepted(1))
    ids = [row[0] for row in db.execute("select message_id from retoma.v_message order by ordinal")]

    def report(session: Db, message_ids: list[str]) -> None:
        receipts = [{"message_id": message_id, "status": "delivered"} for message_id in message_ids]
        session.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))

    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database) as slow,
        sessions(database, 1) as (other,),
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("select from retoma_internal.batch where id = %s for update", (first.batch_id,))
        reporting = pool.submit(report, other, ids)
        wait_until(lambda: waits(db, other))
        advance(db, second, accepted(2))
        report(slow, ids[1:])
        holder.commit()
        wait_until(lambda: reporting.done() or waits(db, other))
        slow.commit()
        reporting.result(timeout=60)
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
    channel = make_channel(db)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    make_campaign(db, size=2, batch_size=1)
    first, second = (must_lease(db, make_runner(db, name), channel) for name in ("one", "two"))
    advance(db, first, want=1)
    advance(db, second, want=1)
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

    assert db.execute("select looks_up, dedupes from retoma_internal.channel").fetchall() == [
        (True, ["text"])
    ]


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


def test_operators_runners_receipts_and_ticks_at_once_never_deadlock(db: Db, database: str) -> None:
    names = ["c1", "c2", "c3"]
    channels = [
        make_channel(
            db,
            name,
            "webhook",
            {"url": "http://127.0.0.1", "idempotent": name != "c2", "lookup": True},
            max_leases=2,
            rate_per_s=10_000,
            burst=1,
        )
        for name in names
    ]
    db.execute("update retoma.setting set lookup_after = '0 s', lease_duration = '1 s'")
    db.execute(
        "update retoma.error_rule set defer_s = 0 where code in ('connect_failed', 'timeout', 'http_429')"
    )
    for number in range(4):
        make_campaign(db, f"k{number}", size=200, batch_size=5, channels=names, max_attempts=20)

    def runner(session: Db, dice: random.Random) -> None:
        me = make_runner(session, "runner")
        for _ in range(25):
            channel = dice.choice(channels)
            leased = lease(session, me, channel)
            if leased is None:
                continue
            step = advance(session, leased, want=5)
            codes = ["connect_failed", "timeout", "http_429", "http_422", "http_401", ""]
            outcomes = [
                error(n, code, retry_after_s=0) if (code := dice.choice(codes)) else accepted(n)[0]
                for n in step.ordinals
                if dice.random() < 0.9
            ]
            advance(session, leased, outcomes, want=dice.choice([0, 2]))
            release(session, leased)

    def operator(session: Db, dice: random.Random) -> None:
        for _ in range(60):
            campaign, channel = f"k{dice.randrange(4)}", dice.choice(names)
            statement, name = dice.choice(
                [
                    ("pause_campaign(%s)", campaign),
                    ("resume_campaign(%s)", campaign),
                    ("retry_failed(%s)", campaign),
                    ("resolve_in_doubt(%s, 'resend')", campaign),
                    ("resolve_in_doubt(%s, 'sent')", campaign),
                    ("set_limit('campaign', %s, 100000)", campaign),
                    ("set_limit('campaign', %s, null)", campaign),
                    ("set_limit('channel', %s, 100000, '24 hours')", channel),
                    ("channel_disconnected(%s)", channel),
                    ("channel_connected(%s)", channel),
                    ("pause_channel(%s)", channel),
                    ("resume_channel(%s)", channel),
                    ("configure_channel(%s, p_pacing => '{\"burst\": 50}')", channel),
                ]
            )
            session.execute(f"select retoma.{statement}", (name,))

    def provider(session: Db, dice: random.Random) -> None:
        for _ in range(40):
            known = session.execute(
                "select c.token, d.ordinal, d.channel_id, h.name from retoma_internal.delivery as d"
                " inner join retoma_internal.campaign as c on d.campaign_id = c.id"
                " inner join retoma_internal.channel as h on d.channel_id = h.id limit 200"
            ).fetchall()
            chosen = dice.sample(known, min(5, len(known)))
            for token, ordinal, channel_id, name in chosen:
                message_id = f"{token}{ordinal:08x}"
                receipt = {"message_id": message_id, "status": dice.choice(["server", "read", "failed"])}
                session.execute("select retoma.record_receipts(%s, %s)", (name, Jsonb([receipt])))
                result = {
                    "message_id": message_id,
                    "attempt": 1,
                    "result": dice.choice(["found", "absent", "unknown"]),
                }
                session.execute("select retoma.record_lookups(%s, %s)", (channel_id, Jsonb([result])))

    def ticker(session: Db, _: random.Random) -> None:
        for _tick in range(60):
            tick(session)
            silence(session)
            session.execute("select retoma.cleanup()")

    actors = [runner, runner, runner, operator, operator, provider, ticker]
    with sessions(database, len(actors)) as connections, ThreadPoolExecutor(len(actors)) as pool:
        playing = [
            pool.submit(_tolerating_refusals, actor, session, random.Random(number))
            for number, (actor, session) in enumerate(zip(actors, connections, strict=True))
        ]
        for one in playing:
            one.result(timeout=600)

    assert_counters_match_deliveries(db)


def _tolerating_refusals(act: Callable[[Db, random.Random], None], session: Db, dice: random.Random) -> None:
    """Plays an actor again and again while it is refused what another one made impossible."""
    for _ in range(40):
        try:
            act(session, dice)
        except psycopg.Error as refused:
            if not (refused.diag.sqlstate or "").startswith("RT"):
                raise
        else:
            return


def test_a_long_check_does_not_hold_up_a_step_of_another_campaign(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db, "small", size=2)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    big = make_campaign(db, "big", size=3, text="{{ name | upcase }}", checked=False)
    with (
        psycopg.connect(database) as reader,
        psycopg.connect(database) as check,
        psycopg.connect(database, autocommit=True) as step,
        ThreadPoolExecutor(2) as pool,
    ):
        # Stands for an audience of millions: its reading takes as long as this transaction.
        reader.execute("lock table retoma_internal.message in access exclusive mode")
        arguments = (big,)
        checked = pool.submit(check.execute, "select retoma.record_content_check(%s, 1, '{name}')", arguments)
        wait_until(lambda: waits(db, check))
        stepped = pool.submit(advance, step, leased, [error(1, "http_301")])
        wait_until(lambda: stepped.done() or waits(db, step))
        held_up = waits(db, step)
        reader.commit()
        checked.result(60)
        check.commit()
        stepped.result(60)
    assert not held_up


def test_a_step_keeps_the_order_of_locks_where_only_batches_have_gaps(db: Db, database: str) -> None:
    channel = make_channel(db, batch_gap_min_s=1, batch_gap_max_s=1)
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    with (
        psycopg.connect(database) as operator,
        psycopg.connect(database, autocommit=True) as step,
        ThreadPoolExecutor(1) as pool,
    ):
        # The first lock of configure_channel, which then takes its second.
        operator.execute("select from retoma_internal.channel_pacing for update")
        stepped = pool.submit(advance, step, leased, [error(1, "http_301")])
        wait_until(lambda: stepped.done() or waits(db, step))
        operator.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")
        operator.commit()
        stepped.result(60)


def test_a_tick_leaves_a_lease_whose_channel_is_being_changed_to_the_next_tick(db: Db, database: str) -> None:
    channels = [make_channel(db, name) for name in ("sales", "support")]
    for name, channel in zip(("sales", "support"), channels, strict=True):
        make_campaign(db, f"of {name}", size=1, channels=[name])
        advance(db, must_lease(db, make_runner(db, f"of {name}"), channel), want=1)
    move_clock(db, "2 minutes")
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")

        assert tick(db)["reaped"] == 1
        operator.commit()

    assert tick(db)["reaped"] == 1
