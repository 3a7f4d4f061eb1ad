"""How long channels are silent after a crash: kill, freeze, database restart, failover.

    python -m tests.bench.recovery [--quick]

Two runners, four channels at 20 messages/s, as in `retoma drill`. Every crash gives one figure for each
channel that it silenced, taken from the provider's ledger: from the crash, or from when a database took
connections again, to the next request; for SIGKILL and SIGSTOP, the first one under another runner's lease.
"""

import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from retoma.rehearsal.drill import crashes
from retoma.rehearsal.drill.crashes import Crash
from retoma.rehearsal.drill.ledger import LedgerReader
from retoma.rehearsal.drill.stage import CHANNELS, Stage, stage, wait_for
from retoma.rehearsal.drill.verdict import percentile
from tests.bench.report import Report, publish
from tests.ha.conftest import ReplicatedWorld, replicated_world
from tests.support.replication import configure, kill_all
from tests.support.waiting import wait_until

FREEZE_LEASE_S = 3.0
LEASE_S = 60.0
"""The default. No lease expires while the database is away, so nothing but reconnecting is measured."""

MESSAGES = 10_000
"""Of each campaign: more than is sent."""


def bench(*, quick: bool = False) -> Report:
    """Measure all kinds of crash.

    Args:
        quick: a few crashes of each kind; shows that it works.
    """
    kills, freezes, failovers = (3, 1, 1) if quick else (30, 10, 10)
    report = Report("recovery", quick)
    rng = random.Random(1)
    with _sending(LEASE_S) as scene:
        _add(report, "SIGKILL", _repeat(scene, crashes.kill_a_runner, kills, rng), 1.0)
        _add(report, "database restart", _repeat(scene, crashes.restart_the_database, kills, rng), 2.0)
    with _sending(FREEZE_LEASE_S) as scene:
        name = f"SIGSTOP, lease {FREEZE_LEASE_S:g} s"
        _add(report, name, _repeat(scene, crashes.freeze_a_runner, freezes, rng), FREEZE_LEASE_S + 2)
    from_kill, from_promotion = _fail_over(failovers)
    _add(report, "failover, from promotion", from_promotion, None)
    _add(report, "failover, from kill", from_kill, None)
    report.notes.append(
        "database restart: from the first connection that it took; it was away for up to"
        f" {crashes.MAX_DOWN_S:g} s before."
    )
    return report


@contextmanager
def _sending(lease_s: float) -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory(prefix="retoma-bench-") as directory,
        stage(Path(directory), lease_s=lease_s) as scene,
    ):
        scene.open_campaigns(MESSAGES)
        wait_for(lambda: scene.leased() == set(CHANNELS), 30, "The runners did not begin")
        yield scene


def _repeat(scene: Stage, crash: Crash, times: int, rng: random.Random) -> list[float]:
    seconds: list[float] = []
    for _ in range(times):
        time.sleep(rng.uniform(0, 1))  # ticks come twice a second: strike at any moment between them
        seconds += [recovery.seconds for recovery in crash(scene, rng)]
        # Two faults within a second are another question, and the drill asks it.
        wait_for(lambda: _all_alive(scene), 30, "The runners did not register again")
    return seconds


def _all_alive(scene: Stage) -> bool:
    rows = scene.query(
        "select 1 from retoma_internal.runner where server_started_at = pg_postmaster_start_time()"
        " and id = any(array(select retoma_internal.live_runners()))"
    )
    return len(rows) == 2


def _fail_over(times: int) -> tuple[list[float], list[float]]:
    """Seconds from the kill, and from when the standby had been promoted, over two channels."""
    from_kill: list[float] = []
    from_promotion: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="retoma-bench-") as directory,
        replicated_world(Path(directory), synchronous=True) as world,
    ):
        ledger = LedgerReader(world.sandbox.ledger / "ledger.jsonl")
        for channel in ("one", "two"):
            world.webhook(channel, rate_per_s=20)
            world.campaign(channel, channel, messages=MESSAGES)
        for name in ("r1", "r2"):
            world.runners.start(name)
        for _ in range(times):
            world.wait_for_sent("two", world.summary("two")["sent"] + 20)
            killed_at, promoted_at = _kill_and_promote(world)
            for channel in ("one", "two"):
                sent_at = _next_send(ledger, channel, promoted_at)
                from_kill.append(sent_at - killed_at)
                from_promotion.append(sent_at - promoted_at)
            _replicate_again(world)
    return from_kill, from_promotion


def _kill_and_promote(world: ReplicatedWorld) -> tuple[float, float]:
    killed_at = time.time()
    kill_all(world.pair.primary)
    world.pair.fail_over()
    promoted_at = crashes.first_connection(world.pair.url(world.database))
    world.reconnect()
    return killed_at, promoted_at


def _next_send(ledger: LedgerReader, channel: str, moment: float) -> float:
    return wait_until(lambda: ledger.first_after(channel, moment) or 0.0, deadline_s=60)


def _replicate_again(world: ReplicatedWorld) -> None:
    world.pair.rebuild_the_standby()
    configure(world.pair.primary, "synchronous_standby_names", "standby")
    world.pair.wait_for_the_standby(state="sync")


def _add(report: Report, name: str, seconds: list[float], limit_s: float | None) -> None:
    for percent in (50, 95, 99):
        report.target(
            f"{name}: p{percent} of {len(seconds)}",
            round(percentile(seconds, percent), 3),
            limit_s if percent == 95 else None,
            at_least=False,
            unit=" s",
        )
    shown: dict[str, int] = defaultdict(int)
    for value in seconds:
        shown[f"{value:.1f}"] += 1
    report.notes.append(
        f"{name}, in tenths: {'  '.join(f'{k} s: {shown[k]}' for k in sorted(shown, key=float))}"
    )


@click.command()
@click.option("--quick", is_flag=True, help="A few crashes of each kind.")
def main(quick: bool) -> None:
    """Measure, print a table and append the figures to .retoma/bench/recovery.json."""
    publish(bench(quick=quick))


if __name__ == "__main__":
    main()
