"""What a drill happens on: a scratch database, a sandbox, four channels, two workers."""

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from retoma import embedded, schema
from retoma.drill.ledger import LedgerReader
from retoma.errors import RetomaError
from retoma.processes import Children, Sandbox, children

T = TypeVar("T")

RATE_PER_S = 20
"""Of each channel while the drill runs: slow enough that the campaigns outlast it."""

IN_FLIGHT = 4
"""Requests at once of the channels without gaps: at most so many are in doubt after a crash."""

CHANNELS = ("gap-dedupes", "rate-dedupes", "rate-looks-up", "rate-in-doubt")
DEDUPES = CHANNELS[:2]


@dataclass(frozen=True)
class Holder:
    """A worker and the channels that it holds leases of."""

    name: str
    runner_id: object
    channels: frozenset[str]


class Stage:
    """Everything that the drill uses and breaks; see `stage`.

    Args:
        url: the scratch database.
        home: directory of the scratch server; None when the database was given.
        started: starts processes.
        sandbox: the provider.
    """

    def __init__(self, url: str, home: Path | None, started: Children, sandbox: Sandbox) -> None:
        self.url = url
        self.home = home
        self.sandbox = sandbox
        self.ledger = LedgerReader(sandbox.ledger)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._children = started
        self._numbers = itertools.count(1)
        self._connection: psycopg.Connection[dict[str, object]] | None = None

    def query(self, query: LiteralString, *arguments: object) -> list[dict[str, object]]:
        """Rows of a query. A connection that the drill itself has broken is made anew.

        Raises:
            psycopg.Error: the database is away or refuses.
        """
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        cursor = self._connection.execute(query, arguments)
        return cursor.fetchall() if cursor.description else []

    def start_worker(self) -> str:
        """Starts one more worker; returns its name."""
        name = f"worker-{next(self._numbers)}"
        self.workers[name] = self._children.worker(name, self.url)
        return name

    def signal_worker(self, name: str, number: signal.Signals) -> None:
        """Sends a signal; after SIGKILL the worker is forgotten."""
        process = self.workers[name]
        os.kill(process.pid, number)
        if number == signal.SIGKILL:
            process.wait()
            del self.workers[name]

    def alive(self) -> set[str]:
        """Names of the workers that are registered and alive, as the database sees it."""
        rows = self.query("select runner from retoma.v_runner where state = 'alive'")
        return {str(row["runner"]) for row in rows}

    def holders(self) -> list[Holder]:
        """The workers that hold leases, in the order of their names."""
        rows = self.query(
            "select r.name, r.id, array_agg(distinct c.name) as channels from retoma.batch b"
            " join retoma.runner r on r.id = b.runner_id join retoma.channel c on c.id = b.lease_channel_id"
            " where b.status = 'leased' group by r.name, r.id order by r.name"
        )
        return [Holder(str(r["name"]), r["id"], frozenset(r["channels"])) for r in rows]  # type: ignore[call-overload]

    def open_campaigns(self, messages: int) -> None:
        """Makes the channels, and starts a campaign of so many messages on each."""
        phones = itertools.count(1)
        for channel in CHANNELS:
            self._create_channel(channel)
            people = [{"phone": f"+55119{next(phones):08}"} for _ in range(messages)]
            self.query("select retoma.create_campaign(%s, %s::text, 'Crash drill')", channel, channel)
            self.query("select retoma.add_recipients(%s, %s)", channel, Jsonb(people))
        for channel in CHANNELS:
            self.query("select retoma.start_campaign(%s)", channel)

    def hurry(self) -> None:
        """Lets the channels send as fast as they can."""
        for channel in CHANNELS:
            self.query(
                "select retoma.configure_channel(%s, p_gap_max_s => 0, p_rate_per_s => 5000)", channel
            )
            self.query("select retoma.configure_channel(%s, p_max_in_flight => 100)", channel)

    def end_workers(self) -> None:
        """SIGTERM to all workers; returns when they are gone."""
        for process in self.workers.values():
            process.terminate()
        for process in self.workers.values():
            process.wait()

    def _create_channel(self, name: str) -> None:
        if name == "gap-dedupes":
            settings = {"base_url": f"{self.sandbox.url}/waha", "session": name, "engine": "NOWEB"}
            self.query(
                "select retoma.create_channel(%s, 'waha', %s, 0.03, 0.07, 0, 0)", name, Jsonb(settings)
            )
            return
        query = "?idempotent=1" if name in DEDUPES else ""
        webhook: dict[str, object] = {"url": f"{self.sandbox.url}/webhook/{name}{query}"}
        webhook |= {"idempotent": name in DEDUPES, "look_up": name == "rate-looks-up"}
        self.query(
            "select retoma.create_channel(%s, 'webhook', %s, p_rate_per_s => %s, p_burst => 1,"
            " p_max_in_flight => %s)",
            name, Jsonb(webhook), RATE_PER_S, IN_FLIGHT,
        )  # fmt: skip


@contextmanager
def stage(directory: Path, *, lease_s: float, database_url: str | None = None, seed: int = 0) -> Iterator[Stage]:
    """A stage with two live workers and nothing to send yet; all of its processes are gone at the end.

    Args:
        directory: for the scratch server, the ledger and the logs.
        lease_s: how long a frozen worker keeps its leases.
        database_url: an empty database to use in place of a scratch server.
        seed: of everything random in the sandbox.

    Raises:
        RetomaError: the given database is not empty, or something did not start.
    """
    home = None if database_url else directory / "home"
    url = database_url or embedded.start(directory / "home")
    try:
        _refuse_what_is_in_use(url)
        schema.install(url)
        with children(directory / "logs") as started:
            sandbox = started.sandbox(directory / "ledger", "--seed", str(seed))
            scene = Stage(url, home, started, sandbox)
            scene.query(
                "update retoma.setting set lease_duration = make_interval(secs => %s), look_up_after = '1 s'",
                lease_s,
            )
            names = {scene.start_worker() for _ in range(2)}
            wait_for(lambda: names <= scene.alive(), 30, "The workers did not start")
            yield scene
    finally:
        if home is not None:
            embedded.stop(home)


def wait_for(condition: Callable[[], T], deadline_s: float, otherwise: str, poll_s: float = 0.02) -> T:
    """Asks until the answer is true, and returns it; the database may be away meanwhile.

    Raises:
        RetomaError: it was not true in time.
    """
    end = time.monotonic() + deadline_s
    while True:
        try:
            if answer := condition():
                return answer
        except psycopg.OperationalError:
            pass
        if time.monotonic() > end:
            raise RetomaError(f"{otherwise} within {deadline_s:.0f} s.")
        time.sleep(poll_s)


def _refuse_what_is_in_use(url: str) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' limit 1"
        ).fetchone()
    if found:
        raise RetomaError(
            f"The drill wants an empty database, and this one has {found[0]} in it.",
            hint="Make one for the drill (createdb drill), or leave out --database-url: it then makes its own.",
        )
