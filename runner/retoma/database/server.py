"""One PostgreSQL server in one data directory: create, start, stop, ask.

The embedded server and the servers of the tests both go through here. The wheel's own `get_server` is not
used: it gives up on crash recovery after 10 s, trusts a process id that may have been reused since, makes
the socket reachable for every user when the path is long, and as root opens every directory above the data
to every user (docs/decisions/0001-embedded-postgres.md).
"""

import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psutil

from retoma.database import ownership
from retoma.errors import RetomaError

SUPERUSER = "postgres"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the final zero included.
MAX_SOCKET_PATH_BYTES = 103
SOCKET_NAME = ".s.PGSQL.5432"

Mode = Literal["fast", "immediate"]

_WAYS_TO_STOP = (
    (signal.SIGINT, "stop"),
    (signal.SIGQUIT, "end as in a crash"),
    (signal.SIGKILL, "end by SIGKILL"),
)
_QUIET_S = 2
_NAMES_SHOWN = 5
# They end when all others have ended; no stop ever waits for them.
_HELPERS = (
    "io worker",
    "background writer",
    "walwriter",
    "autovacuum launcher",
    "logical replication launcher",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory and the programs that serve it.

    Args:
        binaries: the directory of initdb, pg_ctl and postgres.
        data: absolute path of the data directory.
        port: TCP port on 127.0.0.1; None means that only the unix socket is served.
    """

    binaries: Path
    data: Path
    port: int | None = None


def create(
    cluster: Cluster, settings: str, initdb_options: Sequence[str], databases: Sequence[str] = ()
) -> None:
    """Makes the data directory. A killed `create` leaves nothing that disturbs a later one.

    Args:
        settings: text of a configuration file, included at the end of postgresql.conf.
        initdb_options: locale options; authentication, user and encoding are set here.
        databases: databases to create beside `postgres`.

    Raises:
        RetomaError: initdb failed, with what it said.
    """
    unfinished = cluster.data.with_name(f"{cluster.data.name}.unfinished")
    unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ownership.server_account():
        ownership.let_through(unfinished)
        ownership.let_through(cluster.binaries / "postgres")
    # It is asked for once before it is removed, and once when it is new.
    ownership.make_directory(unfinished)
    shutil.rmtree(unfinished)
    ownership.make_directory(unfinished)
    # "trust" is safe on a socket inside a directory with mode 0700; TCP is for tests only.
    options = ["--auth=trust", "--encoding=UTF8", f"--username={SUPERUSER}", *initdb_options]
    _check(_run(cluster, "initdb", "-D", str(unfinished), *options), "initdb")
    ownership.write_file(unfinished, "retoma.conf", settings)
    ownership.write_file(unfinished, "postgresql.conf", "\ninclude = 'retoma.conf'\n", append=True)
    for database in databases:
        single = ("--single", "-D", str(unfinished), "postgres")
        _check(_run(cluster, "postgres", *single, text=f"create database {database}\n"), "create database")
    unfinished.rename(cluster.data)


def start(cluster: Cluster, timeout_s: float = 600) -> None:
    """Starts the server and waits until it accepts connections; crash recovery may take minutes.

    Raises:
        RetomaError: its directory is not ours, or it did not come up, with the end of its log.
    """
    ownership.check_data(cluster.data)
    deadline = time.monotonic() + timeout_s
    while not is_ready(cluster):
        if time.monotonic() > deadline:
            raise RetomaError(
                f"PostgreSQL is still not ready after {timeout_s:.0f} s.",
                hint=f"It may be in crash recovery. Read its log: {_log(cluster)}",
            )
        # Asked each time: a server that listens can be on its way down.
        if is_listening(cluster) or not _started(cluster, timeout_s):
            time.sleep(0.1)


def _started(cluster: Cluster, timeout_s: float) -> bool:
    """One try; False when left-over processes of a killed server need another moment."""
    _remove_stale_lock_files(cluster)
    tcp = ["-c", "listen_addresses=127.0.0.1" if cluster.port else "listen_addresses="]
    if cluster.port:
        tcp += ["-c", f"port={cluster.port}"]
    listen = shlex.join([*tcp, "-c", f'unix_socket_directories="{_make_socket_directory(cluster)}"'])
    log_end = _log(cluster).stat().st_size if _log(cluster).exists() else 0
    arguments = ["-D", str(cluster.data), "-l", str(_log(cluster)), "-o", listen, "-w", "-s"]
    result = _run(cluster, "pg_ctl", *arguments, "-t", str(int(timeout_s)), "start")
    if result.returncode == 0:
        return True
    said = _log(cluster).read_bytes()[log_end:].decode(errors="replace") if _log(cluster).exists() else ""
    # After kill -9 of the server, its children need a moment to notice and to leave the shared memory.
    if "pre-existing shared memory block" in said:
        return False
    raise RetomaError(
        f"PostgreSQL did not start: {_last_line(said or result.stderr)}",
        hint=f"Read the server's log: {_log(cluster)}",
    )


def stop(
    cluster: Cluster,
    mode: Mode = "fast",
    *,
    patience_s: float = 60,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Stops the server and waits for its end; False when it was not running.

    A server that does not stop in time is stopped the harder way, at last by SIGKILL. Nothing that was
    committed is lost by that: the next start recovers. Another process may start or stop it meanwhile.

    Args:
        mode: "fast" ends sessions and writes everything down; "immediate" ends as in a crash.
        patience_s: seconds for each of the ways.
        say: gets a line about what is waited for, when that takes longer than two seconds.

    Raises:
        RetomaError: it is still there after SIGKILL, or belongs to another user.
    """
    # The socket first: the process id in a left-over file may by now be that of another server.
    pid = _postmaster_pid(cluster) if is_listening(cluster) else None
    if pid is None:
        return False
    family: set[psutil.Process] = set()
    ways = _WAYS_TO_STOP[0 if mode == "fast" else 1 :]
    for signal_number, way in ways:
        family |= _family(pid)
        # Only SIGKILL is for all: the others are passed on by the server itself, in the right order.
        for process in family if signal_number == signal.SIGKILL else [psutil.Process(pid)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal_number)
        if _ended(family, patience_s, f"Waiting for PostgreSQL to {way}", say):
            return True
        say(f"It did not {way} within {patience_s:.0f} s: {_names(family)}.")
    raise RetomaError(
        f"PostgreSQL does not end, not even by SIGKILL: {_names(family)}.",
        hint="Such a process usually waits for a disk that does not answer.",
    )


def remove_socket_directory(cluster: Cluster) -> None:
    """Removes what a stopped server left outside its data directory. Nobody may start it meanwhile."""
    directory = socket_directory(cluster)
    if directory == cluster.data or is_listening(cluster):
        return
    for name in (_socket_name(cluster), f"{_socket_name(cluster)}.lock"):
        (directory / name).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        directory.rmdir()


def kill(cluster: Cluster) -> None:
    """Ends the postmaster with SIGKILL, as the out-of-memory killer does. Returns when it is gone."""
    pid = _postmaster_pid(cluster)
    if pid is None:
        return
    psutil.Process(pid).kill()
    while _postmaster_pid(cluster) is not None:
        time.sleep(0.01)


def is_listening(cluster: Cluster) -> bool:
    """Whether a server has the socket open. Unlike the process id in postmaster.pid, this cannot lie."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(socket_directory(cluster) / _socket_name(cluster)))
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except (TimeoutError, BlockingIOError):  # so many wait to be let in that no more may wait
            return True
        except PermissionError:
            raise _not_ours(cluster) from None
        if not ownership.is_our_server(probe):
            raise _not_ours(cluster)
    return True


def is_ready(cluster: Cluster) -> bool:
    """Whether the server accepts sessions: it listens, and start-up and recovery are over."""
    lines = _pid_file_lines(cluster)
    # Line 8 of postmaster.pid is the state (PostgreSQL source, src/include/utils/pidfile.h).
    return len(lines) >= 8 and lines[7].strip() == "ready" and is_listening(cluster)


def url(cluster: Cluster, database: str, *, tcp: bool = False) -> str:
    """The connection string of a database of this cluster, over the unix socket unless `tcp` is set."""
    if tcp:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{cluster.port}/{database}"
    port = f"&port={cluster.port}" if cluster.port else ""
    # libpq asks the kernel who serves the socket, before it says a word: another user's server gets nothing.
    peer = f"&requirepeer={quote(ownership.server_user())}"
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket_directory(cluster)))}{port}{peer}"


def socket_directory(cluster: Cluster) -> Path:
    """The data directory, or a short private one under /tmp when that path is too long for a socket."""
    if len(os.fsencode(cluster.data / SOCKET_NAME)) + 1 <= MAX_SOCKET_PATH_BYTES:
        return cluster.data
    digest = hashlib.sha256(os.fsencode(cluster.data)).hexdigest()[:16]
    # Not the user's TMPDIR: every process must come to the same path.
    return Path("/tmp") / f"retoma-{digest}"  # noqa: S108


def _make_socket_directory(cluster: Cluster) -> Path:
    directory = socket_directory(cluster)
    if directory != cluster.data:
        ownership.make_directory(directory)
    return directory


def _socket_name(cluster: Cluster) -> str:
    return f".s.PGSQL.{cluster.port or 5432}"


def _log(cluster: Cluster) -> Path:
    return cluster.data / "server.log"


def _pid_file_lines(cluster: Cluster) -> list[str]:
    try:
        return (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    except PermissionError:
        raise _not_ours(cluster) from None


def _not_ours(cluster: Cluster) -> RetomaError:
    return RetomaError(
        f"The server in {cluster.data} belongs to another user.",
        hint="Set RETOMA_HOME to a directory of your own, or RETOMA_DATABASE_URL to a database.",
    )


def _postmaster_pid(cluster: Cluster) -> int | None:
    """The process id in postmaster.pid, if it is that of a living PostgreSQL server; ids are reused."""
    lines = _pid_file_lines(cluster)
    try:
        process = psutil.Process(int(lines[0]))
        alive = process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
    except (IndexError, ValueError, psutil.NoSuchProcess):
        return None
    return process.pid if alive else None


def _family(pid: int) -> set[psutil.Process]:
    try:
        server = psutil.Process(pid)
        return {server, *server.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()


def _ended(family: set[psutil.Process], patience_s: float, waiting: str, say: Callable[[str], None]) -> bool:
    start, told = time.monotonic(), False
    while living := [process for process in family if _lives(process)]:
        waited_s = time.monotonic() - start
        if waited_s > patience_s:
            return False
        if waited_s > _QUIET_S and not told:
            told = True
            say(f"{waiting}: {_names(living)}.")
        time.sleep(0.02)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _names(family: Iterable[psutil.Process]) -> str:
    """What the processes call themselves: "postgres: startup recovering 000000010000000000000001"."""
    names = []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            title = " ".join(process.cmdline()[:1]).strip()
            name = title.removeprefix("postgres: ") if title.startswith("postgres: ") else "the server"
            if title and not name.startswith(_HELPERS):
                names.append(f"{name} (process {process.pid})")
    return ", ".join(sorted(names)[:_NAMES_SHOWN]) or "its helpers"


def _remove_stale_lock_files(cluster: Cluster) -> None:
    # PostgreSQL refuses to start while any process of its user has the id in these files: another program
    # that got it after a restart of the machine, or a killed server that its parent has not collected.
    # Left-over children of a killed server are still found without them, by the shared memory that they hold.
    if _postmaster_pid(cluster) is None:
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        (socket_directory(cluster) / f"{_socket_name(cluster)}.lock").unlink(missing_ok=True)


def _run(cluster: Cluster, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    account = ownership.server_account()
    return subprocess.run(
        [str(cluster.binaries / program), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",  # the account may not be allowed into the current directory
        start_new_session=True,  # Ctrl-C in the terminal must not reach the server
        user=account[0] if account else None,
        group=account[1] if account else None,
        extra_groups=[] if account else None,
    )


def _check(result: subprocess.CompletedProcess[str], what: str) -> None:
    if result.returncode != 0:
        raise RetomaError(f"{what} failed: {_last_line(result.stderr or result.stdout)}")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "FATAL" in line or "error" in line]
    return (errors or lines or ["it said nothing"])[-1]
