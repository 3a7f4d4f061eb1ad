"""Finds the phone column, and the names under which the template finds the others."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retoma.errors import RetomaError
from retoma.importer.cells import PhoneError, looks_like_phone
from retoma.importer.parts import Parts, find_parts
from retoma.importer.phones import Normalise
from retoma.importer.rejects import ADDED_COLUMNS
from retoma.names import safe_name

# English, Portuguese, Spanish, French, Italian and German, as identifiers.
_PHONE_WORDS = frozenset(
    word
    for words in (
        "phone phones telephone mobile cell cellphone cellular msisdn whatsapp whats wpp zap",
        "telefone telefones fone celular tel telemovel",
        "telefono movil",
        "telephones portable",
        "cellulare telefon handy handynummer telefonnummer mobil mobilnummer",
    )
    for word in words.split()
)
# These words may also mean a house number, so they count only if no better name is there.
_WEAK_PHONE_WORDS = frozenset(("numero", "number", "num", "contato", "contact", "contacto", "nummer"))
# Numbers with as many digits as a phone, of which some are even the phone of a stranger.
_WORDS_OF_OTHER_NUMBERS = frozenset(
    word
    for words in (
        "cpf cnpj rg cnh nis pis documento doc matricula cep codigo cod pedido protocolo nota contrato conta",
        "dni nif nie rut cuit cuil curp rfc cedula ruc passaporte pasaporte",
        "id ids uuid document passport ssn zip order invoice account contract serial ean sku iban",
    )
    for word in words.split()
)
# Better titles first; whether the whole title must be one of the words.
_RANKS = ((_PHONE_WORDS, True), (_PHONE_WORDS, False), (_WEAK_PHONE_WORDS, True))
_ROWS_ABOVE_DATA = 20
_TITLES_SHOWN = 30


@dataclass(frozen=True)
class Columns:
    """The meaning of each column.

    Attributes:
        titles: the header as it is in the file, or made-up names if there is none.
        has_header: whether there is one.
        first_row: how many rows come before the data: 0 without a header, 1 if it is the first row.
        parts: indexes of the phone column, and of columns that must be joined to it.
        variables: index and Liquid name of every other column.
    """

    titles: list[str]
    has_header: bool
    first_row: int
    parts: Parts
    variables: list[tuple[int, str]]

    @property
    def phone(self) -> int:
        """Index of the phone column."""
        return self.parts.phone

    @property
    def is_rejects(self) -> bool:
        """Whether it is a file of rejects, which has apostrophes before formulas."""
        return set(ADDED_COLUMNS) <= set(self.titles)


def snake_case(title: str) -> str:
    """A column title in lower snake case without accents; "" if it has no ASCII letter or digit."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def variable_name(title: str, position: int) -> str:
    """The name under which a Liquid template finds a column.

    Args:
        position: counted from 1; the name of a column without a title.
    """
    return safe_name(snake_case(title) or f"column_{position}")


def understand(rows: Sequence[list[str]], wanted: str | None, normalise: Normalise) -> Columns:
    """Decides what the columns mean, from the first rows of the file (at least one).

    Args:
        wanted: title or name of the phone column; None finds it by their values and titles.

    Raises:
        RetomaError: no column, or more than one, can be the phone; or two titles give one name; or there is
            nothing below the header.
    """
    width = max(map(len, rows))
    _refuse_one_column(rows, width, wanted)
    sample = _Sample([[*row, *[""] * (width - len(row))] for row in rows], normalise)
    header = _header(sample, wanted)
    if header is None:
        return _without_header(sample, wanted)
    titles = [title.strip() for title in rows[header]]
    below = sample.below(header)
    if not any(cell.strip() for row in below.rows for cell in row):
        raise no_rows(titles)
    phone = _chosen(wanted, titles) if wanted is not None else _found(below, titles)
    variables = [
        (index, variable_name(title, index + 1))
        for index, title in enumerate(titles)
        if index != phone and title not in ADDED_COLUMNS
    ]
    _refuse_collisions(titles, variables)
    parts = find_parts(list(map(snake_case, titles)), below.rows, phone, normalise)
    return Columns(titles, True, header + 1, parts, variables)


def no_rows(titles: list[str]) -> RetomaError:
    """The error for a file with nothing in it but its titles."""
    return RetomaError(
        f"The file has no rows below its header: {_listed(titles)}.", hint="Export the contact list again."
    )


class _Sample:
    """The first rows of a file, all of one width, and which cells could be phones."""

    def __init__(self, rows: Sequence[list[str]], normalise: Normalise) -> None:
        self.rows = rows
        self.width = len(rows[0]) if rows else 0
        self._normalise = normalise
        self._looks = [[looks_like_phone(cell) for cell in row] for row in rows]

    def below(self, header: int) -> "_Sample":
        return _Sample(self.rows[header + 1 :], self._normalise)

    def first_phone(self, column: int) -> int | None:
        """The first row with what looks like a phone in this column."""
        return next((row for row, looks in enumerate(self._looks) if looks[column]), None)

    def has_phones(self, column: int) -> bool:
        return self.first_phone(column) is not None

    def phone_columns(self) -> list[int]:
        """The columns of which at least half of the cells are numbers; or else look like it."""
        return self._mostly(self._is_valid) or self._mostly(looks_like_phone)

    def _mostly(self, test: Callable[[str], bool]) -> list[int]:
        found = []
        for column in range(self.width):
            first = self.first_phone(column)
            cells = [] if first is None else [row[column] for row in self.rows[first:] if row[column].strip()]
            if cells and sum(map(test, cells)) * 2 >= len(cells):
                found.append(column)
        return found

    def _is_valid(self, cell: str) -> bool:
        try:
            return bool(self._normalise(cell))
        except PhoneError:
            return False


def _refuse_one_column(rows: Sequence[list[str]], width: int, wanted: str | None) -> None:
    title = rows[0][0].strip()
    if width == 1 and wanted is None and snake_case(title) not in _PHONE_WORDS:
        cells = [row[0] for row in rows if row[0].strip()]
        if not any(map(looks_like_phone, cells)):
            raise RetomaError(
                f"The file has one column, “{title[:80]}”, and no phone numbers in it.",
                hint="If another character stands between the cells, give it, as in --delimiter '~'. If each "
                "whole line is in quotes, export the contact list again, as CSV.",
            )


def _header(sample: _Sample, wanted: str | None) -> int | None:
    """The row of the titles; None if the first row is data already.

    Reports have a title, a date or a number of their shop above the header. Dates and numbers may be titles.
    """
    rows = sample.rows
    top = range(min(_ROWS_ABOVE_DATA, len(rows)))
    if wanted is not None:
        for row in top:
            if _matching(wanted, [cell.strip() for cell in rows[row]], by_position=False):
                return row
    for words, whole in _RANKS:
        for row in top:
            titled = [
                column for column, name in enumerate(map(snake_case, rows[row])) if _has(words, name, whole)
            ]
            if any(sample.below(row).has_phones(column) for column in titled) and _is_fuller(rows, row):
                return row
    firsts = [first for column in sample.phone_columns() if (first := sample.first_phone(column)) is not None]
    if not firsts:
        return 0
    above = range(min(firsts))
    fullest = max((_filled(rows[row]) for row in above), default=0)
    return next((row for row in above if _filled(rows[row]) * 2 > fullest), None)


def _is_fuller(rows: Sequence[list[str]], row: int) -> bool:
    """Whether no row above is as full as this one: data and a header are, a title of a report is not."""
    return all(
        _filled(above) < _filled(rows[row]) or not any(map(looks_like_phone, above)) for above in rows[:row]
    )


def _filled(row: list[str]) -> int:
    return sum(map(bool, map(str.strip, row)))


def _without_header(sample: _Sample, wanted: str | None) -> Columns:
    titles = [f"column_{index}" for index in range(1, sample.width + 1)]
    phone = _found(sample, titles) if wanted is None else _chosen(wanted, titles)
    variables = [(index, name) for index, name in enumerate(titles) if index != phone]
    titles[phone] = "phone"
    return Columns(titles, False, 0, Parts(phone), variables)


def _matching(wanted: str, titles: list[str], *, by_position: bool = True) -> list[int]:
    exact = [index for index, title in enumerate(titles) if title == wanted.strip()]
    return exact or [
        index
        for index, title in enumerate(titles)
        if snake_case(wanted) == (snake_case(title) or (f"column_{index + 1}" if by_position else None))
    ]


def _chosen(wanted: str, titles: list[str]) -> int:
    matches = _matching(wanted, titles)
    if len(matches) != 1:
        problem = "no column" if not matches else "more than one column"
        raise RetomaError(f"The file has {problem} “{wanted}”.", hint=f"Its columns are: {_listed(titles)}.")
    return matches[0]


def _found(sample: _Sample, titles: list[str]) -> int:
    """The phone column: what is in it counts first, then its title."""
    names = [snake_case(title) for title in titles]
    by_content = [
        column
        for column in sample.phone_columns()
        if not _has(_WORDS_OF_OTHER_NUMBERS, names[column], whole=False)
    ]
    titled_without: list[int] = []
    for words, whole in _RANKS:
        titled = [column for column, name in enumerate(names) if _has(words, name, whole)]
        if words is _WEAK_PHONE_WORDS:
            found = [column for column in titled if column in by_content]
        else:
            # Under such a title a few good numbers are enough.
            found = [column for column in titled if sample.has_phones(column)]
            titled_without = titled_without or titled
        if found:
            return _only(found, titles)
    if titled_without and by_content:
        raise RetomaError(
            f"“{titles[titled_without[0]]}” holds no phone numbers, and “{titles[by_content[0]]}” may.",
            hint="Choose the phone column with --phone-column.",
        )
    if titled_without or by_content:
        return _only(by_content or titled_without, titles)
    raise RetomaError(
        "No column looks like phone numbers.",
        hint=f"Name it with --phone-column. The columns are: {_listed(titles)}.",
    )


def _has(words: frozenset[str], name: str, whole: bool) -> bool:
    return name in words if whole else not words.isdisjoint(name.split("_"))


def _only(found: list[int], titles: list[str]) -> int:
    if len(found) > 1:
        raise _ambiguous([titles[column] for column in found])
    return found[0]


def _ambiguous(titles: list[str]) -> RetomaError:
    return RetomaError(
        f"Several columns may be the phone: {_listed(titles)}.", hint="Choose one with --phone-column."
    )


def _refuse_collisions(titles: list[str], variables: list[tuple[int, str]]) -> None:
    seen: dict[str, int] = {}
    for index, name in variables:
        if name in seen:
            raise RetomaError(
                f"The columns “{titles[seen[name]]}” and “{titles[index]}” would both become "
                f"the variable “{name}”.",
                hint="Rename or remove one of them in the file.",
            )
        seen[name] = index


def _listed(titles: list[str]) -> str:
    shown = [f"“{title if len(title) <= 80 else title[:79] + '…'}”" for title in titles[:_TITLES_SHOWN]]
    more = f" and {len(titles) - _TITLES_SHOWN:,} more" if len(titles) > _TITLES_SHOWN else ""
    return ", ".join(shown) + more
