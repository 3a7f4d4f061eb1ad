"""Lists of numbers for opt-outs and opt-ins: any table that the import can read, or one number per line."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import IO, NamedTuple

import phonenumbers

from retoma.errors import RetomaError
from retoma.importer.cells import PhoneError, clean
from retoma.importer.columns import understand
from retoma.importer.phones import Normalise, Phone, normaliser
from retoma.importer.reader import open_table

_ROWS_TO_JUDGE = 100


class Number(NamedTuple):
    """One number of a list.

    Args:
        line: of the file, or the place on the command line; from 1.
        given: as it was given.
        phone: E.164 with +; None when it is not a number.
        problem: why it is none.
    """

    line: int
    given: str
    phone: str | None
    problem: str = ""


def numbers_given(texts: list[str], region: str | None) -> Iterator[Number]:
    """The numbers in these texts.

    Args:
        region: ISO 3166 code of the country of numbers without +, as in "BR"; None refuses such numbers.
    """
    normalise = _lenient(region)
    for line, given in enumerate(texts, start=1):
        try:
            yield Number(line, given, normalise(given)[0])
        except PhoneError as error:
            yield Number(line, given, None, error.message)


def numbers_in_file(stream: IO[bytes], region: str | None, phone_column: str | None) -> Iterator[Number]:
    """The numbers of a table; empty rows are left out.

    Args:
        region: as for numbers_given.
        phone_column: title of the column; None finds it.

    Raises:
        RetomaError: here or while rows are read: the file cannot be used.
    """
    normalise = _lenient(region)
    table = open_table(stream)
    head = list(islice(table.rows, _ROWS_TO_JUDGE))
    if not head:
        raise RetomaError(
            "The file has no rows.", hint="Give a file with one number per line, or a CSV file."
        )
    columns = understand([fields for _, fields in head], phone_column, normalise)
    for line, fields in chain(head[columns.first_row :], table.rows):
        row = fields + [""] * (len(columns.titles) - len(fields))
        if not any(cell.strip() for cell in row):
            continue
        try:
            yield Number(line, row[columns.phone], columns.parts.normalised(row, normalise)[0])
        except PhoneError as error:
            yield Number(line, row[columns.phone], None, error.message)


def _lenient(region: str | None) -> Normalise:
    """As the import reads numbers, with Brazilian mobile numbers of eight digits.

    An import refuses them, because it cannot know to which number a message would go. The suppression list
    has both forms under one key, and people who copy a number from WhatsApp may have the old one.
    """
    strict = normaliser(region)

    def normalise(cell: str) -> Phone:
        try:
            return strict(cell)
        except PhoneError as error:
            if error.reason != "brazil_ninth_digit":
                raise
            parsed = phonenumbers.parse(clean(cell), region)
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), None

    return normalise
