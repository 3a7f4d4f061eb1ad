"""Checks the contents that no parser has read yet, and renders those that were checked for all recipients."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import structlog

from retoma.content.process import NotTried, RenderProcess
from retoma.content.written import Written
from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.pauses import Pauses
from retoma.runner.rendering import render_contents

log = structlog.get_logger()

_PAGE = "select * from retoma.contents_to_check(p_after_campaign => %s)"


async def check_contents(
    database: Database, unchecked: asyncio.Event, is_sending: Callable[[], bool]
) -> None:
    """Check and render contents whenever there are some, until this is cancelled.

    The two do not wait for each other: a content cannot be sent before its check, and rendering takes long.

    Args:
        database: with two connections at least. Not the pool for sending, because a check may keep its
            connection for minutes.
        unchecked: set when there may be contents to check or to render.
        is_sending: whether this process sends messages now.
    """
    to_check, to_render = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as parts:
        parts.create_task(_check_when(to_check, database), name="check")
        parts.create_task(render_contents(database, to_render, is_sending), name="rendering")
        while True:
            await unchecked.wait()
            unchecked.clear()
            to_check.set()
            to_render.set()


async def _check_when(told: asyncio.Event, database: Database) -> None:
    pauses = Pauses()
    while True:
        await told.wait()
        told.clear()
        try:
            await _check_all(database, pauses)
        except Stopped:
            return
        except Exception:
            log.exception("content_check_failed")


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
