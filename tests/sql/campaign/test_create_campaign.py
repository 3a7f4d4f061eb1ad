"""create_campaign: a draft with a text, channels and an empty audience."""

from typing import Any

import pytest

from tests.support.campaigns import Db, call, make_campaign, make_channel, refused


def test_a_new_campaign_is_an_empty_draft(db: Db) -> None:
    make_channel(db)

    db.execute("select retoma.create_campaign('natal', 'sales', 'Olá {{ name }}')")

    shown = db.execute("select campaign, status, channels, total, batches from retoma.v_campaign_summary")
    assert shown.fetchall() == [("natal", "draft", ["sales"], 0, 0)]
    assert call(db, "select batch_size from retoma_internal.campaign") == 300


def test_several_channels_share_a_campaign_each_once(db: Db) -> None:
    make_channel(db, "sales")
    make_channel(db, "support")

    db.execute("select retoma.create_campaign('natal', array['support', 'sales', 'support'], 'Olá')")

    assert call(db, "select channels from retoma.v_campaign_summary") == ["sales", "support"]


def test_the_name_is_trimmed(db: Db) -> None:
    make_channel(db)

    db.execute("select retoma.create_campaign('  natal ', 'sales', 'Olá')")

    assert call(db, "select campaign from retoma.v_campaign_summary") == "natal"


def test_required_variables_are_those_that_the_text_cannot_do_without(
    db: Db, subtests: pytest.Subtests
) -> None:
    make_channel(db)
    cases: list[tuple[str, list[str]]] = [
        ("Olá", []),
        ("Olá {{ name }}, {{city}} {{- name }}", ["city", "name"]),
        ('Olá {{ name | default: "amigo" }}', []),
        ("{{ name | upcase }}", ["name"]),
        ("{% assign greeting = 'Oi' %}{{ greeting }} {{ name }}", ["name"]),
        ("{{ phone }}", []),
    ]
    for text, variables in cases:
        with subtests.test(text=text):
            created = make_campaign(db, name=text, size=0, text=text, start=False)

            query = "select required_variables from retoma_internal.campaign where id = %s"
            assert call(db, query, created) == variables


def test_an_unknown_channel_is_refused(db: Db) -> None:
    make_channel(db)
    with refused(db, "RT001", "there is no channel 'suport'"):
        db.execute("select retoma.create_campaign('natal', array['sales', 'suport'], 'Olá')")


def test_a_campaign_without_a_channel_is_refused(db: Db) -> None:
    with refused(db, "RT003", "at least one channel"):
        db.execute("select retoma.create_campaign('natal', array[]::text[], 'Olá')")


def test_a_name_that_is_taken_is_refused(db: Db) -> None:
    make_channel(db)
    make_campaign(db, start=False)
    with refused(db, "RT004", "natal"):
        db.execute("select retoma.create_campaign('natal', 'sales', 'Olá')")


def test_a_text_that_could_not_be_sent_is_refused(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    cases: list[str | None] = [None, "", "  ", "Olá {{ name", "Olá name }}", "{% if x }{{ y }}"]
    for text in cases:
        with subtests.test(text=text), refused(db, "RT003"):
            db.execute("select retoma.create_campaign('natal', array['sales'], %s)", (text,))


def test_values_that_do_not_fit_are_refused(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    cases: list[dict[str, Any]] = [
        {"name": "x" * 201},
        {"name": ""},
        {"name": None},
        {"name": "two\nlines"},
        {"batch_size": 0},
        {"batch_size": 10_001},
        {"max_attempts": 0},
        {"max_attempts": 40_000},
        {"time_zone": "America/Sao_Paolo"},
    ]
    for options in cases:
        with subtests.test(options=options), refused(db, "RT003"):
            make_campaign(db, size=0, start=False, **options)
