"""Several leases of one channel at once: what becomes of their errors."""

import asyncio
import gc
from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from uuid import uuid4

import pytest

from retoma.runner.calls import Database, Stopped
from retoma.runner.lanes import Lanes


class TwoLeases:
    """Stands for a database that has two batches to lease, and then none."""

    def __init__(self) -> None:
        self._batches = [1, 2]

    async def call(self, query: str, arguments: Sequence[object]) -> list[dict[str, object]]:
        batch = self._batches.pop(0) if self._batches else None
        facts = dict.fromkeys(("channel", "campaign", "epoch", "lease_epoch", "reserved"))
        return [facts | {"batch_id": batch, "lease_s": 60.0, "may_lease_more": bool(self._batches)}]

    def is_held_up(self, tasks: Iterable[object]) -> bool:
        return False


@pytest.mark.parametrize("leases", [1, 2])
async def test_no_error_of_a_lane_is_left_unasked_for(leases: int) -> None:
    """At a stop while the database is away, all lanes raise Stopped, at once or one by one."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    raised = asyncio.Event()

    async def run(row: Mapping[str, object]) -> None:
        await raised.wait()
        raise Stopped

    async def drain() -> None:
        async with Lanes(cast(Database, TwoLeases()), uuid4(), 1, run) as lanes:
            for _ in range(leases - 1):
                await lanes.next()
            asyncio.get_running_loop().call_soon(raised.set)
            await lanes.next()
            await lanes.next()

    with pytest.raises(Stopped):
        await drain()
    gc.collect()

    assert complaints == []
