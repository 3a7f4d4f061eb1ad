"""Fixtures that every test may use: real servers, fresh databases."""

import itertools
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from retoma.transports.base import Message
from retoma.transports.http import client
from tests.support import clusters
from tests.support.clusters import Server
from tests.support.contents import text
from tests.support.sandbox_process import SandboxProcess, start_sandbox
from tests.support.waiting import PATIENT_S

_messages = itertools.count(1)

# How long an example takes, or to think of one, says nothing on a busy machine.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell that starts a command in the background has it ignore Ctrl-C, and its children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    missing = "" if "pg15" in clusters.available() else f" (pg15 is left out: no {clusters.DEBIAN_15})"
    return f"PostgreSQL: {', '.join(clusters.available())}{missing}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the processes of a failed test logged is a part of its report."""
    report = yield
    if report.failed and report.when == "call":
        directory = getattr(item, "funcargs", {}).get("tmp_path")
        for log in sorted(directory.glob("*.log")) if directory else []:
            report.sections.append((f"the end of {log.name}", log.read_text(errors="replace")[-4000:]))
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # SQL must work on every version; what Python does with it is the same on all: there, one is enough.
    if "server" in metafunc.fixturenames:
        names = clusters.available() if metafunc.definition.nodeid.startswith("tests/sql/") else ["pg18"]
        metafunc.parametrize("server", names, indirect=True, scope="session")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETOMA_DATABASE_URL", raising=False)
    monkeypatch.delenv("RETOMA_HOME", raising=False)


@pytest.fixture(autouse=True)
def _a_client_as_patient_as_a_busy_machine_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is connected or idle for seconds in a test is so because another process had the processor."""
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", PATIENT_S / 2)
    monkeypatch.setattr(client, "IDLE_CONNECTION_S", PATIENT_S)


@pytest.fixture(scope="session")
def pg18() -> Iterator[Server]:
    """The server of the wheel, shared by the tests of this process."""
    with clusters.running("pg18") as server:
        yield server


@pytest.fixture(scope="session")
def pg15() -> Iterator[Server]:
    """Debian's server, shared by the tests of this process."""
    if "pg15" not in clusters.available():
        pytest.skip(f"no {clusters.DEBIAN_15}")
    with clusters.running("pg15") as server:
        yield server


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """pg18; in tests/sql each test runs once on every available version."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """URL of a fresh database with Retoma installed."""
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """URL of a fresh database with nothing in it."""
    url = server.create_empty_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def db(database: str) -> Iterator[psycopg.Connection]:
    """A connection to `database`, in autocommit mode."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for all tests of a process; every test uses its own channels."""
    running = start_sandbox(tmp_path_factory.mktemp("ledger"))
    yield running
    running.kill()


@pytest.fixture
def new_sandbox() -> Iterator[Callable[..., SandboxProcess]]:
    """start_sandbox, with an end to everything that it started."""
    started: list[SandboxProcess] = []

    def start(ledger: Path, *options: str) -> SandboxProcess:
        started.append(start_sandbox(ledger, *options))
        return started[-1]

    yield start
    for running in started:
        running.kill()


@pytest.fixture
def message() -> Message:
    number = next(_messages)
    return Message(f"{number:032x}", f"+55119555{number:05}", text("Olá, ção, 🙂"))
