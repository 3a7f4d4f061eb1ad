"""Blocks go into a draft one after the other, and all of them or none."""

from collections.abc import Iterator

import psycopg
import pytest

from retoma.importer.load import Block, Loaded, load
from tests.support.campaigns import Db, call, make_campaign, make_channel, phone


def block(*rows: tuple[int, str, str, str]) -> Block:
    """Rows of (line, phone, variables, zone)."""
    return Block(*map(list, zip(*rows, strict=True)))


@pytest.fixture
def draft(db: Db) -> int:
    make_channel(db)
    return make_campaign(db, size=0, start=False)


def audience(db: Db) -> list[tuple[int, str, dict[str, str], str | None]]:
    return db.execute(
        "select ordinal, phone, variables, zone from retoma_internal.message order by ordinal"
    ).fetchall()


def test_ordinals_go_on_and_numbers_are_merged_from_block_to_block(db: Db, draft: int) -> None:
    blocks = [
        block((2, phone(1), '{"name": "Ana"}', "America/Sao_Paulo"), (3, phone(1), "{}", "")),
        block((4, phone(2), "{}", "Atlantic/Azores,Europe/Lisbon"), (5, phone(1), '{"name": "Bia"}', "")),
        block((6, phone(3), "{}", "")),
        Block(),
    ]

    assert load(db, "natal", blocks) == Loaded(accepted=3, duplicates=2, rejected=0)

    assert audience(db) == [
        (1, phone(1), {"name": "Ana"}, "America/Sao_Paulo"),
        (2, phone(2), {}, "Atlantic/Azores,Europe/Lisbon"),
        (3, phone(3), {}, None),
    ]
    assert call(db, "select total from retoma_internal.campaign") == 3


def test_the_database_does_not_trust_a_block(db: Db, draft: int) -> None:
    rows = [
        (2, "11955501234", "{}", ""),
        (3, phone(1), "[]", ""),
        (4, phone(2), "{}", "Mars/Base"),
        (5, phone(3), "{}", ""),
    ]

    assert load(db, "natal", [block(*rows)]) == Loaded(accepted=1, duplicates=0, rejected=3)

    rejects = db.execute("select line, phone from retoma.recipient_reject order by line").fetchall()
    assert rejects == [(2, "11955501234"), (3, phone(1)), (4, phone(2))]


def test_an_error_on_the_way_leaves_nothing_of_earlier_blocks(db: Db, draft: int) -> None:
    def blocks() -> Iterator[Block]:
        yield block((2, phone(1), "{}", ""))
        yield block((3, phone(2), "{}", ""))
        raise RuntimeError("the file broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        load(db, "natal", blocks())

    assert audience(db) == []


def test_a_block_that_the_database_refuses_leaves_nothing_of_earlier_ones(db: Db, draft: int) -> None:
    blocks = [block((2, phone(1), "{}", "")), block((3, phone(2), "{", "")), block((4, phone(3), "{}", ""))]

    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        load(db, "natal", blocks)

    assert audience(db) == []


def test_no_block_is_asked_for_when_the_campaign_takes_no_recipients(db: Db) -> None:
    blocks = iter([Block()])

    with pytest.raises(psycopg.Error) as refusal:
        load(db, "unknown", blocks)

    assert refusal.value.sqlstate == "RT001"
    assert next(blocks, None) is not None
