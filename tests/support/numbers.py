"""Questions about numbers, and what providers answer."""

from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    call,
    make_channel,
    move_clock,
    phone,
)

GOWS: dict[str, object] = {
    "base_url": "http://127.0.0.1",
    "session": "loja",
    "engine": "GOWS",
    "store": True,
    "check_gap_s": 2,
}
NO_GAPS = {"gap_min_s": 0, "batch_gap_min_s": 0, "max_in_flight": 300, "burst": 300}


def gateway(db: Db, name: str = "sales", **settings: object) -> int:
    """A channel whose provider is asked about numbers."""
    return make_channel(db, name, "waha", GOWS | settings, **NO_GAPS)


def ask(db: Db, runner: UUID | None = None) -> list[dict[str, Any]]:
    """The questions that are due for a runner; any by default."""
    query = "select * from retoma.numbers_to_check(coalesce(%s::uuid, gen_random_uuid()))"
    return db.cursor(row_factory=dict_row).execute(query, [runner]).fetchall()


def ask_one(db: Db) -> dict[str, Any]:
    (row,) = ask(db)
    return row


def answer(db: Db, asked: dict[str, Any], *answers: dict[str, object]) -> None:
    db.execute(
        "select retoma.record_numbers(%s, %s, %s)", (asked["channel_id"], asked["asked_at"], Jsonb(answers))
    )


def found(number: int, address: str | None = None) -> dict[str, object]:
    """The number of this recipient is on WhatsApp."""
    return {"phone": phone(number), "exists": True, "address": address}


def missing(number: int) -> dict[str, object]:
    return {"phone": phone(number), "exists": False}


def unanswered(number: int) -> dict[str, object]:
    return {"phone": phone(number), "exists": None}


def answer_all(db: Db, *special: dict[str, object]) -> None:
    """Answers whatever is due until nothing is: all numbers are found, but for the special ones."""
    differs = {row["phone"]: row for row in special}
    while rows := ask(db):
        for row in rows:
            answer(db, row, *(differs.get(p, {"phone": p, "exists": True}) for p in row["phones"]))
        move_clock(db, "10 s")


def handed_out(db: Db, leased: Any, want: int = 10) -> list[list[Any]]:
    """The messages of a step as a runner gets them."""
    return list(
        call(db, "select messages from retoma.advance_batch(%s, %s, %s, '[]', %s)", *leased.fence, want) or []
    )
