"""Lists that keep the country code or the area code of a number in a column beside it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from retoma.importer.cells import PhoneError, clean
from retoma.importer.phones import Normalise, Phone

AREA_WORDS = frozenset(
    (
        "ddd",
        "area",
        "area_code",
        "codigo_de_area",
        "codigo_area",
        "cod_area",
        "lada",
        "prefixo",
        "prefijo",
        "prefisso",
        "prefix",
        "vorwahl",
        "indicatif",
    )
)
COUNTRY_WORDS = frozenset(
    (
        "ddi",
        "country_code",
        "calling_code",
        "dial_code",
        "codigo_do_pais",
        "codigo_de_pais",
        "codigo_pais",
        "cod_pais",
        "landervorwahl",
        "laendervorwahl",
        "indicatif_pays",
        "prefisso_internazionale",
    )
)


class Parts(NamedTuple):
    """Indexes of the columns that hold parts of a number.

    Attributes:
        phone: the rest of the number, or all of it.
        area: the area code; None if it is in the number.
        country: the calling code of the country, with or without +; None if it is in the number, or --region.
    """

    phone: int
    area: int | None = None
    country: int | None = None

    def normalised(self, fields: Sequence[str], normalise: Normalise) -> Phone:
        """The number of a row; raises PhoneError."""
        if self.area is None and self.country is None:
            return normalise(fields[self.phone])
        local = clean(fields[self.phone])
        area, country = _code(fields, self.area), _code(fields, self.country)
        if local.startswith(("+", "00")):
            return normalise(local)
        try:
            return normalise((f"+{country.lstrip('0')}" if country else "") + area + local)
        except PhoneError:
            if not _is_whole(local, area, country):
                raise
            return normalise(local)


def find_parts(
    names: Sequence[str], rows: Sequence[Sequence[str]], phone: int, normalise: Normalise
) -> Parts:
    """The columns that must be joined for most rows to hold a number.

    Args:
        names: titles in snake case.
        rows: some rows below the header.
        phone: index of the phone column.
    """
    areas = [index for index, name in enumerate(names) if name in AREA_WORDS and index != phone]
    countries = [index for index, name in enumerate(names) if name in COUNTRY_WORDS and index != phone]
    area = areas[0] if len(areas) == 1 else None
    country = countries[0] if len(countries) == 1 else None
    for parts in (Parts(phone, area, country), Parts(phone, area), Parts(phone, None, country)):
        if (parts.area is not None or parts.country is not None) and _must_be_joined(rows, parts, normalise):
            return parts
    return Parts(phone)


def _must_be_joined(rows: Sequence[Sequence[str]], parts: Parts, normalise: Normalise) -> bool:
    count = joined = whole = 0
    for fields in rows:
        if len(fields) <= max(index for index in parts if index is not None):
            continue
        area, country = _code(fields, parts.area), _code(fields, parts.country)
        try:
            local = clean(fields[parts.phone])
        except PhoneError:
            continue
        if area or country:
            count += 1
            joined += _is_valid(fields, parts, normalise)
            is_whole = local.startswith(("+", "00")) or _is_whole(local, area, country)
            whole += is_whole and _is_valid(fields, Parts(parts.phone), normalise)
    return count > 0 and joined * 2 >= count and whole * 2 < count


def _is_valid(fields: Sequence[str], parts: Parts, normalise: Normalise) -> bool:
    try:
        return bool(parts.normalised(fields, normalise))
    except PhoneError:
        return False


def _is_whole(local: str, area: str, country: str) -> bool:
    digits = local.lstrip("0")
    area = area.lstrip("0")
    return bool(area and digits.startswith(area)) or (
        bool(country) and digits.startswith(country.lstrip("0") + area)
    )


def _code(fields: Sequence[str], index: int | None) -> str:
    """The digits of an area or a country; "" if the cell holds something else."""
    cell = "" if index is None else re.sub(r"[\s()+\-]|\.0+$", "", fields[index])
    return cell if re.fullmatch(r"[0-9]{1,5}", cell) else ""
