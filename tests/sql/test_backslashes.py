"""The bodies of functions are read by each session: they mean the same where a backslash escapes."""

import psycopg
import pytest

from tests.support.campaigns import Db, call, make_channel


@pytest.fixture
def old_db(db: Db) -> Db:
    """A session in which '\\s' is the letter s, as in PostgreSQL before 9.1."""
    db.execute("set standard_conforming_strings to off")
    db.execute("set escape_string_warning to off")
    return db


def test_no_body_has_a_backslash_in_a_plain_text(db: Db) -> None:
    found = db.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p inner join pg_language as l on p.prolang = l.oid
        where p.pronamespace::regnamespace::text ~ '^retoma' and l.lanname = 'plpgsql'
          and regexp_replace(p.prosrc, 'e''[^'']*''', '', 'g') ~ '[\\\\]'
        """
    ).fetchall()
    assert found == []


def test_an_opt_out_is_taken(old_db: Db) -> None:
    old_db.execute("select retoma.opt_out('+5511955510001')")

    assert call(old_db, "select count(*) from retoma_internal.suppression") == 1


def test_a_text_of_blanks_is_empty_and_a_text_of_letters_is_not(old_db: Db) -> None:
    make_channel(old_db)

    old_db.execute("select retoma.create_campaign('letters', 'sales', 'sss')")
    with pytest.raises(psycopg.Error) as refused:
        old_db.execute("select retoma.create_campaign('blanks', 'sales', chr(9) || chr(160))")

    assert refused.value.diag.constraint_name == "empty_text"
