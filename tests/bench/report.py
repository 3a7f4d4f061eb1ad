"""The results of a bench: a table on the screen, and a JSON line under .retoma/bench."""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.measure import Side

DIRECTORY = Path(".retoma/bench")


@dataclass
class Target:
    """One figure with what was asked of it.

    Args:
        name: what was measured.
        value: the figure.
        limit: what it should be; None where it is only reported.
        at_least: whether the limit is a lower one.
        unit: behind the figure.
    """

    name: str
    value: float
    limit: float | None = None
    at_least: bool = True
    unit: str = ""

    @property
    def met(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Report:
    """The outcome of one bench."""

    bench: str
    quick: bool
    sides: list[Side] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def target(
        self, name: str, value: float, limit: float | None = None, *, at_least: bool = True, unit: str = ""
    ) -> None:
        self.targets.append(Target(name, value, limit, at_least, unit))


def publish(report: Report) -> None:
    """Print the report and append it to .retoma/bench/<bench>.json."""
    console = Console()
    if report.sides:
        console.print(_sides(report))
    console.print(_targets(report))
    for note in report.notes:
        console.print(f"  {note}", highlight=False, markup=False)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    record = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": _machine(),
        **asdict(report),
    }
    with (DIRECTORY / f"{report.bench}.json").open("a") as file:
        file.write(json.dumps(record) + "\n")


def _machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1min": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _sides(report: Report) -> Table:
    table = Table(title=report.bench + (" (quick)" if report.quick else ""), title_justify="left")
    columns = ("side", "runs", "per second", "lowest", "highest", "CPU µs each", "by whom", "MB")
    for column in columns:
        table.add_column(column, justify="left" if column in ("side", "by whom") else "right")
    for side in report.sides:
        low, high = side.spread
        by_whom = ", ".join(f"{who} {side.cpu_us(who):,.1f}" for who in side.runs[0].cpu_s)
        memory = [run.rss_mb for run in side.runs if run.rss_mb is not None]
        table.add_row(
            side.name, str(len(side.runs)), f"{side.rate:,.0f}", f"{low:,.0f}", f"{high:,.0f}",
            f"{side.cpu_us():,.1f}", by_whom, f"{max(memory):,.0f}" if memory else "",
        )  # fmt: skip
    return table


def _targets(report: Report) -> Table:
    table = Table(title=None if report.sides else report.bench, title_justify="left")
    table.add_column("figure")
    for column in ("measured", "target", ""):
        table.add_column(column, justify="right")
    for target in report.targets:
        sign = "≥" if target.at_least else "≤"
        asked = "" if target.limit is None else f"{sign} {_number(target.limit)} {target.unit}".strip()
        mark = {True: "met", False: "missed", None: ""}[target.met]
        table.add_row(target.name, f"{_number(target.value)} {target.unit}".strip(), asked, mark)
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio_of(over: Sequence[float], under: Sequence[float]) -> float:
    """Median of the ratios of runs that followed each other: steadier than the ratio of medians."""
    ratios = sorted(a / b for a, b in zip(over, under, strict=True))
    middle = len(ratios) // 2
    return ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2
