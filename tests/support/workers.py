"""Runner processes as tests use them: started, stopped, frozen and really killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import environment
from tests.support.waiting import DEADLINE_S

# `retoma worker`, but for the time that a stop gives to the provider and to the database.
PATIENT = f"""\
from retoma.cli import main
from retoma.worker import lease, liveness
lease.STOP_S = liveness.UNREGISTER_S = {DEADLINE_S / 2}
main()
"""


@dataclass
class WorkerProcess:
    """A running `retoma worker` with its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=DEADLINE_S)

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text()


class Workers:
    """Starts runner processes on one database; see `workers_on`."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self._url = database_url
        self._directory = directory
        self._started: list[WorkerProcess] = []

    def start(self, name: str, database_url: str | None = None, *, patient: bool = False) -> WorkerProcess:
        """One more runner; a patient one has half a minute to stop, where others have two seconds."""
        program = ["-c", PATIENT] if patient else ["-m", "retoma"]
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *program, "worker", "--name", name],
                env=environment(database_url=database_url or self._url),
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        worker = WorkerProcess(name, process, log)
        self._started.append(worker)
        return worker

    def kill_all(self) -> None:
        for worker in self._started:
            worker.kill()


@contextmanager
def workers_on(database_url: str, directory: Path) -> Iterator[Workers]:
    """Runner processes that are gone at the end, whatever happened."""
    workers = Workers(database_url, directory)
    try:
        yield workers
    finally:
        workers.kill_all()
