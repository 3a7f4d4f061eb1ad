"""procrastinate as the doorbell: its job says which channel to drain, and nothing else depends on it.

A job ends when its drain has begun. The worker of procrastinate ends when its connection is lost; it is
started again for as long as the runner lives, while the drains go on.
"""

import asyncio
from collections.abc import Awaitable, Callable

import procrastinate
import psycopg
import structlog

from retoma.database import session
from retoma.runner.calls import APPLICATION, RECONNECT_S, backoff, keep_connecting

log = structlog.get_logger()

GOOD_BYE_S = 1.0

POLL_S = 1.0
"""A ring during the fetch of its job notifies no runner: the poll finds it."""


async def listen(
    conninfo: str,
    answer: Callable[[int], Awaitable[None]],
    clean_up: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Answer the doorbell until stop is set.

    Args:
        conninfo: where the database is.
        answer: begins to send on the channel with this id.
        clean_up: the hourly maintenance.
        stop: ends the runner.
    """
    attempt = 0
    while not stop.is_set():
        try:
            await _listen(conninfo, answer, clean_up, stop)
            attempt = 0
        except Exception as error:
            log.warning("doorbell_lost", error=type(error).__name__)
        await backoff(attempt, stop)
        attempt = min(attempt + 1, 5)


async def _listen(
    conninfo: str,
    answer: Callable[[int], Awaitable[None]],
    clean_up: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    app = _app(conninfo, answer, clean_up)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=["retoma"],
                concurrency=2,  # so that the hourly maintenance keeps no ring waiting
                delete_jobs="always",
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S,
                shutdown_graceful_timeout=0.1,
            )
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            # It says good-bye to the database, and would wait for one that is stalled.
            worker.add_done_callback(_forget)
            worker.cancel()
            await asyncio.wait({worker}, timeout=GOOD_BYE_S)
        else:
            await worker


def _forget(worker: asyncio.Task[None]) -> None:
    """Asks for its error, about which asyncio would write otherwise."""
    if not worker.cancelled():
        worker.exception()


def _app(
    conninfo: str, answer: Callable[[int], Awaitable[None]], clean_up: Callable[[], Awaitable[None]]
) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo,
        min_size=1,
        max_size=2,
        timeout=3.0,
        reconnect_timeout=RECONNECT_S,
        reconnect_failed=keep_connecting,
        configure=_prepare,
        kwargs={**session.OPTIONS, "application_name": APPLICATION},
    )
    app = procrastinate.App(connector=connector)

    @app.task(name="retoma.drain_channel", queue="retoma")
    async def drain_channel(channel_id: int) -> None:
        await answer(channel_id)

    # Without any periodic task, procrastinate does not notice that its heartbeat has failed.
    @app.periodic(cron="17 * * * *")
    @app.task(name="retoma.clean_up", queue="retoma", queueing_lock="retoma:clean_up", pass_context=False)
    async def hourly(timestamp: int) -> None:
        await clean_up()

    return app


async def _prepare(connection: psycopg.AsyncConnection) -> None:
    # A process frozen between a fetch and its commit would keep the lock of the job, and so block every tick
    # that rings the same channel until it is thawed.
    await connection.set_autocommit(True)
    await session.pin(connection)
    # A fetch that is lost in a crash of the server leaves the job waiting: it need not wait for the disk.
    await connection.execute("set synchronous_commit to off")
    await connection.execute("set search_path to procrastinate, pg_temp")
