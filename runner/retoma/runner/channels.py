"""Draining a channel: lookups of messages in doubt, then one lease after the other while there is work."""

import asyncio
import json
import random
from collections.abc import Mapping
from functools import partial
from typing import Any, cast
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from retoma.content.process import NotTried, RenderProcess
from retoma.content.renderer import Renderer, compile_content
from retoma.content.written import Written, key_of
from retoma.errors import RetomaError
from retoma.runner.calls import Database, StaleLease, Stopped
from retoma.runner.lanes import Lanes
from retoma.runner.lease import Lease
from retoma.runner.media import StoredMedia
from retoma.transports import registry
from retoma.transports.base import Lookup, Transport, now

log = structlog.get_logger()

LOOKUP_S = 5.0
"""How often, between two leases, the provider is asked about messages in doubt, and for how long at most."""

TURN_S = 300.0
"""After this time a channel is rung again for any runner, so that a new runner gets its share."""

RINGS_AT_ONCE = 100
"""Rings taken beside the one that was heard. The calls of their drains are made before the next are taken:
so two runners share the waiting rings, each as fast as it can begin."""

RENDERERS = 256
"""Contents that a runner remembers compiled."""


class Channels:
    """The channels that this process is sending on, at most one drain each.

    Args:
        database: the runner's pool.
        runner_id: identity of this process.
        stop: ends every drain.
    """

    def __init__(self, database: Database, runner_id: UUID, stop: asyncio.Event) -> None:
        self._database = database
        self._runner_id = runner_id
        self._stop = stop
        self._running: dict[int, asyncio.Task[None]] = {}
        self._rung: set[int] = set()
        self._answering: asyncio.Task[None] | None = None
        self._transports: dict[str, Transport] = {}
        self._render_process = RenderProcess()
        self._media = StoredMedia(database)
        self._renderers: dict[str, Renderer] = {}  # by the JSON of their contents

    async def answer(self, channel_id: int) -> None:
        """Begin with a channel that was rung, and with channels whose rings wait beside it."""
        self._begin(channel_id)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_others(), name="answer")

    async def drain(self, channel_id: int) -> None:
        """Send on a channel until it has nothing to do, or its turn is over."""
        await asyncio.shield(self._begin(channel_id))

    def is_sending(self) -> bool:
        """Whether a channel is being served, also while it waits for its turn."""
        return bool(self._running)

    async def close(self) -> None:
        """Wait for all drains to end, and close the transports and the process that renders."""
        if self._answering is not None:
            await self._answering
        if self._running:
            await asyncio.wait(self._running.values())
        for transport in self._transports.values():
            await transport.aclose()
        await self._render_process.aclose()

    def _begin(self, channel_id: int) -> asyncio.Task[None]:
        task = self._running.get(channel_id)
        if task is not None:
            # It may have found no work just before this ring.
            self._rung.add(channel_id)
            return task
        self._rung.discard(channel_id)
        task = asyncio.create_task(self._drain(channel_id), name=f"drain {channel_id}")
        self._running[channel_id] = task
        task.add_done_callback(lambda _: self._ended(channel_id))
        return task

    def _ended(self, channel_id: int) -> None:
        del self._running[channel_id]
        if channel_id in self._rung and not self._stop.is_set():
            self._begin(channel_id)

    async def _answer_others(self) -> None:
        try:
            taken = RINGS_AT_ONCE
            while taken == RINGS_AT_ONCE and not self._stop.is_set():
                rows = await self._database.call(
                    "select retoma.claim_doorbells(%s) as channel_id", (RINGS_AT_ONCE,)
                )
                for row in rows:
                    self._begin(row["channel_id"])
                taken = len(rows)
        except Stopped:
            return
        except Exception:
            log.exception("answer_failed")

    async def _drain(self, channel_id: int) -> None:
        turn_ends = now() + TURN_S * random.uniform(0.8, 1.2)
        lookup_at = now()
        try:
            run = partial(self._run, channel_id)
            async with Lanes(self._database, self._runner_id, channel_id, run) as lanes:
                while not self._stop.is_set():
                    if now() >= lookup_at:
                        await self._lookup(channel_id)
                        lookup_at = now() + LOOKUP_S
                    if not await lanes.next():
                        return
                    # Leaving waits for all lanes, so not while one is held up: its channel would stand still.
                    if now() > turn_ends and not lanes.is_held_up:
                        await self._database.call("select retoma.ring(array[%s::int])", (channel_id,))
                        return
        except Stopped:
            return
        except Exception:
            # The tick rings again: trouble of one channel must not reach the others.
            log.exception("drain_failed", channel_id=channel_id)

    async def _run(self, channel_id: int, row: Mapping[str, Any]) -> None:
        try:
            renderers = [await self._renderer(content) for content in row["contents"]]
        except RetomaError as error:
            log.error("content_refused", campaign=row["campaign"], error=error.message)
            await self._refuse("select retoma.refuse_content(%s, %s, %s, %s)", row, error.message)
            return
        except NotTried:
            await self._refuse("select retoma.release_batch(%s, %s, %s)", row)
            return
        transport = await self._transport(channel_id, row)
        if transport is None:
            await self._refuse("select retoma.release_batch(%s, %s, %s)", row)
            return
        try:
            sender = await self._media.sender(transport, row["media"])
        except RetomaError as error:
            await self._refuse("select retoma.refuse_content(%s, %s, %s, %s)", row, error.message)
            return
        lease = Lease(self._database, self._runner_id, row, sender, renderers=renderers, stop=self._stop)
        await lease.run()

    async def _renderer(self, row: Mapping[str, Any]) -> Renderer:
        """The renderer of a content; RetomaError when it cannot be rendered, NotTried when nobody knows."""
        key = key_of(row["content"], row["texts"])
        known = self._renderers.get(key)
        if known is None:
            known = await self._compiled(Written(row["content"], row["texts"]))
            if len(self._renderers) >= RENDERERS:
                self._renderers.clear()
            self._renderers[key] = known
        return known

    async def _compiled(self, written: Written) -> Renderer:
        # A stop does not wait for a text that takes long to read.
        compiling = asyncio.create_task(compile_content(written, self._render_process), name="compile")
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({compiling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not compiling.done():
            compiling.cancel()
            raise Stopped
        return compiling.result()

    async def _refuse(self, query: str, row: Mapping[str, object], *more: object) -> None:
        try:
            await self._database.call(query, (self._runner_id, row["batch_id"], row["lease_epoch"], *more))
        except StaleLease:
            log.warning("lease_lost", batch=row["batch_id"], epoch=row["lease_epoch"])

    async def _lookup(self, channel_id: int) -> None:
        """Ask the provider about messages in doubt that are old enough."""
        rows = await self._database.call("select * from retoma.due_lookups(%s)", (channel_id,))
        transport = await self._transport(channel_id, rows[0]) if rows else None
        if transport is None:
            return
        ends_at = now() + LOOKUP_S
        results = []
        for row in rows:
            if self._stop.is_set() or now() >= ends_at:
                break
            result = await self._ask(transport, row, ends_at - now())
            results.append({"message_id": row["message_id"], "attempt": row["attempt"], "result": result})
        log.info("looked_up", channel_id=channel_id, results=[r["result"] for r in results])
        await self._database.call("select retoma.record_lookups(%s, %s)", (channel_id, Jsonb(results)))

    async def _ask(self, transport: Transport, row: Mapping[str, object], longest_s: float) -> Lookup:
        asking = asyncio.create_task(
            transport.lookup(cast(str, row["message_id"]), cast(str, row["phone"])), name="lookup"
        )
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({asking, stopping}, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        asking.cancel()
        await asyncio.wait({asking})
        if asking.cancelled():
            return "unknown"
        if error := asking.exception():
            log.error("lookup_failed", channel=row["channel"], error=type(error).__name__)
            return "unknown"
        return asking.result()

    async def _transport(self, channel_id: int, row: Mapping[str, object]) -> Transport | None:
        """The transport of a channel; None when this process cannot use its settings: others may."""
        name, settings = cast(str, row["transport"]), cast(dict[str, object], row["settings"])
        key = name + json.dumps(settings, sort_keys=True)
        if key not in self._transports:
            try:
                self._transports[key] = registry.create(name, settings)
            except RetomaError as error:
                log.error("channel_refused", channel=row["channel"], error=error.message)
                await self._database.call(
                    "select retoma.refuse_channel(%s, %s, %s)", (self._runner_id, channel_id, error.message)
                )
                return None
        return self._transports[key]
