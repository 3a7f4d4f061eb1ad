"""`retoma runner`: the runner process."""

import os

import click

from retoma.cli.logs import log_format_option, log_level_option, logging_to_stderr


@click.command()
@click.option("--name", help="Shown in v_runner. Default: host name and process id.")
@click.option(
    "--connections", default=4, show_default=True, type=click.IntRange(1, 100),
    help="Database connections for sending; up to seven more for liveness, doorbell, contents, templates.",
)  # fmt: skip
@log_format_option
@log_level_option
def runner(name: str | None, connections: int, log_format: str, log_level: str) -> None:
    """Send what is due, for all channels, until it is stopped.

    Start as many as you like, on as many machines as you like: the database shares out the work. After
    SIGTERM or Ctrl-C a runner finishes the messages under way, within 2 seconds. If a runner is killed,
    nothing is lost: another runner, or the next one, goes on.

    \b
    retoma runner
    retoma runner --name runner-1 --log-format json 2>> runner.log
    """
    import uvloop  # noqa: PLC0415 - `retoma --help` stays fast

    from retoma.database.url import database_url  # noqa: PLC0415
    from retoma.runner.main import run  # noqa: PLC0415

    with logging_to_stderr(log_format, log_level) as last_lines:

        def abandon(exit_code: int) -> None:
            last_lines()
            os._exit(exit_code)

        uvloop.run(run(database_url(), name, connections, abandon))
