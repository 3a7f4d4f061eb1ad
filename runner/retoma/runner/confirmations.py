"""Sends the confirmations of opt-outs, each once.

The database gives a confirmation out once and never again. So whatever ends between the two calls below, a
person gets one answer at most.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.transports import registry
from retoma.transports.base import Message, SendResult, now

log = structlog.get_logger()

PAUSE_S = 2.0
"""How often this runner asks whether a confirmation is due. The database keeps the turn of a channel that has
pauses for 5 seconds."""

FINISH_S = 1.5
"""How long a stop waits for the one that is under way. Later, the database counts it as in doubt."""


async def send_confirmations(database: Database, runner_id: UUID, stop: asyncio.Event) -> None:
    """Send confirmations whenever they are due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending, because a session that was left open can hold these calls up.
        runner_id: as it is registered.
        stop: set when the runner stops.
    """
    while not stop.is_set():
        try:
            while not stop.is_set():
                rows = await database.call(
                    "select * from retoma.confirmations_to_send(%s)", (runner_id,), waits_for_locks=False
                )
                if not rows:
                    break
                await _to_the_end(asyncio.create_task(_send_one(database, runner_id, rows[0])))
        except Stopped:
            return
        except Exception:
            # One channel must not keep the others waiting.
            log.exception("confirmation_not_sent")
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            continue


async def _to_the_end(sending: asyncio.Task[None]) -> None:
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait({sending}, timeout=FINISH_S)
        sending.cancel()
        await asyncio.wait({sending})
        raise


async def _send_one(database: Database, runner_id: UUID, row: Mapping[str, Any]) -> None:
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
