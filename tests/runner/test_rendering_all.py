"""Runners render a content for all its recipients before it is sent, and count who would get none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.content.check import check
from retoma.runner import contents
from retoma.runner.calls import Database
from tests.support.campaigns import Db, call, make_channel, make_runner, phone, status
from tests.support.waiting import DEADLINE_S

PLAIN = "Oi {{ name }}"
LIQUID = "Oi {{ name | date: '%d/%m' }}"


@asynccontextmanager
async def runner(database: str) -> AsyncIterator[asyncio.Event]:
    """What one runner does with contents, and what tells it to look."""
    stop, unchecked = asyncio.Event(), asyncio.Event()
    pool = Database(database, 2, stop)
    await pool.open()
    task = asyncio.create_task(contents.check_contents(pool, unchecked))
    yield unchecked
    task.cancel()
    await asyncio.wait({task})
    await pool.close()


def campaign(
    db: Db, text: str, people: Sequence[Mapping[str, object]], *, maximum: int = 4096, start: bool = False
) -> None:
    """A campaign on a channel that takes so many characters, its text checked, with these variables."""
    db.execute("insert into retoma.content_limit values ('null', 'text', 'text', %s, '')", (maximum,))
    make_channel(db)
    made = call(db, "select retoma.create_campaign('natal', 'sales', %s)", text)
    checked = check([("text", text)])
    db.execute(
        "select retoma.record_content_check(%s, 1, %s, null, %s)",
        (made, checked.required_variables, checked.optional_variables),
    )
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


async def until(condition: Callable[[], object], *tells: asyncio.Event) -> None:
    """Waits for it, while ticks tell the runners."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            for unchecked in tells:
                unchecked.set()
            await asyncio.sleep(0.01)


async def test_a_draft_is_rendered_to_its_end_at_once(db: Db, database: str) -> None:
    people = [{"name": "Ana" if n % 100 else "a" * 40} for n in range(1, 2_501)]
    campaign(db, PLAIN, people, maximum=20)

    async with runner(database) as unchecked:
        unchecked.set()
        await until(lambda: to_check(db) == 0)

    assert faults(db) == [("text_too_long", "text has more than 20 characters", 25, 100)]


async def test_what_liquid_refuses_is_counted_per_reason(db: Db, database: str) -> None:
    people = [{"name": day} for day in ("2026-03-02", "04/13/2026", "2026-03-03", "04/14/2026", "45385")]
    campaign(db, LIQUID, people)

    async with runner(database) as unchecked:
        unchecked.set()
        await until(lambda: to_check(db) == 0)

    assert faults(db) == [("render_failed", "NoSuchDate in the filter 'date'", 3, 2)]


async def test_a_campaign_that_is_sent_has_a_page_per_tick(db: Db, database: str) -> None:
    make_runner(db)
    campaign(db, PLAIN, [{"name": "Ana"}] * 1_500, start=True)

    async with runner(database) as unchecked:
        unchecked.set()
        await until(lambda: to_check(db) == 500)
        assert not unchecked.is_set()
        await until(lambda: to_check(db) == 0, unchecked)

    assert faults(db) == []


async def test_a_started_campaign_that_can_be_made_for_nobody_is_interrupted(db: Db, database: str) -> None:
    make_runner(db)
    campaign(db, PLAIN, [{"name": "a" * 40}] * 3, maximum=20, start=True)

    async with runner(database) as unchecked:
        unchecked.set()
        await until(lambda: status(db) == "interrupted")

    words = "none of the first 3 messages can be made; number 1: text has more than 20 characters"
    assert call(db, "select status_reason from retoma_internal.campaign") == words


async def test_two_runners_count_each_recipient_once(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "a" * 40 if n % 2 else "Ana"} for n in range(3_000)], maximum=20)

    async with runner(database) as one, runner(database) as other:
        await until(lambda: to_check(db) == 0, one, other)

    assert faults(db) == [("text_too_long", "text has more than 20 characters", 1_500, 2)]


async def test_a_locked_campaign_is_rendered_later(db: Db, database: str) -> None:
    campaign(db, PLAIN, [{"name": "Ana"}] * 3)
    with structlog.testing.capture_logs() as logs, psycopg.connect(database) as holding:
        holding.execute("select from retoma_internal.campaign for update")
        async with runner(database) as unchecked:
            unchecked.set()
            await until(lambda: any(line["event"] == "rendering_put_off" for line in logs))
            holding.rollback()
            await until(lambda: to_check(db) == 0, unchecked)
