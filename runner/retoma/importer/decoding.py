"""From the bytes of a CSV file to its text."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from retoma.errors import RetomaError
from retoma.importer.guess import guess_encoding
from retoma.importer.kinds import refuse_other_kinds

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass
class Encoding:
    """The encoding of a file while it is read.

    Attributes:
        name: the one given, or the one found so far: ASCII is called utf-8 until a byte says otherwise.
        word: a word of the file as this encoding reads it, if it was guessed from its words; in quotes.
    """

    name: str
    word: str | None = None


def decode(blocks: Iterable[bytes], encoding: Encoding, *, guess: bool) -> Iterator[str]:
    """The text of a file, in pieces of any length.

    Args:
        encoding: changed when its name, or a word that shows it, is found.
        guess: whether it may be.

    Raises:
        RetomaError: the file is of another kind, not in its encoding, or the encoding cannot be told.
    """
    decoder: codecs.IncrementalDecoder | None = None
    line = 1
    may_be_guessed = guess
    for block in chain(blocks, [b""]):
        if decoder is None:
            refuse_other_kinds(block, encoding.name)
            if guess:
                encoding.name = next((name for bom, name in _BOMS if block.startswith(bom)), "utf-8")
                may_be_guessed = encoding.name == "utf-8"
            decoder = _decoder(encoding.name)
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # If all before was ASCII, which all encodings write alike, the guess can still be changed.
            if not may_be_guessed or not error.object[: error.start].isascii():
                raise _undecodable(error, encoding.name, line) from None
            encoding.name, encoding.word = guess_encoding(pending + block)
            may_be_guessed = False
            decoder = _decoder(encoding.name)
            try:
                text = decoder.decode(pending + block, final=not block)
            except UnicodeDecodeError as again:
                raise _undecodable(again, encoding.name, line) from None
        may_be_guessed = may_be_guessed and text.isascii()
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
        hint="Export the file as “CSV UTF-8”. Lists that were put together may be in several encodings; "
        "if you gave --encoding, try without it.",
    )
