"""One sandbox for all tests of transports; every test uses channels of its own."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop

from retoma.transports import registry
from retoma.transports.base import Message, Transport
from tests.support.contents import text
from tests.transports.sandbox_process import SandboxProcess, start_sandbox

_numbers = itertools.count(1)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The worker's event loop; what knows the loop closely is tested on Python's own as well."""
    if item.path.name == "test_connection.py":
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


@dataclass(frozen=True)
class Kind:
    """A transport with settings that give it its capabilities, against its dialect in the sandbox."""

    label: str
    transport: str
    settings: Callable[[str, str], dict[str, object]]


KINDS = [
    Kind(
        "waha-noweb",
        "waha",
        lambda url, channel: {
            "base_url": f"{url}/waha",
            "session": channel,
            "engine": "NOWEB",
            "store": True,
        },
    ),
    Kind(
        "waha-webjs",
        "waha",
        lambda url, channel: {"base_url": f"{url}/waha", "session": channel, "engine": "WEBJS"},
    ),
    Kind(
        "webhook-idempotent",
        "webhook",
        lambda url, channel: {
            "url": f"{url}/webhook/{channel}?idempotent=1",
            "idempotent": True,
            "look_up": True,
            "secret": "a secret of the tests",
        },
    ),
    Kind("webhook-plain", "webhook", lambda url, channel: {"url": f"{url}/webhook/{channel}"}),
]


@dataclass(frozen=True)
class Channel:
    """A channel of its own in the sandbox, and the transport that sends to it."""

    kind: Kind
    name: str
    transport: Transport
    sandbox: SandboxProcess

    def fault(self, **rule: object) -> None:
        """Let requests of this channel go wrong."""
        self.sandbox.fault(channel=self.name, **rule)

    @property
    def figures(self) -> dict[str, int]:
        """What the sandbox counted on this channel."""
        return self.sandbox.figures(self.kind.transport, self.name)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
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


@pytest.fixture(params=KINDS, ids=lambda kind: kind.label)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
async def channel(kind: Kind, sandbox: SandboxProcess) -> AsyncIterator[Channel]:
    name = f"channel-{next(_numbers)}"
    transport = registry.create(kind.transport, {**kind.settings(sandbox.url, name), "timeout_s": 2})
    yield Channel(kind, name, transport, sandbox)
    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")


@pytest.fixture
def message() -> Message:
    number = next(_numbers)
    return Message(f"{number:032x}", f"+55119555{number:05}", text("Olá, ção, 🙂"))
