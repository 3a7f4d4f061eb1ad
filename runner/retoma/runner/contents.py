"""Checks the contents that no parser has read yet, and renders those that were checked for all recipients."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog

from retoma.content.process import NotTried, RenderProcess
from retoma.content.written import Written
from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.pauses import Pauses
from retoma.runner.rendering import Rendering

log = structlog.get_logger()

_PAGE = "select * from retoma.contents_to_check(p_after_campaign => %s)"


async def check_contents(database: Database, unchecked: asyncio.Event) -> None:
    """Check and render contents whenever there are some, until this is cancelled or the runner stops.

    Args:
        database: not the pool for sending, because a check may keep its connection for minutes.
        unchecked: set when there may be contents to check or to render.
    """
    pauses, rendering = Pauses(), Rendering(database)
    try:
        while True:
            await unchecked.wait()
            unchecked.clear()
            try:
                await _check_all(database, pauses)
                if await rendering.pages():
                    unchecked.set()
            except Stopped:
                return
            except Exception:
                log.exception("content_check_failed")
    finally:
        await rendering.aclose()


async def _check_all(database: Database, pauses: Pauses) -> None:
    # Not the one that renders: a text that uses up its budget must not delay messages.
    process = RenderProcess()
    last = 0
    try:
        while rows := await database.call(_PAGE, (last,)):
            for row in filter(pauses.is_due, rows):
                pauses.begin(row)
                try:
                    await _check(database, process, row)
                    pauses.end(row)
                except Stopped:
                    raise
                except NotTried:
                    log.warning("content_not_checked", campaign_id=row["campaign_id"])
                except psycopg.errors.LockNotAvailable:
                    log.warning("content_check_put_off", campaign_id=row["campaign_id"])
                except Exception:
                    # The others have their turn.
                    log.exception("content_check_failed", campaign_id=row["campaign_id"])
            last = rows[-1]["campaign_id"]
    finally:
        await process.aclose()


async def _check(database: Database, process: RenderProcess, row: Mapping[str, Any]) -> None:
    required, optional, fault = None, None, None
    try:
        checked = await process.check(Written(row["content"], row["texts"]))
    except RetomaError as error:
        fault = error.message
    else:
        required, optional = checked.required_variables, checked.optional_variables
    log.info("content_checked", campaign_id=row["campaign_id"], fault=fault)
    await database.call(
        "select retoma.record_content_check(%s, %s, %s, %s, %s)",
        (row["campaign_id"], row["variant"], required, fault, optional),
        timeout_s=None,  # it may read the whole audience
        waits_for_locks=False,
    )
