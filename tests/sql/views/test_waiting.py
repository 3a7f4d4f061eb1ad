"""A campaign that is running and sends nothing says what it waits for, and until when."""

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    error,
    freeze_clock,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    send_all,
    set_clock,
    set_limit,
    tick,
)

FRIDAY_EVENING = "2026-03-06 21:00 UTC"
Wait = tuple[str, str, str | None]


@pytest.fixture(autouse=True)
def _time_passes_only_when_told(db: Db) -> None:
    freeze_clock(db)
    db.execute("set timezone = 'UTC'")


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


def go_to(db: Db, runner: UUID, at: str) -> None:
    """That time comes, and the runner is still alive."""
    set_clock(db, at)
    tick(db, runner)


def waits(db: Db, campaign: str = "natal") -> Wait | None:
    """Cause, reason, and until when; also that every view agrees."""
    until = "to_char(waits_until, 'Dy YYYY-MM-DD HH24:MI:SS')"
    row: Wait | None = db.execute(
        f"select cause, reason, {until} from retoma.v_waiting_campaigns where campaign = %s", (campaign,)
    ).fetchone()
    for view in ("v_campaign_summary", "campaign_batch_state"):
        shown = db.execute(
            f"select reason, {until}, status from retoma.{view} where campaign = %s", (campaign,)
        ).fetchone()
        assert shown == (*(row[1:] if row else (None, None)), "running")
    return row


def test_a_campaign_that_can_send_waits_for_nothing(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    assert waits(db) is None

    advance(db, must_lease(db, runner, channel), want=1)
    assert waits(db) is None


def test_outside_its_windows_it_waits_for_the_next_one(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, start=False, time_zone="America/Sao_Paulo")
    db.execute("select retoma.add_window('natal', '09:00', '18:00', '{1,2,3,4,5}')")
    db.execute("select retoma.start_campaign('natal')")
    assert waits(db) is None

    go_to(db, runner, FRIDAY_EVENING)

    assert waits(db) == ("window", "it is outside its windows", "Mon 2026-03-09 12:00:00")


def test_the_first_zone_that_opens_ends_the_waiting(db: Db, channel: int, runner: UUID) -> None:
    zones = {1: "America/Sao_Paulo", 2: "Europe/Lisbon", 3: "Asia/Tokyo,Europe/Lisbon"}
    make_campaign(db, size=3, start=False, zones=zones)
    db.execute("select retoma.add_window('natal', '09:00', '20:00')")
    go_to(db, runner, "2026-03-02 23:00 UTC")
    db.execute("select retoma.start_campaign('natal')")
    assert waits(db) == ("window", "it is outside its windows", "Tue 2026-03-03 09:00:00")

    go_to(db, runner, "2026-03-03 09:00 UTC")

    assert waits(db) is None


def test_zones_that_are_never_open_together_are_named(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1, start=False, zones={1: "Asia/Tokyo,America/Sao_Paulo"})
    db.execute("select retoma.add_window('natal', '09:00', '12:00')")
    db.execute("select retoma.start_campaign('natal')")

    assert waits(db) == ("window", "its windows are never open in all time zones of a recipient", None)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("campaign", "its limit of 2 messages per day is used up"),
        ("channel", "channel sales has used up its limit of 2 messages per day"),
    ],
)
def test_with_a_limit_used_up_it_waits_for_the_next_period(
    db: Db, channel: int, runner: UUID, scope: str, reason: str
) -> None:
    make_campaign(db, size=5, batch_size=2)
    set_limit(db, 2, scope=scope)
    send_all(db, runner, channel)

    assert waits(db) == ("limit", reason, "Tue 2026-03-03 00:00:00")


def test_held_by_the_provider_it_waits_for_the_end_of_the_hold(db: Db, runner: UUID) -> None:
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"})
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "http_429", retry_after_s=90)], want=1)

    assert waits(db) == (
        "rate_limit",
        "channel sales is held: rate limit of the provider (http_429)",
        "Mon 2026-03-02 12:01:30",
    )


def test_the_last_messages_wait_for_their_next_attempt(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    advance(db, leased, [*accepted(1), error(2, "connect_failed", written=False)])

    assert waits(db) == ("retry", "its last messages wait for another attempt", "Mon 2026-03-02 12:00:45")

    go_to(db, runner, "2026-03-02 12:01 UTC")
    assert waits(db) is None


def test_a_long_gap_is_a_wait(db: Db, runner: UUID) -> None:
    channel = make_channel(db, gap_min_s=600)
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    assert advance(db, leased, accepted(1), want=1).action == "released"

    assert waits(db) == ("pacing", "channel sales waits for its pacing", "Mon 2026-03-02 12:10:00")


def test_one_of_two_channels_that_is_down_is_named(db: Db, channel: int, runner: UUID) -> None:
    make_channel(db, "support")
    make_campaign(db, channels=["sales", "support"])
    db.execute("select retoma.channel_disconnected('support', 'logged out')")

    reason = "channel support is disconnected: logged out"
    assert waits(db) == ("channel", f"{reason}; its other channels go on", None)

    must_lease(db, runner, channel)
    assert waits(db) == ("channel", f"{reason}; its other channels go on", None)


def test_messages_that_only_a_channel_that_is_down_may_send_wait_for_it(db: Db, runner: UUID) -> None:
    safe = {"url": "http://127.0.0.1", "idempotent": True}
    support = make_channel(db, "support", "webhook", safe)
    make_channel(db, "busy")
    make_channel(db, "sales")
    make_campaign(db, size=1, channels=["sales", "support", "busy"])
    leased = must_lease(db, runner, support)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    go_to(db, runner, "2026-03-02 13:00 UTC")
    db.execute("select retoma.pause_channel('support', 'the phone is being replaced')")

    assert waits(db) == ("channel", "channel support is paused: the phone is being replaced", None)


def test_a_campaign_waits_for_its_turn(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, "first")
    make_campaign(db, "second")
    must_lease(db, runner, channel)

    assert waits(db, "first") is None
    assert waits(db, "second") == ("turn", "channel sales is sending other campaigns", None)


def test_a_runner_that_holds_a_batch_and_does_not_report_is_named(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    advance(db, must_lease(db, runner, channel), want=1)

    move_clock(db, "45 s")
    tick(db, runner)

    assert waits(db) == (
        "runner",
        "runner runner-1 has not reported for long: is it frozen, or the disk of the database full?",
        "Mon 2026-03-02 12:01:00",
    )


def test_a_campaign_that_does_not_run_waits_for_no_runner(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    advance(db, must_lease(db, runner, channel), want=1)
    move_clock(db, "45 s")
    db.execute("select retoma.cancel_campaign('natal')")

    row = db.execute("select reason, waits_until from retoma.v_campaign_summary").fetchone()

    assert row == ("cancelled by the operator", None)


def test_a_text_that_nobody_has_checked_waits_for_a_runner(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, text="{{ name | upcase }}", checked=False)

    assert waits(db) == ("content", "its text is waiting for a runner to check it", None)


def test_the_first_reason_is_shown_when_there_are_several(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=5, batch_size=2, start=False, time_zone="UTC")
    db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    set_limit(db, 2, "week", scope="campaign")
    db.execute("select retoma.start_campaign('natal')")
    send_all(db, runner, channel)
    go_to(db, runner, "2026-03-02 20:00 UTC")

    cause, _, until = waits(db) or ("", "", None)

    assert (cause, until) == ("limit", "Mon 2026-03-09 00:00:00")


def test_a_scheduled_campaign_says_when_it_begins(db: Db, channel: int) -> None:
    make_campaign(db, starts_at="2999-01-01 09:00 UTC")

    row = db.execute(
        "select status, waits_until = '2999-01-01 09:00 UTC' from retoma.v_campaign_summary"
    ).fetchone()

    assert row == ("scheduled", True)


def test_without_a_runner_that_is_the_reason(db: Db, channel: int) -> None:
    make_campaign(db, start=False, time_zone="UTC")
    db.execute("select retoma.add_window('natal', '01:00', '02:00')")
    db.execute("select retoma.start_campaign('natal')")

    row = db.execute("select status, reason like 'no runner%', waits_until from retoma.v_campaign_summary")

    assert row.fetchone() == ("interrupted", True, None)
    assert call(db, "select count(*) from retoma.v_waiting_campaigns") == 0


def test_a_monitor_reads_it(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    db.execute("select retoma.create_channel('down', 'null', %s)", (Jsonb({}),))
    db.execute("set role retoma_monitor")

    assert db.execute("select * from retoma.v_waiting_campaigns").fetchall() == []
