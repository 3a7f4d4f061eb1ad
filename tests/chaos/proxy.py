"""A TCP proxy between a runner and the database that can be cut and stalled."""

import asyncio
import contextlib


class Proxy:
    """Forwards connections to one address; start it with `listen`, end it with `aclose`.

    Args:
        host: where connections go to.
        port: its port; it may change, as a restarted server keeps its own.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._connections: set[asyncio.StreamWriter] = set()
        self._upstream: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> int:
        """Listens on a free port of 127.0.0.1 and returns it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def ports(self) -> list[int]:
        """Local ports of the connections to the server: pg_stat_activity.client_port."""
        return [w.get_extra_info("sockname")[1] for w in self._upstream]

    def cut(self) -> None:
        """Resets all connections: what is under way in either direction is lost."""
        for writer in list(self._connections):
            writer.transport.abort()

    def refuse(self) -> None:
        """Resets all connections, and every new one until `heal`."""
        self._refusing = True
        self.cut()

    def stall(self) -> None:
        """Keeps connections open and forwards nothing until `heal`, as a network that drops packets."""
        self._flowing.clear()

    def heal(self) -> None:
        """Forwards again."""
        self._refusing = False
        self._flowing.set()

    async def aclose(self) -> None:
        """Ends all connections and stops listening."""
        self.refuse()
        self._flowing.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            if self._refusing:
                return
            answers, upstream = await asyncio.open_connection(*self._address)
            self._connections.add(upstream)
            self._upstream.add(upstream)
            ways = [
                asyncio.create_task(self._forward(reader, upstream)),
                asyncio.create_task(self._forward(answers, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the server is down: the runner sees its connection reset
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self._connections.discard(end)
                    self._upstream.discard(end)
                    end.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
