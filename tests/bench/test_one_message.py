"""A bench counts only messages that were sent."""

import os
from pathlib import Path

import psycopg
import pytest

from tests.bench.one_message import CONNECTIONS, _bare_in_parallel
from tests.bench.server import Server


def test_rows_that_could_not_be_inserted_are_not_counted(database: str, db: psycopg.Connection) -> None:
    server = Server(database, os.getpid(), Path())
    db.execute("create table source (ordinal int)")
    db.execute("create table bare (ordinal int check (ordinal < 4))")
    db.execute("insert into source select generate_series(1, %s)", (CONNECTIONS,))

    with pytest.raises(psycopg.errors.CheckViolation):
        _bare_in_parallel(server, 1)
