"""forecast: how much is left, how fast it may go, and when it would be done."""

from uuid import UUID

import pytest
from psycopg.rows import dict_row

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    freeze_clock,
    make_campaign,
    make_channel,
    must_lease,
    release,
    send_all,
)


@pytest.fixture(autouse=True)
def _time_passes_only_when_told(db: Db) -> None:
    freeze_clock(db)


def forecast(db: Db) -> dict[str, object]:
    query = (
        "select messages_left, messages_per_hour::float,"
        " extract(epoch from finishes_at - retoma.clock())::float as seconds, note"
        " from retoma.forecast('natal')"
    )
    row = db.cursor(row_factory=dict_row).execute(query).fetchone()
    assert row is not None
    return row


def test_gaps_between_messages_and_batches_make_the_speed(db: Db) -> None:
    make_channel(db, gap_min_s=5, gap_max_s=15, batch_gap_min_s=15, batch_gap_max_s=25)
    make_campaign(db, size=100, batch_size=11)

    found = forecast(db)

    # Of eleven messages ten wait 10 s on average, and one waits 20 s.
    assert found["messages_per_hour"] == 330
    assert found["seconds"] == pytest.approx(100 / 330 * 3600)


def test_a_rate_is_a_speed_and_channels_add_up(db: Db) -> None:
    make_channel(db, "sales", rate_per_s=2)
    make_channel(db, "support", rate_per_s=3)
    make_channel(db, "away", rate_per_s=100)
    db.execute("select retoma.channel_disconnected('away')")
    make_campaign(db, size=100, channels=["sales", "support", "away"])

    assert forecast(db)["messages_per_hour"] == 5 * 3600


def test_what_is_left_shrinks_to_nothing(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=10, start=False)
    assert forecast(db)["messages_left"] == 10
    db.execute("select retoma.start_campaign('natal')")
    leased = must_lease(db, runner, channel)
    advance(db, leased, accepted(*advance(db, leased, want=4).ordinals))
    assert forecast(db)["messages_left"] == 6
    release(db, leased)
    send_all(db, runner, channel)

    assert forecast(db)["messages_left"] == 0


def test_a_channel_without_limits_has_no_forecast(db: Db, channel: int) -> None:
    make_campaign(db)

    found = forecast(db)

    assert found["seconds"] is None
    assert "no pacing" in str(found["note"])


def test_without_a_channel_the_forecast_says_why(db: Db, channel: int) -> None:
    make_campaign(db)
    db.execute("select retoma.pause_channel('sales')")

    found = forecast(db)

    assert found["seconds"] is None
    assert found["note"] == "channel sales is paused: paused by the operator"
