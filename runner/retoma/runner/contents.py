"""Checks the contents that no parser has read yet: those of campaigns that were created in psql."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog

from retoma.content.process import NotTried, RenderProcess
from retoma.content.written import Written
from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.transports.base import now

log = structlog.get_logger()

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Before a content is read again that could not be checked; each time twice as long."""

_PAGE = "select * from retoma.contents_to_check(p_after_campaign => %s)"


async def check_contents(database: Database, unchecked: asyncio.Event) -> None:
    """Check contents whenever there are some, until this is cancelled or the runner stops.

    Args:
        database: not the pool for sending, because a check may keep its connection for minutes.
        unchecked: set when there may be contents to check.
    """
    pauses = Pauses()
    while True:
        await unchecked.wait()
        unchecked.clear()
        try:
            await _check_all(database, pauses)
        except Stopped:
            return
        except Exception:
            log.exception("content_check_failed")


class Pauses:
    """When a content may be read again. Each tick tells of it, and reading may cost seconds of CPU time."""

    def __init__(self) -> None:
        self._pauses: dict[tuple[int, int], tuple[float, float]] = {}

    def is_due(self, row: Mapping[str, Any]) -> bool:
        due_at, _ = self._pauses.get(_key(row), (0.0, 0.0))
        return now() >= due_at

    def begin(self, row: Mapping[str, Any]) -> None:
        _, last_s = self._pauses.get(_key(row), (0.0, FIRST_PAUSE_S / 2))
        pause_s = min(2 * last_s, LONGEST_PAUSE_S)
        self._pauses[_key(row)] = now() + pause_s, pause_s

    def end(self, row: Mapping[str, Any]) -> None:
        self._pauses.pop(_key(row), None)


def _key(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["campaign_id"], row["variant"]


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
