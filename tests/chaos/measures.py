"""Figures of a run that are no invariants: how much happened, and how fast others went on after a kill."""

import collections
import math
from typing import Any

from tests.chaos.facts import Facts
from tests.chaos.history import Fault, History


def totals(history: History) -> dict[str, Any]:
    """Counts of one run, and the recovery times in seconds after kills that nothing else disturbed."""
    facts = Facts(history)
    kinds = collections.Counter(r.kind for r in history.requests)
    return {
        "messages": len(history.messages),
        "states": dict(collections.Counter(s.state for s in history.states)),
        "requests": len(history.requests),
        "duplicates": kinds["duplicate"],
        "repeats_suppressed": kinds["repeat"],
        "leases": len(facts.ends),
        "samples": len(history.samples),
        "faults": dict(collections.Counter(f.kind for f in history.faults)),
        "recovery_s": [round(s, 3) for f in history.faults if f.kind == "kill" for s in recovery(facts, f)],
    }


def recovery(facts: Facts, kill: Fault) -> list[float]:
    """Seconds from a kill to the next request of another runner, for each channel that the victim held.

    Left out where another fault fell between the two, or up to a lease before: then it is not the kill alone
    that is waited for.
    """
    found = []
    for channel_id, steps in _by_channel(facts).items():
        held = any(
            s.holder == kill.target and s.committed <= kill.at < _end_of(facts, s.batch_id, s.new_epoch)
            for s in steps
            if s.new_status == "leased"
        )
        name = facts.channels[channel_id].name
        others = [
            request.at
            for key, requests in facts.requests.items()
            for request in requests
            if request.channel == name
            and request.at > kill.at
            and _sender(facts, key, request.at) != kill.target
        ]
        if held and others and not _disturbed(facts.history, kill, min(others)):
            found.append(min(others) - kill.at)
    return found


def _disturbed(history: History, kill: Fault, until: float) -> bool:
    return any(f != kill and f.at < until and f.until > kill.at - history.lease_s for f in history.faults)


def _by_channel(facts: Facts) -> dict[int, list[Any]]:
    found = collections.defaultdict(list)
    for step in facts.history.steps:
        if step.channel_id:
            found[step.channel_id].append(step)
    return found


def _end_of(facts: Facts, batch_id: int, epoch: int) -> float:
    end = facts.ends.get((batch_id, epoch))
    return end.committed if end else math.inf


def _sender(facts: Facts, key: tuple[int, int], at: float) -> str:
    before = [r for r in facts.reservations.get(key, ()) if r.step.committed <= at]
    return before[-1].step.holder if before else ""
