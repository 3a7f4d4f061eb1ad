"""A transaction that is open for minutes keeps old row versions alive: is sending slower?

The transaction is opened long before the runs that are compared, with thousands of steps in between, so that
the row versions that it keeps are there. Full size holds it for 10 minutes.
"""

import time

from tests.bench import world
from tests.bench.engine import engine
from tests.bench.measure import Run, Side
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running


def bench(*, quick: bool) -> Report:
    """Windows of 30, which is ten steps a batch: the row of a batch is rewritten ten times as often."""
    held_s, size, rounds = (20, 6_000, 3) if quick else (600, 60_000, 5)
    report = Report("held", quick)
    free, held = Side("nobody holds one"), Side("held open")
    with running() as server, server.connect() as connection:
        world.suppress(connection, 100_000)
        for _ in range(rounds):
            free.runs.append(_run(server, size))
        with server.connect() as other:
            other.execute("begin isolation level repeatable read")
            other.execute("select count(*) from retoma_internal.batch")
            ends = time.monotonic() + held_s
            # It sends all the while; the last runs are the ones that count.
            while time.monotonic() < ends or len(held.runs) < rounds:
                held.runs.append(_run(server, size))
            held.runs = held.runs[-rounds:]
            other.execute("rollback")
        after = Side("afterwards", [_run(server, size) for _ in range(rounds)])
    report.sides = [free, held, after]
    # Before and after are one side: the machine may have changed in ten minutes.
    rates = [(a.rate + b.rate) / 2 for a, b in zip(free.runs, after.runs, strict=True)]
    report.target("held / free", ratio_of([run.rate for run in held.runs], rates), 0.9)
    return report


def _run(server: Server, size: int) -> Run:
    return engine(server, size, runners=1, window=30)
