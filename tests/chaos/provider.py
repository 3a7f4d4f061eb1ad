"""The provider of a run: a `retoma sandbox` process that is killed, frozen, told to lie, started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.history import Request, read_ledger
from tests.support.command import environment


class Provider:
    """One sandbox on one port with one ledger over all of its lives.

    Args:
        directory: where the ledger is.
        seed: of what it does at random.
        ignores_ids: sessions that ignore our ids.
    """

    def __init__(self, directory: Path, seed: int, ignores_ids: Sequence[str] = ()) -> None:
        self._ledger = directory / "ledger"
        self._log = directory / "sandbox.log"
        self._seed = seed
        self._options = [option for session in ignores_ids for option in ("--ignores-ids", session)]
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Starts it on its port and waits until it takes requests."""
        with self._log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "retoma", "sandbox", "--ledger", str(self._ledger),
                "--port", str(self.port), "--seed", str(self._seed), *self._options,
                env=environment(), stdout=asyncio.subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start: {self._log.read_text()}")
        self.port = int(json.loads(line)["url"].rpartition(":")[2])

    async def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if it lives."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, number)

    async def control(self, method: str, path: str, document: Any = None, *, patience_s: float = 1.0) -> None:
        """One request to its controls; nothing happens while it is down or frozen, patience_s long."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience_s)) as session,
                session.request(method, f"{self.url}/_sandbox/{path}", json=document) as response,
            ):
                response.raise_for_status()
        except (aiohttp.ClientConnectionError, TimeoutError):
            return

    def requests(self) -> list[Request]:
        """What it has read so far."""
        return read_ledger(self._ledger / "ledger.jsonl")
