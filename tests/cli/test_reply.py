"""`retoma reply` as a user sees it."""

import json

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import call, make_channel
from tests.support.command import retoma


@pytest.fixture
def waiting(db: psycopg.Connection) -> int:
    """A reply that may be an opt-out, of a hidden number; before it, one that waits for nobody."""
    make_channel(db)
    replies = [
        {"address": "1@lid", "text": "oi, tudo bem?"},
        {"address": "2@lid", "text": "vou sair\nagora \x1b[2J"},
    ]
    for reply in replies:
        db.execute("select * from retoma.record_inbound('sales', %s)", [Jsonb([reply])])
    found: int = call(db, "select max(reply_id) from retoma.v_reply")
    return found


def test_those_that_wait_are_listed_and_move_no_cursor(database: str, waiting: int) -> None:
    listed = retoma("reply", "list", database_url=database)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert "vou sair agora [2J" in listed.stdout
    assert "\x1b" not in listed.stdout
    assert "tudo bem" not in listed.stdout
    assert "tudo bem" in retoma("reply", "list", "--all", database_url=database).stdout
    (shown,) = json.loads(retoma("reply", "list", "--json", database_url=database).stdout)
    assert (shown["reply_id"], shown["text"]) == (waiting, "vou sair\nagora \x1b[2J")


def test_a_person_decides(database: str, db: psycopg.Connection, waiting: int) -> None:
    hidden = retoma("reply", "resolve", str(waiting), "--as", "opt_out", database_url=database)
    assert (hidden.returncode, hidden.stdout) == (1, "")

    decided = retoma(
        *("reply", "resolve", str(waiting), "--as", "opt_out", "--phone", "+5511955501204"),
        database_url=database,
    )

    assert (decided.returncode, decided.stderr) == (0, "")
    assert decided.stdout == f"Reply {waiting}: opted_out; no campaign contacts this person any more.\n"
    assert call(db, "select count(*) from retoma.v_suppression where phone = '+5511955501204'") == 1
    assert retoma("reply", "list", database_url=database).stdout == "No reply waits for a person.\n"


def test_a_reply_that_is_no_opt_out_is_settled(database: str, waiting: int) -> None:
    kept = retoma("reply", "resolve", str(waiting), "--as", "no_opt_out", "--json", database_url=database)

    assert json.loads(kept.stdout) == {"reply_id": waiting, "state": "settled"}
    unknown = retoma("reply", "resolve", "999", "--as", "no_opt_out", database_url=database)
    assert unknown.stderr.startswith("error: there is no reply 999\n")
