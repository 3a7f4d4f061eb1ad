"""The facts of one run, from witnesses beside the product: provider, triggers of the test, kill log.

All times are Unix seconds of the one clock of the machine that the database and the sandbox share.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with its limits; gaps in seconds, 0 where it has none."""

    id: int
    name: str
    dedupes: bool
    looks_up: bool
    max_in_flight: int
    gap_min_s: float
    batch_gap_min_s: float
    rate_per_s: float | None
    burst: int
    transport: str


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many messages in any so many seconds, of a channel or a campaign."""

    scope: str
    subject_id: int
    maximum: int
    period_s: float


@dataclass(frozen=True, slots=True)
class Campaign:
    id: int
    name: str
    token: str
    status: str
    total: int


@dataclass(frozen=True, slots=True)
class Message:
    campaign_id: int
    ordinal: int
    phone: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch at the end of the run; ordinals in the order in which they are reserved."""

    id: int
    campaign_id: int
    attempt: int
    ordinals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One update of a batch, written down by a trigger in the same transaction.

    Args:
        seq: order; true within a batch, whose row is locked.
        xid: the transaction.
        started: when the transaction began.
        at: when the trigger ran.
        committed: by pg_xact_commit_timestamp: at most as late as the commit was durable.
        writer: name of the runner whose session wrote it, empty for any other session.
        holder: name of the runner whose lease it is or, at the end of a lease, was.
    """

    seq: int
    xid: int
    started: float
    at: float
    committed: float
    writer: str
    holder: str
    batch_id: int
    channel_id: int
    old_status: str
    new_status: str
    old_epoch: int
    new_epoch: int
    old_reserved: int
    new_reserved: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One insert into delivery, written down by a trigger in the same transaction."""

    xid: int
    committed: float
    writer: str
    batch_id: int
    campaign_id: int
    ordinal: int
    attempt: int
    epoch: int
    outcome: str
    code: str | None


@dataclass(frozen=True, slots=True)
class State:
    """The fate of a message, as Retoma says at the end of the run: the claim that is judged."""

    campaign_id: int
    ordinal: int
    state: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Suppression:
    phone: str
    committed: float


@dataclass(frozen=True, slots=True)
class Request:
    """A line of the provider's ledger: a request that it read, and what it made of it."""

    seq: int
    at: float
    channel: str
    message_id: str | None
    to: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of the kill log.

    Args:
        at: when it began.
        until: when it was healed; equal to `at` for a blow.
        kind: an action of tests.chaos.plan.
        target: the runner that it hits, "provider", or "all" for every runner.
    """

    at: float
    until: float
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The books of a campaign as v_campaign_summary showed them during the run."""

    at: float
    campaign: str
    status: str
    total: int
    pending: int
    sending: int
    sent: int
    failed: int
    skipped: int
    in_doubt: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class History:
    lease_s: float
    channels: list[Channel]
    campaigns: list[Campaign]
    messages: list[Message]
    batches: list[Batch]
    steps: list[Step]
    outcomes: list[Outcome]
    states: list[State]
    suppressions: list[Suppression]
    requests: list[Request]
    faults: list[Fault] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)


_PARTS: dict[str, type[Any]] = {
    "channels": Channel,
    "campaigns": Campaign,
    "messages": Message,
    "batches": Batch,
    "steps": Step,
    "outcomes": Outcome,
    "states": State,
    "suppressions": Suppression,
    "requests": Request,
    "faults": Fault,
    "samples": Sample,
    "limits": Limit,
}


def save(history: History, path: Path) -> None:
    """Writes a history as JSON, so that `check` can judge it again."""
    path.write_text(json.dumps(dataclasses.asdict(history)))


def load(path: Path) -> History:
    """Reads what `save` wrote."""
    document = json.loads(path.read_text())
    parts = {name: [kind(**item) for item in document[name]] for name, kind in _PARTS.items()}
    parts["batches"] = [dataclasses.replace(b, ordinals=tuple(b.ordinals)) for b in parts["batches"]]
    return History(lease_s=document["lease_s"], **parts)


def read_ledger(path: Path) -> list[Request]:
    """The ledger of a sandbox (retoma.rehearsal.sandbox.ledger); a last line that is cut off is not read."""
    names = [f.name for f in dataclasses.fields(Request)]
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [Request(**{name: entry[name] for name in names}) for entry in map(json.loads, lines)]
