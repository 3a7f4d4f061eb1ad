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
