"""create_channel, configure_channel and the state of a channel."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
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
WEBHOOK: dict[str, object] = {"url": "http://127.0.0.1"}

EACH_KIND = [
    *("audio", "buttons", "cta_url", "document", "image", "list", "poll", "template", "text", "video"),
]


@dataclass
class Refusal:
    key: str | None = None
    hint: str | None = None


@contextmanager
def refused_with(db: Db, key: str, words: str = "") -> Iterator[Refusal]:
    """The statement inside is refused with RT003, this key, these words and a hint."""
    refusal = Refusal()
    with refused(db, "RT003", words):
        try:
            yield refusal
        except psycopg.Error as error:
            refusal.key, refusal.hint = error.diag.constraint_name, error.diag.message_hint
            raise
    assert refusal.key == key


def configure(
    db: Db, settings: Mapping[str, object] | None = None, pacing: Mapping[str, object] | None = None
) -> None:
    patches = (Jsonb(settings or {}), Jsonb(pacing or {}))
    db.execute("select retoma.configure_channel('sales', %s, %s)", patches)


def settings_of(db: Db) -> object:
    return call(db, "select settings from retoma.channel_settings('sales')")


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
    make_channel(db, transport="waha", settings=WAHA, gap_min_s=20, rate_per_s=2.5)

    assert shown(db, "gap_min_s", "gap_max_s", "burst") == (20, 20, 3)


def test_what_a_provider_can_do_follows_from_the_settings(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[tuple[str, dict[str, object], list[str], bool]] = [
        ("waha", WAHA, [], False),
        ("waha", WAHA | {"engine": "WEBJS", "store": True}, [], False),
        ("waha", WAHA | {"engine": "WPP", "store": True}, [], False),
        ("waha", WAHA | {"engine": "NOWEB"}, [], False),
        ("waha", WAHA | {"engine": "GOWS", "store": True}, [], True),
        ("webhook", WEBHOOK, [], False),
        ("webhook", WEBHOOK | {"idempotent": True, "lookup": True}, EACH_KIND, True),
        ("webhook", WEBHOOK | {"idempotent": False, "lookup": False}, [], False),
        ("null", {}, [], False),
    ]
    for number, (transport, settings, dedupes, looks_up) in enumerate(cases):
        with subtests.test(transport=transport, settings=settings):
            make_channel(db, f"c{number}", transport, settings)

            query = "select dedupes, looks_up from retoma.v_channel where channel = %s"
            assert db.execute(query, (f"c{number}",)).fetchone() == (dedupes, looks_up)


def test_configure_changes_what_is_given_and_keeps_the_rest(db: Db) -> None:
    make_channel(db, transport="webhook", settings=WEBHOOK, rate_per_s=10, burst=50)

    configure(db, pacing={"max_leases": 4})

    assert shown(db, "rate_per_s", "burst", "max_in_flight", "max_leases") == (10, 50, 100, 4)
    assert call(db, "select settings from retoma.channel_settings('sales')") == WEBHOOK | {
        "media_as": "link",
        "timeout_s": 30,
    }


def test_null_takes_each_kind_of_pacing_away(db: Db) -> None:
    make_channel(db, gap_min_s=5, batch_gap_min_s=7, rate_per_s=2.5, burst=9)

    configure(db, pacing={"burst": None})
    assert shown(db, "burst") == (3,)
    configure(db, pacing=dict.fromkeys(("gap_min_s", "gap_max_s", "rate_per_s", "burst")))
    assert shown(db, "gap_max_s", "batch_gap_min_s", "rate_per_s", "burst") == (0, 7, None, 1)
    configure(db, pacing={"max_in_flight": 9, "max_leases": 8})
    configure(db, pacing=dict.fromkeys(("batch_gap_min_s", "batch_gap_max_s", "max_in_flight", "max_leases")))
    assert shown(db, "batch_gap_max_s", "max_in_flight", "max_leases") == (0, 1, 1)


def test_a_transport_that_has_a_rate_without_a_burst_gives_the_messages_of_a_second(db: Db) -> None:
    db.execute(
        "update retoma.transport set pacing = '{\"rate_per_s\": 20, \"burst\": 40}' where name = 'null'"
    )
    make_channel(db, "plain")
    make_channel(db, "faster", rate_per_s=80)
    db.execute("update retoma.transport set pacing = '{\"rate_per_s\": 6}' where name = 'null'")
    make_channel(db, "slow")

    rows = db.execute("select channel, rate_per_s, burst from retoma.v_channel order by channel").fetchall()
    assert rows == [("faster", 80, 80), ("plain", 20, 40), ("slow", 6, 6)]


def test_a_gap_between_messages_leaves_one_request_and_one_lease(db: Db) -> None:
    make_channel(db, transport="webhook", settings=WEBHOOK)
    with refused_with(db, "gaps_allow_one", "not 100 in each of 3 batches"):
        configure(db, pacing={"gap_min_s": 5, "gap_max_s": 5})
    configure(db, pacing={"gap_min_s": 5, "gap_max_s": 5, "max_in_flight": 1, "max_leases": 1})

    for key in ("max_in_flight", "max_leases"):
        with refused_with(db, "gaps_allow_one", "only one can be under way"):
            configure(db, pacing={key: 2})

    configure(db, pacing={"gap_min_s": None, "gap_max_s": None, "max_in_flight": 2, "max_leases": 2})
    assert shown(db, "max_in_flight", "max_leases") == (2, 2)


def test_a_channel_that_is_created_with_gaps_sends_one_message_at_a_time(db: Db) -> None:
    make_channel(db, transport="webhook", settings=WEBHOOK, gap_min_s=5, gap_max_s=9)
    assert shown(db, "max_in_flight", "max_leases") == (1, 1)

    with refused_with(db, "gaps_allow_one", "not 4 in each of 1 batches"):
        make_channel(db, "other", "webhook", WEBHOOK, gap_min_s=5, gap_max_s=9, max_in_flight=4)
    make_channel(db, "third", "webhook", WEBHOOK, gap_min_s=0, gap_max_s=0)
    assert call(db, "select max_in_flight from retoma.v_channel where channel = 'third'") == 100


def test_pacing_that_cannot_be_is_refused_in_words(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[tuple[object, str, str]] = [
        ({"gap_min_s": -1}, "out_of_range", "gap_min_s cannot be -1"),
        ({"gap_max_s": 86_401}, "out_of_range", "gap_max_s cannot be 86401"),
        ({"gap_min_s": "NaN"}, "not_a_number", 'gap_min_s is a number, not "NaN"'),
        ({"batch_gap_max_s": "5 minutes"}, "not_a_number", "batch_gap_max_s is a number"),
        (
            {"gap_min_s": 10, "gap_max_s": 5},
            "min_above_max",
            "gap_min_s would be 10, which is above",
        ),
        ({"batch_gap_min_s": 3, "batch_gap_max_s": 2.5}, "min_above_max", "above batch_gap_max_s: 2.5"),
        ({"rate_per_s": 0}, "out_of_range", "rate_per_s cannot be 0"),
        ({"rate_per_s": 100_001}, "out_of_range", "rate_per_s cannot be 100001"),
        ({"rate_per_s": 1e400}, "out_of_range", "rate_per_s cannot be 1000"),
        ({"burst": 0}, "out_of_range", "burst cannot be 0"),
        ({"burst": 1.5}, "not_a_whole_number", "burst is a whole number"),
        ({"max_in_flight": 10_001}, "out_of_range", "max_in_flight cannot be 10001"),
        ({"max_leases": 65}, "out_of_range", "max_leases cannot be 65"),
        ({"gap": 5}, "unknown_key", "pacing rules have no key gap"),
        (["rate_per_s"], "not_an_object", "pacing rules are a JSON object, not array"),
        (None, "not_an_object", "pacing rules are a JSON object, not null"),
    ]
    make_channel(db, "old")
    for pacing, key, words in cases:
        given = None if pacing is None else json.dumps(pacing).replace("Infinity", "1" + "0" * 400)
        with subtests.test(pacing=pacing):
            with refused_with(db, key, words):
                db.execute("select retoma.create_channel('sales', 'null', '{}', %s)", (given,))
            with refused_with(db, key, words):
                db.execute("select retoma.configure_channel('old', '{}', %s)", (given,))


def test_one_end_of_a_gap_does_not_move_the_other(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA)

    with refused_with(db, "min_above_max", "gap_min_s would be 20, which is above gap_max_s: 15") as refusal:
        configure(db, pacing={"gap_min_s": 20})
    assert refusal.hint == "Give gap_max_s too, 20 or more"
    with refused_with(db, "min_above_max") as refusal:
        configure(db, pacing={"batch_gap_max_s": None})
    assert refusal.hint == "Give batch_gap_min_s too, 0 or less"


def test_settings_that_cannot_be_are_refused_in_words(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[tuple[str, object, str, str]] = [
        ("waha", {"session": ""}, "settings_missing", "needs these settings: base_url, session"),
        ("waha", WAHA | {"engine": "NOWB"}, "not_a_choice", "engine cannot be 'NOWB'"),
        ("waha", WAHA | {"engine": "noweb"}, "not_a_choice", "engine cannot be 'noweb'"),
        ("waha", WAHA | {"engin": "NOWEB"}, "unknown_key", "settings of waha have no key engin"),
        ("waha", WAHA | {"store": "true"}, "not_a_flag", "store is true or false, not a JSON string"),
        ("waha", WAHA | {"store": 1}, "not_a_flag", "store is true or false, not a JSON number"),
        ("waha", WAHA | {"api_key": 31337}, "not_a_text", "api_key is a text, not a JSON number"),
        ("waha", WAHA | {"api_key": " "}, "empty_setting", "api_key is empty"),
        ("waha", WAHA | {"api_key": "env:"}, "not_a_variable", "api_key does not name"),
        ("waha", WAHA | {"timeout_s": 0}, "out_of_range", "timeout_s cannot be 0"),
        ("waha", WAHA | {"timeout_s": 301}, "out_of_range", "timeout_s cannot be 301"),
        ("waha", WAHA | {"timeout_s": "30"}, "not_a_number", "timeout_s is a number"),
        ("waha", WAHA | {"base_url": "gateway.example"}, "not_a_url", "base_url is not an address"),
        ("webhook", {"url": "ftp://gateway.example"}, "not_a_url", "url is not an address"),
        ("webhook", {"url": "http://me:secret@gateway.example"}, "not_a_url", "url is not an address"),
        ("webhook", {"url": "http://gateway.example/#top"}, "not_a_url", "url is not an address"),
        ("webhook", {"url": "http:///messages"}, "not_a_url", "url is not an address"),
        ("webhook", ["url"], "not_an_object", "settings of webhook are a JSON object, not array"),
        ("null", {"url": "http://127.0.0.1"}, "unknown_key", "settings of null have no key url"),
    ]
    for transport, settings, key, words in cases:
        with subtests.test(transport=transport, settings=settings), refused_with(db, key, words):
            db.execute("select retoma.create_channel('x', %s, %s)", (transport, Jsonb(settings)))


def test_a_refused_engine_comes_with_those_that_there_are(db: Db) -> None:
    with refused_with(db, "not_a_choice") as refusal:
        make_channel(db, transport="waha", settings=WAHA | {"engine": "NOWB"})

    assert refusal.hint == "Choose one of: WEBJS, WPP, NOWEB, GOWS"


def test_no_settings_at_all_are_refused_where_null_stands_for_them(db: Db) -> None:
    make_channel(db)
    with refused_with(db, "not_an_object", "not null"):
        db.execute("select retoma.configure_channel('sales', null)")
    with refused_with(db, "not_an_object", "not null"):
        db.execute("select retoma.create_channel('other', 'null', null)")


def test_a_required_setting_cannot_be_removed(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA)
    with refused_with(db, "settings_missing", "session"):
        configure(db, settings={"session": None})


def test_a_setting_that_is_not_named_stays_and_a_null_brings_the_default_back(db: Db) -> None:
    make_channel(
        db, transport="waha", settings={**WAHA, "api_key": "env:RETOMA_SECRET_KEY", "engine": "NOWEB"}
    )

    configure(db, settings={"timeout_s": 5, "api_key": None})
    defaults = {**WAHA, "convert": True, "media_as": "link", "check_numbers": True, "check_gap_s": 2}
    assert settings_of(db) == {**defaults, "engine": "NOWEB", "timeout_s": 5}

    configure(db, settings={"timeout_s": None, "engine": None})
    assert settings_of(db) == {**defaults, "engine": "WEBJS", "timeout_s": 30}
    assert shown(db, "dedupes") == ([],)


def test_unknown_transports_bad_names_and_taken_names_are_refused(db: Db) -> None:
    with refused(db, "RT001", "there is no transport 'pigeon'"):
        make_channel(db, transport="pigeon")
    for name in ("Sales", "", "a b", "x" * 64, None):
        with refused(db, "RT003", "is not a channel name"):
            db.execute("select retoma.create_channel(%s, 'null')", (name,))
    make_channel(db)
    with refused(db, "RT004", "there is already a channel"):
        make_channel(db)


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

    with refused(db, "RT002", "must send messages again"):
        db.execute("select retoma.configure_channel('sales', '{\"idempotent\": false}')")

    move_clock(db, "1 hour")
    assert send_all(db, runner, channel) == [1]
    db.execute("select retoma.configure_channel('sales', '{\"idempotent\": false}')")
