"""A runner with thousands of channels takes rings and gives back leases many at once."""

from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    books,
    call,
    doorbells,
    make_campaign,
    make_channel,
    must_lease,
    tick,
)


@pytest.fixture
def channels(db: Db) -> list[int]:
    """Three channels with gaps, and a campaign over them with one batch each."""
    names = ["c1", "c2", "c3"]
    ids = [make_channel(db, name, gap_min_s=5, gap_max_s=15) for name in names]
    make_campaign(db, size=6, channels=names, batch_size=2)
    return ids


def test_waiting_rings_are_taken_once_and_a_later_ring_is_a_new_one(db: Db, channels: list[int]) -> None:
    def take(limit: int) -> list[int]:
        return sorted(row[0] for row in db.execute("select retoma.claim_doorbells(%s)", (limit,)))

    assert take(2) == channels[:2]
    assert take(10) == channels[2:]
    assert take(10) == doorbells(db) == []
    db.execute("select retoma.ring(array[%s]::int[])", (channels[0],))
    assert take(10) == channels[:1]


def test_rings_that_another_is_fetching_are_passed_over(db: Db, channels: list[int], database: str) -> None:
    with psycopg.connect(database) as other:
        other.execute("select retoma.claim_doorbells(2)")

        assert db.execute("select retoma.claim_doorbells(10)").fetchall() == [(channels[2],)]


def test_invariant_9_rings_that_were_taken_and_lost_come_again_with_the_tick(
    db: Db, channels: list[int]
) -> None:
    db.execute("select retoma.claim_doorbells(10)")

    tick(db)

    assert doorbells(db) == channels


def test_a_runner_that_stops_gives_all_back_and_only_what_is_under_way_is_in_doubt(
    db: Db, channels: list[int], runner: UUID
) -> None:
    quiet, busy, _ = (must_lease(db, runner, channel) for channel in channels)
    advance(db, quiet, accepted(*advance(db, quiet, want=1).ordinals))
    advance(db, busy, want=1)

    db.execute("select retoma.unregister_runner(%s)", (runner,))

    batches = db.execute(
        "select status, lease_epoch, runner_id from retoma_internal.batch order by id"
    ).fetchall()
    assert batches == [("ready", 2, None)] * 3
    assert books(db) == {"pending": 4, "sent": 1, "in_doubt": 1}
    whys = db.execute(
        "select code || '; ' || why from retoma_internal.event where to_state = 'reaped' order by batch_id"
    )
    assert whys.fetchall() == [
        ("released; 0 messages without an outcome",),
        ("released; 1 messages without an outcome",),
        ("released; 0 messages without an outcome",),
    ]


def test_quiet_leases_of_a_cancelled_campaign_are_cancelled_when_they_are_given_back(
    db: Db, channels: list[int], runner: UUID
) -> None:
    must_lease(db, runner, channels[0])
    db.execute("select retoma.cancel_campaign('natal')")

    db.execute("select retoma.unregister_runner(%s)", (runner,))

    assert call(db, "select array_agg(distinct status) from retoma_internal.batch") == ["cancelled"]
