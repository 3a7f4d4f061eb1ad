"""Names and times that the parts of the demo share."""

from collections.abc import Callable
from typing import Any

import psycopg

SALES, SUPPORT, OFFICIAL = CHANNELS = ("demo-sales", "demo-support", "demo-official")
RUNNERS = ("demo-runner-1", "demo-runner-2")

# Instead of the default of 60 s, so that the user does not wait a minute for the end.
LOOKUP_AFTER_S = 2

# Between a request and its answer, so that some messages are under way when a runner dies.
LATENCY_MS = [20, 60]

STALLED_S = 60.0
LOOK_S = 0.25

Connection = psycopg.Connection[dict[str, Any]]
Tell = Callable[[str, str], None]
