"""Violations to plant into a clean history, each with the rule that must catch it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tests.chaos import checker
from tests.chaos.history import (
    Batch,
    Fault,
    History,
    Limit,
    Message,
    Outcome,
    Request,
    State,
    Step,
    Suppression,
)
from tests.chaos.story import FAST, TOKEN, phone

T = TypeVar("T")


def swap(items: list[T], old: T, new: T) -> list[T]:
    return [new if item == old else item for item in items]


def request(history: History, ordinal: int) -> Request:
    return next(r for r in history.requests if r.to == phone(ordinal))


def state(history: History, ordinal: int) -> State:
    return next(s for s in history.states if s.ordinal == ordinal)


def with_state(history: History, ordinal: int, name: str, code: str | None = None) -> History:
    old = state(history, ordinal)
    return replace(history, states=swap(history.states, old, replace(old, state=name, code=code)))


def outcome(history: History, ordinal: int) -> Outcome:
    return next(o for o in history.outcomes if o.ordinal == ordinal)


def reservation(history: History, ordinal: int) -> Step:
    batch, position = (1, ordinal) if ordinal < 4 else (2, ordinal - 3)
    return next(
        s for s in history.steps if s.batch_id == batch and s.old_reserved < position <= s.new_reserved
    )


def a_message_sent_twice(h: History) -> History:
    again = replace(request(h, 4), seq=90, at=request(h, 4).at + 0.001, kind="duplicate")
    return replace(h, requests=[*h.requests, again])


def a_message_sent_by_two_channels(h: History) -> History:
    again = replace(request(h, 4), seq=90, at=request(h, 4).at + 5, channel="paced")
    return replace(h, requests=[*h.requests, again])


def sent_but_never_taken(h: History) -> History:
    return replace(h, requests=[r for r in h.requests if r.to != phone(6)])


def sent_but_withdrawn(h: History) -> History:
    later = replace(request(h, 6), kind="withdrawn")
    return replace(h, requests=swap(h.requests, request(h, 6), later))


def failed_but_taken(h: History) -> History:
    return with_state(h, 6, "failed")


def skipped_but_taken(h: History) -> History:
    return replace(
        h, requests=[*h.requests, replace(request(h, 1), seq=90, to=phone(2), message_id=f"{TOKEN}{2:08x}")]
    )


def completed_without_an_outcome(h: History) -> History:
    return with_state(h, 7, "sending")


def cancelled_but_taken(h: History) -> History:
    return with_state(h, 7, "cancelled")


def without_a_state(h: History) -> History:
    return replace(h, states=[s for s in h.states if s.ordinal != 7])


def in_two_states(h: History) -> History:
    return replace(h, states=[*h.states, replace(state(h, 7), state="in_doubt")])


def in_two_batches(h: History) -> History:
    return replace(h, batches=[*h.batches, Batch(3, 1, 1, (7,))])


def in_no_batch(h: History) -> History:
    unknown = Message(1, 8, phone(8))
    return replace(h, messages=[*h.messages, unknown], states=[*h.states, State(1, 8, "in_doubt", "timeout")])


def a_request_for_nobody(h: History) -> History:
    return replace(h, requests=[*h.requests, replace(request(h, 1), seq=90, message_id="f" * 32)])


def a_request_to_another_number(h: History) -> History:
    return replace(h, requests=swap(h.requests, request(h, 1), replace(request(h, 1), to=phone(9))))


def sent_before_the_commit(h: History) -> History:
    step = reservation(h, 6)
    return replace(h, steps=swap(h.steps, step, replace(step, committed=request(h, 6).at + 0.001)))


def sent_without_a_reservation(h: History) -> History:
    step = reservation(h, 3)  # the lost write: as if the server had forgotten the reservation in a crash
    return replace(h, steps=swap(h.steps, step, replace(step, new_reserved=step.old_reserved)))


def two_requests_of_one_reservation(h: History) -> History:
    again = replace(request(h, 4), seq=90, at=request(h, 4).at + 0.001, kind="refused")
    return replace(h, requests=[*h.requests, again])


def a_zombie_sends(h: History) -> History:
    late = reservation(h, 5).committed + h.lease_s / 2 + checker.SLACK_S + 0.1
    return replace(h, requests=swap(h.requests, request(h, 5), replace(request(h, 5), at=late)))


def a_zombie_records(h: History) -> History:
    stale = replace(outcome(h, 6), epoch=1)
    return replace(h, outcomes=swap(h.outcomes, outcome(h, 6), stale))


def a_zombie_records_under_the_epoch_of_another(h: History) -> History:
    return replace(h, outcomes=swap(h.outcomes, outcome(h, 6), replace(outcome(h, 6), writer="r0")))


def an_outcome_of_an_earlier_lease(h: History) -> History:
    stale = replace(outcome(h, 6), ordinal=5)
    return replace(h, outcomes=swap(h.outcomes, outcome(h, 6), stale))


def a_zombie_reserves(h: History) -> History:
    step = reservation(h, 6)
    return replace(h, steps=swap(h.steps, step, replace(step, writer="r0")))


def an_epoch_that_goes_back(h: History) -> History:
    step = reservation(h, 6)
    return replace(h, steps=swap(h.steps, step, replace(step, new_epoch=step.old_epoch - 1)))


def reserved_without_a_lease(h: History) -> History:
    step = reservation(h, 1)
    return replace(h, steps=swap(h.steps, step, replace(step, old_status="ready")))


def more_in_doubt_than_in_flight(h: History) -> History:
    return replace(h, channels=swap(h.channels, FAST, replace(FAST, max_in_flight=0)))


def in_doubt_out_of_the_blue(h: History) -> History:
    return replace(h, faults=[])


def in_doubt_by_a_blow_to_another_runner(h: History) -> History:
    return replace(h, faults=[replace(h.faults[0], target="r1")])


def reserved_long_after_the_kill(h: History) -> History:
    return replace(h, faults=[replace(h.faults[0], at=h.faults[0].at - 2)])


def in_doubt_by_no_known_code(h: History) -> History:
    return with_state(h, 6, "in_doubt", "http_200")


def a_gap_too_short(h: History) -> History:
    early = replace(request(h, 3), at=request(h, 1).at + 0.09)
    return replace(h, requests=swap(h.requests, request(h, 3), early))


def a_gap_that_counts_from_the_request(h: History) -> History:
    recorded = next(s for s in h.steps if s.xid == outcome(h, 1).xid)
    late = replace(recorded, started=reservation(h, 3).started - 0.05)
    return replace(h, steps=swap(h.steps, recorded, late))


def no_gap_between_batches(h: History) -> History:
    extra = reservation(h, 4)
    moved = replace(extra, channel_id=1)
    return replace(h, steps=swap(h.steps, extra, moved))


def a_burst_too_large(h: History) -> History:
    return replace(h, channels=swap(h.channels, FAST, replace(FAST, burst=1)))


def a_rate_too_high(h: History) -> History:
    return replace(h, channels=swap(h.channels, FAST, replace(FAST, rate_per_s=5.0)))


def more_than_a_limit_of_a_channel(h: History) -> History:
    return replace(h, limits=[Limit("channel", 2, 3, 1.0)])


def more_than_a_limit_of_a_campaign(h: History) -> History:
    return replace(h, limits=[Limit("campaign", 1, 3, 0.35)])


def a_suppressed_number_reserved(h: History) -> History:
    told = Suppression(phone(6), reservation(h, 6).started - 0.01)
    return replace(h, suppressions=[*h.suppressions, told])


def books_that_do_not_balance(h: History) -> History:
    return replace(h, samples=[replace(h.samples[0], status="running", sent=4), *h.samples])


def books_with_a_negative_part(h: History) -> History:
    wrong = replace(h.samples[0], status="running", pending=-1, sent=h.samples[0].sent + 1)
    return replace(h, samples=[wrong, *h.samples])


def completed_with_messages_to_send(h: History) -> History:
    last = h.samples[0]
    return replace(h, samples=[replace(last, sent=last.sent - 1, pending=1), last])


def books_that_do_not_match_the_messages(h: History) -> History:
    last = h.samples[0]
    return replace(h, samples=[replace(last, sent=last.sent - 1, failed=last.failed + 1)])


def a_campaign_that_never_ends(h: History) -> History:
    return replace(h, campaigns=[replace(h.campaigns[0], status="running")])


def a_runner_that_ended_by_itself(h: History) -> History:
    return replace(h, faults=[*h.faults, Fault(1001.0, 1001.0, "died", "r1")])


def a_runner_that_raised(h: History) -> History:
    return replace(h, faults=[*h.faults, Fault(1001.0, 1001.0, "raised", "r1: KeyError")])


def a_state_that_changes_under_the_same_epoch(h: History) -> History:
    end = next(s for s in h.steps if s.new_status == "completed")
    return replace(h, steps=swap(h.steps, end, replace(end, new_epoch=end.old_epoch)))


def a_step_that_is_missing(h: History) -> History:
    return replace(h, steps=[s for s in h.steps if s != reservation(h, 6)])


def given_up_by_another_while_the_lease_went_on(h: History) -> History:
    doubt = replace(outcome(h, 6), outcome="in_doubt", code="runner_gone", writer="r2")
    return replace(h, outcomes=swap(h.outcomes, outcome(h, 6), doubt))


def closed_with_a_message_left_open(h: History) -> History:
    first, second = h.batches
    last = max((s for s in h.steps if s.batch_id == second.id), key=lambda s: s.seq)
    close = replace(
        last,
        seq=last.seq + 1000,
        xid=last.xid + 1000,
        old_status="cancelled",
        new_status="cancelled",
        old_epoch=last.new_epoch,
        old_reserved=last.new_reserved,
        new_reserved=last.new_reserved + 1,
    )
    return replace(
        h, batches=[first, replace(second, ordinals=(*second.ordinals, 3))], steps=[*h.steps, close]
    )


PLANTED: list[tuple[str, Callable[[History], History], str]] = [
    ("accounting", a_message_sent_twice, "reached its recipient 2 times"),
    ("accounting", a_message_sent_by_two_channels, "reached its recipient 2 times"),
    ("accounting", sent_but_never_taken, "never took it"),
    ("accounting", sent_but_withdrawn, "never took it"),
    ("accounting", failed_but_taken, "counts as failed but was sent"),
    ("accounting", skipped_but_taken, "counts as skipped but was sent"),
    ("accounting", completed_without_an_outcome, "is sending, and its campaign is over"),
    ("accounting", cancelled_but_taken, "counts as cancelled but was sent"),
    ("accounting", without_a_state, "has the states []"),
    ("accounting", in_two_states, "has the states ['sent', 'in_doubt']"),
    ("accounting", in_two_batches, "is in 2 batches"),
    ("accounting", in_no_batch, "is in no batch"),
    ("accounting", a_request_for_nobody, "is for no message"),
    ("accounting", a_request_to_another_number, "went to another number"),
    ("reserve_then_send", sent_before_the_commit, "is number 1, after 0 reservations"),
    ("reserve_then_send", sent_without_a_reservation, "is number 1, after 0 reservations"),
    ("reserve_then_send", two_requests_of_one_reservation, "is number 2, after 1 reservations"),
    ("live_epoch", a_zombie_sends, "came when no lease of it was live"),
    ("fencing", a_zombie_records, "recorded outside of its lease"),
    ("fencing", given_up_by_another_while_the_lease_went_on, "was given up while its lease went on"),
    ("fencing", a_zombie_records_under_the_epoch_of_another, "was recorded by r0, the lease was that of r1"),
    ("fencing", an_outcome_of_an_earlier_lease, "was not reserved under epoch"),
    ("fencing", a_zombie_reserves, "reserves for r0"),
    ("fencing", an_epoch_that_goes_back, "goes back"),
    ("fencing", a_step_that_is_missing, "does not go on where"),
    ("fencing", a_state_that_changes_under_the_same_epoch, "under the same epoch"),
    ("fencing", reserved_without_a_lease, "in a batch that is ready"),
    ("fencing", closed_with_a_message_left_open, "leaves 1 messages without an outcome"),
    ("in_doubt", more_in_doubt_than_in_flight, "left 1 in doubt; its channel sends 0"),
    ("in_doubt", in_doubt_out_of_the_blue, "nothing had happened"),
    ("in_doubt", in_doubt_by_a_blow_to_another_runner, "nothing had happened"),
    ("in_doubt", reserved_long_after_the_kill, "nothing had happened"),
    ("in_doubt", in_doubt_by_no_known_code, "nothing made it so"),
    ("pacing", a_gap_too_short, "s apart, the gap is"),
    ("pacing", a_gap_that_counts_from_the_request, "after an outcome"),
    ("pacing", no_gap_between_batches, "follows a batch after"),
    ("pacing", a_burst_too_large, "its burst 1"),
    ("pacing", a_rate_too_high, "its rate is 5.0/s"),
    ("limits", more_than_a_limit_of_a_channel, "of channel 2 are reserved in the 1.0 s before step"),
    ("limits", more_than_a_limit_of_a_campaign, "its limit is 3"),
    ("suppression", a_suppressed_number_reserved, "after its suppression"),
    ("books", books_that_do_not_balance, "do not make 7"),
    ("books", books_with_a_negative_part, "do not make 7"),
    ("books", completed_with_messages_to_send, "is completed with 1 messages to send"),
    ("books", books_that_do_not_match_the_messages, "its messages say"),
    ("liveness", a_campaign_that_never_ends, "is still running"),
    ("liveness", a_runner_that_ended_by_itself, "has ended by itself"),
    ("liveness", a_runner_that_raised, "unexpected error"),
]
