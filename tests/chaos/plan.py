"""The schedule of one run, made from its seed and nothing else: the same seed is the same schedule."""

import dataclasses
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dialects.catalogue import DIALECTS

LEASE_S = 3.0
LOOKUP_AFTER_S = 4.0
"""More than half a lease (until then a frozen runner may begin) and the longest request together."""

TIMEOUT_S = 1.5
RUNNERS = ("r0", "r1", "r2")


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """A channel: its pacing, as create_channel takes it, and the kind of provider behind it."""

    name: str
    kind: str
    pacing: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    name: str
    channels: tuple[str, ...]
    recipients: int
    batch_size: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class LimitPlan:
    """A limit as set_limit takes it: at most so many messages in any so many seconds."""

    scope: str
    subject: str
    maximum: int
    period_s: int


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens, at_s seconds after the start, for duration_s seconds (0: a blow).

    Args:
        kind: one of the names in FAULTS and OPERATORS.
        target: a runner of RUNNERS, a channel, a campaign, "provider" or "all".
        arguments: the other data of the kind.
    """

    at_s: float
    kind: str
    target: str
    duration_s: float = 0.0
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    length_s: float
    runners: tuple[str, ...]
    channels: tuple[ChannelPlan, ...]
    campaigns: tuple[CampaignPlan, ...]
    actions: tuple[Action, ...]
    limits: tuple[LimitPlan, ...] = ()


FAULTS = {
    "kill": 6,
    "freeze": 6,
    "terminate": 3,
    "terminate_backend": 4,
    "terminate_liveness": 2,
    "restart_server": 1,
    "kill_postmaster": 1,
    "kill_backend": 1,
    "cut": 3,
    "refuse": 2,
    "stall": 5,
    "provider_outage": 2,
    "provider_freeze": 2,
    "provider_fault": 6,
    "session_down": 1,
    "clock_jump": 2,
    "disk_full": 1,
}
"""Kinds of fault and how often each is drawn. A run leaves out what its machine cannot do, and says so."""

OPERATORS = {
    "opt_out": 6,
    "receipts": 4,
    "pause_campaign": 1,
    "pause_channel": 1,
    "disconnect": 1,
    "retry_failed": 1,
    "cancel_campaign": 0.3,
}
"""Actions beside the faults: those of operators, and receipts that come late, twice and in any order."""


RULES = (
    "slow",
    "status",
    "endless",
    "rate_limit",
    "accept_then_drop",
    "drop_before_accept",
    "stall",
    "lie",
    "refuse_later",
)
"""What a provider_fault does: an action of the sandbox; endless is a status that every request gets."""


def make(seed: int) -> Plan:
    """The plan of a seed."""
    rng = random.Random(seed)
    channels = _channels(rng)
    campaigns = _campaigns(rng)
    length_s = rng.uniform(3.0, 6.0)
    runners = RUNNERS[: rng.choice((2, 3, 3))]
    actions = [_fault(rng, length_s, runners) for _ in range(rng.randint(3, 9))]
    actions += [_operator(rng, length_s, campaigns) for _ in range(rng.randint(1, 5))]
    actions.sort(key=lambda action: action.at_s)
    return Plan(seed, length_s, runners, channels, campaigns, tuple(actions), _limits(rng))


def save(plan: Plan, path: Path) -> None:
    """Writes a plan as JSON: a schedule that broke something is kept as it was, whatever `make` becomes."""
    path.write_text(json.dumps(dataclasses.asdict(plan), indent=1) + "\n")


def load(path: Path) -> Plan:
    """Reads what `save` wrote."""
    document = json.loads(path.read_text())
    return Plan(
        seed=document["seed"],
        length_s=document["length_s"],
        runners=tuple(document["runners"]),
        channels=tuple(ChannelPlan(**channel) for channel in document["channels"]),
        campaigns=tuple(
            CampaignPlan(**{**campaign, "channels": tuple(campaign["channels"])})
            for campaign in document["campaigns"]
        ),
        actions=tuple(Action(**action) for action in document["actions"]),
        limits=tuple(LimitPlan(**limit) for limit in document.get("limits", ())),
    )


def _channels(rng: random.Random) -> tuple[ChannelPlan, ...]:
    gap = rng.choice((0.05, 0.08, 0.12))
    gaps = {
        "gap_min_s": gap,
        "gap_max_s": round(gap * rng.uniform(1, 2), 3),
        "batch_gap_min_s": 0.15,
        "batch_gap_max_s": 0.3,
    }
    plain = {"rate_per_s": rng.choice((30, 60, 150)), "burst": rng.choice((1, 5, 15))}
    shared = {"rate_per_s": rng.choice((20, 40, 100)), "burst": rng.choice((1, 10))}
    return (
        ChannelPlan("paced", "waha", gaps),
        ChannelPlan(
            "plain",
            "webhook",
            plain | {"max_in_flight": rng.choice((1, 8, 32)), "max_leases": rng.choice((1, 1, 2, 3))},
        ),
        ChannelPlan(
            "shared",
            "idempotent",
            shared | {"max_in_flight": rng.choice((4, 16)), "max_leases": rng.choice((1, 2))},
        ),
        ChannelPlan("ignoring", "ignoring", gaps | {"batch_gap_min_s": 0, "batch_gap_max_s": 0}),
        ChannelPlan(
            "asking", "lookup", gaps | {"batch_gap_min_s": 0, "batch_gap_max_s": 0, "max_in_flight": 1}
        ),
        ChannelPlan("dialect", rng.choice(sorted(DIALECTS)), gaps | {"rate_per_s": None, "burst": 1}),
    )


def _campaigns(rng: random.Random) -> tuple[CampaignPlan, ...]:
    attempts = rng.choice((3, 5, 10))
    return (
        CampaignPlan("paced", ("paced",), rng.randint(20, 40), rng.choice((5, 10, 20)), attempts),
        CampaignPlan("plain", ("plain",), rng.randint(80, 200), rng.choice((20, 35, 50)), attempts),
        CampaignPlan("shared", ("plain", "shared"), rng.randint(60, 120), rng.choice((10, 25, 40)), attempts),
        CampaignPlan("ignoring", ("ignoring",), rng.randint(15, 30), rng.choice((5, 10)), attempts),
        CampaignPlan("asking", ("asking",), rng.randint(15, 30), rng.choice((5, 10)), attempts),
        CampaignPlan("dialect", ("dialect",), rng.randint(15, 30), rng.choice((5, 10)), attempts),
    )


def _limits(rng: random.Random) -> tuple[LimitPlan, ...]:
    """Limits that share messages: two channels have a campaign in common, and each its own rule."""
    possible = (
        LimitPlan("campaign", "shared", rng.randint(25, 60), 2),
        LimitPlan("channel", "plain", rng.randint(40, 90), 2),
        LimitPlan("channel", "plain", rng.randint(80, 120), 4),
        LimitPlan("channel", "shared", rng.randint(15, 40), 1),
        LimitPlan("campaign", "paced", rng.randint(5, 15), 1),
    )
    return tuple(rng.sample(possible, rng.randint(0, 4)))


def _fault(  # noqa: PLR0911 - one return a kind
    rng: random.Random, length_s: float, runners: tuple[str, ...]
) -> Action:
    kind = rng.choices(list(FAULTS), list(FAULTS.values()))[0]
    at_s = rng.uniform(0.2, length_s)
    # The last is a zombie: its leases are reaped, and then it returns.
    duration_s = rng.choice(
        (rng.uniform(0.1, 1.0), rng.uniform(1.0, LEASE_S), rng.uniform(LEASE_S + 0.6, 5.0))
    )
    target = rng.choice(runners)
    match kind:
        case "kill" | "terminate":
            return Action(at_s, kind, target, arguments={"back_after_s": round(rng.uniform(0.0, 2.0), 2)})
        case "freeze" | "refuse" | "stall":
            return Action(at_s, kind, target, duration_s)
        case "cut" | "terminate_backend" | "terminate_liveness":
            return Action(at_s, kind, target)
        case "clock_jump":
            return Action(
                at_s, kind, target, duration_s, {"by_s": rng.choice((-86400, -3600, -30, 30, 3600, 86400))}
            )
        case "provider_outage":
            return Action(at_s, kind, "provider", min(duration_s, 2.0))
        case "provider_freeze":
            return Action(at_s, kind, "provider", min(duration_s, 2.5))
        case "provider_fault":
            return Action(
                at_s,
                kind,
                "provider",
                duration_s,
                {"rules": [_rule(rng) for _ in range(rng.choice((1, 1, 2)))]},
            )
        case "session_down":
            return Action(at_s, kind, "provider", min(duration_s, 2.0), {"session": "paced"})
        case "disk_full":
            return Action(at_s, kind, "all", min(duration_s, 2.0))
        case _:
            return Action(at_s, kind, "all")


def _rule(rng: random.Random) -> dict[str, Any]:
    """A fault of the sandbox. It never refuses for good a message that it took: that cannot be told apart."""
    rule: dict[str, Any] = {"probability": round(rng.uniform(0.1, 0.9), 2)}
    if rng.random() < 0.5:
        rule["channel"] = rng.choice(("paced", "plain", "shared", "ignoring", "asking", "dialect"))
    kind = rng.choice(RULES)
    rule["do"] = kind
    if kind in ("slow", "accept_then_drop"):
        rule["latency_ms"] = [rng.randint(0, 100), rng.randint(100, 900)]
    elif kind == "status":
        rule["status"] = rng.choice((400, 409, 422, 500, 503))
    elif kind == "endless":
        rule |= {"do": "status", "status": rng.choice((500, 502, 503)), "probability": 1.0}
    elif kind == "rate_limit":
        rule |= {
            "retry_after_s": rng.choice((0, 1, 86_400, 10**12)),
            "probability": round(rng.uniform(0.01, 0.1), 2),
        }
    elif kind == "lie":
        rule["status"] = rng.choice((200, 408, 500, 502, 504))
        rule["body"] = {"note": "not what a client expects"}
    elif kind == "refuse_later":
        rule["probability"] = round(rng.uniform(0.02, 0.5), 2)
    return rule


def _operator(rng: random.Random, length_s: float, campaigns: tuple[CampaignPlan, ...]) -> Action:
    kind = rng.choices(list(OPERATORS), list(OPERATORS.values()))[0]
    at_s = rng.uniform(0.1, length_s)
    campaign = rng.choice(campaigns)
    if kind == "opt_out":
        ordinals = rng.sample(range(1, campaign.recipients + 1), rng.randint(1, 10))
        return Action(at_s, kind, campaign.name, arguments={"ordinals": sorted(ordinals)})
    if kind == "receipts":
        return Action(at_s, kind, "provider", rng.uniform(1.0, 5.0), {"seed": rng.randrange(1 << 32)})
    if kind in ("retry_failed", "cancel_campaign"):
        return Action(at_s, kind, campaign.name)
    if kind == "pause_campaign":
        return Action(at_s, kind, campaign.name, rng.uniform(0.1, 1.5))
    return Action(at_s, kind, campaign.channels[0], rng.uniform(0.1, 1.5))
