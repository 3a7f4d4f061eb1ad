"""Contents that are rendered beside the runner, on their way through a lease."""

import asyncio
from collections.abc import Callable, Mapping

import psutil
import pytest
import structlog
from psycopg.types.json import Jsonb

from retoma.content.process import NotTried, RenderProcess
from retoma.content.results import Checked
from retoma.content.written import Content, Written
from retoma.errors import RetomaError
from retoma.runner.lease import Lease
from retoma.transports.base import Message, SendResult, now
from tests.runner.conftest import World, drains_through
from tests.support.campaigns import Db, books, call, check_content, make_campaign, make_channel, status
from tests.support.contents import text
from tests.support.runners import Runners
from tests.support.waiting import DEADLINE_S

NOT_PLAIN = "Oi {{ name | upcase }}"


def campaign(db: Db, name: str, channel: str, body: str, people: list[dict[str, str]]) -> None:
    """A started campaign with these variables."""
    make_channel(db, channel)
    recipients = [{"phone": f"+55119555{10_000 + n}", "variables": v} for n, v in enumerate(people)]
    check_content(db, call(db, "select retoma.create_campaign(%s, %s, %s)", name, channel, body), body)
    db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb(recipients)))
    db.execute("select retoma.start_campaign(%s)", (name,))


def channel_id(db: Db, name: str = "sales") -> int:
    return int(call(db, "select id from retoma_internal.channel where name = %s", name))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.01)


async def test_a_stop_does_not_wait_for_a_text_that_is_being_read(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign(db, "natal", "sales", NOT_PLAIN, [{"name": "Ana"}])
    reading = asyncio.Event()

    async def endless(process: RenderProcess, written: Written) -> Checked:
        reading.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(RenderProcess, "check", endless)

    async with drains_through(never, db, database, monkeypatch) as (drains, stop):
        drain = asyncio.create_task(drains.drain(channel_id(db)))
        await asyncio.wait_for(reading.wait(), DEADLINE_S)
        stop.set()
        await asyncio.wait_for(drain, DEADLINE_S)

    assert books(db) == {"pending": 1}


async def test_a_content_that_this_runner_cannot_read_interrupts_its_campaign_before_any_message(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign(db, "natal", "sales", NOT_PLAIN, [{"name": "Ana"}] * 2)

    async def refuse(process: RenderProcess, written: Written) -> Checked:
        raise RetomaError("the text is of another age")

    monkeypatch.setattr(RenderProcess, "check", refuse)
    async with drains_through(never, db, database, monkeypatch) as (drains, _):
        await asyncio.wait_for(drains.drain(channel_id(db)), DEADLINE_S)

    assert (status(db), books(db)) == ("interrupted", {"pending": 2})


async def test_a_runner_that_can_have_no_process_gives_the_batch_back(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign(db, "natal", "sales", NOT_PLAIN, [{"name": "Ana"}])
    tried: list[Content] = []

    async def fail(process: RenderProcess, written: Written) -> Checked:
        tried.append(written.content)
        raise NotTried

    monkeypatch.setattr(RenderProcess, "check", fail)
    async with drains_through(never, db, database, monkeypatch) as (drains, stop):
        drain = asyncio.create_task(drains.drain(channel_id(db)))
        await until(lambda: len(tried) > 1)
        stop.set()
        await asyncio.wait_for(drain, DEADLINE_S)

    assert (status(db), books(db)) == ("running", {"pending": 1})


class Hanging:
    """A process that renders nothing until it is told to; in place of the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.futures: list[asyncio.Future[Content]] = []
        monkeypatch.setattr(RenderProcess, "render", lambda _, *arguments: self.render(*arguments))

    def render(
        self, key: str, written: Written, phone: str, variables: Mapping[str, object]
    ) -> asyncio.Future[Content]:
        future: asyncio.Future[Content] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        return future


async def test_who_has_no_name_gets_the_other_branch(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "{% if nome != blank %}Oi {{ nome }}{% else %}Oi!{% endif %}"
    campaign(db, "natal", "sales", body, [{"nome": "Ana"}, {}, {"nome": ""}, {"nome": "Bia"}])
    sent: list[Content] = []

    def send(message: Message) -> SendResult:
        sent.append(message.content)
        return SendResult("accepted")

    async with drains_through(send, db, database, monkeypatch) as (drains, _):
        await asyncio.wait_for(drains.drain(channel_id(db)), DEADLINE_S)

    assert books(db) == {"sent": 4}
    assert sent == [text("Oi Ana"), text("Oi!"), text("Oi!"), text("Oi Bia")]


async def test_a_text_beyond_its_budget_fails_its_messages_and_other_channels_go_on(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "{% for a in (1..9999) %}{{ (1..9999) | join: ',' | size }}{% endfor %}"
    endless = f"{{% if nome == 'slow' %}}{slow}{{% endif %}}Oi"
    campaign(db, "endless", "sales", endless, [{"nome": "slow"}, {"nome": "ana"}])
    campaign(db, "other", "support", NOT_PLAIN, [{"name": "ana"}] * 50)
    campaign(db, "plain", "plain", "Oi {{ name }}", [{"name": "ana"}] * 50)

    with structlog.testing.capture_logs() as logs:
        async with drains_through(lambda _: SendResult("accepted"), db, database, monkeypatch) as (drains, _):
            channels = [channel_id(db, name) for name in ("sales", "support", "plain")]
            await asyncio.wait_for(asyncio.gather(*map(drains.drain, channels)), DEADLINE_S)

    rows = db.execute(
        "select campaign, sent, failed from retoma.v_campaign_summary order by campaign"
    ).fetchall()
    assert rows == [("endless", 1, 1), ("other", 50, 0), ("plain", 50, 0)]
    failed = [line["error"] for line in logs if line["event"] == "render_failed"]
    assert failed == ["over_time: it takes more than 1 s of CPU time"]


async def test_a_stop_gives_back_what_is_not_rendered(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(db)
    make_campaign(db, size=5, text=NOT_PLAIN)
    hanging = Hanging(monkeypatch)

    async with drains_through(never, db, database, monkeypatch) as (drains, stop):
        draining = asyncio.create_task(drains.drain(channel_id(db)))
        await until(lambda: len(hanging.futures) == 5)
        stop.set()
        await asyncio.wait_for(draining, DEADLINE_S)

    assert all(future.cancelled() for future in hanging.futures)
    assert books(db) == {"pending": 5}


async def test_a_content_that_comes_as_the_runner_stops_is_not_sent(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(db)
    make_campaign(db, size=2, text=NOT_PLAIN)
    hanging = Hanging(monkeypatch)

    async with drains_through(never, db, database, monkeypatch) as (drains, stop):
        draining = asyncio.create_task(drains.drain(channel_id(db)))
        await until(lambda: len(hanging.futures) == 2)
        stop_rendering = Lease._stop_rendering

        def just_before(lease: Lease) -> None:
            for future in hanging.futures:
                if not future.done():
                    future.set_result(text("too late"))
            stop_rendering(lease)

        monkeypatch.setattr(Lease, "_stop_rendering", just_before)
        stop.set()
        await asyncio.wait_for(draining, DEADLINE_S)

    assert books(db) == {"pending": 2}


async def test_a_lost_lease_sends_nothing_that_was_not_rendered(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("update retoma.setting set lease_duration = '1 s'")
    make_channel(db)
    make_campaign(db, size=5, text=NOT_PLAIN)
    hanging = Hanging(monkeypatch)

    with structlog.testing.capture_logs() as logs:
        async with drains_through(never, db, database, monkeypatch) as (drains, stop):
            draining = asyncio.create_task(drains.drain(channel_id(db)))
            await until(lambda: len(hanging.futures) == 5)
            db.execute("update retoma_internal.batch set lease_epoch = lease_epoch + 1")
            await until(lambda: any(line["event"] == "lease_lost" for line in logs))
            await until(lambda: all(future.cancelled() for future in hanging.futures[:5]))
            stop.set()
            await asyncio.wait_for(draining, DEADLINE_S)


async def test_a_content_that_comes_too_late_is_not_sent_but_rendered_again(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("update retoma.setting set lease_duration = '2 s'")
    make_channel(db)
    make_campaign(db, size=3, text=NOT_PLAIN)
    hanging = Hanging(monkeypatch)
    sent: list[str] = []

    def send(message: Message) -> SendResult:
        assert message.content == text("in time")
        sent.append(message.phone)
        return SendResult("accepted")

    async with drains_through(send, db, database, monkeypatch) as (drains, _):
        draining = asyncio.create_task(drains.drain(channel_id(db)))
        await until(lambda: len(hanging.futures) == 3)
        late_from = now() + 1.0
        await until(lambda: now() > late_from)
        for future in hanging.futures:
            future.set_result(text("too late"))
        done = 3
        while not draining.done():
            await until(lambda: draining.done() or len(hanging.futures) > done)  # noqa: B023
            for future in hanging.futures[done:]:
                future.set_result(text("in time"))
            done = len(hanging.futures)

    assert done >= 6
    assert books(db) == {"sent": 3}
    assert len(set(sent)) == len(sent) == 3


def test_the_process_that_renders_ends_with_a_runner_that_is_killed(world: World, runners: Runners) -> None:
    world.webhook("sales")
    world.campaign("spring", "sales", messages=3, text=NOT_PLAIN)
    runner = runners.start("r1")
    row = world.wait_for_end("spring", DEADLINE_S)
    # One renders what is sent, another one what is checked, until it has nothing to do.
    renderers = psutil.Process(runner.process.pid).children()
    assert renderers

    runner.kill()

    psutil.wait_procs(renderers, DEADLINE_S)
    assert not [renderer for renderer in renderers if renderer.is_running()]
    assert (row["sent"], row["failed"]) == (3, 0)


def never(message: Message) -> SendResult:
    raise AssertionError("it was sent")
