"""One import from beginning to end."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from json.encoder import encode_basestring as json_string
from pathlib import Path
from typing import IO

import psycopg

from retoma.errors import RetomaError
from retoma.importer.blanks import INVISIBLE, NOTHING
from retoma.importer.cells import PhoneError
from retoma.importer.columns import Columns, no_rows, understand
from retoma.importer.load import Block, load
from retoma.importer.parts import Parts
from retoma.importer.phones import Normalise, normaliser
from retoma.importer.reader import Row, open_table
from retoma.importer.rejects import Rejects, with_formula

_ROWS_TO_JUDGE = 100
# Larger ones gain nothing, and more than 20,000 rows would not fit into work_mem of the database.
_ROWS_PER_BLOCK = 5_000
# A row may be as long as a million characters: its size bounds memory, not the number of rows.
_CHARACTERS_PER_BLOCK = 4 * 1024 * 1024
# What the database takes of one recipient (retoma_internal.reject_reason), without the braces.
_LONGEST_DOCUMENT = 16_384 - 2
# A shorter text has no more bytes than that.
_LONGEST_CHECKED = _LONGEST_DOCUMENT // 4


@dataclass
class Summary:
    """The result of an import.

    Attributes:
        guessed_from: a word that shows how the encoding was guessed; None if the file says which it is.
        blank_words: how many cells hold each word, such as NA, that was taken as blank.
        rows: rows of data that were read, empty ones not counted; accepted + duplicates + rejected.
        header_line: the line of the titles; None without a header.
        joined_columns: titles of the columns whose codes were put in front of the number.
        rejected_by: number of refused rows by reason; "database" are those that PostgreSQL refused.
        variables: the name that templates use to the column title.
        seconds: from the first byte read to the commit.
    """

    campaign: str
    encoding: str = ""
    guessed_from: str | None = None
    delimiter: str = ""
    header_line: int | None = None
    phone_column: str = ""
    joined_columns: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    blank_words: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejected_by: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    seconds: float = 0.0
    rows_per_second: int = 0


def import_recipients(
    connection: psycopg.Connection,
    stream: IO[bytes],
    campaign: str,
    rejects_path: Path,
    *,
    region: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    phone_column: str | None = None,
    replace: bool = False,
    on_understood: Callable[[Summary], None] = lambda _: None,
    on_progress: Callable[[int, int], None] = lambda _bytes, _rows: None,
) -> Summary:
    """Imports a CSV file into a draft campaign: all good rows in one transaction, the others into a file.

    Args:
        region: country of numbers without +, such as "BR".
        encoding, delimiter, phone_column: None finds them.
        replace: whether the file takes the place of the recipients that the campaign has.
        on_understood: called once, when the columns are known and before anything is loaded.
        on_progress: called with the bytes read since the last call, and all rows so far.

    Raises:
        RetomaError: the file, or that of the rejects, cannot be used; the campaign is as it was.
        psycopg.Error: the database refused; the campaign is as it was.
        KeyboardInterrupt: by Ctrl-C; the campaign is as it was.
    """
    started = time.monotonic()
    summary = Summary(campaign)

    def on_read(size: int) -> None:
        on_progress(size, summary.rows)

    table = open_table(stream, encoding, delimiter, on_read)
    normalise = normaliser(region)
    head = _head(table.rows)
    if not head:
        raise RetomaError("The file has no rows.", hint="Export the contact list again, as CSV.")
    columns = understand([fields for _, fields in head], phone_column, normalise)
    rows = chain(head[columns.first_row :], table.rows)

    summary.encoding, summary.guessed_from = table.encoding.name, table.encoding.word
    summary.delimiter = table.delimiter
    summary.header_line = head[columns.first_row - 1][0] if columns.has_header else None
    summary.phone_column = columns.titles[columns.phone]
    codes = (columns.parts.country, columns.parts.area)
    summary.joined_columns = [columns.titles[index] for index in codes if index is not None]
    summary.variables = {name: columns.titles[index] for index, name in columns.variables}
    on_understood(summary)

    rejects = Rejects(rejects_path, table.delimiter, columns.titles)
    with ExitStack() as ending:
        ending.callback(rejects.discard)

        def before_commit() -> None:
            # From here on Ctrl-C is too late: a row that is neither in the campaign nor in this file is lost.
            ending.enter_context(_without_interrupts())
            rejects.keep()

        blocks = _blocks(rows, columns, normalise, rejects, summary)
        loaded = load(connection, campaign, blocks, replace=replace, before_commit=before_commit)
    summary.encoding, summary.guessed_from = table.encoding.name, table.encoding.word
    summary.accepted = loaded.accepted
    summary.duplicates = loaded.duplicates
    summary.rejected = rejects.count + loaded.rejected
    summary.rejected_by = dict(rejects.reasons) | ({"database": loaded.rejected} if loaded.rejected else {})
    summary.rejects_file = str(rejects.path) if rejects.count else None
    summary.seconds = round(time.monotonic() - started, 3)
    summary.rows_per_second = round(summary.rows / max(summary.seconds, 0.001))
    return summary


@contextmanager
def _without_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _head(rows: Iterator[Row]) -> list[Row]:
    head: list[Row] = []
    size = 0
    for row in islice(rows, _ROWS_TO_JUDGE):
        head.append(row)
        size += sum(map(len, row[1]))
        if size > _CHARACTERS_PER_BLOCK:
            break
    return head


def _blocks(
    rows: Iterator[Row], columns: Columns, normalise: Normalise, rejects: Rejects, summary: Summary
) -> Iterator[Block]:
    block = Block()
    width = len(columns.titles)
    parts = columns.parts
    is_joined = parts != Parts(parts.phone)
    is_rejects = columns.is_rejects
    phone = parts.phone
    # Building the JSON text by hand takes a third of the time of dumping a dict.
    variables = [(index, json_string(name) + ": ") for index, name in columns.variables]
    size = 0

    def is_blank(word: str) -> bool:
        if word in NOTHING:
            summary.blank_words[word] = summary.blank_words.get(word, 0) + 1
            return True
        return not word.strip(INVISIBLE)

    for line, fields in rows:
        if is_rejects:
            fields = list(map(with_formula, fields))  # noqa: PLW2901
        if len(fields) != width:
            # Excel leaves out empty cells at the end of a row; other programs add some.
            if any(fields[width:]):
                summary.rows += 1
                rejects.add(
                    line, "too_many_fields", f"The row has {len(fields)} fields, not {width}.", fields
                )
                continue
            fields = fields[:width] + [""] * (width - len(fields))  # noqa: PLW2901
        try:
            e164, zones = parts.normalised(fields, normalise) if is_joined else normalise(fields[phone])
        except PhoneError as rejected:
            if any(map(str.strip, fields)):
                summary.rows += 1
                rejects.add(line, rejected.reason, rejected.message, fields)
            continue
        summary.rows += 1
        document = ", ".join(
            [
                name + json_string(value)
                for index, name in variables
                if (value := fields[index].strip())
                and not ((value in NOTHING or not value.isascii()) and is_blank(value))
            ]
        )
        if "\\" in document and "\0" in "".join(fields):
            rejects.add(line, "nul_character", "The row holds a NUL character.", fields)
            continue
        if len(document) > _LONGEST_CHECKED and (length := len(document.encode())) > _LONGEST_DOCUMENT:
            message = f"The row has {length:,} bytes of variables; {_LONGEST_DOCUMENT:,} are the most."
            rejects.add(line, "row_too_long", message, fields)
            continue
        block.lines.append(line)
        block.phones.append(e164)
        block.variables.append("{" + document + "}")
        block.zones.append(zones or "")
        size += len(document)
        if len(block.lines) == _ROWS_PER_BLOCK or size > _CHARACTERS_PER_BLOCK:
            yield block
            block = Block()
            size = 0
    if summary.rows == 0:
        raise no_rows(columns.titles)
    yield block
