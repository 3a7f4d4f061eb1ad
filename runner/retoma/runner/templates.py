"""Reads the templates of channels whose provider has to approve them, again and again."""

import asyncio

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.transports import registry
from retoma.transports.base import ListsTemplates, Settings, Template

log = structlog.get_logger()

PAUSE_S = 15.0
"""How often this runner asks whether a channel is due. The database gives each to one runner."""

LONGEST_S = 240.0
"""For one list. After 5 minutes, the database gives the channel to another runner."""

_DUE = "select * from retoma.templates_to_read()"


async def read_templates(database: Database, stop: asyncio.Event) -> None:
    """Read lists whenever they are due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending, because a session that was left open can hold these calls up.
        stop: set when the runner stops.
    """
    while not stop.is_set():
        try:
            while rows := await database.call(_DUE, (), waits_for_locks=False):
                row = rows[0]
                templates, fault = await _read(row["transport"], row["settings"])
                log.info(
                    "templates_read", channel=row["channel"], templates=len(templates or ()), fault=fault
                )
                listed = None if templates is None else Jsonb([item._asdict() for item in templates])
                try:
                    await database.call(
                        "select retoma.record_templates(%s, %s, %s, %s)",
                        (row["channel_id"], row["asked_at"], listed, fault),
                        waits_for_locks=False,
                    )
                except psycopg.errors.LockNotAvailable:
                    # The turn ends by itself, and the list is asked for again.
                    log.warning("templates_put_off", channel=row["channel"])
        except Stopped:
            return
        except psycopg.errors.LockNotAvailable:
            log.warning("templates_put_off", channel=None)
        except Exception:
            # One channel must not keep the others waiting: the database gives the turn away.
            log.exception("templates_not_read")
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            continue


async def _read(transport: str, settings: Settings) -> tuple[list[Template] | None, str | None]:
    """The templates, or why there are none."""
    try:
        made = registry.create(transport, settings)
    except RetomaError as error:
        return None, error.message
    try:
        if not isinstance(made, ListsTemplates):
            return None, f"The transport {transport} of this runner lists no templates."
        async with asyncio.timeout(LONGEST_S):
            return await made.list_templates(), None
    except RetomaError as error:
        return None, error.message
    except TimeoutError:
        return None, f"The provider gave no list of templates within {LONGEST_S:.0f} seconds."
    finally:
        await made.aclose()
