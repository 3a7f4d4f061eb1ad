"""`retoma runner`: the runner process."""

import logging
import sys

import click


@click.command()
@click.option("--name", help="Shown in v_runner. Default: host name and process id.")
@click.option(
    "--connections", default=4, show_default=True, type=click.IntRange(1, 100),
    help="Database connections for sending; up to five more are for liveness, doorbell and content checks.",
)  # fmt: skip
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    default="auto",
    show_default=True,
    help="auto: text on a terminal, otherwise JSON lines.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
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

    _configure_logging(log_format, log_level)
    uvloop.run(run(database_url(), name, connections))


def _configure_logging(log_format: str, log_level: str) -> None:
    import structlog  # noqa: PLC0415

    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    # Not the traceback of rich, which shows local variables: texts, numbers and keys.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if text else structlog.processors.JSONRenderer()
    # The runner reports an outage itself, once; the pool and procrastinate would report it again and again.
    for library in ("psycopg.pool", "procrastinate"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not text else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[log_level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
