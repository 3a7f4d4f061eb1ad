"""The order of locks of install.sql: nothing deadlocks, and nothing waits for longer than it must."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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
    send_all,
    silence,
    tick,
)
from tests.support.concurrency import sessions, wait_patiently, waits
from tests.support.errors import rule
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _what_waits_may_wait(db: Db) -> None:
    wait_patiently(db)


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


def test_a_reconnect_behind_a_disconnection_and_an_operator_s_resume_do_not_deadlock(
    db: Db, database: str
) -> None:
    make_channel(db)
    with (
        psycopg.connect(database) as receiver,
        sessions(database, 2) as (pairing, operator),
        ThreadPoolExecutor(2) as pool,
    ):
        receiver.execute("select retoma.channel_disconnected('sales')")
        connecting = pool.submit(pairing.execute, "select retoma.channel_connected('sales')")
        wait_until(lambda: waits(db, pairing))
        resuming = pool.submit(operator.execute, "select retoma.resume_channel('sales')")
        wait_until(lambda: waits(db, operator))
        receiver.commit()
        connecting.result(timeout=60)
        resuming.result(timeout=60)

    assert call(db, "select state from retoma.v_channel") == "connected"


def test_receipts_of_one_call_lock_the_invalid_numbers_of_all_their_codes_in_one_order(
    db: Db, database: str
) -> None:
    """Otherwise, the first would lock 3 and wait for 1, and the second lock 1 and wait for 3."""
    channel = make_channel(db)
    make_campaign(db, "a", size=4)
    make_campaign(db, "b", size=4)
    send_all(db, make_runner(db), channel)
    for code in ("gone", "moved"):
        rule(db, code, "permanent_recipient", suppress=True)

    def receipts(campaign: str, codes: dict[int, str]) -> Jsonb:
        token = call(db, "select token from retoma_internal.campaign where name = %s", campaign)
        return Jsonb(
            [{"message_id": f"{token}{n:08x}", "status": "failed", "code": code} for n, code in codes.items()]
        )

    record = "select retoma.record_receipts('sales', %s)"
    with (
        psycopg.connect(database) as holder,
        sessions(database, 2) as (first, second),
        ThreadPoolExecutor(2) as pool,
    ):
        holder.execute("select retoma.opt_out(%s, 'by hand')", (phone(4),))
        one = pool.submit(first.execute, record, (receipts("a", {3: "gone", 4: "gone", 1: "moved"}),))
        wait_until(lambda: waits(db, first))
        other = pool.submit(second.execute, record, (receipts("b", {1: "gone", 4: "gone", 3: "moved"}),))
        wait_until(lambda: waits(db, second))
        holder.commit()
        one.result(timeout=60)
        other.result(timeout=60)

    assert call(db, "select count(*) from retoma.v_suppression") == 3


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
    db.execute("update retoma.setting set lookup_after = '1 s', lease_duration = '1 s'")
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
            session.execute("select retoma.opt_in_list(%s, 'form')", ([phone(n) for n in people(dice)],))
            session.execute("select retoma.opt_out_list(%s)", ([phone(n) for n in people(dice)],))

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
                replies = [{"phone": phone(n), "text": "SAIR", "provider_id": str(n)} for n in people(dice)]
                replies += [
                    {"address": f"{n}@lid", "text": "SAIR", "provider_id": f"{n} {dice.random()}"}
                    for n in people(dice)
                ]
                session.execute("select retoma.record_inbound(%s, %s)", (name, Jsonb(replies)))
                aliases = [
                    {"address": f"{n}@lid", "phone": phone(dice.choice([n, n + 1]))} for n in people(dice)
                ]
                session.execute("select retoma.record_aliases(%s, %s)", (name, Jsonb(aliases)))
                if dice.random() < 0.1:
                    session.execute("delete from retoma_internal.alias where address = '7@lid'")
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

    actors = [runner, runner, runner, operator, operator, provider, provider, ticker]
    with sessions(database, len(actors)) as connections, ThreadPoolExecutor(len(actors)) as pool:
        playing = [
            pool.submit(_tolerating_refusals, actor, session, random.Random(number))
            for number, (actor, session) in enumerate(zip(actors, connections, strict=True))
        ]
        for one in playing:
            one.result(timeout=600)

    assert_counters_match_deliveries(db)


def people(dice: random.Random) -> list[int]:
    """Some recipients, in no order, who can be others' recipients too."""
    return dice.sample(range(1, 40), 10)


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


def test_a_tick_leaves_a_lease_whose_channel_is_being_changed_to_the_next_tick(db: Db, database: str) -> None:
    channels = [make_channel(db, name) for name in ("sales", "support")]
    for name, channel in zip(("sales", "support"), channels, strict=True):
        make_campaign(db, f"of {name}", size=1, channels=[name])
        advance(db, must_lease(db, make_runner(db, f"of {name}"), channel), want=1)
    move_clock(db, "2 minutes")
    db.execute("set lock_timeout = '60 s'")
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")

        assert tick(db)["reaped"] == 1
        operator.commit()

    assert tick(db)["reaped"] == 1
