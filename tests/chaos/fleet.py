"""The runner processes of a run: real `retoma runner` processes, each behind its own proxy."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.proxy import Proxy
from tests.support.command import environment

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""Moves the clock of a process; Debian's package faketime. Without it, clock jumps are left out."""


@dataclass
class Runner:
    """A place for a runner: its proxy, its clock, and the process that is there now, named place.life."""

    place: str
    proxy: Proxy
    clock: Path
    database_url: str
    log: Path
    has_own_clock: bool
    life: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """The name of the process that is there now, or was last."""
        return f"{self.place}.{self.life}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Starts a new process; the one before has to be gone."""
        assert not self.alive
        self.life += 1
        url = f"{self.database_url}?options=-cchaos.runner%3D{self.name}"
        variables = environment(database_url=url)
        if self.has_own_clock:
            variables |= {
                "LD_PRELOAD": str(FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "retoma", "runner", "--name", self.name, "--log-format", "json",
                env=variables, stdout=asyncio.subprocess.DEVNULL, stderr=output,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if the process lives."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and is not collected yet
                os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """SIGKILL, and waits until the process is gone."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()

    @property
    def has_failed(self) -> bool:
        """Whether the process has ended, and neither by a signal nor because it was asked to."""
        ended = (0, None, -signal.SIGTERM, -signal.SIGKILL)
        return self.process is not None and self.process.returncode not in ended

    def exceptions(self) -> list[str]:
        """The first words of log lines with a traceback, or that are not JSON."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line[:200] for line in lines if '"exception":' in line or not line.startswith("{")]

    async def terminate(self, timeout_s: float = 5.0) -> bool:
        """SIGTERM; False when the process had to be killed after timeout_s."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        try:
            await asyncio.wait_for(self.process.wait(), timeout_s)
        except TimeoutError:
            await self.kill()
            return False
        return True

    def set_clock(self, by_s: int) -> None:
        """Moves the clock of the host of this runner, as far as its processes see it."""
        self.clock.write_text(f"{by_s:+d}")


async def place(
    name: str, port: int, database: str, role: str, directory: Path, *, own_clock: bool
) -> Runner:
    """A place with its proxy to the server on this port; no process is started."""
    proxy = Proxy("127.0.0.1", port)
    own_port = await proxy.listen()
    runner = Runner(
        place=name,
        proxy=proxy,
        clock=directory / f"{name}.clock",
        database_url=f"postgresql://{role}@127.0.0.1:{own_port}/{database}",
        log=directory / f"{name}.log",
        has_own_clock=own_clock and FAKETIME is not None,
    )
    runner.set_clock(0)
    return runner
