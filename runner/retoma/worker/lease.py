"""One lease: the loop of advance and send over one batch.

The database says at every step what to do; this keeps what is under way, and what came of it, until the next.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import cast

import structlog
from psycopg.types.json import Jsonb

from retoma.render import Renderer, RenderError
from retoma.transports.base import Message, SendResult, Transport
from retoma.worker.database import Calls, StaleLease

log = structlog.get_logger()

LINGER_S = 0.01
"""How long an outcome may wait for others to be recorded with, while requests are under way."""

STOP_S = 1.2
"""How long a stop waits for answers of the provider before they are given up as in doubt."""

_ADVANCE = "select action, wait_s, reserved, messages from retoma.advance_batch(%s, %s, %s, %s, %s)"

_NOT_ATTEMPTED = SendResult("error", code="not_attempted", written=False)
_RENDER_FAILED = SendResult("error", code="render_failed", written=False)


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps and is never set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """A leased batch in the hands of this process.

    Args:
        database: where it is advanced.
        row: the reply of lease_batch.
        transport: how to reach the provider.
        render: makes the text of a recipient.
        stop: when it is set, what is under way is finished and the batch given back.
    """

    def __init__(
        self,
        database: Calls,
        row: Mapping[str, object],
        transport: Transport,
        render: Renderer,
        stop: asyncio.Event,
    ) -> None:
        self._database = database
        self._transport = transport
        self._render = render
        self._stop = stop
        self._batch_id = cast(int, row["batch_id"])
        self._epoch = cast(int, row["lease_epoch"])
        self._lease_s = cast(float, row["lease_s"])
        self._window = cast(int, row["max_in_flight"])
        self._seen = cast(int, row["reserved"])
        self._sending: set[asyncio.Task[None]] = set()
        self._outcomes: list[dict[str, object]] = []
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Send until the database says that the lease is over, or the runner stops.

        Raises:
            Stopped: the runner stops and the database is away; the lease ends by itself.
        """
        try:
            while not self._stop.is_set():
                wait_s = await self._step(self._window - len(self._sending))
                if wait_s is None:
                    return
                await self._pause(wait_s)
            await self._give_back()
        except StaleLease as error:
            log.warning(
                "lease_lost", batch=self._batch_id, epoch=self._epoch, reason=str(error).splitlines()[0]
            )
        finally:
            # Requests of a lost lease are let end, so that this process never has two for one paced channel.
            if self._sending:
                await asyncio.wait(self._sending)

    async def _step(self, want: int) -> float | None:
        """Advance once and begin what may be sent. Returns seconds until the next step, None at the end."""
        asked_at = now()
        outcomes = self._outcomes
        self._outcomes = []
        self._arrived.clear()
        try:
            rows = await self._database.call(
                _ADVANCE, (self._batch_id, self._epoch, Jsonb(outcomes), want, self._seen)
            )
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        reply = rows[0]
        self._seen = reply["reserved"]
        match reply["action"]:
            case "send":
                # Half a lease after the question nothing more is begun: a process that was frozen here must
                # not send when its lease may have passed to another.
                begin_before = asked_at + self._lease_s / 2
                for ordinal, message_id, phone, variables, *withheld in reply["messages"]:
                    if withheld == [True]:
                        self._note(ordinal, _NOT_ATTEMPTED)
                    else:
                        self._begin(ordinal, message_id, phone, variables, begin_before)
                return 0.0
            case "completed" | "released":
                return None
            case "drain":
                return self._lease_s / 3
            case _:
                return cast(float | None, reply["wait_s"]) or self._lease_s / 3

    def _begin(
        self, ordinal: int, message_id: str, phone: str, variables: dict[str, object], begin_before: float
    ) -> None:
        try:
            text = self._render(phone, variables)
        except RenderError as error:
            log.warning("render_failed", batch=self._batch_id, ordinal=ordinal, error=str(error))
            self._note(ordinal, _RENDER_FAILED)
            return
        task = asyncio.create_task(self._send(ordinal, Message(message_id, phone, text), begin_before))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, ordinal: int, message: Message, begin_before: float) -> None:
        result = await self._transport.send(message) if now() < begin_before else _NOT_ATTEMPTED
        self._note(ordinal, result)

    def _note(self, ordinal: int, result: SendResult) -> None:
        outcome: dict[str, object] = {"ordinal": ordinal, "status": result.status}
        if result.status == "error":
            outcome |= {
                "code": result.code,
                "http_status": result.http_status,
                "retry_after_s": result.retry_after_s,
                "written": result.written,
            }
            log.info(
                "send_failed", batch=self._batch_id, ordinal=ordinal, code=result.code, detail=result.detail
            )
        elif result.provider_id is not None:
            outcome["provider_id"] = result.provider_id
        self._outcomes.append(outcome)
        self._arrived.set()

    async def _pause(self, wait_s: float) -> None:
        """Wait until an outcome came, a stop, or wait_s; then a moment more for outcomes to come together."""
        if self._outcomes and not self._sending:
            return
        if not self._sending:
            await _first(self._stop.wait(), longest_s=max(wait_s, 0.001))
            return
        # A renewal is due after a third of the lease, whatever the provider does.
        longest = self._lease_s / 3 if wait_s == 0 else min(wait_s, self._lease_s / 3)
        await _first(self._arrived.wait(), self._stop.wait(), longest_s=longest)
        if self._sending and len(self._outcomes) < self._window / 2:
            await _first(self._stop.wait(), longest_s=LINGER_S)

    async def _give_back(self) -> None:
        """Finish what answers in time, and record it; the batch is given back by unregister_runner."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=STOP_S)
        if self._outcomes:
            await self._step(0)
        for task in self._sending:
            task.cancel()


async def _first(*waits: Coroutine[object, object, object], longest_s: float) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
