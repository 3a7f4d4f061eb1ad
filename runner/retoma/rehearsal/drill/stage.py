"""The stage of a drill: a scratch database, a sandbox, four channels, two runners."""

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from retoma.database import embedded, schema, session
from retoma.errors import RetomaError
from retoma.rehearsal.drill.ledger import LedgerReader
from retoma.rehearsal.processes import Processes, processes

T = TypeVar("T")

_POLL_S = 0.02

RATE_PER_S = 20
"""Of each channel while the drill runs: slow enough that the campaigns outlast it."""

IN_FLIGHT = 4
"""Requests at once of the channels without gaps: at most this many are in doubt after a crash."""

CHANNELS = ("gap-dedupes", "rate-dedupes", "rate-looks-up", "rate-in-doubt")
DEDUPES = CHANNELS[:2]


class NotInTime(RetomaError):
    """Something that Retoma does by itself did not happen before its deadline."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A runner that holds leases."""

    name: str
    runner_id: object


class Stage:
    """Everything that the drill uses and breaks; see `stage`.

    Args:
        url: the scratch database.
        home: directory of the scratch server; None when the database was given.
        started: starts and ends the processes.
        sandbox_url: the provider.
        ledger: the file in which it keeps what it took.
    """

    def __init__(
        self, url: str, home: Path | None, started: Processes, sandbox_url: str, ledger: Path
    ) -> None:
        self.url = url
        self.home = home
        self.ledger = LedgerReader(ledger)
        self._processes = started
        self._sandbox_url = sandbox_url
        self._numbers = itertools.count(1)
        self._connection: psycopg.Connection[dict[str, object]] | None = None

    def query(self, query: LiteralString, *arguments: object) -> list[dict[str, object]]:
        """Rows of a query, on a connection that is kept.

        Raises:
            psycopg.Error: the database is away or refuses.
        """
        if self._connection is None or self._connection.closed:
            self._connection = session.connect(self.url, "retoma drill", dict_row)
        cursor = self._connection.execute(query, arguments)
        return cursor.fetchall() if cursor.description else []

    def disconnect(self) -> None:
        """Ends the connection; the next query makes a new one."""
        if self._connection is not None:
            self._connection.close()

    def scratch_home(self) -> Path:
        """The directory of the scratch server.

        Raises:
            RetomaError: the database was given, and is not the drill's to stop.
        """
        if self.home is None:
            raise RetomaError("The server of a database that was given is never stopped.")
        return self.home

    def start_runner(self) -> str:
        """Starts one more runner; returns its name."""
        name = f"runner-{next(self._numbers)}"
        self._processes.start(name, "runner", "--name", name, "--log-format", "json")
        return name

    def kill_runner(self, name: str) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        self._processes.kill(name)

    def freeze_runner(self, name: str) -> None:
        """SIGSTOP: it stands still, and does not know of it."""
        self._processes.running[name].send_signal(signal.SIGSTOP)

    def thaw_runner(self, name: str) -> None:
        """SIGCONT."""
        self._processes.running[name].send_signal(signal.SIGCONT)

    def alive(self) -> set[str]:
        """Names of the runners that are registered and alive, as the database sees it."""
        rows = self.query("select runner from retoma.v_runner where state = 'alive'")
        return {str(row["runner"]) for row in rows}

    def holders(self) -> list[Holder]:
        """The runners that hold leases, in the order of their names."""
        rows = self.query(
            "select distinct r.name, r.id"
            " from retoma_internal.batch b join retoma_internal.runner r on r.id = b.runner_id"
            " order by r.name"
        )
        return [Holder(str(row["name"]), row["id"]) for row in rows]

    def leased(self) -> set[str]:
        """The channels that a runner holds a lease of."""
        rows = self.query(
            "select distinct c.name"
            " from retoma_internal.batch b join retoma_internal.channel c on c.id = b.lease_channel_id"
        )
        return {str(row["name"]) for row in rows}

    def open_campaigns(self, messages: int) -> None:
        """Makes the channels, and starts a campaign with this number of messages on each."""
        phones = itertools.count(1)
        for channel in CHANNELS:
            self._create_channel(channel)
            people = [{"phone": f"+55119{next(phones):08}"} for _ in range(messages)]
            # Each crash costs a message one attempt; with the default of 3, three crashes leave it in doubt.
            self.query(
                "select retoma.create_campaign(%s, %s::text, 'Crash drill', p_max_attempts => 20)",
                channel, channel,
            )  # fmt: skip
            self.query("select retoma.add_recipients(%s, %s)", channel, Jsonb(people))
        for channel in CHANNELS:
            self.query("select retoma.start_campaign(%s)", channel)

    def hurry(self) -> None:
        """Lets the channels send as fast as they can."""
        for channel in CHANNELS:
            pacing = {"gap_min_s": None, "gap_max_s": None, "rate_per_s": 5000, "max_in_flight": 100}
            self.query("select retoma.configure_channel(%s, p_pacing => %s)", channel, Jsonb(pacing))

    def _create_channel(self, name: str) -> None:
        if name == "gap-dedupes":
            address = {"base_url": f"{self._sandbox_url}/waha", "session": name, "engine": "NOWEB"}
            settings = {**address, "check_numbers": False}
            gaps = {"gap_min_s": 0.03, "gap_max_s": 0.07, "batch_gap_min_s": 0, "batch_gap_max_s": 0}
            self.query("select retoma.create_channel(%s, 'waha', %s, %s)", name, Jsonb(settings), Jsonb(gaps))
            return
        query = "?idempotent=1" if name in DEDUPES else ""
        webhook: dict[str, object] = {"url": f"{self._sandbox_url}/webhook/{name}{query}"}
        webhook |= {"idempotent": name in DEDUPES, "lookup": name == "rate-looks-up"}
        pacing = {"rate_per_s": RATE_PER_S, "burst": 1, "max_in_flight": IN_FLIGHT}
        self.query("select retoma.create_channel(%s, 'webhook', %s, %s)", name, Jsonb(webhook), Jsonb(pacing))


@contextmanager
def stage(
    directory: Path, *, lease_s: float, database_url: str | None = None, seed: int = 0
) -> Iterator[Stage]:
    """A stage with two live runners and nothing to send yet; all of its processes are gone at the end.

    Args:
        directory: for the scratch server, the ledger and the logs.
        lease_s: how long a frozen runner keeps its leases.
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
        logs = directory / "logs"
        logs.mkdir()
        with processes(logs, url) as started:
            ledger = directory / "ledger"
            sandbox_url = started.start_sandbox("--ledger", str(ledger), "--seed", str(seed))
            scene = Stage(url, home, started, sandbox_url, ledger / "ledger.jsonl")
            scene.query(
                "update retoma.setting set lease_duration = make_interval(secs => %s), lookup_after = '1 s'",
                lease_s,
            )
            names = {scene.start_runner() for _ in range(2)}
            wait_for(lambda: names <= scene.alive(), 60, "The runners did not start")
            yield scene
    finally:
        if home is not None:
            embedded.stop(home, "immediate")


def wait_for(condition: Callable[[], T | None], deadline_s: float, otherwise: str) -> T:
    """Asks until the answer is true, and returns it; the database may be away meanwhile.

    Args:
        otherwise: the message if it was not in time, such as "No runner took over".

    Raises:
        NotInTime: the deadline passed.
    """
    end = time.monotonic() + deadline_s
    while True:
        try:
            if answer := condition():
                return answer
        except psycopg.OperationalError:
            pass
        if time.monotonic() > end:
            raise NotInTime(f"{otherwise} within {deadline_s:.0f} s.")
        time.sleep(_POLL_S)


def _refuse_what_is_in_use(url: str) -> None:
    with session.connect(url, "retoma drill") as connection:
        found = connection.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' limit 1"
        ).fetchone()
    if found:
        raise RetomaError(
            f"The drill wants an empty database, and this one has {found[0]} in it.",
            hint="Make one for it (createdb drill), or leave out --database-url.",
        )
