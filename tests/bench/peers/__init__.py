"""The wire against queues that do the same job with one row or job per message.

Every side is one process that posts the same bodies to the same sink, 300 at once (Retoma: in each of its
leases). All jobs are there before the clock runs, and it stops when the last one is done. Each peer has the
settings that its documentation gives for throughput; where that leaves a choice, the fastest found.

What is not Retoma's own is installed under .retoma/bench/peers when the bench runs; the versions are pinned
in package.json and requirements.txt beside this file. A peer that cannot be installed is named in the notes.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack

from tests.bench import sink, world
from tests.bench.clients import WINDOW, timed
from tests.bench.measure import Run, interleaved
from tests.bench.peers import install, redis_server
from tests.bench.peers.install import Unavailable
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running
from tests.bench.sink import Sink
from tests.bench.wire import client_alone, runner

_NOTES = (
    "One process a side. retoma also renders, checks a long suppression list, paces and audits.",
    "graphile-worker: completions are written in batches, by default one by one; a worker that dies repeats"
    " what it had not written.",
    "pg-boss: jobs are fetched and completed in arrays of 150, by two loops. It and graphile-worker are the"
    " newest that run on Node 20.",
    "BullMQ, Celery: appendfsync everysec, which Redis recommends, is weaker than ours: if the machine fails,"
    " up to a second of jobs and of what was done is lost. PostgreSQL here loses nothing that was committed.",
    "Celery: gevent pool; a task is acknowledged before it runs, so a crash loses it.",
    "client alone and undici alone are the HTTP clients without a queue: the floors of Python and of Node.",
)


def bench(*, quick: bool) -> Report:
    """Procrastinate and Celery send fewer, or most of an hour would be theirs."""
    size, few, rounds = (3_000, 300, 3) if quick else (30_000, 1_500, 5)
    report = Report("peers", quick)
    with ExitStack() as stack:
        server = stack.enter_context(running())
        connection = stack.enter_context(server.connect())
        receiver = stack.enter_context(sink.running())
        world.suppress(connection, 100_000 if quick else 1_000_000)
        floors = {"client alone": lambda: client_alone(receiver, size)}
        peers = {"procrastinate": lambda: _procrastinate(server, receiver, few)}
        try:
            node = install.node()
            floors["undici alone"] = lambda: timed(node("alone.mjs", receiver.url, "", size), size)
            peers["graphile-worker"] = lambda: _graphile_worker(server, receiver, size, node)
            peers["pg-boss"] = lambda: _pg_boss(server, receiver, size, node)
        except Unavailable as reason:
            report.notes.append(f"Left out: graphile-worker, pg-boss, BullMQ ({reason}).")
        try:
            redis = stack.enter_context(redis_server.running())
            if "undici alone" in floors:
                peers["BullMQ"] = lambda: timed(
                    node("bullmq.mjs", receiver.url, redis.url, size), size, {"server": redis.pid}
                )
            celery = install.celery()
            peers["Celery"] = lambda: timed(celery(receiver.url, redis.url, few), few, {"server": redis.pid})
        except Unavailable as reason:
            missing = [name for name in ("BullMQ", "Celery") if name not in peers]
            report.notes.append(f"Left out: {', '.join(missing)} ({reason}).")
        retoma = {"retoma": lambda: runner(server, receiver, size, WINDOW)}
        sides = interleaved(floors | retoma | peers, rounds)
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    for name in sorted(peers, key=lambda name: -sides[name].rate):
        best = len(report.targets) == 0
        report.target(
            f"retoma / {name}" + (", the best" if best else ""),
            ratio_of(rates["retoma"], rates[name]),
            5 if best else None,
        )
    report.notes.extend(_NOTES)
    return report


def _procrastinate(server: Server, receiver: Sink, size: int) -> Run:
    command = [sys.executable, "-m", "tests.bench.peers.procrastinate_worker"]
    return _on_postgresql(
        server,
        [*command, receiver.url, server.url, str(size)],
        size,
        table="procrastinate.procrastinate_jobs",
        left="queue_name = 'bench'",
    )


def _graphile_worker(server: Server, receiver: Sink, size: int, node: Callable[..., list[str]]) -> Run:
    command = node("graphile_worker.mjs", receiver.url, server.url, size)
    return _on_postgresql(server, command, size, table="graphile_worker._private_jobs", left="true")


def _pg_boss(server: Server, receiver: Sink, size: int, node: Callable[..., list[str]]) -> Run:
    command = node("pg_boss.mjs", receiver.url, server.url, size)
    run = _on_postgresql(
        server, command, size, table="pgboss.job", left="name = 'send' and state <> 'completed'"
    )
    with server.connect() as connection:
        # It keeps completed jobs for hours; the next run must not be slowed by them.
        connection.execute("truncate pgboss.job")
    return run


def _on_postgresql(server: Server, command: list[str], size: int, *, table: str, left: str) -> Run:
    """A run of a peer with its jobs in a table, which is vacuumed and analysed before the clock runs.

    Args:
        left: the condition for rows of jobs that are not done.
    """
    with server.connect() as connection:

        def prepare() -> None:
            connection.execute(f"vacuum analyze {table}")
            connection.execute("checkpoint")

        run = timed(command, size, {"server": server.pid}, prepare)
        row = connection.execute(f"select count(*) from {table} where {left}").fetchone()
    assert row == (0,), f"{row} jobs of {table} are left"
    return run
