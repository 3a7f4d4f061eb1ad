"""Asks providers under which address people can be reached, before the first message to them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.finishing import finish
from retoma.transports import registry
from retoma.transports.base import NumberCheck, Transport, now

log = structlog.get_logger()

PAUSE_S = 1.0
"""How often this runner asks whether a channel is due. The database gives each to one runner."""

LONGEST_S = 40.0
"""For the numbers of one turn. After a minute, the database gives the channel to another runner."""

ANSWER_S = 10.0
"""How long one answer may take: messages wait for it."""

FINISH_S = 1.5
"""How long a stop waits for the question that is under way in each turn."""

_DUE = "select * from retoma.numbers_to_check(%s)"


async def check_numbers(database: Database, runner_id: UUID, stop: asyncio.Event) -> None:
    """Check numbers whenever they are due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending, because a session that was left open can hold these calls up.
        runner_id: as it is registered.
        stop: set when the runner stops.
    """
    turns: set[asyncio.Task[None]] = set()
    try:
        while not stop.is_set():
            try:
                for row in await database.call(_DUE, (runner_id,), waits_for_locks=False):
                    # A provider that answers slowly keeps no other channel waiting.
                    turns.add(asyncio.create_task(_take_turn(database, runner_id, row, stop), name="numbers"))
            except Stopped:
                return
            except psycopg.errors.LockNotAvailable:
                log.warning("numbers_put_off", channel=None)
            except Exception:
                log.exception("numbers_not_checked")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_S)
            turns = {turn for turn in turns if not turn.done()}
    finally:
        # What they know already, they record.
        await finish(turns, FINISH_S)


async def _take_turn(
    database: Database, runner_id: UUID, row: Mapping[str, Any], stop: asyncio.Event
) -> None:
    try:
        checks = await _checks(database, runner_id, row, stop)
        answers = [
            {"phone": phone, "exists": check.exists, "address": check.address}
            for phone, check in checks.items()
        ]
        await database.call(
            "select retoma.record_numbers(%s, %s, %s)",
            (row["channel_id"], row["asked_at"], Jsonb(answers)),
            waits_for_locks=False,
        )
        # Else a reply from such an address would wait until a webhook names the number.
        aliases = [
            {"address": check.alias, "phone": phone}
            for phone, check in checks.items()
            if check.alias is not None
        ]
        if aliases:
            await database.call(
                "select retoma.record_aliases(%s, %s)",
                (row["channel"], Jsonb(aliases)),
                waits_for_locks=False,
            )
    except Stopped:
        return
    except psycopg.errors.LockNotAvailable:
        log.warning("numbers_put_off", channel=row["channel"])
        return
    except Exception:
        log.exception("numbers_not_checked", channel=row["channel"])
        return
    if checks:
        log.info(
            "numbers_checked",
            channel=row["channel"],
            numbers=len(checks),
            not_on_whatsapp=sum(check.exists is False for check in checks.values()),
            unanswered=sum(check.exists is None for check in checks.values()),
        )


async def _checks(
    database: Database, runner_id: UUID, row: Mapping[str, Any], stop: asyncio.Event
) -> dict[str, NumberCheck]:
    """What is said in time about each number, one question after the other. None: this runner cannot ask."""
    try:
        transport = registry.create(row["transport"], row["settings"])
    except RetomaError as error:
        log.error("channel_refused", channel=row["channel"], error=error.message)
        await database.call(
            "select retoma.refuse_channel(%s, %s, %s)", (runner_id, row["channel_id"], error.message)
        )
        return {}
    ends_at = now() + LONGEST_S
    checks: dict[str, NumberCheck] = {}
    try:
        for phone in row["phones"]:
            if checks and await _stops_within(row["gap_s"], stop):
                break
            if now() >= ends_at:
                break
            checks[phone] = await _ask(transport, phone)
    finally:
        await transport.aclose()
    return checks


async def _stops_within(seconds: float, stop: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _ask(transport: Transport, phone: str) -> NumberCheck:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await transport.check_number(phone)
    except TimeoutError:
        return NumberCheck(None)
    except Exception as error:
        # A defect of the transport. Not its words, which may hold the number.
        log.error("number_check_failed", error=type(error).__name__)
        return NumberCheck(None)
