"""Runners render a content for all its recipients before it is sent, and count who would get none."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import structlog
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.runner.calls import Database
from retoma.runner.rendering import Rendering
from tests.runner.conftest import checking, until
from tests.support.campaigns import (
    Db,
    call,
    check_content,
    make_campaign,
    make_channel,
    make_runner,
    phone,
    status,
)
from tests.support.renderers import with_defect
from tests.support.waiting import DEADLINE_S

PLAIN = "Oi {{ name }}"
LIQUID = "Oi {{ name | date: '%d/%m' }}"


@asynccontextmanager
async def rendering(
    database: str, kind: type[Database] = Database, *, is_sending: bool = False
) -> AsyncIterator[Rendering]:
    """What one runner renders, a round at a time."""
    pool = kind(database, 1, asyncio.Event())
    await pool.open()
    rounds = Rendering(pool, lambda: is_sending)
    yield rounds
    await rounds.aclose()
    await pool.close()


def campaign(
    db: Db, text: str, people: Sequence[Mapping[str, object]], *, maximum: int = 4096, start: bool = False
) -> None:
    """A campaign on a channel that takes so many characters, its text checked, with these variables."""
    db.execute("insert into retoma.content_limit values ('null', 'text', 'text', %s, '')", (maximum,))
    make_channel(db)
    check_content(db, call(db, "select retoma.create_campaign('natal', 'sales', %s)", text), text)
    recipients = [{"phone": phone(n), "variables": v} for n, v in enumerate(people, 1)]
    db.execute("select retoma.add_recipients('natal', %s)", (Jsonb(recipients),))
    if start:
        db.execute("select retoma.start_campaign('natal')")


def faults(db: Db) -> list[tuple[object, ...]]:
    return db.execute(
        "select code, reason, messages, first_ordinal from retoma.v_render_fault order by first_ordinal"
    ).fetchall()


def to_check(db: Db) -> int:
    return int(call(db, "select to_check from retoma.v_campaign_summary"))


async def test_a_draft_is_rendered_to_its_end_at_once(db: Db, database: str) -> None:
    people = [{"name": "Ana" if n % 100 else "a" * 40} for n in range(1, 2_501)]
    campaign(db, PLAIN, people, maximum=20)

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: to_check(db) == 0)

    assert faults(db) == [("text_too_long", "text has more than 20 characters", 25, 100)]


async def test_what_liquid_refuses_is_counted_per_reason(db: Db, database: str) -> None:
    people = [{"name": day} for day in ("2026-03-02", "04/13/2026", "2026-03-03", "04/14/2026", "45385")]
    campaign(db, LIQUID, people)

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: to_check(db) == 0)

    assert faults(db) == [("render_failed", "NoSuchDate in the filter 'date'", 3, 2)]


async def test_a_campaign_that_is_sent_has_a_page_per_round(db: Db, database: str) -> None:
    make_runner(db)
    campaign(db, PLAIN, [{"name": "Ana"}] * 1_500, start=True)

    async with rendering(database) as rounds:
        assert (await rounds.round(), to_check(db)) == (False, 500)
        assert (await rounds.round(), to_check(db)) == (False, 0)

    assert faults(db) == []


async def test_campaigns_that_are_sent_share_the_page_of_a_round(db: Db, database: str) -> None:
    make_runner(db)
    campaign(db, PLAIN, [{"name": "Ana"}] * 2_500, start=True)
    make_campaign(db, "other", size=2_500, text=PLAIN)
    left: list[list[int]] = []

    async with rendering(database) as rounds:
        for _ in range(3):
            await rounds.round()
            left.append(
                [
                    n
                    for (n,) in db.execute(
                        "select to_check from retoma.v_campaign_summary order by created_at"
                    )
                ]
            )

    assert left == [[1_500, 2_500], [1_500, 1_500], [500, 1_500]]


async def test_a_process_that_sends_renders_a_page_of_a_draft_per_round(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "Ana"}] * 2_500)

    async with rendering(database, is_sending=True) as rounds:
        assert (await rounds.round(), to_check(db)) == (False, 1_500)


async def test_what_is_done_of_a_page_is_recorded_when_the_time_of_a_round_is_over(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    campaign(db, LIQUID, [{"name": name} for name in ("2026-03-02", "endless", "endless", "2026-03-02")])
    make_campaign(db, "other", size=2, text=PLAIN, start=False)
    with_defect(
        monkeypatch,
        tmp_path,
        "render = child.render\n"
        "def endless(text, phone, variables):\n"
        "    while variables['name'] == 'endless': pass\n"
        "    return render(text, phone, variables)\n"
        "child.render = endless",
    )
    first = "select to_check from retoma.v_campaign_summary where campaign = 'natal'"

    async with rendering(database) as rounds:
        assert await rounds.round()
        # A message ends by itself after a second of CPU time, and the round was over before.
        assert call(db, first) == 3
        async with asyncio.timeout(DEADLINE_S):
            while await rounds.round():
                pass

    assert call(db, "select sum(to_check) from retoma.v_campaign_summary") == 0
    assert faults(db) == [("render_failed", "it takes more than 1 s of CPU time", 2, 2)]


async def test_a_runner_leaves_a_content_to_another_one_that_is_faster(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "Ana"}] * 3_000)

    class Slow(Database):
        async def call(self, query: LiteralString, *arguments: Any, **options: Any) -> list[DictRow]:
            if "record_rendering" in query:
                db.execute(
                    "select retoma.record_rendering(campaign_id, variant, list, after_ordinal,"
                    " after_ordinal + 1000, '[]') from retoma.recipients_to_render()"
                )
            return await super().call(query, *arguments, **options)

    async with rendering(database, Slow) as rounds:
        assert (await rounds.round(), to_check(db)) == (False, 2_000)


async def test_a_started_campaign_that_can_be_made_for_nobody_is_interrupted(db: Db, database: str) -> None:
    make_runner(db)
    campaign(db, PLAIN, [{"name": "a" * 40}] * 3, maximum=20, start=True)

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: status(db) == "interrupted")

    words = "none of the first 3 messages can be made; number 1: text has more than 20 characters"
    assert call(db, "select status_reason from retoma_internal.campaign") == words


async def test_two_runners_count_each_recipient_once(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "a" * 40 if n % 2 else "Ana"} for n in range(3_000)], maximum=20)

    async with checking(database) as one, checking(database) as other:
        await until(lambda: to_check(db) == 0, one, other)

    assert faults(db) == [("text_too_long", "text has more than 20 characters", 1_500, 2)]


async def test_a_locked_campaign_is_rendered_later(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "Ana"}] * 3)
    with structlog.testing.capture_logs() as logs, psycopg.connect(database) as holding:
        holding.execute("select from retoma_internal.campaign for update")
        async with checking(database) as unchecked:
            unchecked.set()
            await until(lambda: any(line["event"] == "rendering_put_off" for line in logs))
            holding.rollback()
            await until(lambda: to_check(db) == 0, unchecked)
