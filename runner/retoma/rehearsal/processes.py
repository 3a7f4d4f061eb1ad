"""The processes of a demo: the sandbox and the runners. None of them outlives it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retoma import config
from retoma.errors import RetomaError
from retoma.signals import ended_as_by_ctrl_c

STOP_S = 4.0


@dataclass
class Processes:
    """Starts `retoma` commands with their output in files.

    Args:
        directory: for the logs, <name>.log.
        url: the database that they use.
    """

    directory: Path
    url: str
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Start `retoma ARGUMENTS`; its standard output can be read, its standard error is logged."""
        with self.log(name).open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "retoma", *arguments],
                env=os.environ | {config.DATABASE_URL_VARIABLE: self.url},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C is for the demo alone, which then stops them in order.
                start_new_session=True,
            )
        self.running[name] = process
        return process

    def start_sandbox(self, *arguments: str) -> str:
        """Start a sandbox and return its URL once it answers.

        Raises:
            RetomaError: it did not start.
        """
        url: str = json.loads(self._first_line(self.start("sandbox", "sandbox", *arguments), "sandbox"))[
            "url"
        ]
        return url

    def start_receiver(self) -> str:
        """Start a webhook receiver on a free port and return its URL without /hooks once it listens.

        Raises:
            RetomaError: it did not start.
        """
        line = self._first_line(self.start("receiver", "receive", "--port", "0"), "receiver")
        return line.split()[2].partition("/hooks/")[0]

    def _first_line(self, process: subprocess.Popen[str], name: str) -> str:
        assert process.stdout is not None  # noqa: S101 (it was asked for)
        line = process.stdout.readline()
        if not line:
            raise self.failure(name)
        return line

    def kill(self, name: str) -> int:
        """SIGKILL, as a power cut would; returns the process id."""
        process = self.running.pop(name)
        process.kill()
        process.wait()
        return process.pid

    def check(self) -> None:
        """Raise RetomaError when one has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise self.failure(name)

    def failure(self, name: str) -> RetomaError:
        """That a process has ended, with the last line of its log."""
        lines = self.log(name).read_text(errors="replace").strip().splitlines()
        last = f": {lines[-1][:300]}" if lines else ""
        return RetomaError(f"The process {name} ended{last}", hint=f"See {self.log(name)}")

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL to those that are still there after STOP_S seconds."""
        # A second Ctrl-C must not leave orphans.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
            process.kill()
            process.wait()
        self.running.clear()
        signal.signal(signal.SIGINT, before)


@contextmanager
def processes(directory: Path, url: str) -> Iterator[Processes]:
    """Processes that are stopped at the end, be it by Ctrl-C, SIGTERM, a closed terminal or an error."""
    with ended_as_by_ctrl_c():
        started = Processes(directory, url)
        try:
            yield started
        finally:
            started.stop()
