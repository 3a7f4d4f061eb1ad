"""Latency of leases and steps, and of all monitoring, from 10 thousand to 10 million messages."""

import re
import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from retoma.database import schema
from tests.bench import world
from tests.bench.measure import percentile
from tests.bench.report import Report
from tests.bench.server import Server, running

_RUNNING = """
with made as (
  insert into retoma_internal.campaign (name, total, time_zone)
  select 'running ' || g, 9000, 'UTC' from generate_series(1, %(campaigns)s) as g
  returning id, mod(id, 3) = 0 as has_windows
), checked as (
  insert into retoma_internal.campaign_content (campaign_id, content, texts, required_variables, rendering)
  select id, '{"kind": "text", "text": "x"}', '[{"path": ["text"], "place": "text"}]', '{}', false from made
), zoned as (
  insert into retoma_internal.campaign_zone (campaign_id, zone)
  select id, case when has_windows then 'UTC' else '' end from made
), sent_by as (
  insert into retoma_internal.campaign_channel (campaign_id, channel_id)
  select m.id, c.id from made as m, retoma_internal.channel as c
)
insert into retoma_internal.batch
  (campaign_id, zone, status, first_ordinal, size, reserved, sent, lease_epoch, used_channel_id)
select
  m.id, case when m.has_windows then 'UTC' else '' end, case when b < 15 then 'completed' else 'ready' end,
  b * 300 + 1, 300, s.sent, s.sent, 2, case when b < 15 then 1 end
from made as m, generate_series(0, 29) as b,
  lateral (select case when b < 15 then 300 else 0 end as sent) as s
"""


def bench(*, quick: bool) -> Report:
    """The same small campaign beside more and more messages of finished ones: a database for each size.

    Then the monitoring that the documents show: beside the most messages, beside many campaigns that run, and
    the counts of one large campaign that waits.
    """
    sizes = [10_000, 100_000] if quick else [10_000, 1_000_000, 10_000_000]
    campaigns = 100 if quick else 2_000
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
        where = f"{campaigns:,} campaigns that are over, {sizes[-1]:,} messages"
        _monitor(report, urls[sizes[-1]], where)
        _monitor(report, _running(server, campaigns), f"{campaigns:,} campaigns that run, 30 batches each")
        _count(report, {size: _waiting(server, size) for size in sizes[1:]})
    middle = {key: percentile(values, 0.5) * 1000 for key, values in found.items()}
    for (name, size), value in middle.items():
        limit = 2 * middle[name, sizes[0]]
        report.target(f"{name}, p99, {size:,} messages", value, limit, at_least=False, unit="ms")
    return report


def _new(server: Server, name: str) -> str:
    """The URL of a new database with Retoma in it."""
    with server.connect() as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = server.url.replace("/retoma?", f"/{name}?")
    schema.install(url)
    return url


def _database(server: Server, messages: int, campaigns: int) -> str:
    """A new database with that many messages in finished campaigns; returns its URL."""
    url = _new(server, f"size_{messages}")
    with psycopg.connect(url, autocommit=True) as connection:
        _add_finished(connection, messages, campaigns, "old")
    return url


def _running(server: Server, campaigns: int) -> str:
    """A new database with campaigns that run, half of their 30 batches sent; a third is outside its windows.

    What they have sent is not there: no view of campaigns or batches reads it.
    """
    url = _new(server, "running")
    with psycopg.connect(url, autocommit=True) as connection:
        world.make_channel(connection, "sales")
        world.make_channel(connection, "support")
        connection.execute(_RUNNING, {"campaigns": campaigns})
        connection.execute(
            "insert into retoma_internal.send_window (scope, subject_id, days, opens, closes)"
            " select 'campaign', id, array[extract(isodow from now() + interval '2 days')], '09:00', '18:00'"
            " from retoma_internal.campaign where id % 3 = 0"
        )
        connection.execute("update retoma_internal.campaign set status = 'running'")
        connection.execute("delete from procrastinate.procrastinate_jobs")
        connection.execute("vacuum analyze")
    return url


def _waiting(server: Server, size: int) -> str:
    """A new database with one running campaign of that many messages, of which a hundredth has failed."""
    url = _new(server, f"waiting_{size}")
    with psycopg.connect(url, autocommit=True) as connection:
        channel_id = world.make_channel(connection, "sales")
        world.make_campaign(connection, "spring", ["sales"], size)
        world.start(connection, "spring")
        connection.execute(
            "insert into retoma_internal.delivery"
            " (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code)"
            " select now(), b.id, b.campaign_id, g, %s, 1, 1, 'failed', 'http_400'"
            " from retoma_internal.batch as b,"
            " generate_series(b.first_ordinal, b.first_ordinal + b.size / 100 - 1) as g",
            (channel_id,),
        )
        connection.execute(
            "update retoma_internal.batch"
            " set reserved = size / 100, failed = size / 100, used_channel_id = %s",
            (channel_id,),
        )
        connection.execute("vacuum analyze")
    return url


def _add_finished(connection: psycopg.Connection, messages: int, campaigns: int, label: str) -> None:
    """Campaigns that are over, with their messages, batches and deliveries, by plain inserts."""
    each = messages // campaigns
    row = connection.execute(
        "with made as (insert into retoma_internal.campaign (name, total)"
        " select %s || ' ' || g, %s from generate_series(1, %s) as g returning id), said as ("
        "insert into retoma_internal.campaign_content"
        " (campaign_id, content, texts, required_variables, rendering)"
        """ select id, '{"kind": "text", "text": "x"}', '[{"path": ["text"], "place": "text"}]', '{}',"""
        " false"
        " from made)"
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
            " lease_epoch, used_channel_id)"
            " select %(id)s, 'completed', f, s, s, s, 2, %(channel)s from (select f,"
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


def _monitor(report: Report, url: str, where: str) -> None:
    """Every query of the monitoring that the documents show, with one live runner."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select retoma.register_runner(%s, 'first')", (uuid4(),))
        campaign = connection.execute(
            "select name from retoma_internal.campaign order by id limit 1"
        ).fetchone()
        assert campaign is not None
        for query in ("select * from v_campaign_summary", *_shown()):
            took = _median(connection, query.replace("spring", campaign[0]))
            limit = 50 if query == "select * from v_campaign_summary" else 1000
            report.target(f"{query}: {where}", took * 1000, limit, at_least=False, unit="ms")


def _shown() -> list[str]:
    """The queries of the chapter about monitoring and of the first block of the runbook."""
    root = Path(__file__).resolve().parents[2]
    chapter = (root / "README.md").read_text(encoding="utf-8").split("## Monitoring")[1]
    pages = (chapter, (root / "docs/runbook/incidents.md").read_text(encoding="utf-8"))
    blocks = [page.split("```sql")[1].split("```")[0] for page in pages]
    statements = [re.sub(r"--.*", "", statement) for block in blocks for statement in block.split(";")]
    return [" ".join(statement.split()) for statement in statements if statement.strip()]


def _count(report: Report, urls: dict[int, str]) -> None:
    """The messages of one campaign by state: from its batches, and one by one."""
    one_by_one = "select state, count(*) from v_message where campaign = 'spring' group by state"
    times = {}
    for size, url in urls.items():
        with psycopg.connect(url, autocommit=True) as connection:
            took = _median(connection, "select * from v_message_count where campaign = 'spring'")
            times[size] = _median(connection, one_by_one, rounds=3)
        report.target(f"v_message_count, {size:,} messages", took * 1000, 1000, at_least=False, unit="ms")
        report.target(f"{one_by_one}: {size:,} messages", times[size], unit="s")
    small, large = urls
    per_message = (times[large] / large) / (times[small] / small)
    report.target(f"the same, per message, {large:,} against {small:,}", per_message, 2, at_least=False)


def _median(connection: psycopg.Connection, query: str, rounds: int = 7) -> float:
    """Seconds that a query of ours takes."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        connection.execute(query).fetchall()
        times.append(time.perf_counter() - started)
    return percentile(times, 0.5)
