"""A PostgreSQL of the bench's own: the embedded one as Retoma ships it, durable, gone at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from retoma.database import embedded, schema


@dataclass
class Server:
    """A running server.

    Args:
        url: its database, with Retoma installed.
        pid: of the postmaster, head of the family of all its processes.
        home: the directory that holds its data; what a bench writes may go there too.
    """

    url: str
    pid: int
    home: Path

    def connect(self) -> psycopg.Connection:
        """A new connection in autocommit mode."""
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def running(settings: str = "") -> Iterator[Server]:
    """Start a new server with Retoma in it.

    Args:
        settings: further lines of its configuration.
    """
    home = Path(tempfile.mkdtemp(prefix="retoma-bench-"))
    try:
        url = embedded.start(home)
        if settings:
            with (home / "postgres" / "retoma.conf").open("a") as conf:
                conf.write(settings)
            url = embedded.restart(home)
        schema.install(url)
        yield Server(url, int((home / "postgres" / "postmaster.pid").read_text().split()[0]), home)
    finally:
        embedded.stop(home, "immediate")
        shutil.rmtree(home)
