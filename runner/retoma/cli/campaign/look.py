"""`retoma campaign list`, `show` and `forecast`: how campaigns are."""

import click

from retoma.cli import names
from retoma.cli.campaign.summary import find, starts_at, windows_of
from retoma.cli.connection import call, connected
from retoma.cli.limit import in_words as limit_in_words
from retoma.cli.output import as_json_option, print_facts, print_json, print_table

_STATUSES = ["draft", "scheduled", "running", "paused", "interrupted", "completed", "cancelled"]

_COLUMNS = ["campaign", "status", "total", "sent", "failed", "skipped", "in_doubt", "pending", "reason"]


@click.command("list")
@click.option("--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only these.")
@as_json_option
def list_command(*, statuses: tuple[str, ...], as_json: bool) -> None:
    """List campaigns with their books.

    \b
    retoma campaign list
    retoma campaign list --status running --status interrupted
    """
    with connected("campaign") as connection:
        rows = connection.execute(
            "select * from retoma.v_campaign_summary where status = any(%s) order by campaign_id",
            [list(statuses or _STATUSES)],
        ).fetchall()
    if as_json:
        print_json(rows)
    else:
        print_table(
            _COLUMNS, rows, empty="There are no such campaigns. Make one: retoma campaign create --help"
        )


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def show(name: str, *, as_json: bool) -> None:
    """Show NAME: its books, its rules, and what to do if it is interrupted."""
    with connected("campaign") as connection:
        facts = find(connection, name)
        advice = connection.execute(
            "select what_to_do from retoma.v_interrupted_campaigns where campaign = %s", [name]
        ).fetchone()
        windows = windows_of(connection, name)
        limits = connection.execute(
            "select maximum, per from retoma.v_limit"
            " where scope = 'campaign' and subject = %s order by limit_id",
            [name],
        ).fetchall()
    facts["what_to_do"] = None if advice is None else advice["what_to_do"]
    facts["windows"] = windows or None
    facts["limits"] = [limit_in_words(limit) for limit in limits] or None
    if as_json:
        print_json(facts)
        return
    if facts["starts_at"]:
        facts["starts_at"] = starts_at(facts)
    print_facts(facts)


@click.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def forecast(name: str, *, as_json: bool) -> None:
    """Say how many messages NAME has left, and when pacing lets it finish."""
    with connected("campaign") as connection:
        facts = call(connection, "select * from retoma.forecast(%s)", name)
    if as_json:
        print_json({"campaign": name, **facts})
    else:
        print_facts(facts)
