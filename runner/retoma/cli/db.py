"""`retoma db`: the schema, and the server behind it."""

import dataclasses
import json
import os

import click

from retoma import config
from retoma.database import embedded
from retoma.database.url import database_url
from retoma.errors import RetomaError

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group("db")
def db() -> None:
    """Install and upgrade the schema; start, stop and open the database.

    \b
    retoma db install                                start the server if needed, install the schema
    retoma db psql                                   look around: \\df+ retoma.*
    retoma db psql -c 'select * from v_campaign_summary'
    pg_dump "$(retoma db url)" > backup.sql
    retoma db procrastinate-sql | psql mydb          for `\\i sql/install.sql` in plain psql
    """


@db.command()
@as_json
def install(*, as_json: bool) -> None:
    """Install the schemas retoma and procrastinate, in one transaction; harmless if they exist.

    \b
    retoma db install
    RETOMA_DATABASE_URL=postgresql://db.example/retoma retoma db install
    """
    from retoma.database import schema  # noqa: PLC0415 (it imports procrastinate: 0.3 s)

    installed = schema.install(database_url())
    if as_json:
        click.echo(json.dumps({"installed": installed}))
    else:
        click.echo("Installed." if installed else "Already installed and up to date.")


@db.command()
@as_json
def upgrade(*, as_json: bool) -> None:
    """Bring an older schema up to this version of Retoma, in one transaction.

    \b
    pip install --upgrade retoma && retoma db upgrade
    """
    from retoma.database import schema  # noqa: PLC0415

    applied = schema.upgrade(database_url())
    if as_json:
        click.echo(json.dumps({"applied": applied}))
    else:
        click.echo("\n".join(f"Applied {name}" for name in applied) or "Already up to date.")


@db.command()
@as_json
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show the server and the schema; starts and changes nothing.

    Exit code: 0 when the schema is there and up to date, 1 when it is not, 3 when the server does not answer.
    """
    from retoma.database import schema  # noqa: PLC0415

    external = config.external_database_url()
    server = "external" if external else embedded.status(config.home())
    if server in {"external", "running"}:
        found = schema.status(external or embedded.url(config.home()))
        facts = {"server": server, **dataclasses.asdict(found)}
        exit_code = 0 if found.state == "current" else 1
    else:
        facts, exit_code = {"server": server}, 3
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            shown = ", ".join(value) if isinstance(value, tuple) else value
            click.echo(f"{name.replace('_', ' '):<22} {shown or '-'}")
    context.exit(exit_code)


@db.command()
def url() -> None:
    """Print the connection string, for any PostgreSQL program; starts the embedded server.

    \b
    psql "$(retoma db url)"
    """
    click.echo(database_url())


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the database; ARGUMENTS are passed to psql.

    \b
    retoma db psql
    retoma db psql -c 'table v_campaign_summary'
    retoma db psql -f report.sql
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415

    parts = conninfo_to_dict(database_url())
    # The argument list of a process is public on its machine, so a password goes through the environment.
    password = {"PGPASSWORD": str(parts.pop("password"))} if "password" in parts else {}
    program = embedded.binaries() / "psql"
    # An error says what to do. The person who typed the statement has no use for its place in the functions.
    options = ["--set=SHOW_CONTEXT=never", f"--dbname={make_conninfo('', **parts)}"]
    os.execve(program, ["psql", *options, *arguments], os.environ | password)  # noqa: S606


@db.command()
def start() -> None:
    """Start the embedded server; harmless if it runs."""
    _refuse_external("start")
    click.echo(embedded.start(config.home()))


@db.command()
@click.option(
    "--mode",
    type=click.Choice(["fast", "immediate"]),
    default="fast",
    show_default=True,
    help="immediate: stop as in a crash; the next start recovers.",
)
def stop(*, mode: str) -> None:
    """Stop the embedded server; campaigns wait in it and go on after the next start.

    A server that does not stop within a minute is stopped as in a crash. What it waits for is said meanwhile.
    """
    _refuse_external("stop")
    stopped = embedded.stop(config.home(), "immediate" if mode == "immediate" else "fast", _say)
    click.echo("Stopped." if stopped else "It was not running.")


@db.command()
def restart() -> None:
    """Stop and start the embedded server; runners wait for it."""
    _refuse_external("restart")
    click.echo(embedded.restart(config.home(), _say))


@db.command("procrastinate-sql")
def procrastinate_sql() -> None:
    """Print the SQL of procrastinate's schema, for an installation from plain psql.

    \b
    retoma db procrastinate-sql | psql mydb
    psql mydb -c '\\i sql/install.sql'
    """
    from retoma.database import sql_files  # noqa: PLC0415

    click.echo(sql_files.procrastinate_sql())


def _refuse_external(what: str) -> None:
    if config.external_database_url():
        raise RetomaError(
            f"RETOMA_DATABASE_URL is set, and that server is not Retoma's to {what}.",
            hint="Unset RETOMA_DATABASE_URL to work with the embedded server.",
        )


def _say(line: str) -> None:
    click.echo(line, err=True)
