"""Receipts of the channel sales, as a receiver records them."""

from typing import NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, advance, call, error, make_campaign, must_lease


def message_id(db: Db, ordinal: int = 1) -> str:
    return str(call(db, "select message_id from retoma.v_message where ordinal = %s", ordinal))


class Recorded(NamedTuple):
    """What record_receipts answered."""

    applied: int
    waiting: int
    refused: list[dict[str, object]]


def record(db: Db, receipts: object, channel: str = "sales") -> Recorded:
    row = db.execute("select * from retoma.record_receipts(%s, %s)", (channel, Jsonb(receipts))).fetchone()
    assert row is not None
    return Recorded(*row)


def report(db: Db, status: str, ordinal: int = 1, **facts: object) -> int:
    """Reports on a message of the channel sales. Returns how many receipts were applied."""
    receipt: dict[str, object] = {"message_id": message_id(db, ordinal), "status": status}
    return record(db, [receipt | facts]).applied


def waiting(db: Db) -> int:
    """How many receipts wait for their message."""
    return int(call(db, "select count(*) from retoma_internal.receipt_inbox"))


def totals(db: Db) -> tuple[int, int]:
    """How many messages were delivered, and read."""
    row = db.execute("select delivered, read from retoma.v_campaign_summary").fetchone()
    assert row is not None
    return (int(row[0]), int(row[1]))


def in_doubt(db: Db, runner: UUID, channel: int, size: int = 1) -> None:
    """A campaign whose first message is in doubt."""
    make_campaign(db, size=size)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
