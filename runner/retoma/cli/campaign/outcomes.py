"""`retoma campaign retry-failed` and `resolve`: what becomes of messages that failed or are in doubt."""

import click

from retoma.cli import names
from retoma.cli.campaign.summary import find
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, print_json


@click.command("retry-failed")
@click.argument("name", shell_complete=names.campaigns)
@click.option("--code", "codes", multiple=True, help="Only messages that failed with this code; repeatable.")
@as_json_option
def retry_failed(name: str, *, codes: tuple[str, ...], as_json: bool) -> None:
    """Send the failed messages of NAME again.

    \b
    retoma campaign retry-failed spring
    retoma campaign retry-failed spring --code http_400
    """
    with connected("campaign") as connection:
        count = call(
            connection, "select retoma.retry_failed(%s, %s) as n", name, list(codes) if codes else None
        )["n"]
    _report(name, count, "queued again", as_json=as_json)


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@click.option(
    "--as",
    "decision",
    required=True,
    type=click.Choice(["sent", "failed", "resend"]),
    help="sent: they arrived. failed: leave them. resend: send them again; people may get them twice.",
)
@click.option("--phone", "phones", multiple=True, help="Only this number, with +; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask before resending.")
@as_json_option
def resolve(name: str, *, decision: str, phones: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Decide about the messages of NAME that are in doubt: handed over, but their outcome is unknown.

    See them first: retoma db psql -c 'select * from v_in_doubt'

    \b
    retoma campaign resolve spring --as sent
    retoma campaign resolve spring --as resend --phone +5511955500001
    """
    with connected("campaign") as connection:
        if decision == "resend" and not yes:
            _ask_before_resending(find(connection, name), len(phones))
        count = call(
            connection,
            "select retoma.resolve_in_doubt(%s, %s, %s) as n",
            name, decision, list(phones) if phones else None,
        )["n"]  # fmt: skip
    _report(name, count, "queued again" if decision == "resend" else decision, as_json=as_json)


def _ask_before_resending(summary: Row, phones: int) -> None:
    if summary["in_doubt"]:
        which = f"{phones} numbers" if phones else f"all {summary['in_doubt']:,} messages in doubt"
        click.confirm(
            f"Send {which} of {summary['campaign']} again? People who have the message already get it twice.",
            abort=True,
            err=True,
        )


def _report(name: str, count: int, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"campaign": name, "messages": count, "now": what})
    elif count:
        click.echo(f"{name}: {count:,} {'message' if count == 1 else 'messages'} {what}")
    else:
        click.echo(f"{name}: there were no such messages")
