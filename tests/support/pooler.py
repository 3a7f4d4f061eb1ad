"""A real PgBouncer before a test server, where Debian's is installed."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg

from tests.support.waiting import DEADLINE_S, wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

Mode = Literal["session", "transaction", "statement"]

# `ignore_startup_parameters`: as people set it up for drivers that send more than PgBouncer knows.
_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
ignore_startup_parameters = extra_float_digits
logfile = {directory}/pgbouncer.log
pidfile = {directory}/pgbouncer.pid
"""


@contextmanager
def pooler(url: str, mode: Mode, directory: Path, size: int = 20) -> Iterator[str]:
    """The URL of the same database through a pooler, which is gone at the end.

    Args:
        url: the database itself.
        mode: of the pooler.
        directory: for its files; must not exist.
        size: sessions that it has at most.
    """
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
    directory.mkdir()
    file = directory / "pgbouncer.ini"
    file.write_text(
        _CONFIGURATION.format(port=parts["port"], listen=listen, mode=mode, directory=directory, size=size)
    )
    assert PROGRAM is not None
    process = subprocess.Popen(
        [PROGRAM, "--quiet", str(file)], stderr=subprocess.DEVNULL, **_account(directory)
    )
    address = f"postgresql://postgres@127.0.0.1:{listen}/{parts['dbname']}"
    try:
        wait_until(lambda: _answers(address))
        yield address
    finally:
        process.kill()
        process.wait(timeout=DEADLINE_S)


def _account(directory: Path) -> dict[str, Any]:
    """Arguments for a process that is not root: PgBouncer refuses to be, and must come to its files."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    for parent in directory.parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True
