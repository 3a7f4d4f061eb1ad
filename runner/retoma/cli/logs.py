"""The log of the long-running commands."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import click

log_format_option = click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    default="auto",
    show_default=True,
    help="auto: text on a terminal, otherwise JSON lines.",
)
log_level_option = click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)


def configure_logging(log_format: str, log_level: str) -> None:
    """Sends the log to standard error, in the format and from the level that the options name."""
    import structlog  # noqa: PLC0415

    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    # Not the traceback of rich, which shows local variables: texts, numbers and keys.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if text else structlog.processors.JSONRenderer()
    # Runner and receiver report an outage themselves, once; the libraries would, again and again.
    for library in ("psycopg.pool", "procrastinate"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _visible if text else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[log_level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _visible(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escapes what a terminal would obey: names and reasons can come from callers. JSON does so by itself."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return event
