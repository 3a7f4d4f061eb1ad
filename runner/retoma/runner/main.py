"""A runner process, put together from its parts."""

import asyncio
import gc
import os
import signal
import socket
from typing import Any
from uuid import uuid4

import structlog
from procrastinate.exceptions import ConnectorException

from retoma.runner.calls import Database, Stopped
from retoma.runner.channels import Channels
from retoma.runner.contents import check_contents
from retoma.runner.doorbell import listen
from retoma.runner.liveness import keep_alive

log = structlog.get_logger()


async def run(conninfo: str, name: str | None = None, connections: int = 4) -> None:
    """Send until SIGTERM or SIGINT; then finish what is under way and give the batches back within 2 seconds.

    Args:
        conninfo: a PostgreSQL connection string, with one or several hosts.
        name: shown in v_runner; default host and process id.
        connections: database connections for sending; up to four more are for liveness and the doorbell.

    Raises:
        psycopg.Error: the database refuses this runner for good.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner_id = uuid4()
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    database = Database(conninfo, connections, stop)
    channels = Channels(database, runner_id, stop)

    async def clean_up() -> None:
        try:
            # Millions of rows take longer than any other call.
            rows = await database.call("select * from retoma.cleanup()", (), timeout_s=None)
        except Stopped:
            return
        except Exception:
            log.exception("clean_up_failed")
        else:
            log.info("cleaned_up", **rows[0])

    registered, unchecked = asyncio.Event(), asyncio.Event()
    # Liveness outlives the drains: a lease whose runner has unregistered is reaped.
    drained = asyncio.Event()
    living = asyncio.create_task(
        keep_alive(conninfo, runner_id, name, registered=registered, unchecked=unchecked, stop=drained)
    )
    waiting = asyncio.create_task(_first(registered, stop))
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        waiting.cancel()
        await living
    await database.open()
    # What is there by now stays: looking through it for garbage, again and again, took an eighth of the CPU.
    gc.freeze()
    checking = asyncio.create_task(check_contents(database, unchecked))
    if not stop.is_set():
        await listen(conninfo, channels.answer, clean_up, stop)
    checking.cancel()
    await asyncio.wait({checking})
    await channels.close()
    drained.set()
    await living
    await database.close()
    log.info("stopped", runner=name)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs errors that no task waited for; without this, asyncio writes them between our lines of JSON."""
    error = context.get("exception")
    # A job that procrastinate could not mark as done, because the database went away.
    expected = isinstance(error, ConnectorException)
    log.error("task_failed", what=context["message"], error=type(error).__name__,
              exc_info=None if expected else error)  # fmt: skip


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
