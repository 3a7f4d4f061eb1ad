"""The reader gives back what a spreadsheet wrote, or says on which line it cannot."""

import codecs
import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retoma.errors import RetomaError
from retoma.importer.reader import DELIMITERS, open_table

ENCODINGS = {
    "utf-8": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-8-sig": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-16": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "latin-1": st.characters(max_codepoint=0xFF, exclude_characters="\0"),
    "windows-1252": st.characters(codec="windows-1252", exclude_characters="\0"),
}


def written(rows: list[list[str]], encoding: str, delimiter: str = ";", line_end: str = "\r\n") -> io.BytesIO:
    text = io.StringIO(newline="")
    # Python 3.11 quotes a line end inside a cell only if it is the file's own; this dialect quotes all cells.
    dialect = csv.excel if line_end == "\r\n" else csv.unix_dialect
    csv.writer(text, dialect, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return io.BytesIO(text.getvalue().encode(encoding))


def fields_of(rows: Iterator[tuple[int, list[str]]]) -> list[list[str]]:
    return [fields for _, fields in rows]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.data())
def test_any_rows_come_back_as_they_were_written(encoding: str, data: st.DataObject) -> None:
    cell = st.text(ENCODINGS[encoding], max_size=20)
    rows = data.draw(st.lists(st.lists(cell, min_size=1, max_size=5), min_size=1, max_size=10))
    delimiter = data.draw(st.sampled_from(DELIMITERS))
    line_end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Or else a first cell of "sep=x" would be the line that Excel writes.
    rows.insert(0, ["first", "row"])

    table = open_table(written(rows, encoding, delimiter, line_end), encoding, delimiter)

    assert [[cell.lstrip(" ") for cell in row] for row in fields_of(table.rows)] == [
        [cell.lstrip(" ") for cell in row] for row in rows
    ]


@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    delimiter=st.sampled_from(DELIMITERS),
    names=st.lists(
        st.lists(
            st.sampled_from(["João", "Zoë", "François", "D'Ávila", '"Nina"', "Müller\n", "Ana", "Õ"])
        ).map(" ".join),
        min_size=1,
        max_size=30,
    ),
)
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str, names: list[str]) -> None:
    rows = [["nome", "telefone", "cidade"]] + [[name, "+5511955501234", "São Paulo"] for name in names]

    table = open_table(written(rows, encoding, delimiter))

    assert fields_of(table.rows) == rows
    assert table.delimiter == delimiter
    assert table.encoding.name == encoding


def test_windows_1252_is_found_even_after_megabytes_of_ascii() -> None:
    rows = [["name", "phone"], *[["Ana", "+5511955501234"]] * 100_000, ["João", "+5511955501234"]]

    table = open_table(written(rows, "windows-1252"))

    assert fields_of(table.rows)[-1] == ["João", "+5511955501234"]
    assert table.encoding.name == "windows-1252"


def test_a_character_may_be_cut_by_the_end_of_a_block() -> None:
    for padding in range(4):
        text = "x" * (64 * 1024 - 3 + padding) + "é;ü\r\n"
        for encoding in ("utf-8", "windows-1252"):
            table = open_table(io.BytesIO(text.encode(encoding)), delimiter=";")
            assert fields_of(table.rows) == [text.rstrip().split(";")]


def test_utf_8_and_windows_1252_in_one_file_are_refused_with_the_line() -> None:
    stream = io.BytesIO("name;phone\nJoão;1\n".encode() + "João;2\n".encode("latin-1"))

    with pytest.raises(RetomaError, match="Line 3 is not utf-8"):
        fields_of(open_table(stream).rows)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["name;phone\n", "\u540d;+81312345678\n" * 1000])
def test_utf_16_without_a_byte_order_mark_is_explained(text: str, encoding: str) -> None:
    with pytest.raises(RetomaError, match="UTF-16 without a byte order mark") as error:
        open_table(io.BytesIO(text.encode(encoding)))
    assert f"--encoding {encoding}" in (error.value.hint or "")


def test_a_few_nul_characters_are_left_to_their_rows() -> None:
    table = open_table(io.BytesIO(b"a;b\nAn\0a;1\nBia;2\n"))

    assert fields_of(table.rows) == [["a", "b"], ["An\0a", "1"], ["Bia", "2"]]


def test_spaces_around_quotes_are_no_part_of_a_cell() -> None:
    table = open_table(io.BytesIO(b'phone, name, town\n+1, "Ana ""B"", X", "" \n+2 , "Bia" ,"Y"\n'))

    assert fields_of(table.rows) == [
        ["phone", "name", "town"],
        ["+1", 'Ana "B", X', ""],
        ["+2 ", "Bia", "Y"],
    ]


def test_apostrophes_around_every_title_are_quotes() -> None:
    table = open_table(io.BytesIO(b"'nome','telefone'\n'Souza, Ana','+1'\n'D''Avila','+2'\n"))

    assert fields_of(table.rows) == [["nome", "telefone"], ["Souza, Ana", "+1"], ["D'Avila", "+2"]]


def test_an_apostrophe_in_front_of_numbers_is_no_quote() -> None:
    table = open_table(io.BytesIO(b"nome,telefone\nD'Avila,'+1\n"))

    assert fields_of(table.rows)[1] == ["D'Avila", "'+1"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\x00[Content_Types].xml", "Excel"),
        (b"PK\x03\x04\x14\x00mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
        (b"PK\x03\x04\x14\x00list.csv", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"\x1f\x8b\x08\x00abc", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", "HTML"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", "HTML"),
        (b"<table border=1>", "HTML"),
        (codecs.BOM_UTF16_LE + "<html>".encode("utf-16-le"), "HTML"),
        (b'<?xml version="1.0"?><Workbook>', "XML"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "vCard"),
        (b'[{"phone": "+1"}]', "JSON"),
        (b'{\n  "contacts": []}', "JSON"),
        (b"insert into people values (1, 2);", "SQL"),
    ],
)
@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_a_file_of_another_kind_is_named(content: bytes, kind: str, encoding: str | None) -> None:
    with pytest.raises(RetomaError, match=rf"The file is .*{kind}") as error:
        open_table(io.BytesIO(content), encoding)
    assert "CSV" in (error.value.hint or "")


@pytest.mark.parametrize("content", ["[Nome];x\n", "{a};b\n", "<Nome>;x\n", "Insert;x\n", "PK;x\n"])
def test_a_csv_file_that_begins_like_another_kind_is_read(content: str) -> None:
    assert len(fields_of(open_table(io.BytesIO(content.encode())).rows)) == 1


def test_utf_16_with_a_byte_order_mark_of_either_order_is_read() -> None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        table = open_table(io.BytesIO(mark + "a\tb\r\nç\tú\r\n".encode(encoding)))
        assert fields_of(table.rows) == [["a", "b"], ["ç", "ú"]]


def test_the_delimiter_line_of_excel_is_obeyed_and_counted() -> None:
    table = open_table(io.BytesIO(b"sep=|\r\na,b,c|d\r\ne,f,g|h\r\n"))

    assert list(table.rows) == [(2, ["a,b,c", "d"]), (3, ["e,f,g", "h"])]


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    table = open_table(io.BytesIO(b"phone;amount\n+1;10,50\n+2;7,20\n"))

    assert table.delimiter == ";"


def test_rows_carry_the_line_on_which_they_begin() -> None:
    table = open_table(io.BytesIO(b'a;b\n"one\ntwo\nthree";x\n\nlast;y\n'))

    assert [line for line, _ in table.rows] == [1, 2, 6]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'a;b\nc;d\n"e;f\n', "line 3 has a quote that is never closed"),
        (b'a;b\n"c" d;e\n', "line 2 has text after a closing quote"),
        (b'a;b\n"' + b"xx\n" * 70_000, "line 2 has a quote that is never closed"),
        (b"a;b\n" + b"x" * 200_000 + b";c\n", "line 2 has a cell of more than 131,072 characters"),
        (b'a;b\n"x"; "' + b"x" * 200_000 + b'"\n', "line 2 has a cell of more than 131,072 characters"),
        (b"a;b\n" + b'"x\n";"y";' * 200_000, "line 1 is longer than a million characters"),
        (b"", "empty"),
        (b"x" * 3_000_000, "a million characters"),
    ],
)
def test_a_malformed_file_is_refused_with_the_line(content: bytes, complaint: str) -> None:
    with pytest.raises(RetomaError, match=complaint):
        fields_of(open_table(io.BytesIO(content)).rows)


@pytest.mark.parametrize("encoding", ["klingon", "hex", "base64", "rot13", "undefined"])
def test_what_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(RetomaError, match=f"no text encoding “{encoding}”"):
        open_table(io.BytesIO(b"a;b\n"), encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_order_mark_is_no_part_of_the_first_cell(encoding: str, mark: bytes) -> None:
    table = open_table(io.BytesIO(mark + "nome;é\n".encode()), encoding)

    assert fields_of(table.rows) == [["nome", "é"]]


def test_a_delimiter_of_two_characters_is_refused() -> None:
    with pytest.raises(RetomaError, match="one character"):
        fields_of(open_table(io.BytesIO(b"a;b\n"), delimiter=";;").rows)


def test_only_a_bounded_part_is_read_before_the_first_row() -> None:
    read = 0

    def on_read(size: int) -> None:
        nonlocal read
        read += size

    table = open_table(io.BytesIO(b"phone;name\n" * 1_000_000), on_read=on_read)
    next(table.rows)

    assert read <= 256 * 1024
