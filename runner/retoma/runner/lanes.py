"""The leases of one channel that a drain holds side by side, as many as the database allows.

With a second lease, the next batch is read while the last outcomes of the first one are written.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import cast
from uuid import UUID

import structlog

from retoma.runner.calls import Database

log = structlog.get_logger()

_LEASE = "select * from retoma.lease_batch(%s, %s, %s::bigint[])"


class Lanes:
    """Leases of one channel; leaving the context waits for those that are under way.

    Args:
        database: the runner's pool.
        runner_id: identity of this process.
        channel_id: whose batches.
        run: sends a batch, given the reply of lease_batch, until its lease is over.
    """

    def __init__(
        self,
        database: Database,
        runner_id: UUID,
        channel_id: int,
        run: Callable[[Mapping[str, object]], Coroutine[object, object, None]],
    ) -> None:
        self._database = database
        self._runner_id = runner_id
        self._channel_id = channel_id
        self._run = run
        self._lanes: dict[asyncio.Task[None], int] = {}
        self._lease_s = 60.0

    async def next(self) -> bool:
        """Lease a batch and begin it; then wait until another lease may be tried.

        Returns:
            False when there was none, and nothing is under way that could change that.

        Raises:
            Exception: what a lane has raised, or the call.
        """
        # One call at a time: it ends every lease of this runner on the channel that is not named.
        holding = list(self._lanes.values())
        rows = await self._database.call(_LEASE, (self._runner_id, self._channel_id, holding))
        row = rows[0]
        if row["batch_id"] is not None:
            log.info("leased", channel=row["channel"], campaign=row["campaign"], batch=row["batch_id"],
                     epoch=row["lease_epoch"], position=row["reserved"])  # fmt: skip
            lane = asyncio.create_task(self._run(row))
            self._lanes[lane] = cast(int, row["batch_id"])
            self._lease_s = cast(float, row["lease_s"])
            if row["may_lease_more"]:
                return True
        if not self._lanes:
            return False
        done = await self._first_done()
        for lane in done:
            del self._lanes[lane]
        _raise_first(done)
        return True

    @property
    def is_held_up(self) -> bool:
        """Whether one of the lanes waits for a lock again and again: the others must go on beside it."""
        return self._database.is_held_up(self._lanes)

    async def _first_done(self) -> set[asyncio.Task[None]]:
        """The lanes that have ended; none when one is held up, because then another lease may be allowed."""
        while True:
            done, _ = await asyncio.wait(
                self._lanes, timeout=self._lease_s, return_when=asyncio.FIRST_COMPLETED
            )
            if done or self.is_held_up:
                return done

    async def __aenter__(self) -> "Lanes":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lanes:
            done, _ = await asyncio.wait(self._lanes)
            if error is None:
                _raise_first(done)
            else:
                _errors(done)  # the first error is on its way already


def _raise_first(lanes: Iterable[asyncio.Task[None]]) -> None:
    for error in _errors(lanes):
        raise error


def _errors(lanes: Iterable[asyncio.Task[None]]) -> list[BaseException]:
    """The errors of all these lanes: asyncio writes about each that nothing has asked for."""
    return [error for lane in lanes if not lane.cancelled() and (error := lane.exception()) is not None]
