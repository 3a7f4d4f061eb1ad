"""`retoma channel`: the sender accounts."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

import click

from retoma.cli import names, parameters
from retoma.cli.channel_test import channel_test
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, print_facts, print_json, print_table, shown
from retoma.cli.pairing import pair
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

Command = TypeVar("Command", bound=Callable[..., Any])

_SETTINGS_HELP = (
    "For the transport; write secrets as env:RETOMA_SECRET_NAME or file:NAME. Repeat it for several."
)


_CHANNELS: LiteralString = """
    select
      v.*,
      nullif(array(
        select format('%%s/%%s', l.maximum, l.per) from retoma.v_limit as l
        where l.scope = 'channel' and l.subject_id = v.channel_id
        order by l.limit_id
      ), '{}') as limits
    from retoma.v_channel as v
"""


def _pacing_option(
    name: str, kind: Callable[[str], parameters.Patch], metavar: str, text: str
) -> Callable[[Command], Command]:
    return click.option(name, type=kind, metavar=metavar, help=f"{text} `none` takes it away.")


_OPTIONS = (
    _pacing_option(
        "--gap", parameters.gap("gap"), "MIN-MAX", "Seconds between messages, random in between: 5-15."
    ),
    _pacing_option("--batch-gap", parameters.gap("batch_gap"), "MIN-MAX", "Seconds between batches: 15-30."),
    _pacing_option("--rate", parameters.number("rate_per_s"), "NUMBER", "Messages per second at most."),
    _pacing_option("--burst", parameters.number("burst"), "NUMBER", "Messages at once after a silence."),
    _pacing_option(
        "--in-flight", parameters.number("max_in_flight"), "NUMBER", "Requests under way at once, per batch."
    ),
    _pacing_option(
        "--leases", parameters.number("max_leases"), "NUMBER", "Batches under way at once; for fast channels."
    ),
)


def _pacing_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("channel")
def channel() -> None:
    """Create, pause and list sender accounts.

    \b
    retoma channel create sales --transport waha --set base_url=http://127.0.0.1:3000 \\
        --set session=default --set api_key=env:RETOMA_SECRET_WAHA
    retoma channel pair sales
    retoma channel test sales +5511955500001
    retoma channel list
    retoma channel pause sales --reason 'the phone is being replaced'
    retoma channel resume sales
    """


@channel.command()
@click.argument("name")
@click.option(
    "--transport",
    required=True,
    help="waha, evolution, evolution_go, whatsapp_cloud, webhook, or one of your own.",
)
@click.option(
    "--set", "settings", multiple=True, type=parameters.setting, metavar="KEY=VALUE", help=_SETTINGS_HELP
)
@_pacing_options
@click.option(
    "--limit",
    "limits",
    multiple=True,
    type=parameters.limit,
    metavar="MESSAGES/PERIOD",
    help="At most so many, days in UTC: 1000/day. Repeat it for several periods; see `retoma limit`.",
)
@as_json_option
def create(
    name: str,
    *,
    transport: str,
    settings: tuple[tuple[str, object], ...],
    limits: tuple[parameters.Limit, ...],
    as_json: bool,
    **pacing: Any,
) -> None:
    """Make the channel NAME; pacing that is not given comes from the transport.

    \b
    retoma channel create sales --transport waha --set base_url=http://127.0.0.1:3000 \\
        --set session=default --set engine=NOWEB --set api_key=env:RETOMA_SECRET_WAHA --gap 5-15
    retoma channel create support --transport webhook --set url=https://example.com/messages \\
        --set idempotent=true --rate 80 --burst 80 --in-flight 8 --limit 1000/day
    """
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    given = (name, transport, Jsonb(dict(settings)), Jsonb(_patch(**pacing)))
    with connected("channel") as connection, connection.transaction():
        call(connection, "select retoma.create_channel(%s, %s, %s, %s)", *given)
        for limit in limits:
            call(connection, "select retoma.set_limit('channel', %s, %s, %s)", name, *limit)
    _report(name, "Created", as_json=as_json)


@channel.command()
@click.argument("name", shell_complete=names.channels)
@click.option(
    "--set",
    "settings",
    multiple=True,
    type=parameters.setting,
    metavar="KEY=VALUE",
    help=f"{_SETTINGS_HELP} Others stay as they are; KEY=null removes one.",
)
@_pacing_options
@as_json_option
def configure(name: str, *, settings: tuple[tuple[str, object], ...], as_json: bool, **pacing: Any) -> None:
    """Change the channel NAME; what is not given stays as it is.

    \b
    retoma channel configure sales --gap 20-40
    retoma channel configure support --rate none
    """
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    patch = _patch(**pacing)
    if not settings and not patch:
        raise click.UsageError("Nothing to change: give at least one option.")
    given = (name, Jsonb(dict(settings)), Jsonb(patch))
    with connected("channel") as connection:
        call(connection, "select retoma.configure_channel(%s, %s, %s)", *given)
    _report(name, "Changed", as_json=as_json)


@channel.command("list")
@as_json_option
def list_command(*, as_json: bool) -> None:
    """List the channels: state, pacing, and when each may send next."""
    with connected("channel") as connection:
        rows = connection.execute(_CHANNELS + " order by channel").fetchall()
    if as_json:
        print_json(rows)
        return
    columns = ["channel", "transport", "state", "gap", "batch_gap", "rate", "limits", "next_send_at", "why"]
    print_table(
        columns,
        [row | _pacing_in_words(row) for row in rows],
        empty="There are no channels yet: retoma channel create --help",
    )


@channel.command()
@click.argument("name", shell_complete=names.channels)
@as_json_option
def show(name: str, *, as_json: bool) -> None:
    """Show the channel NAME; without the values of its settings, which can be secrets."""
    with connected("channel") as connection:
        row = connection.execute(_CHANNELS + " where channel = %s", [name]).fetchone()
        if row is None:
            raise RetomaError(
                f"There is no channel '{name[:200]}'.", hint="See them all: retoma channel list"
            )
        row["settings"] = _setting_names(connection, name)
    if as_json:
        print_json(row)
    else:
        print_facts(row)


@channel.command()
@click.argument("name", shell_complete=names.channels)
@click.option("--reason", help="Shown in v_channel.")
@as_json_option
def pause(name: str, *, reason: str | None, as_json: bool) -> None:
    """Send nothing more on NAME until `resume`; a reconnect does not undo it."""
    with connected("channel") as connection:
        if reason is None:
            call(connection, "select retoma.pause_channel(%s)", name)
        else:
            call(connection, "select retoma.pause_channel(%s, %s)", name, reason)
    _report(name, "Paused", as_json=as_json)


@channel.command()
@click.argument("name", shell_complete=names.channels)
@as_json_option
def resume(name: str, *, as_json: bool) -> None:
    """End a pause of NAME, and a hold by a rate limit of the provider."""
    with connected("channel") as connection:
        call(connection, "select retoma.resume_channel(%s)", name)
    _report(name, "Resumed", as_json=as_json)


@channel.command()
@click.argument("name", shell_complete=names.channels)
@click.argument("group", required=False, shell_complete=names.groups)
@as_json_option
def group(name: str, *, group: str | None, as_json: bool) -> None:
    """Put NAME into GROUP, or take it out: the channels of a group share limits.

    \b
    retoma channel group sales shop
    retoma limit set channel_group shop '2000/24 hours' --people
    """
    with connected("channel") as connection:
        call(connection, "select retoma.group_channel(%s, %s)", name, group)
    _report(name, "Grouped" if group else "Ungrouped", as_json=as_json)


@channel.command("connected")
@click.argument("name", shell_complete=names.channels)
@as_json_option
def connected_command(name: str, *, as_json: bool) -> None:
    """Report that the account NAME is connected again: its interrupted campaigns go on."""
    with connected("channel") as connection:
        call(connection, "select retoma.channel_connected(%s)", name)
    _report(name, "Connected", as_json=as_json)


@channel.command("disconnected")
@click.argument("name", shell_complete=names.channels)
@click.option("--reason", default="disconnected", show_default=True, help="Shown in v_channel.")
@as_json_option
def disconnected_command(name: str, *, reason: str, as_json: bool) -> None:
    """Report that the account NAME is not connected: nothing is sent on it until `connected`."""
    with connected("channel") as connection:
        call(connection, "select retoma.channel_disconnected(%s, %s)", name, reason)
    _report(name, "Disconnected", as_json=as_json)


channel.add_command(pair)
channel.add_command(channel_test)


def _patch(**pacing: parameters.Patch | None) -> parameters.Patch:
    """The pacing patch that these options make together."""
    patch: parameters.Patch = {}
    for part in pacing.values():
        patch |= part or {}
    return patch


def _setting_names(connection: "psycopg.Connection[Row]", name: str) -> list[str] | None:
    """The keys of the settings; None for a role that may not read them."""
    from psycopg.errors import InsufficientPrivilege  # noqa: PLC0415

    try:
        row = call(
            connection,
            """
            select array(select jsonb_object_keys(s.settings) order by 1) as names
            from retoma.channel_settings(%s) as s
            """,
            name,
        )
    except InsufficientPrivilege:
        return None
    names: list[str] = row["names"]
    return names


def _pacing_in_words(row: Row) -> Row:
    return {
        "gap": _range(row["gap_min_s"], row["gap_max_s"]),
        "batch_gap": _range(row["batch_gap_min_s"], row["batch_gap_max_s"]),
        "rate": None if row["rate_per_s"] is None else f"{shown(row['rate_per_s'])}/s",
        "why": row["held_because"] or row["reason"],
    }


def _range(shortest: Decimal, longest: Decimal) -> str | None:
    if not longest:
        return None
    return f"{shown(longest)} s" if shortest == longest else f"{shown(shortest)}-{shown(longest)} s"


def _report(name: str, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"channel": name, "done": done.lower()})
    else:
        click.echo(f"{done} channel {name}.")
