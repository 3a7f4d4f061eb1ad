"""`retoma campaign`: create, start, pause and list campaigns."""

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retoma.cli import names, parameters
from retoma.cli.connection import Row, call, connected
from retoma.cli.limit import in_words as limit_in_words
from retoma.cli.output import as_json_option, print_facts, print_json, print_table, shown_in
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

    from retoma.monitor.trial import Trial

STATUSES = ["draft", "scheduled", "running", "paused", "interrupted", "completed", "cancelled"]

_COLUMNS = ["campaign", "status", "total", "sent", "failed", "skipped", "in_doubt", "pending", "reason"]
_EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


@click.group("campaign")
def campaign() -> None:
    """Create, start, pause and list campaigns.

    \b
    retoma campaign create spring --channel sales --text 'Olá {{ name }}'
    retoma import contacts.csv --campaign spring --region BR
    retoma campaign start spring
    retoma watch spring
    """


@campaign.command()
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
    """
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    from retoma.content.apart import check_apart  # noqa: PLC0415
    from retoma.content.written import Written  # noqa: PLC0415

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
            name, list(channels), Jsonb(content), batch_size, _moment(connection, at, time_zone),
            max_attempts, time_zone,
        )["id"]  # fmt: skip
        # The database goes first: it knows the shape of each kind.
        made = call(connection, "select * from retoma.campaign_content(%s)", name)
        checked = check_apart(Written(made["content"], made["texts"]))
        call(
            connection,
            "select retoma.record_content_check(%s, 1, %s, null, %s)",
            campaign_id, checked.required_variables, checked.optional_variables,
        )  # fmt: skip
        for window in windows:
            call(connection, "select retoma.add_window(%s, %s, %s, %s::int[])", name, *window)
        for limit in limits:
            call(connection, "select retoma.set_limit('campaign', %s, %s, %s)", name, *limit)
        summary = _find(connection, name)
    if as_json:
        print_json({"campaign": name, "status": "draft"})
        return
    when = f" for {_starts_at(summary)}" if summary["starts_at"] else ""
    click.echo(f"Created the draft {name}{when}. Next: retoma import FILE.csv --campaign '{name}'")


@campaign.command()
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

    The first messages are made before, and one is shown: nothing starts when none of them can be made.
    """
    from retoma.monitor.trial import try_out  # noqa: PLC0415

    with connected("campaign") as connection:
        summary = _find(connection, name)
        trial = try_out(connection, name) if summary["status"] == "draft" else None
        moment = _moment(connection, at, summary["time_zone"])
        with connection.transaction():
            # The database goes first: it knows best why a campaign cannot start.
            started = call(connection, "select retoma.start_campaign(%s, %s) as status", name, moment)
            if trial is not None:
                trial.insist()
        summary = _find(connection, name)
    if trial is not None:
        _show_trial(trial, as_json=as_json)
    if as_json:
        print_json({"campaign": name, "status": started["status"]})
        return
    more = {
        "scheduled": f", for {_starts_at(summary)}" if summary["starts_at"] else "",
        "running": f", {summary['total']:,} messages. See it: retoma watch '{name}'",
    }
    click.echo(f"{name}: {summary['status']}{more.get(summary['status'], '')}")
    if summary["to_check"]:
        click.echo(f"still being checked: {summary['to_check']:,} messages. See them: v_render_fault")
    if summary["reason"]:
        ends = summary["waits_until"]
        until = f", until {shown_in(ends, summary['time_zone'])}" if ends else ""
        click.echo(f"because: {summary['reason']}{until}")


@campaign.command("window")
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
        _find(connection, name)
        for window in removed:
            call(connection, "select retoma.remove_window(%s, %s, %s, %s::int[])", name, *window)
        for window in added:
            call(connection, "select retoma.add_window(%s, %s, %s, %s::int[])", name, *window)
        windows = _windows(connection, name)
    if as_json:
        print_json({"campaign": name, "windows": windows})
    else:
        click.echo(f"{name}: {', '.join(windows) or 'no windows, so it sends at all times'}")


@campaign.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def pause(name: str, *, as_json: bool) -> None:
    """Send nothing more of NAME, after the messages already under way, until `resume`."""
    with connected("campaign") as connection:
        status = call(connection, "select retoma.pause_campaign(%s) as status", name)["status"]
    _report_status(name, status, as_json=as_json)


@campaign.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def resume(name: str, *, as_json: bool) -> None:
    """Go on with NAME from the exact message where it stopped."""
    with connected("campaign") as connection:
        status = call(connection, "select retoma.resume_campaign(%s) as status", name)["status"]
    _report_status(name, status, as_json=as_json)


@campaign.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def cancel(name: str, *, as_json: bool) -> None:
    """End NAME for good: messages that were not handed to the provider are cancelled."""
    with connected("campaign") as connection:
        status = call(connection, "select retoma.cancel_campaign(%s) as status", name)["status"]
    _report_status(name, status, as_json=as_json)


@campaign.command("list")
@click.option("--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only these.")
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
            [list(statuses or STATUSES)],
        ).fetchall()
    if as_json:
        print_json(rows)
    else:
        print_table(
            _COLUMNS, rows, empty="There are no such campaigns. Make one: retoma campaign create --help"
        )


@campaign.command()
@click.argument("name", shell_complete=names.campaigns)
@as_json_option
def show(name: str, *, as_json: bool) -> None:
    """Show NAME: its books, its rules, and what to do if it is interrupted."""
    with connected("campaign") as connection:
        facts = _find(connection, name)
        advice = connection.execute(
            "select what_to_do from retoma.v_interrupted_campaigns where campaign = %s", [name]
        ).fetchone()
        windows = _windows(connection, name)
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
        facts["starts_at"] = _starts_at(facts)
    print_facts(facts)


@campaign.command("retry-failed")
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
    _report_count(name, count, "queued again", as_json=as_json)


@campaign.command()
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
            _ask_before_resending(_find(connection, name), len(phones))
        count = call(
            connection,
            "select retoma.resolve_in_doubt(%s, %s, %s) as n",
            name, decision, list(phones) if phones else None,
        )["n"]  # fmt: skip
    _report_count(name, count, "queued again" if decision == "resend" else decision, as_json=as_json)


@campaign.command()
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


def _find(connection: "psycopg.Connection[Row]", name: str) -> Row:
    row = connection.execute("select * from retoma.v_campaign_summary where campaign = %s", [name]).fetchone()
    if row is None:
        raise RetomaError(f"There is no campaign '{name[:200]}'.", hint="See them all: retoma campaign list")
    return row


def _ask_before_resending(summary: Row, phones: int) -> None:
    if summary["in_doubt"]:
        which = f"{phones} numbers" if phones else f"all {summary['in_doubt']:,} messages in doubt"
        click.confirm(
            f"Send {which} of {summary['campaign']} again? People who have the message already get it twice.",
            abort=True,
            err=True,
        )


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


def _windows(connection: "psycopg.Connection[Row]", name: str) -> list[str]:
    rows = connection.execute(
        "select days, left(opens::text, 5) as opens, left(closes::text, 5) as closes"
        " from retoma.v_window where campaign = %s order by v_window.opens, window_id",
        [name],
    )
    return [_window_in_words(window) for window in rows]


def _window_in_words(window: Row) -> str:
    days = "" if window["days"] == _EVERY_DAY else "/" + ",".join(map(str, window["days"]))
    return f"{window['opens']}-{window['closes']}{days}"


def _show_trial(trial: "Trial", *, as_json: bool) -> None:
    from retoma.content.in_words import in_words  # noqa: PLC0415

    if trial.first is not None and not as_json:
        number, phone, content = trial.first
        click.echo(f"Message {number}, to {phone}:")
        for line in in_words(content):
            click.echo(f"  {line}")
    if trial.failed:
        tried = trial.made + trial.failed
        click.echo(
            f"warning: {trial.failed} of the first {tried} messages cannot be made; {trial.why}", err=True
        )


def _moment(
    connection: "psycopg.Connection[Row]", at: datetime.datetime | None, zone: str | None
) -> datetime.datetime | None:
    """A time without an offset is one of the campaign's zone, else of this machine's."""
    if at is None or at.tzinfo is not None:
        return at
    if zone is None:
        return at.astimezone()
    row = connection.execute(
        "select %s::timestamp at time zone z.name as at from pg_timezone_names as z where z.name = %s",
        [at, zone],
    ).fetchone()
    # The database refuses a zone that it does not know, in its own words.
    return None if row is None else row["at"]


def _starts_at(summary: Row) -> str:
    return shown_in(summary["starts_at"], summary["time_zone"])


def _report_status(name: str, status: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"campaign": name, "status": status})
    else:
        click.echo(f"{name}: {status}")


def _report_count(name: str, count: int, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"campaign": name, "messages": count, "now": what})
    elif count:
        click.echo(f"{name}: {count:,} {'message' if count == 1 else 'messages'} {what}")
    else:
        click.echo(f"{name}: there were no such messages")
