"""create_channel, configure_channel and the state of a channel."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    call,
    doorbells,
    error,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    send_all,
    silence,
    status,
)

WAHA: dict[str, object] = {"base_url": "http://127.0.0.1:3000", "session": "default"}


def shown(db: Db, *columns: str) -> tuple[object, ...]:
    row = db.execute(f"select {', '.join(columns)} from retoma.v_channel").fetchone()
    assert row is not None
    return row


def channel_state(db: Db) -> str:
    return str(shown(db, "state")[0])


def test_a_whatsapp_web_channel_is_paced_like_a_person_by_default(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA)

    assert shown(db, "gap_min_s", "gap_max_s", "batch_gap_min_s", "batch_gap_max_s") == (5, 15, 15, 30)
    assert shown(db, "max_in_flight", "max_leases", "state") == (1, 1, "connected")


def test_pacing_that_is_given_replaces_the_default(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA, gap_min_s=20, rate_per_s=2.5, daily_quota=100)

    assert shown(db, "gap_min_s", "gap_max_s", "burst", "daily_quota") == (20, 20, 3, 100)


def test_what_a_provider_can_do_follows_from_the_settings(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[tuple[str, dict[str, object], bool, bool]] = [
        ("waha", WAHA, False, False),
        ("waha", WAHA | {"engine": "WEBJS", "store": True}, False, False),
        ("waha", WAHA | {"engine": "noweb"}, True, False),
        ("waha", WAHA | {"engine": "GOWS", "store": True}, True, True),
        ("webhook", {"url": "http://127.0.0.1"}, False, False),
        ("webhook", {"url": "http://127.0.0.1", "idempotent": True, "lookup": True}, True, True),
        ("webhook", {"url": "http://127.0.0.1", "idempotent": "true"}, False, False),
    ]
    for number, (transport, settings, dedupes, looks_up) in enumerate(cases):
        with subtests.test(transport=transport, settings=settings):
            make_channel(db, f"c{number}", transport, settings)

            query = "select dedupes, looks_up from retoma.v_channel where channel = %s"
            assert db.execute(query, (f"c{number}",)).fetchone() == (dedupes, looks_up)


def test_configure_changes_what_is_given_and_keeps_the_rest(db: Db) -> None:
    make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"}, rate_per_s=10, burst=50)

    db.execute("select retoma.configure_channel('sales', p_daily_quota => 7, p_max_leases => 4)")

    assert shown(db, "rate_per_s", "burst", "daily_quota", "max_in_flight", "max_leases") == (
        10,
        50,
        7,
        32,
        4,
    )
    assert call(db, "select settings from retoma.channel_settings('sales')") == {"url": "http://127.0.0.1"}


def test_a_gap_between_messages_leaves_one_request_and_one_lease(db: Db) -> None:
    make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1"})

    db.execute("select retoma.configure_channel('sales', p_gap_min_s => 5)")

    assert shown(db, "max_in_flight", "max_leases") == (1, 1)
    for parameter in ("p_max_in_flight", "p_max_leases"):
        with refused(db, "RT003", "only one can be under way"):
            db.execute(f"select retoma.configure_channel('sales', {parameter} => 2)")


def test_values_that_do_not_fit_are_refused(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[dict[str, Any]] = [
        {"gap_min_s": -1},
        {"gap_min_s": 10, "gap_max_s": 5},
        {"gap_max_s": 86_401},
        {"gap_min_s": "NaN"},
        {"batch_gap_min_s": 3, "batch_gap_max_s": 2},
        {"rate_per_s": 0},
        {"burst": 0},
        {"max_in_flight": 0},
        {"daily_quota": 0},
        {"settings": ["url"]},
    ]
    for values in cases:
        with subtests.test(values=values), refused(db, "RT003"):
            make_channel(db, **values)


def test_settings_without_what_the_transport_needs_are_refused(db: Db) -> None:
    with refused(db, "RT003", "base_url, session"):
        make_channel(db, transport="waha", settings={"session": ""})
    make_channel(db, transport="waha", settings=WAHA)
    with refused(db, "RT003", "session"):
        db.execute("select retoma.configure_channel('sales', %s)", (Jsonb({"session": None}),))


def test_a_setting_that_is_not_named_stays_and_a_null_removes_one(db: Db) -> None:
    make_channel(db, transport="waha", settings={**WAHA, "api_key": "env:KEY", "engine": "NOWEB"})

    db.execute("select retoma.configure_channel('sales', %s)", (Jsonb({"engine": "GOWS", "api_key": None}),))

    shown = db.execute("select settings from retoma.channel_settings('sales')").fetchone()
    assert shown == ({**WAHA, "engine": "GOWS"},)


def test_unknown_transports_bad_names_and_bad_zones_are_refused(db: Db) -> None:
    with refused(db, "RT001", "there is no transport 'pigeon'"):
        make_channel(db, transport="pigeon")
    for name in ("Sales", "", "a b", "x" * 64, None):
        with refused(db, "RT003", "is not a channel name"):
            db.execute("select retoma.create_channel(%s, 'null')", (name,))
    make_channel(db)
    with refused(db, "RT004", "there already is a channel"):
        make_channel(db)
    with refused(db, "RT003", "there is no time zone"):
        db.execute("select retoma.configure_channel('sales', p_time_zone => 'Sao_Paolo')")


def test_an_unknown_channel_is_refused(db: Db) -> None:
    for function in (
        "pause_channel",
        "resume_channel",
        "channel_connected",
        "channel_disconnected",
        "configure_channel",
        "channel_settings",
    ):
        for name in ("sales", None):
            with refused(db, "RT001", "there is no channel"):
                db.execute(f"select retoma.{function}(%s)", (name,))


def test_the_guard_refuses_a_new_identity_for_a_channel(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    cases: list[str] = ["name = 'other'", "transport = 'webhook'"]
    for change in cases:
        with subtests.test(change=change), refused(db, "RT002", "cannot change its id, name or transport"):
            db.execute(f"update retoma_internal.channel set {change}")


def test_a_disconnected_channel_interrupts_its_own_running_campaigns_only(db: Db) -> None:
    make_channel(db, "sales")
    make_channel(db, "support")
    make_runner(db)
    make_campaign(db, "on sales", channels=["sales"])
    make_campaign(db, "on support", channels=["support"])
    make_campaign(db, "paused", channels=["sales"])
    db.execute("select retoma.pause_campaign('paused')")
    make_campaign(db, "draft", channels=["sales"], start=False)

    db.execute("select retoma.channel_disconnected('sales', 'logged out')")

    assert [status(db, name) for name in ("on sales", "on support", "paused", "draft")] == [
        "interrupted",
        "running",
        "paused",
        "draft",
    ]
    reason = call(db, "select reason from retoma.v_campaign_summary where campaign = 'on sales'")
    assert reason == "channel sales is disconnected: logged out"


def test_a_reconnect_resumes_what_the_channel_interrupted_and_rings(db: Db) -> None:
    channel = make_channel(db)
    make_runner(db)
    make_campaign(db)
    db.execute("select retoma.channel_disconnected('sales')")
    silence(db)

    db.execute("select retoma.channel_connected('sales')")

    assert status(db) == "running"
    assert doorbells(db) == [channel]


def test_a_campaign_with_another_channel_goes_on(db: Db) -> None:
    make_channel(db, "sales")
    make_channel(db, "support")
    make_runner(db)
    make_campaign(db, channels=["sales", "support"])

    db.execute("select retoma.channel_disconnected('sales')")
    assert status(db) == "running"

    db.execute("select retoma.pause_channel('support')")
    assert status(db) == "interrupted"
    assert call(db, "select reason from retoma.v_campaign_summary") == (
        "channel sales is disconnected; channel support is paused: paused by the operator"
    )
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "running"


def test_a_pause_of_the_operator_survives_a_reconnect(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    make_runner(db)

    db.execute("select retoma.pause_channel('sales')")
    db.execute("select retoma.channel_disconnected('sales')")
    db.execute("select retoma.channel_connected('sales')")

    assert channel_state(db) == "paused"
    assert status(db) == "interrupted"
    db.execute("select retoma.resume_channel('sales')")
    assert channel_state(db) == "connected"
    assert status(db) == "running"


def test_resuming_a_channel_that_is_away_does_not_connect_it(db: Db) -> None:
    make_channel(db)
    db.execute("select retoma.channel_disconnected('sales', 'logged out')")
    db.execute("select retoma.pause_channel('sales')")

    db.execute("select retoma.resume_channel('sales')")

    assert channel_state(db) == "disconnected"


def test_saying_it_twice_changes_nothing(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    for function in ("channel_disconnected", "channel_connected", "pause_channel", "resume_channel"):
        db.execute(f"select retoma.{function}('sales')")
        events = call(db, "select count(*) from retoma_internal.event")
        db.execute(f"select retoma.{function}('sales')")
        assert call(db, "select count(*) from retoma_internal.event") == events


def test_every_change_of_state_is_in_the_audit(db: Db) -> None:
    make_channel(db)
    db.execute("select retoma.channel_disconnected('sales', 'logged out')")
    db.execute("select retoma.pause_channel('sales', 'holidays')")

    rows = db.execute(
        "select channel, from_state, to_state, why from retoma.v_event where subject = 'channel' order by id"
    )

    assert rows.fetchall() == [
        ("sales", None, "connected", None),
        ("sales", "connected", "disconnected", "logged out"),
        ("sales", "disconnected", "paused", "holidays"),
    ]


def test_a_channel_cannot_unlearn_to_dedupe_while_it_is_about_to_repeat(db: Db) -> None:
    settings = {"url": "http://127.0.0.1", "idempotent": True}
    channel = make_channel(db, transport="webhook", settings=settings)
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])

    with refused(db, "RT002", "about to repeat"):
        db.execute("select retoma.configure_channel('sales', '{\"idempotent\": false}')")

    move_clock(db, "1 hour")
    assert send_all(db, runner, channel) == [1]
    db.execute("select retoma.configure_channel('sales', '{\"idempotent\": false}')")
