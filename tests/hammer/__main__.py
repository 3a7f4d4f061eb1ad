"""`python -m tests.hammer`: call everything at random, and see whether anything breaks that must not."""

import json
import sys
import tempfile
from pathlib import Path

import click

from tests.hammer.run import hammer
from tests.support import clusters

TICK_MAX_S = 5


@click.command()
@click.option("--minutes", type=float, default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--server", type=click.Choice(clusters.available()), default="pg18", show_default=True)
def main(minutes: float, seed: int, server: str) -> None:
    """Call all public functions at random from many sessions, some of them careless or hostile.

    A failure is an error without an RT code, a deadlock, a tick later than 5 seconds, a runner that ends,
    or books that do not balance.
    """
    directory = Path(tempfile.mkdtemp(prefix="retoma-hammer-"))
    with clusters.running(server) as running:
        database = running.create_database()
        notes = hammer(database, directory, minutes * 60, seed, tick_max_s=TICK_MAX_S, say=click.echo)
    click.echo(json.dumps({"calls": notes.calls, "refusals": notes.refusals}, indent=1, sort_keys=True))
    click.echo(f"{notes.ticks} ticks, the slowest took {notes.slowest_tick_s:.2f} s")
    for kind, (example, count) in sorted(notes.failures.items()):
        click.echo(f"FAILED {count} times: {kind}\n  {example}")
    click.echo(f"{len(notes.failures)} kinds of failures; seed {seed}; logs of the runners: {directory}")
    sys.exit(1 if notes.failures else 0)


main()
