"""A history with what several rules look up in it."""

import collections
import functools
import math
from dataclasses import dataclass

from tests.chaos.history import Batch, History, Message, Outcome, Request, Step

READ_LATE_S = 2.0
"""A frozen provider reads what waits for it within this time after it goes on."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """One message handed to a runner: a position that a step passed and did not settle itself."""

    message: tuple[int, int]
    batch: Batch
    epoch: int
    step: Step
    ended: float


class Facts:
    """A history with the indices that several rules need."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.channels = {c.id: c for c in history.channels}
        self.by_channel_name = {c.name: c for c in history.channels}
        self.campaigns = {c.id: c for c in history.campaigns}
        self.batches = {b.id: b for b in history.batches}
        self.messages = {(m.campaign_id, m.ordinal): m for m in history.messages}

    @functools.cached_property
    def steps(self) -> dict[int, list[Step]]:
        """The steps of each batch in their order."""
        found: dict[int, list[Step]] = collections.defaultdict(list)
        for step in sorted(self.history.steps, key=lambda s: s.seq):
            found[step.batch_id].append(step)
        return found

    @functools.cached_property
    def ends(self) -> dict[tuple[int, int], Step]:
        """The step that ended the lease, by batch and epoch."""
        return {(s.batch_id, s.old_epoch): s for s in self.history.steps if ends_lease(s)}

    @functools.cached_property
    def written(self) -> dict[tuple[int, int], list[Outcome]]:
        """The outcomes of each transaction and batch."""
        found: dict[tuple[int, int], list[Outcome]] = collections.defaultdict(list)
        for outcome in self.history.outcomes:
            found[outcome.xid, outcome.batch_id].append(outcome)
        return found

    @functools.cached_property
    def reservations(self) -> dict[tuple[int, int], list[Reservation]]:
        """All reservations of each message (campaign, ordinal), in the order of their steps."""
        found: dict[tuple[int, int], list[Reservation]] = collections.defaultdict(list)
        for step in sorted(self.history.steps, key=lambda s: s.seq):
            batch = self.batches.get(step.batch_id)
            if batch is None or step.new_reserved <= step.old_reserved:
                continue
            settled = {o.ordinal for o in self.written.get((step.xid, batch.id), ())}
            end = self.ends.get((batch.id, step.old_epoch))
            for ordinal in batch.ordinals[step.old_reserved : step.new_reserved]:
                if ordinal not in settled:
                    message = batch.campaign_id, ordinal
                    ended = end.committed if end else math.inf
                    found[message].append(Reservation(message, batch, step.old_epoch, step, ended))
        return found

    @functools.cached_property
    def requests(self) -> dict[tuple[int, int], list[Request]]:
        """The requests of each message, in the order in which the provider read them."""
        found: dict[tuple[int, int], list[Request]] = collections.defaultdict(list)
        for request in self.history.requests:
            message = self.message_of(request)
            if message is not None:
                found[message.campaign_id, message.ordinal].append(request)
        return found

    @functools.cached_property
    def reservation_of(self) -> dict[int, Reservation]:
        """By seq of a request, the reservation that it was made for: each makes one, the last the last."""
        found: dict[int, Reservation] = {}
        for key, requests in self.requests.items():
            unused = sorted(self.reservations.get(key, ()), key=lambda r: r.step.committed)
            for request in sorted(requests, key=lambda r: r.at, reverse=True):
                while unused and unused[-1].step.committed > request.at:
                    unused.pop()
                if unused:
                    found[request.seq] = unused.pop()
        return found

    @functools.cached_property
    def _tokens(self) -> dict[str, int]:
        return {c.token: c.id for c in self.history.campaigns}

    @functools.cached_property
    def _by_phone(self) -> dict[str, Message]:
        return {m.phone: m for m in self.history.messages}

    def message_of(self, request: Request) -> Message | None:
        """The message that a request's id names: 24 digits of the campaign, 8 of the ordinal.

        Where the provider takes no id of ours, the recipient names it: a number is in one campaign of a run.
        """
        if request.message_id is None:
            return self._by_phone.get(request.to)
        text = request.message_id
        campaign_id = self._tokens.get(text[:24])
        if campaign_id is None or len(text) != 32:
            return None
        return self.messages.get((campaign_id, int(text[24:], 16)))

    def read_late(self, request: Request) -> bool:
        """Whether the provider was frozen before it read this: then its time says nothing of the sender."""
        return any(
            f.kind == "provider_freeze" and f.at <= request.at <= f.until + READ_LATE_S
            for f in self.history.faults
        )


def ends_lease(step: Step) -> bool:
    """Whether the lease is over by this step, of any runner."""
    return step.old_status == "leased" and step.new_status != "leased"


def closes(step: Step) -> bool:
    """Whether it settles what is left of a batch whose campaign was cancelled, and hands nothing out."""
    return (
        step.old_status in ("ready", "cancelled")
        and step.new_status == "cancelled"
        and step.new_reserved > step.old_reserved
    )
