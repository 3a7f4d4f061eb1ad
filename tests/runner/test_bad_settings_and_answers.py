"""A runner survives odd things: refused settings, transports that raise, odd answers, a long clean-up."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from retoma.runner.calls import backoff
from retoma.transports.base import Message, SendResult
from tests.runner.conftest import Send, World, drains_through
from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
)
from tests.support.runners import Runners
from tests.support.sandbox_process import start_sandbox
from tests.support.waiting import DEADLINE_S, wait_until


async def drain_with(send: Send, db: Db, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends what the channel has through a transport that sends like this."""
    async with drains_through(send, db, database, monkeypatch) as (drains, _):
        await asyncio.wait_for(drains.drain(call(db, "select id from retoma_internal.channel")), DEADLINE_S)


async def test_a_transport_that_raises_leaves_its_message_in_doubt_and_goes_on(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(db)
    make_campaign(db, size=3)

    def send(message: Message) -> SendResult:
        if message.id.endswith("2"):
            raise ZeroDivisionError
        return SendResult("accepted")

    await drain_with(send, db, database, monkeypatch)

    assert books(db) == {"sent": 2, "in_doubt": 1}
    assert call(db, "select code from retoma.v_in_doubt") == "transport_failed"


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 5_000])
async def test_an_id_that_no_provider_would_give_takes_nothing_from_the_other_outcomes(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    make_channel(db)
    make_campaign(db, size=3)

    await drain_with(
        lambda message: SendResult("accepted", provider_id=odd if message.id.endswith("2") else message.id),
        db,
        database,
        monkeypatch,
    )

    assert books(db) == {"sent": 3}
    assert call(db, "select count(provider_id) from retoma_internal.delivery") == 2


def test_a_runner_that_cannot_use_the_settings_when_it_would_lookup_leaves_the_channel_to_others(
    db: Db, runners: Runners
) -> None:
    settings = {"url": "http://127.0.0.1:1", "lookup": True, "secret": "env:RETOMA_SECRET_OF_NO_TEST"}
    channel = make_channel(db, transport="webhook", settings=settings)
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    move_clock(db, "61 s")

    runners.start("r1")

    refusals = "select refuses from retoma.v_runner where runner = 'r1'"
    wait_until(lambda: "RETOMA_SECRETS_FOR" in str(db.execute(refusals).fetchall()))
    assert call(db, "select state from retoma.v_channel") == "connected"


def test_a_clean_up_that_takes_long_does_not_hold_up_a_stop(db: Db, database: str, runners: Runners) -> None:
    db.execute(
        "insert into retoma_internal.receipt_inbox (channel_id, status, at, received_at)"
        " values (%s, 'read', now(), now() - interval '2 days')",
        (make_channel(db),),
    )
    waiting = (
        "select exists(select from pg_stat_activity where datname = current_database()"
        " and wait_event_type = 'Lock' and query like '%%cleanup%%')"
    )
    with psycopg.connect(database) as holder:
        holder.execute("select from retoma_internal.receipt_inbox for update")
        runner = runners.start("r1")
        db.execute(
            "insert into procrastinate.procrastinate_jobs (queue_name, task_name, args)"
            " values ('retoma', 'retoma.clean_up', '{\"timestamp\": 0}')"
        )
        wait_until(lambda: call(db, waiting))

        assert runner.terminate() == 0


def test_a_cell_that_a_filter_cannot_take_fails_its_own_message_only(world: World, runners: Runners) -> None:
    world.webhook("sales")
    people = [
        {"phone": "+5511955510001", "variables": {"day": "20240131101500"}},
        {"phone": "+5511955510002", "variables": {"day": "2024-01-31"}},
    ]
    text = '{{ day | date: "%d/%m" }}'
    world.db.execute("select retoma.create_campaign('spring', 'sales', %s)", (text,))
    world.db.execute("select retoma.add_recipients('spring', %s)", (Jsonb(people),))
    world.db.execute("select retoma.start_campaign('spring')")

    runners.start("r1")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["failed"], row["in_doubt"]) == (1, 1, 0)


async def test_calls_are_repeated_for_as_long_as_the_database_is_away() -> None:
    stop = asyncio.Event()
    stop.set()
    await backoff(100_000, stop)


def test_one_runner_without_a_secret_leaves_the_channel_to_one_that_has_it(
    world: World, runners: Runners
) -> None:
    world.webhook("sales", secret="env:RETOMA_SECRET_SALES")
    world.campaign("spring", "sales", messages=20)
    runners.start("without")
    refusals = "select refuses from retoma.v_runner where runner = 'without'"
    wait_until(lambda: "RETOMA_SECRETS_FOR" in str(world.db.execute(refusals).fetchall()))
    assert world.summary("spring")["status"] == "interrupted"
    assert "RETOMA_SECRETS_FOR" in world.summary("spring")["reason"]

    address = call(world.db, "select settings ->> 'url' from retoma_internal.channel")
    secrets = {"RETOMA_SECRET_SALES": "the secret", "RETOMA_SECRETS_FOR": address}
    runners.start("complete", prelude=f"import os\nos.environ |= {secrets!r}\n")

    assert world.wait_for_end("spring")["sent"] == 20


def test_a_provider_that_ignores_our_ids_sends_nothing_twice(
    db: Db, tmp_path: Path, runners: Runners
) -> None:
    sandbox = start_sandbox(tmp_path / "ledger", "--ignores-ids", "sales")
    try:
        world = World(db, sandbox)
        world.waha("sales", (0.01, 0.02), (0, 0))
        db.execute("update retoma.error_rule set defer_s = 1 where class = 'ambiguous'")
        sandbox.fault(channel="sales", after=3, first=2, do="accept_then_drop")
        world.campaign("spring", "sales", messages=12)

        runners.start("r1")

        row = world.wait_for_end("spring")
        assert (row["sent"], row["in_doubt"]) == (10, 2)
        assert sandbox.figures("waha", "sales")["duplicates"] == 0
        assert call(db, "select ignores_ids from retoma.v_channel") == ["text"]
    finally:
        sandbox.kill()


def test_a_provider_that_fails_every_request_is_left_after_a_few(world: World, runners: Runners) -> None:
    world.waha("sales", (0.01, 0.02), (0, 0))
    world.campaign("spring", "sales", messages=30)
    words = "Cannot read properties of undefined (reading 'markedUnread')"
    body = {"statusCode": 500, "exception": {"message": words, "name": "Error"}}
    world.sandbox.fault(channel="sales", do="status", status=500, body=body)

    runners.start("r1")

    wait_until(lambda: call(world.db, "select state from retoma.v_channel") == "paused")
    row = world.summary("spring")
    assert (row["status"], row["in_doubt"], row["pending"]) == ("interrupted", 5, 25)
