"""`retoma channel` as a user sees it: output, exit codes, and what to do when something is wrong."""

import json
from typing import Any

import psycopg

from tests.support.command import retoma

WAHA = ("--transport", "waha", "--set", "base_url=http://127.0.0.1:3000", "--set", "session=default")


def pacing(db: psycopg.Connection, *columns: str) -> tuple[Any, ...]:
    row = db.execute(f"select {', '.join(columns)} from retoma.v_channel where channel = 'sales'").fetchone()
    assert row is not None
    return row


def settings(db: psycopg.Connection) -> dict[str, object]:
    row = db.execute("select settings from retoma_internal.channel where name = 'sales'").fetchone()
    assert row is not None
    found: dict[str, object] = row[0]
    return found


def test_create_takes_the_pacing_of_the_transport(database: str, db: psycopg.Connection) -> None:
    result = retoma("channel", "create", "sales", *WAHA, database_url=database)

    assert (result.returncode, result.stdout, result.stderr) == (0, "Created channel sales.\n", "")
    assert pacing(db, "gap_min_s", "gap_max_s", "batch_gap_min_s", "batch_gap_max_s") == (5, 15, 15, 30)


def test_create_takes_every_limit(database: str, db: psycopg.Connection) -> None:
    result = retoma(
        *("channel", "create", "sales", *WAHA, "--gap", "0", "--batch-gap", "0.5-2", "--rate", "80.5"),
        *("--burst", "90", "--in-flight", "8", "--leases", "2", "--limit", "1000/day"),
        database_url=database,
    )

    assert result.returncode == 0, result.stderr
    assert pacing(db, "gap_max_s", "batch_gap_min_s::float", "batch_gap_max_s") == (0, 0.5, 2)
    assert pacing(db, "rate_per_s::float", "burst") == (80.5, 90)
    assert json.loads(retoma("channel", "show", "sales", "--json", database_url=database).stdout)[
        "limits"
    ] == ["1000/day"]
    assert pacing(db, "max_in_flight", "max_leases") == (8, 2)


def test_settings_are_json_scalars_or_text(database: str, db: psycopg.Connection) -> None:
    given = ("store=true", "timeout_s=3", "api_key=a=b", "webhook_hmac_key=NaN", 'session="7"')

    retoma(
        *("channel", "create", "sales", *WAHA, *(word for one in given for word in ("--set", one))),
        database_url=database,
    )

    assert settings(db) == {
        "base_url": "http://127.0.0.1:3000",
        "session": "7",
        "store": True,
        "media_as": "link",
        "timeout_s": 3,
        "api_key": "a=b",
        "webhook_hmac_key": "NaN",
        "convert": True,
        "engine": "WEBJS",
        "check_numbers": True,
        "check_gap_s": 2,
    }


def test_values_of_settings_are_never_shown(database: str) -> None:
    retoma("channel", "create", "sales", *WAHA, "--set", "api_key=not-shown", database_url=database)

    shown = retoma("channel", "show", "sales", database_url=database).stdout
    as_json = retoma("channel", "show", "sales", "--json", database_url=database).stdout
    listed = retoma("channel", "list", "--json", database_url=database).stdout

    assert (
        "api_key, base_url, check_gap_s, check_numbers, convert, engine, media_as, session, timeout_s"
        in shown
    )
    assert json.loads(as_json)["settings"] == [
        *("api_key", "base_url", "check_gap_s", "check_numbers"),
        *("convert", "engine", "media_as", "session", "timeout_s"),
    ]
    assert "not-shown" not in shown + as_json + listed


def test_a_setting_without_a_key_is_refused_and_not_repeated(database: str) -> None:
    result = retoma("channel", "create", "sales", *WAHA, "--set", "not-shown", database_url=database)

    assert result.returncode == 2
    assert "A setting is KEY=VALUE" in result.stderr
    assert "not-shown" not in result.stderr


def test_configure_keeps_what_is_not_given(database: str, db: psycopg.Connection) -> None:
    retoma("channel", "create", "sales", *WAHA, "--leases", "1", database_url=database)

    result = retoma("channel", "configure", "sales", "--gap", "20-40", database_url=database)

    assert result.returncode == 0, result.stderr
    assert pacing(db, "gap_min_s", "gap_max_s", "batch_gap_min_s", "max_leases") == (20, 40, 15, 1)
    assert settings(db)["session"] == "default"


def test_a_refused_limit_leaves_no_channel_behind(database: str) -> None:
    result = retoma("channel", "create", "sales", *WAHA, "--in-flight", "8", database_url=database)

    assert result.returncode == 1
    assert "error: channel 'sales' has gaps between messages" in result.stderr
    assert "hint: " in result.stderr
    assert json.loads(retoma("channel", "list", "--json", database_url=database).stdout) == []


def test_pause_and_resume(database: str) -> None:
    retoma("channel", "create", "sales", *WAHA, database_url=database)

    def state() -> tuple[str, str | None]:
        row = json.loads(retoma("channel", "show", "sales", "--json", database_url=database).stdout)
        return row["state"], row["reason"]

    retoma("channel", "pause", "sales", "--reason", "a new phone", database_url=database)
    assert state() == ("paused", "a new phone")
    retoma("channel", "resume", "sales", database_url=database)
    assert state() == ("connected", None)
    retoma("channel", "disconnected", "sales", "--reason", "no battery", database_url=database)
    assert state() == ("disconnected", "no battery")
    retoma("channel", "connected", "sales", database_url=database)
    assert state() == ("connected", None)


def test_list_is_in_the_order_of_names(database: str, db: psycopg.Connection) -> None:
    for name in ("support", "alerts", "sales"):
        db.execute("select retoma.create_channel(%s, 'null')", [name])

    listed = json.loads(retoma("channel", "list", "--json", database_url=database).stdout)

    assert [row["channel"] for row in listed] == ["alerts", "sales", "support"]


def test_list_is_a_table_in_which_no_line_is_folded(database: str) -> None:
    empty = retoma("channel", "list", database_url=database)
    retoma("channel", "create", "sales", *WAHA, database_url=database)
    retoma("channel", "pause", "sales", "--reason", "a long reason " * 12, database_url=database)

    lines = retoma("channel", "list", database_url=database).stdout.splitlines()

    assert "retoma channel create --help" in empty.stdout
    assert [line.split()[0] for line in lines] == ["channel", "sales"]
    assert "5-15 s" in lines[1]
    assert lines[1].rstrip().endswith("a long reason")


def test_an_unknown_channel_exits_1_with_the_known_ones(database: str) -> None:
    retoma("channel", "create", "sales", *WAHA, database_url=database)

    for command in ("pause", "resume", "connected", "disconnected"):
        result = retoma("channel", command, "sails", database_url=database)

        assert result.returncode == 1
        assert result.stderr == "error: there is no channel 'sails'\nhint: Channels: sales\n"
    assert retoma("channel", "show", "sails", database_url=database).returncode == 1


def test_wrong_usage_exits_2(database: str) -> None:
    def code(*options: str) -> int:
        return retoma("channel", "configure", "sales", *options, database_url=database).returncode

    assert code() == 2
    assert code("--gap", "soon") == 2
    assert code("--rate", "fast") == 2
    assert code("--burst", "true") == 2


def test_what_is_too_small_or_too_large_is_refused_in_the_words_of_the_database(database: str) -> None:
    retoma("channel", "create", "sales", *WAHA, database_url=database)

    def refusal(*options: str) -> tuple[int, str]:
        result = retoma("channel", "configure", "sales", *options, database_url=database)
        return result.returncode, result.stderr.splitlines()[0]

    assert refusal("--gap", "15-5") == (1, "error: gap_min_s would be 15, which is above gap_max_s: 5")
    assert refusal("--rate", "0") == (1, "error: rate_per_s cannot be 0")
    assert refusal("--burst", "1.5") == (1, "error: burst is a whole number, not 1.5")


def test_none_takes_away_what_was_given(database: str, db: psycopg.Connection) -> None:
    retoma(
        *("channel", "create", "sales", *WAHA, "--rate", "80"),
        *("--set", "engine=NOWEB"),
        database_url=database,
    )

    result = retoma(
        *("channel", "configure", "sales", "--gap", "none", "--batch-gap", "none", "--rate", "none"),
        *("--burst", "none", "--set", "engine=null"),
        database_url=database,
    )

    assert result.returncode == 0, result.stderr
    assert pacing(db, "gap_max_s", "batch_gap_max_s", "rate_per_s", "burst") == (0, 0, None, 1)
    assert settings(db)["engine"] == "WEBJS"


def test_without_the_schema_it_says_how_to_install_it(empty_database: str) -> None:
    result = retoma("channel", "list", database_url=empty_database)

    assert result.returncode == 1
    assert "hint: Install the schema, or bring it up to date: retoma db install" in result.stderr


def test_a_session_that_was_left_open_is_named_and_nobody_waits_for_it_for_ever(
    database: str, db: psycopg.Connection
) -> None:
    retoma("channel", "create", "sales", *WAHA, database_url=database)

    with psycopg.connect(database, application_name="left open") as other:
        pid = other.info.backend_pid
        other.execute("select retoma.configure_channel('sales', '{\"session\": \"x\"}')")
        result = retoma("channel", "pause", "sales", database_url=database)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: session {pid} of role ")
    assert "(left open), idle in transaction, since " in result.stderr
    assert "keeps locked what this call needs" in result.stderr
    assert "v_open_transaction" in result.stderr
    assert pacing(db, "state") == ("connected",)


def test_the_channels_of_a_group_share_a_limit_of_people(database: str) -> None:
    retoma("channel", "create", "sales", *WAHA, database_url=database)
    limit = ("channel_group", "shop", "2000/24 hours", "--people")

    early = retoma("limit", "set", *limit, database_url=database)
    grouped = retoma("channel", "group", "sales", "shop", database_url=database)
    limited = retoma("limit", "set", *limit, database_url=database)
    listed = retoma("limit", "list", "--json", database_url=database)
    freed = retoma("limit", "remove", "channel_group", "shop", "24 hours", "--people", database_url=database)
    alone = retoma("channel", "group", "sales", database_url=database)

    assert early.returncode == 1
    assert "there is no group of channels 'shop'" in early.stderr
    assert grouped.stdout == "Grouped channel sales.\n"
    assert limited.stdout == "The channel group shop sends to at most 2,000 people per 24 hours.\n"
    (row,) = json.loads(listed.stdout)
    assert (row["scope"], row["subject"], row["counting"]) == ("channel_group", "shop", "people")
    assert freed.stdout == "The channel group shop has no limit of people per 24 hours.\n"
    assert alone.stdout == "Ungrouped channel sales.\n"
