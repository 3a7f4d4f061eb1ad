"""create_campaign: a draft with a text, channels and an empty audience."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, make_campaign, make_channel, refused
from tests.support.contents import text


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


def test_a_content_may_be_given_as_json(db: Db) -> None:
    make_channel(db)

    db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(text("Olá")),))

    assert call(db, "select content from retoma_internal.campaign_content") == text("Olá")


def test_a_text_is_a_content_of_the_kind_text(db: Db) -> None:
    make_channel(db)

    db.execute("select retoma.create_campaign('natal', 'sales', 'Olá')")

    assert call(db, "select content from retoma_internal.campaign_content") == text("Olá")


def test_either_a_text_or_a_content_is_given(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    for words, content in [(None, None), ("Olá", Jsonb(text("Olá")))]:
        with subtests.test(text=words), refused(db, "RT003", "either a text or a content"):
            db.execute(
                "select retoma.create_campaign('natal', 'sales', %s, p_content => %s)", (words, content)
            )


def test_values_that_do_not_fit_are_refused(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": "x" * 201}, "is not a name for a campaign"),
        ({"name": ""}, "'' is not a name for a campaign"),
        ({"name": None}, "null is not a name for a campaign"),
        ({"name": "two\nlines"}, "is not a name for a campaign"),
        ({"batch_size": 0}, "a batch cannot have 0 messages"),
        ({"batch_size": 10_001}, "a batch cannot have 10001 messages"),
        ({"max_attempts": 0}, "a message cannot be tried 0 times"),
        ({"max_attempts": 40_000}, "a message cannot be tried 40000 times"),
        ({"time_zone": "America/Sao_Paolo"}, "America/Sao_Paolo"),
    ]
    for options, words in cases:
        with subtests.test(options=options), refused(db, "RT003", words):
            make_campaign(db, size=0, start=False, **options)
