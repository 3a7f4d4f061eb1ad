"""Uploads the stored files that campaigns name to the providers of their channels, before they are sent."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.transports import registry
from retoma.transports.base import Medium, UploadsMedia

log = structlog.get_logger()

PAUSE_S = 2.0
"""How often this runner asks whether a file is to be uploaded. The database gives each to one runner."""

LONGEST_S = 540.0
"""For one file. After 10 minutes, the database gives it to another runner."""


async def upload_media(database: Database, stop: asyncio.Event) -> None:
    """Upload files whenever there are some, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending, because the bytes of a file keep a connection for seconds.
        stop: set when the runner stops.
    """
    while not stop.is_set():
        try:
            while rows := await database.call("select * from retoma.media_to_upload()", ()):
                await _upload_one(database, rows[0])
        except Stopped:
            return
        except Exception:
            # One file must not keep the others waiting: the database gives the turn away.
            log.exception("media_not_uploaded")
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            continue


async def _upload_one(database: Database, row: Mapping[str, Any]) -> None:
    provider_id, fault = await _uploaded(database, row)
    log.info("medium_uploaded", channel=row["channel"], mimetype=row["mimetype"], fault=fault)
    await database.call(
        "select retoma.record_upload(%s, %s, %s, %s, %s)",
        (row["channel_id"], row["sha256"], row["asked_at"], provider_id, fault),
    )


async def _uploaded(database: Database, row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The id at the provider, or why there is none."""
    name = row["transport"]
    try:
        transport = registry.create(name, row["settings"])
    except RetomaError as error:
        return None, error.message
    try:
        if not isinstance(transport, UploadsMedia):
            return None, f"The transport {name} of this runner uploads no files."
        query = "select retoma.medium_bytes(%s) as data"
        (stored,) = await database.call(query, (row["sha256"],), timeout_s=None)
        if stored["data"] is None:
            return None, "The file is not stored any more."
        async with asyncio.timeout(LONGEST_S):
            return await transport.upload_medium(Medium(row["name"], row["mimetype"], stored["data"])), None
    except RetomaError as error:
        return None, error.message
    except TimeoutError:
        return None, f"The provider did not take the file within {LONGEST_S:.0f} seconds."
    finally:
        await transport.aclose()
