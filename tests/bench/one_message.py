"""The engine with one message per step, so that at most one is in doubt, against bare single-row commits."""

import os
from concurrent.futures import ThreadPoolExecutor

from tests.bench import world
from tests.bench.engine import bare_insert, engine, fill_source
from tests.bench.measure import Run, interleaved, measured
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running

CONNECTIONS = 8


def bench(*, quick: bool) -> Report:
    """On one connection, and on eight with a channel each."""
    size, rounds = (400, 3) if quick else (1_000, 5)
    report = Report("one_message", quick)
    with running() as server, server.connect() as connection:
        world.suppress(connection, 100_000 if quick else 1_000_000)
        fill_source(connection, size * CONNECTIONS)
        sides = interleaved(
            {
                "bare, 1 connection": lambda: bare_insert(server, size, step=1),
                "engine, 1 connection": lambda: engine(
                    server, size, runners=1, window=1, leases=1, connections=1
                ),
                "bare, 8 connections": lambda: _bare_in_parallel(server, size),
                "engine, 8 connections": lambda: engine(
                    server,
                    size * CONNECTIONS,
                    runners=1,
                    window=1,
                    leases=1,
                    channels=CONNECTIONS,
                    connections=CONNECTIONS,
                ),
            },
            rounds,
        )
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    for connections in ("1 connection", "8 connections"):
        ratio = ratio_of(rates[f"engine, {connections}"], rates[f"bare, {connections}"])
        report.target(f"engine / bare, {connections}", ratio, 0.6)
    return report


def _bare_in_parallel(server: Server, size: int) -> Run:
    run = Run(size * CONNECTIONS)
    with server.connect() as connection:
        connection.execute("truncate bare")
        connection.execute("checkpoint")
    with (
        ThreadPoolExecutor(CONNECTIONS) as pool,
        measured(run, {"server": server.pid, "client": os.getpid()}),
    ):
        inserts = [pool.submit(_insert, server, 1 + index * size, size) for index in range(CONNECTIONS)]
        for insert in inserts:
            insert.result()
    return run


def _insert(server: Server, first: int, size: int) -> None:
    with server.connect() as connection:
        for ordinal in range(first, first + size):
            connection.execute(
                "insert into bare select * from source where ordinal = %s", (ordinal,), prepare=True
            )
