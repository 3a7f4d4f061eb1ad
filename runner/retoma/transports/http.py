"""The only module that knows the HTTP client. It returns facts, and never sends a request twice.

aiohttp was chosen over a client three times as fast, because only aiohttp stops a request when its task is
cancelled and tells by type what failed: docs/decisions/0020-http-client.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import aiohttp
from yarl import URL

DEFAULT_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0

# Node's servers close a connection after 5 s of idleness: exactly the pacing gap. A request that is written
# while the server closes is ambiguous for nothing, so an idle connection is only used again while it is
# certainly young. A new connection every 5 to 15 seconds costs nothing.
IDLE_CONNECTION_S = 2.0

Failure = Literal["connect_failed", "connection_lost", "timeout"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: the HTTP status, None when there was no answer.
        body: the decoded JSON, None when there was none or it could not be read.
        retry_after_s: seconds, from the header Retry-After.
        failure: None when there was an answer.
        detail: the kind of the failure; never an address or content.
    """

    status: int | None
    body: object = None
    retry_after_s: float | None = None
    failure: Failure | None = None
    detail: str | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def code(self) -> str | None:
        """The code when the provider has none of its own: None, http_<status> or the failure."""
        return None if self.ok else self.failure or f"http_{self.status}"

    @property
    def written(self) -> bool:
        """False only when nothing of the request can have left this machine."""
        return self.failure != "connect_failed"

    def field(self, name: str) -> object:
        """A field of the JSON object in the body; None when there is no object or no such field."""
        return self.body.get(name) if isinstance(self.body, dict) else None


def encode(value: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class HttpClient:
    """A pool of connections to one provider, opened at the first request.

    Args:
        headers: sent with every request.
        timeout_s: seconds for a whole request, from connecting to the last byte of the answer.
    """

    def __init__(self, headers: Mapping[str, str], timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._headers = dict(headers)
        # Well below the total, so that a slow connect is told apart from a slow answer.
        connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 2)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s)
        self._session: aiohttp.ClientSession | None = None

    async def post_json(self, url: URL, payload: bytes, headers: Mapping[str, str]) -> Answer:
        """POST encoded JSON once: aiohttp repeats no POST, and redirects are not followed."""
        return await self._request("POST", url, payload, {"Content-Type": "application/json", **headers})

    async def get_json(self, url: URL) -> Answer:
        """GET; aiohttp may repeat it once on a connection that the server has closed, which is harmless."""
        return await self._request("GET", url, None, {})

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _request(self, method: str, url: URL, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            async with self._open().request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, await _json(response), _retry_after_s(response))
        # These three classes come from making the connection, TLS and the name look-up included.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Answer(None, failure="connect_failed", detail=type(error).__name__)
        except TimeoutError:
            return Answer(None, failure="timeout", detail="no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(None, failure="connection_lost", detail=type(error).__name__)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # How many requests are in flight is decided in the database, not here.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=self._timeout,
            )
        return self._session


async def _json(response: aiohttp.ClientResponse) -> object:
    # The status has arrived, and it is what decides: a body that cannot be read takes nothing away from it.
    try:
        return json.loads(await response.read())
    except (aiohttp.ClientError, OSError, ValueError):
        return None


def _retry_after_s(response: aiohttp.ClientResponse) -> float | None:
    """Seconds to wait: a number, or a date (RFC 9110, 10.2.3) read against the server's own clock."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(response.headers["Date"])
        return max(0.0, (until - now).total_seconds())
    except (ValueError, KeyError, TypeError):
        return None
