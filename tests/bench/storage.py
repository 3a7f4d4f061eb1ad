"""The cost of a message for the database, from load to receipt: disk, log, commits, dead rows."""

import json

import psycopg

from tests.bench import engine, world
from tests.bench.report import Report
from tests.bench.server import Server, running

_FACTS = """
select 'bare', g, '+999' || lpad(g::text, 9, '0'), jsonb_build_object('name', 'Ana ' || g, 'order', g)
from generate_series(1, %s) as g
"""


def bench(*, quick: bool) -> Report:
    """One campaign through all phases; beside it the same facts in two bare tables with the same keys."""
    size = 30_000 if quick else 300_000
    report = Report("storage", quick)
    # Full-page images depend on when checkpoints happen, and hit both sides alike; none falls into this run.
    with running("max_wal_size = 16GB\ncheckpoint_timeout = 1h\n") as server, server.connect() as connection:
        bare = _bare(connection, size)
        phases = _phases(server, connection, size)
        disk = _disk(connection) / size
        dead = connection.execute(
            "select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables where schemaname ~ '^retoma'"
            " and relname not like 'recipient_staging'"
        ).fetchone()
    assert dead is not None
    for name, (wal, commits) in phases.items():
        report.target(f"WAL, {name}", wal / size, unit="bytes a message")
        report.target(f"commits, {name}", commits / size, unit="a message")
    total = sum(wal for wal, _ in phases.values())
    report.target("WAL, bare insert of the same facts", bare / size, unit="bytes a message")
    report.target("WAL, all phases / bare", total / bare, 2.0, at_least=False)
    report.target("disk with indexes", disk, unit="bytes a message")
    report.target("dead rows at the end", float(dead[0]) / size, unit="a message")
    return report


def _phases(server: Server, connection: psycopg.Connection, size: int) -> dict[str, tuple[int, int]]:
    phases = {}
    channel_id = world.make_channel(connection, "null-1")
    before = _written(connection)

    def end(phase: str) -> None:
        nonlocal before
        now = _written(connection)
        phases[phase] = (now[0] - before[0], now[1] - before[1])
        before = now

    connection.execute(
        "select retoma.record_content_check("
        "retoma.create_campaign('storage', 'null-1', %s), 1, '{name,order}')",
        (world.TEXT,),
    )
    connection.execute(
        "insert into retoma.recipient_staging (campaign, line, phone, variables) "
        + _FACTS.replace("'bare'", "'storage'"),
        (size,),
    )
    connection.execute("select retoma.load_staged('storage')")
    end("load")
    world.start(connection, "storage")
    end("start")
    engine.drain(server, [channel_id])
    end("send")
    _receipts(connection, size)
    end("one receipt each")
    return phases


def _receipts(connection: psycopg.Connection, size: int) -> None:
    row = connection.execute("select token from retoma_internal.campaign where name = 'storage'").fetchone()
    assert row is not None
    for first in range(1, size + 1, 300):
        receipts = [
            {"message_id": f"{row[0]}{ordinal:08x}", "status": "delivered"}
            for ordinal in range(first, min(first + 300, size + 1))
        ]
        connection.execute("select retoma.record_receipts('null-1', %s)", (json.dumps(receipts),))


def _bare(connection: psycopg.Connection, size: int) -> int:
    connection.execute(
        "create table bare_message (campaign text, ordinal int, phone text, variables jsonb,"
        " primary key (ordinal), unique (phone))"
    )
    connection.execute("create table bare_delivery (like retoma_internal.delivery including all)")
    before = _written(connection)[0]
    connection.execute("insert into bare_message " + _FACTS, (size,))
    for first in range(1, size + 1, 300):
        connection.execute(
            "insert into bare_delivery (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch,"
            " attempt, outcome)"
            " select now(), 1, 1, g, 1, 1, 1, 'sent' from generate_series(%s::int, %s::int) as g",
            (first, min(first + 299, size)),
        )
    # A receipt is a fact too.
    for first in range(1, size + 1, 300):
        connection.execute(
            "update bare_delivery set receipt = 'delivered', receipt_at = now()"
            " where ordinal between %s and %s",
            (first, first + 299),
        )
    return _written(connection)[0] - before


def _written(connection: psycopg.Connection) -> tuple[int, int]:
    """Bytes of write-ahead log so far, and commits of this database."""
    connection.execute("select pg_stat_force_next_flush()")
    row = connection.execute(
        "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,"
        " (select xact_commit from pg_stat_database where datname = current_database())"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _disk(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "select sum(pg_total_relation_size(c.oid)) from pg_class as c"
        " where c.relnamespace::regnamespace::text ~ '^retoma' and c.relkind = 'r'"
        " and c.relname ~ '^(message|delivery|batch|event)'"
    ).fetchone()
    assert row is not None
    return int(row[0])
