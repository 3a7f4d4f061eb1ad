"""The witnesses inside the database: installed before a run, read after it."""

from pathlib import Path
from typing import LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row

from tests.chaos.history import (
    Batch,
    Campaign,
    Channel,
    Fault,
    History,
    Limit,
    Message,
    Outcome,
    Request,
    Sample,
    State,
    Step,
    Suppression,
)

T = TypeVar("T")

SERVER_SETTINGS = "track_commit_timestamp = on\n"
"""The settings with which a witness can say when its transaction was committed."""


def install(url: str) -> None:
    """Puts the witnesses into a database with Retoma in it."""
    with psycopg.connect(url) as connection:
        connection.execute((Path(__file__).parent / "evidence.sql").read_bytes())


def collect(url: str, requests: list[Request], faults: list[Fault], samples: list[Sample]) -> History:
    """Everything that is known of a run that is over."""
    with psycopg.connect(url) as connection:
        lease = connection.execute("select extract(epoch from lease_duration)::float8 from retoma.setting")
        return History(
            lease_s=next(lease)[0],
            channels=_read(connection, Channel, _CHANNELS),
            campaigns=_read(
                connection,
                Campaign,
                "select id, name, token, status, total from retoma_internal.campaign order by id",
            ),
            messages=_read(
                connection, Message, "select campaign_id, ordinal, phone from retoma_internal.message"
            ),
            batches=_read(connection, Batch, _BATCHES),
            steps=_read(connection, Step, _STEPS),
            outcomes=_read(connection, Outcome, _OUTCOMES),
            states=_read(connection, State, _STATES),
            suppressions=_read(connection, Suppression, _SUPPRESSIONS),
            requests=requests,
            faults=faults,
            samples=samples,
            limits=_read(connection, Limit, _LIMITS),
        )


def _read(connection: psycopg.Connection, kind: type[T], query: LiteralString) -> list[T]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query).fetchall()


_CHANNELS: LiteralString = """
select
  c.id, c.name, c.transport, 'text' = any(c.dedupes) as dedupes, c.looks_up, c.max_in_flight, p.burst,
  extract(epoch from p.gap_min)::float8 as gap_min_s,
  extract(epoch from p.batch_gap_min)::float8 as batch_gap_min_s,
  p.rate_per_s::float8 as rate_per_s
from retoma_internal.channel as c
join retoma_internal.channel_pacing as p on p.channel_id = c.id
"""

_LIMITS: LiteralString = """
select l.scope, l.subject_id, l.maximum, extract(epoch from l.rolling)::float8 as period_s
from retoma_internal.limit_rule as l
"""

_BATCHES: LiteralString = """
select
  b.id, b.campaign_id, b.attempt,
  coalesce(
    l.ordinals, array(select generate_series(b.first_ordinal, b.first_ordinal + b.size - 1))
  ) as ordinals
from retoma_internal.batch as b
left join retoma_internal.batch_list as l on l.batch_id = b.id
order by b.id
"""

_STEPS: LiteralString = """
select
  s.seq, s.xid::text::bigint as xid, s.writer, coalesce(r.name, '') as holder, s.batch_id,
  coalesce(s.channel_id, 0) as channel_id, s.old_status, s.new_status, s.old_epoch, s.new_epoch,
  s.old_reserved, s.new_reserved,
  extract(epoch from s.started)::float8 as started,
  extract(epoch from s.at)::float8 as at,
  extract(epoch from pg_xact_commit_timestamp(s.xmin))::float8 as committed
from chaos.step as s
left join retoma_internal.runner as r on r.id = s.runner_id
order by s.seq
"""

_OUTCOMES: LiteralString = """
select
  o.xid::text::bigint as xid, o.writer, o.batch_id, o.campaign_id, o.ordinal, o.attempt, o.epoch, o.outcome,
  o.code, extract(epoch from pg_xact_commit_timestamp(o.xmin))::float8 as committed
from chaos.outcome as o
order by o.seq
"""

_STATES: LiteralString = """
select campaign_id, ordinal, state, code from retoma.message_state order by campaign_id, ordinal
"""

_SUPPRESSIONS: LiteralString = """
select phone, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 as committed
from retoma_internal.suppression
"""
