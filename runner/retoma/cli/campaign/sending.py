"""`retoma campaign start`, `pause`, `resume` and `cancel`: whether a campaign sends."""

import datetime
from typing import TYPE_CHECKING, LiteralString

import click

from retoma.cli import names, parameters
from retoma.cli.campaign.summary import find, moment_of, starts_at
from retoma.cli.connection import call, connected
from retoma.cli.output import as_json_option, print_json, shown_in

if TYPE_CHECKING:
    from retoma.monitor.trial import Trial


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@click.option(
    "--at",
    type=parameters.instant,
    metavar="TIME",
    help="Start at this time, not now: 2030-05-31T09:00, in the campaign's zone or else this machine's.",
)
@as_json_option
def start(name: str, *, at: datetime.datetime | None, as_json: bool) -> None:
    """Freeze the audience of the draft NAME and send, now or at the time given to `create` or --at.

    The first messages are made before, and one of each variant is shown: nothing starts when none of them can
    be made.
    """
    from retoma.monitor.trial import try_out  # noqa: PLC0415

    with connected("campaign") as connection:
        summary = find(connection, name)
        trial = try_out(connection, name) if summary["status"] == "draft" else None
        moment = moment_of(connection, at, summary["time_zone"])
        with connection.transaction():
            # The database goes first: it knows best why a campaign cannot start.
            started = call(connection, "select retoma.start_campaign(%s, %s) as status", name, moment)
            if trial is not None:
                trial.insist()
        summary = find(connection, name)
    if trial is not None:
        _show_trial(trial, as_json=as_json)
    if as_json:
        print_json({"campaign": name, "status": started["status"]})
        return
    more = {
        "scheduled": f", for {starts_at(summary)}" if summary["starts_at"] else "",
        "running": f", {summary['total']:,} messages. See it: retoma watch '{name}'",
    }
    click.echo(f"{name}: {summary['status']}{more.get(summary['status'], '')}")
    if summary["to_check"]:
        click.echo(f"still being checked: {summary['to_check']:,} messages. See them: v_render_fault")
    if summary["reason"]:
        ends = summary["waits_until"]
        until = f", until {shown_in(ends, summary['time_zone'])}" if ends else ""
        click.echo(f"because: {summary['reason']}{until}")


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def pause(name: str, *, as_json: bool) -> None:
    """Send nothing more of NAME, after the messages already under way, until `resume`."""
    _order("select retoma.pause_campaign(%s) as status", name, as_json=as_json)


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def resume(name: str, *, as_json: bool) -> None:
    """Go on with NAME from the exact message where it stopped."""
    _order("select retoma.resume_campaign(%s) as status", name, as_json=as_json)


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def cancel(name: str, *, as_json: bool) -> None:
    """End NAME for good: messages that were not handed to the provider are cancelled."""
    _order("select retoma.cancel_campaign(%s) as status", name, as_json=as_json)


def _show_trial(trial: "Trial", *, as_json: bool) -> None:
    from retoma.content.in_words import in_words  # noqa: PLC0415

    for made in () if as_json else trial.firsts:
        variant = f" (variant {made.variant} of {trial.variants})" if trial.variants > 1 else ""
        click.echo(f"Message {made.number}, to {made.phone}{variant}:")
        for line in in_words(made.content):
            click.echo(f"  {line}")
    if trial.failed:
        tried = trial.made + trial.failed
        click.echo(
            f"warning: {trial.failed} of the first {tried} messages cannot be made; {trial.why}", err=True
        )


def _order(query: LiteralString, name: str, *, as_json: bool) -> None:
    with connected("campaign") as connection:
        status = call(connection, query, name)["status"]
    if as_json:
        print_json({"campaign": name, "status": status})
    else:
        click.echo(f"{name}: {status}")
