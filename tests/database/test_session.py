"""A session of Retoma has the values that its code counts on, whatever the server gives to others."""

import psycopg
import pytest

from retoma.database import session
from tests.support import other_servers
from tests.support.clusters import Server

COUNTED_ON = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}


def values(connection: psycopg.Connection) -> dict[str, str]:
    rows = connection.execute(
        "select name, setting from pg_settings where name = any(%s)", [list(COUNTED_ON)]
    )
    return dict(rows.fetchall())


def test_every_odd_setting_has_a_value_that_is_counted_on() -> None:
    assert COUNTED_ON.keys() == other_servers.SETTINGS_FROM_17_ON.keys()


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_session_has_them_also_after_a_rollback(server: Server, database: str, autocommit: bool) -> None:
    other_servers.set_up(server, database)

    with session.connect(database, "retoma test", autocommit=autocommit) as connection:
        connection.execute("select 1")
        connection.rollback()

        assert values(connection) == COUNTED_ON


def test_options_of_the_address_do_not_change_them(server: Server, database: str) -> None:
    separator = "&" if "?" in database else "?"

    with session.connect(f"{database}{separator}options=-c%20TimeZone%3DAsia/Tokyo", "retoma test") as one:
        assert values(one) == COUNTED_ON
