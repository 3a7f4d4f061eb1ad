"""A Redis of the bench's own, on a free port of the loopback; its data are gone at the end."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.peers.install import Unavailable

_SETTINGS = (
    # What Redis recommends for durability, without snapshots beside it.
    ("appendonly", "yes"),
    ("appendfsync", "everysec"),
    ("save", ""),
    # BullMQ asks for it.
    ("maxmemory-policy", "noeviction"),
)


@dataclass(frozen=True)
class Redis:
    """A running Redis."""

    url: str
    pid: int


@contextmanager
def running() -> Iterator[Redis]:
    """Start a Redis; it is gone at the end."""
    if shutil.which("redis-server") is None:
        raise Unavailable("redis-server is not installed")
    with tempfile.TemporaryDirectory(prefix="retoma-bench-redis-") as home:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", home]
        for name, value in _SETTINGS:
            command += [f"--{name}", value]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(process, port)
            yield Redis(f"redis://127.0.0.1:{port}/0", process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("redis-server does not start") from None
            time.sleep(0.05)
        else:
            return
