"""Sends the confirmations of opt-outs, each once.

The database gives a confirmation out once and never again. So whatever ends between the two calls below, a
person gets one answer at most.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.finishing import finish
from retoma.transports import registry
from retoma.transports.base import Message, SendResult, now

log = structlog.get_logger()

PAUSE_S = 2.0
"""How often this runner asks whether a confirmation is due. The database keeps the turn of a channel that has
pauses for 5 seconds."""

AT_ONCE = 16
"""Confirmations under way in this runner. On a channel with pauses, the database gives one at a time."""

FINISH_S = 1.5
"""How long a stop waits for those that are under way. Later, the database counts them as in doubt."""


async def send_confirmations(database: Database, runner_id: UUID, stop: asyncio.Event) -> None:
    """Send confirmations whenever they are due, until the runner stops or this is cancelled.

    Each has a task of its own: a provider that does not answer, or a session that locks one channel, keeps no
    other channel waiting.

    Args:
        database: not the pool for sending, because a session that was left open can hold these calls up.
        runner_id: as it is registered.
        stop: set when the runner stops.
    """
    under_way: set[asyncio.Task[None]] = set()
    try:
        while not stop.is_set():
            if len(under_way) < AT_ONCE and (row := await _next(database, runner_id)):
                under_way.add(asyncio.create_task(_send_one(database, runner_id, row), name="confirmation"))
            else:
                await _pause(stop)
            under_way = {task for task in under_way if not task.done()}
    except Stopped:
        return
    finally:
        await finish(under_way, FINISH_S)


async def _next(database: Database, runner_id: UUID) -> DictRow | None:
    try:
        rows = await database.call(
            "select * from retoma.confirmations_to_send(%s)", (runner_id,), waits_for_locks=False
        )
    except Stopped:
        raise
    except psycopg.Error:
        log.exception("confirmations_not_claimed")
        return None
    return rows[0] if rows else None


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), PAUSE_S)


async def _send_one(database: Database, runner_id: UUID, row: Mapping[str, Any]) -> None:
    try:
        await _send_and_record(database, runner_id, row)
    except Stopped:
        return
    except Exception:
        log.exception("confirmation_not_recorded", channel=row["channel"])


async def _send_and_record(database: Database, runner_id: UUID, row: Mapping[str, Any]) -> None:
    result, refused = await _sent(row)
    log.info("confirmation_sent", channel=row["channel"], status=result.status, code=result.code)
    outcome = {
        "status": result.status,
        "code": result.code,
        "http_status": result.http_status,
        "retry_after_s": result.retry_after_s,
        "written": result.written,
        "provider_id": result.provider_id,
    }
    await database.call("select retoma.record_confirmation(%s, %s)", (row["confirmation_id"], Jsonb(outcome)))
    if refused is not None:
        await database.call(
            "select retoma.refuse_channel(%s, %s, %s)", (runner_id, row["channel_id"], refused)
        )


async def _sent(row: Mapping[str, Any]) -> tuple[SendResult, str | None]:
    """The facts, and why this runner cannot use the channel."""
    send_before = now() + row["send_s"] / 2
    try:
        transport = registry.create(row["transport"], row["settings"])
    except RetomaError as error:
        return SendResult("error", code="not_attempted", written=False), error.message
    message = Message(row["message_id"], row["phone"], row["content"], send_before)
    try:
        async with asyncio.timeout(row["send_s"]):
            return await transport.send(message), None
    except TimeoutError:
        return SendResult("error", code="timeout"), None
    finally:
        await transport.aclose()
