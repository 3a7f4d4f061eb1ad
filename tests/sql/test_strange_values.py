"""Every public function, with strange values in each of its places: it answers, or says why not in words.

Each is called once as it should be; then with one argument, or one part of it, replaced at a time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.hammer.catalogue import Function, functions
from tests.hammer.values import STRANGE, STRANGE_JSON, STRANGE_PARTS, places, replaced
from tests.support.campaigns import (
    Db,
    advance,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    release,
)
from tests.support.files import PNG

AT = "2026-01-01T12:00:00Z"
ANA = "+5511955501234"
PACING = {"gap_min_s": 1, "gap_max_s": 2, "batch_gap_min_s": 1, "batch_gap_max_s": 2, "max_in_flight": 1}
RATE = {"rate_per_s": 1, "burst": 1, "max_in_flight": 2, "max_leases": 2}
HOOK = {"url": "http://127.0.0.1", "lookup": True, "idempotent": False, "secret": "env:RETOMA_SECRET_X"}
WAHA = {"base_url": "http://127.0.0.1", "session": "default"}
CLOUD = {"base_url": "https://graph.example", "phone_number_id": "104", "access_token": "t"}
CARD = {"header": {"image": {"link": "https://example.com/a.png"}}, "body": ["a"]}
CONTENTS: tuple[dict[str, object], ...] = (
    {"kind": "text", "text": "Oi"},
    {"kind": "image", "media": {"link": "https://example.com/a.png"}, "caption": "Oi"},
    {
        "kind": "buttons", "text": "Oi", "header": {"image": {"file": "offer.png"}}, "footer": "f",
        "buttons": [{"id": "1", "title": "Sim"}],
    },
    {"kind": "list", "text": "Oi", "button": "b",
     "sections": [{"title": "t", "rows": [{"id": "1", "title": "r"}]}]},
    {
        "kind": "template", "name": "aviso", "language": "pt_BR", "header": {"text": "Oi"}, "body": ["Ana"],
        "buttons": [{"index": 0, "url": "a"}, {"index": 3, "flow": {"token": "t", "data": {"a": [1]}}}],
    },
    {"kind": "template", "name": "aviso", "language": "pt_BR", "body": {"name": "Ana"},
     "cards": [CARD, CARD]},
    {"variants": [{"weight": 2, "content": {"kind": "text", "text": "a"}},
                  {"weight": 1, "content": {"kind": "text", "text": "b"}}]},
)  # fmt: skip
OUTCOMES = [
    {"ordinal": 2, "status": "error", "code": "timeout", "http_status": 500, "retry_after_s": 1.5,
     "written": True},
    {"ordinal": 3, "status": "accepted", "provider_id": "x", "took_id": True},
]  # fmt: skip
ACCOUNT = {
    "connected": True, "reason": "CONNECTED", "server": "gateway 1", "quality": "GREEN",
    "people_per_day": 2000, "rate_per_s": 80,
}  # fmt: skip
TEMPLATE = {
    "name": "aviso", "language": "pt_BR", "status": "APPROVED", "category": "UTILITY", "quality": "GREEN",
    "named": False,
    "components": [{"type": "BODY", "text": "Olá {{1}}"}, {"type": "BUTTONS", "buttons": [{}]}],
}  # fmt: skip
FAULT = {"code": "text_empty", "reason": "text is empty", "messages": 1, "first_ordinal": 1}
PEOPLE = [{"phone": ANA, "variables": {"name": "Ana"}, "zone": "America/Sao_Paulo"}]
REPLY = {
    "phone": ANA, "address": "123@lid", "text": "SAIR", "provider_id": "r1", "at": AT, "opts_out": True,
    "button": "b",
}  # fmt: skip
REPORT = {"name": "aviso", "language": "pt_BR", "status": "PAUSED", "category": "UTILITY", "quality": "GREEN"}

Call = tuple[str, Mapping[str, Any]]


@pytest.fixture
def calls(db: Db) -> list[Call]:
    return world(db)


def world(db: Db) -> list[Call]:
    """Calls of all public functions with which each does its work, in a world that has something to do."""
    sales = make_channel(db)
    hook = make_channel(db, "hook", "webhook", HOOK)
    cloud = make_channel(db, "cloud", "whatsapp_cloud", CLOUD)
    make_channel(db, "gateway", "waha", WAHA)
    make_channel(db, "polite", settings={"opt_out_confirmation": "Você não recebe mais mensagens."})
    text = "Oi {{ name }}{% if x %}!{% endif %}"
    draft = make_campaign(db, "draft", 1, ["sales", "cloud"], text=text, checked=False, start=False)
    rendered = make_campaign(db, "rendered", 3, text=text, start=False)
    make_campaign(db, "asked", 2, ["hook"])
    make_campaign(db, "sent", 9)
    make_campaign(db, "stopped")
    db.execute("select retoma.pause_campaign('stopped')")
    db.execute("insert into retoma.recipient_staging (campaign, phone) values ('draft', %s)", [phone(7)])
    runner = make_runner(db)
    asked = must_lease(db, runner, hook)
    message = advance(db, asked, want=1).messages[0][1]
    advance(db, asked, [error(1, "timeout", written=True)])
    release(db, asked)
    leased = must_lease(db, runner, sales)
    advance(db, leased, want=4)
    db.execute("select retoma.media_add('offer.png', %s)", [PNG])
    picture = {"kind": "image", "media": {"file": "offer.png"}}
    db.execute("select retoma.create_campaign('picture', 'cloud', p_content => %s)", [Jsonb(picture)])
    upload = db.execute("select sha256, asked_at from retoma.media_to_upload()").fetchone()
    assert upload is not None
    uploaded = {"p_channel_id": cloud, "p_sha256": upload[0], "p_asked_at": upload[1]}
    db.execute("select retoma.media_add('unused.png', %s)", [PNG + b"unused"])
    polite = [{"phone": "+5511955501235", "text": text} for text in ("SAIR", "sair daqui")]
    db.execute("select * from retoma.record_inbound('polite', %s)", [Jsonb(polite)])
    confirmation = call(db, "select confirmation_id from retoma.confirmations_to_send(%s)", runner)
    db.execute(
        "select * from retoma.record_inbound('hook', %s)", [Jsonb([{"address": "1@lid", "text": "SAIR"}])]
    )
    reply = call(db, "select max(reply_id) from retoma.v_reply where state = 'waiting'")
    fence = dict(zip(("p_runner_id", "p_batch_id", "p_lease_epoch"), leased.fence, strict=True))
    templates = call(db, "select asked_at from retoma.readings_due('templates') where channel_id = %s", cloud)
    accounts = {}
    while row := db.execute("select channel_id, asked_at from retoma.readings_due('account')").fetchone():
        accounts[row[0]] = row[1]
    campaign = {"p_campaign": "draft"}
    window = {"p_campaign": "draft", "p_opens": "20:00", "p_closes": "04:00", "p_days": [1, 5]}
    make_campaign(db, "numbers", 1, ["gateway"])
    asking = db.execute("select channel_id, asked_at from retoma.numbers_to_check(%s)", [runner]).fetchone()
    assert asking is not None
    numbers = {"p_channel_id": asking[0], "p_asked_at": asking[1]}
    make_campaign(db, "windows", 1, start=False)
    db.execute("select retoma.add_window('windows', '20:00', '04:00', '{1,5}')")
    receipt = {"message_id": message, "status": "failed", "code": "131026", "at": AT}
    known = {"message_id": message, "attempt": 1}
    aliases = [
        {"address": "123@lid", "phone": ANA, "at": AT},
        {"address": "124@lid", "previous": "123@lid"},
        {"address": "125@lid", "message_id": message},
    ]
    return [
        ("add_recipients", {**campaign, "p_recipients": PEOPLE}),
        ("add_recipients", {**campaign, "p_lines": [1, 2], "p_phones": [ANA, phone(8)],
                            "p_variables": [Jsonb({"name": "Ana"}), Jsonb({})],
                            "p_zones": ["America/Sao_Paulo", ""]}),
        ("add_window", window),
        ("advance_batch", {**fence, "p_outcomes": OUTCOMES, "p_want": 2, "p_seen": 4, "p_accepted": [1]}),
        ("campaign_content", campaign),
        ("cancel_campaign", {"p_campaign": "sent"}),
        ("channel_connected", {"p_channel": "sales", "p_at": AT}),
        ("channel_disconnected", {"p_channel": "sales", "p_reason": "gone", "p_at": AT}),
        ("channel_settings", {"p_channel": "hook"}),
        ("claim_doorbells", {"p_limit": 10}),
        ("cleanup", {"p_retention": "90 days"}),
        ("clear_recipients", campaign),
        ("configure_campaign", {**campaign, "p_options": {
            "time_zone": "America/Sao_Paulo", "max_attempts": 3, "breaker_threshold": 5}}),
        ("configure_channel", {"p_channel": "gateway", "p_settings": WAHA, "p_pacing": PACING}),
        ("configure_channel", {"p_channel": "gateway", "p_settings": {}, "p_pacing": PACING | RATE | {
            "gap_min_s": 0, "gap_max_s": 0, "batch_gap_min_s": 0, "batch_gap_max_s": 0}}),
        ("configure_channel", {"p_channel": "cloud", "p_settings": CLOUD, "p_pacing": {}}),
        ("confirmations_to_send", {"p_runner_id": runner}),
        ("contents_to_check", {"p_limit": 10, "p_after_campaign": 0}),
        *(("create_campaign", {"p_name": "new", "p_channels": ["cloud"], "p_content": content})
          for content in CONTENTS),
        ("create_campaign", {"p_name": "new", "p_channels": ["sales", "hook"], "p_text": "Oi",
                             "p_batch_size": 10, "p_starts_at": AT, "p_max_attempts": 3,
                             "p_time_zone": "America/Sao_Paulo"}),
        ("create_campaign", {"p_name": "new", "p_channel": "sales", "p_text": "Oi", "p_batch_size": 10,
                             "p_starts_at": AT, "p_max_attempts": 3, "p_time_zone": "America/Sao_Paulo"}),
        ("create_channel", {"p_name": "new", "p_transport": "webhook", "p_settings": HOOK, "p_pacing": RATE}),
        ("discard_staged", campaign),
        ("due_lookups", {"p_channel_id": hook, "p_limit": 10}),
        ("forecast", {"p_campaign": "sent"}),
        ("give_up_batch", {**fence, "p_sqlstate": "22012", "p_cause": "division by zero"}),
        ("group_channel", {"p_channel": "sales", "p_group": "shop"}),
        ("lease_batch", {"p_runner_id": runner, "p_channel_id": hook, "p_holding": [1, 2]}),
        ("load_staged", campaign),
        ("media_add", {"p_name": "other.png", "p_data": PNG + b"x"}),
        ("media_remove", {"p_name": "unused.png"}),
        ("medium_bytes", {"p_sha256": upload[0]}),
        ("numbers_to_check", {"p_runner_id": runner}),
        ("opt_in", {"p_phone": ANA, "p_source": "form", "p_at": AT}),
        ("opt_in_list", {"p_phones": [ANA, phone(1)], "p_source": "form", "p_at": AT}),
        ("opt_out", {"p_phone": ANA, "p_source": "form", "p_reason": "complaint", "p_at": AT}),
        ("opt_out_list", {"p_phones": [ANA, phone(1)], "p_source": "f", "p_reason": "opt_out", "p_at": AT}),
        ("pause_campaign", {"p_campaign": "sent"}),
        ("pause_channel", {"p_channel": "sales", "p_reason": "tired"}),
        ("recipients_to_render", {"p_after_campaign": 0, "p_limit": 10}),
        ("readings_due", {"p_about": "account"}),
        ("record_account", {"p_channel_id": cloud, "p_asked_at": accounts[cloud], "p_account": ACCOUNT}),
        ("record_account", {"p_channel_id": cloud, "p_asked_at": accounts[cloud], "p_account": None,
                            "p_fault": "?"}),
        ("record_aliases", {"p_channel": "hook", "p_aliases": aliases}),
        ("record_confirmation", {"p_confirmation_id": confirmation, "p_outcome": {
            "status": "error", "code": "http_429", "http_status": 429, "retry_after_s": 1.5, "written": True,
            "provider_id": "x"}}),
        ("record_content_check", {"p_campaign_id": draft, "p_variant": 1, "p_variables": ["name"],
                                  "p_fault": None, "p_optional": ["x"]}),
        ("record_inbound", {"p_channel": "hook",
                            "p_replies": [REPLY, {"address": "9@lid", "text": "parar"}]}),
        ("record_lookups", {"p_channel_id": hook, "p_results": [known | {"result": "found"}]}),
        ("record_numbers", {**numbers, "p_answers": [
            {"phone": phone(1), "exists": True, "address": "123@lid"}, {"phone": ANA, "exists": None}]}),
        ("record_receipts", {"p_channel": "hook",
                             "p_receipts": [receipt, {"provider_id": "z", "status": "read"}]}),
        ("record_rendering", {"p_campaign_id": rendered, "p_variant": 1, "p_list": 0, "p_after": 0,
                              "p_through": 2, "p_faults": [FAULT]}),
        ("record_template_reports", {"p_channel": "cloud", "p_reports": [REPORT]}),
        ("record_templates", {"p_channel_id": cloud, "p_asked_at": templates, "p_templates": [TEMPLATE]}),
        ("record_templates", {"p_channel_id": cloud, "p_asked_at": templates, "p_templates": None,
                              "p_fault": "?"}),
        ("record_upload", {**uploaded, "p_provider_id": "7"}),
        ("record_upload", {**uploaded, "p_provider_id": None, "p_fault": "?"}),
        ("refresh_channel", {"p_channel": "cloud", "p_about": "account"}),
        ("refuse_channel", {"p_runner_id": runner, "p_channel_id": hook, "p_reason": "no secret"}),
        ("refuse_content", {**fence, "p_reason": "cannot be rendered"}),
        ("register_runner", {"p_runner_id": runner, "p_name": "r"}),
        ("release_batch", fence),
        ("remove_error_rule", {"p_transport": "*", "p_code": "http_422"}),
        ("remove_reply_word", {"p_words": "sair"}),
        ("remove_window", {**window, "p_campaign": "windows"}),
        ("resolve_in_doubt", {"p_campaign": "asked", "p_decision": "sent", "p_phones": [phone(1)]}),
        ("resolve_reply", {"p_reply_id": reply, "p_decision": "opt_out", "p_phone": ANA}),
        ("resume_campaign", {"p_campaign": "stopped"}),
        ("resume_channel", {"p_channel": "sales"}),
        ("retry_failed", {"p_campaign": "sent", "p_codes": ["timeout"]}),
        ("ring", {"p_channel_ids": [sales, hook]}),
        ("sample_recipients", {"p_campaign": "rendered", "p_count": 2}),
        *(("set_limit", {"p_scope": scope, "p_subject": subject, "p_maximum": 10, "p_per": per,
                         "p_time_zone": zone, "p_counting": "messages"})
          for scope, subject in (("channel", "sales"), ("campaign", "sent"))
          for per, zone in (("day", "America/Sao_Paulo"), ("24 hours", None))),
        ("start_campaign", {"p_campaign": "rendered", "p_at": AT}),
        ("tick", {"p_runner_id": runner}),
        ("unregister_runner", {"p_runner_id": runner}),
    ]  # fmt: skip


def test_every_public_function_is_called(db: Db, calls: list[Call]) -> None:
    taken = {(f.name, tuple(sorted(n for n, _ in f.parameters))) for f in _public(db) if f.parameters}
    covered = {function.name for function, _, _ in chosen(db, calls)}

    assert {name for name, _ in taken} == covered
    most = Counter(name for name, _ in taken)
    assert {name for name, count in most.items() if count > 1} == {"add_recipients", "create_campaign"}


def test_each_call_does_its_work(db: Db, calls: list[Call]) -> None:
    for function, arguments, _ in chosen(db, calls):
        with db.transaction(force_rollback=True):
            db.execute(*statement(function, arguments))


def test_what_is_strange_is_taken_or_refused_in_words(db: Db, calls: list[Call]) -> None:
    db.execute("begin")
    wordless = Counter(
        f"{error.sqlstate} {function.name} {place}: {error.diag.message_primary!s:.100}"
        for function, place, arguments in _strange_calls(db, calls)
        if (error := _wordless(db, function, arguments))
    )

    assert sorted(wordless) == []


def _public(db: Db) -> list[Function]:
    roles = ("retoma_operator", "retoma_runner", "retoma_monitor")
    return list({(f.name, f.parameters): f for role in roles for f in functions(db, role)}.values())


def chosen(db: Db, calls: list[Call]) -> Iterator[tuple[Function, Mapping[str, Any], int]]:
    """Each call with the function that its arguments name."""
    public = _public(db)
    for place, (name, arguments) in enumerate(calls):
        fitting = [
            f
            for f in public
            if f.name == name and set(arguments) <= {parameter for parameter, _ in f.parameters}
        ]
        assert len(fitting) == 1, name
        yield fitting[0], arguments, place


def _strange_calls(db: Db, calls: list[Call]) -> Iterator[tuple[Function, str, Mapping[str, Any]]]:
    for function, arguments, _ in chosen(db, calls):
        yield function, "as it should be", arguments
        for name, type_name in function.parameters:
            for place, value in _strange(type_name, arguments.get(name)):
                yield function, f"{name} {place}", {**arguments, name: value}


def _strange(type_name: str, good: object) -> Iterator[tuple[str, object]]:
    """Other values for a parameter, each with the place in it that is strange."""
    yield "null", None
    one = type_name.removesuffix("[]")
    values = [Jsonb(value) for value in STRANGE_JSON] if one == "jsonb" else STRANGE.get(one, ())
    if one != type_name:
        first = good[0] if isinstance(good, list) and good else None
        yield from (("of nothing", []), ("with null", [first, None]), ("of arrays", [[first, first]]))
        yield from ((f"with {value!r:.20}", [value, first]) for value in values)
        yield "of many", [first] * 500
    elif type_name == "jsonb":
        yield from ((f"{new!r:.20}", new) for new in STRANGE_JSON)
        for path in places(good):
            yield from ((f"{path} {new!r:.20}", replaced(good, path, new)) for new in STRANGE_PARTS)
    else:
        yield from ((repr(value)[:20], value) for value in values)


def _wordless(db: Db, function: Function, arguments: Mapping[str, Any]) -> psycopg.Error | None:
    """Calls a function, undoes it, and returns its error unless that is a refusal of Retoma."""
    db.execute("savepoint before")
    try:
        db.execute(*statement(function, arguments))
    except psycopg.Error as error:
        return None if (error.sqlstate or "").startswith("RT") else error
    finally:
        db.execute("rollback to savepoint before")
        db.execute("release savepoint before")
    return None


def statement(function: Function, arguments: Mapping[str, Any]) -> tuple[sql.Composed, list[Any]]:
    types = dict(function.parameters)
    statement = sql.SQL("select * from retoma.{}({})").format(
        sql.Identifier(function.name),
        sql.SQL(", ").join(
            sql.SQL("{} => {}::{}").format(sql.Identifier(name), sql.Placeholder(), sql.SQL(types[name]))
            for name in arguments
        ),
    )
    return statement, [
        Jsonb(value) if types[name] == "jsonb" and value is not None else value
        for name, value in arguments.items()
    ]


@pytest.mark.parametrize("role", ["retoma_operator"])
@pytest.mark.parametrize(
    "statement",
    [
        "update retoma.breaker set threshold = 0",
        "update retoma.breaker set threshold = null",
        "update retoma.breaker set action = 'sleep'",
        "update retoma.breaker set note = repeat('x', 1001)",
        "insert into retoma.reply_word (words, meaning) values ('', 'hint')",
        "insert into retoma.reply_word (words, meaning) values ('!!!', 'hint')",
        "insert into retoma.reply_word (words, meaning) values (null, 'hint')",
        "insert into retoma.reply_word (words, meaning) values ('sair já', 'stop')",
        "insert into retoma.reply_word (words, meaning) values ('sair já', null)",
        "insert into retoma.reply_word (words, meaning) values (repeat('sair ', 41), 'hint')",
        "insert into retoma.error_rule (transport, code, class) values ('*', repeat('x', 201), 'transient')",
        "insert into retoma.error_rule (transport, code, class) values ('*', null, 'transient')",
        "insert into retoma.error_rule (transport, code, class) values (null, 'x', 'transient')",
        "update retoma.error_rule set note = repeat('x', 1001)",
        "update retoma.error_rule set defer_s = -1",
        "update retoma.setting set retention = null",
        "update retoma.setting set lease_duration = '-1000 months 30001 days'",
    ],
)
def test_rows_that_operators_write_are_refused_in_words(db: Db, role: str, statement: str) -> None:
    db.execute(f"set role {role}")

    with pytest.raises(psycopg.Error) as refusal:
        db.execute(statement)

    assert refusal.value.sqlstate in {"RT001", "RT003"}, refusal.value
    assert refusal.value.diag.message_hint
