"""The door of the receiver: how many connections there may be, and how long one may be silent.

Each connection goes through a Visitor, which passes everything on to aiohttp's own protocol. aiohttp has no
time-out for the head of a request and no limit of connections.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import cast

import structlog
from aiohttp.web import Request, RequestHandler

log = structlog.get_logger()

_BUSY_BODY = b'{"error": "too many connections; call again soon"}'
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(_BUSY_BODY), _BUSY_BODY)
)
_LOG_AGAIN_S = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What callers may take, whoever they are.

    Args:
        connections: open at the same moment, in all.
        per_address: of these, from one IPv4 address or one IPv6 network of 64 bits.
        head_timeout_s: seconds from the connection, or from the last answer, to the end of the next head.
        body_timeout_s: seconds from the end of the head to the end of the body.
    """

    connections: int
    per_address: int
    head_timeout_s: float
    body_timeout_s: float


class Door:
    """Counts the open connections."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()
        self._said_at: dict[str, float] = {}

    def enter(self, host: str) -> str | None:
        """Counts a connection; returns what to give to `leave`, or None when there are too many."""
        network = _network(host)
        if self._open.total() >= self.limits.connections:
            self.note("too_many_connections", host)
            return None
        if self._open[network] >= self.limits.per_address:
            self.note("too_many_connections_of_an_address", host)
            return None
        self._open[network] += 1
        return network

    def leave(self, network: str) -> None:
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]

    def note(self, event: str, host: str) -> None:
        """One line in the log, and at most one each minute: a caller must not be able to fill it."""
        self._unsaid[event] += 1
        if time.monotonic() - self._said_at.get(event, float("-inf")) > _LOG_AGAIN_S:
            self._said_at[event] = time.monotonic()
            log.warning(event, address=host, times=self._unsaid.pop(event))


class Visitor(asyncio.Protocol):
    """One connection, in front of aiohttp's protocol for it."""

    def __init__(self, door: Door, inner: RequestHandler) -> None:
        self._door = door
        self._inner = inner
        self._network: str | None = None
        self._host = ""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._said_something = False

    @staticmethod
    def of(request: Request) -> "Visitor | None":
        """The visitor who sent a request; None when the connection is gone."""
        protocol = request.transport.get_protocol() if request.transport else None
        return protocol if isinstance(protocol, Visitor) else None

    def head_arrived(self) -> None:
        if self._timer:
            self._timer.cancel()

    def wait_for_head(self) -> None:
        self.head_arrived()
        self._said_something = False
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._door.limits.head_timeout_s, self._too_late)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._host = (transport.get_extra_info("peername") or ("",))[0]
        self._network = self._door.enter(self._host)
        if self._network is None:
            self._transport.write(_BUSY)
            self._transport.close()
            return
        self.wait_for_head()
        self._inner.connection_made(self._transport)

    def data_received(self, data: bytes) -> None:
        self._said_something = True
        if self._network is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        if self._network is not None:
            self._inner.eof_received()
        return None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._network is not None:
            self.head_arrived()
            self._door.leave(self._network)
            self._inner.connection_lost(exc)

    def _too_late(self) -> None:
        # A provider may keep its connection for the next call, and silence is nothing to tell of.
        if self._said_something:
            self._door.note("head_too_late", self._host)
        if self._transport:
            self._transport.abort()


def _network(host: str) -> str:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))  # whoever has one address there, has them all
