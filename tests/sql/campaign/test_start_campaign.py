"""start_campaign: freezes the audience, cuts it into batches, sets it going."""

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    doorbells,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    refused,
    send_all,
    set_clock,
    silence,
    status,
    tick,
)


def start(db: Db, at: str | None = None) -> str:
    return str(call(db, "select retoma.start_campaign('natal', %s::timestamptz)", at))


def test_a_started_campaign_runs_in_batches_of_its_size(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=7, batch_size=3, start=False)
    make_runner(db)

    assert start(db) == "running"

    assert status(db) == "running"
    assert books(db) == {"pending": 7}
    assert [
        row[0] for row in db.execute("select size from retoma.campaign_batch_details order by number")
    ] == [3, 3, 1]


def test_batches_are_leased_in_the_order_of_the_list(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=7, batch_size=3)

    assert send_all(db, make_runner(db), channel) == [1, 2, 3, 4, 5, 6, 7]


def test_the_start_rings_each_usable_channel_once(db: Db) -> None:
    sales, support, idle = (make_channel(db, name) for name in ("sales", "support", "idle"))
    for name in ("broken", "halted"):
        make_channel(db, name)
    db.execute("select retoma.channel_disconnected('broken')")
    db.execute("select retoma.pause_channel('halted')")

    make_campaign(db, size=900, batch_size=10, channels=["sales", "support", "broken", "halted"])

    assert idle not in doorbells(db)
    assert doorbells(db) == [sales, support]


def test_with_no_channel_connected_it_is_interrupted_from_the_start_and_says_why(db: Db) -> None:
    make_channel(db)
    make_campaign(db, start=False)
    make_runner(db)
    db.execute("select retoma.channel_disconnected('sales', 'logged out')")

    assert start(db) == "interrupted"

    assert call(db, "select reason from retoma.v_interrupted_campaigns") == (
        "channel sales is disconnected: logged out"
    )
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "running"


def test_a_start_in_the_future_waits_for_the_clock(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, start=False)
    runner = make_runner(db)
    set_clock(db, "2026-03-02 08:00 UTC")

    assert start(db, "2026-03-02 09:00 UTC") == "scheduled"

    tick(db)
    assert lease(db, runner, channel) is None
    assert doorbells(db) == []
    set_clock(db, "2026-03-02 09:00 UTC")
    assert tick(db)["started"] == 1
    assert status(db) == "running"
    assert doorbells(db) == [channel]


def test_the_start_of_create_campaign_is_kept(db: Db) -> None:
    make_channel(db)
    set_clock(db, "2026-03-02 08:00 UTC")

    make_campaign(db, starts_at="2026-03-02 09:00 UTC")

    assert status(db) == "scheduled"


def test_a_scheduled_campaign_whose_channel_is_away_at_its_time_is_interrupted(db: Db) -> None:
    make_channel(db)
    make_runner(db)
    set_clock(db, "2026-03-02 08:00 UTC")
    make_campaign(db, starts_at="2026-03-02 09:00 UTC")
    db.execute("select retoma.channel_disconnected('sales')")
    set_clock(db, "2026-03-02 09:00 UTC")

    tick(db)

    assert status(db) == "interrupted"
    db.execute("select retoma.channel_connected('sales')")
    assert status(db) == "running"


def test_a_scheduled_campaign_starts_at_once_when_told_so(db: Db) -> None:
    channel = make_channel(db)
    set_clock(db, "2026-03-02 08:00 UTC")
    make_campaign(db, starts_at="2026-03-02 09:00 UTC")
    silence(db)

    assert start(db) == "running"

    assert doorbells(db) == [channel]
    assert call(db, "select count(*) from retoma_internal.batch") == 1


def test_an_empty_audience_is_refused(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=0, start=False)
    with refused(db, "RT005", "has no recipients"):
        start(db)


def test_a_recipient_without_a_required_variable_is_found_before_the_start(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=2, text="Olá {{ name }} de {{ city }}", start=False)
    with refused(db, "RT005", "2 recipients of campaign 'natal' lack one of the variables city, name"):
        start(db)


def with_variables(db: Db, text: str, *variables: dict[str, str]) -> None:
    """A draft whose recipients have these variables."""
    make_channel(db)
    make_campaign(db, size=0, text=text, start=False)
    people = [{"phone": phone(number), "variables": taken} for number, taken in enumerate(variables, 1)]
    db.execute("select retoma.add_recipients('natal', %s)", (Jsonb(people),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Oi {{ Nome }}", "(the first is number 1); in the list it is nome, not Nome"),
        ("Oi {{ ['Primeiro Nome'] }}", "in the list it is primeiro_nome, not Primeiro Nome"),
        ("Oi {{ Índice }} {{ Nome }}", "in the list it is nome, not Nome; indice, not Índice"),
        ("Oi {{ Nome | default: 'amigo' }}", "another name in the list: nome, not Nome"),
        (
            "{% if primeiro-nome == 'Ana' %}Oi{% endif %}",
            "another name in the list: primeiro_nome, not primeiro-nome",
        ),
    ],
)
def test_the_name_of_a_variable_that_is_almost_right_is_said_before_the_start(
    db: Db, text: str, words: str
) -> None:
    people = {"nome": "Ana", "primeiro_nome": "Ana", "indice": "1"}
    with_variables(db, text, people, people)

    with refused(db, "RT005", words):
        start(db)


def test_a_variable_that_somebody_has_is_no_other_spelling(db: Db) -> None:
    with_variables(db, "Oi {{ Nome | default: 'amigo' }}", {"nome": "Ana"}, {"nome": "Bia", "Nome": "Bia"})

    assert start(db) == "running"


def test_a_variable_that_nobody_has_is_said_at_the_start(db: Db) -> None:
    with_variables(
        db, "Oi {{ apelido | default: 'amigo' }}{% if loja == 'x' %}!{% endif %} {{ nome | default: '' }}",
        {"nome": "Ana", "loja": ""}, {"cidade": "Recife"},
    )  # fmt: skip
    said: list[tuple[str | None, str | None]] = []
    db.add_notice_handler(lambda notice: said.append((notice.severity, notice.message_primary)))

    assert start(db) == "running"

    assert said == [
        ("WARNING", "nobody in campaign 'natal' has the variable apelido, nor loja"),
        ("NOTICE", "runners are still checking 2 messages of campaign 'natal'"),
    ]


def test_an_empty_variable_is_as_good_as_none(db: Db) -> None:
    make_channel(db)
    make_campaign(db, size=0, text="Olá {{ name }}", start=False)
    recipients = f'[{{"phone": "{phone(1)}", "variables": {{"name": ""}}}}]'
    db.execute("select retoma.add_recipients('natal', %s::jsonb)", (recipients,))
    with refused(db, "RT005", "the first is number 1"):
        start(db)


def test_windows_need_the_time_zone_of_every_recipient(db: Db) -> None:
    make_channel(db)
    make_campaign(db, zones={1: "America/Sao_Paulo", 2: "America/Sao_Paulo"}, start=False)
    db.execute("select retoma.add_window('natal', '09:00', '18:00')")
    with refused(db, "RT005", "time zone of some recipients is not known"):
        start(db)

    db.execute("update retoma_internal.campaign set time_zone = 'America/Sao_Paulo'")
    assert start(db) == "running"


@pytest.mark.parametrize("function", ["running", "paused", "interrupted", "completed", "cancelled"])
def test_a_campaign_that_has_started_is_not_started_again(db: Db, function: str) -> None:
    channel = make_channel(db)
    make_campaign(db)
    match function:
        case "paused":
            db.execute("select retoma.pause_campaign('natal')")
        case "interrupted":
            db.execute("select retoma.channel_disconnected('sales')")
        case "completed":
            send_all(db, make_runner(db), channel)
        case "cancelled":
            db.execute("select retoma.cancel_campaign('natal')")
    with refused(db, "RT002", f"it is {function}"):
        start(db)


def test_an_unknown_campaign_is_refused(db: Db) -> None:
    for statement in (
        "select retoma.start_campaign('pascoa')",
        "select retoma.start_campaign(null)",
        "select retoma.pause_campaign('pascoa')",
        "select retoma.resume_campaign('pascoa')",
        "select retoma.cancel_campaign('pascoa')",
        "select retoma.retry_failed('pascoa')",
        "select retoma.resolve_in_doubt('pascoa', 'sent')",
        "select retoma.add_window('pascoa', '09:00', '10:00')",
        "select retoma.remove_window('pascoa', '09:00', '10:00')",
        "select retoma.set_limit('campaign', 'pascoa', 1)",
        "select retoma.forecast('pascoa')",
    ):
        with refused(db, "RT001", "there is no campaign"):
            db.execute(statement)


def test_a_campaign_completes_with_its_last_batch(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=4, batch_size=2)
    runner = make_runner(db)
    for batch in (1, 2):
        leased = must_lease(db, runner, channel)
        ordinals = advance(db, leased, want=2).ordinals
        assert status(db) == "running"
        step = advance(db, leased, [{"ordinal": n, "status": "accepted"} for n in ordinals])
        assert step.action == "completed"
        assert status(db) == ("running" if batch == 1 else "completed")

    assert books(db) == {"sent": 4}
    assert call(db, "select progress_percent from retoma.v_campaign_summary") == 100
    assert call(db, "select finished_at is not null from retoma.v_campaign_summary")
