"""Faults on demand: which requests go wrong, and how.

A rule is a flat JSON object. Which requests:

- dialect ("waha", "webhook"), channel, to (a list of E.164 numbers): only those
- after: not the first n of them; first: only n of those; every: only each nth of those
- probability: 0 to 1, drawn from the sandbox's seed

What happens (do), the first rule that matches a request decides:

- "slow" (default): take it, and answer after latency_ms
- "status": refuse with `status` and `body`
- "rate_limit": refuse with 429 and Retry-After: `retry_after_s`
- "accept_then_drop": take it, then cut the connection
- "drop_before_accept": read it, then cut the connection; nothing is taken
- "stall": read it, take nothing, never answer
- "session": put the WAHA session into `session_status`, so that this and all later sends are refused
- "lie": take it, but answer `status` and `body` like an error
- "refuse_later": answer as if it were taken, and report by receipt that it failed with the number `error`

latency_ms, a number or a range [low, high], delays any answer after the ledger has been written.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from retoma.errors import RetomaError

ACTIONS = (
    "slow",
    "status",
    "rate_limit",
    "accept_then_drop",
    "drop_before_accept",
    "stall",
    "session",
    "lie",
    "refuse_later",
)


@dataclass(slots=True)
class Rule:
    """One fault; the fields are those of the module's docstring."""

    do: str = "slow"
    dialect: str | None = None
    channel: str | None = None
    to: list[str] | None = None
    after: int = 0
    first: int | None = None
    every: int = 1
    probability: float = 1.0
    latency_ms: float | list[float] = 0.0
    status: int = 500
    body: dict[str, object] | None = None
    retry_after_s: int = 1
    session_status: str = "FAILED"
    error: str = "463"
    candidates: int = 0

    def applies(self, dialect: str, channel: str, to: str, rng: random.Random) -> bool:
        """Whether this rule takes the request; counts it when it is one of those that the rule looks at."""
        if self.dialect not in (None, dialect) or self.channel not in (None, channel):
            return False
        if self.to is not None and to not in self.to:
            return False
        self.candidates += 1
        number = self.candidates - self.after
        if number < 1 or (self.first is not None and number > self.first) or number % self.every:
            return False
        return self.probability >= 1 or rng.random() < self.probability

    def latency_s(self, rng: random.Random) -> float:
        if isinstance(self.latency_ms, list):
            return rng.uniform(*self.latency_ms) / 1000
        return self.latency_ms / 1000


def parse(document: object) -> list[Rule]:
    """The rules in a JSON list, or in a single JSON object.

    Raises:
        RetomaError: the document is not understood; the message says what is wrong.
    """
    items = document if isinstance(document, list) else [document]
    return [_rule(item) for item in items]


_TYPES: dict[str, tuple[type, ...]] = {
    "do": (str,),
    "dialect": (str,),
    "channel": (str,),
    "to": (list,),
    "after": (int,),
    "first": (int,),
    "every": (int,),
    "probability": (int, float),
    "latency_ms": (int, float, list),
    "status": (int,),
    "body": (dict,),
    "retry_after_s": (int,),
    "session_status": (str,),
    "error": (str,),
}


def _rule(item: object) -> Rule:
    hint = f"Its fields are {', '.join(_TYPES)}; see pydoc retoma.rehearsal.sandbox.faults."
    if not isinstance(item, Mapping):
        raise RetomaError("A fault is not a JSON object.", hint=hint)
    for name, value in item.items():
        if name not in _TYPES:
            raise RetomaError(f"A fault has no field {name!r}.", hint=hint)
        if type(value) not in _TYPES[name]:
            kinds = " or ".join(kind.__name__ for kind in _TYPES[name])
            raise RetomaError(f"The field {name} of a fault is not of type {kinds}.", hint=hint)
    rule = Rule(**item)
    if rule.do not in ACTIONS:
        raise RetomaError(f"A fault cannot do {rule.do!r}.", hint=f"It does one of {', '.join(ACTIONS)}.")
    if rule.every < 1 or not 200 <= rule.status <= 599:
        raise RetomaError("A fault's every or status is out of range.", hint="every ≥ 1; status 200 to 599.")
    if isinstance(rule.latency_ms, list) and len(rule.latency_ms) != 2:
        raise RetomaError("A fault's latency_ms is not a range.", hint="Write a number or [low, high].")
    return rule
