"""`retoma import`: a contact list from a spreadsheet into a draft campaign."""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from retoma.cli import names, parameters
from retoma.cli.connection import bounded_waits
from retoma.errors import DatabaseUnreachable, RetomaError
from retoma.signals import ended_as_by_ctrl_c

if TYPE_CHECKING:
    import psycopg

    from retoma.importer.run import Summary

STDIN_REJECTS = Path("import.rejects.csv")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--campaign", required=True, shell_complete=names.campaigns, help="Name of a draft campaign.")
@click.option("--region", type=parameters.region, help="Country of numbers without +, as in BR or US.")
@click.option("--delimiter", default="auto", show_default=True, help="One character, or tab.")
@click.option("--encoding", default="auto", show_default=True, help="As in utf-8, windows-1252 or utf-16.")
@click.option("--phone-column", help="Title of the phone column; column_2 and so on if there is no header.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for refused rows.  [default: NAME.rejects.csv beside the input]",
)
@click.option("--replace", is_flag=True, help="Take the recipients that the campaign has out of it first.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def import_command(
    context: click.Context,
    *,
    file: str,
    campaign: str,
    region: str | None,
    delimiter: str,
    encoding: str,
    phone_column: str | None,
    rejects: Path | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Import recipients from a CSV FILE (- for standard input).

    One column is the phone; the others become variables of the message. All good rows are imported in one
    transaction, so a failed import changes nothing and can be run again. Refused rows go to a separate file,
    with the line and the reason: correct that file, and import it like any other.

    Of a number that comes again, the first row counts, also when it came with an earlier file. To import a
    corrected list, give --replace.

    Exit code: 0 if the campaign holds recipients of this file, 1 if it got none or the import failed.
    """
    # Not at the top: `retoma --help` must not wait for phone metadata.
    from retoma.database.url import database_url  # noqa: PLC0415
    from retoma.importer.run import import_recipients  # noqa: PLC0415

    rejects = _rejects_path(file, rejects)
    with (
        click.open_file(file, "rb") as stream,
        _connected(database_url()) as connection,
        _progress(stream) as (say, on_progress),
        ended_as_by_ctrl_c(),
    ):
        try:
            summary = import_recipients(
                connection,
                stream,
                campaign,
                rejects,
                region=region,
                encoding=None if encoding == "auto" else encoding,
                delimiter={"auto": None, "tab": "\t", "\\t": "\t"}.get(delimiter, delimiter),
                phone_column=phone_column,
                replace=replace,
                on_understood=lambda understood: _say_columns(understood, say),
                on_progress=on_progress,
            )
        except KeyboardInterrupt:
            raise RetomaError(
                "Stopped. Nothing was imported.", hint="The campaign is as it was: run the import again."
            ) from None
    click.echo(json.dumps(dataclasses.asdict(summary), ensure_ascii=False) if as_json else _as_text(summary))
    if replace and summary.accepted == 0:
        click.echo("No row was accepted: the campaign keeps the recipients that it had.", err=True)
    if summary.accepted + summary.duplicates == 0:
        context.exit(1)


def _rejects_path(file: str, chosen: Path | None) -> Path:
    if chosen is None:
        return STDIN_REJECTS if file == "-" else Path(file).with_suffix(".rejects.csv")
    if file != "-" and chosen.resolve() == Path(file).resolve():
        raise click.BadParameter("This is the file to import.", param_hint="--rejects")
    return chosen


def _say_columns(summary: "Summary", say: Callable[[str], None]) -> None:
    if summary.guessed_from:
        say(f"Encoding: {summary.encoding}, guessed from {summary.guessed_from}")
    header = ""
    if summary.header_line is None:
        header = " (the first row is not a header)"
    elif summary.header_line > 1:
        header = f" (the header is on line {summary.header_line})"
    joined = "".join(f", joined to “{title}”" for title in summary.joined_columns)
    say(f"Phone: column “{summary.phone_column}”{joined}{header}")
    for name, title in summary.variables.items():
        say(f"Variable: column “{title}” → {{{{ {name} }}}}")


def _as_text(summary: "Summary") -> str:
    lines = [
        f"Rows read   {summary.rows:>12,}",
        f"Accepted    {summary.accepted:>12,}",
        f"Duplicates  {summary.duplicates:>12,}",
        f"Rejected    {summary.rejected:>12,}",
        *(f"  {reason:<22}{count:>12,}" for reason, count in sorted(summary.rejected_by.items())),
        f"{summary.seconds:.1f} s, {summary.rows_per_second:,} rows/s; {summary.encoding}"
        f"{f' (guessed from {summary.guessed_from})' if summary.guessed_from else ''}, "
        f"delimiter {summary.delimiter!r}",
    ]
    if summary.blank_words:
        words = ", ".join(f"“{word}” ({count:,})" for word, count in sorted(summary.blank_words.items()))
        lines.append(f"Taken as blank: {words}")
    if "database" in summary.rejected_by:
        lines.append("Rows that the database rejected are in the table retoma.recipient_reject")
    if summary.duplicates:
        lines.append(
            "Of a number that comes again the first row counts, also of an earlier import (--replace)"
        )
    if summary.rejects_file:
        lines.append(f"The rejected rows are in {summary.rejects_file}")
    return "\n".join(lines)


@contextmanager
def _connected(url: str) -> "Iterator[psycopg.Connection]":
    import psycopg  # noqa: PLC0415

    from retoma.database import session  # noqa: PLC0415

    try:
        with session.connect(url, "retoma import") as connection, bounded_waits(connection):
            yield connection
    except psycopg.OperationalError as error:
        if error.sqlstate is None:
            raise DatabaseUnreachable(f"The database cannot be reached: {error}".strip()) from error
        raise _refused(error) from error
    except psycopg.Error as error:
        raise _refused(error) from error


def _refused(error: "psycopg.Error") -> RetomaError:
    message = error.diag.message_primary or str(error)
    return RetomaError(f"{message.rstrip('.')}. Nothing was imported.", hint=error.diag.message_hint)


@contextmanager
def _progress(stream: IO[bytes]) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """A bar on the terminal, if there is one; of unknown length for standard input. And lines above it."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,} rows/s"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    task = bar.add_task("import", total=size, rows=0, rate=0)
    started = time.monotonic()

    def advance(read: int, rows: int) -> None:
        bar.update(task, advance=read, rows=rows, rate=round(rows / (time.monotonic() - started + 0.001)))

    def say(line: str) -> None:
        # Written past the bar, a line would stand in the middle of it.
        bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    with bar:
        yield say, advance
