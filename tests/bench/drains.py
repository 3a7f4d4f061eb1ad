"""A runner process without a doorbell, so that a bench decides which process drains which channel.

It is put together from the parts of the real one: liveness, tick, pool, drains and transports.

    python -m tests.bench.drains URL CONNECTIONS CHANNEL_ID…

It writes a line when it is registered, begins at a line on its input, ends when the channels are empty, and
writes its greatest memory in megabytes.
"""

import asyncio
import gc
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import structlog
import uvloop

from retoma.runner.calls import Database
from retoma.runner.channels import Channels
from retoma.runner.liveness import keep_alive


@dataclass
class DrainProcess:
    """Such a process, seen from outside."""

    process: subprocess.Popen[str]

    def begin(self) -> None:
        self._write("go\n")

    def finish(self) -> float:
        """Wait until its channels are empty; returns its greatest memory in megabytes."""
        return float(self._read())

    def end(self) -> None:
        self._write("\n")
        self.process.wait(timeout=10)

    def _write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the draining process has died")
        return line


@contextmanager
def started(url: str, connections: int, channels: Sequence[int]) -> Iterator[DrainProcess]:
    """Start a process for these channels and wait until it is registered and connected."""
    arguments = [sys.executable, "-m", "tests.bench.drains", url, str(connections), *map(str, channels)]
    drains = DrainProcess(
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    try:
        drains._read()
        yield drains
        drains.end()
    finally:
        drains.process.kill()
        drains.process.wait()


async def _main(url: str, connections: int, channels: Sequence[int]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    stop, registered = asyncio.Event(), asyncio.Event()
    runner_id = uuid4()
    # The campaigns of the benches are checked before.
    living = asyncio.create_task(
        keep_alive(
            url,
            runner_id,
            f"bench:{os.getpid()}",
            registered=registered,
            unchecked=asyncio.Event(),
            stop=stop,
        )
    )
    database = Database(url, connections, stop)
    await database.open()
    await registered.wait()
    drains = Channels(database, runner_id, stop)
    # The pool is filled before the clock runs.
    await asyncio.gather(*(database.call("select pg_sleep(0.05)", ()) for _ in range(connections)))
    gc.freeze()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(drains.drain(channel) for channel in channels))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    stop.set()
    await living
    await drains.close()
    await database.close()


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], int(sys.argv[2]), [int(word) for word in sys.argv[3:]]))
