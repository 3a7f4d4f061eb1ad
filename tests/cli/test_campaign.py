"""`retoma campaign` as a user sees it: output, exit codes, and what to do when something is wrong."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.command import retoma

NAME = "May offers [1]"
CREATE = ("create", NAME, "--channel", "sales", "--text", "Olá")
SAO_PAULO = ("--time-zone", "America/Sao_Paulo")


@pytest.fixture(autouse=True)
def _channel(db: psycopg.Connection) -> None:
    db.execute("select retoma.create_channel('sales', 'null')")


def campaign(database: str, *arguments: str, text: str | None = None) -> CompletedProcess[str]:
    return retoma("campaign", *arguments, database_url=database, text=text)


def facts(database: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(campaign(database, "show", NAME, "--json").stdout)
    return found


def draft(database: str, db: psycopg.Connection, recipients: int = 3) -> None:
    result = campaign(database, "create", NAME, "--channel", "sales", "--text", "Olá {{ name }}")
    assert result.returncode == 0, result.stderr
    people = [{"phone": f"+551195550{n:04}", "variables": {"name": "Ana"}} for n in range(recipients)]
    db.execute("select retoma.add_recipients(%s, %s)", [NAME, Jsonb(people)])


def with_a_message_in_doubt(database: str, db: psycopg.Connection) -> None:
    """A completed campaign of one message, whose runner never told what became of it."""
    draft(database, db, recipients=1)
    db.execute("select retoma.start_campaign(%s)", [NAME])
    runner = uuid4()
    db.execute("select retoma.register_runner(%s, 'a runner')", [runner])
    lease = db.execute("select batch_id, lease_epoch from retoma.lease_batch(%s, 1)", [runner]).fetchone()
    assert lease is not None
    db.execute("select retoma.advance_batch(%s, %s, %s, '[]', 1)", [runner, *lease])
    db.execute("select retoma.release_batch(%s, %s, %s)", [runner, *lease])


def test_create_makes_a_draft_with_its_rules(database: str) -> None:
    result = campaign(
        database,
        *("create", NAME, "--channel", "sales", "--text", "Olá {{ name }}", "--batch-size", "50"),
        *("--at", "2050-05-31T09:00-03:00", "--window", "09:00-12:00/1-5", "--window", "14:00-18:00/1,3,6-7"),
        *("--limit", "200/day", "--limit", "90/24 hours"),
        *("--time-zone", "America/Sao_Paulo", "--max-attempts", "5"),
    )

    assert (result.returncode, result.stderr) == (0, "")
    shown = facts(database)
    assert (shown["status"], shown["channels"]) == ("draft", ["sales"])
    assert shown["limits"] == ["200/day", "90/24 hours"]
    assert shown["windows"] == ["09:00-12:00/1,2,3,4,5", "14:00-18:00/1,3,6,7"]
    assert shown["starts_at"].startswith("2050-05-31T")


@pytest.mark.parametrize(
    ("at", "options", "shown", "moment"),
    [
        ("2050-05-31T09:00", SAO_PAULO, "2050-05-31 09:00:00 America/Sao_Paulo", "2050-05-31 12:00 UTC"),
        (
            "2050-05-31T09:00+09:00",
            SAO_PAULO,
            "2050-05-30 21:00:00 America/Sao_Paulo",
            "2050-05-31 00:00 UTC",
        ),
        ("2050-05-31T09:00", (), "2050-05-31 09:00:00 JST", "2050-05-31 00:00 UTC"),
    ],
)
def test_a_time_is_one_of_the_campaigns_zone_and_is_shown_with_it(
    database: str, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, *, at: str,
    options: tuple[str, ...], shown: str, moment: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    created = campaign(database, *CREATE, "--at", at, *options)
    assert f"Created the draft {NAME} for {shown}. Next:" in created.stdout, created.stderr
    db.execute('select retoma.add_recipients(%s, \'[{"phone": "+5511955500001"}]\')', [NAME])

    assert f"{NAME}: scheduled, for {shown}\n" in campaign(database, "start", NAME).stdout
    again = campaign(database, "start", NAME, "--at", at)
    assert f"{NAME}: scheduled, for {shown}\n" in again.stdout
    assert f"starts at            {shown}\n" in campaign(database, "show", NAME).stdout
    found = db.execute(
        "select starts_at = %s::timestamptz from retoma_internal.campaign", [moment]
    ).fetchone()
    assert found == (True,)


def test_a_time_in_a_zone_that_nobody_knows_is_refused(database: str) -> None:
    zone = ("--time-zone", "Mars/Base")
    result = campaign(database, *CREATE, "--at", "2050-05-31T09:00", *zone)

    assert (result.returncode, result.stderr.splitlines()[0]) == (
        1,
        "error: there is no time zone 'Mars/Base'",
    )


def test_windows_go_over_midnight_and_are_taken_back(database: str) -> None:
    window = ("--window", "22:00-06:00/5", "--window", "09:00-24:00")
    assert campaign(database, *CREATE, *window).returncode == 0
    assert facts(database)["windows"] == ["00:00-06:00/6", "09:00-24:00", "22:00-24:00/5"]

    changed = campaign(database, "window", NAME, "--remove", "22:00-06:00/5", "--add", "18:00-20:00")
    assert changed.stdout == f"{NAME}: 09:00-24:00, 18:00-20:00\n"
    removed = campaign(database, "window", NAME, "--remove", "09:00-24:00", "--remove", "18:00-20:00")
    assert removed.stdout == f"{NAME}: no windows, so it sends at all times\n"
    refused = campaign(database, "window", NAME, "--add", "10:00-12:00", "--remove", "09:00-24:00")
    assert refused.returncode == 1
    assert "has no window from 09:00:00 to 24:00:00" in refused.stderr
    assert facts(database)["windows"] is None


def started_with(
    database: str, db: psycopg.Connection, text: str, *variables: dict[str, str]
) -> CompletedProcess[str]:
    """A campaign with this text, started for recipients with these variables."""
    created = campaign(database, "create", NAME, "--channel", "sales", "--text", text)
    assert created.returncode == 0, created.stderr
    people = [{"phone": f"+551195550{n:04}", "variables": taken} for n, taken in enumerate(variables)]
    db.execute("select retoma.add_recipients(%s, %s)", [NAME, Jsonb(people)])
    return campaign(database, "start", NAME)


def test_start_shows_a_message_as_it_will_be_sent(database: str, db: psycopg.Connection) -> None:
    result = started_with(database, db, "Olá {{ nome | upcase }},\nbom dia", {"nome": "Ana"}, {"nome": "Bia"})

    assert result.stdout.startswith("Message 1, to +5511955500000:\n  Olá ANA,\n  bom dia\n")
    assert result.stderr == ""


def test_start_refuses_what_could_be_made_for_none_of_the_first(
    database: str, db: psycopg.Connection
) -> None:
    price = {"preco": "1.234,50"}
    result = started_with(database, db, "Total: {{ preco | times: 2 }}", price, price)

    assert result.returncode == 1
    assert (
        "None of the first 2 messages can be made; number 1: NotANumber in the filter 'times'."
        in result.stderr
    )
    assert facts(database)["status"] == "draft"


def test_start_warns_of_what_some_will_not_get(database: str, db: psycopg.Connection) -> None:
    bodies = "Dia {{ dia | date: '%d/%m' }}{{ apelido | default: '' }}"
    result = started_with(database, db, bodies, {"dia": "04/13/2024"}, {"dia": "03/04/2024"})

    assert result.stdout.startswith("Message 2, to +5511955500001:\n  Dia 03/04\n")
    assert result.stderr == (
        f"warning: nobody in campaign '{NAME}' has the variable apelido\n"
        "hint: Everybody gets what the text says without it\n"
        "warning: 1 of the first 2 messages cannot be made; number 1: NoSuchDate in the filter 'date'\n"
    )


def test_a_text_that_asks_for_too_much_makes_no_draft(database: str) -> None:
    slow = "{% for a in (1..9999) %}{{ (1..9999) | join: ',' | size }}{% endfor %}"
    for text, words in ((slow, "it takes more than 1 s of CPU time"), ("a" * 70_000, "70000 characters")):
        result = campaign(database, "create", NAME, "--channel", "sales", "--text-file", "-", text=text)

        assert result.returncode == 1
        assert words in result.stderr
    assert campaign(database, "show", NAME).returncode == 1


@pytest.mark.parametrize("name", [NAME, "  spaces around  ", "ação"])
def test_names_may_hold_spaces_brackets_and_accents(database: str, name: str) -> None:
    window = ("--window", "08:00-20:00")
    created = campaign(database, "create", name, "--channel", "sales", "--text", "Olá", *window)

    assert created.returncode == 0, created.stderr
    assert name.strip() in campaign(database, "list").stdout


def test_the_text_may_come_from_a_file_or_standard_input(
    database: str, db: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "may.txt"
    file.write_text("Olá {{ name }},\ntemos ofertas.\n", encoding="utf-8")

    campaign(database, "create", "from a file", "--channel", "sales", "--text-file", str(file))
    campaign(database, "create", "from a pipe", "--channel", "sales", "--text-file", "-", text="Olá\n")

    contents = db.execute(
        "select content ->> 'text', required_variables from retoma_internal.campaign_content order by 1"
    ).fetchall()
    assert contents == [("Olá", []), ("Olá {{ name }},\ntemos ofertas.", ["name"])]


IMAGE = {
    "kind": "image",
    "media": {"link": "https://example.com/{{ name }}.jpg"},
    "caption": "Olá {{ name }}",
}


def test_a_content_of_any_kind_comes_from_a_file(
    database: str, db: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "image.json"
    file.write_text(json.dumps(IMAGE), encoding="utf-8")

    created = campaign(database, "create", NAME, "--channel", "sales", "--content", str(file))
    people = [{"phone": "+5511955500001", "variables": {"name": "Ana"}}]
    db.execute("select retoma.add_recipients(%s, %s)", [NAME, Jsonb(people)])
    started = campaign(database, "start", NAME)

    assert created.returncode == 0, created.stderr
    stored = db.execute("select content, required_variables from retoma_internal.campaign_content").fetchone()
    assert stored == (IMAGE, ["name"])
    assert "  (image)\n  media.link: https://example.com/Ana.jpg\n  caption: Olá Ana\n" in started.stdout
    assert "still being checked: 1 messages" in started.stdout


def test_start_shows_the_first_message_of_each_variant(
    database: str, db: psycopg.Connection, tmp_path: Path
) -> None:
    texts = ["Olá {{ name }}", "Oi {{ name | upcase }}", "{{ name }}?"]
    file = tmp_path / "variants.json"
    file.write_text(
        json.dumps({"variants": [{"content": {"kind": "text", "text": text}} for text in texts]}),
        encoding="utf-8",
    )

    created = campaign(database, "create", NAME, "--channel", "sales", "--content", str(file))
    people = [{"phone": f"+551195550{n:04}", "variables": {"name": f"n{n}"}} for n in range(1, 61)]
    db.execute("select retoma.add_recipients(%s, %s)", [NAME, Jsonb(people)])
    started = campaign(database, "start", NAME)

    assert created.stdout.startswith(f"Created the draft {NAME} with 3 variants. Next")
    firsts = db.execute(
        "select distinct on (variant) variant, ordinal, phone from retoma.message_state order by 1, 2"
    ).fetchall()
    said = ("Olá n{}", "Oi N{}", "n{}?")
    assert started.stdout.splitlines()[:6] == [
        line
        for (variant, number, phone), text in zip(firsts, said, strict=True)
        for line in (
            f"Message {number}, to {phone} (variant {variant} of 3):",
            f"  {text.format(number)}",
        )
    ]


def test_a_refused_variant_is_named(database: str) -> None:
    texts = ["Olá", "Oi {{ name"]
    content = json.dumps({"variants": [{"content": {"kind": "text", "text": text}} for text in texts]})

    result = campaign(database, "create", NAME, "--channel", "sales", "--content", "-", text=content)

    assert result.returncode == 1
    assert "error: variant 2: the text is not valid Liquid" in result.stderr
    assert campaign(database, "show", NAME).returncode == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"kind": "image"}', "media is missing"),
        (
            '{"kind": "image", "media": {"link": "https://example.com/{{"}}',
            "the media.link is not valid Liquid",
        ),
        ('{"kind": "image",', "is not JSON: line 1"),
        ("[]", "a content is a JSON object"),
    ],
)
def test_a_content_that_cannot_be_sent_makes_no_draft(database: str, content: str, words: str) -> None:
    result = campaign(database, "create", NAME, "--channel", "sales", "--content", "-", text=content)

    assert result.returncode == 1
    assert words in result.stderr
    assert campaign(database, "show", NAME).returncode == 1


@pytest.mark.parametrize("text", ["Olá {{ name", "{% if a %}", "{% nonsense %}"])
def test_a_text_that_is_no_liquid_is_refused(database: str, text: str) -> None:
    result = campaign(database, "create", NAME, "--channel", "sales", "--text", text)

    assert result.returncode == 1
    assert "error: the text is not valid Liquid" in result.stderr
    assert campaign(database, "show", NAME).returncode == 1


def test_a_refused_rule_leaves_no_campaign_behind(database: str) -> None:
    result = campaign(database, *CREATE, "--window", "18:00-18:00")

    assert result.returncode == 1
    assert "is not a window" in result.stderr
    assert campaign(database, "show", NAME).returncode == 1


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--text", "a", "--text-file", "-"),
        ("--text", "a", "--content", "-"),
        ("--text", "a", "--window", "9-18"),
        ("--text", "a", "--window", "09:00-18:00/5-1"),
        ("--text", "a", "--window", "09:00-25:00"),
        ("--text", "a", "--window", "09:00-24:01"),
        ("--text", "a", "--at", "tomorrow"),
        ("--text", "a", "--limit", "0/day"),
    ],
)
def test_wrong_usage_exits_2(database: str, options: tuple[str, ...]) -> None:
    assert campaign(database, "create", NAME, "--channel", "sales", *options).returncode == 2


def test_start_pause_resume_and_cancel(database: str, db: psycopg.Connection) -> None:
    draft(database, db)

    def status(command: str) -> str:
        result = campaign(database, command, NAME, "--json")
        assert result.returncode == 0, result.stderr
        found: str = json.loads(result.stdout)["status"]
        return found

    commands = ("start", "pause", "resume", "cancel")
    assert [status(c) for c in commands] == ["running", "paused", "running", "cancelled"]
    refused = campaign(database, "resume", NAME)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: cannot resume campaign '{NAME}': it is cancelled\nhint: ")


def test_start_says_when_no_runner_is_there_to_send(database: str, db: psycopg.Connection) -> None:
    draft(database, db)

    result = campaign(database, "start", NAME)

    assert f"{NAME}: interrupted\n" in result.stdout
    assert 'because: no runner is alive: start one with "retoma runner"' in result.stdout
    assert "Start a runner: retoma runner" in campaign(database, "show", NAME).stdout


def test_start_can_wait(database: str, db: psycopg.Connection) -> None:
    draft(database, db)

    result = campaign(database, "start", NAME, "--at", "2050-05-31T09:00")

    assert f"{NAME}: scheduled, for 2050-05-31 09:00:00 " in result.stdout


def test_start_refuses_a_campaign_without_recipients(database: str) -> None:
    campaign(database, "create", NAME, "--channel", "sales", "--text", "Olá")

    result = campaign(database, "start", NAME)

    assert result.returncode == 1
    assert result.stderr.startswith(f"error: campaign '{NAME}' has no recipients\nhint: ")


def test_list_shows_the_oldest_first(database: str, db: psycopg.Connection) -> None:
    for name in ("spring", "autumn"):
        db.execute("select retoma.create_campaign(%s, 'sales', 'Hi')", [name])
    # Now the row of the older one is the younger row.
    db.execute("select retoma.cancel_campaign('spring')")

    listed = json.loads(campaign(database, "list", "--json").stdout)

    assert [row["campaign"] for row in listed] == ["spring", "autumn"]


def test_list_filters_by_status(database: str, db: psycopg.Connection) -> None:
    draft(database, db)
    campaign(database, "create", "other", "--channel", "sales", "--text", "Olá")
    campaign(database, "cancel", "other")

    listed = json.loads(campaign(database, "list", "--status", "draft", "--json").stdout)
    table = campaign(database, "list").stdout

    assert [(row["campaign"], row["total"]) for row in listed] == [(NAME, 3)]
    assert [line.split("  ")[0] for line in table.splitlines()] == ["campaign", NAME, "other"]


def test_resolve_settles_what_is_in_doubt(database: str, db: psycopg.Connection) -> None:
    with_a_message_in_doubt(database, db)
    assert facts(database)["in_doubt"] == 1

    other_number = campaign(database, "resolve", NAME, "--as", "sent", "--phone", "+5511955509999")
    result = campaign(database, "resolve", NAME, "--as", "sent")

    assert other_number.stdout == f"{NAME}: there were no such messages\n"
    assert result.stdout == f"{NAME}: 1 message sent\n"
    assert (facts(database)["in_doubt"], facts(database)["sent"]) == (0, 1)


def test_resending_asks_first(database: str, db: psycopg.Connection) -> None:
    with_a_message_in_doubt(database, db)

    refused = campaign(database, "resolve", NAME, "--as", "resend", text="n\n")
    assert refused.returncode == 1
    assert "get it twice" in refused.stderr
    assert facts(database)["in_doubt"] == 1

    assert (
        campaign(database, "resolve", NAME, "--as", "resend", "--yes").stdout
        == f"{NAME}: 1 message queued again\n"
    )
    assert (facts(database)["in_doubt"], facts(database)["pending"]) == (0, 1)


def test_retry_failed_takes_the_codes_that_it_is_given(database: str, db: psycopg.Connection) -> None:
    with_a_message_in_doubt(database, db)
    campaign(database, "resolve", NAME, "--as", "failed")

    other = campaign(database, "retry-failed", NAME, "--code", "http_400", "--json")
    result = campaign(database, "retry-failed", NAME, "--json")

    assert json.loads(other.stdout)["messages"] == 0
    assert json.loads(result.stdout) == {"campaign": NAME, "messages": 1, "now": "queued again"}
    assert facts(database)["pending"] == 1


def test_forecast(database: str, db: psycopg.Connection) -> None:
    draft(database, db)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"rate_per_s\": 2}')")

    forecast = json.loads(campaign(database, "forecast", NAME, "--json").stdout)

    assert (forecast["messages_left"], forecast["messages_per_hour"]) == (3, 7200)


@pytest.mark.parametrize(
    "command", [("start",), ("pause",), ("show",), ("forecast",), ("resolve", "--as", "sent")]
)
def test_an_unknown_campaign_exits_1(database: str, command: tuple[str, ...]) -> None:
    result = campaign(database, *command, "none")

    assert result.returncode == 1
    assert "there is no campaign 'none'" in result.stderr.lower()
    assert "\nhint: " in result.stderr


def test_a_refusal_does_not_repeat_a_huge_name(database: str) -> None:
    result = campaign(database, "show", "x" * 20_000)

    assert (result.returncode, len(result.stderr) < 500) == (1, True)
