"""Sends that fail, and the rules that say what follows."""

from uuid import UUID

from tests.support.campaigns import Db, advance, call, error, must_lease


def rule(db: Db, code: str, error_class: str, **facts: object) -> None:
    """Adds a rule for all transports; facts: suppress, counts_attempt, defer_s."""
    defaults: dict[str, object] = {"suppress": False, "counts_attempt": True, "defer_s": None}
    db.execute(
        "insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s)"
        " values ('*', %(code)s, %(class)s, %(suppress)s, %(counts_attempt)s, %(defer_s)s)",
        defaults | facts | {"code": code, "class": error_class},
    )


def fail(db: Db, runner: UUID, channel: int, code: str, **facts: object) -> str:
    """Leases, reserves one message, and records this error for it. Returns the action of the last step."""
    leased = must_lease(db, runner, channel)
    (ordinal,) = advance(db, leased, want=1).ordinals
    return advance(db, leased, [error(ordinal, code, **facts)]).action


def due_in_s(db: Db) -> float:
    """Seconds until the batch of retries is due."""
    return float(
        call(
            db,
            "select extract(epoch from max(not_before) - retoma.clock())"
            " from retoma_internal.batch where attempt > 1",
        )
    )
