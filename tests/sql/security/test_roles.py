"""Three roles: operators run campaigns, runners send, monitors look. None of them can do the others' work."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
    release,
    send_all,
    tick,
)

ROLES = ("retoma_operator", "retoma_runner", "retoma_monitor")


@contextmanager
def acting_as(db: Db, role: str) -> Iterator[None]:
    db.execute(f"set role {role}")
    try:
        yield
    finally:
        db.execute("reset role")


def assert_forbidden(db: Db, subtests: pytest.Subtests, role: str, statements: list[str]) -> None:
    """A role may run none of these."""
    for statement in statements:
        with (
            subtests.test(statement=statement),
            acting_as(db, role),
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            db.execute(statement)


def executable(db: Db, role: str) -> set[str]:
    """Names of the functions that a role may execute and can name."""
    rows = db.execute(
        "select distinct proname::text from pg_proc where pronamespace = 'retoma'::regnamespace"
        " and has_function_privilege(%s, oid, 'execute')",
        (role,),
    )
    return {name for (name,) in rows}


def writable(db: Db, role: str) -> set[str]:
    """Tables and views of the schema on which a role has any privilege but select."""
    rows = db.execute(
        "select relname::text from pg_class"
        " where relnamespace::regnamespace::text ~ '^retoma' and relkind in ('r', 'p', 'v')"
        " and (has_table_privilege(%(role)s, oid, 'insert, update, delete, truncate')"
        " or has_any_column_privilege(%(role)s, oid, 'insert, update'))",
        {"role": role},
    )
    return {name for (name,) in rows}


def readable(db: Db, role: str) -> set[str]:
    rows = db.execute(
        "select relname::text from pg_class"
        " where relnamespace::regnamespace::text ~ '^retoma' and relkind in ('r', 'p', 'v')"
        " and has_any_column_privilege(%s, oid, 'select')",
        (role,),
    )
    return {name for (name,) in rows}


def test_a_runner_has_its_functions_and_no_table(db: Db) -> None:
    assert readable(db, "retoma_runner") == set()
    assert writable(db, "retoma_runner") == set()
    assert executable(db, "retoma_runner") == {
        "register_runner",
        "unregister_runner",
        "claim_doorbells",
        "lease_batch",
        "advance_batch",
        "release_batch",
        "give_up_batch",
        "refuse_channel",
        "refuse_content",
        "contents_to_check",
        "record_content_check",
        "recipients_to_render",
        "record_rendering",
        "tick",
        "blocking_session",
        "ring",
        "channel_connected",
        "channel_disconnected",
        "due_lookups",
        "record_lookups",
        "record_receipts",
        "channel_settings",
        "cleanup",
        "installed_versions",
        "record_inbound",
        "record_aliases",
        "readings_due",
        "record_templates",
        "record_account",
        "media_to_upload",
        "record_upload",
        "confirmations_to_send",
        "numbers_to_check",
        "record_numbers",
        "record_confirmation",
        "medium_bytes",
        "record_template_reports",
    }


def test_a_runner_can_do_its_whole_work_by_functions(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1", "lookup": True})
    make_campaign(db, size=3)
    with acting_as(db, "retoma_runner"):
        runner = make_runner(db)
        assert db.execute("select * from retoma.contents_to_check()").fetchall() == []
        tick(db, runner)
        leased = must_lease(db, runner, channel)
        step = advance(db, leased, want=3)
        advance(db, leased, [*accepted(1), error(2, "timeout"), error(3, "not_attempted")])
        receipts = Jsonb([{"message_id": step.messages[0][1], "status": "read"}])
        assert call(db, "select applied from retoma.record_receipts('sales', %s)", receipts) == 1
        results = Jsonb([{"message_id": step.messages[1][1], "attempt": 1, "result": "found"}])
        assert call(db, "select retoma.record_lookups(%s, %s)", channel, results) == 1
        leased = must_lease(db, runner, channel)
        release(db, leased)
        db.execute("select retoma.channel_disconnected('sales')")
        db.execute("select retoma.channel_connected('sales')")
        db.execute("select * from retoma.due_lookups(%s)", (channel,))
        reply = Jsonb([{"phone": phone(1), "text": "SAIR"}])
        db.execute("select * from retoma.record_inbound('sales', %s)", (reply,))
        named = Jsonb([{"address": "1@lid", "phone": phone(1)}])
        db.execute("select retoma.record_aliases('sales', %s)", (named,))
        db.execute("select retoma.ring(array[%s]::int[])", (channel,))
        worker = call(db, "insert into procrastinate.procrastinate_workers default values returning id")
        job = "select id from procrastinate.procrastinate_fetch_job_v2(array['retoma'], %s)"
        finish = "select procrastinate.procrastinate_finish_job_v1(%s, 'succeeded', true)"
        db.execute(finish, (call(db, job, worker),))
        db.execute("select retoma.cleanup()")
        db.execute("select retoma.blocking_session()")
        db.execute("select retoma.unregister_runner(%s)", (runner,))


def test_a_runner_can_do_nothing_else(db: Db, subtests: pytest.Subtests) -> None:
    statements = [
        "select * from retoma_internal.message",
        "select * from retoma_internal.channel",
        "select * from retoma.v_message",
        "insert into retoma_internal.suppression values ('1', '+15550100', 'opt_out')",
        "select retoma.create_channel('x', 'null')",
        "select retoma.start_campaign('natal')",
        "select retoma.opt_in('+15550100', 'web form')",
        "select * from retoma.v_reply",
        "select retoma.resolve_reply(1, 'opt_out')",
        "select retoma_internal.end_lease(1, 'x')",
    ]
    assert_forbidden(db, subtests, "retoma_runner", statements)


def test_an_operator_can_do_a_whole_day_s_work(db: Db) -> None:
    with acting_as(db, "retoma_operator"):
        make_channel(db)
        make_channel(db, "support")
        db.execute("select retoma.set_limit('channel', 'sales', 1000)")
        make_campaign(db, size=2, channels=["sales", "support"], start=False)
        with db.cursor().copy("copy retoma.recipient_staging (campaign, phone, zone) from stdin") as copy:
            copy.write_row(("natal", phone(3), "America/Sao_Paulo"))
        assert call(db, "select accepted from retoma.load_staged('natal')") == 1
        db.execute("select retoma.add_window('natal', '00:00', '24:00')")
        db.execute(
            "select retoma.configure_campaign('natal', %s)",
            (Jsonb({"time_zone": "America/Sao_Paulo"}),),
        )
        db.execute("select retoma.set_limit('campaign', 'natal', 100)")
        db.execute("select retoma.start_campaign('natal')")
        db.execute("select retoma.forecast('natal')")
        for function in ("pause_campaign", "resume_campaign", "retry_failed"):
            db.execute(f"select retoma.{function}('natal')")
        for function in ("pause_channel", "resume_channel", "channel_disconnected", "channel_connected"):
            db.execute(f"select retoma.{function}('sales')")
        db.execute("select retoma.resolve_in_doubt('natal', 'sent')")
        db.execute("select retoma.opt_out(%s)", (phone(1),))
        db.execute("select retoma.opt_in(%s, 'web form')", (phone(1),))
        db.execute("select * from retoma.opt_out_list(%s)", ([phone(1), phone(2)],))
        db.execute("select * from retoma.opt_in_list(%s, 'web form')", ([phone(1)],))
        reply = Jsonb([{"address": "1@lid", "text": "SAIR"}])
        waiting = call(db, "select reply_id from retoma.record_inbound('sales', %s)", reply)
        db.execute("select retoma.resolve_reply(%s, 'opt_out', %s)", (waiting, phone(2)))
        db.execute("insert into retoma.reply_word (words, meaning) values ('1', 'opt_out')")
        db.execute("update retoma.reply_word set meaning = 'hint' where words = '1'")
        db.execute("select retoma.remove_reply_word('1')")
        db.execute("select retoma.record_receipts('sales', '[]')")
        db.execute("insert into retoma.error_rule (transport, code, class) values ('*', 'odd', 'transient')")
        db.execute("select retoma.remove_error_rule('*', 'odd')")
        db.execute("update retoma.error_rule set defer_s = 20, note = 'slow' where code = 'http_429'")
        db.execute("update retoma.setting set lease_duration = '30 s', retention = '30 days'")
        db.execute("insert into retoma.recipient_staging (campaign, phone) values ('a typing error', 'x')")
        assert call(db, "select retoma.discard_staged('a typing error')") == 1
        for view in readable(db, "retoma_operator"):
            db.execute(f"select * from retoma.{view}")
        db.execute("select retoma.cancel_campaign('natal')")
        db.execute("select retoma.cleanup()")
        db.execute("select retoma.blocking_session()")
        assert call(db, "select count(*) from retoma.message_state where phone = %s", phone(1)) == 1


def test_an_operator_cannot_read_credentials_or_rewrite_what_happened(
    db: Db, subtests: pytest.Subtests
) -> None:
    make_channel(db)
    make_campaign(db)
    statements = [
        "select settings from retoma_internal.channel",
        "select retoma.channel_settings('sales')",
        "select retoma.lease_batch(gen_random_uuid(), 1)",
        "select retoma.advance_batch(gen_random_uuid(), 1, 1)",
        "update retoma_internal.campaign set status = 'completed'",
        "update retoma_internal.batch set reserved = 0",
        "delete from retoma_internal.delivery",
        "delete from retoma_internal.message",
        "delete from retoma_internal.suppression",
        "delete from retoma_internal.reply",
        "truncate retoma_internal.event",
        "insert into retoma_internal.event (subject, to_state) values ('channel', 'x')",
    ]
    assert_forbidden(db, subtests, "retoma_operator", statements)


def test_an_operator_writes_only_what_is_theirs_to_tune(db: Db) -> None:
    assert writable(db, "retoma_operator") == {
        "recipient_staging",
        "error_rule",
        "reply_word",
        "breaker",
        "setting",
    }


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_lock_what_others_work_with(db: Db, role: str) -> None:
    """One "lock table retoma.setting" in a session that stays open would stop every runner."""
    lockable = db.execute(
        "select c.oid::regclass::text from pg_class as c where c.relkind in ('r', 'p', 'v')"
        " and c.relnamespace::regnamespace::text ~ '^retoma'"
        " and has_table_privilege(%s, c.oid, 'update, delete, truncate')",
        (role,),
    ).fetchall()
    assert lockable == []
    for table in ("setting", "error_rule", "recipient_staging", "v_campaign_summary"):
        with acting_as(db, role), pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
            db.execute(f"lock table retoma.{table} in share update exclusive mode")


def test_a_monitor_sees_the_views_and_no_table_of_people(db: Db) -> None:
    assert writable(db, "retoma_monitor") == set()
    assert readable(db, "retoma_monitor") == {
        "setting",
        "v_campaign_summary",
        "v_interrupted_campaigns",
        "v_waiting_campaigns",
        "campaign_batch_state",
        "campaign_batch_details",
        "v_channel",
        "v_message",
        "v_message_count",
        "v_delivery",
        "v_in_doubt",
        "v_confirmation",
        "v_limit",
        "v_account",
        "v_window",
        "v_runner",
        "v_event",
        "content_kinds",
        "medium_limit",
        "media_type",
        "v_render_fault",
        "v_variant",
        "v_tick",
        "v_tick_failure",
        "v_open_transaction",
    }


def test_every_view_of_a_monitor_works_for_it(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    send_all(db, make_runner(db), channel)
    with acting_as(db, "retoma_monitor"):
        for view in readable(db, "retoma_monitor"):
            db.execute(f"select * from retoma.{view}").fetchall()
        assert call(db, "select status from v_campaign_summary") == "completed"
        assert {number for (number,) in db.execute("select phone from v_message")} == {
            "+55********001",
            "+55********002",
            "+55********003",
        }


def test_a_monitor_may_ask_when_a_campaign_ends(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    with acting_as(db, "retoma_monitor"):
        assert call(db, "select messages_left from retoma.forecast('natal')") == 3


def test_a_monitor_can_change_nothing_and_see_no_person(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    statements = [
        "select * from retoma_internal.message",
        "select * from retoma.message_state",
        "select settings from retoma_internal.channel",
        "select * from retoma_internal.suppression",
        "select * from retoma.v_reply",
        "select retoma.channel_settings('sales')",
        "select retoma.pause_campaign('natal')",
        "update retoma.setting set lease_duration = '1 s'",
    ]
    assert_forbidden(db, subtests, "retoma_monitor", statements)


def test_nobody_else_may_do_anything(db: Db) -> None:
    public = db.execute(
        "select p.oid::regprocedure::text"
        " from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a"
        " where p.pronamespace::regnamespace::text ~ '^retoma' and a.grantee = 0"
    ).fetchall()
    assert public == []
    for role in ("public", "retoma_operator", "retoma_runner", "retoma_monitor"):
        for schema in ("retoma", "retoma_internal"):
            usage = call(db, "select has_schema_privilege(%s, %s, 'usage')", role, schema)
            assert usage is (role != "public" and schema == "retoma")


def test_roles_are_for_granting_not_for_logging_in(db: Db) -> None:
    rows = db.execute(
        "select rolname::text, rolcanlogin or rolsuper or rolcreaterole or rolbypassrls from pg_roles"
        " where rolname like 'retoma%' order by 1"
    ).fetchall()
    assert rows == [(role, False) for role in sorted(ROLES)]


def test_the_audit_names_the_person_not_the_owner_of_the_functions(db: Db) -> None:
    make_channel(db)
    assert call(db, "select bool_and(actor = session_user) from retoma_internal.event") is True


def test_a_temporary_table_of_the_caller_cannot_stand_in_for_ours(db: Db, database: str) -> None:
    make_channel(db)
    runner: UUID = make_runner(db)
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("create temporary table setting (clock_shift interval)")
        session.execute("create temporary table channel (like retoma_internal.channel)")
        session.execute("set search_path to pg_temp, retoma")
        session.execute("select retoma.channel_disconnected('sales')")
        session.execute("select retoma.tick(%s)", (runner,))

    assert call(db, "select state from retoma.v_channel") == "disconnected"
