"""Real HTTP to a sink: the runner, and the same client without a database.

python -m tests.bench.wire URL COUNT       the floor, in a separate process
"""

import asyncio
import sys

import uvloop

from retoma.transports.webhook import create
from tests.bench import sink, world
from tests.bench.clients import WINDOW, send, timed, when_told
from tests.bench.engine import engine
from tests.bench.measure import Run, interleaved
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running
from tests.bench.sink import Sink

LEASES = 3
"""Windows under way at once: while one is sent, the last one is written down and the next one is read."""


def bench(*, quick: bool) -> Report:
    """One process each, windows of 300."""
    # Opening 300 connections costs both sides alike what 1,000 messages cost.
    size, rounds = (15_000, 3) if quick else (100_000, 5)
    report = Report("wire", quick)
    with running() as server, server.connect() as connection, sink.running() as receiver:
        world.suppress(connection, 100_000 if quick else 1_000_000)
        sides = interleaved(
            {
                "client alone": lambda: client_alone(receiver, size),
                "runner": lambda: runner(server, receiver, size, WINDOW),
                "runner, channel as created": lambda: runner(server, receiver, size, None),
            },
            rounds,
        )
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    report.target("runner / client alone", ratio_of(rates["runner"], rates["client alone"]), 0.6)
    as_created = ratio_of(rates["runner, channel as created"], rates["runner"])
    report.target("channel as created / best settings", as_created, 0.8)
    report.target("runner, messages a second", sides["runner"].rate, 10_000)
    return report


def runner(server: Server, receiver: Sink, size: int, window: int | None) -> Run:
    """The engine, with everything on."""
    return engine(
        server,
        size,
        runners=1,
        window=window,
        leases=LEASES,
        transport="webhook",
        settings={"url": receiver.url},
    )


def client_alone(receiver: Sink, size: int) -> Run:
    """The transport's own client, without a database and without a queue."""
    return timed([sys.executable, "-m", "tests.bench.wire", receiver.url, str(size)], size)


async def _client(url: str, count: int) -> None:
    transport = create({"url": url, "timeout_s": 30})
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            await send(transport, number)

    await when_told(lambda: asyncio.gather(*(one_after_the_other() for _ in range(WINDOW))))
    await transport.aclose()


if __name__ == "__main__":
    uvloop.run(_client(sys.argv[1], int(sys.argv[2])))
