"""`retoma watch`: campaigns while they run."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from retoma.cli import names as completed
from retoma.cli.output import as_json_option
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

    from retoma.monitor.display import Display
    from retoma.monitor.snapshot import Snapshot


@click.command("watch")
@click.argument("names", metavar="[CAMPAIGN]...", nargs=-1, shell_complete=completed.campaigns)
@click.option("--until-done", is_flag=True, help="End when all of them are completed or cancelled.")
@click.option(
    "--interval", default=0.5, show_default=True, type=click.FloatRange(0.05), help="Seconds between looks."
)
@as_json_option
@click.pass_context
def watch(
    context: click.Context, *, names: tuple[str, ...], until_done: bool, interval: float, as_json: bool
) -> None:
    """Watch campaigns while they run; without a name, all that have started and not ended.

    On a terminal it is a live picture, elsewhere a line for each change. It waits when the database is away.
    Ctrl-C ends this command and nothing else.

    \b
    retoma watch
    retoma watch spring --until-done && echo sent
    retoma watch spring --json

    With --until-done the exit code is 0 when all are completed and 1 when one was cancelled or you ended it.
    """
    from retoma.database.url import database_url  # noqa: PLC0415

    chosen = _Chosen(names, keep_looking=not (names or until_done))
    over = False
    try:
        with _display(as_json=as_json, interval=interval) as display:
            for snapshot in snapshots(database_url(), chosen, interval, display.say):
                display.show(snapshot)
                over = all(campaign.is_over for campaign in snapshot.campaigns)
                if until_done and over:
                    cancelled = any(campaign.status == "cancelled" for campaign in snapshot.campaigns)
                    context.exit(1 if cancelled else 0)
    except KeyboardInterrupt:
        context.exit(1 if until_done else 0)


class _Chosen:
    """The watched campaigns: those that were named, or those that are under way."""

    def __init__(self, names: tuple[str, ...], *, keep_looking: bool) -> None:
        self._names = list(names)
        self._must_exist = bool(names)
        self._keep_looking = keep_looking
        self._looked = bool(names)

    def __call__(self, connection: "psycopg.Connection[Any]") -> list[str]:
        from retoma.monitor.snapshot import take, under_way  # noqa: PLC0415

        if self._must_exist:
            found = {campaign.name for campaign in take(connection, self._names).campaigns}
            for name in self._names:
                if name not in found:
                    raise RetomaError(
                        f"There is no campaign '{name[:200]}'.", hint="See them all: retoma campaign list"
                    )
            self._must_exist = False
        elif self._keep_looking or not self._looked:
            # Campaigns that have ended since stay in sight.
            self._names += [name for name in under_way(connection) if name not in self._names]
            self._looked = True
        return self._names


def snapshots(
    url: str,
    names: "Callable[[psycopg.Connection[Any]], list[str]]",
    interval: float,
    say: Callable[[str], None],
) -> "Iterator[Snapshot]":
    """Look at the database again and again, through its restarts.

    Args:
        url: the database.
        names: the campaigns to look at, asked each time.
        interval: seconds between two looks.
        say: told when the database is away, and when it is back.

    Raises:
        psycopg.Error: the database is not there at the first look, or refuses.
    """
    import psycopg  # noqa: PLC0415

    from retoma.database import session  # noqa: PLC0415
    from retoma.monitor.snapshot import take  # noqa: PLC0415

    seen = away = False
    while True:
        try:
            with session.connect(url, "retoma watch") as connection:
                while True:
                    snapshot = take(connection, names(connection))
                    if away:
                        say("The database is back.")
                    seen, away = True, False
                    yield snapshot
                    time.sleep(interval)
        except psycopg.OperationalError:
            if not seen:
                raise
            if not away:
                say("The database is away; waiting for it. Campaigns lose nothing.")
            away = True
            time.sleep(min(interval, 1.0))


def _display(*, as_json: bool, interval: float) -> "Display":
    from rich.console import Console  # noqa: PLC0415

    from retoma.monitor.display import JsonLines, Lines, Picture  # noqa: PLC0415

    if as_json:
        return JsonLines(click.echo)
    if sys.stdout.isatty():
        return Picture(Console(highlight=False))
    return Lines(click.echo, interval)
