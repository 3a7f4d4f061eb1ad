"""Rows of a CSV file as spreadsheets write them: any delimiter, any usual encoding, in bounded memory."""

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING

from retoma.errors import RetomaError
from retoma.importer.decoding import Encoding, decode

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

DELIMITERS = (";", ",", "\t", "|")

_BLOCK_BYTES = 64 * 1024
_HEAD_CHARACTERS = 64 * 1024
_LONGEST_LINE = 1024 * 1024
# A row may have many lines.
_LONGEST_RECORD_BLOCKS = _LONGEST_LINE // _BLOCK_BYTES
_EXCEL_DELIMITER = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
Row = tuple[int, list[str]]


@dataclass
class Table:
    """A CSV file being read.

    Attributes:
        delimiter: the one given, or the one found.
        encoding: the one given, or the one found so far.
        rows: (number of the line on which the row begins, its fields); blank lines are left out.
    """

    delimiter: str
    encoding: Encoding
    rows: Iterator[Row]


def open_table(
    stream: IO[bytes],
    encoding: str | None = None,
    delimiter: str | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Table:
    """Starts to read a CSV file; it may be a pipe, because nothing is read twice.

    Args:
        encoding: a Python codec; None finds UTF-8 and UTF-16 by their marks, and others by their words.
        delimiter: one character; None takes the one of Excel's `sep=` line, or the one that fits best.
        on_read: called with the size in bytes of every block read.

    Raises:
        RetomaError: here or while rows are read: the file is empty, not text, or not CSV; with the line.
    """
    table = Table(delimiter or ",", Encoding(encoding or "utf-8"), iter(()))
    record = _Record()
    texts = decode(_blocks(stream, on_read), table.encoding, guess=encoding is None)
    lines = _lines(texts, record)
    head = _head(lines)
    if not head:
        raise RetomaError("The file is empty.", hint="Export the contact list again, as CSV.")
    first_line = 1
    if found := _EXCEL_DELIMITER.fullmatch(head[0]):
        table.delimiter = delimiter or found[1]
        first_line = 2
        del head[0]
    elif delimiter is None:
        table.delimiter = guess_delimiter(head)
    quote = _quote(head[0], table.delimiter)
    if _has_spaces_behind_quotes(head, table.delimiter, quote):
        spaces = re.compile(rf"{quote}[ \t]+(?=[{re.escape(table.delimiter)}\r\n])")
        head = [spaces.sub(quote, line) for line in head]
        lines = (spaces.sub(quote, line) for line in lines)
    table.rows = _rows(chain(head, lines), table.delimiter, quote, first_line, record)
    return table


def guess_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts the most lines into one number of fields; "," if none cuts any line."""

    def fitness(delimiter: str) -> tuple[float, int]:
        widths: Counter[int] = Counter()
        # The head may end in the middle of a row, or hold a cell that is refused later.
        with suppress(csv.Error):
            widths.update(len(row) for row in _reader(lines, delimiter) if row)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        return (count / widths.total(), width) if width > 1 else (0, 0)

    best = max(DELIMITERS, key=fitness)
    return best if fitness(best) > (0, 0) else ","


def _blocks(stream: IO[bytes], on_read: Callable[[int], None]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        on_read(len(block))
        yield block


@dataclass
class _Record:
    """How many blocks were read since the last row, and the line on which that row began."""

    blocks: int = 0
    line: int = 0


def _lines(texts: Iterable[str], record: _Record) -> Iterator[str]:
    """Lines with their ends: \\n, \\r\\n or \\r, and none of the others that str.splitlines cuts at."""
    rest = ""
    for text in texts:
        record.blocks += 1
        if record.blocks > _LONGEST_RECORD_BLOCKS:
            raise RetomaError(
                f"The row after the one on line {record.line} is longer than a million characters: "
                "a quote in it is never closed, or the file is not CSV. Nothing was imported.",
                hint="Correct the row, or export the contact list again, as CSV.",
            )
        lines = list(io.StringIO(rest + text, newline=""))
        # The last line may go on in the next block, and so may a \r that ends this one.
        rest = lines.pop() if lines else ""
        if len(rest) > _LONGEST_LINE:
            raise RetomaError(
                "The file has a line of more than a million characters: it is not CSV.",
                hint="Export the contact list again, as CSV.",
            )
        yield from lines
    if rest:
        yield rest


def _head(lines: Iterator[str]) -> list[str]:
    head: list[str] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line)
        if size > _HEAD_CHARACTERS:
            break
    return head


def _quote(first_line: str, delimiter: str) -> str:
    """An apostrophe if every title stands in apostrophes."""
    titles = first_line.strip().split(delimiter)
    return "'" if len(titles) > 1 and all(re.fullmatch("'.+'", title) for title in titles) else '"'


def _has_spaces_behind_quotes(head: list[str], delimiter: str, quote: str) -> bool:
    """Whether a cell as in "Ana" ; is what makes the head no CSV."""
    try:
        deque(_reader(head, delimiter, quote, strict=True), maxlen=0)
    except csv.Error as error:
        return "expected after" in str(error)
    return False


def _reader(lines: Iterable[str], delimiter: str, quote: str = '"', *, strict: bool = False) -> "CsvReader":
    try:
        return csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True, strict=strict)
    except (TypeError, ValueError):
        raise RetomaError(
            "The delimiter must be one character.", hint="Try --delimiter ';' or --delimiter tab."
        ) from None


def _rows(
    lines: Iterable[str], delimiter: str, quote: str, first_line: int, record: _Record
) -> Iterator[Row]:
    # strict: otherwise a quote that is never closed swallows the rest of the file without an error.
    reader = _reader(lines, delimiter, quote, strict=True)
    line = first_line
    try:
        for fields in reader:
            if fields:
                record.blocks = 0
                record.line = line
                yield line, fields
            line = first_line + reader.line_num
    except csv.Error as error:
        spans_lines = first_line + reader.line_num > line + 1
        raise _malformed(str(error), line, spans_lines=spans_lines) from None


def _malformed(problem: str, line: int, *, spans_lines: bool) -> RetomaError:
    where = f"The row that begins on line {line}"
    hint = 'Correct the row: a quote inside a quoted field is written twice, as in "Ana ""Nina"" Souza".'
    if "unexpected end" in problem or ("field limit" in problem and spans_lines):
        message = f"{where} has a quote that is never closed."
    elif "field limit" in problem:
        message = f"{where} has a cell of more than {csv.field_size_limit():,} characters: it is too long."
        hint = "Shorten the cell, or remove the column."
    elif "expected after" in problem:
        message = f"{where} has text after a closing quote."
    else:
        message = f"{where} is not CSV: {problem}."
    return RetomaError(message + " Nothing was imported.", hint=hint)
