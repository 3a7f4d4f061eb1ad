"""Checks the contents that no parser has read yet: those of campaigns that were created in psql."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog

from retoma.content.check import check
from retoma.content.kinds import Content
from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped

log = structlog.get_logger()

_PAGE = "select * from retoma.contents_to_check(p_after_campaign => %s)"


async def check_contents(database: Database, unchecked: asyncio.Event) -> None:
    """Check contents whenever there are some, until this is cancelled or the runner stops.

    Args:
        database: not the pool for sending, because a check may keep its connection for minutes.
        unchecked: set when there may be contents to check.
    """
    while True:
        await unchecked.wait()
        unchecked.clear()
        try:
            await _check_all(database)
        except Stopped:
            return
        except Exception:
            log.exception("content_check_failed")


async def _check_all(database: Database) -> None:
    last = 0
    while rows := await database.call(_PAGE, (last,)):
        for row in rows:
            try:
                await _check(database, row)
            except Stopped:
                raise
            except psycopg.errors.LockNotAvailable:
                log.warning("content_check_put_off", campaign_id=row["campaign_id"])
            except Exception:
                # The others have their turn. The next tick tells this runner or another one again.
                log.exception("content_check_failed", campaign_id=row["campaign_id"])
        last = rows[-1]["campaign_id"]


async def _check(database: Database, row: Mapping[str, Any]) -> None:
    # In a thread: a hostile text takes a second or more, and meanwhile the channels go on.
    variables, fault = await asyncio.to_thread(_judge, row["content"])
    log.info("content_checked", campaign_id=row["campaign_id"], fault=fault)
    await database.call(
        "select retoma.record_content_check(%s, %s, %s, %s)",
        (row["campaign_id"], row["variant"], variables, fault),
        timeout_s=None,  # it may read the whole audience
        waits_for_locks=False,
    )


def _judge(content: Content) -> tuple[list[str] | None, str | None]:
    """The variables that a content requires, or why it cannot be sent."""
    try:
        return check(content).required_variables, None
    except RetomaError as error:
        return None, error.message
    except (MemoryError, OSError):
        # Trouble of this machine; a fault is final.
        raise
    except Exception as error:
        # A defect of the parser. Not its words, which may hold content; and no reason to keep others waiting.
        log.error("content_not_read", error=type(error).__name__)
        return None, f"the text cannot be read ({type(error).__name__})"
