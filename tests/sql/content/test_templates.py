"""A campaign starts only with a template that its provider has approved, and stops when it no longer is."""

import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    doorbells,
    lease,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    refused,
    silence,
)

SETTINGS = {"base_url": "https://graph.example", "phone_number_id": "104", "access_token": "t"}
AVISO = {
    "name": "aviso",
    "language": "pt_BR",
    "status": "APPROVED",
    "category": "UTILITY",
    "quality": "GREEN",
    "named": False,
    "components": [{"type": "BODY", "text": "Olá {{1}}, chega {{2}}."}, {"type": "FOOTER", "text": "Loja"}],
}
CONTENT = {"kind": "template", "name": "aviso", "language": "pt_BR", "body": ["Ana", "amanhã"]}
STATUS = "select status from retoma_internal.campaign where name = 'entrega'"


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db, transport="whatsapp_cloud", settings=SETTINGS)


def read(db: Db, *templates: dict[str, Any]) -> None:
    """A runner reads the templates of the one channel that is due."""
    turn = db.execute("select channel_id, asked_at from retoma.readings_due('templates')").fetchone()
    assert turn is not None
    db.execute("select retoma.record_templates(%s, %s, %s)", (*turn, Jsonb(list(templates))))


def report(db: Db, **changes: object) -> None:
    reports = [{"name": "aviso", "language": "pt_BR", **changes}]
    db.execute("select retoma.record_template_reports('sales', %s)", [Jsonb(reports)])


def draft(db: Db, content: dict[str, Any], name: str = "entrega") -> None:
    db.execute("select retoma.create_campaign(%s, 'sales', p_content => %s)", [name, Jsonb(content)])
    db.execute("select retoma.add_recipients(%s, %s)", [name, Jsonb([{"phone": "+5511955501234"}])])


def start(db: Db, name: str = "entrega") -> Any:
    return call(db, "select retoma.start_campaign(%s)", name)


@pytest.mark.usefixtures("channel")
def test_an_approved_template_starts(db: Db) -> None:
    read(db, AVISO)
    draft(db, CONTENT)

    assert start(db) == "running"
    assert db.execute(
        "select channel, template, language, status, category, quality, variables, fault"
        " from retoma.v_template"
    ).fetchall() == [("sales", "aviso", "pt_BR", "APPROVED", "UTILITY", "GREEN", "positional", None)]


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ([], "template aviso (pt_BR) does not exist"),
        ([{**AVISO, "language": "pt_PT"}], "does not exist, only in pt_PT"),
        ([{**AVISO, "name": "aviso_2"}], "does not exist"),
        ([{**AVISO, "status": "PAUSED"}], "template aviso (pt_BR) is PAUSED"),
        ([{**AVISO, "status": "PENDING"}], "is PENDING"),
        ([{**AVISO, "components": [{"type": "BODY", "text": "Olá {{1}}"}]}], "has 1 variables"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_template_that_cannot_be_sent_does_not_start(db: Db, listed: list[Any], words: str) -> None:
    read(db, *listed)
    draft(db, CONTENT)

    with refused(db, "RT005", words):
        start(db)


@pytest.mark.usefixtures("channel")
def test_what_is_not_known_is_not_refused(db: Db, caplog: pytest.LogCaptureFixture) -> None:
    notices: list[str] = []
    db.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    draft(db, CONTENT)

    assert start(db) == "running"
    assert notices == ["it is not known whether the template of campaign 'entrega' is approved"]


@pytest.mark.usefixtures("channel")
def test_other_kinds_ask_for_no_template(db: Db) -> None:
    read(db)
    draft(db, {"kind": "text", "text": "Olá"})

    assert start(db) == "running"


def whole(components: list[Any], **content: Any) -> tuple[list[Any], dict[str, Any]]:
    return components, {"kind": "template", "name": "aviso", "language": "pt_BR", **content}


BODY = {"type": "BODY", "text": "Olá"}
LINK = {"link": "https://cdn.example/x"}
PICTURE = {"type": "HEADER", "format": "IMAGE"}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "URL", "text": "Ver", "url": "https://loja.example/{{1}}"},
        {"type": "QUICK_REPLY", "text": "Sair"},
        {"type": "COPY_CODE", "text": "Copiar"},
        {"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "+551155550000"},
        {"type": "URL", "text": "Loja", "url": "https://loja.example"},
        {"type": "FLOW", "text": "Agendar"},
    ],
}
CARD = {"components": [PICTURE, {"type": "BODY", "text": "{{1}}"}]}
CARDS = {"type": "CAROUSEL", "cards": [CARD, CARD]}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Só hoje", "has_expiration": True}}
GIVEN = [{"index": 0, "url": "x"}, {"index": 2, "coupon": "MAIO"}]


CASES: list[tuple[bool, tuple[list[Any], dict[str, Any]], str | None]] = [
    (False, whole([BODY]), None),
    (False, whole([]), None),
    (False, whole([BODY], body=["x"]), "has 0 variables, and the content gives 1"),
    (False, whole([{**BODY, "text": "{{1}} {{2}} {{1}}"}], body=["x", "y"]), None),
    (False, whole([{**BODY, "text": "{{ 1 }}"}]), "has 1 variables, and the content gives 0"),
    (False, whole([{**BODY, "text": "{{1}}"}], body={"1": "x"}), "no names: give a list"),
    (True, whole([{**BODY, "text": "{{nome}} {{dia}}"}], body={"dia": "x", "nome": "y"}), None),
    (True, whole([{**BODY, "text": "{{nome}}"}], body={"name": "x"}), "{nome}, and the content gives {name}"),
    (True, whole([{**BODY, "text": "{{nome}}"}], body=["x"]), "{nome}, and the content gives {1}"),
    (False, whole([PICTURE, BODY], header={"image": LINK}), None),
    (False, whole([PICTURE, BODY]), "its header requires a value (image)"),
    (False, whole([PICTURE, BODY], header={"video": LINK}), "its header is a image"),
    (False, whole([BODY], header={"image": LINK}), "its header takes no value"),
    (False, whole([{"type": "HEADER", "format": "TEXT", "text": "Oi"}, BODY]), None),
    (False, whole([{"type": "HEADER", "format": "TEXT", "text": "{{1}}"}], header={"text": "x"}), None),
    (
        False,
        whole([{"type": "HEADER", "format": "TEXT", "text": "{{1}}"}], header={"image": LINK}),
        "its header is a text",
    ),
    (
        True,
        whole([{"type": "HEADER", "format": "TEXT", "text": "{{mes}}"}], header={"text": "x"}),
        "is called mes",
    ),
    (
        True,
        whole(
            [{"type": "HEADER", "format": "TEXT", "text": "{{mes}}"}],
            header={"text": "x", "parameter": "mes"},
        ),
        None,
    ),
    (False, whole([BODY, BUTTONS], buttons=GIVEN), None),
    (
        False,
        whole(
            [BODY, BUTTONS],
            buttons=[*GIVEN, {"index": 1, "payload": "s"}, {"index": 5, "flow": {"token": "t"}}],
        ),
        None,
    ),
    (False, whole([BODY, BUTTONS]), 'its button 0 (Ver) requires "url"'),
    (False, whole([BODY, BUTTONS], buttons=GIVEN[:1]), 'its button 2 (Copiar) requires "coupon"'),
    (False, whole([BODY, BUTTONS], buttons=[*GIVEN, {"index": 4, "url": "x"}]), 'button 4 takes no "url"'),
    (False, whole([BODY, BUTTONS], buttons=[*GIVEN, {"index": 9, "url": "x"}]), 'button 9 takes no "url"'),
    (False, whole([BODY], buttons=[{"index": 0, "payload": "x"}]), 'button 0 takes no "payload"'),
    (False, whole([BODY, OFFER]), "its offer requires"),
    (False, whole([BODY, OFFER], offer={"expires_at": "x"}), None),
    (False, whole([BODY], offer={"expires_at": "x"}), "it has no offer"),
    (False, whole([BODY, CARDS], cards=[{"header": {"image": LINK}, "body": ["x"]}] * 2), None),
    (False, whole([BODY, CARDS], cards=[{"header": {"image": LINK}, "body": ["x"]}]), "it has 2 cards"),
    (
        False,
        whole([BODY, CARDS], cards=[{"header": {"image": LINK}, "body": ["x"]}, {"body": ["x"]}]),
        "card 2: its header requires",
    ),
    (False, whole(["no object", {"type": 1}, {"type": "BUTTONS", "buttons": 1}]), None),
]
"""Whether the variables have names; the template and the content; why they do not fit."""


def test_the_parts_of_a_content_have_to_fit_those_of_the_template(db: Db, subtests: pytest.Subtests) -> None:
    query = """
      select retoma_internal.template_mismatch(jsonb_populate_record(null::retoma_internal.template, %s), %s)
    """
    for named, (components, content), words in CASES:
        with subtests.test(components=components, content=content):
            template = Jsonb({"named": named, "components": components})
            fault = call(db, query, template, Jsonb(content))
            assert fault is None if words is None else words in (fault or "")


@pytest.mark.usefixtures("channel")
def test_a_template_that_is_paused_interrupts_its_campaigns_until_it_is_approved_again(db: Db) -> None:
    read(db, AVISO, {**AVISO, "name": "outro"})
    draft(db, CONTENT)
    draft(db, {**CONTENT, "name": "outro"}, "outra")
    draft(db, {"kind": "text", "text": "Olá"}, "texto")
    for name in ("entrega", "outra", "texto"):
        assert start(db, name) == "running"

    report(db, status="PAUSED")

    query = "select cause, reason from retoma.v_interrupted_campaigns where campaign = 'entrega'"
    assert db.execute(query).fetchall() == [("channel", "channel sales: template aviso (pt_BR) is PAUSED")]
    assert call(db, STATUS) == "interrupted"
    db.execute("select retoma.tick()")
    assert call(db, STATUS) == "interrupted"
    assert "refresh_channel" in call(
        db, "select what_to_do from retoma.v_interrupted_campaigns where campaign = 'entrega'"
    )
    with refused(db, "RT002", "entrega"):
        db.execute("select retoma.resume_campaign('entrega')")

    report(db, status="APPROVED")

    assert db.execute("select distinct status from retoma_internal.campaign").fetchall() == [("running",)]


@pytest.mark.usefixtures("channel")
def test_the_template_of_every_variant_counts(db: Db) -> None:
    other = {**AVISO, "name": "outro"}
    read(db, AVISO, {**other, "status": "PENDING"})
    draft(db, {"variants": [{"content": CONTENT}, {"content": {**CONTENT, "name": "outro"}}]})
    with refused(db, "RT005", "channel sales: template outro (pt_BR) is PENDING"):
        start(db)
    move_clock(db, "10 minutes")
    read(db, AVISO, other)
    assert start(db) == "running"

    report(db, name="outro", status="PAUSED")

    assert call(db, STATUS) == "interrupted"
    judged = call(db, "select fault from retoma_internal.campaign_channel")
    assert judged == "template outro (pt_BR) is PAUSED"
    report(db, name="outro", status="APPROVED")
    assert call(db, STATUS) == "running"


@pytest.mark.usefixtures("channel")
def test_a_report_is_corrected_by_the_next_list_but_not_by_an_older_one(db: Db) -> None:
    read(db, AVISO)
    draft(db, CONTENT)
    start(db)
    db.execute("select retoma.refresh_channel('sales')")
    asked = db.execute("select channel_id, asked_at from retoma.readings_due('templates')").fetchone()
    assert asked is not None
    report(db, status="PAUSED", category="MARKETING", quality="RED")

    db.execute("select retoma.record_templates(%s, %s, %s)", (*asked, Jsonb([AVISO])))
    assert call(db, STATUS) == "interrupted"

    db.execute("select retoma.refresh_channel('sales')")
    move_clock(db, "1 minute")
    read(db, AVISO)
    assert call(db, STATUS) == "running"
    assert call(db, "select category from retoma.v_template") == "UTILITY"


@pytest.mark.usefixtures("channel")
def test_a_template_that_is_gone_interrupts(db: Db) -> None:
    read(db, AVISO)
    draft(db, CONTENT)
    start(db)
    move_clock(db, "10 minutes")

    read(db)

    assert call(db, STATUS) == "interrupted"
    assert db.execute("select channel, template from retoma.v_template").fetchall() == [("sales", None)]


@pytest.mark.usefixtures("channel")
def test_runners_take_turns_and_ask_again_after_a_while(db: Db) -> None:
    turn = "select channel, asked_at from retoma.readings_due('templates')"
    make_channel(db, "generic", "webhook", {"url": "https://service.example"})

    assert [name for name, _ in db.execute(turn)] == ["sales"]
    assert db.execute(turn).fetchall() == []
    move_clock(db, "5 minutes")
    read(db, AVISO)
    move_clock(db, "9 minutes")
    assert db.execute(turn).fetchall() == []
    move_clock(db, "1 minute")
    assert len(db.execute(turn).fetchall()) == 1


@pytest.mark.usefixtures("channel")
def test_a_fault_is_shown_and_what_was_known_stays(db: Db) -> None:
    read(db, AVISO)
    db.execute("select retoma.refresh_channel('sales')")
    asked = db.execute("select channel_id, asked_at from retoma.readings_due('templates')").fetchone()
    assert asked is not None

    db.execute("select retoma.record_templates(%s, %s, null, 'the token has expired')", asked)

    assert db.execute("select template, fault from retoma.v_template").fetchall() == [
        ("aviso", "the token has expired")
    ]


@pytest.mark.usefixtures("channel")
def test_other_settings_have_other_templates(db: Db) -> None:
    read(db)
    db.execute("select retoma.configure_channel('sales', %s)", [Jsonb({"waba_id": "901"})])
    draft(db, CONTENT)

    assert start(db) == "running"
    read(db)
    assert call(db, STATUS) == "interrupted"


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    "templates",
    ["{}", '"x"', "[1]", '[{"name": "x", "language": "pt_BR"}]', json.dumps([{**AVISO, "components": {}}])],
)
def test_what_is_no_list_of_templates_is_refused(db: Db, templates: str) -> None:
    with refused(db, "RT003", "templates are a JSON array"):
        db.execute("select retoma.record_templates(1, now(), %s)", [templates])
    with refused(db, "RT003", "reports are a JSON array"):
        db.execute("select retoma.record_template_reports('sales', '[{}]')")
    with pytest.raises(psycopg.Error):
        db.execute("select retoma.record_templates(1, now(), null, null)")


def test_a_channel_whose_template_is_refused_sends_nothing_of_the_campaign(db: Db, channel: int) -> None:
    support = make_channel(db, "support", "whatsapp_cloud", SETTINGS)
    read(db, AVISO)
    read(db, AVISO)
    content = Jsonb(CONTENT)
    db.execute(
        "select retoma.create_campaign('entrega', array['sales', 'support'], p_content => %s)", [content]
    )
    recipients = [{"phone": f"+551195550123{n}"} for n in range(4)]
    db.execute("select retoma.add_recipients('entrega', %s)", [Jsonb(recipients)])
    assert start(db) == "running"
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    assert advance(db, leased, want=1).ordinals == [1]

    report(db, status="PAUSED")

    step = advance(db, leased, accepted(1), want=1)
    assert (step.action, step.why_not) == ("released", "template_refused")
    assert lease(db, runner, channel) is None
    silence(db)
    db.execute("select retoma.tick()")
    assert doorbells(db) == [support]
    assert call(db, STATUS) == "running"
    assert db.execute("select cause, reason from retoma.v_waiting_campaigns").fetchall() == [
        ("channel", "channel sales: template aviso (pt_BR) is PAUSED; its other channels go on")
    ]
    must_lease(db, runner, support)
    move_clock(db, "1 hour")
    db.execute("select retoma.tick()")

    report(db, status="APPROVED")

    silence(db)
    db.execute("select retoma.tick()")
    assert channel in doorbells(db)
    must_lease(db, runner, channel)


@pytest.mark.usefixtures("channel")
def test_a_session_that_was_left_open_on_a_campaign_undoes_no_list_and_no_report(
    db: Db, database: str
) -> None:
    read(db, AVISO)
    draft(db, CONTENT)
    draft(db, CONTENT, "outra")
    start(db)
    start(db, "outra")
    other = "select status from retoma_internal.campaign where name = 'outra'"
    db.execute("select retoma.refresh_channel('sales')")
    with psycopg.connect(database) as left_open:
        left_open.execute("select from retoma_internal.campaign where name = 'entrega' for update")

        read(db, {**AVISO, "status": "PAUSED"})
        assert call(db, other) == "interrupted"
        report(db, status="APPROVED")
        assert call(db, other) == "running"
        report(db, status="PAUSED")
        assert call(db, other) == "interrupted"

    assert call(db, STATUS) == "running"
    db.execute("select retoma.tick()")
    assert call(db, STATUS) == "interrupted"


@pytest.mark.usefixtures("channel")
def test_a_session_that_was_left_open_on_a_reading_keeps_no_other_channel_waiting(
    db: Db, database: str
) -> None:
    make_channel(db, "support", "whatsapp_cloud", SETTINGS)
    read(db, AVISO)
    read(db, AVISO)
    for name in ("sales", "support"):
        db.execute("select retoma.refresh_channel(%s)", [name])
    turn = "select channel from retoma.readings_due('templates')"
    db.execute("set statement_timeout = '60 s'")
    with psycopg.connect(database) as left_open:
        left_open.execute("select retoma.refresh_channel('sales')")

        assert db.execute(turn).fetchall() == [("support",)]
        assert db.execute(turn).fetchall() == []

    assert db.execute(turn).fetchall() == [("sales",)]


@pytest.mark.usefixtures("channel")
def test_a_start_at_the_same_time_as_a_list_is_corrected_by_the_tick(db: Db, database: str) -> None:
    read(db, AVISO)
    draft(db, CONTENT)
    db.execute("select retoma.refresh_channel('sales')")
    with psycopg.connect(database) as starting:
        assert start(starting) == "running"
        read(db, {**AVISO, "status": "PAUSED"})
        starting.commit()
    assert call(db, STATUS) == "running"

    db.execute("select retoma.tick()")
    assert call(db, STATUS) == "interrupted"


@pytest.mark.usefixtures("channel")
def test_a_tick_judges_no_template_for_which_nothing_has_changed(db: Db) -> None:
    read(db, AVISO)
    draft(db, CONTENT)
    start(db)
    report(db, status="PAUSED")
    assert call(db, STATUS) == "interrupted"
    db.execute(
        """
        create or replace function retoma_internal.template_fault(p_channel_id int, p_content jsonb)
        returns text language plpgsql as $$ begin raise exception 'judged again'; end $$
        """
    )

    db.execute("select retoma.tick()")

    assert db.execute("select * from retoma.v_tick_failure").fetchall() == []
    report_nothing = "update retoma_internal.reading set changes = changes + 1"
    db.execute(report_nothing)
    db.execute("select retoma.tick()")
    assert db.execute("select cause from retoma.v_tick_failure").fetchall() == [("judged again",)]


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(("listed", "fault"), [(Jsonb([AVISO]), None), (None, "the provider is away")])
@pytest.mark.parametrize("reported", [False, True])
def test_what_is_asked_for_while_a_list_is_under_way_is_read_anew(
    db: Db, listed: Jsonb | None, fault: str | None, reported: bool
) -> None:
    read(db, AVISO)
    db.execute("select retoma.refresh_channel('sales')")
    turn = "select channel_id, asked_at from retoma.readings_due('templates')"
    asked = db.execute(turn).fetchone()
    assert asked is not None
    if reported:
        report(db, quality="RED")
    else:
        db.execute("select retoma.refresh_channel('sales')")

    db.execute("select retoma.record_templates(%s, %s, %s, %s)", (*asked, listed, fault))

    assert len(db.execute(turn).fetchall()) == 1
    assert db.execute(turn).fetchall() == []
