"""One sandbox for all tests of transports; every test uses its own channels."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import pytest
import uvloop

from retoma.transports.base import Transport
from tests.support import transports
from tests.support.sandbox_process import SandboxProcess

_numbers = itertools.count(1)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The runner's event loop; code close to the loop is tested on Python's own as well."""
    if item.path.name == "test_connection.py":
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


@dataclass(frozen=True)
class Kind:
    """A transport with some settings, against its dialect in the sandbox, and what it then can do.

    Attributes:
        dedupes: a second send with the same id cannot reach the person twice.
        looks_up: lookup can answer found or absent.
        checks_numbers: check_number can answer.
        sends_id: the provider gets our id, whether or not it dedupes by it.
        accepts: the JSON with which the provider accepts a message.
        answers_with_id: an answer without the id of a message proves nothing.
        says_absent: a lookup that does not find a message says so.
    """

    label: str
    transport: str
    settings: Callable[[str, str], dict[str, object]]
    dedupes: bool = True
    looks_up: bool = True
    checks_numbers: bool = True
    sends_id: bool = True
    accepts: bytes = b"{}"
    answers_with_id: bool = False
    says_absent: bool = True

    @property
    def accepting_answer(self) -> bytes:
        """The whole answer of HTTP."""
        head = (
            f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(self.accepts)}"
        )
        return head.encode() + b"\r\n\r\n" + self.accepts


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
        dedupes=False,
        looks_up=False,
        sends_id=False,
    ),
    Kind(
        "webhook-idempotent",
        "webhook",
        lambda url, channel: {
            "url": f"{url}/webhook/{channel}?idempotent=1",
            "idempotent": True,
            "lookup": True,
            "secret": "a secret of the tests",
        },
        checks_numbers=False,
    ),
    Kind(
        "webhook-plain",
        "webhook",
        lambda url, channel: {"url": f"{url}/webhook/{channel}"},
        dedupes=False,
        looks_up=False,
        checks_numbers=False,
    ),
    Kind(
        "evolution",
        "evolution",
        lambda url, channel: {"base_url": f"{url}/evolution", "instance": channel, "store": True},
        accepts=b'{"key":{"remoteJid":"5511955500001@s.whatsapp.net","fromMe":true,"id":"3EB0"}}',
        answers_with_id=True,
        says_absent=False,
    ),
    Kind(
        "evolution-go",
        "evolution_go",
        lambda url, channel: {"base_url": f"{url}/evolution_go", "api_key": channel, "store": True},
        accepts=b'{"message":"success","data":{"Info":{"ID":"3EB0"}}}',
        answers_with_id=True,
        says_absent=False,
    ),
    Kind(
        "whatsapp-cloud",
        "whatsapp_cloud",
        lambda url, channel: {"base_url": f"{url}/cloud", "phone_number_id": channel},
        dedupes=False,
        looks_up=False,
        checks_numbers=False,
        accepts=b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.HBgNNTUxMTk1NTU="}]}',
        answers_with_id=True,
    ),
]


@dataclass(frozen=True)
class Channel:
    """A new channel in the sandbox, and the transport that sends to it."""

    kind: Kind
    name: str
    transport: Transport
    sandbox: SandboxProcess

    def fault(self, **rule: object) -> None:
        """Let requests of this channel go wrong."""
        self.sandbox.fault(channel=self.name, **rule)

    @property
    def figures(self) -> dict[str, int]:
        """The counts of the sandbox for this channel."""
        return self.sandbox.figures(self.kind.transport, self.name)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.label)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
async def channel(kind: Kind, sandbox: SandboxProcess) -> AsyncIterator[Channel]:
    name = f"channel-{next(_numbers)}"
    transport = transports.create(kind.transport, kind.settings(sandbox.url, name))
    yield Channel(kind, name, transport, sandbox)
    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
