"""One run: a world, a schedule of faults on it, the healing, and the judgement."""

import asyncio
import dataclasses
import json
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from tests.chaos import checker, evidence, measures, world
from tests.chaos.actions import act, report_withdrawn
from tests.chaos.history import History, Sample, save
from tests.chaos.plan import Plan
from tests.chaos.plan import save as save_plan
from tests.chaos.provider import Provider
from tests.chaos.site import Site
from tests.chaos.stage import POLL_S, Stage

START_DEADLINE_S = 120.0

END_DEADLINE_S = 75.0
"""After the healing everything has to end within this time: retries, holds and expiring leases included."""


@dataclass(frozen=True)
class Result:
    """The result of a run; `line` is its line in a report."""

    history: History
    violations: list[checker.Violation]
    line: dict[str, Any]


def run(site: Site, plan: Plan, directory: Path) -> Result:
    """Carries out one plan and judges it; the evidence of a run with violations stays in directory.

    Args:
        directory: for logs and the ledger; is made, and removed when nothing was wrong.
    """
    directory.mkdir(parents=True)
    began = time.monotonic()
    url = site.create_database()
    ignoring = [channel.name for channel in plan.channels if world.ignores_ids(channel)]
    stage = Stage(site, plan, url, Provider(directory, plan.seed, ignoring), directory)
    try:
        ended_after_s, samples = asyncio.run(_play(stage))
        history = evidence.collect(url, stage.provider.requests(), stage.faults, samples)
    finally:
        site.server.drop_database(url)
    violations = checker.check(history)
    line = {
        "seed": plan.seed,
        "seconds": round(time.monotonic() - began, 1),
        "ended_after_s": ended_after_s,
        **measures.totals(history),
        "left_out": sorted(stage.left_out),
        "violations": [dataclasses.asdict(v) for v in violations],
    }
    if violations:
        save(history, directory / "history.json")
        save_plan(plan, directory / "plan.json")
        (directory / "result.json").write_text(json.dumps(line, indent=1))
    else:
        shutil.rmtree(directory)
    return Result(history, violations, line)


async def _play(stage: Stage) -> tuple[float | None, list[Sample]]:
    """Seconds from the healing to the end of all campaigns, None without an end; and the samples."""
    samples: list[Sample] = []
    try:
        for name in stage.plan.runners:
            await stage.add_place(name)
        await asyncio.gather(stage.provider.start(), *(place.start() for place in stage.places.values()))
        world.build(stage.url, stage.provider.url, stage.plan)
        await stage.wait(
            len(stage.places), "select count(*) from retoma.v_runner where state = 'alive'", START_DEADLINE_S
        )
        sampling = asyncio.create_task(_sample(stage.url, samples))
        world.start(stage.url, stage.plan)
        start = time.monotonic()
        await asyncio.gather(*(act(stage, action, start) for action in stage.plan.actions))
        await asyncio.sleep(max(0.0, start + stage.plan.length_s - time.monotonic()))
        await _heal(stage)
        healed = time.monotonic()
        ended = await _has_ended(stage)
        ended_after_s = round(time.monotonic() - healed, 2) if ended else None
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
    finally:
        await stage.tear_down()
        stage.find_exceptions()
    # Now that nothing moves any more, this sample and what is collected are of one state.
    samples += await _books(stage.url)
    return ended_after_s, samples


async def _heal(stage: Stage) -> None:
    """Leaves one runner, preferably one that has been through it all, and nothing broken."""
    await stage.start_server()
    for runner in stage.places.values():
        runner.proxy.heal()
        runner.set_clock(0)
        runner.signal(signal.SIGCONT)
    alive = [runner for runner in stage.places.values() if runner.alive]
    for runner in stage.places.values():
        if runner not in alive:
            stage.note(time.time(), "died", runner.name)
            await runner.start()
            alive.append(runner)
    survivor = min(alive, key=lambda runner: (runner.life, runner.place))
    await asyncio.gather(*(stage.stop(runner) for runner in alive if runner is not survivor))
    await stage.provider.control("DELETE", "faults", patience_s=60)
    await report_withdrawn(stage)
    for channel in stage.plan.channels:
        session = f"sessions/{channel.name}"
        await stage.provider.control("PUT", session, {"status": "WORKING"}, patience_s=60)
    await _resume(stage)
    # Every report comes a second time, late: it must change nothing.
    await report_withdrawn(stage)


async def _resume(stage: Stage) -> None:
    """What an operator does after a breaker or a refusal of the account."""
    for channel in stage.plan.channels:
        await stage.sql("select retoma.channel_connected(%s)", channel.name)
        await stage.sql("select retoma.resume_channel(%s)", channel.name)
    for campaign in stage.plan.campaigns:
        await stage.sql("select retoma.resume_campaign(%s)", campaign.name)


async def _has_ended(stage: Stage) -> bool:
    resuming = asyncio.create_task(_resume_what_stops(stage))
    try:
        await stage.wait(
            0,
            "select (select count(*) from retoma_internal.campaign"
            " where status not in ('completed', 'cancelled'))"
            " + (select count(*) from retoma_internal.batch where status = 'leased')"
            " + (select count(*) from retoma_internal.delivery as d"
            " join retoma_internal.channel as c on c.id = d.channel_id"
            " join retoma_internal.campaign as g on g.id = d.campaign_id"
            " where c.looks_up and d.outcome = 'in_doubt' and g.status <> 'cancelled')"
            " + (select count(*) from retoma_internal.receipt_inbox where status = 'failed')",
            END_DEADLINE_S,
        )
    except TimeoutError:
        return False
    finally:
        resuming.cancel()
    return True


async def _resume_what_stops(stage: Stage) -> None:
    """Outcomes of the faults come after the healing, and may stop a channel once more."""
    while True:
        await asyncio.sleep(1)
        stopped = await stage.sql(
            "select count(*) from retoma.v_interrupted_campaigns where cause <> 'no_runner'"
        )
        if stopped and stopped[0][0]:
            await _resume(stage)


async def _sample(url: str, samples: list[Sample]) -> None:
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                while True:
                    samples += await _read_books(connection)
                    await asyncio.sleep(POLL_S)
        except psycopg.Error:
            await asyncio.sleep(POLL_S)


async def _books(url: str) -> list[Sample]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await _read_books(connection)


async def _read_books(connection: psycopg.AsyncConnection) -> list[Sample]:
    async with connection.cursor(row_factory=class_row(Sample)) as cursor:
        await cursor.execute(
            "select extract(epoch from clock_timestamp())::float8 as at, campaign, status, total, pending,"
            " sending, sent, failed, skipped, in_doubt, cancelled from retoma.v_campaign_summary"
        )
        return await cursor.fetchall()
