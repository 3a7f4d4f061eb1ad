"""One lease: the loop of advance and send over one batch.

The database says at every step what to do. This keeps messages under way and outcomes between steps.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.content.renderer import Renderer
from retoma.content.results import RenderError
from retoma.content.written import Content
from retoma.runner.calls import Database, StaleLease
from retoma.transports.base import Message, SendResult, Sends, now

log = structlog.get_logger()

LINGER_S = 0.01
"""How long an outcome may wait for others to be recorded with, while requests are under way."""

STOP_S = 1.2
"""How long a stop waits for answers of the provider before they are given up as in doubt."""

_ADVANCE = (
    "select action, wait_s, reserved, messages, in_flight"
    " from retoma.advance_batch(%s, %s, %s, %s, %s, %s, %s::int[])"
)

_RELEASE = "select retoma.release_batch(%s, %s, %s)"

_NOT_ATTEMPTED = SendResult("error", code="not_attempted", written=False)
_TRANSPORT_FAILED = SendResult("error", code="transport_failed")

_LONGEST_WORD = 200

_ODD_CODE = "odd_code"
"""In place of a code that the database would refuse, and all outcomes beside it."""


class Lease:
    """A leased batch in the hands of this process.

    Args:
        database: where it is advanced.
        runner_id: identity of this process.
        row: the reply of lease_batch.
        transport: how to reach the provider.
        renderers: make the content of a recipient, one for each variant of the campaign.
        stop: when it is set, messages under way are finished and the batch is given back.
    """

    def __init__(
        self,
        database: Database,
        runner_id: UUID,
        row: Mapping[str, object],
        transport: Sends,
        *,
        renderers: Sequence[Renderer],
        stop: asyncio.Event,
    ) -> None:
        self._database = database
        self._runner_id = runner_id
        self._transport = transport
        self._renderers = renderers
        self._stop = stop
        self._batch_id = cast(int, row["batch_id"])
        self._epoch = cast(int, row["lease_epoch"])
        self._lease_s = cast(float, row["lease_s"])
        self._window = cast(int, row["max_in_flight"])
        self._seen = cast(int, row["reserved"])
        # Handed out by the database, and not begun until the event loop comes to them.
        self._ready: deque[tuple[int, Message]] = deque()
        # Handed out as well, and not rendered yet.
        self._rendering: set[asyncio.Future[Content]] = set()
        self._over = False
        self._beginning = False
        self._senders: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        # Outcomes since the last step. The usual outcome has its own list, because it is nearly all of them.
        self._accepted: list[int] = []
        self._outcomes: list[dict[str, object]] = []
        self._shown_id = False
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Send until the database says that the lease is over, or the runner stops.

        Raises:
            Stopped: the runner stops and the database is away; the lease ends by itself.
            psycopg.Error: the database cannot go on with this batch, which was given up.
        """
        stopping = asyncio.create_task(self._wake_at_stop(), name="wake at stop")
        try:
            while not self._stop.is_set():
                wait_s = await self._step(self._window - self._in_flight)
                if wait_s is None:
                    return
                await self._pause(wait_s)
            await self._give_back()
        except StaleLease as error:
            log.warning(
                "lease_lost", batch=self._batch_id, epoch=self._epoch, reason=str(error).splitlines()[0]
            )
        except psycopg.Error as error:
            # Before others can have the batch: nothing more of it is begun here.
            self._stop_rendering()
            self._ready.clear()
            await self._surrender(error)
            raise
        finally:
            self._stop_rendering()
            self._ready.clear()
            # Requests of a lost lease are let end, so that this process never has two for one paced channel;
            # but nothing waits for them at a stop.
            while self._senders and not self._stop.is_set():
                await asyncio.wait({*self._senders, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            await self._give_up()

    async def _surrender(self, error: psycopg.Error) -> None:
        """The database cannot go on with this batch. It decides what becomes of it and of its campaign."""
        cause = error.diag.message_primary or type(error).__name__
        log.error("step_failed", batch=self._batch_id, sqlstate=error.sqlstate)
        try:
            await self._database.call(
                "select retoma.give_up_batch(%s, %s, %s, %s, %s)",
                (self._runner_id, self._batch_id, self._epoch, error.sqlstate, cause),
            )
        except (StaleLease, psycopg.Error) as second:
            # The lease expires, and the tick ends it.
            log.error("lease_kept", batch=self._batch_id, error=type(second).__name__)

    async def _wake_at_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()

    async def _step(self, want: int) -> float | None:
        """Advance once and begin what may be sent. Returns seconds until the next step, None at the end."""
        asked_at = now()
        accepted, outcomes = self._accepted, self._outcomes
        self._accepted, self._outcomes = [], []
        self._wake.clear()
        array = f"{{{','.join(map(str, accepted))}}}"
        arguments = (self._runner_id, self._batch_id, self._epoch, Jsonb(outcomes), want, self._seen, array)
        (reply,) = await self._database.call(_ADVANCE, arguments)
        self._seen = reply["reserved"]
        match reply["action"]:
            case "send":
                # Half a lease after the question nothing more is begun: a process that was frozen here must
                # not send when its lease may have passed to another.
                self._begin(reply["messages"], asked_at + self._lease_s / 2)
                return 0.0
            case "completed" | "released":
                return None
            case _ if reply["in_flight"] > 0 and self._in_flight == 0 and not self._come_back():
                # A server that was promoted without the last commits waits for outcomes that it had recorded.
                log.warning("outcomes_lost", batch=self._batch_id, messages=reply["in_flight"])
                await self._database.call(_RELEASE, (self._runner_id, self._batch_id, self._epoch))
                return None
            case "drain":
                return self._lease_s / 3
            case _:
                return cast(float | None, reply["wait_s"]) or self._lease_s / 3

    def _begin(self, messages: Sequence[Sequence[Any]], begin_before: float) -> None:
        """Begin these messages: [ordinal, id, phone, variables, whether it must not be sent, variant]."""
        self._in_flight += len(messages)
        for ordinal, message_id, phone, variables, *more in messages:
            if more and more[0]:
                self._note(ordinal, _NOT_ATTEMPTED)
                continue
            render = self._renderers[more[1] - 1 if len(more) > 1 else 0]
            try:
                content = render(phone, variables)
            except RenderError as error:
                self._note_render_failed(ordinal, error)
                continue
            if isinstance(content, asyncio.Future):
                self._rendering.add(content)
                content.add_done_callback(partial(self._rendered, ordinal, message_id, phone, begin_before))
                continue
            self._ready.append((ordinal, Message(message_id, phone, content, begin_before)))
        if self._ready:
            self._begin_ready()

    def _rendered(
        self, ordinal: int, message_id: str, phone: str, begin_before: float, content: asyncio.Future[Content]
    ) -> None:
        """Begin a message whose content has come, unless the lease is over meanwhile."""
        self._rendering.discard(content)
        if content.cancelled():
            self._note(ordinal, _NOT_ATTEMPTED)
        elif isinstance(error := content.exception(), RenderError):
            self._note_render_failed(ordinal, error)
        elif self._over:
            self._note(ordinal, _NOT_ATTEMPTED)
        else:
            self._ready.append((ordinal, Message(message_id, phone, content.result(), begin_before)))
            if not self._beginning:
                self._begin_ready()

    def _note_render_failed(self, ordinal: int, error: RenderError) -> None:
        self._note(ordinal, SendResult("error", code=error.outcome, written=False))
        log.warning("render_failed", batch=self._batch_id, ordinal=ordinal, error=str(error))

    def _stop_rendering(self) -> None:
        """A message that is rendered from now on is not begun: it was not attempted."""
        self._over = True
        for content in self._rendering:
            content.cancel()

    def _begin_ready(self) -> None:
        # Where sending never waits, one sender sends all; where it does, the others are begun meanwhile.
        self._beginning = True
        self._add_sender()
        asyncio.get_running_loop().call_soon(self._add_senders)

    def _add_senders(self) -> None:
        self._beginning = False
        for _ in range(len(self._ready)):
            self._add_sender()

    def _add_sender(self) -> None:
        task = asyncio.create_task(self._send_ready())
        self._senders.add(task)
        task.add_done_callback(self._senders.discard)

    async def _send_ready(self) -> None:
        while self._ready:
            ordinal, message = self._ready.popleft()
            in_time = now() < message.send_before
            self._note(ordinal, await self._send(message) if in_time else _NOT_ATTEMPTED)

    async def _send(self, message: Message) -> SendResult:
        try:
            return await self._transport.send(message)
        except Exception as error:
            # A defect of the transport. Not its words, which may hold content.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename}:{place.lineno}"
            log.error("transport_failed", batch=self._batch_id, error=type(error).__name__, where=where)
            return _TRANSPORT_FAILED

    def _note(self, ordinal: int, result: SendResult) -> None:
        self._in_flight -= 1
        self._wake.set()
        provider_id = result.provider_id
        if provider_id is not None and not _is_short(provider_id):
            # It is no id of a provider, and the database would refuse it and all outcomes beside it.
            provider_id = None
        if result.took_id is not None and self._reports_id(result.took_id):
            self._outcomes.append(
                {
                    "ordinal": ordinal,
                    "status": result.status,
                    "provider_id": provider_id,
                    "took_id": result.took_id,
                }
            )
            return
        if result.status == "accepted" and provider_id is None:
            self._accepted.append(ordinal)
            return
        outcome: dict[str, object] = {"ordinal": ordinal, "status": result.status}
        if result.status == "error":
            outcome |= {
                "code": result.code if result.code is None or _is_short(result.code) else _ODD_CODE,
                "http_status": result.http_status,
                "retry_after_s": result.retry_after_s,
                "written": result.written,
            }
        elif provider_id is not None:
            outcome["provider_id"] = provider_id
        self._outcomes.append(outcome)
        if result.status == "error":
            log.info(
                "send_failed", batch=self._batch_id, ordinal=ordinal, code=result.code, detail=result.detail
            )

    def _reports_id(self, took: bool) -> bool:
        """Whether this answer says anything new about what the provider does with our ids."""
        if took and self._shown_id:
            return False
        if took:
            self._shown_id = True
        else:
            log.error("id_ignored", batch=self._batch_id, reason="the provider gave another id than ours")
        return True

    async def _pause(self, wait_s: float) -> None:
        """Wait until an outcome came, a stop, or wait_s; then a moment more for outcomes to come together."""
        if self._in_flight == 0:
            if not self._come_back():
                await self._rest(max(wait_s, 0.001))
            return
        # A renewal is due after a third of the lease, whatever the provider does.
        await self._rest(self._lease_s / 3 if wait_s == 0 else min(wait_s, self._lease_s / 3))
        if self._in_flight > 0 and self._come_back() < self._window / 2 and not self._stop.is_set():
            await asyncio.sleep(LINGER_S)

    def _come_back(self) -> int:
        return len(self._accepted) + len(self._outcomes)

    async def _rest(self, longest_s: float) -> None:
        # A timer and one waiter, where asyncio.wait_for would make a task: thousands of channels rest here.
        timer = asyncio.get_running_loop().call_later(longest_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _give_back(self) -> None:
        """Record the answers that come in time; unregister_runner gives the batch back."""
        self._stop_rendering()
        give_up_at = now() + STOP_S
        while self._in_flight and (left_s := give_up_at - now()) > 0:
            self._wake.clear()
            await self._rest(left_s)
        await self._give_up()
        if self._come_back():
            await self._step(0)

    async def _give_up(self) -> None:
        """End the sends under way: their messages become in doubt with the end of the lease."""
        for sender in self._senders:
            sender.cancel()
        if self._senders:
            await asyncio.wait(self._senders)


def _is_short(word: str) -> bool:
    return word.isprintable() and len(word) <= _LONGEST_WORD
