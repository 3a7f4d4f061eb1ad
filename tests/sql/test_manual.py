"""The schema explains itself and keeps its own rules: comments, search_path, size of functions."""

from tests.support.campaigns import Db

LONG = {
    # One statement: the outcome, the receipt and the counters of a delivery change together or not at all.
    "apply_receipts",
    # A receipt bears our id or theirs, and PostgreSQL writes both subqueries out column by column.
    "receipt_targets",
    # One decision over all classes of error, with its eight parameters on one line each.
    "apply_error",
    # One statement: what several reports say of one address is joined before a row is locked, once.
    "learn_aliases",
    # One statement, so that a file is taken by one runner: PostgreSQL writes its columns out one by one.
    "media_to_upload",
}
"""Functions over 60 lines, each with the reason why."""


def test_every_object_of_the_schema_has_a_comment(db: Db) -> None:
    silent = db.execute(
        """
        select 'schema' as kind, n.nspname::text as name from pg_namespace as n
        where n.nspname in ('retoma', 'retoma_internal') and obj_description(n.oid, 'pg_namespace') is null
        union all
        select 'relation', c.relname::text from pg_class as c
        where c.relnamespace::regnamespace::text ~ '^retoma' and c.relkind in ('r', 'p', 'v')
          and not c.relispartition and obj_description(c.oid, 'pg_class') is null
        union all
        select 'function', p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text ~ '^retoma' and obj_description(p.oid, 'pg_proc') is null
        """
    ).fetchall()
    assert silent == []


def test_functions_that_people_and_runners_call_tell_their_errors(db: Db) -> None:
    silent = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text ~ '^retoma' and p.prosrc ~ 'errcode'
          and p.prorettype <> 'trigger'::regtype
          and obj_description(p.oid, 'pg_proc') !~ '(Error|Errors|Raises):? RT0'
        """
    ).fetchall()
    assert silent == []


def test_every_plpgsql_function_pins_its_search_path(db: Db) -> None:
    loose = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        inner join pg_language as l on p.prolang = l.oid
        where p.pronamespace::regnamespace::text ~ '^retoma' and l.lanname = 'plpgsql'
          and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
        """
    ).fetchall()
    assert loose == []


def test_every_security_definer_function_pins_its_search_path(db: Db) -> None:
    loose = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text ~ '^retoma' and p.prosecdef
          and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
        """
    ).fetchall()
    assert loose == []


def test_every_sql_function_is_parsed_at_its_creation(db: Db) -> None:
    unparsed = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        inner join pg_language as l on p.prolang = l.oid
        where p.pronamespace::regnamespace::text ~ '^retoma' and l.lanname = 'sql' and p.prosqlbody is null
        """
    ).fetchall()
    assert unparsed == []


def test_a_function_fits_a_screen(db: Db) -> None:
    rows = db.execute(
        """
        select
          p.proname::text,
          max(cardinality(string_to_array(trim(pg_get_functiondef(p.oid), E'\n'), E'\n')))
        from pg_proc as p where p.pronamespace::regnamespace::text ~ '^retoma' and p.prokind = 'f' group by 1
        """
    ).fetchall()
    longer = {name: lines for name, lines in rows if lines > 60}
    assert set(longer) == LONG, longer


def test_functions_that_build_statements_quote_what_they_put_in(db: Db) -> None:
    concatenated = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text ~ '^retoma' and p.prosrc ~* '\\yexecute\\s+[^f]'
        """
    ).fetchall()
    assert concatenated == []


def test_every_refusal_has_an_errcode_a_message_and_a_hint(db: Db) -> None:
    bare = db.execute(
        """
        select p.proname::text, r[1]
        from pg_proc as p, regexp_matches(p.prosrc, '(raise exception[^;]*;)', 'g') as r
        where p.pronamespace::regnamespace::text ~ '^retoma'
          and not (r[1] ~ 'errcode = ''RT' and r[1] ~ 'message =' and r[1] ~ 'hint =')
        """
    ).fetchall()
    assert bare == []
