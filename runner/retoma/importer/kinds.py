"""Files that are no CSV, by how they begin."""

import codecs
import re

from retoma.errors import RetomaError

_AS_CSV = "Open it in a spreadsheet program and save it as “CSV UTF-8”."
_EXPORT = "Export the contact list as CSV from the program where it is kept."
_UNPACK = "Unpack it, and import the CSV file in it."

_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(begin, re.IGNORECASE | re.DOTALL), name, hint)
    for begin, name, hint in (
        (rb"PK\x03\x04.{0,200}opendocument\.spreadsheet", "an OpenDocument spreadsheet (.ods)", _AS_CSV),
        (rb"PK\x03\x04.*(?:\[Content_Types\]|xl/|_rels/)", "an Excel workbook (.xlsx)", _AS_CSV),
        (rb"PK\x03\x04", "a ZIP archive", _UNPACK),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _AS_CSV),
        (rb"\x1f\x8b", "a gzip archive", _UNPACK),
        (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "an archive", _UNPACK),
        (rb"%PDF-", "a PDF document", _EXPORT),
        (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "an image", _EXPORT),
        (rb"\{\\rtf", "an RTF document", _EXPORT),
        (rb"SQLite format 3\x00", "an SQLite database", _EXPORT),
        (
            rb"\s*<(?:!doctype html|!--|html|head|body|meta|style|div|table)\b",
            "a web page (HTML), whatever its name says",
            _AS_CSV,
        ),
        (rb"\s*<\?xml", "XML", _AS_CSV),
        (rb"\s*BEGIN:VCARD", "a vCard (.vcf)", _EXPORT),
        (rb"\s*(?:\[\s*[\[{\"]|\{\s*\")", "JSON", _EXPORT),
        (rb"\s*(?:insert\s+into|create\s+table)\s", "SQL", _EXPORT),
    )
)


def refuse_other_kinds(beginning: bytes, encoding: str) -> None:
    """Raises RetomaError with the name of the kind if a file is certainly no CSV.

    Args:
        beginning: the first kilobytes of the file.
        encoding: the one given; "utf-8" if none is.
    """
    beginning = beginning.removeprefix(codecs.BOM_UTF8)
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        beginning = beginning[:2000].decode("utf-16", "ignore").encode()
        encoding = "utf-16"
    for begin, name, hint in _KINDS:
        if begin.match(beginning):
            raise RetomaError(f"The file is {name}, not CSV.", hint=hint)
    if not re.match(r"utf[_-]?(16|32)", encoding, re.IGNORECASE):
        _refuse_utf_16(beginning)


def _refuse_utf_16(beginning: bytes) -> None:
    """Of UTF-16, delimiters and digits have a NUL in the same half of a character; a few belong to rows."""
    halves = beginning[0::2].count(0), beginning[1::2].count(0)
    if sum(halves) * 10 <= len(beginning):
        return
    if min(halves) * 10 < max(halves):
        encoding = "utf-16-be" if halves[0] > halves[1] else "utf-16-le"
        raise RetomaError(
            "The file is UTF-16 without a byte order mark.",
            hint=f"Export it as “CSV UTF-8”, or give --encoding {encoding}.",
        )
    raise RetomaError("The file is full of NUL bytes: it is not CSV.", hint=_EXPORT)
