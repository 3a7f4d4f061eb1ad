"""The judgement: the provider's ledger, independent of Retoma, against the books of the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retoma.database import session
from retoma.rehearsal.audit import audit
from retoma.rehearsal.drill.crashes import Recovery
from retoma.rehearsal.drill.stage import CHANNELS, DEDUPES, IN_FLIGHT, NotInTime, Stage, wait_for

END_S = 180.0
"""Time that the campaigns may take to end after the last crash, at full speed."""

BUCKETS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must hold after every drill, whether it did, and what shows it."""

    name: str
    kept: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages, counted one by one, as `retoma.rehearsal.audit.Audit` has them; recipients: all of them."""

    recipients: int
    sent: int
    failed: int
    in_doubt: int
    lost: int
    duplicated: int
    misjudged: int
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
        crashes: their number; each may leave the messages under way in doubt.
        trouble: the recovery that did not come, if there was one.
    """
    stage.hurry()
    late = trouble
    try:
        wait_for(lambda: _at_the_end(stage), END_S, "The campaigns did not come to their end")
    except NotInTime as error:
        late = late or error
    figures = _figures(stage)
    doubts = _in_doubt(stage)
    allowed = crashes * IN_FLIGHT
    books = stage.query(
        "select bool_and(total = pending + sending + sent + failed + skipped + in_doubt + cancelled)"
        " as balance from retoma.v_campaign_summary"
    )
    return figures, [
        Promise("Nothing is lost", figures.lost == 0, f"{figures.lost} lost of {figures.recipients:,}"),
        Promise("Nobody gets a message twice", figures.duplicated == 0, f"{figures.duplicated} duplicates"),
        Promise(
            "Every delivered message is called sent or in doubt",
            figures.misjudged == 0,
            f"{figures.misjudged} are not",
        ),
        Promise(
            "Only messages under way are in doubt, and none where the provider dedupes",
            all(count <= (0 if name in DEDUPES else allowed) for name, count in doubts.items()),
            f"{figures.in_doubt} in doubt after {crashes} crashes; at most {allowed} per channel may be",
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
    # The channel with lookups settles its doubts by asking, and sends absent messages again. But a runner
    # whose lease expired may be frozen and might still send: that its message is absent proves nothing.
    unfinished = stage.query("select 1 from retoma.v_campaign_summary where status <> 'completed'")
    unsettled = stage.query(
        "select 1 from retoma.v_in_doubt where campaign = 'rate-looks-up' and code <> 'lease_expired'"
    )
    return not unfinished and not unsettled


def _in_doubt(stage: Stage) -> Counter[str]:
    rows = stage.query("select campaign, in_doubt from retoma.v_campaign_summary")
    return Counter({str(row["campaign"]): int(str(row["in_doubt"])) for row in rows})


def _figures(stage: Stage) -> Figures:
    with session.connect(stage.url, "retoma drill", autocommit=False) as connection:
        found = audit(connection, list(CHANNELS), stage.ledger.path)
    return Figures(
        recipients=found.states.total(),
        sent=found.sent,
        failed=found.states["failed"],
        in_doubt=found.states["in_doubt"],
        lost=found.lost,
        duplicated=found.duplicated,
        misjudged=found.misjudged,
        repeats=found.repeats,
    )
