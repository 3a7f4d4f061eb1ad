"""`python -m tests.dialects`: 16,000 messages through each dialect, with lost answers and a killed runner."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import psycopg

from tests.dialects.catalogue import DIALECTS
from tests.dialects.run import run
from tests.support import clusters

_DEADLINE_S = 1_800.0


@click.command()
@click.option("--messages", default=16_000, show_default=True, type=click.IntRange(50, 90_000))
@click.option(
    "--rate", default=400.0, show_default=True, type=click.FloatRange(1), help="Messages per second."
)
@click.option("--dialect", "names", multiple=True, type=click.Choice(list(DIALECTS)), help="Only this one.")
@click.option("--seed", default=1, show_default=True, help="Decides which answers are lost.")
@click.option("--server", type=click.Choice(clusters.available()), default="pg18", show_default=True)
def main(messages: int, rate: float, names: tuple[str, ...], seed: int, server: str) -> None:
    """Send through each dialect, lose 5 % of the answers, kill a runner; one JSON line for each.

    Exit code: 0 when every promise was kept, otherwise 1.
    """
    broken = False
    with clusters.running(server) as running:
        for name in names or DIALECTS:
            directory = Path(tempfile.mkdtemp(prefix=f"retoma-{name}-"))
            database = running.create_database()
            with psycopg.connect(database, autocommit=True) as db:
                outcome = run(
                    db, database, directory, DIALECTS[name],
                    messages=messages, rate=rate, seed=seed, deadline_s=_DEADLINE_S,
                )  # fmt: skip
            faults = outcome.faults(DIALECTS[name])
            click.echo(json.dumps({"dialect": name, **asdict(outcome), "faults": faults}))
            if faults:
                broken = True
                click.echo(f"ledger and logs: {directory}", err=True)
    sys.exit(1 if broken else 0)


main()
