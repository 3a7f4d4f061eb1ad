"""A lease epoch is a fencing token: only the holder of the live one can write."""

from collections.abc import Callable
from typing import LiteralString
from uuid import UUID, uuid4

import pytest

from tests.support.campaigns import (
    Db,
    Lease,
    accepted,
    advance,
    books,
    call,
    make_campaign,
    make_runner,
    move_clock,
    must_lease,
    refused,
    release,
    tick,
)


def expire(db: Db, leased: Lease) -> None:
    move_clock(db, "61 s")
    assert tick(db)["reaped"] == 1


def expire_and_pass_on(db: Db, leased: Lease) -> None:
    expire(db, leased)
    other = make_runner(db, "successor")
    must_lease(db, other, call(db, "select id from retoma_internal.channel"))


@pytest.mark.parametrize("end", [expire, release, expire_and_pass_on])
def test_invariant_2_a_stale_epoch_can_neither_record_nor_reserve(
    db: Db, channel: int, runner: UUID, end: Callable[[Db, Lease], None]
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    end(db, leased)

    with refused(db, "RT010", "is over"):
        advance(db, leased, accepted(1))
    with refused(db, "RT010", "is over"):
        advance(db, leased, want=1)
    with refused(db, "RT010", "is over"):
        release(db, leased)
    with refused(db, "RT010", "is over"):
        db.execute("select retoma.refuse_content(%s, %s, %s, 'x')", leased.fence)


def test_invariant_2_an_epoch_of_the_future_or_a_batch_that_is_not_there_is_refused(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    for batch_id, epoch in (
        (leased.batch_id, leased.epoch + 1),
        (leased.batch_id + 1, leased.epoch),
        (None, None),
    ):
        with refused(db, "RT010"):
            db.execute("select retoma.advance_batch(%s, %s, %s, '[]', 1)", (runner, batch_id, epoch))


@pytest.mark.parametrize(
    "call_of_another",
    [
        "select retoma.advance_batch(%s, %s, %s, '[]', 1)",
        "select retoma.release_batch(%s, %s, %s)",
        "select retoma.refuse_content(%s, %s, %s, 'x')",
    ],
)
def test_invariant_2_an_epoch_is_that_of_one_runner(
    db: Db, channel: int, runner: UUID, call_of_another: LiteralString
) -> None:
    # A server that was promoted without its last commits gives an epoch again.
    make_campaign(db)
    leased = must_lease(db, runner, channel)

    for another in (uuid4(), None):
        with refused(db, "RT010", "is over"):
            db.execute(call_of_another, (another, leased.batch_id, leased.epoch))

    db.execute(call_of_another, leased.fence)


def test_invariant_2_a_zombie_learns_it_although_the_batch_is_completed(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    with refused(db, "RT010"):
        advance(db, leased, accepted(1))


def test_invariant_10_an_expired_lease_that_nobody_took_back_may_still_write(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    move_clock(db, "1 hour")

    advance(db, leased, accepted(1))

    assert books(db) == {"sent": 1, "pending": 2}
    assert tick(db)["reaped"] == 0


def test_every_lease_has_an_epoch_of_its_own(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    epochs = []
    for _ in range(3):
        leased = must_lease(db, runner, channel)
        epochs.append(leased.epoch)
        release(db, leased)

    assert epochs == sorted(set(epochs))
