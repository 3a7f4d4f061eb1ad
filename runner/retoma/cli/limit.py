"""`retoma limit`: how many messages a channel or a campaign may send in a period."""

import click

from retoma.cli import names, parameters
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, print_json, print_table

_COLUMNS = ["scope", "subject", "limit", "used", "remaining", "time_zone", "exhausted_until"]
_SCOPES = click.Choice(["channel", "campaign"])


@click.group("limit")
def limit() -> None:
    """Set, remove and list limits of channels and campaigns.

    \b
    retoma limit set channel sales 1000/day --time-zone America/Sao_Paulo
    retoma limit set channel sales '250/24 hours'
    retoma limit set campaign spring 200/hour
    retoma limit list
    """


@limit.command("set")
@click.argument("scope", type=_SCOPES)
@click.argument("name", shell_complete=names.subjects)
@click.argument("limit", type=parameters.limit, metavar="MESSAGES/PERIOD")
@click.option("--time-zone", metavar="ZONE", help="Where days begin.  [default: of the campaign, else UTC]")
@as_json_option
def set_command(
    scope: str, name: str, *, limit: parameters.Limit, time_zone: str | None, as_json: bool
) -> None:
    """Let the channel or campaign NAME send at most so many MESSAGES per PERIOD.

    PERIOD is hour, day, week or month of the calendar, or a length as in '24 hours': so many in any 24 hours.
    """
    with connected("limit") as connection:
        call(
            connection,
            "select retoma.set_limit(%s, %s, %s, %s, %s)",
            scope, name, limit.maximum, limit.per, time_zone,
        )  # fmt: skip
    _report(scope, name, limit.per, limit.maximum, as_json=as_json)


@limit.command()
@click.argument("scope", type=_SCOPES)
@click.argument("name", shell_complete=names.subjects)
@click.argument("period")
@as_json_option
def remove(scope: str, name: str, period: str, *, as_json: bool) -> None:
    """Remove the limit that the channel or campaign NAME has per PERIOD.

    \b
    retoma limit remove channel sales day
    """
    with connected("limit") as connection:
        call(connection, "select retoma.set_limit(%s, %s, null, %s)", scope, name, period)
    _report(scope, name, period, None, as_json=as_json)


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


def _report(scope: str, name: str, per: str, maximum: int | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"scope": scope, "subject": name, "per": per, "maximum": maximum})
    elif maximum is None:
        click.echo(f"The {scope} {name} has no limit per {per}.")
    else:
        click.echo(f"The {scope} {name} sends at most {maximum:,} messages per {per}.")
