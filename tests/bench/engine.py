"""The engine without a network: reserve, render and record in windows of 300, against bare inserts."""

import itertools
import os
from collections.abc import Mapping
from contextlib import ExitStack

import psycopg

from tests.bench import drains, world
from tests.bench.measure import Run, interleaved, measured
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running

WINDOW = 300

BATCH = 10 * WINDOW
"""A batch has one step more than it has windows, and a lease before: with this size there is nearly one
commit for each window, as on the other side. Batches of one window, which are the default, make three."""

LEASES = 2
"""One is read while the other is written down."""

CONNECTIONS = 4
"""As many as `retoma runner` has by default."""

_numbers = itertools.count(1)


def bench(*, quick: bool) -> Report:
    """One and two runners with everything on: 1 million suppressed numbers, audit, pacing row, counters."""
    size, rounds = (30_000, 3) if quick else (300_000, 5)
    report = Report("engine", quick)
    with running() as server, server.connect() as connection:
        world.suppress(connection, 100_000 if quick else 1_000_000)
        fill_source(connection, size)
        sides = interleaved(
            {
                "bare insert": lambda: bare_insert(server, size),
                "1 runner": lambda: engine(server, size, runners=1, batch_size=BATCH),
                "2 runners": lambda: engine(server, size, runners=2, batch_size=BATCH),
                "1 runner, batches of 300": lambda: engine(server, size, runners=1),
            },
            rounds,
        )
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    report.target("1 runner / bare insert", ratio_of(rates["1 runner"], rates["bare insert"]), 0.25)
    report.target("2 runners / 1 runner", ratio_of(rates["2 runners"], rates["1 runner"]), 1.3)
    batches_of_300 = ratio_of(rates["1 runner, batches of 300"], rates["bare insert"])
    report.target("1 runner, batches of 300 / bare insert", batches_of_300)
    return report


def engine(
    server: Server,
    size: int,
    *,
    runners: int,
    window: int | None = WINDOW,
    batch_size: int = WINDOW,
    channels: int = 1,
    leases: int = LEASES,
    connections: int = CONNECTIONS,
    transport: str = "null",
    settings: Mapping[str, object] | None = None,
) -> Run:
    """Send one campaign of that size.

    Args:
        runners: processes, each of which drains every channel.
        window: messages under way at once, for each lease; None for the defaults of the transport.
        leases: of a channel at once, for each runner.
        connections: of each runner.
    """
    number = next(_numbers)
    names = [f"null-{number}-{index}" for index in range(channels)]
    with server.connect() as connection, ExitStack() as stack:
        ids = [
            world.make_channel(connection, name, transport, settings, window=window, leases=leases * runners)
            for name in names
        ]
        campaign = f"engine {number}"
        campaign_id = world.make_campaign(connection, campaign, names, size, batch_size=batch_size)
        processes = [
            stack.enter_context(drains.started(server.url, connections, ids)) for _ in range(runners)
        ]
        world.start(connection, campaign)
        connection.execute("checkpoint")
        run = Run(size)
        heads = {"server": server.pid} | {f"runner {n}": p.process.pid for n, p in enumerate(processes, 1)}
        with measured(run, heads):
            for process in processes:
                process.begin()
            run.rss_mb = max(process.finish() for process in processes)
        sent = connection.execute(
            "select sent from retoma_internal.campaign_totals where campaign_id = %s", (campaign_id,)
        ).fetchone()
        assert sent == (size,), f"{sent} of {size} were sent"
        forget(connection, campaign_id)
    return run


def drain(server: Server, channels: list[int]) -> None:
    """Send what these channels have, with one runner."""
    with drains.started(server.url, 1, channels) as process:
        process.begin()
        process.finish()


def fill_source(connection: psycopg.Connection, size: int) -> None:
    """The delivery rows of a campaign of that size, in a table to insert from."""
    connection.execute(
        "create table source as select now() as at, (g / 300)::bigint as batch_id,"
        " null::timestamptz as receipt_at, 1 as campaign_id, g as ordinal, 1 as channel_id,"
        " 1 as lease_epoch, null::int as settings_version, 1::smallint as attempt,"
        " null::smallint as http_status, 'sent' as outcome, null::text as code, null::text as provider_id,"
        " null::text as receipt from generate_series(1, %s) as g",
        (size,),
    )
    connection.execute("alter table source add primary key (ordinal)")
    connection.execute("create table bare (like retoma_internal.delivery including all)")
    connection.execute("vacuum analyze source")


def bare_insert(server: Server, size: int, *, step: int = WINDOW) -> Run:
    """Insert the same delivery rows with `insert … select`, one commit for each step."""
    with server.connect() as connection:
        connection.execute("truncate bare")
        connection.execute("checkpoint")
        run = Run(size)
        with measured(run, {"server": server.pid, "client": os.getpid()}):
            for first in range(1, size + 1, step):
                connection.execute(
                    "insert into bare select * from source where ordinal between %s and %s",
                    (first, first + step - 1),
                    prepare=True,
                )
    return run


def forget(connection: psycopg.Connection, campaign_id: int) -> None:
    """Leave nothing behind that the next run could be slowed by."""
    connection.execute("set retoma_internal.erasing = 'yes'")
    connection.execute("delete from retoma_internal.message where campaign_id = %s", (campaign_id,))
    connection.execute("delete from retoma_internal.delivery where campaign_id = %s", (campaign_id,))
    connection.execute("vacuum retoma_internal.message")
    connection.execute("vacuum retoma_internal.delivery")
