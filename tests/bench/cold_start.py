"""How long a runner takes from its start to its first lease, and `retoma --help`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import world
from tests.bench.measure import percentile
from tests.bench.report import Report
from tests.bench.server import Server, running
from tests.support.command import environment
from tests.support.runners import runners_on
from tests.support.waiting import wait_until


def bench(*, quick: bool) -> Report:
    """Medians over separate processes, with warm file caches."""
    rounds = 3 if quick else 9
    report = Report("cold_start", quick)
    with running() as server:
        leases = [_first_lease(server, number) for number in range(rounds)]
    report.target("retoma runner to first lease", percentile(leases, 0.5), 1.0, at_least=False, unit="s")
    report.target(
        "retoma --help", percentile([_help() for _ in range(rounds)], 0.5), 0.2, at_least=False, unit="s"
    )
    return report


def _first_lease(server: Server, number: int) -> float:
    with server.connect() as connection, tempfile.TemporaryDirectory() as directory:
        world.make_channel(connection, f"cold-{number}")
        campaign_id = world.make_campaign(connection, f"cold {number}", [f"cold-{number}"], 300)
        world.start(connection, f"cold {number}")
        started = time.time()
        with runners_on(server.url, Path(directory)) as runners:
            runners.start("cold")
            row = wait_until(
                lambda: connection.execute(
                    "select extract(epoch from leased_at) from retoma_internal.batch"
                    " where campaign_id = %s and leased_at is not null",
                    (campaign_id,),
                ).fetchone()
            )
        assert row is not None
        return float(row[0]) - started


def _help() -> float:
    started = time.perf_counter()
    command = [str(Path(sys.executable).with_name("retoma")), "--help"]
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
