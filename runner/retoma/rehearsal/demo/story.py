"""The demo from start to end."""

import datetime
import fcntl
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from retoma import config
from retoma.content.apart import check_apart
from retoma.content.in_words import in_words
from retoma.content.results import Checked
from retoma.content.written import Written
from retoma.database import schema, session
from retoma.database.url import database_url
from retoma.errors import RetomaError
from retoma.importer.run import Summary, import_recipients
from retoma.monitor.display import Display
from retoma.monitor.snapshot import take
from retoma.monitor.trial import try_out
from retoma.rehearsal.demo import beside, contacts
from retoma.rehearsal.demo.drill import follow
from retoma.rehearsal.demo.names import (
    CHANNELS,
    LATENCY_MS,
    LOOK_S,
    LOOKUP_AFTER_S,
    OFFICIAL,
    RUNNERS,
    SALES,
    STALLED_S,
    SUPPORT,
    Connection,
    Tell,
)
from retoma.rehearsal.demo.report import report
from retoma.rehearsal.processes import Processes, processes


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of the user.

    Args:
        csv: a contact list; None makes one of `recipients` numbers.
        text: Liquid.
        region: country of numbers without +.
        rate: messages per second, on each of the two channels.
        kill: whether a runner is killed halfway.
        keep: whether sandbox and runners stay until Ctrl-C.
    """

    csv: Path | None
    text: str
    region: str | None
    recipients: int
    rate: float
    kill: bool
    keep: bool


def run(options: Options, tell: Tell, display: Callable[[], Display]) -> bool:
    """Run the demo; True when nothing was lost or duplicated and the books say the same as the ledger.

    Args:
        tell: takes a label and a line about what was done.
        display: makes what shows the progress.

    Raises:
        RetomaError: another demo runs here, or something did not work.
        psycopg.Error: the database refused.
    """
    written = Written({"kind": "text", "text": options.text}, [{"path": ["text"], "place": "text"}])
    checked = check_apart(written)
    directory = config.home() / "demo"
    with _alone(directory), ExitStack() as stack:
        started_at = time.monotonic()
        url = _prepare_database(tell, started_at)
        connection = stack.enter_context(session.connect(url, "retoma demo", dict_row))
        _cancel_unfinished(connection)
        children = stack.enter_context(processes(directory, url))
        sandbox = _start_sandbox(connection, children, directory, tell)
        since = _configure_channels(connection, sandbox, options.rate)
        tell(
            "channels",
            f"{SALES}: as WAHA, shows a repeated id once; {SUPPORT}: a webhook that answers lookups;",
        )
        tell("", f"{OFFICIAL}: as the Cloud API, which reports by signed webhooks with our id")
        campaign = _new_campaign(connection, options.text, checked)
        recipients = _import(url, campaign, directory, options, tell)
        _show_first_message(connection, campaign, tell)
        stack.callback(_cancel_unfinished, connection)
        has_names = options.csv is None
        others = beside.create(connection, campaign, recipients, options.text, has_names=has_names, tell=tell)
        _pace_official(connection, recipients, options.rate)
        looks_up_soon = stack.enter_context(_lookup_soon(connection, tell))
        _start_runners(connection, children)
        tell("runners", f"{' and '.join(RUNNERS)}; each one could do it alone")
        beside.wait_for_template(connection, children, since, tell)
        campaigns = [campaign, *others]
        for name in campaigns:
            connection.execute("select retoma.start_campaign(%s)", [name])
        with display() as shown:
            follow(connection, campaigns, children, shown, kill=options.kill, looks_up_soon=looks_up_soon)
        tell("", "")
        tell(
            "time",
            f"{time.monotonic() - started_at:.0f} s; contacts, ledger and logs are in {_short(directory)}/",
        )
        clean = report(connection, campaigns, directory, tell)
        tell("next", "look around with `make psql` or `retoma db psql`: select * from v_campaign_summary;")
        if options.keep:
            _stay(sandbox, children, tell)
        return clean


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it when this process dies
    except BlockingIOError as error:
        raise RetomaError(
            f"Another demo is running in {config.home()}.",
            hint="Wait for its end, or give this one another home: RETOMA_HOME=.retoma-2 retoma demo",
        ) from error
    else:
        yield
    finally:
        os.close(descriptor)


def _prepare_database(tell: Tell, started_at: float) -> str:
    url = database_url()
    installed = schema.install(url)
    with session.connect(url, "retoma demo") as connection:
        version = connection.info.parameter_status("server_version")
    whose = (
        "yours" if config.external_database_url() else f"its own, in {_short(config.home() / 'postgres')}/"
    )
    schema_words = "schema installed" if installed else "schema was there"
    tell("database", f"PostgreSQL {version}, {whose}; {schema_words} ({time.monotonic() - started_at:.1f} s)")
    return url


def _cancel_unfinished(connection: Connection) -> None:
    """A demo that was stopped leaves a campaign whose sandbox is gone."""
    connection.execute(
        """
        select retoma.cancel_campaign(s.campaign) from retoma.v_campaign_summary as s
        where s.channels <@ %s and s.status not in ('completed', 'cancelled')
        """,
        [list(CHANNELS)],
    )


def _start_sandbox(connection: Connection, children: Processes, directory: Path, tell: Tell) -> str:
    ledger = directory / "ledger"
    # It must still find messages in doubt of an earlier demo, as a provider does, or they would go out again.
    in_doubt = "select from retoma.v_in_doubt as d where d.channel = any(%s) limit 1"
    if connection.execute(in_doubt, [list(CHANNELS)]).fetchone() is None:
        shutil.rmtree(ledger, ignore_errors=True)
    faults = directory / "faults.json"
    faults.write_text(f'[{{"do": "slow", "latency_ms": {LATENCY_MS}}}]\n')
    templates = directory / "templates.json"
    beside.write_templates(templates)
    hooks = f"{children.start_receiver()}/hooks/{OFFICIAL}"
    url = children.start_sandbox(
        *("--ledger", str(ledger), "--faults", str(faults), "--templates", str(templates)),
        *("--receipts-to", hooks, "--receipts-of", OFFICIAL, "--receipts-key", beside.APP_SECRET),
    )
    tell("sandbox", f"{url} stands in for the providers; nothing leaves this machine")
    return url


def _start_runners(connection: Connection, children: Processes) -> None:
    before = set(take(connection, []).runners)
    for name in RUNNERS:
        children.start(name, "runner", "--name", name, "--log-format", "json")
    deadline = time.monotonic() + STALLED_S
    while not set(RUNNERS) <= set(take(connection, []).runners) - before:
        children.check()
        if time.monotonic() > deadline:
            raise RetomaError("The runners do not start.", hint=f"See the logs in {children.directory}")
        time.sleep(LOOK_S)


def _configure_channels(connection: Connection, sandbox: str, rate: float) -> float:
    """Returns when it was done, in Unix seconds by the clock of the database."""
    official = {"phone_number_id": OFFICIAL, "waba_id": "demo", "access_token": "demo"}
    settings: dict[str, tuple[str, dict[str, object]]] = {
        # With this engine, images carry our id too.
        SALES: (
            "waha",
            {"base_url": f"{sandbox}/waha", "session": SALES, "engine": "GOWS", "check_numbers": False},
        ),
        OFFICIAL: (
            "whatsapp_cloud",
            {"base_url": f"{sandbox}/cloud", "app_secret": beside.APP_SECRET, **official},
        ),
        SUPPORT: ("webhook", {"url": f"{sandbox}/webhook/{SUPPORT}", "lookup": True}),
    }
    gaps = ("gap_min_s", "gap_max_s", "batch_gap_min_s", "batch_gap_max_s")
    pacing = dict.fromkeys(gaps) | {
        "rate_per_s": rate,
        "burst": math.ceil(rate / 10),
        "max_in_flight": 32,
        "max_leases": 2,
    }
    there = {row["channel"] for row in connection.execute("select channel from retoma.v_channel")}
    with connection.transaction():
        for name, (transport, given) in settings.items():
            if name not in there:
                connection.execute(
                    "select retoma.create_channel(%s, %s, %s)", [name, transport, Jsonb(given)]
                )
            connection.execute(
                "select retoma.configure_channel(%s, %s, %s)", [name, Jsonb(given), Jsonb(pacing)]
            )
            connection.execute("select retoma.resume_channel(%s)", [name])
            connection.execute("select retoma.channel_connected(%s)", [name])
        connection.execute("select retoma.refresh_channel(%s)", [OFFICIAL])
        row = connection.execute("select extract(epoch from retoma.clock())::float as at").fetchone()
    assert row is not None  # noqa: S101 (a query without a table)
    at: float = row["at"]
    return at


def _pace_official(connection: Connection, recipients: int, rate: float) -> None:
    """So that its few messages take nearly as long as those of the text campaign, and a kill finds some."""
    per_s = 1.2 * 2 * rate * beside.size(recipients) / recipients
    pacing = {"rate_per_s": max(round(per_s, 1), 1), "burst": 1}
    connection.execute("select retoma.configure_channel(%s, p_pacing => %s)", [OFFICIAL, Jsonb(pacing)])


def _new_campaign(connection: Connection, text: str, checked: Checked) -> str:
    campaign = f"demo {datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
    content = {"kind": "text", "text": text}
    connection.execute(
        "select retoma.record_content_check("
        "retoma.create_campaign(%s, %s::text[], p_content => %s), 1, %s, null, %s)",
        [
            *(campaign, [SALES, SUPPORT], Jsonb(content)),
            *(checked.required_variables, checked.optional_variables),
        ],
    )
    return campaign


def _import(url: str, campaign: str, directory: Path, options: Options, tell: Tell) -> int:
    """Returns the number of recipients."""
    file = options.csv
    if file is None:
        file = directory / "contacts.csv"
        contacts.write(file, options.recipients)
    rejects = directory / "contacts.rejects.csv"
    rejects.unlink(missing_ok=True)
    with file.open("rb") as stream, session.connect(url, "retoma demo") as connection:
        summary = import_recipients(connection, stream, campaign, rejects, region=options.region)
    tell("contacts", _import_words(summary, file))
    tell("", f"variables: {', '.join(f'{{{{ {name} }}}}' for name in summary.variables) or 'none'}")
    if summary.rejected:
        tell("", f"rejected are {_reasons(summary)}")
    if not summary.accepted:
        raise RetomaError(
            f"{file} has no row that can be used: {_reasons(summary)}.",
            hint="Name the country of numbers without +, as in --region US; the reason of each row is in "
            f"{rejects}",
        )
    return summary.accepted


def _show_first_message(connection: Connection, campaign: str, tell: Tell) -> None:
    with connection.transaction(force_rollback=True):
        # The database knows best why a campaign cannot start, and here nothing runs yet.
        connection.execute("select retoma.start_campaign(%s)", [campaign])
    trial = try_out(connection, campaign)
    trial.insist()
    for made in trial.firsts:
        tell("message", f"the first one, to {made.phone}:")
        for line in in_words(made.content):
            tell("", f"  {line}")
    if trial.failed:
        tell("", f"{trial.failed} of the first {trial.made + trial.failed} cannot be made; {trial.why}")


def _import_words(summary: Summary, file: Path) -> str:
    return (
        f"{_short(file)}: {summary.rows:,} rows, {summary.accepted:,} accepted, "
        f"{summary.duplicates:,} duplicates merged, {summary.rejected:,} rejected, in {summary.seconds:.1f} s"
    )


def _reasons(summary: Summary) -> str:
    return ", ".join(
        f"{reason.replace('_', ' ')} {count:,}" for reason, count in sorted(summary.rejected_by.items())
    )


@contextmanager
def _lookup_soon(connection: Connection, tell: Tell) -> Iterator[bool]:
    """Ask about messages in doubt after 2 s during the demo, if that disturbs no other campaign.

    The setting is one for the whole installation: it is left alone in a database of the user's, when the user
    has changed it, and when any other campaign could have a message in doubt.
    """
    row = connection.execute(
        """
        select
          s.lookup_after in ('60 s', make_interval(secs => %s))
          and not exists (select from retoma.v_in_doubt as d where d.channel <> all(%s))
          and not exists (
            select from retoma.v_campaign_summary as c
            where c.status in ('scheduled', 'running', 'paused', 'interrupted') and not c.channels <@ %s
          ) as alone
        from retoma.setting as s
        """,
        [LOOKUP_AFTER_S, list(CHANNELS), list(CHANNELS)],
    ).fetchone()
    if config.external_database_url() or not (row and row["alone"]):
        yield False
        return
    tell(
        "lookup",
        f"messages in doubt are asked about after {LOOKUP_AFTER_S} s for this demo, instead of after 60 s",
    )
    connection.execute("update retoma.setting set lookup_after = make_interval(secs => %s)", [LOOKUP_AFTER_S])
    try:
        yield True
    finally:
        connection.execute("update retoma.setting set lookup_after = default")


def _stay(sandbox: str, children: Processes, tell: Tell) -> None:
    tell(
        "kept",
        f"{', '.join(children.running)} keep running, the sandbox at {sandbox}; Ctrl-C ends them",
    )
    try:
        while True:
            children.check()
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return


def _short(path: Path) -> str:
    """A path as it is typed from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
