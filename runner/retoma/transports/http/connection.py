"""One HTTP/1.1 connection, one request at a time. Why no client library: docs/decisions/0020-http-client.md.

The structure, not the class of an error, tells whether a request may have reached the provider: a failure in
`Origin.connect` wrote nothing of it, a failure in `Connection.exchange` may have written it.
"""

import asyncio
import socket
import ssl
from functools import cache
from typing import Literal, NamedTuple, cast

import aiohappyeyeballs
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from yarl import URL

Failure = Literal["connect_failed", "connection_lost", "timeout", "not_attempted"]

LONGEST_ANSWER = 1 << 20
"""Bytes of an answer with its headers. No provider says that much about one message."""

ADDRESSES_S = 10.0
"""How long the addresses of a name are used without asking again."""

_NEXT_ADDRESS_S = 0.25  # RFC 8305, 5: the delay after which the next address is tried as well
_OK, _SWITCHING_PROTOCOLS = 200, 101


class Reply(NamedTuple):
    """The result of an exchange.

    Args:
        status: None when no answer came.
        headers: names in lower case; the last of a name counts.
        body: the received part of it, cut short if the connection ended early.
        failure: why there is no status, else None.
        detail: the kind of the failure; never an address or content.
    """

    status: int | None
    headers: dict[bytes, bytes]
    body: bytes
    failure: Failure | None = None
    detail: str | None = None


class Connection(asyncio.Protocol):
    """Made by Origin.connect. Only exchange sends on it, and nothing is sent after its end."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._waiter: asyncio.Future[Reply] | None = None
        self._parser = HttpResponseParser(self)
        # As lenient as browsers: an answer that is not understood leaves a message in doubt for nothing.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent on it now."""
        return self._waiter is None and not self._transport.is_closing()

    async def exchange(self, request: bytes, timeout_s: float) -> Reply:
        """Send a request once and wait for its answer; cancelled, it closes the connection at once."""
        if self._transport.is_closing():
            return Reply(None, {}, b"", "connect_failed", "closed before the request")
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self._waiter = waiter
        self._status: int | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._complete = self._keep_alive = False
        timer = self._loop.call_later(timeout_s, self._end, "timeout", "no answer in time")
        try:
            self._transport.write(request)
            return await waiter
        except BaseException:
            self._keep_alive = False
            raise
        finally:
            timer.cancel()
            self._waiter = None
            # Answered before all of it was sent: the rest must not go out any more (RFC 9112, 9.3).
            if not self._keep_alive or self._transport.get_write_buffer_size():
                self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    # The event loop calls the following methods.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # There was no request: these bytes could be taken for the answer to another message.
            self._transport.abort()
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._end("connection_lost", type(error).__name__)
        if self._size > LONGEST_ANSWER:
            self._end("connection_lost", "answer too long")

    def connection_lost(self, error: Exception | None) -> None:
        self._end("connection_lost", "closed by the server" if error is None else type(error).__name__)

    # The parser calls the following methods.

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= _OK or status == _SWITCHING_PROTOCOLS:
            self._status = status

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._status is None:
            self._headers = {}  # 100 Continue, 103 Early Hints: the answer is still to come
            return
        self._complete = True
        self._keep_alive = self._status != _SWITCHING_PROTOCOLS and self._parser.should_keep_alive()
        self._answer()

    def _end(self, failure: Failure, detail: str) -> None:
        """Close at once. A status that has come decides, even if the body is cut short."""
        self._keep_alive = False
        self._transport.abort()
        self._answer(failure, detail)

    def _answer(self, failure: Failure | None = None, detail: str | None = None) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if self._status is None:
            self._waiter.set_result(Reply(None, {}, b"", failure, detail))
        else:
            self._waiter.set_result(Reply(self._status, self._headers, b"".join(self._body)))


class Origin:
    """Scheme, host and port to connect to.

    Args:
        url: any address there; the rest of it does not matter.
    """

    def __init__(self, url: URL) -> None:
        self._host = url.raw_host or ""
        self._port = url.port
        self._tls = url.scheme == "https"
        self._asking: asyncio.Task[list[aiohappyeyeballs.AddrInfoType]] | None = None

    async def connect(self, timeout_s: float) -> Connection:
        """A new connection, with the certificate checked if it is https.

        Raises:
            OSError: also for the name lookup, TLS, and (TimeoutError) after timeout_s seconds.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            sock = await aiohappyeyeballs.start_connection(
                await self._addresses(loop), happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1
            )
            try:
                _, connection = await loop.create_connection(
                    Connection,
                    sock=sock,
                    ssl=tls_context() if self._tls else None,
                    server_hostname=self._host.rstrip(".") if self._tls else None,
                )
            except BaseException:
                sock.close()
                raise
            return connection

    async def _addresses(self, loop: asyncio.AbstractEventLoop) -> list[aiohappyeyeballs.AddrInfoType]:
        # Asked once for all waiting sends: 300 lookups of a dead name would delay those of other channels.
        if self._asking is None:
            self._asking = loop.create_task(
                loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)  # type: ignore[arg-type]
            )
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, asking: asyncio.Task[list[aiohappyeyeballs.AddrInfoType]]) -> None:
        failed = asking.cancelled() or asking.exception() is not None
        asking.get_loop().call_later(0.0 if failed else ADDRESSES_S, self._ask_again)

    def _ask_again(self) -> None:
        self._asking = None


@cache
def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
