"""`retoma campaign create` and `window`: what is decided before a campaign starts."""

import datetime
import json
from pathlib import Path
from typing import Any

import click

from retoma.cli import names, parameters
from retoma.cli.campaign.summary import find, moment_of, starts_at, windows_of
from retoma.cli.connection import call, connected
from retoma.cli.output import as_json_option, print_json
from retoma.errors import RetomaError


@click.command()
@click.argument("name")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    required=True,
    shell_complete=names.channels,
    help="Sender account; repeat it to share the work.",
)
@click.option("--text", help="A Liquid text, as in 'Olá {{ name }}'.")
@click.option(
    "--text-file",
    type=click.File(encoding="utf-8"),
    help="The text from a file (- for standard input), without the line end at its end.",
)
@click.option(
    "--content",
    "content_file",
    type=click.File(encoding="utf-8"),
    help="A content of any kind from a JSON file (- for standard input): an image, a template, a list …",
)
@click.option("--batch-size", type=click.IntRange(1), help="Messages per batch.  [default: 300]")
@click.option(
    "--at",
    type=parameters.instant,
    metavar="TIME",
    help="`start` waits until then: 2030-05-31T09:00, in --time-zone or else that of this machine.",
)
@click.option(
    "--window",
    "windows",
    multiple=True,
    type=parameters.window,
    metavar="OPENS-CLOSES[/DAYS]",
    help="Send only then, in each recipient's own time: 09:00-18:00/1-5, 22:00-06:00. Several add up.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    type=parameters.limit,
    metavar="MESSAGES/PERIOD",
    help="At most so many over all channels: 1000/day. Repeat it for several periods.",
)
@click.option("--time-zone", metavar="ZONE", help="For recipients whose own is unknown: America/Sao_Paulo.")
@click.option("--max-attempts", type=click.IntRange(1), help="Attempts per message.  [default: 3]")
@as_json_option
def create(
    name: str,
    *,
    channels: tuple[str, ...],
    text: str | None,
    text_file: Any,
    content_file: Any,
    batch_size: int | None,
    at: datetime.datetime | None,
    windows: tuple[parameters.Window, ...],
    limits: tuple[parameters.Limit, ...],
    time_zone: str | None,
    max_attempts: int | None,
    as_json: bool,
) -> None:
    """Make the draft NAME. Next: `retoma import`, then `retoma campaign start`.

    \b
    retoma campaign create spring --channel sales --channel support --text 'Olá {{ name }}'
    retoma campaign create 'May offers' --channel sales --text-file may.txt \\
        --window 09:00-12:00/1-5 --window 14:00-18:00/1-5 --time-zone America/Sao_Paulo --limit 2000/day
    retoma campaign create 'New shop' --channel sales --content image.json

    \b
    The file of --content may hold several contents of one kind, to compare them. Then it is
    {"variants": [{"weight": 2, "content": {…}}, {"weight": 1, "content": {…}}]}
    """
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    from retoma.monitor.drafts import check_contents  # noqa: PLC0415

    content = _content(text, text_file, content_file)
    name = name.strip()  # as the database does, so that the windows find it
    with connected("campaign") as connection, connection.transaction():
        campaign_id = call(
            connection,
            """
            select retoma.create_campaign(
              %s, %s::text[], p_content => %s, p_batch_size => %s, p_starts_at => %s, p_max_attempts => %s,
              p_time_zone => %s
            ) as id
            """,
            name, list(channels), Jsonb(content), batch_size, moment_of(connection, at, time_zone),
            max_attempts, time_zone,
        )["id"]  # fmt: skip
        # The database goes first: it knows the shape of each kind.
        variants = check_contents(connection, campaign_id, name)
        for window in windows:
            call(connection, "select retoma.add_window(%s, %s, %s, %s::int[])", name, *window)
        for limit in limits:
            call(connection, "select retoma.set_limit('campaign', %s, %s, %s)", name, *limit)
        summary = find(connection, name)
    if as_json:
        print_json({"campaign": name, "status": "draft"})
        return
    when = f" for {starts_at(summary)}" if summary["starts_at"] else ""
    several = f" with {variants} variants" if variants > 1 else ""
    click.echo(f"Created the draft {name}{several}{when}. Next: retoma import FILE.csv --campaign '{name}'")


@click.command("window")
@click.argument("name", shell_complete=names.campaigns)
@click.option("--add", "added", multiple=True, type=parameters.window, metavar="OPENS-CLOSES[/DAYS]")
@click.option("--remove", "removed", multiple=True, type=parameters.window, metavar="OPENS-CLOSES[/DAYS]")
@as_json_option
def window_command(
    name: str,
    *,
    added: tuple[parameters.Window, ...],
    removed: tuple[parameters.Window, ...],
    as_json: bool,
) -> None:
    """Change the windows of the draft NAME, and show them. A window is removed as it was given.

    \b
    retoma campaign window spring --remove 09:00-18:00 --add 22:00-06:00/1-5
    """
    with connected("campaign") as connection, connection.transaction():
        find(connection, name)
        for window in removed:
            call(connection, "select retoma.remove_window(%s, %s, %s, %s::int[])", name, *window)
        for window in added:
            call(connection, "select retoma.add_window(%s, %s, %s, %s::int[])", name, *window)
        windows = windows_of(connection, name)
    if as_json:
        print_json({"campaign": name, "windows": windows})
    else:
        click.echo(f"{name}: {', '.join(windows) or 'no windows, so it sends at all times'}")


def _content(text: str | None, text_file: Any, content_file: Any) -> Any:
    if sum(given is not None for given in (text, text_file, content_file)) != 1:
        raise click.UsageError("Give one of --text, --text-file and --content.")
    if content_file is None:
        return {"kind": "text", "text": text if text is not None else _read(text_file)}
    try:
        return json.loads(_read(content_file))
    except json.JSONDecodeError as error:
        raise RetomaError(
            f"{Path(content_file.name).name} is not JSON: line {error.lineno}, {error.msg}.",
            hint='For example {"kind": "image", "media": {"link": "https://…"}, "caption": "Olá {{ name }}"}',
        ) from error


def _read(file: Any) -> str:
    try:
        # An editor ends the last line; a message should not.
        return str(file.read()).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise RetomaError(f"{Path(file.name).name} is not UTF-8 text.", hint="Save it as UTF-8.") from error
