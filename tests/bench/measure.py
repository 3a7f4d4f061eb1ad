"""How every bench measures: whole runs of each side in turn, medians, CPU time and memory."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil


@dataclass
class Run:
    """One whole run of one side.

    Args:
        count: things done, usually messages.
        wall_s: seconds of the clock.
        cpu_s: CPU seconds by program ("client", "server", …).
        rss_mb: greatest resident memory of the client, in megabytes; None where it says nothing.
        extra: further figures, by name.
    """

    count: int
    wall_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    rss_mb: float | None = None
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.count / self.wall_s


@dataclass
class Side:
    """All runs of one side; figures are medians over them."""

    name: str
    runs: list[Run] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(run.rate for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        rates = [run.rate for run in self.runs]
        return min(rates), max(rates)

    def cpu_us(self, who: str | None = None) -> float:
        """Microseconds of CPU for one thing done, of one participant or of all."""
        return statistics.median(
            sum(value for name, value in run.cpu_s.items() if who in (None, name)) / run.count * 1e6
            for run in self.runs
        )

    def extra(self, name: str) -> float:
        return statistics.median(run.extra[name] for run in self.runs)


def interleaved(sides: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Side]:
    """Run every side once, then every side again, so that whatever else the machine does hits all alike."""
    results = {name: Side(name) for name in sides}
    for number in range(rounds):
        # Every other round backwards: so the order of the sides is no advantage.
        for name in list(sides) if number % 2 == 0 else reversed(list(sides)):
            results[name].runs.append(sides[name]())
    return results


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, the living and those that it has collected."""
    try:
        root = psutil.Process(pid)
        own = root.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in root.children(recursive=True):
            total += _cpu_s(child)
    except psutil.NoSuchProcess:
        return 0.0
    return total


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


@contextmanager
def measured(run: Run, processes: Mapping[str, int]) -> Iterator[None]:
    """Add wall clock and CPU of the block to a run.

    Args:
        processes: name, and the id of the process at the head of its family.
    """
    before = {who: cpu_s(pid) for who, pid in processes.items()}
    started = time.perf_counter()
    yield
    run.wall_s += time.perf_counter() - started
    for who, pid in processes.items():
        run.cpu_s[who] = run.cpu_s.get(who, 0.0) + cpu_s(pid) - before[who]


def percentile(values: list[float], share: float) -> float:
    """The value that a share (0 to 1) of the values does not exceed; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
