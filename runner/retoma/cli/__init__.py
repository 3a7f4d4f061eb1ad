"""The command `retoma`: a thin convenience over the SQL functions.

Each subcommand is a separate module that is imported only when it runs, so that `retoma --help` is instant.
"""

import errno
import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

# name: (module with a click command of that name, its line in --help)
COMMANDS = {
    "demo": ("retoma.cli.demo", "See it work: a campaign to a local sandbox, from start to end."),
    "db": ("retoma.cli.db", "Install and upgrade the schema; start, stop and open the database."),
    "channel": ("retoma.cli.channel", "Create, pause and list sender accounts."),
    "campaign": ("retoma.cli.campaign", "Create, start, pause and list campaigns."),
    "media": ("retoma.cli.media", "Store, list and remove files that contents name."),
    "limit": ("retoma.cli.limit", "Set, remove and list limits of channels and campaigns."),
    "opt-out": ("retoma.cli.consent", "Let no campaign contact a number, or a list of them, any more."),
    "opt-in": ("retoma.cli.consent", "Record that people agreed to be contacted."),
    "reply": ("retoma.cli.reply", "Read replies, and decide about those that wait for a person."),
    "import": ("retoma.cli.importing", "Import a contact list into a campaign."),
    "runner": ("retoma.cli.runner", "Run a runner, which sends; start as many as you like."),
    "watch": ("retoma.cli.watch", "Watch campaigns while they run."),
    "receive": ("retoma.cli.receive", "Receive reports and replies from providers."),
    "sandbox": ("retoma.cli.sandbox", "Run a local server that behaves like a provider."),
    "drill": ("retoma.cli.drill", "Kill runners and the database on purpose, and judge the result."),
    "completion": ("retoma.cli.completion", "Print the completion script of your shell."),
}

# Connection lost (08), server shutting down or starting (57P), login refused (28), no such database (3D).
UNREACHABLE = ("08", "57P", "28", "3D")
# Undefined schema, table and function.
NOT_INSTALLED = ("3F000", "42P01", "42883")
# Errors of the system for an address that a server cannot listen on.
NOT_TO_BE_HAD = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
# Errors of the system for a disk that takes no more.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """Lists the commands without importing them, and shows their errors as two plain lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next(command for command in found if command.name == cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            shown = explain(error)
            if shown is None:
                raise
            click.echo(f"error: {shown.message}", err=True)
            if shown.hint:
                click.echo(f"hint: {shown.hint}", err=True)
            ctx.exit(shown.exit_code)


def explain(error: Exception) -> RetomaError | None:
    """The message for the user about an error; None for a bug, which deserves its traceback."""
    if isinstance(error, RetomaError):
        return error
    # A command that never imported psycopg cannot have failed in it.
    database = sys.modules.get("psycopg")
    if database is not None and isinstance(error, database.Error):
        return _explain_database(error)
    # A pipe whose reader has left is click's to handle. Without a strerror it is not from the system.
    if isinstance(error, OSError) and error.strerror and error.errno != errno.EPIPE:
        return _explain_system(error, error.strerror)
    return None


def _explain_system(error: OSError, said: str) -> RetomaError:
    if error.filename is not None:
        return RetomaError(
            f"{said}: {error.filename}",
            "Check its owner, its rights and the free space on the disk, or set another RETOMA_HOME.",
        )
    if error.errno in FULL:
        return RetomaError(said, "Free some space on the disk, or set another RETOMA_HOME.")
    hint = "Choose another address with --host, or another port with --port."
    return RetomaError(said, hint if error.errno in NOT_TO_BE_HAD else None)


def _explain_database(error: "psycopg.Error") -> RetomaError:
    state = error.sqlstate or ""
    message = error.diag.message_primary or str(error).strip() or type(error).__name__
    operational = sys.modules["psycopg"].OperationalError
    if state.startswith(UNREACHABLE) or (not state and isinstance(error, operational)):
        return RetomaError(
            f"The database cannot be reached: {message}",
            error.diag.message_hint
            or "Check RETOMA_DATABASE_URL and that its server runs; without it: retoma db start",
            exit_code=3,
        )
    hint = error.diag.message_hint
    if state in NOT_INSTALLED and "retoma" in message:
        hint = "Install the schema, or bring it up to date: retoma db install"
    return RetomaError(message, hint)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="retoma")
def main() -> None:
    """Send message campaigns that never lose their place.

    \b
    Start here:
      retoma demo                      a whole campaign against a local sandbox
      retoma db install                put the schema into your database
      retoma runner                    send what is due; start as many as you like

    The database is RETOMA_DATABASE_URL, otherwise a PostgreSQL that Retoma keeps in RETOMA_HOME (./.retoma).
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the database cannot be reached.
    """
