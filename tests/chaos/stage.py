"""Everything that is running in one run, and the kill log."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from tests.chaos import fleet
from tests.chaos.fleet import Runner
from tests.chaos.history import Fault
from tests.chaos.plan import Plan
from tests.chaos.provider import Provider
from tests.chaos.site import RUNNER_ROLE, Site

POLL_S = 0.05


@dataclass
class Stage:
    """One run in progress.

    Args:
        url: the database, past all proxies.
        faults: the kill log.
        left_out: faults that this machine cannot do, and why.
    """

    site: Site
    plan: Plan
    url: str
    provider: Provider
    directory: Path
    faults: list[Fault] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    places: dict[str, Runner] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def add_place(self, name: str) -> None:
        """A place for a runner, with its proxy; no process yet."""
        port = self.site.server.cluster.port
        database = str(psycopg.conninfo.conninfo_to_dict(self.url)["dbname"])
        assert port is not None
        jumps = any(a.kind == "clock_jump" and a.target == name for a in self.plan.actions)
        self.places[name] = await fleet.place(
            name, port, database, RUNNER_ROLE, self.directory, own_clock=jumps
        )

    def note(self, at: float, kind: str, target: str) -> None:
        """Writes a fault that began `at` and is over now into the kill log."""
        self.faults.append(Fault(at, time.time(), kind, target))

    def lock(self, name: str) -> asyncio.Lock:
        """For what only one action at a time may stop and start: a place, the server, the provider."""
        return self._locks.setdefault(name, asyncio.Lock())

    async def kill(self, runner: Runner) -> None:
        """SIGKILL to a runner; into the kill log."""
        at, name = time.time(), runner.name
        self._find_dead(runner)
        await runner.kill()
        self.note(at, "kill", name)

    async def stop(self, runner: Runner) -> None:
        """SIGTERM to a runner, and SIGKILL if it does not end; into the kill log."""
        at, name = time.time(), runner.name
        self._find_dead(runner)
        in_time = await runner.terminate()
        self.note(at, "terminate" if in_time else "kill", name)
        if runner.has_failed:
            self.note(at, "died", name)

    def find_exceptions(self) -> None:
        """Writes what the logs of the runners hold of unexpected errors into the kill log."""
        for runner in self.places.values():
            for words in runner.exceptions():
                self.note(time.time(), "raised", f"{runner.place}: {words}")

    def _find_dead(self, runner: Runner) -> None:
        if not runner.alive:
            self.note(time.time(), "died", runner.name)

    async def sql(self, query: LiteralString, *arguments: object) -> list[Any] | None:
        """One statement of an operator; None when the server is down, or the state of things forbids it."""
        try:
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                return await (await connection.execute(query, arguments)).fetchall()
        except psycopg.OperationalError:
            return None
        except psycopg.Error as error:
            if error.sqlstate == "RT002":
                return None
            raise

    async def wait(self, expected: int, query: LiteralString, timeout_s: float = 60.0) -> None:
        """Waits until a query for one number gives the expected one. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while (rows := await self.sql(query)) is None or rows[0][0] != expected:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)

    async def start_server(self) -> None:
        """Starts the server, if it is down."""
        await asyncio.to_thread(self.site.server.start)

    async def tear_down(self) -> None:
        """Ends all processes of the run, and heals the site for the next one."""
        if self.site.disk is not None:
            self.site.disk.clear()
        for runner in self.places.values():
            await runner.kill()
            await runner.proxy.aclose()
        await self.provider.kill()
        await self.start_server()
