"""What waits for a session that was left open says so, and whose session it is."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import Db, advance, call, make_campaign, make_channel, must_lease
from tests.support.waiting import wait_until

WAITING = "select campaign, cause, reason, waits_until from retoma.v_waiting_campaigns order by campaign"


@pytest.mark.parametrize("reader", ["retoma_operator", "retoma_monitor"])
def test_a_campaign_says_whose_session_keeps_its_channel_locked(
    db: Db, database: str, runner: UUID, reader: str
) -> None:
    make_channel(db)
    make_channel(db, "other")
    make_campaign(db)
    make_campaign(db, "both", channels=["sales", "other"])
    make_campaign(db, "elsewhere", channels=["other"])
    db.execute(f"set role {reader}")
    assert db.execute(WAITING).fetchall() == []
    with psycopg.connect(database, application_name="lunch break") as session:
        session.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")
        wait_until(lambda: db.execute(WAITING).fetchall())

        both, natal = db.execute(WAITING).fetchall()
        words = f"channel sales is locked by session {session.info.backend_pid} of role "
        assert (both[0], natal[0]) == ("both", "natal")
        assert (natal[1], natal[3]) == ("lock", None)
        assert natal[2].startswith(words)
        assert "(lunch break), idle in transaction, since " in natal[2]
        assert both[2].startswith(words)
        assert both[2].endswith("; its other channels go on")
        summary = "select reason from retoma.v_campaign_summary where campaign = 'natal'"
        assert call(db, summary) == natal[2]

        session.rollback()

    assert db.execute(WAITING).fetchall() == []


def test_a_lease_whose_channel_is_locked_is_not_taken_for_a_frozen_runner(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    advance(db, must_lease(db, runner, channel), want=1)
    db.execute("update retoma_internal.batch set lease_expires_at = retoma.clock()")
    with psycopg.connect(database) as session:
        session.execute("select retoma.resume_channel('sales')")
        wait_until(lambda: call(db, "select max(cause) from retoma.v_waiting_campaigns") == "lock")


@pytest.mark.usefixtures("channel", "runner")
def test_a_campaign_whose_batches_are_locked_says_so(db: Db, database: str) -> None:
    make_campaign(db, size=4, batch_size=2)
    make_campaign(db, "free")
    with psycopg.connect(database) as session:
        session.execute("select retoma.cancel_campaign('natal')")
        wait_until(lambda: db.execute(WAITING).fetchall())

        ((campaign, cause, reason, _),) = db.execute(WAITING).fetchall()
        assert (campaign, cause) == ("natal", "lock")
        assert reason.startswith(f"its batches are locked by session {session.info.backend_pid} of role ")


@pytest.mark.usefixtures("channel", "runner")
def test_what_keeps_nothing_from_being_sent_is_not_blamed(db: Db, database: str) -> None:
    make_campaign(db)
    with psycopg.connect(database) as session, psycopg.connect(database) as reader:
        session.execute("select retoma.create_campaign('new', 'sales', 'Olá')")
        reader.execute("select * from retoma.v_channel")
        old = (
            "select min(clock_timestamp() - since) > interval '4 s' from retoma_internal.open_transactions()"
        )
        wait_until(lambda: call(db, old))

        assert db.execute(WAITING).fetchall() == []


def test_an_ended_or_unknown_transaction_is_not_in_progress(db: Db) -> None:
    in_progress = "select retoma_internal.is_in_progress(%s::text::xid)"
    ended = call(db, "select pg_current_xact_id()::xid::text")

    assert not call(db, in_progress, ended)
    assert [call(db, in_progress, xid) for xid in ("0", "1", "2", "3", "4294967295")] == [False] * 5
    with db.transaction():
        assert call(db, in_progress, call(db, "select pg_current_xact_id()::xid::text"))


@pytest.mark.usefixtures("channel")
def test_a_locked_row_is_seen_at_once_also_when_nothing_else_happens_on_the_server(
    db: Db, database: str
) -> None:
    locked = "select retoma_internal.is_in_progress(xmax) from retoma_internal.channel_pacing"
    assert not call(db, locked)
    with psycopg.connect(database) as session:
        # Its locks are those of a subtransaction that is over.
        session.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")
        assert call(db, locked)
        session.rollback()
    assert not call(db, locked)


def test_only_sessions_that_hold_up_others_are_listed(db: Db, database: str, channel: int) -> None:
    make_campaign(db)
    listed = "select application from retoma.v_open_transaction order by 1"
    with (
        psycopg.connect(database, application_name="retoma runner") as own,
        psycopg.connect(database, application_name="retoma runner", autocommit=True) as busy,
        psycopg.connect(database, application_name="left open") as left,
    ):
        left.execute("select from retoma_internal.batch for update")
        busy.execute("select")
        assert db.execute(listed).fetchall() == [("left open",)]
        own.execute("select from retoma_internal.channel for update")
        assert db.execute(listed).fetchall() == [("left open",), ("retoma runner",)]


def test_statements_under_way_are_listed_after_seconds_unless_they_are_a_runner_s(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db)
    names = ("a report", "retoma runner")
    listed = "select application from retoma.v_open_transaction"
    holders = "from retoma_internal.lock_holders() where state = 'active'"
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        sessions = [stack.enter_context(psycopg.connect(database, application_name=name)) for name in names]
        for session in sessions:
            pool.submit(session.execute, "select pg_sleep(60), 1 from retoma_internal.batch for key share")
        try:
            wait_until(lambda: call(db, f"select count(*) {holders}") == 2)
            wait_until(lambda: db.execute(listed).fetchall())
            old = f"select min(clock_timestamp() - since) > interval '5 s' {holders}"
            wait_until(lambda: call(db, old))

            assert db.execute(listed).fetchall() == [("a report",)]
        finally:
            db.execute(f"select pg_cancel_backend(pid) {holders}")
