"""Real HTTP to a sink: the runner, the same client without a database, procrastinate with a job a message.

python -m tests.bench.wire client URL COUNT WINDOW       the floor, in a process of its own
python -m tests.bench.wire procrastinate URL COUNT DATABASE_URL
"""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable

import procrastinate
import uvloop
from procrastinate.types import JSONValue

from retoma.transports.base import Message
from retoma.transports.webhook import Webhook, create
from tests.bench import sink, world
from tests.bench.engine import engine
from tests.bench.measure import Run, interleaved, measured
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running
from tests.bench.sink import Sink

WINDOW = 300
_TEXT = "Olá Ana {}, seu pedido {} chegou. Responda SAIR para não receber mais."


def bench(*, quick: bool) -> Report:
    """One process each, windows of 300."""
    # Opening 300 connections costs both sides alike what 1,000 messages cost.
    size, peer_size, rounds = (15_000, 300, 3) if quick else (100_000, 3_000, 5)
    report = Report("wire", quick)
    with running() as server, server.connect() as connection, sink.running() as receiver:
        world.suppress(connection, 100_000 if quick else 1_000_000)
        sides = interleaved(
            {
                "client alone": lambda: _process(server, receiver, size, "client", str(WINDOW)),
                "runner": lambda: engine(
                    server,
                    size,
                    runners=1,
                    window=WINDOW,
                    transport="webhook",
                    settings={"url": receiver.url},
                ),
                "procrastinate": lambda: _process(server, receiver, peer_size, "procrastinate", server.url),
            },
            rounds,
        )
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    report.target("runner / client alone", ratio_of(rates["runner"], rates["client alone"]), 0.6)
    report.target("runner, messages a second", sides["runner"].rate, 10_000)
    report.target("runner / procrastinate", ratio_of(rates["runner"], rates["procrastinate"]), 5)
    return report


def _process(server: Server, receiver: Sink, size: int, kind: str, more: str) -> Run:
    run = Run(size)
    command = [sys.executable, "-m", "tests.bench.wire", kind, receiver.url, str(size), more]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    with measured(run, {"server": server.pid, "client": process.pid}):
        process.stdin.write("go\n")
        process.stdin.flush()
        run.rss_mb = float(process.stdout.readline())
    process.communicate("\n")
    return run


async def _send(transport: Webhook, number: int) -> None:
    result = await transport.send(
        Message(f"{number:032x}", f"+999{number:09d}", _TEXT.format(number, number))
    )
    assert result.status == "accepted", result


async def _client(url: str, count: int, window: str) -> None:
    transport = create({"url": url})
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            await _send(transport, number)

    await _when_told(lambda: asyncio.gather(*(one_after_the_other() for _ in range(int(window)))))
    await transport.aclose()


async def _procrastinate(url: str, count: int, database_url: str) -> None:
    """A job a message, deferred in one batch beforehand; finished jobs are deleted."""
    connector = procrastinate.PsycopgConnector(
        conninfo=database_url, kwargs={"options": "-c search_path=procrastinate"}, max_size=20
    )
    app = procrastinate.App(connector=connector)
    transport = create({"url": url})

    @app.task(name="bench.send", queue="bench")
    async def send(number: int) -> None:
        await _send(transport, number)

    async with app.open_async():
        await send.batch_defer_async(*(dict[str, JSONValue](number=number) for number in range(count)))
        await _when_told(
            lambda: app.run_worker_async(
                queues=["bench"], concurrency=WINDOW, wait=False, delete_jobs="always",
                install_signal_handlers=False,
            )
        )  # fmt: skip
    await transport.aclose()


async def _when_told(work: Callable[[], Awaitable[object]]) -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await work()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    kind, url, count, more = sys.argv[1:]
    uvloop.run((_client if kind == "client" else _procrastinate)(url, int(count), more))
