"""Retoma's own processes as children of a command: the demo and the drill start a sandbox and workers here."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retoma import config
from retoma.errors import RetomaError

STOP_S = 5.0
"""A worker answers SIGTERM within 2 s; what takes longer than this is killed."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox.

    Args:
        url: its address, without a slash at the end.
        ledger: the file of everything that it took; see retoma.sandbox.ledger.
        process: to stop or kill it.
    """

    url: str
    ledger: Path
    process: subprocess.Popen[bytes]


class Children:
    """The processes that a command has started; see `children`.

    Args:
        logs: directory of their log files, `<name>.log`.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    def sandbox(self, ledger: Path, *options: str) -> Sandbox:
        """Starts a sandbox on a free port; returns when it takes requests.

        Args:
            ledger: directory of its ledger.
            options: more options of `retoma sandbox`.

        Raises:
            RetomaError: it did not start.
        """
        process = self._start("sandbox", "sandbox", "--ledger", str(ledger), *options)
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            raise RetomaError(
                "The sandbox did not start.", hint=f"Read its log: {self._logs / 'sandbox.log'}"
            )
        return Sandbox(json.loads(ready)["url"], ledger / "ledger.jsonl", process)

    def worker(self, name: str, database_url: str) -> subprocess.Popen[bytes]:
        """Starts a worker on this database; it needs about half a second until it sends."""
        return self._start(
            name, "worker", "--name", name, "--log-format", "json", database_url=database_url
        )

    def end(self) -> None:
        """Stops them all, the last started first: SIGTERM, then SIGKILL for those that do not listen."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in reversed(self._started):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _start(
        self, name: str, *arguments: str, database_url: str | None = None
    ) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RETOMA_")}
        if database_url is not None:
            environment[config.DATABASE_URL_VARIABLE] = database_url
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "retoma", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the command; it ends its children in good order
            )
        self._started.append(process)
        return process


@contextmanager
def children(logs: Path) -> Iterator[Children]:
    """Processes that are gone at the end, whatever happens.

    Args:
        logs: directory for their log files; made when it is absent.
    """
    logs.mkdir(parents=True, exist_ok=True)
    started = Children(logs)
    try:
        yield started
    finally:
        started.end()
