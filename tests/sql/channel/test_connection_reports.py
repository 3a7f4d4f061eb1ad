"""Providers report late, twice and in any order: only news changes the connection of a channel."""

from itertools import permutations, product

import pytest

from tests.support.campaigns import Db, call, freeze_clock, make_campaign, make_channel, move_clock, refused


@pytest.fixture(autouse=True)
def _noon(db: Db) -> None:
    """It is 12:00, and stays so."""
    freeze_clock(db)


def report(db: Db, at: str | None, *, connected: bool, channel: str = "sales") -> None:
    moment = at and f"2026-03-02 {at} UTC"
    if connected:
        db.execute("select retoma.channel_connected(%s, %s)", (channel, moment))
    else:
        db.execute("select retoma.channel_disconnected(%s, 'session_FAILED', %s)", (channel, moment))


def is_connected(db: Db, channel: str = "sales") -> bool:
    return bool(call(db, "select connected from retoma_internal.channel where name = %s", channel))


def test_in_every_order_the_latest_report_counts(db: Db, subtests: pytest.Subtests) -> None:
    for number, (order, last) in enumerate(product(permutations(range(3)), (True, False))):
        with subtests.test(order=order, last=last):
            make_channel(db, f"c{number}")
            reports = [("11:00:00", last), ("11:00:01", not last), ("11:00:02", last)]
            for index in order:
                at, connected = reports[index]
                report(db, at, connected=connected, channel=f"c{number}")

            assert is_connected(db, f"c{number}") is last


def test_a_report_that_is_replayed_does_not_undo_what_a_runner_found_since(db: Db, channel: int) -> None:
    report(db, "11:59:59", connected=True)
    report(db, None, connected=False)
    report(db, "11:59:59", connected=True)

    assert not is_connected(db)


def test_a_report_that_is_late_does_not_undo_what_an_operator_said_since(db: Db, channel: int) -> None:
    report(db, None, connected=False)
    report(db, "11:59:00", connected=True)
    assert not is_connected(db)

    report(db, None, connected=True)
    report(db, "11:59:01", connected=False)
    assert is_connected(db)


def test_the_clock_of_a_provider_may_be_some_seconds_behind(db: Db, channel: int) -> None:
    """Otherwise a session that works again stays down until somebody looks."""
    report(db, None, connected=False)
    report(db, "11:59:40", connected=True)

    assert is_connected(db)


def test_a_report_from_the_future_counts_as_now_and_does_not_outlast_it(db: Db, channel: int) -> None:
    report(db, "23:00:00", connected=False)
    assert not is_connected(db)

    move_clock(db, "1 minute")
    report(db, "12:00:30", connected=True)
    assert is_connected(db)


def test_after_the_clock_of_the_database_went_back_reports_still_count(db: Db, channel: int) -> None:
    report(db, "11:59:00", connected=False)
    move_clock(db, "-1 hour")
    report(db, "11:00:00", connected=True)

    assert is_connected(db)


def test_a_time_that_is_infinite_is_refused(db: Db, channel: int) -> None:
    for at, connected in product(("infinity", "-infinity"), (True, False)):
        function = "channel_connected('sales', %s)" if connected else "channel_disconnected('sales', 'x', %s)"
        with refused(db, "RT003", "is not a time"):
            db.execute(f"select retoma.{function}", (at,))


def test_a_report_that_is_no_news_interrupts_no_campaign_and_writes_no_audit(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    report(db, "11:00:02", connected=True)
    before = call(db, "select count(*) from retoma.v_event")
    report(db, "11:00:01", connected=False)

    assert call(db, "select count(*) from retoma.v_event") == before
    assert call(db, "select status from retoma_internal.campaign") == "running"
