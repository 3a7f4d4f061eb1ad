"""Finds the phone column, and the names under which the template finds the others."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from retoma.errors import RetomaError
from retoma.importer.cells import PhoneError, looks_like_phone
from retoma.importer.phones import Normalise
from retoma.importer.rejects import ADDED_COLUMNS

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
# Words of Liquid, and what every message has anyway.
_RESERVED = frozenset("and or not contains in true false nil null none empty blank forloop phone".split())  # noqa: SIM905


@dataclass(frozen=True)
class Columns:
    """The meaning of each column.

    Attributes:
        titles: the header as it is in the file, or made-up names if there is none.
        has_header: whether the first row is a header.
        phone: index of the phone column.
        variables: index and Liquid name of every other column.
    """

    titles: list[str]
    has_header: bool
    phone: int
    variables: list[tuple[int, str]]


def snake_case(title: str) -> str:
    """A column title in lower snake case without accents; "" if it has no ASCII letter or digit."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def variable_name(title: str, position: int) -> str:
    """The name under which a Liquid template finds a column.

    Args:
        position: counted from 1; the name of a column without a title.
    """
    name = snake_case(title) or f"column_{position}"
    return f"_{name}" if name[0].isdigit() or name in _RESERVED else name


def understand(rows: Sequence[list[str]], wanted: str | None, normalise: Normalise) -> Columns:
    """Decides what the columns mean, from the first rows of the file (at least one).

    Args:
        wanted: title or name of the phone column; None finds it by name, or else by content.

    Raises:
        RetomaError: no column, or more than one, can be the phone; or two titles give one name.
    """
    first = [title.strip() for title in rows[0]]
    named = wanted is not None and bool(_matching(wanted, first))
    if not named and any(map(looks_like_phone, first)):
        return _without_header(rows, wanted, normalise)
    phone = _chosen(wanted, first) if wanted is not None else _by_name(first)
    if phone is None:
        phone = _by_content(rows[1:], first, normalise)
    variables = [
        (index, variable_name(title, index + 1))
        for index, title in enumerate(first)
        if index != phone and title not in ADDED_COLUMNS
    ]
    _refuse_collisions(first, variables)
    return Columns(first, True, phone, variables)


def _without_header(rows: Sequence[list[str]], wanted: str | None, normalise: Normalise) -> Columns:
    titles = [f"column_{index}" for index in range(1, len(rows[0]) + 1)]
    phone = _by_content(rows, titles, normalise) if wanted is None else _chosen(wanted, titles)
    variables = [(index, name) for index, name in enumerate(titles) if index != phone]
    titles[phone] = "phone"
    return Columns(titles, False, phone, variables)


def _matching(wanted: str, titles: list[str]) -> list[int]:
    exact = [index for index, title in enumerate(titles) if title == wanted.strip()]
    return exact or [
        index
        for index, title in enumerate(titles)
        if snake_case(wanted) == (snake_case(title) or f"column_{index + 1}")
    ]


def _chosen(wanted: str, titles: list[str]) -> int:
    matches = _matching(wanted, titles)
    if len(matches) != 1:
        problem = "no column" if not matches else "more than one column"
        raise RetomaError(f"The file has {problem} “{wanted}”.", hint=f"Its columns are: {_listed(titles)}.")
    return matches[0]


def _by_name(titles: list[str]) -> int | None:
    names = [snake_case(title) for title in titles]

    def matches(words: frozenset[str], whole: bool) -> list[int]:
        return [
            index
            for index, name in enumerate(names)
            if (name in words if whole else not words.isdisjoint(name.split("_")))
        ]

    for found in (
        matches(_PHONE_WORDS, whole=True),
        matches(_PHONE_WORDS, whole=False),
        matches(_WEAK_PHONE_WORDS, whole=True),
    ):
        if len(found) > 1:
            raise _ambiguous([titles[index] for index in found])
        if found:
            return found[0]
    return None


def _by_content(rows: Sequence[list[str]], titles: list[str], normalise: Normalise) -> int:
    def is_valid(cell: str) -> bool:
        try:
            return bool(normalise(cell))
        except PhoneError:
            return False

    for test in (is_valid, looks_like_phone):
        found = []
        for index in range(len(titles)):
            cells = [row[index] for row in rows if index < len(row) and row[index].strip()]
            if cells and sum(map(test, cells)) * 2 >= len(cells):
                found.append(index)
        if len(found) > 1:
            raise _ambiguous([titles[index] for index in found])
        if found:
            return found[0]
    raise RetomaError(
        "No column looks like phone numbers.",
        hint=f"Name it with --phone-column. The columns are: {_listed(titles)}.",
    )


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
    return ", ".join(f"“{title}”" for title in titles)
