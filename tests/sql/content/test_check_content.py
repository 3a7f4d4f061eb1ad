"""check_content: what SQL refuses of a content when its campaign is created."""

import sys

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, make_campaign, make_channel, refused
from tests.support.contents import text

LONGEST = 65_536


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "a content is a JSON object, not array"),
        ("Olá", "a content is a JSON object, not string"),
        (None, "a content is a JSON object, not null"),
        ({}, "the content has no kind"),
        ({"kind": None, "text": "Olá"}, "the content has no kind"),
        ({"kind": "card", "text": "Olá"}, "the channels sales cannot send content of the kind 'card'"),
        ({"kind": ["text"], "text": "Olá"}, "the channels sales cannot send content of the kind"),
        ({"kind": "text", "text": "Olá", "url": "x", "body": "y"}, "has no field body, url"),
        ({"kind": "text"}, "the text of a campaign cannot be empty"),
        ({"kind": "text", "text": None}, "the text of a campaign cannot be empty"),
        ({"kind": "text", "text": 5}, "the text of the content is not a text"),
        ({"kind": "text", "text": {"pt": "Olá"}}, "the text of the content is not a text"),
        (text("á" * (LONGEST + 1)), "the text has 65537 characters, but at most 65536 are allowed"),
    ],
)
def test_a_content_that_could_never_be_sent_is_refused(db: Db, content: object, words: str) -> None:
    make_channel(db)
    with refused(db, "RT003", words):
        db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(content),))


def test_a_text_of_nothing_but_blanks_is_refused(db: Db) -> None:
    make_channel(db)
    blanks = [chr(c) for c in range(1, sys.maxunicode) if chr(c).isspace()]
    for words in ["", *blanks, "".join(blanks)]:
        with pytest.raises(Exception, match="cannot be empty"):
            db.execute("select retoma.create_campaign('natal', 'sales', %s)", (words,))


def test_the_longest_text_is_taken(db: Db) -> None:
    make_channel(db)

    make_campaign(db, text="á" * LONGEST, checked=False)

    assert call(db, "select required_variables from retoma_internal.campaign_content") == []


def test_a_content_never_changes(db: Db) -> None:
    make_channel(db)
    make_campaign(db, start=False)
    with refused(db, "RT002", "the content of campaign 1 is fixed"):
        db.execute("update retoma_internal.campaign_content set content = %s", (Jsonb(text("Oi")),))
