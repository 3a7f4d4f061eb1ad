"""A real primary and its standby, and the steps of docs/runbook/high-availability.md."""

import dataclasses
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from retoma.database.server import MAX_SOCKET_PATH_BYTES, Cluster, socket_directory
from tests.support import clusters
from tests.support.clusters import Server
from tests.support.waiting import wait_until

STANDBY_NAME = "standby"


@dataclasses.dataclass
class Pair:
    """Two servers; which of them is the primary changes.

    Args:
        primary: the one that takes writes.
        standby: the one that follows it.
    """

    primary: Server
    standby: Server

    def url(self, database: str) -> str:
        """The address for runners: both hosts, of which they use only the one that takes writes."""
        servers = (self.primary, self.standby)
        return make_conninfo(
            host=",".join("127.0.0.1" for _ in servers),
            port=",".join(str(server.cluster.port) for server in servers),
            user="postgres",
            dbname=database,
            target_session_attrs="read-write",
        )

    def wait_for_the_standby(self, *, state: str) -> None:
        """Until the standby streams, and counts as "sync" or "async"."""
        wait_until(
            lambda: (
                ask(self.primary, "select state, sync_state from pg_stat_replication")
                == [("streaming", state)]
            )
        )

    def fail_over(self) -> None:
        """Steps 2 and 3 of the runbook, after the primary is dead: the standby takes over."""
        # It is alone now: with the old setting it would wait for a standby.
        configure(self.standby, "synchronous_standby_names", "")
        ask(self.standby, "select pg_promote()")
        self.primary, self.standby = self.standby, self.primary

    def rewind_the_standby(self) -> None:
        """Step 5 of the runbook: the old primary, which is dead, becomes a standby of the new one."""
        # Where no process collects killed ones, as in some containers, it would pass for a live server's.
        data = self.standby.cluster.data
        (data / "postmaster.pid").unlink(missing_ok=True)
        os.chown(data / "retoma.conf", data.stat().st_uid, data.stat().st_gid)  # written by root, if we are
        _program(
            self.standby, "pg_rewind", "--target-pgdata", str(data),
            "--source-server", _replication_conninfo(self.primary), "--write-recovery-conf",
        )  # fmt: skip
        self.standby.start()

    def rebuild_the_standby(self) -> None:
        """The old primary is thrown away, and a fresh copy of the new one is its standby."""
        shutil.rmtree(self.standby.cluster.data)
        _copy(self.primary, self.standby)
        self.standby.start()


def kill_all(server: Server) -> None:
    """SIGKILL to the postmaster and all of its children, as a power cut; returns when they are gone."""
    postmaster = psutil.Process(
        int((server.cluster.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
    )
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    wait_until(lambda: not any(_is_alive(process) for process in processes))


def ask(server: Server, query: LiteralString) -> list[tuple[object, ...]]:
    """The rows of a query on this very server."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return connection.execute(query).fetchall()


def configure(server: Server, name: str, value: str) -> None:
    """ALTER SYSTEM and a reload; returns when the server has taken it in. Works on a standby too."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        # ALTER SYSTEM writes no WAL, so it does not wait for a standby that is gone.
        connection.execute(f"alter system set {name} = '{value}'".encode())
        connection.execute("select pg_reload_conf()")
    wait_until(lambda: ask(server, f"show {name}") == [(value,)])


@contextmanager
def replicated(*, synchronous: bool) -> Iterator[Pair]:
    """A new primary with a standby that streams; both are gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="retoma-ha-"))
    with clusters.running("pg18") as primary:
        # With a name so long the socket does not lie among the data, where pg_rewind would try to copy it.
        data = directory / "standby".ljust(MAX_SOCKET_PATH_BYTES, "-")
        standby = Server("pg18", Cluster(primary.cluster.binaries, data))
        pair = Pair(primary, standby)
        try:
            configure(primary, "wal_keep_size", "256MB")  # pg_rewind reads back to before the servers parted
            _copy(primary, standby)
            clusters.start_on_a_free_port(standby)
            if synchronous:
                configure(primary, "synchronous_standby_names", STANDBY_NAME)
            pair.wait_for_the_standby(state="sync" if synchronous else "async")
            yield pair
        finally:
            standby.stop("immediate")
            shutil.rmtree(directory)
            shutil.rmtree(socket_directory(standby.cluster), ignore_errors=True)


def _copy(source: Server, target: Server) -> None:
    data = target.cluster.data
    data.mkdir(mode=0o700)
    data.parent.chmod(0o711)
    owner = source.cluster.data.stat()
    os.chown(data, owner.st_uid, owner.st_gid)
    _program(
        target, "pg_basebackup", "--pgdata", str(data), "--dbname", _replication_conninfo(source),
        "--wal-method", "stream", "--checkpoint", "fast", "--write-recovery-conf",
    )  # fmt: skip


def _replication_conninfo(server: Server) -> str:
    return make_conninfo(
        host="127.0.0.1",
        port=server.cluster.port,
        user="postgres",
        dbname="postgres",
        application_name=STANDBY_NAME,
    )


def _program(server: Server, name: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL as the owner of the data, as it wants it."""
    owner = server.cluster.data.stat()
    as_root = os.geteuid() == 0
    result = subprocess.run(
        [server.program(name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=owner.st_uid if as_root else None,
        group=owner.st_gid if as_root else None,
        extra_groups=[] if as_root else None,
    )
    assert result.returncode == 0, result.stderr


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
