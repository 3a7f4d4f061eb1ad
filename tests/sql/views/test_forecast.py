"""forecast: how much is left, how fast it may go, and when it would be done."""

from uuid import UUID

import pytest
from psycopg.rows import dict_row

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    error,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    release,
    send_all,
    set_limit,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")


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


def test_checks_of_numbers_that_are_slower_than_the_sending_set_the_pace(db: Db, runner: UUID) -> None:
    settings: dict[str, object] = {"base_url": "http://127.0.0.1", "session": "loja", "check_gap_s": 4}
    channel = make_channel(db, "sales", "waha", settings, gap_min_s=2, gap_max_s=2, batch_gap_min_s=0)
    make_campaign(db, size=100, start=False)
    assert forecast(db)["seconds"] == pytest.approx(400)
    db.execute("select retoma.start_campaign('natal')")
    assert forecast(db)["seconds"] == pytest.approx(400)

    db.execute("update retoma_internal.batch set not_before = '-infinity'")

    assert forecast(db)["seconds"] == pytest.approx(200)
    assert channel


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


def test_a_limit_and_windows_make_working_days(db: Db) -> None:
    make_channel(db, gap_min_s=10)
    make_campaign(db, size=1, start=False, time_zone="America/Sao_Paulo")
    of_16_000_people(db)
    db.execute("select retoma.add_window('natal', '09:00', '18:00', '{1,2,3,4,5}')")
    set_limit(db, 200, scope="campaign")
    db.execute("select retoma.start_campaign('natal')")

    # It is Monday, 09:00. 80 working days are 16 weeks; the last 200 take 33 minutes and 20 seconds.
    assert ends(db) == "2026-06-19 09:33:20"


def test_a_draft_is_as_good_as_started_now(db: Db) -> None:
    make_channel(db, gap_min_s=10)
    make_campaign(db, size=1, start=False, time_zone="America/Sao_Paulo")
    of_16_000_people(db)
    db.execute("select retoma.add_window('natal', '09:00', '18:00', '{1,2,3,4,5}')")
    set_limit(db, 200, scope="campaign")

    assert ends(db) == "2026-06-19 09:33:20"
    assert str(forecast(db)["note"]).startswith("if it is started now")


@pytest.mark.parametrize("scope", ["channel", "campaign"])
def test_a_limit_makes_days_whatever_the_speed(db: Db, channel: int, scope: str) -> None:
    make_campaign(db, size=1, start=False)
    of_16_000_people(db)
    set_limit(db, 4000, scope=scope, zone="America/Sao_Paulo")
    db.execute("select retoma.start_campaign('natal')")

    assert ends(db).startswith("2026-03-05 00:00:0")


def test_what_is_used_of_a_limit_is_not_there_any_more(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=7, batch_size=3)
    set_limit(db, 3, zone="America/Sao_Paulo")
    assert len(send_all(db, runner, channel)) == 3

    assert ends(db).startswith("2026-03-04 00:00:0")


def test_a_rolling_limit_makes_periods(db: Db, channel: int) -> None:
    make_campaign(db, size=7)
    set_limit(db, 3, "24 hours")

    assert ends(db).startswith("2026-03-04 09:00:0")


def test_a_limit_of_an_hour_is_a_speed(db: Db, channel: int) -> None:
    make_campaign(db, size=90)
    set_limit(db, 60, "hour")
    assert ends(db) == "2026-03-02 10:30:00"

    set_limit(db, 20, "30 minutes", scope="campaign")
    assert ends(db) == "2026-03-02 11:15:00"


def test_each_zone_is_sent_to_in_its_own_windows(db: Db) -> None:
    make_channel(db, rate_per_s=1)
    zones = {1: "America/Sao_Paulo", 2: "Asia/Tokyo"}
    make_campaign(db, size=2, start=False, zones=zones)
    db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    db.execute("select retoma.start_campaign('natal')")

    # It is 21:00 in Tokyo; the window there opens at 21:00 in São Paulo.
    assert ends(db) == "2026-03-02 21:00:01"


def test_a_scheduled_campaign_begins_at_its_time(db: Db) -> None:
    make_channel(db, rate_per_s=1)
    make_campaign(db, size=60, starts_at="2026-03-09 09:00-03")

    assert ends(db) == "2026-03-09 09:01:00"


def test_a_held_channel_begins_after_its_hold(db: Db, runner: UUID) -> None:
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"}, rate_per_s=1)
    make_campaign(db, size=60)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "http_429", retry_after_s=3600)])

    assert ends(db) == "2026-03-02 10:01:00"


def test_windows_that_leave_no_time_have_no_date(db: Db) -> None:
    make_channel(db, rate_per_s=1)
    make_campaign(db, size=1, start=False, zones={1: "Asia/Tokyo,America/Sao_Paulo"})
    db.execute("select retoma.add_window('natal', '09:00', '12:00')")
    db.execute("select retoma.start_campaign('natal')")

    found = forecast(db)

    assert found["seconds"] is None
    assert found["note"] == "by its windows and limits it does not end within two years"


def test_what_has_ended_ended_then(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    send_all(db, runner, channel)
    move_clock(db, "1 day")

    assert (forecast(db)["messages_left"], ends(db)) == (0, "2026-03-02 09:00:00")


def of_16_000_people(db: Db) -> None:
    """The draft gets an audience that is too large to be made one by one."""
    db.execute(
        "insert into retoma_internal.message (campaign_id, ordinal, phone)"
        " select id, g, '+999' || lpad(g::text, 9, '0')"
        " from retoma_internal.campaign, generate_series(2, 16000) as g"
    )
    db.execute("update retoma_internal.campaign set total = 16000")


def ends(db: Db) -> str:
    """The date of the forecast, in São Paulo."""
    query = (
        "select date_trunc('second', finishes_at at time zone 'America/Sao_Paulo')::text"
        " from retoma.forecast('natal')"
    )
    row = db.execute(query).fetchone()
    assert row is not None
    return str(row[0])
