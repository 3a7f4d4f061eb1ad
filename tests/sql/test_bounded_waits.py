"""No public function waits for a lock without bound; operators read whose session they have waited for."""

import psycopg
import pytest
from psycopg import sql

from tests.sql.test_strange_values import Call, chosen, statement, world
from tests.support.campaigns import Db, call
from tests.support.concurrency import wait_for_locks

BOUNDS = """
select
  p.oid::regprocedure::text,
  exists (select from unnest(p.proconfig) as c where c like 'lock_timeout=%'),
  p.prosrc like '%
  when lock_not_available then
    perform retoma_internal.refuse_locked();
%end;%',
  has_function_privilege('retoma_runner', p.oid, 'execute')
from pg_proc as p
where p.pronamespace = 'retoma'::regnamespace and p.provolatile = 'v' and p.prorettype <> 'trigger'::regtype
  and (
    has_function_privilege('retoma_runner', p.oid, 'execute')
    or has_function_privilege('retoma_operator', p.oid, 'execute')
  )
order by 1
"""
# Reading, the state of the server, and calls of the function of the same name that has a bound.
UNBOUNDED = {"blocking_session()", "cleanup()", "clock()", "forecast(text)"}


@pytest.fixture
def calls(db: Db) -> list[Call]:
    return world(db)


def operators_functions(db: Db) -> set[str]:
    return {name.split("(")[0] for name, _, _, is_runner_s in db.execute(BOUNDS) if not is_runner_s}


def test_every_function_that_writes_has_a_bound_and_those_of_operators_have_words(db: Db) -> None:
    unbounded, wordless = set(), set()
    db.execute("set search_path to retoma, pg_catalog")
    for name, is_bounded, has_words, is_runner_s in db.execute(BOUNDS):
        if not is_bounded:
            unbounded.add(name)
        elif not has_words and not is_runner_s:
            wordless.add(name)

    assert unbounded == UNBOUNDED
    # Its one statement calls the other function of this name.
    assert {name.split("(")[0] for name in wordless} == {"create_campaign"}
    assert len(wordless) == 1


def test_what_a_session_keeps_locked_is_refused_in_words(db: Db, database: str, calls: list[Call]) -> None:
    db.execute("set search_path to retoma, pg_catalog")
    mine = operators_functions(db) - {"forecast", "clock"}
    wait_for_locks(db, "50ms")
    tables = call(
        db,
        "select string_agg(oid::regclass::text, ', ' order by oid) from pg_class"
        " where relnamespace::regnamespace::text ~ '^retoma' and relkind in ('r', 'p') and not relispartition"
        " and relname not in ('setting', 'runner', 'channel_group')",
    )
    waited: dict[str, list[psycopg.Error]] = {}
    with psycopg.connect(database, application_name="lunch break") as session:
        session.execute(f"set search_path to retoma; lock table {tables} in exclusive mode")
        for function, arguments, _ in chosen(db, calls):
            if function.name in mine:
                waited.setdefault(function.name, []).append(refusal(db, *statement(function, arguments)))
        pid = session.info.backend_pid

    assert set(waited) == mine
    for name, error in [(name, error) for name, errors in waited.items() for error in errors]:
        assert error.sqlstate == "RT006", (name, error)
        assert f"session {pid} of role" in (error.diag.message_primary or "")
        assert "(lunch break), idle in transaction, since" in (error.diag.message_primary or "")
        assert "v_open_transaction" in (error.diag.message_hint or "")


def refusal(db: Db, query: sql.Composed, arguments: list[object]) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught, db.transaction(force_rollback=True):
        db.execute(query, arguments)
    return caught.value
