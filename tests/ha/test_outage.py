"""The database is away for some seconds, and nobody helps the runners."""

import time
from pathlib import Path

import psycopg

from retoma.runner.calls import RECONNECT_S
from tests.runner.conftest import World
from tests.support.clusters import Server
from tests.support.runners import runners_on
from tests.support.sandbox_process import start_sandbox
from tests.support.waiting import wait_until


def test_a_waiting_runner_hears_the_doorbell_soon_after_an_outage(
    server: Server, database: str, tmp_path: Path
) -> None:
    sandbox = start_sandbox(tmp_path / "ledger")
    try:
        with runners_on(database, tmp_path) as runners:
            runner = runners.start("r1")
            wait_until(lambda: "registered" in runner.text())

            server.stop("immediate")
            try:
                wait_until(lambda: "liveness_lost" in runner.text())
                time.sleep(8 * RECONNECT_S)  # so long that its pools have given up more than once
            finally:
                server.start()

            with psycopg.connect(database, autocommit=True) as db:
                world = World(db, sandbox)
                world.webhook("sales")
                back_at = time.monotonic()
                world.campaign("spring", "sales", messages=1)
                world.wait_for_sent("spring", 1)
                assert time.monotonic() - back_at < 5
    finally:
        sandbox.kill()
