"""A provider, a database and runners, all real; and the few questions that the tests ask them."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from retoma.runner import contents
from retoma.runner.calls import Database
from retoma.runner.channels import Channels
from retoma.transports import registry
from retoma.transports.base import Message, SendResult
from retoma.transports.null import Null
from tests.support.campaigns import make_runner
from tests.support.runners import Runners, runners_on
from tests.support.sandbox_process import SandboxProcess, start_sandbox
from tests.support.waiting import DEADLINE_S, PATIENT_S, wait_until

GAPS = ("gap_min_s", "gap_max_s", "batch_gap_min_s", "batch_gap_max_s")

_numbers = itertools.count(1)

Send = Callable[[Message], SendResult]


@asynccontextmanager
async def drains_through(
    send: Send, db: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Channels, asyncio.Event]]:
    """The drains of one runner in this process, and what stops them; the transport null sends like this."""

    class Odd(Null):
        async def send(self, message: Message) -> SendResult:
            return send(message)

    monkeypatch.setitem(registry._BUILT_IN, "null", lambda _: Odd())
    stop = asyncio.Event()
    pool = Database(database, 2, stop)
    await pool.open()
    drains = Channels(pool, make_runner(db), stop)
    yield drains, stop
    await drains.close()
    await pool.close()


@asynccontextmanager
async def checking(database: str) -> AsyncIterator[asyncio.Event]:
    """What one runner does with contents, in this process, and what tells it to look."""
    stop, unchecked = asyncio.Event(), asyncio.Event()
    pool = Database(database, 2, stop)
    await pool.open()
    task = asyncio.create_task(contents.check_contents(pool, unchecked, lambda: False))
    yield unchecked
    task.cancel()
    await asyncio.wait({task})
    await pool.close()


async def until(condition: Callable[[], object], *tells: asyncio.Event) -> None:
    """Waits for it, while ticks tell the runners."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            for unchecked in tells:
                unchecked.set()
            await asyncio.sleep(0.01)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    running = start_sandbox(tmp_path / "ledger")
    yield running
    running.kill()


@pytest.fixture
def runners(database: str, tmp_path: Path) -> Iterator[Runners]:
    with runners_on(database, tmp_path) as running:
        yield running


class World:
    """One database with one sandbox.

    Args:
        db: a connection to the database, autocommit.
        sandbox: the provider.
    """

    def __init__(self, db: psycopg.Connection, sandbox: SandboxProcess) -> None:
        self.db = db
        self.sandbox = sandbox

    def waha(self, name: str, gap: tuple[float, float], batch_gap: tuple[float, float]) -> None:
        """A channel with gaps whose provider dedupes."""
        address = {"base_url": f"{self.sandbox.url}/waha", "session": name, "engine": "NOWEB"}
        settings = {**address, "timeout_s": PATIENT_S}
        pacing = dict(zip(GAPS, (*gap, *batch_gap), strict=True))
        self.db.execute(
            "select retoma.create_channel(%s, 'waha', %s, %s)",
            (name, Jsonb(settings), Jsonb(pacing)),
        )

    def webhook(self, name: str, rate_per_s: int | None = None, **settings: object) -> None:
        """A fast channel whose provider does not dedupe, unless the settings say so."""
        query = "?idempotent=1" if settings.get("idempotent") else ""
        address = {"url": f"{self.sandbox.url}/webhook/{name}{query}", "timeout_s": PATIENT_S}
        self.db.execute(
            "select retoma.create_channel(%s, 'webhook', %s, %s)",
            (
                name,
                Jsonb({**address, **settings}),
                Jsonb({"rate_per_s": rate_per_s, "burst": 10}),
            ),
        )

    def campaign(
        self, name: str, *channels: str, messages: int, batch_size: int = 300, text: str = "Olá {{ name }}"
    ) -> None:
        """A started campaign with that many recipients."""
        first = next(_numbers) * 100_000
        people = [{"phone": f"+55119{first + i:08}", "variables": {"name": f"n{i}"}} for i in range(messages)]
        self.db.execute(
            "select retoma.create_campaign(%s, %s::text[], %s, %s)", (name, list(channels), text, batch_size)
        )
        self.db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb(people)))
        self.db.execute("select retoma.start_campaign(%s)", (name,))

    def summary(self, campaign: str) -> dict[str, Any]:
        """The campaign's row of v_campaign_summary."""
        cursor = self.db.cursor(row_factory=psycopg.rows.dict_row)
        row = cursor.execute("select * from v_campaign_summary where campaign = %s", (campaign,)).fetchone()
        assert row is not None
        return row

    def hold_answers(self, channel: str, after: int) -> None:
        """After so many messages the provider takes what comes, and does not answer."""
        self.sandbox.fault(channel=channel, after=after, latency_ms=600_000)

    def wait_until_taken(self, channel: str, count: int) -> None:
        """Until the provider has taken that many messages, whatever it has answered."""
        wait_until(lambda: len(self.sandbox.entries(channel)) == count)

    def heal(self) -> None:
        """The provider answers again."""
        self.sandbox.call("DELETE", "/_sandbox/faults")

    def hurry(self, *channels: str) -> None:
        """Let these channels go on as fast as they can."""
        for name in channels:
            self.db.execute(
                "select retoma.configure_channel(%s, p_pacing => %s)",
                (name, Jsonb(dict.fromkeys(GAPS) | {"rate_per_s": 5000})),
            )

    def wait_for_sent(self, campaign: str, count: int) -> None:
        """Until the provider has accepted that many messages, by the campaign's own books."""
        wait_until(lambda: self.summary(campaign)["sent"] >= count)

    def wait_for_end(self, campaign: str, deadline_s: float = 180) -> dict[str, Any]:
        """Until the campaign is completed; returns its row."""
        try:
            wait_until(lambda: self.summary(campaign)["status"] == "completed", deadline_s)
        except AssertionError as error:
            error.add_note("\n".join(self._what_it_waits_for(campaign)))
            raise
        return self.summary(campaign)

    def _what_it_waits_for(self, campaign: str) -> Iterator[str]:
        yield str(self.summary(campaign))
        for view in ("v_waiting_campaigns", "v_runner", "v_tick", "v_tick_failure", "v_open_transaction"):
            for row in self.db.execute(SQL("select * from retoma.{}").format(Identifier(view))):
                yield f"{view}: {row}"

    def accepted(self, channel: str) -> Counter[str]:
        """How often the provider accepted each message id."""
        taken = ("accepted", "duplicate")
        return Counter(e["message_id"] for e in self.sandbox.entries(channel) if e["kind"] in taken)

    def gaps(self, channel: str) -> list[float]:
        """Seconds between messages as the provider saw them."""
        times = [e["at"] for e in self.sandbox.entries(channel)]
        return [after - before for before, after in itertools.pairwise(times)]


@pytest.fixture
def world(db: psycopg.Connection, sandbox: SandboxProcess) -> Iterator[World]:
    world = World(db, sandbox)
    yield world
    world.sandbox.kill()  # a test may have put another in its place
