"""Latency of leases, steps and the summary view, from 10 thousand to 10 million messages."""

import time
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retoma.database import schema
from tests.bench import world
from tests.bench.measure import percentile
from tests.bench.report import Report
from tests.bench.server import Server, running


def bench(*, quick: bool) -> Report:
    """The same small campaign beside more and more messages of finished ones: a database for each size."""
    sizes = [10_000, 100_000] if quick else [10_000, 1_000_000, 10_000_000]
    campaigns = 100 if quick else 1_000
    rounds, steps = (3, 300) if quick else (7, 900)
    report = Report("scale", quick)
    found: dict[tuple[str, int], list[float]] = {}
    with running("max_wal_size = 32GB\ncheckpoint_timeout = 1h\n") as server:
        urls = {size: _database(server, size, campaigns if size == sizes[-1] else 10) for size in sizes}
        # The first measurement would otherwise pay for the writes that the loading left.
        with server.connect() as connection:
            connection.execute("checkpoint")
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else sizes[::-1]:
                for name, value in _latencies(urls[size], f"round-{number}", steps).items():
                    found.setdefault((name, size), []).append(value)
        with psycopg.connect(urls[sizes[-1]], autocommit=True) as connection:
            summary = _summary(connection)
    middle = {key: percentile(values, 0.5) * 1000 for key, values in found.items()}
    for (name, size), value in middle.items():
        limit = 2 * middle[name, sizes[0]]
        report.target(f"{name}, p99, {size:,} messages", value, limit, at_least=False, unit="ms")
    label = f"v_campaign_summary, {campaigns:,} campaigns, {sizes[-1]:,} messages"
    report.target(label, summary * 1000, 50, at_least=False, unit="ms")
    return report


def _database(server: Server, messages: int, campaigns: int) -> str:
    """A new database with that many messages in finished campaigns; returns its URL."""
    name = f"size_{messages}"
    with server.connect() as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = server.url.replace("/retoma?", f"/{name}?")
    schema.install(url)
    with psycopg.connect(url, autocommit=True) as connection:
        _add_finished(connection, messages, campaigns, "old")
    return url


def _add_finished(connection: psycopg.Connection, messages: int, campaigns: int, label: str) -> None:
    """Campaigns that are over, with their messages, batches and deliveries, by plain inserts."""
    each = messages // campaigns
    row = connection.execute(
        "with made as (insert into retoma_internal.campaign (name, total)"
        " select %s || ' ' || g, %s from generate_series(1, %s) as g returning id), said as ("
        "insert into retoma_internal.campaign_content (campaign_id, content, required_variables)"
        """ select id, '{"kind": "text", "text": "x"}', '{}' from made)"""
        " select array_agg(id order by id) from made",
        (label, each, campaigns),
    ).fetchone()
    assert row is not None
    channel_id = world.make_channel(connection, f"old-{label}")
    connection.execute(
        "insert into retoma_internal.campaign_channel (campaign_id, channel_id) select unnest(%s::int[]), %s",
        (row[0], channel_id),
    )
    for campaign_id in row[0]:
        connection.execute("select retoma_internal.ensure_partition(%s)", (campaign_id,))
        parameters = {"id": campaign_id, "channel": channel_id, "each": each}
        connection.execute(
            "insert into retoma_internal.message (campaign_id, ordinal, phone, variables)"
            " select %(id)s, g, '+999' || lpad(g::text, 9, '0'), '{\"name\": \"Ana\"}'"
            " from generate_series(1, %(each)s) as g",
            parameters,
        )
        connection.execute(
            "insert into retoma_internal.delivery"
            " (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome)"
            " select now(), 0, %(id)s, g, %(channel)s, 1, 1, 'sent' from generate_series(1, %(each)s) as g",
            parameters,
        )
        connection.execute(
            "insert into retoma_internal.batch (campaign_id, status, first_ordinal, size, reserved, sent,"
            " lease_epoch)"
            " select %(id)s, 'completed', f, s, s, s, 2 from (select f,"
            " least(300, %(each)s - f + 1) as s from generate_series(1, %(each)s, 300) as f) as b",
            parameters,
        )
        connection.execute(
            "insert into retoma_internal.campaign_zone (campaign_id, zone) values (%(id)s, '')", parameters
        )
    connection.execute("update retoma_internal.campaign set status = 'running' where id = any(%s)", (row[0],))
    connection.execute(
        "update retoma_internal.campaign set status = 'completed' where id = any(%s)", (row[0],)
    )
    connection.execute("vacuum analyze")


def _latencies(url: str, name: str, steps: int) -> dict[str, float]:
    """p99 in seconds of leases (of batches of 3) and of steps of one message, on one new connection."""
    leases: list[float] = []
    advances: list[float] = []
    with psycopg.connect(url, autocommit=True) as connection:
        channel_id = world.make_channel(connection, name, window=1)
        world.make_campaign(connection, name, [name], steps, batch_size=3)
        world.start(connection, name)
        runner_id = uuid4()
        connection.execute("select retoma.register_runner(%s, %s)", (runner_id, name))
        while True:
            started = time.perf_counter()
            row = connection.execute(
                "select batch_id, lease_epoch, reserved from retoma.lease_batch(%s, %s)",
                (runner_id, channel_id),
            ).fetchone()
            leases.append(time.perf_counter() - started)
            assert row is not None
            if row[0] is None:
                break
            _send(connection, runner_id, row[0], row[1], advances)
    # The first ones of a session fill its caches, whatever the size.
    return {"lease": percentile(leases[5:-1], 0.99), "advance": percentile(advances[10:], 0.99)}


def _send(
    connection: psycopg.Connection, runner_id: UUID, batch_id: int, epoch: int, advances: list[float]
) -> None:
    outcomes: list[dict[str, object]] = []
    seen, action = 0, "send"
    while action == "send":
        started = time.perf_counter()
        row = connection.execute(
            "select action, reserved, messages from retoma.advance_batch(%s, %s, %s, %s, 1, %s)",
            (runner_id, batch_id, epoch, Jsonb(outcomes), seen),
        ).fetchone()
        advances.append(time.perf_counter() - started)
        assert row is not None
        action, seen = row[0], row[1]
        outcomes = [{"ordinal": message[0], "status": "accepted"} for message in row[2] or []]


def _summary(connection: psycopg.Connection) -> float:
    times = []
    for _ in range(9):
        started = time.perf_counter()
        connection.execute("select * from retoma.v_campaign_summary").fetchall()
        times.append(time.perf_counter() - started)
    return percentile(times, 0.5)
