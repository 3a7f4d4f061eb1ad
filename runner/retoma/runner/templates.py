"""Reads the templates of channels whose provider has to approve them, again and again."""

import asyncio

import structlog
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.asking import LONGEST_S, keep_asking
from retoma.runner.calls import Database
from retoma.transports import registry
from retoma.transports.base import ListsTemplates, Settings, Template

log = structlog.get_logger()


async def read_templates(database: Database, stop: asyncio.Event) -> None:
    """Read lists whenever they are due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending.
        stop: set when the runner stops.
    """

    async def ask(row: DictRow) -> None:
        templates, fault = await _read(row["transport"], row["settings"])
        log.info("templates_read", channel=row["channel"], templates=len(templates or ()), fault=fault)
        listed = None if templates is None else Jsonb([item._asdict() for item in templates])
        await database.call(
            "select retoma.record_templates(%s, %s, %s, %s)",
            (row["channel_id"], row["asked_at"], listed, fault),
            waits_for_locks=False,
        )

    await keep_asking(database, "select * from retoma.templates_to_read()", ask, stop, what="templates")


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
