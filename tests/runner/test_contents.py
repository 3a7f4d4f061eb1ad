"""What runners do with the contents of campaigns that were created in psql."""

import sys
from pathlib import Path

import psycopg
import pytest
import structlog

from retoma.runner import pauses
from tests.runner.conftest import World, checking, until
from tests.support.campaigns import Db, call, make_campaign, make_channel, status
from tests.support.renderers import with_defect
from tests.support.runners import Runners
from tests.support.waiting import DEADLINE_S, wait_until

UNCHECKED = "select count(*) from retoma.contents_to_check()"


def all_checked(db: Db) -> bool:
    return int(call(db, UNCHECKED)) == 0


def test_a_draft_is_checked_by_a_live_runner(world: World, runners: Runners) -> None:
    world.webhook("sales")
    runners.start("r1")

    make_campaign(world.db, "good", text="Olá {{ name }}", checked=False, start=False)
    make_campaign(world.db, "bad", text="Olá {{ name", checked=False, start=False)

    wait_until(lambda: all_checked(world.db))
    rows = world.db.execute(
        "select required_variables, fault from retoma_internal.campaign_content order by 1"
    )
    good, bad = rows.fetchall()
    assert good == (["name"], None)
    assert bad[0] is None
    assert bad[1].startswith("the text is not valid Liquid")
    assert world.summary("bad")["reason"] == bad[1]


def test_a_campaign_that_is_started_before_its_check_is_sent(world: World, runners: Runners) -> None:
    world.webhook("sales")
    world.campaign("spring", "sales", messages=3, text="Olá {{ name | upcase }}")
    assert world.summary("spring")["reason"] == 'no runner is alive: start one with "retoma runner"'

    runners.start("r1")

    assert world.wait_for_end("spring")["sent"] == 3


def test_a_long_check_leaves_the_only_connection_to_sending(
    world: World, runners: Runners, database: str
) -> None:
    world.webhook("sales")
    make_campaign(world.db, "big", size=1, text="Olá {{ name }}", checked=False, start=False)
    # Stands for an audience of millions: its reading takes as long as the test holds this lock.
    world.db.execute(
        "create function public.read_on() returns trigger language plpgsql"
        " as $$ begin perform pg_advisory_xact_lock(4711); return new; end $$;"
        " create trigger read_on before update on retoma_internal.campaign_content"
        " for each row execute function public.read_on()"
    )
    with psycopg.connect(database) as reader:
        reader.execute("select pg_advisory_lock(4711)")
        runners.start("r1", options=("--connections", "1"))
        waiting = "select exists (select from pg_locks where objid = 4711 and not granted)"
        wait_until(lambda: call(world.db, waiting))

        world.campaign("small", "sales", messages=3, text="Olá")

        assert world.wait_for_end("small", DEADLINE_S)["sent"] == 3
    wait_until(lambda: all_checked(world.db))


async def test_more_contents_than_are_asked_for_at_once_are_all_checked(db: Db, database: str) -> None:
    make_channel(db)
    for number in range(25):
        make_campaign(db, f"c{number}", size=0, text="Olá {{ name }}", checked=False, start=False)

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: all_checked(db))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("RecursionError('Olá Ana')", "the text cannot be read (RecursionError)"),
        ("MemoryError", "the content cannot be sent: the text needs too much memory"),
    ],
)
async def test_a_content_that_cannot_be_read_is_read_once_and_holds_up_no_other(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, error: str, fault: str
) -> None:
    make_channel(db)
    make_campaign(db, "odd", text="{{ odd }}", checked=False)
    make_campaign(db, "other", text="Olá {{ name }}", checked=False)
    reads = tmp_path / "reads"
    with_defect(
        monkeypatch,
        tmp_path,
        "check = child.check\n"
        "def defective(texts):\n"
        f"    open({str(reads)!r}, 'a').write('x')\n"
        f"    if 'odd' in texts[0][1]: raise {error}\n"
        "    return check(texts)\n"
        "child.check = defective",
    )

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: all_checked(db))

    reasons = db.execute("select fault from retoma_internal.campaign_content order by campaign_id").fetchall()
    assert reasons == [(fault,), (None,)]
    assert status(db, "odd") == "interrupted"
    assert reads.read_text() == "xx"


async def test_where_no_process_can_be_had_contents_are_tried_again_later(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(db)
    make_campaign(db, text="Olá {{ name }}", checked=False)
    monkeypatch.setattr(pauses, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(sys, "executable", "/nonexistent")

    with structlog.testing.capture_logs() as logs:
        async with checking(database) as unchecked:
            unchecked.set()
            await until(lambda: any(line["event"] == "content_not_checked" for line in logs))
            monkeypatch.undo()
            await until(lambda: all_checked(db), unchecked)

    query = "select required_variables, fault from retoma_internal.campaign_content"
    assert db.execute(query).fetchall() == [(["name"], None)]


def test_a_content_without_an_answer_is_read_again_after_a_pause_that_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(pauses, "now", lambda: clock[0])
    known = pauses.Pauses()
    row = {"campaign_id": 1, "variant": 1}
    waited: list[float] = []
    for _ in range(9):
        known.begin(row)
        began = clock[0]
        while not known.is_due(row):
            clock[0] += 0.5
        waited.append(clock[0] - began)

    assert waited == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert known.is_due({"campaign_id": 2, "variant": 1})
    known.begin(row)
    known.end(row)
    assert known.is_due(row)


async def test_contents_that_cannot_be_recorded_do_not_hold_up_the_others(db: Db, database: str) -> None:
    make_channel(db)
    for number in range(12):  # more than are asked for at once
        make_campaign(db, f"bad {number}", size=0, text="Olá {{ name }}", checked=False, start=False)
    good = make_campaign(db, "good", size=0, text="Olá {{ name }}", checked=False, start=False)
    db.execute(
        "create function public.refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;"
        " create trigger refuse before update on retoma_internal.campaign_content for each row"
        f" when (old.campaign_id < {good}) execute function public.refuse()"
    )
    query = "select required_variables is null from retoma_internal.campaign_content where campaign_id = %s"

    async with checking(database) as unchecked:
        unchecked.set()
        await until(lambda: not call(db, query, good))

    assert len(db.execute("select from retoma.contents_to_check(20)").fetchall()) == 12


async def test_a_check_does_not_wait_for_a_content_that_is_being_rendered(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_channel(db)
    make_campaign(db, "slow", text="{{ name | upcase }} slow", start=False)
    begun = tmp_path / "begun"
    with_defect(
        monkeypatch,
        tmp_path,
        "import time\n"
        "def stuck(*_):\n"
        f"    open({str(begun)!r}, 'w').close()\n"
        "    time.sleep(3600)\n"
        "child.render = stuck",
    )

    async with checking(database) as unchecked:
        unchecked.set()
        await until(begun.exists)
        monkeypatch.undo()
        make_campaign(db, "other", text="Olá {{ name }}", checked=False)
        unchecked.set()
        await until(lambda: all_checked(db))

        assert call(db, "select to_check > 0 from retoma.v_campaign_summary where campaign = 'slow'")
