"""breaker: contents that are refused one after the other interrupt their campaign."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    books,
    call,
    doorbells,
    error,
    make_campaign,
    must_lease,
    send_all,
    silence,
    status,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


def test_permanent_message_trips_the_breaker_when_it_comes_in_a_row(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    for _ in range(4):
        (ordinal,) = advance(db, leased, want=1).ordinals
        assert advance(db, leased, [error(ordinal, "http_422")]).action == "wait"
    (ordinal,) = advance(db, leased, want=1).ordinals

    assert advance(db, leased, [error(ordinal, "http_422")], want=1).action == "released"

    assert books(db) == {"failed": 5, "pending": 15}
    row = db.execute("select cause, reason from retoma.v_interrupted_campaigns").fetchone()
    assert row == ("breaker", "5 messages in a row were refused for their content (http_422)")


def test_a_message_that_is_accepted_resets_the_breaker(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    for _ in range(4):
        ordinals = advance(db, leased, want=4).ordinals
        advance(db, leased, [error(n, "http_422") for n in ordinals])
        (ordinal,) = advance(db, leased, want=1).ordinals
        advance(db, leased, accepted(ordinal))

    assert status(db) == "completed"
    assert books(db) == {"failed": 16, "sent": 4}


def test_a_breaker_is_reset_by_the_operator_and_not_by_a_reconnect(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=20)
    leased = must_lease(db, runner, channel)
    advance(db, leased, [error(n, "http_422") for n in advance(db, leased, want=5).ordinals])
    db.execute("select retoma.channel_disconnected('sales')")
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "interrupted"
    silence(db)

    assert call(db, "select retoma.resume_campaign('natal')") == "running"

    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == list(range(6, 21))
