"""The database is away for some seconds, and the runners recover by themselves."""

import asyncio
import json
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from retoma.runner.calls import keep_connecting
from retoma.runner.doorbell import listen
from tests.chaos.proxy import Proxy
from tests.runner.conftest import World
from tests.support.campaigns import call, make_channel
from tests.support.clusters import Server
from tests.support.runners import runners_on
from tests.support.sandbox_process import start_sandbox
from tests.support.waiting import DEADLINE_S, wait_until


def test_a_waiting_runner_hears_the_doorbell_after_an_outage(
    server: Server, database: str, tmp_path: Path
) -> None:
    sandbox = start_sandbox(tmp_path / "ledger")
    try:
        with runners_on(database, tmp_path) as runners:
            runner = runners.start("r1")
            wait_until(lambda: "registered" in runner.text())

            server.stop("immediate")
            try:
                wait_until(lambda: "liveness_lost" in runner.text() and "doorbell_lost" in runner.text())
            finally:
                server.start()

            with psycopg.connect(database, autocommit=True) as db:
                world = World(db, sandbox)
                world.webhook("sales")
                world.campaign("spring", "sales", messages=1)
                world.wait_for_sent("spring", 1)
    finally:
        sandbox.kill()


@pytest.mark.parametrize("way", ["refuse", "stall"])
async def test_a_runner_that_is_stopped_while_the_database_is_away_ends_cleanly(
    server: Server, database: str, tmp_path: Path, way: str
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database)
    proxy = Proxy("127.0.0.1", int(str(parts["port"])))
    url = f"postgresql://postgres@127.0.0.1:{await proxy.listen()}/{parts['dbname']}"
    sandbox = await asyncio.to_thread(start_sandbox, tmp_path / "ledger")
    try:
        with (
            psycopg.connect(database, autocommit=True) as db,
            runners_on(url, tmp_path) as runners,
        ):
            world = World(db, sandbox)
            world.webhook("sales", rate_per_s=50)
            world.campaign("spring", "sales", messages=5000)
            runner = runners.start("r1")
            await asyncio.to_thread(world.wait_for_sent, "spring", 20)

            proxy.refuse() if way == "refuse" else proxy.stall()
            await asyncio.to_thread(wait_until, lambda: "liveness_lost" in runner.text())
            code = await asyncio.to_thread(runner.terminate)
    finally:
        sandbox.kill()
        await proxy.aclose()

    assert code == 0
    lines = [json.loads(line) for line in runner.text().splitlines()]
    assert {line["event"] for line in lines if line["level"] == "error"} == set()


async def test_a_doorbell_whose_pool_gave_up_is_heard_when_the_database_is_back_and_not_after_a_time_out(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_up, heard, stop = asyncio.Queue[None](), asyncio.Queue[int](), asyncio.Event()
    open_pool = AsyncConnectionPool.open

    async def count_and_keep_connecting(pool: AsyncConnectionPool) -> None:
        gave_up.put_nowait(None)
        await keep_connecting(pool)

    async def open_patiently(pool: AsyncConnectionPool, wait: bool) -> None:
        await open_pool(pool, wait, timeout=10 * DEADLINE_S)  # and not 30 s: no time-out may help here

    async def clean_up() -> None:
        return

    monkeypatch.setattr(AsyncConnectionPool, "open", open_patiently)
    monkeypatch.setattr("retoma.runner.doorbell.keep_connecting", count_and_keep_connecting)
    with psycopg.connect(database, autocommit=True) as db:
        channel = make_channel(db)
    server.stop("immediate")
    try:
        listening = asyncio.create_task(listen(database, heard.put, clean_up, stop))
        for _ in range(2):
            await asyncio.wait_for(gave_up.get(), DEADLINE_S)
    finally:
        await asyncio.to_thread(server.start)

    with psycopg.connect(database, autocommit=True) as db:
        call(db, "select retoma.ring(array[%s]::int[])", channel)
    assert await asyncio.wait_for(heard.get(), DEADLINE_S) == channel
    stop.set()
    await listening
