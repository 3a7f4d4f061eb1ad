"""Thousands of paced channels in one runner: is every message sent when its gap is over, and none before?

The schedule is the database's own: advance_batch says in how many seconds to ask again. Late is what a send
comes after that; a gap that is short would be a defect. Both are read from what the pacing row went through.
"""

import tempfile
import time
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from tests.bench import world
from tests.bench.measure import Run, measured, percentile
from tests.bench.report import Report
from tests.bench.server import running
from tests.support.runners import runners_on
from tests.support.waiting import wait_until

GAP_S = (5.0, 15.0)

# A step of a paced channel either records an outcome, which fixes when the next send is due, or reserves.
_TRACE = """
create unlogged table public.pace (channel_id int, at timestamptz, due timestamptz);
create function public.note_pace() returns trigger language plpgsql as $$
begin
  insert into public.pace
  select
    new.lease_channel_id, retoma.clock(), case when new.sent > old.sent then p.next_send_at end
  from retoma_internal.channel_pacing as p where p.channel_id = new.lease_channel_id;
  return null;
end $$;
create trigger note_pace after update on retoma_internal.batch for each row
when (new.status = 'leased' and (new.sent > old.sent or new.reserved > old.reserved))
execute function public.note_pace();
"""

_GAPS = """
select extract(epoch from p.at - p.due_before), extract(epoch from p.at - p.recorded_at)
from (
  select channel_id, at, due, lag(due) over w as due_before, lag(at) over w as recorded_at
  from public.pace window w as (partition by channel_id order by at)
) as p
where p.due is null and p.due_before is not null and p.at > %s
"""


def bench(*, quick: bool) -> Report:
    """5,000 channels with gaps of 5 to 15 s, a campaign over all of them, one `retoma runner`."""
    channels, warm_up_s, measured_s = (200, 20, 30) if quick else (5_000, 30, 120)
    report = Report("paced", quick)
    with running() as server, server.connect() as connection, tempfile.TemporaryDirectory() as directory:
        _make(connection, channels, per_channel=(warm_up_s + measured_s) // 5 + 20)
        with runners_on(server.url, Path(directory)) as runners:
            started = time.monotonic()
            runner = runners.start("paced")
            wait_until(lambda: _leased(connection) == channels, deadline_s=600)
            began_s = time.monotonic() - started
            # A gap or two, so that the first messages of all, due at once, are no part of it.
            time.sleep(warm_up_s)
            begin = _clock(connection)
            run = Run(1)
            with measured(run, {"server": server.pid, "runner": runner.process.pid}):
                time.sleep(measured_s)
            rss_kb = next(
                int(line.split()[1])
                for line in Path(f"/proc/{runner.process.pid}/status").read_text().splitlines()
                if line.startswith("VmHWM")
            )
            rows = connection.execute(_GAPS, (begin,)).fetchall()
            stopping = time.monotonic()
            runner.process.terminate()
            runner.process.wait(timeout=120)
            stop_s = time.monotonic() - stopping
    late = [float(row[0]) for row in rows]
    gaps = [float(row[1]) for row in rows]
    report.target("all channels have begun after", began_s, unit="s")
    report.target("sends a second", len(rows) / measured_s, channels / 10 * 0.9)
    report.target("lateness, median", percentile(late, 0.5) * 1000, unit="ms")
    report.target("lateness, p99", percentile(late, 0.99) * 1000, 100, at_least=False, unit="ms")
    report.target("sent before its time", sum(value < 0 for value in late), 0, at_least=False)
    report.target("shortest gap", min(gaps), GAP_S[0], unit="s")
    report.target("cores of the runner", run.cpu_s["runner"] / run.wall_s, 1, at_least=False)
    report.target("cores of PostgreSQL", run.cpu_s["server"] / run.wall_s)
    report.target("stop on SIGTERM", stop_s, 2, at_least=False, unit="s")
    report.target("memory of the runner", rss_kb / 1024, 300, at_least=False, unit="MB")
    return report


def _make(connection: psycopg.Connection, channels: int, per_channel: int) -> None:
    connection.execute(
        "select retoma.create_channel('paced-' || g, 'null', p_pacing => %s)"
        " from generate_series(1, %s) as g",
        (Jsonb({"gap_min_s": GAP_S[0], "gap_max_s": GAP_S[1], "max_in_flight": 1}), channels),
    )
    connection.execute(_TRACE)
    names = [f"paced-{number}" for number in range(1, channels + 1)]
    world.make_campaign(connection, "paced", names, channels * per_channel, batch_size=per_channel)
    connection.execute("vacuum analyze")
    world.start(connection, "paced")


def _leased(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from retoma_internal.batch where status = 'leased'").fetchone()
    assert row is not None
    return int(row[0])


def _clock(connection: psycopg.Connection) -> object:
    row = connection.execute("select retoma.clock()").fetchone()
    assert row is not None
    return row[0]
