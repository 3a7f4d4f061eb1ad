"""Judges one run: did the invariants of the design hold?

It looks at the history only, and shares no code with the product. Its rules:

- accounting: every recipient is in exactly one final state, and that state agrees with what the provider
  took: one acceptance for sent, none for failed, skipped and cancelled, at most one in any case. What it
  accepted and withdrew later, it did not take.
- reserve_then_send: every request lies after the commit of a reservation of its message, and no reservation
  makes more than one request.
- live_epoch: at the time of the request, that reservation's lease was not over; or the reservation was less
  than half a lease old (so long may a runner begin that cannot know of the end).
- fencing: reservations and outcomes are written by the holder of the lease, under its live epoch, and only
  for messages that were reserved under that very epoch; epochs only grow.
- in_doubt: a lease that ends leaves no more in doubt than its channel sends at once, only messages reserved
  before or in the blow that ended it, and only where the kill log has such a blow; all other doubts come
  from an answer of the provider that proves nothing.
- pacing: on a channel with gaps, neither two answered requests, nor an outcome or the end of a lease and the
  next reservation, are closer than its gap, and a completed batch is followed by the gap between batches; on
  one with a rate, in no window are more messages reserved than rate and burst allow.
- limits: in no period of a limit are more messages of its channel or campaign reserved than it allows.
- suppression: no message of a suppressed number is reserved by a transaction that began after it.
- books: at every sample the parts of a campaign add up to its total, at the end also to its messages.
- liveness: every campaign is over at the end, and no runner has ended by itself.
"""

import bisect
import collections
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.facts import Facts, Reservation, closes, ends_lease
from tests.chaos.history import Channel, Fault, History, Limit, Outcome, Request, Step

SLACK_S = 0.5
"""From a runner's decision to send to the sandbox's reading of the request, on a busy machine."""

CLOCK_S = 0.001
"""Resolution with which two stamps of the same clock are compared."""

PROVIDER_DOUBTS = ("timeout", "connection_lost", "http_408", "http_500", "http_502", "http_503", "http_504")
"""Codes that leave a message in doubt without any fault of the runner or the database."""

DOUBTS_AT = {
    "evolution": ("http_400", "unreadable_answer"),
    "evolution_go": ("unreadable_answer",),
    "whatsapp_cloud": ("http_400", "http_409", "http_422", "unreadable_answer"),
}
"""Further ones of a transport: these servers give each refusal in a form of their own. An answer without it
may be that of something in between, which came after the message was taken."""

GIVEN_UP = ("runner_gone", "lease_expired", "released")
"""Codes of what is written at the end of a lease about messages that were reserved under it."""

SETTLED = ("suppressed", "receipt", "id_ignored")
"""Codes of messages that are settled without a request of this attempt."""

CLOSED = ("cancelled", "receipt")
"""Codes of what an earlier attempt may have sent, when the campaign was cancelled before the next one."""

FINAL = ("sent", "failed", "skipped", "in_doubt", "cancelled")
ENDED = ("completed", "cancelled")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule, and the evidence in words."""

    rule: str
    what: str


def check(history: History) -> list[Violation]:
    """All violations of one run; none when the invariants held."""
    facts = Facts(history)
    return [Violation(name, what) for name, rule in RULES.items() for what in rule(facts)]


def accounting(facts: Facts) -> Iterator[str]:
    """Every recipient is accounted for exactly once."""
    members = collections.Counter(
        (b.campaign_id, o, b.attempt) for b in facts.history.batches for o in b.ordinals
    )
    for (campaign_id, ordinal, attempt), count in members.items():
        if count > 1:
            yield f"message {campaign_id}/{ordinal} is in {count} batches of attempt {attempt}"
    states: dict[tuple[int, int], list[str]] = collections.defaultdict(list)
    for shown in facts.history.states:
        states[shown.campaign_id, shown.ordinal].append(shown.state)
    for key in facts.messages:
        if members[*key, 1] == 0:
            yield f"message {_name(key)} is in no batch"
        if len(states[key]) != 1:
            yield f"message {_name(key)} has the states {states[key]}"
        yield from _states_agree(facts, key, states[key])
    yield from _addresses(facts)


def _states_agree(facts: Facts, key: tuple[int, int], states: list[str]) -> Iterator[str]:
    taken = [r for r in facts.requests.get(key, ()) if r.kind in ("accepted", "duplicate")]
    if len(taken) > 1:
        yield f"message {_name(key)} reached its recipient {len(taken)} times"
    for state in states:
        if state not in FINAL and facts.campaigns[key[0]].status in ENDED:
            yield f"message {_name(key)} is {state}, and its campaign is over"
        if state == "sent" and not taken:
            yield f"message {_name(key)} counts as sent, but the provider never took it"
        if state in ("failed", "skipped", "cancelled") and taken:
            yield f"message {_name(key)} counts as {state} but was sent"


def _addresses(facts: Facts) -> Iterator[str]:
    for request in facts.history.requests:
        message = facts.message_of(request)
        if message is None:
            yield f"request {request.seq} is for no message that is known"
        elif message.phone != request.to:
            yield f"request {request.seq} went to another number than its message's"


def reserve_then_send(facts: Facts) -> Iterator[str]:
    """No request without its own earlier committed reservation."""
    for key, requests in facts.requests.items():
        commits = sorted(r.step.committed for r in facts.reservations.get(key, ()))
        for number, request in enumerate(sorted(requests, key=lambda r: r.at), start=1):
            before = bisect.bisect_right(commits, request.at)
            if before < number:
                yield f"request {request.seq} of {_name(key)} is number {number}, after {before} reservations"


def live_epoch(facts: Facts) -> Iterator[str]:
    """No request of a lease that had been over for longer than its runner may be ignorant of it."""
    for key, requests in facts.requests.items():
        for request in requests:
            if facts.read_late(request):
                continue
            if not any(_may_send(facts, r, request) for r in facts.reservations.get(key, ())):
                yield f"request {request.seq} of message {_name(key)} came when no lease of it was live"


def _may_send(facts: Facts, reservation: Reservation, request: Request) -> bool:
    committed = reservation.step.committed
    channel = facts.channels.get(reservation.step.channel_id)
    return (
        committed <= request.at
        and channel is not None
        and channel.name == request.channel
        and request.at <= max(reservation.ended, committed + facts.history.lease_s / 2) + SLACK_S
    )


def fencing(facts: Facts) -> Iterator[str]:
    """Only the holder of the live epoch writes."""
    for steps in facts.steps.values():
        for before, after in pairwise(steps):
            if (after.old_epoch, after.old_reserved) != (before.new_epoch, before.new_reserved):
                yield f"step {after.seq} does not go on where step {before.seq} of its batch ended"
        for step in steps:
            yield from _closed_step(facts, step) if closes(step) else _fenced_step(step)
    reserved = {(r.batch.id, r.epoch, r.message[1]) for rs in facts.reservations.values() for r in rs}
    steps_of = collections.defaultdict(list)
    for step in facts.history.steps:
        steps_of[step.xid, step.batch_id].append(step)
    closed = {(s.xid, s.batch_id) for s in facts.history.steps if closes(s)}
    for o in facts.history.outcomes:
        if o.code in CLOSED and (o.xid, o.batch_id) in closed:
            continue
        name = f"outcome {o.outcome} ({o.code}) of message {_name((o.campaign_id, o.ordinal))}"
        # A tick may apply receipts to a batch before it ends its lease: the last step is the one.
        under = [s for s in steps_of[o.xid, o.batch_id] if (s.old_status, s.old_epoch) == ("leased", o.epoch)]
        step_ = max(under, key=lambda s: s.seq, default=None)
        if step_ is None:
            yield f"{name} was recorded outside of its lease (epoch {o.epoch})"
        elif o.code in GIVEN_UP and not ends_lease(step_):
            yield f"{name} was given up while its lease went on"
        elif o.writer != step_.holder and not (o.code in (*GIVEN_UP, *SETTLED) and ends_lease(step_)):
            yield f"{name} was recorded by {o.writer or 'nobody'}, the lease was that of {step_.holder}"
        if (o.batch_id, o.epoch, o.ordinal) not in reserved and o.code not in SETTLED:
            yield f"{name} was not reserved under epoch {o.epoch}"


def _closed_step(facts: Facts, step: Step) -> Iterator[str]:
    batch = facts.batches[step.batch_id]
    settled = {o.ordinal for o in facts.written[step.xid, batch.id] if o.code in CLOSED}
    if left := set(batch.ordinals[step.old_reserved : step.new_reserved]) - settled:
        yield f"step {step.seq} closes its batch, and leaves {len(left)} messages without an outcome"


def _fenced_step(step: Step) -> Iterator[str]:
    if step.new_epoch < step.old_epoch or step.new_reserved < step.old_reserved:
        yield f"step {step.seq} goes back"
    if step.new_status != step.old_status and step.new_epoch == step.old_epoch:
        yield f"step {step.seq} goes from {step.old_status} to {step.new_status} under the same epoch"
    if step.new_reserved > step.old_reserved and (step.old_status != "leased" or step.writer != step.holder):
        yield (
            f"step {step.seq} reserves for {step.writer or 'nobody'} in a batch that is {step.old_status},"
            f" held by {step.holder or 'nobody'}"
        )


def in_doubt(facts: Facts) -> Iterator[str]:
    """In doubt is at most what was really in flight when something broke."""
    for end in facts.ends.values():
        lost = [o for o in facts.written.get((end.xid, end.batch_id), ()) if o.code in GIVEN_UP]
        if not lost:
            continue
        channel = facts.channels[end.channel_id]
        name = f"the end of epoch {end.old_epoch} of batch {end.batch_id} (held by {end.holder})"
        if len(lost) > channel.max_in_flight:
            yield f"{name} left {len(lost)} in doubt; its channel sends {channel.max_in_flight} at once"
        blows = [f for f in facts.history.faults if f.target in ("all", end.holder) and f.at <= end.committed]
        for outcome in lost:
            reservation = _under(facts, outcome)
            if reservation is None:
                continue  # fencing says so
            if not any(_explains(f, reservation, facts.history.lease_s) for f in blows):
                yield f"{name} left message {_name(reservation.message)} in doubt, and nothing had happened"
    doubted = {
        (o.campaign_id, o.ordinal)
        for o in facts.history.outcomes
        if o.code in (*PROVIDER_DOUBTS, *GIVEN_UP) or o.code in _doubts_at(facts, o)
    }
    for shown in facts.history.states:
        if shown.state == "in_doubt" and (shown.campaign_id, shown.ordinal) not in doubted:
            name = _name((shown.campaign_id, shown.ordinal))
            yield f"message {name} is in doubt ({shown.code}), and nothing made it so"


def _doubts_at(facts: Facts, outcome: Outcome) -> tuple[str, ...]:
    step = facts.ends.get((outcome.batch_id, outcome.epoch)) or facts.steps[outcome.batch_id][-1]
    channel = facts.channels.get(step.channel_id)
    return DOUBTS_AT.get(channel.transport, ()) if channel else ()


def _under(facts: Facts, outcome: Outcome) -> Reservation | None:
    found = facts.reservations.get((outcome.campaign_id, outcome.ordinal), ())
    return next((r for r in found if (r.batch.id, r.epoch) == (outcome.batch_id, outcome.epoch)), None)


def _explains(fault: Fault, reservation: Reservation, lease_s: float) -> bool:
    # A statement that was under way is carried out after the blow, and a runner that was cut off for a while
    # may need until the end of its lease to get back.
    reserved = reservation.step.committed
    if fault.kind == "kill":
        return reserved <= fault.at + SLACK_S
    return reserved <= fault.until + lease_s + SLACK_S


def pacing(facts: Facts) -> Iterator[str]:
    """Neither gap nor rate of a channel is ever exceeded."""
    for channel in facts.history.channels:
        if channel.gap_min_s > 0:
            yield from _gaps(facts, channel)
            yield from _gaps_from_outcomes(facts, channel)
        if channel.batch_gap_min_s > 0:
            yield from _batch_gaps(facts, channel)
        if channel.rate_per_s is not None:
            yield from _rate(facts, channel, channel.rate_per_s)


def _gaps(facts: Facts, channel: Channel) -> Iterator[str]:
    # A request whose answer no runner waited for, because its lease had ended, may be read any time after: a
    # busy provider comes to it late. From the end of that lease the gap counts all the same, see below.
    requests = sorted(
        (r for r in facts.history.requests if r.channel == channel.name and not _given_up(facts, r)),
        key=lambda r: r.at,
    )
    for one, other in pairwise(requests):
        gap = other.at - one.at
        if gap < channel.gap_min_s - CLOCK_S and not facts.read_late(other) and not facts.read_late(one):
            yield (
                f"requests {one.seq} and {other.seq} of {channel.name} are {gap:.4f} s apart, "
                f"the gap is {channel.gap_min_s} s"
            )


def _given_up(facts: Facts, request: Request) -> bool:
    """Whether the lease under which this was sent ended before an answer was recorded."""
    message = facts.message_of(request)
    reservation = facts.reservation_of.get(request.seq)
    if message is None or reservation is None:
        return False
    end = facts.ends.get((reservation.batch.id, reservation.epoch))
    written = facts.written.get((end.xid, end.batch_id), ()) if end else ()
    return any(o.ordinal == message.ordinal and o.code in (*GIVEN_UP, *SETTLED) for o in written)


def _gaps_from_outcomes(facts: Facts, channel: Channel) -> Iterator[str]:
    # The ledger tells when a request came, not when its answer had arrived; the gap counts from there.
    since = -math.inf
    for step in sorted((s for s in facts.history.steps if s.channel_id == channel.id), key=lambda s: s.at):
        written = facts.written.get((step.xid, step.batch_id), ())
        if any(o.code not in SETTLED for o in written):
            since = max(since, step.started)
        if _hands_out(facts, step) and step.at - since < channel.gap_min_s - CLOCK_S:
            yield f"step {step.seq} of {channel.name} reserves {step.at - since:.4f} s after an outcome"


def _batch_gaps(facts: Facts, channel: Channel) -> Iterator[str]:
    steps = sorted((s for s in facts.history.steps if s.channel_id == channel.id), key=lambda s: s.seq)
    reserving = [s for s in steps if _hands_out(facts, s)]
    starts = [s.at for s in reserving]
    for end in steps:
        completed = end.old_status == "leased" and end.new_status == "completed" and end.writer == end.holder
        after = bisect.bisect_right(starts, end.at)
        if completed and after < len(starts):
            gap = starts[after] - end.started
            if gap < channel.batch_gap_min_s - CLOCK_S:
                yield f"step {reserving[after].seq} of {channel.name} follows a batch after {gap:.4f} s"


def _rate(facts: Facts, channel: Channel, rate_per_s: float) -> Iterator[str]:
    # Counted by reservations: each one is decided between the start of its transaction and its trigger, so
    # the window from the first start to the last trigger is never shorter than the one that was decided by.
    taken = [
        (s, n)
        for s in sorted(facts.history.steps, key=lambda s: s.seq)
        if s.channel_id == channel.id and (n := _hands_out(facts, s))
    ]
    for first, (one, _) in enumerate(taken):
        count = 0
        for other, n in taken[first:]:
            count += n
            window = max(other.at - one.started, 0.0)
            if count > channel.burst + rate_per_s * window + 1e-6:
                yield (
                    f"steps {one.seq} to {other.seq} reserve {count} messages of {channel.name}"
                    f" in {window:.4f} s; its rate is {rate_per_s}/s, its burst {channel.burst}"
                )
                return


def limits(facts: Facts) -> Iterator[str]:
    """No limit is ever exceeded, over all runners, channels and campaigns that share it."""
    for limit in facts.history.limits:
        taken = [
            (s, n)
            for s in sorted(facts.history.steps, key=lambda s: s.at)
            if _is_under(facts, s, limit) and (n := _hands_out(facts, s))
        ]
        # Each reservation is decided between the start of its transaction and its trigger. So all that lie
        # between the earliest start and the last trigger of one period were decided in one period.
        for last, (step, _) in enumerate(taken):
            count = sum(n for s, n in taken[: last + 1] if s.started >= step.at - limit.period_s)
            if count > limit.maximum:
                yield (
                    f"{count} messages of {limit.scope} {limit.subject_id} are reserved in the"
                    f" {limit.period_s} s before step {step.seq}; its limit is {limit.maximum}"
                )
                break


def _is_under(facts: Facts, step: Step, limit: Limit) -> bool:
    if limit.scope == "channel":
        return step.channel_id == limit.subject_id
    batch = facts.batches.get(step.batch_id)
    return batch is not None and batch.campaign_id == limit.subject_id


def _hands_out(facts: Facts, step: Step) -> int:
    """How many messages a step gives to its runner."""
    batch = facts.batches.get(step.batch_id)
    if batch is None:
        return 0
    settled = {o.ordinal for o in facts.written.get((step.xid, step.batch_id), ())}
    return len(set(batch.ordinals[step.old_reserved : step.new_reserved]) - settled)


def suppression(facts: Facts) -> Iterator[str]:
    """Nothing is reserved for a number after its suppression was committed."""
    since = {s.phone: s.committed for s in facts.history.suppressions}
    for key, reservations in facts.reservations.items():
        at = since.get(facts.messages[key].phone, math.inf)
        for r in reservations:
            if r.step.started > at + CLOCK_S:
                yield f"message {_name(key)} was reserved {r.step.started - at:.3f} s after its suppression"


def books(facts: Facts) -> Iterator[str]:
    """The parts add up to the total, at every sample and at the end."""
    for s in facts.history.samples:
        parts = (s.pending, s.sending, s.sent, s.failed, s.skipped, s.in_doubt, s.cancelled)
        if sum(parts) != s.total or min(parts) < 0:
            yield f"campaign {s.campaign} at {s.at:.3f}: {parts} do not make {s.total}"
        if s.status == "completed" and s.pending + s.sending:
            yield f"campaign {s.campaign} is completed with {s.pending + s.sending} messages to send"
    final = {s.campaign: s for s in facts.history.samples}
    counted: dict[int, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for message in facts.history.states:
        counted[message.campaign_id][message.state] += 1
    for campaign in facts.history.campaigns:
        shown = final.get(campaign.name)
        for part in FINAL if shown is not None and shown.status in ENDED else ():
            if getattr(shown, part) != counted[campaign.id][part]:
                yield (
                    f"campaign {campaign.name} shows {getattr(shown, part)} {part},"
                    f" its messages say {counted[campaign.id][part]}"
                )


def liveness(facts: Facts) -> Iterator[str]:
    """After the faults are healed, everything ends; and no runner has met what it does not know."""
    for campaign in facts.history.campaigns:
        if campaign.status not in ENDED:
            yield f"campaign {campaign.name} is still {campaign.status}"
    for fault in facts.history.faults:
        if fault.kind == "died":
            yield f"runner {fault.target} has ended by itself"
        if fault.kind == "raised":
            yield f"a runner logged an unexpected error: {fault.target}"


RULES: dict[str, Callable[[Facts], Iterable[str]]] = {
    "accounting": accounting,
    "reserve_then_send": reserve_then_send,
    "live_epoch": live_epoch,
    "fencing": fencing,
    "in_doubt": in_doubt,
    "pacing": pacing,
    "limits": limits,
    "suppression": suppression,
    "books": books,
    "liveness": liveness,
}


def _name(message: tuple[int, int]) -> str:
    return f"{message[0]}/{message[1]}"
