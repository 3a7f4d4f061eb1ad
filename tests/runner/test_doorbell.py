"""The doorbell: what wakes a runner that waits."""

import asyncio

import pytest

from retoma.runner import doorbell
from tests.support.campaigns import Db, call, make_channel
from tests.support.waiting import DEADLINE_S

LISTENS = """
    select exists(
      select from pg_stat_activity where datname = current_database() and query ilike 'listen %%#retoma%%'
    )
"""


async def test_a_waiting_runner_hears_a_ring_by_its_notification_and_not_by_the_next_poll(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def clean_up() -> None:
        return

    monkeypatch.setattr(doorbell, "POLL_S", 10 * DEADLINE_S)
    channel = make_channel(db)
    heard, stop = asyncio.Queue[int](), asyncio.Event()
    listening = asyncio.create_task(doorbell.listen(database, heard.put, clean_up, stop))
    async with asyncio.timeout(DEADLINE_S):
        while not call(db, LISTENS):  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.02)

    call(db, "select retoma.ring(array[%s]::int[])", channel)

    assert await asyncio.wait_for(heard.get(), DEADLINE_S) == channel
    stop.set()
    await listening
