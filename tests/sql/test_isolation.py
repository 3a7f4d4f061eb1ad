"""A transaction that keeps one snapshot is told what to do, by every function that people or runners call."""

import psycopg
import pytest

from tests.support.campaigns import Db, make_campaign, make_channel

# With arguments that would be taken.
CALLS: dict[str, str] = {
    "add_recipients": "retoma.add_recipients('draft', '[{\"phone\": \"+15550100\"}]')",
    "add_window": "retoma.add_window('draft', '09:00', '18:00')",
    "advance_batch": "retoma.advance_batch(gen_random_uuid(), 1, 1)",
    "campaign_content": "retoma.campaign_content('natal')",
    "cancel_campaign": "retoma.cancel_campaign('natal')",
    "channel_connected": "retoma.channel_connected('sales')",
    "channel_disconnected": "retoma.channel_disconnected('sales')",
    "channel_settings": "retoma.channel_settings('sales')",
    "cleanup": "retoma.cleanup()",
    "clear_recipients": "retoma.clear_recipients('draft')",
    "configure_campaign": "retoma.configure_campaign('natal', '{}')",
    "configure_channel": "retoma.configure_channel('sales')",
    "confirmations_to_send": "retoma.confirmations_to_send(gen_random_uuid())",
    "create_campaign": "retoma.create_campaign('new', 'sales', 'Olá')",
    "create_channel": "retoma.create_channel('new', 'null')",
    "forecast": "retoma.forecast('natal')",
    "lease_batch": "retoma.lease_batch(gen_random_uuid(), 1)",
    "load_staged": "retoma.load_staged('draft')",
    "media_add": "retoma.media_add('a.txt', 'Olá')",
    "media_remove": "retoma.media_remove('a.txt')",
    "numbers_to_check": "retoma.numbers_to_check(gen_random_uuid())",
    "opt_in_list": "retoma.opt_in_list(array['+15550100'], 'web form')",
    "opt_out_list": "retoma.opt_out_list(array['+15550100'])",
    "opt_in": "retoma.opt_in('+15550100', 'web form')",
    "opt_out": "retoma.opt_out('+15550100')",
    "pause_campaign": "retoma.pause_campaign('natal')",
    "pause_channel": "retoma.pause_channel('sales')",
    "record_aliases": "retoma.record_aliases('sales', '[]')",
    "record_confirmation": 'retoma.record_confirmation(1, \'{"status": "accepted"}\')',
    "record_content_check": "retoma.record_content_check(1, 1, '{}')",
    "record_numbers": "retoma.record_numbers(1, now(), '[]')",
    "record_rendering": "retoma.record_rendering(1, 1, 1, 0, 1, '[]')",
    "record_inbound": "retoma.record_inbound('sales', '[]')",
    "record_lookups": "retoma.record_lookups(1, '[]')",
    "record_template_reports": "retoma.record_template_reports('sales', '[]')",
    "record_account": "retoma.record_account(1, now(), '{}')",
    "record_templates": "retoma.record_templates(1, now(), '[]')",
    "record_upload": "retoma.record_upload(1, '', now(), '1')",
    "record_receipts": "retoma.record_receipts('sales', '[]')",
    "register_runner": "retoma.register_runner(gen_random_uuid(), 'r1')",
    "remove_window": "retoma.remove_window('draft', '09:00', '18:00')",
    "resolve_reply": "retoma.resolve_reply(1, 'opt_out')",
    "sample_recipients": "retoma.sample_recipients('draft')",
    "resolve_in_doubt": "retoma.resolve_in_doubt('natal', 'sent')",
    "resume_campaign": "retoma.resume_campaign('natal')",
    "resume_channel": "retoma.resume_channel('sales')",
    "retry_failed": "retoma.retry_failed('natal')",
    "group_channel": "retoma.group_channel('sales', 'shop')",
    "set_limit": "retoma.set_limit('channel', 'sales', 100)",
    "start_campaign": "retoma.start_campaign('draft')",
    "tick": "retoma.tick()",
    "unregister_runner": "retoma.unregister_runner(gen_random_uuid())",
}

ELSEWHERE = {
    "blocking_session": "reads",
    "clock": "reads the clock",
    "discard_staged": "removes rows, whatever they hold",
    "give_up_batch": "knows its lease before all else",
    "refuse_channel": "adds a row",
    "remove_error_rule": "removes a row, whatever it holds",
    "remove_reply_word": "removes a row, whatever it holds",
    "installed_versions": "reads what is installed",
    "contents_to_check": "reads; two runners may check the same content",
    "recipients_to_render": "reads; two runners may render the same page",
    "due_lookups": "reads; asking twice is harmless",
    "claim_doorbells": "takes rings that nobody else is taking",
    "refresh_channel": "brings a time forward",
    "media_to_upload": "takes a turn that no other runner has",
    "medium_bytes": "reads bytes that never change",
    "readings_due": "takes a turn that no other runner has",
    "refuse_content": "knows its lease before all else",
    "release_batch": "knows its lease before all else",
    "ring": "rings; it also runs inside the functions above",
}
"""Functions that decide nothing by what they read."""


def test_every_function_of_the_roles_is_listed_here(db: Db) -> None:
    granted = db.execute(
        "select distinct p.proname::text from pg_proc as p, pg_roles as r"
        " where p.pronamespace = 'retoma'::regnamespace and r.rolname like 'retoma%'"
        " and has_function_privilege(r.oid, p.oid, 'execute')"
    )
    assert {name for (name,) in granted} == CALLS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_functions_refuse_a_snapshot_that_is_kept(db: Db, subtests: pytest.Subtests, level: str) -> None:
    make_channel(db)
    make_campaign(db, "natal")
    make_campaign(db, "draft", start=False)
    db.execute(f"set default_transaction_isolation to '{level}'".encode())
    for name, statement in CALLS.items():
        with subtests.test(name), pytest.raises(psycopg.Error) as refused:
            db.execute(f"select {statement}".encode())
        assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("RT002", "wrong_isolation")
        assert refused.value.diag.message_primary == (
            f"this transaction is {level}, and Retoma decides by what is committed now"
        )
        assert "begin isolation level read committed" in (refused.value.diag.message_hint or "")


def test_two_operators_who_set_one_limit_cannot_work_on_the_same_old_snapshot(db: Db, database: str) -> None:
    make_channel(db)
    with psycopg.connect(database) as old:
        old.execute("set transaction isolation level repeatable read")
        old.execute("select from retoma.setting")
        db.execute("select retoma.set_limit('channel', 'sales', 100)")

        with pytest.raises(psycopg.Error) as refused:
            old.execute("select retoma.set_limit('channel', 'sales', 50)")

    assert refused.value.sqlstate == "RT002"


def test_views_can_be_read_under_one_snapshot(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    with db.transaction():
        db.execute("set transaction isolation level repeatable read")
        assert db.execute("select campaign from retoma.v_campaign_summary").fetchall() == [("natal",)]
