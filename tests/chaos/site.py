"""The place of runs: a separate PostgreSQL server, on a file system small enough to fill."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.chaos import evidence
from tests.support import clusters
from tests.support.clusters import Server

RUNNER_ROLE = "chaos_runner"
"""Runners log in with the rights of retoma_runner and no others, so that a missing grant is found too."""

_DISK_MB = 96


@dataclass(frozen=True)
class Disk:
    """A file system of fixed size that holds the tables of the run, but not the server's log of writes."""

    path: Path

    def fill(self) -> None:
        """Takes all space that is left."""
        with (self.path / "ballast").open("wb") as ballast:
            while free := os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize:
                with contextlib.suppress(OSError):  # the server has taken some of it since
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), free)

    def clear(self) -> None:
        """Gives the space back."""
        (self.path / "ballast").unlink(missing_ok=True)


@dataclass(frozen=True)
class Site:
    """A server for one run at a time; disk is None where no file system can be mounted."""

    server: Server
    disk: Disk | None

    def create_database(self) -> str:
        """A fresh database with Retoma and the witnesses in it, its tables on the small disk."""
        url = self.server.create_database()
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        if self.disk is not None:
            with psycopg.connect(self.server.url(), autocommit=True) as connection:
                connection.execute(f"alter database {name} set tablespace small")
        evidence.install(url)
        return url


@contextmanager
def opened() -> Iterator[Site]:
    """A new site; it is gone afterwards."""
    with _small_disk() as disk, clusters.running("pg18") as server:
        settings = server.cluster.data / "retoma.conf"
        settings.write_text(settings.read_text() + evidence.SERVER_SETTINGS)
        server.restart()
        with psycopg.connect(server.url(), autocommit=True) as connection:
            if disk is not None:
                owner = server.cluster.data.stat()
                os.chown(disk.path, owner.st_uid, owner.st_gid)
                connection.execute(f"create tablespace small location '{disk.path}'")
        server.drop_database(server.create_database())  # makes the template, and with it the roles
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"create role {RUNNER_ROLE} login in role retoma_runner")
        yield Site(server, disk)


@contextmanager
def _small_disk() -> Iterator[Disk | None]:
    path = Path(tempfile.mkdtemp(prefix="retoma-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=0700", "tmpfs", str(path)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield Disk(path) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=False)
        path.rmdir()
