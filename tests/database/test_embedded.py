"""The embedded server survives what happens to the programs around it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from retoma.database import embedded
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
