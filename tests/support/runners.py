"""Runner processes as tests use them: started, stopped, frozen and really killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import environment
from tests.support.waiting import DEADLINE_S

# The time that a stop gives to the provider and to the database.
PATIENT = f"""\
from retoma.runner import lease, liveness, main as runner
lease.STOP_S = liveness.UNREGISTER_S = {DEADLINE_S / 2}
runner.ABANDON_S = {2 * DEADLINE_S}
"""


@dataclass
class RunnerProcess:
    """A running `retoma runner` with its log."""

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


class Runners:
    """Starts runner processes on one database; see `runners_on`."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self._url = database_url
        self._directory = directory
        self._started: list[RunnerProcess] = []

    def start(
        self,
        name: str,
        database_url: str | None = None,
        *,
        patient: bool = False,
        prelude: str = "",
        options: Sequence[str] = (),
    ) -> RunnerProcess:
        """One more runner.

        Args:
            name: of the runner, and of its log.
            database_url: by default that of all.
            patient: it has half a minute to stop, where others have two seconds.
            prelude: Python that changes something before it starts.
            options: of the command.
        """
        prelude = PATIENT if patient else prelude
        program = ["-c", f"{prelude}from retoma.cli import main\nmain()"] if prelude else ["-m", "retoma"]
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *program, "runner", "--name", name, *options],
                env=environment(database_url=database_url or self._url),
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        runner = RunnerProcess(name, process, log)
        self._started.append(runner)
        return runner

    def kill_all(self) -> None:
        for runner in self._started:
            runner.kill()


@contextmanager
def runners_on(database_url: str, directory: Path) -> Iterator[Runners]:
    """Runner processes that are gone at the end, whatever happened."""
    runners = Runners(database_url, directory)
    try:
        yield runners
    finally:
        runners.kill_all()
