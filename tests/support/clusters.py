"""Real PostgreSQL servers for tests: one of each version a test process, outside the checkout."""

import dataclasses
import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql

from retoma import config
from retoma.database import embedded, schema
from retoma.database import server as cluster
from retoma.database.server import Cluster
from retoma.errors import RetomaError

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

# The tests kill servers, never the operating system under them, so fsync buys nothing here;
# synchronous_commit stays on, because the tests are about what is durable.
SETTINGS = """\
fsync = off
shared_buffers = 64MB
max_wal_size = 256MB
max_connections = 200
"""

TEMPLATE = "retoma_template"

MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 (mkdtemp makes the names)


def available() -> list[str]:
    """The servers that this machine can run; pg18 comes with the wheel."""
    return ["pg18", "pg15"] if (DEBIAN_15 / "initdb").exists() else ["pg18"]


@dataclasses.dataclass
class Server:
    """A running server with a unix socket and a port on 127.0.0.1.

    Args:
        name: "pg18" or "pg15".
        cluster: its programs, data directory and port.
    """

    name: str
    cluster: Cluster
    _numbers: Iterator[int] = dataclasses.field(default_factory=itertools.count)
    _has_template: bool = False

    def start(self) -> None:
        cluster.start(self.cluster)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        cluster.stop(self.cluster, mode)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """SIGKILL to the postmaster; its sessions end within moments, nothing is written down."""
        cluster.kill(self.cluster)

    def url(self, database: str = "postgres", *, tcp: bool = False) -> str:
        return cluster.url(self.cluster, database, tcp=tcp)

    def program(self, name: str) -> str:
        """Path of psql, pg_dump and so on, of this server's version."""
        return str(self.cluster.binaries / name)

    def create_empty_database(self) -> str:
        """A new database with nothing in it; returns its URL."""
        name = f"empty_{next(self._numbers)}"
        self._create(name, "template1")
        return self.url(name)

    def create_database(self) -> str:
        """A new database with Retoma in it, copied from a template; returns its URL."""
        if not self._has_template:
            self._create(TEMPLATE, "template1")
            schema.install(self.url(TEMPLATE))
            self._has_template = True
        name = f"test_{next(self._numbers)}"
        self._create(name, TEMPLATE)
        # Settings of a database are not copied with it.
        search_path = (config.sql_directory() / "90_security" / "search_path.sql").read_bytes()
        with psycopg.connect(self.url(name)) as connection:
            connection.execute(search_path)
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drops a database of this server, ending its sessions."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(str(name)))
            )

    def _create(self, name: str, template: str) -> None:
        # Twice as fast as the default, and needs no WAL.
        statement = sql.SQL("create database {} template {} strategy file_copy")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


@contextmanager
def running(name: str) -> Iterator[Server]:
    """A new server of one of the `available` versions; it and its data are gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="retoma-test-", dir=_memory()))
    binaries = embedded.binaries() if name == "pg18" else DEBIAN_15
    server = Server(name, Cluster(binaries, directory / name))
    try:
        cluster.create(server.cluster, SETTINGS, ["--locale=C.UTF-8"])
        start_on_a_free_port(server)
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(directory)


def _memory() -> Path | None:
    """A file system in memory with room for some servers, None for the usual place.

    Each test has a database of its own: 400 files, which take half a second on a busy disk.
    """
    try:
        usage = shutil.disk_usage(MEMORY)
    except OSError:
        return None
    return MEMORY if os.access(MEMORY, os.W_OK) and usage.free > ROOM_BYTES else None


def start_on_a_free_port(server: Server, tries: int = 5) -> None:
    """Starts a server on a port of 127.0.0.1 that it keeps from then on."""
    for attempt in range(tries):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            server.cluster = dataclasses.replace(server.cluster, port=probe.getsockname()[1])
        try:
            server.start()
        except RetomaError:  # another program took the port since
            if attempt == tries - 1:
                raise
        else:
            return
