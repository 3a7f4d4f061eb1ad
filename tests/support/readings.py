"""The part of a runner that asks providers about their accounts and templates."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from retoma.runner.calls import Database
from retoma.runner.readings import Reading, keep_reading
from tests.support.waiting import PATIENT_S


@asynccontextmanager
async def reading_part(database: str, reading: Reading) -> AsyncIterator[None]:
    """It runs until the end of the block."""
    stop = asyncio.Event()
    pool = Database(database, 1, stop)
    await pool.open()
    part = asyncio.create_task(keep_reading(pool, reading, stop))
    yield
    stop.set()
    await asyncio.wait_for(part, PATIENT_S)
    await pool.close()
