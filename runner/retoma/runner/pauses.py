"""Pauses before a content is read again that could not be."""

from collections.abc import Mapping
from typing import Any

from retoma.transports.base import now

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Each time twice as long."""


class Pauses:
    """When a content may be read again. Each tick tells of it, and reading may cost seconds of CPU time.

    A content is a row with a campaign_id and a variant.
    """

    def __init__(self) -> None:
        self._pauses: dict[tuple[int, int], tuple[float, float]] = {}

    def is_due(self, row: Mapping[str, Any]) -> bool:
        """Whether its pause is over, or it has none."""
        due_at, _ = self._pauses.get(_key(row), (0.0, 0.0))
        return now() >= due_at

    def begin(self, row: Mapping[str, Any]) -> None:
        """Begin a pause, twice as long as the last one."""
        _, last_s = self._pauses.get(_key(row), (0.0, FIRST_PAUSE_S / 2))
        pause_s = min(2 * last_s, LONGEST_PAUSE_S)
        self._pauses[_key(row)] = now() + pause_s, pause_s

    def end(self, row: Mapping[str, Any]) -> None:
        """It was read: the next pause is a short one."""
        self._pauses.pop(_key(row), None)


def _key(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["campaign_id"], row["variant"]
