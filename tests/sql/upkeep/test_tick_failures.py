"""A tick goes on: past a row that makes a part of it fail, past a session left open, past foreign locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    doorbells,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    silence,
    status,
    tick,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("frozen_clock")

FAILURES = "select part, state, times, campaign, sqlstate, cause from retoma.v_tick_failure order by part"


def break_function(db: Db, name: str, returns: str) -> None:
    """Puts a function that always fails in the place of this one."""
    db.execute(
        f"create or replace function retoma_internal.{name}() returns {returns} language plpgsql as"
        " $$ begin raise exception using errcode = '22012', message = 'division by zero'; end $$"
    )


@contextmanager
def left_open(database: str, statement: str) -> Iterator[Db]:
    """A session whose transaction has run this statement and does not end."""
    with psycopg.connect(database, application_name="left open") as session:
        session.execute(statement)
        yield session
        session.rollback()


def test_a_part_that_fails_is_shown_with_its_cause_and_the_others_go_on(db: Db, channel: int) -> None:
    make_runner(db)
    make_campaign(db)
    silence(db)
    original = call(db, "select pg_get_functiondef('retoma_internal.sweep_jobs()'::regprocedure)")
    break_function(db, "sweep_jobs", "int")

    assert tick(db)["rung"] == 1
    tick(db)

    assert doorbells(db) == [channel]
    assert db.execute(FAILURES).fetchall() == [("jobs", "failing", 2, None, "22012", "division by zero")]
    db.execute(original)
    move_clock(db, "1 s")
    tick(db)
    assert db.execute(FAILURES).fetchall() == [("jobs", "recovered", 2, None, "22012", "division by zero")]
    move_clock(db, "2 hours")
    tick(db)
    assert db.execute(FAILURES).fetchall() == []


def test_one_campaign_that_cannot_start_does_not_keep_the_others_waiting(db: Db, channel: int) -> None:
    for name in ("one", "two", "three"):
        make_campaign(db, name, start=False)
        db.execute("select retoma.start_campaign(%s, retoma.clock() + '1 hour')", (name,))
    db.execute(
        """
        create function public.refuse_two() returns trigger language plpgsql as
          $$ begin if new.name = 'two' then return 1 / 0; end if; return new; end $$;
        create trigger refuse_two before update on retoma_internal.campaign
        for each row execute function public.refuse_two();
        """
    )
    move_clock(db, "1 hour")

    assert tick(db)["started"] == 2

    assert db.execute(FAILURES).fetchall() == [("starts", "failing", 1, "two", "22012", "division by zero")]


def test_a_campaign_whose_zone_the_server_does_not_know_is_interrupted_and_the_others_ring(db: Db) -> None:
    make_channel(db, "sales")
    other = make_channel(db, "support")
    make_campaign(db, "lost", channels=["sales"], start=False, time_zone="America/Sao_Paulo")
    db.execute("select retoma.add_window('lost', '00:00', '24:00')")
    db.execute("select retoma.start_campaign('lost')")
    make_campaign(db, "found", channels=["support"])
    db.execute("update retoma_internal.campaign_zone set zone = 'Mars/Olympus' where zone <> ''")
    silence(db)

    assert tick(db)["rung"] == 1

    assert doorbells(db) == [other]
    make_runner(db)
    row = db.execute("select cause, reason, what_to_do from retoma.v_interrupted_campaigns").fetchone()
    assert row is not None
    assert row[:2] == ("defect", "this server does not know the time zone Mars/Olympus")
    assert "resume_campaign('lost')" in row[2]


def test_a_statement_that_is_cancelled_ends_the_whole_tick(db: Db) -> None:
    db.execute(
        "create or replace function retoma_internal.sweep_jobs() returns int language sql as"
        " 'select 1 from pg_sleep(600)'"
    )
    db.execute("set statement_timeout = '200ms'")

    with pytest.raises(psycopg.errors.QueryCanceled):
        tick(db)

    db.execute("reset statement_timeout")
    assert db.execute(FAILURES).fetchall() == []


def test_a_part_that_would_wait_for_a_session_gives_up_and_says_whose_it_is(
    db: Db, database: str, runner: UUID
) -> None:
    make_channel(db)
    make_campaign(db)
    silence(db)
    with left_open(database, "lock table retoma_internal.receipt_inbox in access exclusive mode") as session:
        assert tick(db, runner)["rung"] == 1

        row = db.execute(
            "select part, sqlstate, blocked_by from retoma.v_tick_failure where part = 'receipts'"
        ).fetchone()
        assert row is not None
        assert row[:2] == ("receipts", "55P03")
        assert f"session {session.info.backend_pid} of role" in row[2]
        assert "left open" in row[2]
        assert "idle in transaction" in row[2]
        seen = db.execute("select pid, application, tables from retoma.v_open_transaction").fetchall()
        assert seen == [(session.info.backend_pid, "left open", ["receipt_inbox"])]
        assert call(db, "select state from retoma.v_tick") == "failing"


@pytest.mark.parametrize(
    "statement",
    [
        "select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')",
        "select retoma.pause_channel('sales')",
        "select retoma.pause_campaign('natal')",
        "select retoma.resolve_in_doubt('natal', 'sent')",
        "select from retoma_internal.batch for update",
        "select from procrastinate.procrastinate_jobs for update",
        "update retoma_internal.runner set name = 'renamed'",
    ],
)
def test_a_transaction_left_open_holds_up_only_what_it_has_locked(
    db: Db, database: str, statement: str
) -> None:
    for name, campaign in (("sales", "natal"), ("support", "care")):
        channel = make_channel(db, name)
        make_campaign(db, campaign, size=2, batch_size=1, channels=[name])
        with psycopg.connect(database, autocommit=True) as doomed:
            advance(doomed, must_lease(doomed, make_runner(doomed, name), channel), want=1)
    wait_until(lambda: call(db, "select count(*) from retoma_internal.connected_runners()") == 0)
    db.execute("set statement_timeout = '60s'")
    if "from retoma_internal.batch" in statement:
        statement = statement.replace("for", "where id <= 2 for")
    with left_open(database, statement):
        tick(db, make_runner(db, "me"))
        assert books(db, "care") == {"in_doubt": 1, "pending": 1}

    move_clock(db, "1 s")
    tick(db)
    tick(db)
    assert books(db) == {"in_doubt": 1, "pending": 1}


def test_the_turn_of_the_tick_cannot_be_kept(db: Db, database: str) -> None:
    make_channel(db)
    make_campaign(db)
    runner = make_runner(db)
    with psycopg.connect(database) as other:
        tick(other)
        assert tick(db, runner)["rung"] is None
        move_clock(db, "3 s")

        assert tick(db, runner)["rung"] == 0

        assert call(db, "select state from retoma.v_tick") == "ok"


def test_advisory_locks_of_others_stop_no_tick_no_ring_and_no_runner(db: Db, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as colleague:
        colleague.execute("grant retoma_monitor to current_user")
        colleague.execute("set role retoma_monitor")
        colleague.execute(
            "select pg_advisory_lock(1380275021, n), pg_advisory_lock(1380275026, n)"
            " from generate_series(0, 300) as n"
        )
        colleague.execute("select pg_advisory_lock(hashtext('retoma_internal.ensure_partition'))")
        db.execute("set statement_timeout = '60s'")
        channel = make_channel(db)
        make_campaign(db)
        runner = make_runner(db)
        assert doorbells(db) == [channel]
        silence(db)

        assert tick(db, runner)["rung"] == 1

        assert doorbells(db) == [channel]
        assert call(db, "select state from retoma.v_runner") == "alive"


def test_a_session_that_copies_the_lock_of_a_runner_does_not_keep_it_alive(
    db: Db, database: str, channel: int
) -> None:
    make_campaign(db)
    with psycopg.connect(database, autocommit=True) as copier:
        with psycopg.connect(database, autocommit=True) as doomed:
            must_lease(doomed, make_runner(doomed), channel)
            copier.execute(
                "select pg_advisory_lock_shared(classid::bigint::int, objid::bigint::int) from pg_locks"
                " where locktype = 'advisory' and pid = %s",
                (doomed.info.backend_pid,),
            )
            pid = doomed.info.backend_pid
        wait_until(lambda: not call(db, "select exists (select from pg_stat_activity where pid = %s)", pid))

        assert call(db, "select state from retoma.v_runner") == "gone"
        assert tick(db)["reaped"] == 1


def test_the_last_tick_is_visible_and_alarming(db: Db, database: str) -> None:
    state = "select state, reason, runners_alive from retoma.v_tick"
    assert db.execute(state).fetchone() == (
        "no_runner",
        "no runner is alive, so no runner repairs or wakes anything",
        0,
    )
    runner = make_runner(db)
    tick(db, runner)
    assert db.execute(state).fetchone() == ("ok", None, 1)
    assert call(db, "select last_tick_at = retoma.clock() from retoma.v_tick") is True

    move_clock(db, "11 s")

    with left_open(database, "lock table retoma_internal.turn in access exclusive mode") as session:
        with pytest.raises(psycopg.errors.LockNotAvailable):
            tick(db, runner)
        late = db.execute(state).fetchone()
        assert late is not None
        assert (late[0], late[2]) == ("late", 1)
        assert f"session {session.info.backend_pid} of role" in late[1]
        assert "left open" in call(db, "select retoma.blocking_session()")
    tick(db, runner)
    assert db.execute(state).fetchone() == ("ok", None, 1)


def test_a_lease_that_the_rules_cannot_settle_is_broken_and_its_campaign_says_why(
    db: Db, database: str
) -> None:
    for name in ("sales", "support"):
        channel = make_channel(db, name, gap_min_s=1)
        make_campaign(db, f"of {name}", channels=[name])
        with psycopg.connect(database, autocommit=True) as doomed:
            advance(doomed, must_lease(doomed, make_runner(doomed, name), channel), want=1)
    wait_until(lambda: call(db, "select count(*) from retoma_internal.connected_runners()") == 0)
    db.execute(
        "create or replace function retoma_internal.start_gap("
        " p_channel_id int, p_now timestamptz, p_accepted boolean)"
        " returns void language plpgsql as $$ begin perform 1 / (p_channel_id - 1); end $$"
    )

    assert tick(db)["reaped"] == 2

    make_runner(db)
    assert books(db, "of sales") == books(db, "of support") == {"in_doubt": 1, "pending": 2}
    assert status(db, "of support") == "running"
    row = db.execute("select campaign, cause, reason from retoma.v_interrupted_campaigns").fetchone()
    assert row == ("of sales", "defect", "batch 1: division by zero")
    why = "select code, why from retoma.v_event where to_state = 'broken'"
    assert db.execute(why).fetchall() == [("runner_gone", "division by zero")]
