"""add_window and remove_window: messages are sent in the recipient's own daytime, as it is
when they are reserved."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    books,
    call,
    doorbells,
    lease,
    make_campaign,
    must_lease,
    refused,
    release,
    send_all,
    set_clock,
    silence,
    status,
    tick,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")

SAO_PAULO = "America/Sao_Paulo"  # UTC-3
LISBON = "Europe/Lisbon"  # UTC in winter
TOKYO = "Asia/Tokyo"  # UTC+9

MONDAY = "2026-03-02"


def windowed(db: Db, zones: dict[int, str | None], **options: Any) -> None:
    """Starts a campaign with a window from 9 to 18 o'clock, one recipient per zone."""
    make_campaign(db, size=len(zones), zones=zones, start=False, **options)
    db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    db.execute("select retoma.start_campaign('natal')")


def test_batches_are_cut_so_that_all_messages_of_one_have_the_same_zone(db: Db, channel: int) -> None:
    zones: dict[int, str | None] = {1: SAO_PAULO, 2: LISBON, 3: SAO_PAULO, 4: None, 5: LISBON, 6: SAO_PAULO}
    windowed(db, zones, batch_size=2, time_zone=LISBON)

    cut = db.execute(
        "select b.zone, l.ordinals from retoma_internal.batch as b"
        " inner join retoma_internal.batch_list as l on b.id = l.batch_id"
    ).fetchall()

    assert sorted(cut) == [(SAO_PAULO, [1, 3]), (SAO_PAULO, [6]), (LISBON, [2, 4]), (LISBON, [5])]
    assert books(db) == {"pending": 6}


def test_each_recipient_is_contacted_in_their_own_daytime(db: Db, channel: int, runner: UUID) -> None:
    windowed(db, {1: SAO_PAULO, 2: LISBON, 3: TOKYO})
    sent = {}
    for hour in range(24):
        set_clock(db, f"{MONDAY} {hour:02}:00:01 UTC")
        for ordinal in send_all(db, runner, channel):
            sent[ordinal] = hour

    assert sent == {3: 0, 2: 9, 1: 12}


@pytest.mark.parametrize(
    ("at", "open_"), [("08:59:59", False), ("09:00:01", True), ("17:59:50", True), ("18:00:00", False)]
)
def test_a_window_opens_with_its_first_moment_and_is_closed_from_its_last(
    db: Db, channel: int, runner: UUID, at: str, open_: bool
) -> None:
    windowed(db, {1: LISBON})
    set_clock(db, f"{MONDAY} {at} UTC")

    assert (lease(db, runner, channel) is not None) is open_


def test_invariant_7_a_window_that_closes_during_a_lease_ends_it(db: Db, channel: int, runner: UUID) -> None:
    windowed(db, {1: LISBON, 2: LISBON, 3: LISBON})
    set_clock(db, f"{MONDAY} 17:59:30 UTC")
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    set_clock(db, f"{MONDAY} 18:00:01 UTC")

    assert advance(db, leased, accepted(1), want=1).action == "released"

    tick(db, runner)  # a sign of life, after all these hours
    assert status(db) == "running"
    assert lease(db, runner, channel) is None
    silence(db)
    tick(db)
    assert doorbells(db) == []
    set_clock(db, "2026-03-03 09:00:01 UTC")
    tick(db)
    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == [2, 3]


def test_a_recipient_who_may_be_in_several_zones_is_contacted_when_it_is_day_in_all(
    db: Db, channel: int, runner: UUID
) -> None:
    windowed(db, {1: f"{SAO_PAULO},{LISBON}"})
    sent = []
    for hour in range(24):
        set_clock(db, f"{MONDAY} {hour:02}:30 UTC")
        if leased := lease(db, runner, channel):
            sent.append(hour)
            release(db, leased)

    assert sent == [12, 13, 14, 15, 16, 17]


def test_several_windows_add_up_and_days_are_those_of_the_recipient(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1, zones={1: TOKYO}, start=False)
    db.execute("select retoma.add_window('natal', '22:00', '24:00', '{1}')")
    db.execute("select retoma.add_window('natal', '00:00', '02:00', '{2}')")
    db.execute("select retoma.start_campaign('natal')")
    open_at = []
    for hour in range(48):
        set_clock(db, f"2026-03-{2 + hour // 24:02} {hour % 24:02}:30 UTC")
        if leased := lease(db, runner, channel):
            open_at.append(hour)
            release(db, leased)

    # Tokyo is nine hours ahead: Monday 22 o'clock there is 13 o'clock UTC.
    assert open_at == [13, 14, 15, 16]


@pytest.mark.parametrize(
    ("opens", "closes", "days", "open_at"),
    [
        ("22:00", "02:00", [1], [22, 23, 24, 25]),
        ("22:00", "00:00", [1], [22, 23]),
        ("22:00", "24:00", [1], [22, 23]),
        # Sunday night goes on until Monday morning.
        ("22:00", "02:00", [7], [0, 1]),
        ("22:00", "02:00", [2, 7, 1, 1], [0, 1, 22, 23, 24, 25, 46, 47]),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(
    db: Db, channel: int, runner: UUID, *, opens: str, closes: str, days: list[int], open_at: list[int]
) -> None:
    make_campaign(db, size=1, zones={1: LISBON}, start=False)
    db.execute("select retoma.add_window('natal', %s, %s, %s)", (opens, closes, days))
    db.execute("select retoma.start_campaign('natal')")
    found = []
    for hour in range(48):
        set_clock(db, f"2026-03-{2 + hour // 24:02} {hour % 24:02}:30 UTC")
        if leased := lease(db, runner, channel):
            found.append(hour)
            release(db, leased)

    assert found == open_at


WINDOWS = "select days, opens::text, closes::text from retoma.v_window order by window_id"


def test_a_window_is_taken_back_as_it_was_given(db: Db, channel: int) -> None:
    make_campaign(db, start=False)
    db.execute("select retoma.add_window('natal', '22:00', '06:00', '{5,6}')")
    db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    db.execute("select retoma.add_window('natal', '12:00', '13:00')")

    db.execute("select retoma.remove_window('natal', '22:00', '06:00', '{6,5}')")
    db.execute("select retoma.remove_window('natal', '12:00', '13:00')")

    assert db.execute(WINDOWS).fetchall() == [([1, 2, 3, 4, 5, 6, 7], "09:00:00", "18:00:00")]
    assert status(db) == "draft"


def test_a_window_that_is_not_there_is_not_taken_back(db: Db, channel: int) -> None:
    make_campaign(db, start=False)
    db.execute("select retoma.add_window('natal', '22:00', '06:00', '{5}')")
    for opens, closes, days in (("22:00", "06:00", [6]), ("22:00", "24:00", [4]), ("09:00", "18:00", [5])):
        with refused(db, "RT001", "has no window from"):
            db.execute("select retoma.remove_window('natal', %s, %s, %s)", (opens, closes, days))
    with refused(db, "RT003", "is not a window"):
        db.execute("select retoma.remove_window('natal', '09:00', '09:00')")


def test_daylight_saving_time_is_that_of_the_day(db: Db, channel: int, runner: UUID) -> None:
    windowed(db, {1: LISBON})
    set_clock(db, "2026-07-06 08:00:01 UTC")

    assert send_all(db, runner, channel) == [1]


def test_recipients_without_a_zone_use_the_zone_of_the_campaign(db: Db, channel: int, runner: UUID) -> None:
    windowed(db, {1: None}, time_zone=TOKYO)
    set_clock(db, f"{MONDAY} 12:00 UTC")
    assert lease(db, runner, channel) is None

    set_clock(db, f"{MONDAY} 03:00 UTC")

    assert send_all(db, runner, channel) == [1]


def test_a_campaign_without_windows_sends_at_any_time_and_ignores_zones(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=3, zones={1: TOKYO, 2: LISBON})

    assert call(db, "select count(*) from retoma_internal.batch") == 1
    assert send_all(db, runner, channel) == [1, 2, 3]


def test_retries_keep_the_zone_of_their_message(db: Db, channel: int, runner: UUID) -> None:
    windowed(db, {1: LISBON})
    set_clock(db, f"{MONDAY} 17:59:50 UTC")
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [{"ordinal": 1, "status": "error", "code": "connect_failed", "written": False}])

    set_clock(db, f"{MONDAY} 20:00 UTC")
    assert lease(db, runner, channel) is None
    set_clock(db, "2026-03-03 09:00:01 UTC")
    assert send_all(db, runner, channel) == [1]


def test_what_is_not_a_window_is_refused(db: Db, channel: int, subtests: pytest.Subtests) -> None:
    make_campaign(db, start=False)
    cases: list[tuple[str | None, str | None, list[int] | None]] = [
        ("09:00", "09:00", [1]),
        ("00:00", "00:00", [1]),
        ("24:00", "24:00", [1]),
        ("09:00", "18:00", []),
        ("09:00", "18:00", [0]),
        ("09:00", "18:00", [8]),
        ("09:00", "18:00", [99_999]),
        ("09:00", "18:00", None),
        (None, "18:00", [1]),
        ("09:00", None, [1]),
    ]
    for opens, closes, days in cases:
        with subtests.test(opens=opens, closes=closes, days=days), refused(db, "RT003", "is not a window"):
            db.execute("select retoma.add_window('natal', %s, %s, %s)", (opens, closes, days))


def test_windows_are_fixed_at_the_start(db: Db, channel: int) -> None:
    make_campaign(db)
    with refused(db, "RT002", "it is running"):
        db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    with refused(db, "RT002", "it is running"):
        db.execute("select retoma.remove_window('natal', '09:00', '18:00')")
