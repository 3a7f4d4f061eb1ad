"""A runner process, put together from its parts."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import structlog
from procrastinate.exceptions import AppNotOpen, ConnectorException

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.channels import Channels
from retoma.runner.confirmations import send_confirmations
from retoma.runner.contents import check_contents
from retoma.runner.doorbell import listen
from retoma.runner.liveness import UNREGISTER, UNREGISTER_S, keep_alive
from retoma.runner.numbers import check_numbers
from retoma.runner.readings import ACCOUNT, TEMPLATES, keep_reading
from retoma.runner.uploads import upload_media

log = structlog.get_logger()


ABANDON_S = 30.0
"""A stop that takes longer waits for a stalled connection. The database takes all leases back by itself."""


async def run(conninfo: str, name: str | None, connections: int, abandon: Callable[[int], None]) -> None:
    """Send until SIGTERM or SIGINT; then finish what is under way and give the batches back within 2 seconds.

    Args:
        conninfo: a PostgreSQL connection string, with one or several hosts.
        name: shown in v_runner; default host and process id.
        connections: database connections for sending; up to seven more are for liveness, the doorbell, the
            check of contents, the lists of templates, checks of numbers and confirmations of opt-outs.
        abandon: ends the process with an exit code; called from a thread when a stop takes too long.

    Raises:
        RetomaError: this process cannot do its work, or not any more; its supervisor starts another.
        psycopg.Error: the database refuses this runner for good.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _begin_stop, stop, partial(abandon, 0))
    runner_id = uuid4()
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    database = Database(conninfo, connections, stop)
    # A check reads the whole audience: meanwhile, it must not keep the only connection that sends.
    # The other one renders, so that neither waits for the other.
    checks = Database(conninfo, 2, stop, idle=0)
    lists = Database(conninfo, 1, stop, idle=0)
    channels = Channels(database, runner_id, stop)

    def end_with(part: asyncio.Task[None]) -> None:
        # Other runners take the leases of a process without its advisory lock: it must not stay.
        if not stop.is_set():
            _begin_stop(stop, partial(abandon, 1))
        if not part.cancelled() and (error := part.exception()) is not None:
            said = isinstance(error, RetomaError)  # by the command, when it ends
            log.error(f"{part.get_name()}_ended", runner=name, exc_info=None if said else error)

    registered, unchecked = asyncio.Event(), asyncio.Event()
    # Liveness outlives the drains: a lease whose runner has unregistered is reaped.
    drained = asyncio.Event()
    living = asyncio.create_task(
        keep_alive(conninfo, runner_id, name, registered=registered, unchecked=unchecked, stop=drained),
        name="liveness",
    )
    waiting = asyncio.create_task(_first(registered, stop))
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        waiting.cancel()
        await living
    living.add_done_callback(end_with)
    for pool in (database, checks, lists):
        await pool.open()
    # What is there by now stays: looking through it for garbage, again and again, took an eighth of the CPU.
    gc.freeze()
    beside = [
        asyncio.create_task(check_contents(checks, unchecked, channels.is_sending), name="checks"),
        asyncio.create_task(check_numbers(lists, runner_id, stop), name="numbers"),
        asyncio.create_task(keep_reading(lists, TEMPLATES, stop), name="templates"),
        asyncio.create_task(keep_reading(lists, ACCOUNT, stop), name="accounts"),
        asyncio.create_task(send_confirmations(lists, runner_id, stop), name="confirmations"),
        # Bytes of files come over the connection of the checks: neither must keep one that sends.
        asyncio.create_task(upload_media(checks, stop), name="uploads"),
    ]
    for part in beside:
        part.add_done_callback(end_with)
    if not stop.is_set():
        await listen(conninfo, channels.answer, partial(_clean_up, database), stop)
    for part in beside:
        part.cancel()
    await channels.close()
    drained.set()
    await asyncio.wait({living, *beside})
    if living.exception() is not None:
        await _give_back(database, runner_id)
    for pool in (checks, lists, database):
        await pool.close()
    for part in (living, *beside):
        _raise_end_of(part)
    log.info("stopped", runner=name)


def _begin_stop(stop: asyncio.Event, abandon: Callable[[], None]) -> None:
    stop.set()

    def cut_short() -> None:
        log.warning("stop_cut_short", after_s=ABANDON_S)
        abandon()

    # A thread: libraries wait for a stalled connection also while the event loop is being closed.
    timer = threading.Timer(ABANDON_S, cut_short)
    timer.daemon = True
    timer.start()


def _raise_end_of(part: asyncio.Task[None]) -> None:
    if part.cancelled() or (error := part.exception()) is None:
        return
    if isinstance(error, RetomaError):
        raise error
    raise RetomaError(
        f"The runner ended because its {part.get_name()} did ({type(error).__name__}).",
        "Its log has the reason. If the schema is of another version: retoma db upgrade",
    ) from error


async def _clean_up(database: Database) -> None:
    try:
        # Millions of rows take longer than any other call.
        rows = await database.call(
            "select * from retoma.cleanup()", (), timeout_s=None, waits_for_locks=False
        )
    except Stopped:
        return
    except Exception:
        log.exception("clean_up_failed")
    else:
        log.info("cleaned_up", **rows[0])


async def _give_back(database: Database, runner_id: UUID) -> None:
    """In place of the liveness task, which does this at a stop."""
    try:
        async with asyncio.timeout(UNREGISTER_S):
            await database.call(UNREGISTER, (runner_id,))
    except (Stopped, TimeoutError, psycopg.Error) as error:
        # The tick of another runner reaps them.
        log.warning("leases_kept", error=type(error).__name__)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs errors that no task waited for; without this, asyncio writes them between our lines of JSON."""
    error = context.get("exception")
    if isinstance(error, AppNotOpen):
        return  # the doorbell was closed at a stop, and its worker had not said good-bye yet
    # A job that procrastinate could not mark as done, because the database went away.
    expected = isinstance(error, ConnectorException)
    log.error("task_failed", what=context["message"], error=type(error).__name__,
              exc_info=None if expected else error)  # fmt: skip


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
