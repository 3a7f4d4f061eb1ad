"""`retoma limit`: how many messages, or to how many people, may be sent in a period."""

import click

from retoma.cli import names, parameters
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, print_json, print_table

_COLUMNS = [
    *("scope", "subject", "limit", "counting", "used", "remaining", "time_zone", "exhausted_until"),
]
_SCOPES = click.Choice(["channel", "channel_group", "campaign"])
_people_option = click.option("--people", is_flag=True, help="Count different people, not messages.")


@click.group("limit")
def limit() -> None:
    """Set, remove and list limits of channels, groups of channels and campaigns.

    \b
    retoma limit set channel sales 1000/day --time-zone America/Sao_Paulo
    retoma limit set channel sales '250/24 hours'
    retoma limit set channel_group shop '2000/24 hours' --people
    retoma limit set campaign spring 200/hour
    retoma limit list
    """


@limit.command("set")
@click.argument("scope", type=_SCOPES)
@click.argument("name", shell_complete=names.subjects)
@click.argument("limit", type=parameters.limit, metavar="MESSAGES/PERIOD")
@click.option("--time-zone", metavar="ZONE", help="Where days begin.  [default: of the campaign, else UTC]")
@_people_option
@as_json_option
def set_command(
    scope: str, name: str, *, limit: parameters.Limit, time_zone: str | None, people: bool, as_json: bool
) -> None:
    """Let the channel, group or campaign NAME send at most so many MESSAGES per PERIOD.

    PERIOD is hour, day, week or month of the calendar, or a length as in '24 hours': so many in any 24 hours.
    """
    with connected("limit") as connection:
        call(
            connection,
            "select retoma.set_limit(%s, %s, %s, %s, %s, %s)",
            scope, name, limit.maximum, limit.per, time_zone, _counting(people=people),
        )  # fmt: skip
    _report(scope, name, limit.per, limit.maximum, people=people, as_json=as_json)


@limit.command()
@click.argument("scope", type=_SCOPES)
@click.argument("name", shell_complete=names.subjects)
@click.argument("period")
@_people_option
@as_json_option
def remove(scope: str, name: str, period: str, *, people: bool, as_json: bool) -> None:
    """Remove the limit that the channel, group or campaign NAME has per PERIOD.

    \b
    retoma limit remove channel sales day
    """
    with connected("limit") as connection:
        call(
            connection,
            "select retoma.set_limit(%s, %s, null, %s, p_counting => %s)",
            scope, name, period, _counting(people=people),
        )  # fmt: skip
    _report(scope, name, period, None, people=people, as_json=as_json)


@limit.command("list")
@as_json_option
def list_command(*, as_json: bool) -> None:
    """List all limits, how much of each is used, and what is held back by one."""
    with connected("limit") as connection:
        rows = connection.execute(
            "select * from retoma.v_limit order by scope, subject, per, limit_id"
        ).fetchall()
    if as_json:
        print_json(rows)
    else:
        print_table(
            _COLUMNS,
            [row | {"limit": in_words(row)} for row in rows],
            empty="There are no limits. Set one: retoma limit set --help",
        )


def in_words(row: Row) -> str:
    """A row of v_limit as `limit set` takes it: 1000/day."""
    return f"{row['maximum']}/{row['per']}"


def _counting(*, people: bool) -> str:
    return "people" if people else "messages"


def _report(scope: str, name: str, per: str, maximum: int | None, *, people: bool, as_json: bool) -> None:
    counting = _counting(people=people)
    subject = f"{scope.replace('_', ' ')} {name}"
    if as_json:
        print_json({"scope": scope, "subject": name, "counting": counting, "per": per, "maximum": maximum})
    elif maximum is None:
        click.echo(f"The {subject} has no limit of {counting} per {per}.")
    else:
        to = "to at most" if people else "at most"
        click.echo(f"The {subject} sends {to} {maximum:,} {counting} per {per}.")
