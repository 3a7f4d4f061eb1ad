"""The judgement: the provider's ledger, which nobody can talk round, against the books of the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retoma.rehearsal.drill.crashes import Recovery
from retoma.rehearsal.drill.stage import CHANNELS, DEDUPES, IN_FLIGHT, NotInTime, Stage, wait_for

END_S = 180.0
"""So long the campaigns may take to come to their end after the last crash, at full speed."""

BUCKETS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must hold after every drill, whether it did, and what shows it."""

    name: str
    kept: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages, counted one by one.

    Args:
        recipients: all of them.
        sent: sent by the books, and taken by the provider.
        failed, in_doubt: by the books.
        lost: sent by the books but never taken by the provider, or in none of these states.
        duplicated: times that a recipient got a message once more.
        repeats: requests with a known id; a provider that dedupes shows the message once.
    """

    recipients: int
    sent: int
    failed: int
    in_doubt: int
    lost: int
    duplicated: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long channels were silent after one kind of crash; buckets: up to how many seconds, how many."""

    channels: int
    p50_s: float
    p95_s: float
    max_s: float
    buckets: list[tuple[float | None, int]]


def judge(stage: Stage, crashes: int, trouble: NotInTime | None) -> tuple[Figures, list[Promise]]:
    """Lets the campaigns come to their end and compares ledger and books.

    Args:
        crashes: how many there were: each may leave what was under way in doubt.
        trouble: the recovery that did not come, if there was one.
    """
    stage.hurry()
    late = trouble
    try:
        wait_for(lambda: _at_the_end(stage), END_S, "The campaigns did not come to their end")
    except NotInTime as error:
        late = late or error
    states = _states(stage)
    figures = _figures(stage, states)
    doubts = {name: len(states[name, "in_doubt"]) for name in CHANNELS}
    allowed = crashes * IN_FLIGHT
    books = stage.query(
        "select bool_and(total = pending + sending + sent + failed + skipped + in_doubt + cancelled)"
        " as balance from retoma.v_campaign_summary"
    )
    return figures, [
        Promise("Nothing is lost", figures.lost == 0, f"{figures.lost} lost of {figures.recipients:,}"),
        Promise("Nobody gets a message twice", figures.duplicated == 0, f"{figures.duplicated} duplicates"),
        Promise(
            "In doubt is only what was under way, and nothing where the provider dedupes",
            all(count <= (0 if name in DEDUPES else allowed) for name, count in doubts.items()),
            f"{figures.in_doubt} in doubt after {crashes} crashes; at most {allowed} a channel may be",
        ),
        Promise("The books balance", books[0]["balance"] is True, "total = the sum of its parts"),
        Promise(
            "Recovery needs nobody",
            late is None,
            "every channel went on, every campaign was completed" if late is None else late.message,
        ),
    ]


def times(recoveries: Iterable[Recovery]) -> dict[str, Times]:
    """The recoveries by kind of crash."""
    by_crash: dict[str, list[float]] = defaultdict(list)
    for recovery in recoveries:
        by_crash[recovery.crash].append(recovery.seconds)
    return {crash: _times(seconds) for crash, seconds in sorted(by_crash.items())}


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of them do not exceed (nearest rank)."""
    return sorted(values)[max(-(-len(values) * percent // 100) - 1, 0)]


def _times(seconds: list[float]) -> Times:
    counts = Counter(next((limit for limit in BUCKETS_S if s <= limit), None) for s in seconds)
    return Times(
        len(seconds),
        round(percentile(seconds, 50), 3),
        round(percentile(seconds, 95), 3),
        round(max(seconds), 3),
        [(limit, counts[limit]) for limit in (*BUCKETS_S, None)],
    )


def _at_the_end(stage: Stage) -> bool:
    # The channel that looks up settles its doubts by asking, and sends again what never arrived. But a runner
    # whose lease expired may be frozen and send yet: that its message is absent proves nothing.
    unfinished = stage.query("select 1 from retoma.v_campaign_summary where status <> 'completed'")
    unsettled = stage.query(
        "select 1 from retoma.v_in_doubt where campaign = 'rate-looks-up' and code <> 'lease_expired'"
    )
    return not unfinished and not unsettled


def _states(stage: Stage) -> dict[tuple[str, str], set[str]]:
    states: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in stage.query("select campaign, state, message_id from retoma.message_state"):
        states[str(row["campaign"]), str(row["state"])].add(str(row["message_id"]))
    return states


def _figures(stage: Stage, states: dict[tuple[str, str], set[str]]) -> Figures:
    stage.ledger.read()
    by_state: dict[str, set[str]] = defaultdict(set)
    for (_, state), ids in states.items():
        by_state[state] |= ids
    recipients = sum(len(ids) for ids in by_state.values())
    sent, failed, in_doubt = (by_state[state] for state in ("sent", "failed", "in_doubt"))
    final = len(sent) + len(failed) + len(in_doubt)
    return Figures(
        recipients=recipients,
        sent=len(sent & stage.ledger.accepted),
        failed=len(failed),
        in_doubt=len(in_doubt),
        lost=len(sent - stage.ledger.accepted) + recipients - final,
        duplicated=stage.ledger.duplicates,
        repeats=stage.ledger.repeats,
    )
