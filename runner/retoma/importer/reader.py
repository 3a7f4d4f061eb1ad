"""Rows of a CSV file as spreadsheets write them: any delimiter, any usual encoding, in bounded memory."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO

from retoma.errors import RetomaError

DELIMITERS = (";", ",", "\t", "|")

_BLOCK_BYTES = 64 * 1024
_HEAD_CHARACTERS = 64 * 1024
_LONGEST_LINE = 1024 * 1024
_EXCEL_DELIMITER = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = tuple[int, list[str]]


@dataclass
class Table:
    """A CSV file being read.

    Attributes:
        delimiter: the one given, or the one found.
        encoding: the one given, or the one found so far: ASCII is called utf-8 until a byte says otherwise.
        rows: (number of the line on which the row begins, its fields); blank lines are left out.
    """

    delimiter: str
    encoding: str
    rows: Iterator[Row]


def open_table(
    stream: IO[bytes],
    encoding: str | None = None,
    delimiter: str | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Table:
    """Starts to read a CSV file; it may be a pipe, because nothing is read twice.

    Args:
        encoding: a Python codec; None finds UTF-8, UTF-16 with a byte order mark, or Windows-1252.
        delimiter: one character; None takes the one of Excel's `sep=` line, or the one that fits best.
        on_read: called with the size in bytes of every block read.

    Raises:
        RetomaError: here or while rows are read: the file is empty, not text, or not CSV; with the line.
    """
    table = Table(delimiter or ",", encoding or "utf-8", iter(()))
    blocks = _blocks(stream, on_read)
    lines = _lines(_decode(blocks, table, guess=encoding is None))
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
    table.rows = _rows(chain(head, lines), table.delimiter, first_line)
    return table


def guess_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts most lines into as many fields as the first one; "," if none cuts that one."""

    def fitness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0, 0)
        if not widths or widths[0] < 2:
            return (0, 0)
        return (widths.count(widths[0]) / len(widths), widths[0])

    best = max(DELIMITERS, key=fitness)
    return best if fitness(best) > (0, 0) else ","


def _blocks(stream: IO[bytes], on_read: Callable[[int], None]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        on_read(len(block))
        yield block


def _decode(blocks: Iterable[bytes], table: Table, guess: bool) -> Iterator[str]:
    decoder: codecs.IncrementalDecoder | None = None
    line = 1
    may_be_windows = guess
    for block in chain(blocks, [b""]):
        if decoder is None:
            if guess:
                table.encoding = next((name for bom, name in _BOMS if block.startswith(bom)), "utf-8")
                may_be_windows = table.encoding == "utf-8"
            decoder = _decoder(table.encoding)
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # If all before was ASCII, which both encodings write alike, the guess can still be changed.
            if not may_be_windows or not error.object[: error.start].isascii():
                raise _undecodable(error, table.encoding, line) from None
            table.encoding = "windows-1252"
            may_be_windows = False
            decoder = _decoder(table.encoding)
            try:
                text = decoder.decode(pending + block, final=not block)
            except UnicodeDecodeError as again:
                raise _undecodable(again, table.encoding, line) from None
        if line == 1 and guess and "\0" in text:
            raise RetomaError(
                "The file holds NUL bytes: it is not CSV, or it is UTF-16 without a byte order mark.",
                hint="Export it as “CSV UTF-8”, or give --encoding utf-16-le.",
            )
        may_be_windows = may_be_windows and text.isascii()
        line += max(text.count("\n"), text.count("\r"))
        yield text


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        "".encode(encoding)  # refuses the codecs that are for bytes, such as hex
        # A byte order mark may stand before any UTF-8, and is no part of the first cell.
        name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        return codecs.getincrementaldecoder(name)()
    except (LookupError, UnicodeError):
        raise RetomaError(
            f"Python knows no text encoding “{encoding}”.", hint="Use utf-8, utf-16, windows-1252 or latin-1."
        ) from None


def _undecodable(error: UnicodeDecodeError, encoding: str, line: int) -> RetomaError:
    line += bytes(error.object[: error.start]).count(b"\n")
    return RetomaError(
        f"Line {line} is not {encoding} text. Nothing was imported.",
        hint="Export the file as “CSV UTF-8”, or give its encoding, as in --encoding latin-1.",
    )


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines with their ends: \\n, \\r\\n or \\r, and none of the others that str.splitlines cuts at."""
    rest = ""
    for text in texts:
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


def _rows(lines: Iterable[str], delimiter: str, first_line: int) -> Iterator[Row]:
    try:
        # strict: otherwise a quote that is never closed swallows the rest of the file without an error.
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    except (TypeError, ValueError):
        raise RetomaError(
            "The delimiter must be one character.", hint="Try --delimiter ';' or --delimiter tab."
        ) from None
    line = first_line
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = first_line + reader.line_num
    except csv.Error as error:
        raise _malformed(str(error), line) from None


def _malformed(problem: str, line: int) -> RetomaError:
    if "unexpected end" in problem or "field limit" in problem:
        message = f"The row that begins on line {line} has a quote that is never closed."
    elif "expected after" in problem:
        message = f"The row that begins on line {line} has text after a closing quote."
    else:
        message = f"The row that begins on line {line} is not CSV: {problem}."
    return RetomaError(
        message + " Nothing was imported.",
        hint='Correct the row: a quote inside a quoted field is written twice, as in "Ana ""Nina"" Souza".',
    )
