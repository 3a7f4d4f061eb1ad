"""Many runs, several at once, each process with its own site; one JSON line per run."""

import collections
import json
import multiprocessing
import signal
import statistics
import time
from pathlib import Path
from typing import Any

from tests.chaos import plan, site
from tests.chaos.plan import Plan
from tests.chaos.run import run


def soak(  # noqa: PLR0917 - as many as the command has
    schedules: list[Path], runs: int | None, seconds: float | None, first_seed: int, jobs: int, report: Path
) -> int:
    """Carries out the schedules, then seeds from first_seed on, and appends each result to the report.

    Args:
        schedules: kept plans.
        runs: how many seeds; None for as many as fit into the time.
        seconds: after this long no run begins any more; None for no limit.
        jobs: runs at once.

    Returns:
        How many runs had violations, or could not be carried out.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    taken = context.Value("q", 0)
    failed = context.Value("q", 0)
    ends = None if seconds is None else time.time() + seconds
    queue = schedules, runs, first_seed
    processes = [
        context.Process(target=_work, args=(taken, failed, queue, ends, report)) for _ in range(jobs)
    ]
    for process in processes:
        process.start()

    def stop(_number: int, _frame: object) -> None:
        for process in processes:
            process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for process in processes:
        process.join()
    return int(failed.value) + sum(process.exitcode != 0 for process in processes)


def _work(
    taken: Any, failed: Any, queue: tuple[list[Path], int | None, int], ends: float | None, report: Path
) -> None:
    def stop(_number: int, _frame: object) -> None:
        raise SystemExit("stopped")  # so that everything that was started is ended on the way out

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the parent too
    with site.opened() as where:
        while ends is None or time.time() < ends:
            with taken.get_lock():
                number = taken.value
                taken.value += 1
            schedule = _schedule(number, *queue)
            if schedule is None:
                return
            line = _one(where, schedule, report.parent)
            with failed.get_lock():
                failed.value += bool(line["violations"])
                with report.open("a") as file:
                    file.write(json.dumps(line) + "\n")


def _schedule(number: int, schedules: list[Path], runs: int | None, first_seed: int) -> Plan | None:
    if number < len(schedules):
        return plan.load(schedules[number])
    number -= len(schedules)
    return plan.make(first_seed + number) if runs is None or number < runs else None


def _one(where: site.Site, schedule: Plan, directory: Path) -> dict[str, Any]:
    try:
        return run(where, schedule, directory / f"seed-{schedule.seed}").line
    except Exception as error:  # of the harness itself: it must be seen, and must not end a soak of hours
        fault = {"rule": "harness", "what": f"{type(error).__name__}: {error}"}
        return {"seed": schedule.seed, "violations": [fault]}


def summary(report: Path) -> str:
    """The totals of a report, in words for people."""
    lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    states: collections.Counter[str] = collections.Counter()
    faults: collections.Counter[str] = collections.Counter()
    numbers: collections.Counter[str] = collections.Counter()
    for line in lines:
        states.update(line.get("states", {}))
        faults.update(line.get("faults", {}))
        for name in ("messages", "requests", "duplicates", "repeats_suppressed", "leases", "samples"):
            numbers[name] += line.get(name, 0)
    seeds = [line["seed"] for line in lines]
    bad = [line["seed"] for line in lines if line["violations"]]
    recovery = sorted(s for line in lines for s in line.get("recovery_s", ()))
    parts = [
        f"{len(lines)} runs (seeds {min(seeds, default=0)} to {max(seeds, default=0)}),"
        f" {len(bad)} with violations{f': seeds {bad}' if bad else ''}",
        ", ".join(f"{count} {name}" for name, count in numbers.items()),
        "at the end: " + ", ".join(f"{count} {name}" for name, count in states.most_common()),
        f"{faults.total()} faults: " + ", ".join(f"{count} {name}" for name, count in faults.most_common()),
    ]
    if len(recovery) > 1:
        cuts = statistics.quantiles(recovery, n=100, method="inclusive")
        parts.append(
            f"recovery after a kill that nothing else disturbed ({len(recovery)}): median {cuts[49]:.2f} s,"
            f" 95 % within {cuts[94]:.2f} s, longest {recovery[-1]:.2f} s"
        )
    return "\n".join(parts)
