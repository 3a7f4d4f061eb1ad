"""The sandbox's ledger, read while it grows: when each channel sent."""

import bisect
import json
from collections import defaultdict
from pathlib import Path


class LedgerReader:
    """Follows a ledger file (its lines: retoma.rehearsal.sandbox.ledger).

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._times: dict[str, list[float]] = defaultdict(list)

    def read(self) -> None:
        """Take in the lines that are new; the unfinished last one stays for the next time."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(json.loads(line))

    def first_after(self, channel: str, at: float) -> float | None:
        """When the channel sent for the first time at or after this moment, both in Unix seconds."""
        self.read()
        times = self._times[channel]
        index = bisect.bisect_left(times, at)
        return times[index] if index < len(times) else None

    def _take(self, entry: dict[str, object]) -> None:
        if entry["kind"] == "refused":
            return
        times = self._times[str(entry["channel"])]
        # Times are taken when a request was read: requests at once may be written in another order.
        bisect.insort(times, float(str(entry["at"])))
