"""The log of the long-running commands.

Logging never decides: no line can stop, delay or fail the work that it is about. A thread writes the
lines, so that a full disk or a reader that has stopped costs lines, and nothing else.
"""

import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
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

_MOST_WAITING_LINES = 10_000
# How long the end of the command waits for a reader that is slow, or has stopped.
_LAST_LINES_S = 1.0


@contextmanager
def logging_to_stderr(log_format: str, log_level: str) -> Iterator[Callable[[], None]]:
    """Sends the log to standard error, in the format and from the level that the options name.

    Gives a function that waits for the last lines, for a process that ends in another way.
    """
    import structlog  # noqa: PLC0415

    text = log_format == "text" or (log_format == "auto" and sys.stderr is not None and sys.stderr.isatty())
    # Not the traceback of rich, which shows local variables: texts, numbers and keys.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if text else structlog.processors.JSONRenderer()
    lines = _Lines()
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
        logger_factory=lambda *_: lines,
    )
    _listen_to_libraries()
    try:
        yield lines.end
    finally:
        lines.end()


class _Lines:
    """Takes lines without waiting; a thread writes them. Those that are lost are counted, and said later."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lost = 0
        self._torn = False
        # Without a standard error, its number may by now be that of another file.
        self._file = None if sys.stderr is None else sys.stderr.fileno()
        self._writer = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def msg(self, line: str) -> None:
        if self._waiting.qsize() < _MOST_WAITING_LINES:
            self._waiting.put(line)
        else:
            self._lost += 1

    debug = info = warning = error = critical = msg

    def end(self) -> None:
        """Waits for the last lines, but not for long."""
        self._waiting.put(None)
        self._writer.join(_LAST_LINES_S)

    def _write_all(self) -> None:
        import structlog  # noqa: PLC0415

        while (line := self._waiting.get()) is not None:
            if not self._write(line):
                self._lost += 1
            elif self._lost:
                lost, self._lost = self._lost, 0
                structlog.get_logger().warning("log_lines_lost", lines=lost)

    def _write(self, line: str) -> bool:
        if self._file is None:
            return False
        # What is left of a line that did not fit must not spoil the next one.
        left = f"{os.linesep if self._torn else ''}{line}{os.linesep}".encode(errors="backslashreplace")
        try:
            while left:
                written = os.write(self._file, left)
                self._torn, left = True, left[written:]
        except OSError:
            return False
        self._torn = False
        return True


def _listen_to_libraries() -> None:
    """Makes lines of our log out of what libraries say by the ways of Python."""
    # Runner and receiver report an outage themselves, once; these would, again and again.
    for library in ("psycopg.pool", "procrastinate"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    logging.getLogger().handlers = [_ToOurLog()]
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda failed: _say("thread_failed", failed.exc_value)
    sys.unraisablehook = lambda failed: _say("error_ignored", failed.exc_value)


class _ToOurLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = record.getMessage()
        except Exception as error:  # its arguments do not fit
            said = type(error).__name__
        _say("library_said", record.exc_info[1] if record.exc_info else None, library=record.name, said=said)


def _say(event: str, error: BaseException | None, **facts: str) -> None:
    import structlog  # noqa: PLC0415

    structlog.get_logger().warning(event, exc_info=error, **facts)


def _visible(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escapes what a terminal would obey: names and reasons can come from callers. JSON does so by itself."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return event
