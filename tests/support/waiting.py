"""Waiting for a condition with a deadline, in place of sleeping for a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.02

DEADLINE_S = 60.0
"""So long a busy machine may take. How long anything takes on an idle one is measured in tests/bench."""

PATIENT_S = 2 * DEADLINE_S
"""How long a request may take in tests that are not about its time-out: what a test waits for fails first."""


def wait_until(condition: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
    """Calls `condition` until its result is true, and returns that result.

    Args:
        deadline_s: seconds after which the test fails.

    Raises:
        AssertionError: the deadline passed.
    """
    end = time.monotonic() + deadline_s
    while not (result := condition()):
        assert time.monotonic() < end, f"still not true after {deadline_s} s; last result: {result!r}"
        time.sleep(POLL_S)
    return result
