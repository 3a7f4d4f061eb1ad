"""A gateway that answers as the test says, and keeps what it was asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object


@dataclass
class Gateway:
    """A server on a free port of the loopback.

    Attributes:
        url: its address.
        asked: all requests, in their order.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)

    def answer(self, path: str, *bodies: object, status: int = 200) -> None:
        """What a path answers from now on, one after the other; the last one stays.

        Bytes are sent as they are.
        """
        self._answers[path] = [
            (status, body if isinstance(body, bytes) else json.dumps(body).encode()) for body in bodies
        ]

    async def handle(self, request: web.Request) -> web.Response:
        text = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = json.loads(text) if text else None
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        answers = self._answers.get(request.path) or [(404, b"")]
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.Response(status=status, body=answer, content_type="application/json")


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that knows no path yet."""
    running = Gateway()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", running.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()
