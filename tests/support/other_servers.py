"""Databases as other people set them up."""

from typing import LiteralString

import psycopg
from psycopg import sql

from tests.support.clusters import Server

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "client_encoding": "WIN1252",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1h",
    "lock_timeout": "1h",
    "idle_in_transaction_session_timeout": "1h",
    "idle_session_timeout": "1h",
}
SETTINGS_FROM_17_ON = {**SETTINGS, "transaction_timeout": "1h"}


def set_up(server: Server, url: str) -> None:
    """Gives a database odd settings; the sessions that begin from now on have them."""
    _alter(server, url, "set {} to {}")


def take_back(server: Server, url: str) -> None:
    """Takes them from the database again."""
    _alter(server, url, "reset {}")


def _alter(server: Server, url: str, change: LiteralString) -> None:
    name = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        new = connection.info.server_version >= 170_000
        for setting, value in (SETTINGS_FROM_17_ON if new else SETTINGS).items():
            changed = sql.SQL(change).format(sql.Identifier(setting), sql.Literal(value))
            connection.execute(sql.SQL("alter database {} {}").format(name, changed))
