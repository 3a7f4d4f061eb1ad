"""Asks providers again and again for what the database wants to know: see retoma.transport_reading."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import LiteralString

import structlog
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.asking import LONGEST_S, keep_asking
from retoma.runner.calls import Database
from retoma.transports import registry
from retoma.transports.base import ListsTemplates, ReadsAccount, Transport

log = structlog.get_logger()


@dataclass(frozen=True)
class Reading:
    """Something that providers are asked for.

    Attributes:
        about: as in retoma.transport_reading.
        ask: asks through a transport; None when this transport cannot ask. Its answer is given to record.
        record: a call with the id of a channel, the time of its turn, and one of the answer and why there is
            none; the other one is null.
    """

    about: str
    ask: Callable[[Transport], Awaitable[object] | None]
    record: LiteralString


def _templates(transport: Transport) -> Awaitable[object] | None:
    async def asked(lister: ListsTemplates) -> object:
        return [template._asdict() for template in await lister.list_templates()]

    return asked(transport) if isinstance(transport, ListsTemplates) else None


def _account(transport: Transport) -> Awaitable[object] | None:
    async def asked(reader: ReadsAccount) -> object:
        return (await reader.read_account())._asdict()

    return asked(transport) if isinstance(transport, ReadsAccount) else None


TEMPLATES = Reading("templates", _templates, "select retoma.record_templates(%s, %s, %s, %s)")
ACCOUNT = Reading("account", _account, "select retoma.record_account(%s, %s, %s, %s)")


async def keep_reading(database: Database, reading: Reading, stop: asyncio.Event) -> None:
    """Ask whenever a channel is due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending.
        reading: what is asked for.
        stop: set when the runner stops.
    """

    async def ask(row: DictRow) -> None:
        said, fault = await _answer(reading, row)
        log.info("provider_asked", about=reading.about, channel=row["channel"], fault=fault)
        await database.call(
            reading.record,
            (row["channel_id"], row["asked_at"], None if fault else Jsonb(said), fault),
            waits_for_locks=False,
        )

    due: LiteralString = "select * from retoma.readings_due(%s)"
    await keep_asking(database, due, (reading.about,), ask, stop, what=reading.about)


async def _answer(reading: Reading, row: DictRow) -> tuple[object, str | None]:
    """What the provider said, or why it said nothing."""
    try:
        transport = registry.create(row["transport"], row["settings"])
    except RetomaError as error:
        return None, error.message
    try:
        answer = reading.ask(transport)
        if answer is None:
            return (
                None,
                f"The transport {row['transport']} of this runner cannot ask: {reading.about}.",
            )
        async with asyncio.timeout(LONGEST_S):
            return await answer, None
    except RetomaError as error:
        return None, error.message
    except TimeoutError:
        return None, f"The provider said nothing within {LONGEST_S:.0f} seconds."
    finally:
        await transport.aclose()
