"""Calls of many channels, made together: one transaction, one commit, one way to the database and back.

A paced channel calls twice a message, and hardly ever; thousands of them call all the time. Alone, each call
costs a commit, and a disk makes only so many. The busier the database is, the more calls travel together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, LiteralString, TypeVar

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.worker.database import Database

AT_ONCE = 50
"""Calls in one transaction at most: the first of them waits for the last."""

CARRIERS = 2
"""Transactions at once: while one runs, calls gather for the other."""

LINGER_S = 0.005
"""How long a step of a paced channel waits for others. Its gaps are seconds."""

_ADVANCE = "select place, action, wait_s, reserved, messages from retoma.advance_batches(%s)"

Item = TypeVar("Item")


class Together(Generic[Item]):
    """Gathers calls that come at about the same time.

    Args:
        make: makes the calls of a list, all or none, and returns a row for each, with its "place" counted
            from 1. It may be repeated, and what it refuses together is asked one by one.
        linger_s: how long a call waits for others while the database is at leisure.
    """

    def __init__(self, make: Callable[[list[Item]], Awaitable[list[DictRow]]], linger_s: float = 0) -> None:
        self._make = make
        self._linger_s = linger_s
        self._waiting: list[tuple[Item, asyncio.Future[DictRow]]] = []
        self._carriers: set[asyncio.Task[None]] = set()

    async def call(self, item: Item) -> DictRow:
        """Returns the row of this item, or raises what `make` raises for it alone."""
        answer: asyncio.Future[DictRow] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._carriers) < CARRIERS:
            carrier = asyncio.create_task(self._carry())
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)
        return await answer

    async def _carry(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger_s)
            calls = self._waiting[:AT_ONCE]
            del self._waiting[:AT_ONCE]
            if not await self._answered(calls):
                for call in calls:
                    await self._answered([call])

    async def _answered(self, calls: list[tuple[Item, asyncio.Future[DictRow]]]) -> bool:
        try:
            rows = await self._make([item for item, _ in calls])
        except Exception as error:
            if len(calls) > 1:
                return False
            rows = []
            for _, answer in calls:
                if not answer.done():
                    answer.set_exception(error)
        for row in rows:
            answer = calls[row["place"] - 1][1]
            if not answer.done():
                answer.set_result(row)
        return True


class PacedSteps:
    """Makes the steps of leases whose channels have gaps, in the place of a Database.

    Args:
        database: where they are made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps: Together[list[object]] = Together(self._advance, LINGER_S)

    async def call(self, query: LiteralString, arguments: Sequence[Any]) -> list[DictRow]:
        """As Database.call, for the call of advance_batch that Lease makes."""
        batch_id, lease_epoch, outcomes, want, seen = arguments
        if any(outcome["status"] == "error" for outcome in outcomes.obj):
            return await self._database.call(query, arguments)
        return [await self._steps.call([batch_id, lease_epoch, outcomes.obj, want, seen])]

    async def _advance(self, steps: list[list[object]]) -> list[DictRow]:
        return await self._database.call(_ADVANCE, (Jsonb(steps),))
