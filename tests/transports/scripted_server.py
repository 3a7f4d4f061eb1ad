"""A TCP server that a test controls step by step, to do what no correct HTTP server does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

_ACCEPTED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class ScriptedServer:
    """Runs the script for each connection and counts what came.

    Args:
        script: gets this server and the streams of the connection; the connection closes when it returns.
    """

    def __init__(self, script: "Script") -> None:
        self._script = script
        self.url = ""
        self.connections = 0
        self.requests = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.bytes_arrived = asyncio.Event()
        self.client_left = asyncio.Event()

    async def read_request(self, reader: asyncio.StreamReader) -> None:
        """Read one request; its headers (names in lower case) and body are kept."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        pairs = (line.partition(": ") for line in head)
        self.headers = {name.lower(): value for name, _, value in pairs}
        self.body = await reader.readexactly(int(self.headers.get("content-length", "0")))
        self.requests += 1

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = _ACCEPTED
    ) -> None:
        """Read one request and write the answer: by default, that it was accepted."""
        await self.read_request(reader)
        writer.write(answer)
        await writer.drain()

    async def wait_until_client_leaves(self, reader: asyncio.StreamReader) -> None:
        """Read, and throw away, until the client closes."""
        with suppress(ConnectionError):
            while await reader.read(65536):
                self.bytes_arrived.set()
        self.client_left.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._script(self, reader, writer)
        writer.close()


Script = Callable[[ScriptedServer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script, scheme: str = "http") -> AsyncIterator[ScriptedServer]:
    """A scripted server on a free port of the loopback."""
    server = ScriptedServer(script)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
