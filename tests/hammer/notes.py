"""What the callers saw: counts of what was right, and each kind of failure with an example."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Notes:
    """Shared by all threads of a run.

    Args:
        calls: how often each function was called.
        refusals: how often each function answered with each RT code, or gave up waiting for a lock.
        failures: each kind of failure, with an example and how often it was seen.
        slowest_tick_s: seconds.
        ticks: how many ticks were made.
    """

    calls: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    slowest_tick_s: float = 0.0
    ticks: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def called(self, function: str, refusal: str | None = None) -> None:
        """One call; refusal is the RT code that it was answered with."""
        with self._lock:
            self.calls[function] += 1
            if refusal:
                self.refusals[f"{refusal} {function}"] += 1

    def failed(self, kind: str, example: str) -> None:
        """One failure; the first example of a kind is kept."""
        with self._lock:
            first, count = self.failures.get(kind, (example, 0))
            self.failures[kind] = (first, count + 1)

    def ticked(self, seconds: float) -> None:
        with self._lock:
            self.ticks += 1
            self.slowest_tick_s = max(self.slowest_tick_s, seconds)

    def __str__(self) -> str:
        calls, refused = sum(self.calls.values()), sum(self.refusals.values())
        return f"{calls} calls, {refused} refused, {len(self.failures)} kinds of failures"
