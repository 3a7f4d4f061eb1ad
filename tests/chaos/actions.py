"""The actions of a schedule: one function per kind, each noted in the kill log."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import LiteralString

from psycopg.types.json import Jsonb

from tests.chaos import fleet, world
from tests.chaos.plan import Action
from tests.chaos.site import RUNNER_ROLE
from tests.chaos.stage import POLL_S, Stage


async def act(stage: Stage, action: Action, start: float) -> None:
    """Carries out one action at its time after `start` (of time.monotonic)."""
    await asyncio.sleep(max(0.0, start + action.at_s - time.monotonic()))
    await ACTIONS[action.kind](stage, action)


# Runners


async def _kill(stage: Stage, action: Action) -> None:
    runner = stage.places[action.target]
    async with stage.lock(action.target):
        await stage.kill(runner)
        await asyncio.sleep(action.arguments["back_after_s"])
        await runner.start()


async def _terminate(stage: Stage, action: Action) -> None:
    runner = stage.places[action.target]
    async with stage.lock(action.target):
        await stage.stop(runner)
        await asyncio.sleep(action.arguments["back_after_s"])
        await runner.start()


async def _freeze(stage: Stage, action: Action) -> None:
    runner = stage.places[action.target]
    at, name = time.time(), runner.name
    runner.signal(signal.SIGSTOP)
    await asyncio.sleep(action.duration_s)
    if runner.name == name:
        runner.signal(signal.SIGCONT)
    stage.note(at, "freeze", name)


async def _clock_jump(stage: Stage, action: Action) -> None:
    if fleet.FAKETIME is None:
        stage.left_out.add("clock_jump: needs libfaketime (Debian package faketime)")
        return
    runner = stage.places[action.target]
    at, name = time.time(), runner.name
    runner.set_clock(action.arguments["by_s"])
    await asyncio.sleep(action.duration_s)
    runner.set_clock(0)
    stage.note(at, "clock_jump", name)


# Between runners and the database


async def _cut(stage: Stage, action: Action) -> None:
    runner = stage.places[action.target]
    at = time.time()
    runner.proxy.cut()
    stage.note(at, "cut", runner.name)


async def _refuse(stage: Stage, action: Action) -> None:
    await _disturb(stage, action, stage.places[action.target].proxy.refuse)


async def _stall(stage: Stage, action: Action) -> None:
    await _disturb(stage, action, stage.places[action.target].proxy.stall)


async def _disturb(stage: Stage, action: Action, begin: Callable[[], None]) -> None:
    runner = stage.places[action.target]
    at, first = time.time(), runner.name
    begin()
    await asyncio.sleep(action.duration_s)
    runner.proxy.heal()
    for name in {first, runner.name}:
        stage.note(at, action.kind, name)


async def _terminate_backend(stage: Stage, action: Action) -> None:
    await _end_sessions(
        stage,
        action,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where client_port = any(%s::int[])",
    )


async def _terminate_liveness(stage: Stage, action: Action) -> None:
    await _end_sessions(
        stage,
        action,
        "select count(pg_terminate_backend(a.pid)) from pg_stat_activity as a"
        " where client_port = any(%s::int[]) and exists (select from pg_locks as l where l.pid = a.pid"
        " and l.locktype = 'advisory' and l.objid <> 0)",
    )


async def _end_sessions(stage: Stage, action: Action, query: LiteralString) -> None:
    runner = stage.places[action.target]
    at = time.time()
    await stage.sql(query, runner.proxy.ports())
    stage.note(at, action.kind, runner.name)


# The database


async def _restart_server(stage: Stage, _: Action) -> None:
    async with stage.lock("server"):
        at = time.time()
        await asyncio.to_thread(stage.site.server.restart, "immediate")
        stage.note(at, "restart_server", "all")


async def _kill_postmaster(stage: Stage, _: Action) -> None:
    async with stage.lock("server"):
        at = time.time()
        await asyncio.to_thread(stage.site.server.kill)
        await stage.start_server()
        stage.note(at, "kill_postmaster", "all")


async def _kill_backend(stage: Stage, _: Action) -> None:
    async with stage.lock("server"):
        at = time.time()
        rows = await stage.sql("select min(pid) from pg_stat_activity where usename = %s", RUNNER_ROLE)
        if rows and rows[0][0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rows[0][0], signal.SIGKILL)
        # The postmaster ends all other sessions, recovers, and takes new ones.
        await asyncio.sleep(4 * POLL_S)
        await stage.wait(1, "select 1")
        stage.note(at, "kill_backend", "all")


async def _disk_full(stage: Stage, action: Action) -> None:
    if stage.site.disk is None:
        stage.left_out.add("disk_full: needs root, to mount a small file system")
        return
    at = time.time()
    stage.site.disk.fill()
    await asyncio.sleep(action.duration_s)
    stage.site.disk.clear()
    stage.note(at, "disk_full", "all")


# The provider


async def _provider_outage(stage: Stage, action: Action) -> None:
    async with stage.lock("provider"):
        at = time.time()
        await stage.provider.kill()
        await asyncio.sleep(action.duration_s)
        await stage.provider.start()
        stage.note(at, "provider_outage", "provider")


async def _provider_freeze(stage: Stage, action: Action) -> None:
    async with stage.lock("provider"):
        at = time.time()
        stage.provider.signal(signal.SIGSTOP)
        await asyncio.sleep(action.duration_s)
        stage.provider.signal(signal.SIGCONT)
        stage.note(at, "provider_freeze", "provider")


async def _provider_fault(stage: Stage, action: Action) -> None:
    at = time.time()
    await stage.provider.control("POST", "faults", action.arguments["rules"])
    await asyncio.sleep(action.duration_s)
    await stage.provider.control("DELETE", "faults")
    await report_withdrawn(stage)
    stage.note(at, f"provider_{action.arguments['rules'][0]['do']}", "provider")


async def _session_down(stage: Stage, action: Action) -> None:
    at = time.time()
    session = action.arguments["session"]
    await stage.provider.control("PUT", f"sessions/{session}", {"status": "FAILED"})
    await asyncio.sleep(action.duration_s)
    await stage.provider.control("PUT", f"sessions/{session}", {"status": "WORKING"})
    await stage.sql("select retoma.channel_connected(%s)", session)
    stage.note(at, "session_down", "provider")


# People, and receipts


async def _opt_out(stage: Stage, action: Action) -> None:
    number = next(n for n, c in enumerate(stage.plan.campaigns) if c.name == action.target)
    for ordinal in action.arguments["ordinals"]:
        await stage.sql("select retoma.opt_out(%s)", world.phone(number, ordinal))


async def _pause_campaign(stage: Stage, action: Action) -> None:
    await stage.sql("select retoma.pause_campaign(%s)", action.target)
    await asyncio.sleep(action.duration_s)
    await stage.sql("select retoma.resume_campaign(%s)", action.target)


async def _pause_channel(stage: Stage, action: Action) -> None:
    await stage.sql("select retoma.pause_channel(%s)", action.target)
    await asyncio.sleep(action.duration_s)
    await stage.sql("select retoma.resume_channel(%s)", action.target)


async def _disconnect(stage: Stage, action: Action) -> None:
    await stage.sql("select retoma.channel_disconnected(%s, 'chaos')", action.target)
    await asyncio.sleep(action.duration_s)
    await stage.sql("select retoma.channel_connected(%s)", action.target)


async def _retry_failed(stage: Stage, action: Action) -> None:
    await stage.sql("select retoma.retry_failed(%s)", action.target)


async def _cancel_campaign(stage: Stage, action: Action) -> None:
    await stage.sql("select retoma.cancel_campaign(%s)", action.target)


async def report_withdrawn(stage: Stage) -> None:
    """The failures of the messages that the provider accepted and did not deliver: all of them, each time."""
    for request in stage.provider.requests():
        if request.kind == "withdrawn":
            receipt = {
                "message_id": request.message_id or await _message_to(stage, request.to),
                "status": "failed",
                "code": "server_463",
                "at": datetime.fromtimestamp(request.at, UTC).isoformat(),
            }
            await stage.sql("select retoma.record_receipts(%s, %s)", request.channel, Jsonb([receipt]))


async def _message_to(stage: Stage, phone: str) -> str | None:
    """The id that a provider which took none of ours reports by its own: here, the recipient leads to it."""
    rows = await stage.sql("select message_id from retoma.message_state where phone = %s", phone)
    return str(rows[0][0]) if rows else None


async def _receipts(stage: Stage, action: Action) -> None:
    rng = random.Random(action.arguments["seed"])
    ends = time.monotonic() + action.duration_s
    while time.monotonic() < ends:
        taken = [r for r in stage.provider.requests() if r.kind == "accepted" and r.message_id]
        for request in rng.sample(taken, min(len(taken), 20)):
            receipt = {
                "message_id": request.message_id,
                "status": rng.choice(("server", "delivered", "read")),
            }
            await stage.sql("select retoma.record_receipts(%s, %s)", request.channel, Jsonb([receipt]))
        await asyncio.sleep(4 * POLL_S)


ACTIONS: dict[str, Callable[[Stage, Action], Awaitable[None]]] = {
    "kill": _kill,
    "terminate": _terminate,
    "freeze": _freeze,
    "clock_jump": _clock_jump,
    "cut": _cut,
    "refuse": _refuse,
    "stall": _stall,
    "terminate_backend": _terminate_backend,
    "terminate_liveness": _terminate_liveness,
    "restart_server": _restart_server,
    "kill_postmaster": _kill_postmaster,
    "kill_backend": _kill_backend,
    "disk_full": _disk_full,
    "provider_outage": _provider_outage,
    "provider_freeze": _provider_freeze,
    "provider_fault": _provider_fault,
    "session_down": _session_down,
    "opt_out": _opt_out,
    "pause_campaign": _pause_campaign,
    "pause_channel": _pause_channel,
    "disconnect": _disconnect,
    "retry_failed": _retry_failed,
    "cancel_campaign": _cancel_campaign,
    "receipts": _receipts,
}
