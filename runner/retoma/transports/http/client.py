"""The HTTP client of the transports. It returns facts, and never sends a request twice.

It is our own, over the parser of Node (llhttp) and asyncio: docs/decisions/0020-http-client.md says why.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from yarl import URL

from retoma.transports.base import now
from retoma.transports.http.connection import Connection, Failure, Origin

CONNECT_TIMEOUT_S = 10.0

# No provider means a longer pause, and a number of many digits is infinity to a float.
MAX_RETRY_AFTER_S = 7 * 86_400.0

# Node's servers close a connection after 5 s of idleness: exactly the pacing gap. A request that is written
# while the server closes is ambiguous for nothing, so an idle connection is only used again while it is
# certainly young. A new connection every 5 to 15 seconds costs nothing.
IDLE_CONNECTION_S = 2.0


class Answer(NamedTuple):
    """The result of a request.

    Args:
        status: the HTTP status, None when there was no answer.
        raw: the bytes of the body, as far as they came.
        retry_after_s: seconds, from the header Retry-After; MAX_RETRY_AFTER_S at most.
        failure: None when there was an answer.
        detail: the kind of the failure; never an address or content.
    """

    status: int | None
    raw: bytes = b""
    retry_after_s: float | None = None
    failure: Failure | None = None
    detail: str | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def code(self) -> str | None:
        """The code if the provider gave none: None, http_<status> or the failure."""
        return None if self.ok else self.failure or f"http_{self.status}"

    @property
    def written(self) -> bool:
        """False only when nothing of the request can have left this machine."""
        return self.failure not in ("connect_failed", "not_attempted")

    @property
    def body(self) -> object:
        """The decoded JSON, None when there was none or it could not be read."""
        try:
            return json.loads(self.raw)
        # The status decides, even if the body cannot be read.
        except (ValueError, RecursionError):
            return None

    def field(self, name: str) -> object:
        """A field of the JSON object in the body; None when there is no object or no such field."""
        body = self.body
        return body.get(name) if isinstance(body, dict) else None


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(value: object) -> bytes:
    """Compact JSON in UTF-8."""
    return _encode(value).encode()


class HttpClient:
    """A pool of connections to one provider, opened as they are needed.

    Args:
        url: scheme, host and port of the provider; every request goes there.
        headers: sent with every request.
        timeout_s: seconds for a whole request, from connecting to the last byte of the answer.
    """

    def __init__(self, url: URL, headers: Mapping[str, str], timeout_s: float) -> None:
        self._origin = Origin(url)
        # No coding is asked for: an answer of some bytes gains nothing from it.
        every = {
            "Host": url.host_port_subcomponent or "",
            "User-Agent": "retoma",
            "Accept-Encoding": "identity",
        }
        self._head = "".join(_line(name, value) for name, value in {**every, **headers}.items())
        self._timeout_s = timeout_s
        # Well below the total, so that a slow connect is told apart from a slow answer.
        self._connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 2)
        self._idle: deque[Connection] = deque()  # the youngest at the right
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def post_json(
        self, target: str, payload: bytes, headers: Mapping[str, str], send_before: float = math.inf
    ) -> Answer:
        """POST encoded JSON once. Redirects are not followed.

        Args:
            target: path and query, percent-encoded (yarl's raw_path_qs).
            send_before: see Message.
        """
        more = "".join([_line(name, value) for name, value in headers.items()])
        head = (
            f"POST {target} HTTP/1.1\r\n{self._head}Content-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n{more}\r\n"
        )
        return await self._request(head.encode() + payload, send_before)

    async def get_json(self, target: str) -> Answer:
        """GET, once; target as in post_json."""
        return await self._request(f"GET {target} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def aclose(self) -> None:
        """Close idle connections; one that is in use closes after its answer."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        while self._idle:
            self._idle.pop().close()

    async def _request(self, request: bytes, send_before: float = math.inf) -> Answer:
        started = time.monotonic()
        connection = self._take()
        if connection is None:
            try:
                connection = await self._origin.connect(self._connect_s)
            except (OSError, UnicodeError) as error:
                # Only the connection was tried: the name lookup, TCP, TLS.
                return Answer(None, failure="connect_failed", detail=type(error).__name__)
        # A process that was frozen while it connected must not send when it wakes up.
        if now() >= send_before:
            self._give_back(connection)
            return Answer(None, failure="not_attempted", detail="too late")
        reply = await connection.exchange(request, self._timeout_s - (time.monotonic() - started))
        self._give_back(connection)
        return Answer(reply.status, reply.body, _retry_after_s(reply.headers), reply.failure, reply.detail)

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since + IDLE_CONNECTION_S > time.monotonic():
                return connection
            connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        if not connection.reusable:
            return
        if self._closed:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(IDLE_CONNECTION_S, self._sweep)

    def _sweep(self) -> None:
        """Close connections that have been idle for too long."""
        too_old = time.monotonic() - IDLE_CONNECTION_S
        while self._idle and self._idle[0].idle_since <= too_old:
            self._idle.popleft().close()
        again = self._idle and asyncio.get_running_loop().call_later(IDLE_CONNECTION_S, self._sweep)
        self._sweeper = again or None


def _line(name: str, value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"the header {name} has a value that no header can carry")
    return f"{name}: {value}\r\n"


def _retry_after_s(headers: Mapping[bytes, bytes]) -> float | None:
    """Seconds to wait: a number, or a date (RFC 9110, 10.2.3) read against the server's own clock."""
    if b"retry-after" not in headers:
        return None
    value = headers[b"retry-after"].decode("latin-1").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(value)
        answered_at = parsedate_to_datetime(headers[b"date"].decode("latin-1"))
        return min(max(0.0, (until - answered_at).total_seconds()), MAX_RETRY_AFTER_S)
    except (ValueError, OverflowError, KeyError, TypeError):
        return None
