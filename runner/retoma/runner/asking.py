"""Loops that ask providers for what the database wants to know, one channel after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import LiteralString

import psycopg
import structlog
from psycopg.rows import DictRow

from retoma.runner.calls import Database, Stopped

log = structlog.get_logger()

PAUSE_S = 15.0
"""How often this runner asks whether a channel is due. The database gives each to one runner."""

LONGEST_S = 240.0
"""For one answer. After 5 minutes, the database gives the channel to another runner."""


async def keep_asking(
    database: Database,
    due: LiteralString,
    arguments: Sequence[object],
    ask: Callable[[DictRow], Awaitable[None]],
    stop: asyncio.Event,
    *,
    what: str,
) -> None:
    """Ask whenever a channel is due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending, because a session that was left open can hold these calls up.
        due: a query for the next channel; no row when none is due.
        arguments: its parameters.
        ask: asks the provider and records the answer.
        stop: set when the runner stops.
        what: is asked for; the first word of events in the log.
    """
    while not stop.is_set():
        try:
            while rows := await database.call(due, arguments, waits_for_locks=False):
                try:
                    await ask(rows[0])
                except psycopg.errors.LockNotAvailable:
                    # The turn ends by itself, and the provider is asked again.
                    log.warning(f"{what}_put_off", channel=rows[0]["channel"])
        except Stopped:
            return
        except psycopg.errors.LockNotAvailable:
            log.warning(f"{what}_put_off", channel=None)
        except Exception:
            # One channel must not keep the others waiting: the database gives the turn away.
            log.exception(f"{what}_not_read")
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            continue
