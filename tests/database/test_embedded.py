"""The embedded server survives what happens to the programs around it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from retoma.database import embedded, ownership
from retoma.database import server as cluster
from retoma.database.server import Cluster
from retoma.errors import RetomaError
from tests.support.command import environment, retoma
from tests.support.waiting import wait_until


@pytest.fixture
def home() -> Iterator[Path]:
    """A short directory for an embedded server, which is stopped at the end."""
    directory = Path(tempfile.mkdtemp(prefix="retoma-home-"))
    yield directory
    embedded.stop(directory, "immediate")
    shutil.rmtree(directory)


def server_of(home: Path) -> Cluster:
    return Cluster(embedded.binaries(), home / "postgres")


def postmaster_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def test_start_stop_and_start_keep_the_data(home: Path) -> None:
    url = embedded.start(home)
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")

    assert embedded.status(home) == "running"
    assert embedded.stop(home) is True
    assert embedded.status(home) == "stopped"
    assert embedded.stop(home) is False

    assert embedded.start(home) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_commands_start_and_stop_it(home: Path) -> None:
    assert retoma("db", "start", home=home).stdout == f"{embedded.url(home)}\n"
    first = postmaster_pid(home)
    assert retoma("db", "restart", home=home).returncode == 0
    assert postmaster_pid(home) != first
    assert retoma("db", "stop", "--mode", "immediate", home=home).stdout == "Stopped.\n"
    assert retoma("db", "stop", home=home).stdout == "It was not running.\n"


def test_two_processes_that_start_it_at_once_share_one_server(home: Path) -> None:
    command = [sys.executable, "-m", "retoma", "db", "start"]
    starts = [
        subprocess.Popen(command, env=environment(home=home), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    urls = {start.communicate(timeout=300)[0] for start in starts}

    assert [start.returncode for start in starts] == [0, 0]
    assert urls == {f"{embedded.url(home)}\n"}


def test_it_survives_ctrl_c_in_the_terminal_that_started_it(home: Path) -> None:
    program = (
        "from pathlib import Path; from retoma.database import embedded; "
        f"print(embedded.start(Path({str(home)!r})))"
    )
    starter = subprocess.Popen(
        [sys.executable, "-u", "-c", f"{program}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert starter.stdout is not None
    starter.stdout.readline()

    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate(timeout=60)

    assert embedded.status(home) == "running"


def test_it_starts_again_after_kill_9(home: Path) -> None:
    url = embedded.start(home)
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")

    cluster.kill(server_of(home))
    wait_until(lambda: embedded.status(home) == "stopped")
    embedded.start(home)

    with psycopg.connect(url) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


@pytest.mark.parametrize("ask", [cluster.is_listening, cluster.is_ready])
def test_a_server_of_another_user_is_named_as_such(home: Path, ask: Callable[[Cluster], bool]) -> None:
    theirs = server_of(home)
    theirs.data.mkdir(mode=0o000)
    account = os.geteuid()
    if account == 0:
        os.seteuid(65_534)  # root may enter any directory
    try:
        with pytest.raises(RetomaError, match="belongs to another user"):
            ask(theirs)
    finally:
        os.seteuid(account)
    theirs.data.rmdir()


def test_a_process_id_that_another_program_got_does_not_keep_it_down(home: Path) -> None:
    embedded.start(home)
    pid_file = home / "postgres" / "postmaster.pid"
    left_over = pid_file.read_text().splitlines()
    embedded.stop(home)
    left_over[0] = str(os.getpid())
    pid_file.write_text("\n".join(left_over) + "\n")

    embedded.start(home)

    assert embedded.status(home) == "running"


def test_a_path_too_long_for_a_socket_works_and_stays_private(home: Path) -> None:
    long_home = home / ("d" * 100)
    url = embedded.start(long_home)
    try:
        directory = cluster.socket_directory(server_of(long_home))
        assert directory.stat().st_mode & 0o777 == 0o700
        with psycopg.connect(url) as connection:
            connection.execute("select 1")
    finally:
        embedded.stop(long_home)
    assert not directory.exists()


def test_a_link_of_our_own_to_its_home_leads_to_the_same_server(home: Path) -> None:
    long_home = home / ("d" * 100)
    long_home.mkdir()
    (home / "link").symlink_to(long_home)
    try:
        assert embedded.start(home / "link") == embedded.start(long_home)
    finally:
        embedded.stop(long_home)


def test_a_killed_creation_is_done_again(home: Path) -> None:
    (home / "postgres.unfinished").mkdir()
    (home / "postgres.unfinished" / "PG_VERSION").write_text("18\n")

    embedded.start(home)

    assert embedded.status(home) == "running"


def test_a_broken_configuration_is_reported_with_the_log(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    with (home / "postgres" / "retoma.conf").open("a") as conf:
        conf.write("shared_buffers = lots\n")

    result = retoma("db", "start", home=home)

    assert result.returncode == 1
    assert result.stderr.startswith("error: PostgreSQL did not start: ")
    assert "server.log" in result.stderr


def test_commits_are_durable_and_recipient_data_stays_out_of_the_log(home: Path) -> None:
    with psycopg.connect(embedded.start(home), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"show {setting}").fetchone() == ("on",)
        connection.execute("create table person (phone text unique)")
        connection.execute("insert into person values ('+15550100')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into person values ('+15550100')")

    log = (home / "postgres" / "server.log").read_text()

    assert "duplicate key value" in log
    assert "+15550100" not in log


ANOTHER_USER = 65_534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.mark.parametrize("name", ["postgres", "postgres.unfinished", "postgres.lock"])
def test_a_link_inside_its_directory_is_not_followed(home: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    if name == "postgres.lock":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "kept").touch()
    target.chmod(0o750)
    before = target.stat()
    (home / name).symlink_to(target)

    result = retoma("db", "start", home=home)

    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "link" in result.stderr
    assert (target.stat().st_uid, target.stat().st_mode) == (before.st_uid, before.st_mode)
    assert target.is_file() or [entry.name for entry in target.iterdir()] == ["kept"]
    (home / name).unlink()


@as_root
@pytest.mark.parametrize("link", [True, False])
def test_a_socket_directory_of_another_user_is_left_as_it_is(home: Path, tmp_path: Path, link: bool) -> None:
    long_home = home / ("d" * 100)
    directory = cluster.socket_directory(server_of(long_home))
    theirs = tmp_path / "theirs" if link else directory
    theirs.mkdir(mode=0o755)
    os.chown(theirs, ANOTHER_USER, ANOTHER_USER)
    if link:
        directory.symlink_to(theirs)
        os.lchown(directory, ANOTHER_USER, ANOTHER_USER)
    try:
        with pytest.raises(RetomaError, match="belongs to another user"):
            embedded.start(long_home)
        assert (theirs.stat().st_uid, theirs.stat().st_mode & 0o777) == (ANOTHER_USER, 0o755)
    finally:
        directory.unlink() if link else directory.rmdir()


@as_root
@pytest.mark.parametrize("link", [True, False])
def test_a_home_of_another_user_is_refused_before_anything_is_changed(home: Path, link: bool) -> None:
    theirs = home / "theirs"
    theirs.mkdir(mode=0o700)
    used = home / "link" if link else theirs
    if link:
        used.symlink_to(theirs)
    os.lchown(used, ANOTHER_USER, ANOTHER_USER)

    result = retoma("db", "start", home=used)

    assert result.returncode == 1
    assert "belongs to another user" in result.stderr
    assert theirs.stat().st_mode & 0o777 == 0o700
    assert list(theirs.iterdir()) == []


@as_root
def test_a_directory_of_another_user_above_it_is_not_opened_for_everybody(home: Path) -> None:
    theirs = home / "theirs"
    (theirs / "ours").mkdir(parents=True)
    theirs.chmod(0o700)
    os.chown(theirs, ANOTHER_USER, ANOTHER_USER)

    result = retoma("db", "start", home=theirs / "ours")

    assert result.returncode == 1
    assert f"{theirs} belongs to another user" in result.stderr
    assert theirs.stat().st_mode & 0o777 == 0o700


FALSE_SERVER = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    os.setuid(int(sys.argv[2]))
    listener.listen()
    print("listening", flush=True)
    while True:
        print(listener.accept()[0].recv(1000), flush=True)
"""


@as_root
def test_no_word_is_said_to_a_server_of_another_user(home: Path) -> None:
    url = embedded.start(home)
    pid_file = home / "postgres" / "postmaster.pid"
    left_over = pid_file.read_text()
    embedded.stop(home)
    pid_file.write_text(left_over)  # as after a crash
    path = home / "postgres" / cluster.SOCKET_NAME
    command = [sys.executable, "-c", FALSE_SERVER, str(path), str(ANOTHER_USER)]
    impostor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert impostor.stdout is not None
        assert impostor.stdout.readline() == "listening\n"

        with pytest.raises(psycopg.OperationalError, match="requirepeer"):
            psycopg.connect(url)
        result = retoma("campaign", "list", home=home)
    finally:
        impostor.kill()
        said = impostor.communicate()[0]
        path.unlink()
        pid_file.unlink()
    assert result.returncode == 1
    assert "belongs to another user" in result.stderr
    assert set(said.splitlines()) <= {"b''"}


@pytest.fixture
def stuck(home: Path) -> Iterator[psutil.Process]:
    """The process that recovers a server after a crash, and does not end when it is asked to.

    A command waits for the end of that recovery, as an operator's would.
    """
    embedded.start(home)
    cluster.kill(server_of(home))
    reached = home / "postgres" / "reached"
    with (home / "postgres" / "retoma.conf").open("a") as conf:
        # Recovery asks this command for a file that never comes. It ends with the directory of the test.
        conf.write(
            f"restore_command = 'touch {reached}; while [ -e {reached} ]; do sleep 0.1; done; false'\n"
        )
    signal_file = home / "postgres" / "recovery.signal"
    signal_file.touch()
    os.chown(signal_file, *owner_of(home / "postgres"))
    starter = subprocess.Popen(
        [sys.executable, "-m", "retoma", "db", "start"],
        env=environment(home=home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(reached.exists)
    recovery = wait_until(lambda: processes_called("startup", home))[0]
    recovery.suspend()
    yield recovery
    reached.unlink()
    starter.kill()
    starter.wait()


def owner_of(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def processes_called(name: str, home: Path) -> list[psutil.Process]:
    children = psutil.Process(postmaster_pid(home)).children()
    return [child for child in children if f"postgres: {name}" in child.cmdline()[0]]


def test_it_is_stopped_while_another_command_waits_for_its_recovery(
    home: Path, stuck: psutil.Process
) -> None:
    command = [sys.executable, "-m", "retoma", "db", "stop", "--mode", "immediate"]
    stopping = subprocess.Popen(command, env=environment(home=home), stdout=subprocess.PIPE, text=True)
    try:
        assert stopping.communicate(timeout=60)[0] == "Stopped.\n"
    finally:
        stopping.kill()

    assert not stuck.is_running()


@pytest.mark.parametrize("hung", ["recovery", "server"])
def test_a_stop_that_is_not_heard_says_what_it_waits_for_and_ends_it(
    home: Path, stuck: psutil.Process, hung: str
) -> None:
    server = psutil.Process(postmaster_pid(home))
    if hung == "server":
        server.suspend()
    said: list[str] = []

    # The server itself ends a child that does not hear "immediate" after five seconds.
    patience_s = 8 if hung == "recovery" else 0.1
    assert cluster.stop(server_of(home), "fast", patience_s=patience_s, say=said.append)

    assert "startup" in " ".join(said)
    assert f"(process {stuck.pid})" in " ".join(said)
    assert any(line.startswith("It did not stop within ") for line in said)
    assert embedded.status(home) == "stopped"


def test_a_server_that_lets_nobody_in_for_the_moment_is_listening(home: Path) -> None:
    theirs = server_of(home)
    theirs.data.mkdir()
    account = ownership.server_account()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(str(theirs.data / cluster.SOCKET_NAME))
        if account:
            os.chown(theirs.data, *account)
        listener.listen(0)
        waiting.connect(str(theirs.data / cluster.SOCKET_NAME))

        assert cluster.is_listening(theirs)
    shutil.rmtree(theirs.data)
