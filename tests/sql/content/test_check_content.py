"""check_content: what SQL refuses of a content when its campaign is created."""

import sys

import psycopg
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
        ({"kind": "text"}, "text is missing"),
        ({"kind": "text", "text": None}, "text is not a text"),
        ({"kind": "text", "text": 5}, "text is not a text"),
        ({"kind": "text", "text": {"pt": "Olá"}}, "has no field text.pt"),
        (text("á" * (LONGEST + 1)), "text has 65537 characters, at most 65536"),
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


LINK = {"link": "https://example.com/a.jpg"}

CONTENTS: list[dict[str, object]] = [
    text("Olá {{ name }}"),
    {"kind": "image", "media": LINK},
    {"kind": "image", "media": {"link": "{{ photo }}"}, "caption": "Olá {{ name }}"},
    {"kind": "video", "media": LINK, "caption": "Olá"},
    {"kind": "document", "media": LINK, "filename": "boleto-{{ name }}.pdf", "caption": "Olá"},
    {"kind": "audio", "media": LINK, "voice": True},
    {"kind": "template", "name": "hello_world", "language": "pt_BR"},
    {
        "kind": "template", "name": "order", "language": "pt_BR",
        "header": {"document": LINK, "filename": "nota.pdf"},
        "body": ["{{ name }}", "R$ {{ price }}"],
        "buttons": [
            {"index": 0, "url": "{{ code }}"}, {"index": 1, "payload": "stop"}, {"index": 3, "coupon": "X"},
        ],
    },
    {
        "kind": "template", "name": "order", "language": "pt_BR",
        "header": {"text": "{{ name }}", "parameter": "customer"},
        "body": {"customer": "{{ name }}", "header.text": "a free name"},
        "buttons": [
            {"index": 0, "flow": {"token": "t", "data": {"screen": {"name": "{{ name }}", "n": [1, ""]}}}},
        ],
    },
    {
        "kind": "template", "name": "offer", "language": "pt_BR",
        "header": {"location": {"latitude": "-23.5", "longitude": "{{ longitude }}", "name": "Loja"}},
        "offer": {"expires_at": "2030-05-31T18:00:00-03:00"},
    },
    {
        "kind": "template", "name": "carousel", "language": "pt_BR", "body": ["{{ name }}"],
        "cards": [
            {"header": {"image": LINK}, "body": ["A"], "buttons": [{"index": 0, "payload": "a"}]},
            {"header": {"video": LINK}, "buttons": [{"index": 0, "payload": "b"}]},
        ],
    },
    {
        "kind": "buttons", "text": "Vem?", "header": {"image": LINK}, "footer": "Loja",
        "buttons": [{"id": "yes", "title": "Sim"}, {"id": "no", "title": "Não"}],
    },
    {
        "kind": "list", "text": "Qual?", "button": "Ver", "header": {"text": "Loja"},
        "sections": [{"title": "Hoje", "rows": [{"id": "1", "title": "Manhã", "description": "até 12h"}]}],
    },
    {"kind": "cta_url", "text": "Veja", "button": "Abrir", "url": "https://example.com/{{ name }}"},
    {"kind": "poll", "question": "Qual?", "options": ["A", "B"], "multiple": True},
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: str(content["kind"]))
def test_each_kind_is_taken_as_it_is_written(db: Db, content: dict[str, object]) -> None:
    make_channel(db)

    db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(content),))

    assert call(db, "select (retoma.campaign_content('natal')).content") == content


def changed(kind: str, place: int = 0, **fields: object) -> dict[str, object]:
    """One of CONTENTS with other fields; None takes one away."""
    found = [content for content in CONTENTS if content["kind"] == kind][place]
    return {name: value for name, value in (found | fields).items() if value is not None}


@pytest.mark.parametrize(
    ("content", "key", "words"),
    [
        (changed("image", media=None), "bad_field", "media is missing"),
        (changed("image", media={}), "bad_field", "media needs exactly one of: file, link"),
        (changed("image", media=LINK | {"file": "a"}), "bad_field", "media needs exactly one of: file, link"),
        (
            changed("image", media={"link": "a.jpg"}),
            "bad_text",
            "media.link is not an address of http or https",
        ),
        (changed("image", media="https://x"), "bad_field", "media is not an object"),
        (changed("image", caption=" \t"), "empty_text", "the caption of a campaign cannot be empty"),
        (changed("document", filename=None), "bad_field", "filename is missing"),
        (changed("document", filename="a\nb"), "bad_text", "filename has a line break, a tab"),
        (changed("audio", voice="yes"), "bad_field", "voice is neither true nor false"),
        (changed("audio", caption="Olá"), "unknown_key", "a content of the kind audio has no field caption"),
        (changed("template", name="{{ name }}"), "bad_text", "name is blank, has braces"),
        (changed("template", body=[]), "bad_field", "body is not a list, or has nothing in it"),
        (
            changed("template", body=["a", "x     y"]),
            "bad_text",
            "body[1] has a line break, a tab, or more than 4",
        ),
        (
            changed("template", body={"a": "x\ty"}),
            "bad_text",
            "body.a has a line break, a tab, or more than 4",
        ),
        (
            changed("template", header={"text": "a", "image": LINK}),
            "bad_field",
            "header needs exactly one of: docum",
        ),
        (
            changed("template", header={"image": LINK, "filename": "a"}),
            "bad_field",
            "header.filename stands only besi",
        ),
        (
            changed("template", buttons=[{"index": 0}]),
            "bad_field",
            "buttons[0] needs exactly one of: coupon, flow, pa",
        ),
        (changed("template", buttons=[{"url": "a"}]), "bad_field", "buttons[0].index is missing"),
        (
            changed("template", buttons=[{"index": 1, "url": "a"}, {"index": 1, "payload": "b"}]),
            "bad_field",
            "buttons[1].index has the same value",
        ),
        (
            changed("template", buttons=[{"index": -1, "url": "a"}]),
            "bad_field",
            "index is not a whole number from 0",
        ),
        (
            changed("template", offer={"expires_at": "tomorrow"}),
            "bad_text",
            "offer.expires_at is not a time like",
        ),
        (
            changed("template", header={"location": {"latitude": "north", "longitude": "1"}}),
            "bad_text",
            "header.location.latitude is not a number",
        ),
        (changed("template", cards=[{"body": ["a"]}]), "bad_field", "cards[0].header is missing"),
        (changed("template") | {"header.text": "a"}, "unknown_key", "has no field header.text"),
        (
            changed("buttons", buttons=[{"id": "a", "title": "A", "url": "b"}]),
            "unknown_key",
            "field buttons[0].url",
        ),
        (
            changed("buttons", buttons=[{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]),
            "bad_field",
            "buttons[1].id has the same value as another one",
        ),
        (
            changed("list", sections=[{"rows": []}]),
            "bad_field",
            "sections[0].rows is not a list, or has nothing",
        ),
        (changed("cta_url", url="ftp://x"), "bad_text", "url is not an address of http or https"),
        (changed("poll", options=["A", 5]), "bad_field", "options[1] is not a text"),
        (changed("poll", options={"a": "A"}), "unknown_key", "has no field options.a"),
    ],
)
def test_a_content_of_another_shape_is_refused(
    db: Db, content: dict[str, object], key: str, words: str
) -> None:
    make_channel(db)
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(content),))
    diagnosis = caught.value.diag
    assert (diagnosis.sqlstate, diagnosis.constraint_name) == ("RT003", key), caught.value
    assert words in (diagnosis.message_primary or "")
    assert diagnosis.message_hint


LIMITS: list[tuple[str, str, int, dict[str, object], str]] = [
    ("image", "caption", 10, changed("image", caption="á" * 11), "caption has 11 characters, at most 10"),
    ("buttons", "buttons", 1, changed("buttons"), "buttons has 2 elements, at most 1"),
    ("buttons", "buttons[].title", 2, changed("buttons"), "buttons[0].title has 3 characters, at most 2"),
    ("template", "body[]", 3, changed("template", 1, body=["long"]), "body[0] has 4 characters, at most 3"),
    (
        "list", "rows", 2,
        changed("list", sections=[{"rows": [{"id": f"{s}{r}", "title": "T"} for r in "ab"]} for s in "ab"]),
        "rows in all has 4 elements, at most 2",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: case[1])
def test_what_is_more_than_a_transport_takes_is_refused(
    db: Db, case: tuple[str, str, int, dict[str, object], str]
) -> None:
    kind, field, maximum, content, words = case
    make_channel(db)
    statement = "select retoma.create_campaign('natal', 'sales', p_content => %s)"
    db.execute("insert into retoma.content_limit values ('webhook', %s, %s, %s, '')", (kind, field, maximum))
    with db.transaction(force_rollback=True):
        db.execute(statement, (Jsonb(content),))  # it is a limit of another transport

    db.execute("update retoma.content_limit set transport = 'null' where transport = 'webhook'")

    with refused(db, "RT003", words):
        db.execute(statement, (Jsonb(content),))


def test_the_lowest_limit_of_the_channels_holds_for_what_is_rendered_too(db: Db) -> None:
    make_channel(db)
    make_channel(db, "support", "webhook", {"url": "http://127.0.0.1:1"})
    db.execute("insert into retoma.content_limit values ('webhook', 'text', 'text', 50, '')")
    db.execute("insert into retoma.content_limit values ('null', 'text', 'text', 40, '')")

    db.execute(
        "select retoma.create_campaign('natal', array['sales', 'support'], p_content => %s)",
        (Jsonb(text("Olá {{ name }}" + " " * 60)),),
    )

    assert call(db, "select (retoma.campaign_content('natal')).texts") == [
        {"path": ["text"], "place": "text", "maximum": 40, "required": True}
    ]


def test_the_texts_of_a_content_say_where_they_are_and_what_they_must_be(db: Db) -> None:
    make_channel(db)
    content = changed("template", 2)
    db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(content),))

    texts = call(db, "select (retoma.campaign_content('natal')).texts")

    assert [text["path"] for text in texts] == [
        ["body", "customer"],
        ["body", "header.text"],
        ["buttons", 0, "flow", "data", "screen", "n", 1],
        ["buttons", 0, "flow", "data", "screen", "name"],
        ["buttons", 0, "flow", "token"],
        ["header", "text"],
    ]
    assert [text.get("required") for text in texts] == [True, True, None, None, None, True]
    assert [text.get("free") for text in texts] == [None, None, True, True, None, None]
    assert texts[0]["words"] == "has a line break, a tab, or more than 4 blanks in a row"


@pytest.mark.parametrize(
    ("content", "has_liquid"),
    [
        (changed("poll"), False),
        (changed("template"), False),
        (changed("buttons"), False),
        (changed("template", 2), True),
    ],
)
def test_a_content_without_a_brace_in_a_text_needs_no_check(
    db: Db, content: dict[str, object], has_liquid: bool
) -> None:
    make_channel(db)
    db.execute("select retoma.create_campaign('natal', 'sales', p_content => %s)", (Jsonb(content),))

    assert call(db, "select count(*) from retoma.contents_to_check()") == has_liquid


def test_a_kind_that_one_channel_cannot_send_is_refused(db: Db) -> None:
    make_channel(db)
    db.execute("delete from retoma.transport_kind where (transport, kind) = ('webhook', 'poll')")
    make_channel(db, "support", "webhook", {"url": "http://127.0.0.1:1"})
    with refused(db, "RT003", "the channels support cannot send content of the kind 'poll'"):
        db.execute(
            "select retoma.create_campaign('natal', '{sales,support}'::text[], p_content => %s)",
            (Jsonb(changed("poll")),),
        )


def test_each_limit_is_one_of_a_field(db: Db) -> None:
    """A limit of a field that no content has would be silent."""
    odd = db.execute(
        "select l.* from retoma.content_limit as l where not exists ("
        " select from retoma_internal.content_field as f where f.kind = l.kind"
        " and (f.field = l.field or f.field like '%.' || l.field || '[]'))"
    ).fetchall()
    assert odd == []


def test_the_view_says_what_each_transport_sends(db: Db) -> None:
    db.execute("insert into retoma.content_limit values ('webhook', 'poll', 'options', 12, 'a test')")

    shown = (
        "select field, maximum, dedupes_when, note from retoma.content_kinds"
        " where transport = %s and kind = %s"
    )

    assert db.execute(shown, ("webhook", "poll")).fetchall() == [
        ("options", 12, [{"idempotent": True}], "a test")
    ]
    assert db.execute(shown, ("null", "text")).fetchall() == [(None, None, [], "words")]
