"""Several sessions of one database at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from tests.support.campaigns import Db, call


@contextmanager
def sessions(database: str, count: int) -> Iterator[list[Db]]:
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(database, autocommit=True)) for _ in range(count)]


def waits(observer: Db, session: Db) -> bool:
    """Whether a session waits for a lock."""
    return bool(call(observer, "select cardinality(pg_blocking_pids(%s)) > 0", session.info.backend_pid))


def wait_patiently(db: Db) -> None:
    """Lets functions wait a minute for a lock: on a busy machine, a test needs more than their second."""
    wait_for_locks(db, "60s")


def wait_for_locks(db: Db, at_most: str) -> None:
    """Gives all public functions that have a bound this one.

    Args:
        at_most: how long one of them waits for a lock, for example "60s".
    """
    functions = db.execute(
        "select oid::regprocedure::text from pg_proc, unnest(proconfig) as c"
        " where pronamespace = 'retoma'::regnamespace and c like 'lock_timeout=%%'",
        (),
    ).fetchall()
    for (function,) in functions:
        db.execute(f"alter function {function} set lock_timeout to '{at_most}'")
