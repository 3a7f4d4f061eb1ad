"""E.164 and time zones of the phone numbers that people keep in spreadsheets.

Only `phonenumbers` decides which numbers are valid. Parsing with it costs about 18 µs per number, so ordinary
numbers take a short cut that is compiled from its metadata
(docs/decisions/0030-phone-numbers.md).
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType, ValidationResult
from phonenumbers.phonemetadata import PhoneNumberDesc
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from retoma.importer.cells import NOT_A_NUMBER, PhoneError, clean

# E.164 with +, and the IANA zones of the number joined by commas (None when they are unknown).
Phone = tuple[str, str | None]


Normalise = Callable[[str], Phone]


def normaliser(region: str | None) -> Normalise:
    """Builds the function that turns a cell into a Phone, or raises PhoneError.

    Args:
        region: ISO 3166 code of the country of numbers without +, as in "BR"; None refuses such numbers.
    """
    home = _plan(region) if region else None

    def recognise(number: str) -> Phone | None:
        plan = _plan_of_calling_code(number[1:4]) if number[:1] == "+" else home
        return _recognise(number, plan) if plan else None

    def normalise(cell: str) -> Phone:
        phone = recognise(cell if cell.isdecimal() else cell.translate(_HARMLESS))
        if phone is not None:
            return phone
        number = clean(cell)
        # Most countries dial 00 for +, but Brazil's own rule reads two more digits as the carrier.
        if number.startswith("00"):
            try:
                return recognise("+" + number[2:]) or by_library("+" + number[2:], region)
            except PhoneError:
                if region is None:
                    raise
        return recognise(number) or by_library(number, region)

    return normalise


def by_library(number: str, region: str | None) -> Phone:
    """The answer of `phonenumbers` for digits with an optional +; raises PhoneError."""
    if region is None and not number.startswith("+"):
        raise PhoneError("no_country", "The number has no country code. Start it with +, or give --region.")
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneError(*_PARSE_ERRORS.get(error.error_type, NOT_A_NUMBER)) from None
    if not phonenumbers.is_valid_number(parsed):
        if old := _MEXICAN_WITH_OLD_PREFIX.fullmatch(_international(parsed)):
            return by_library("+52" + old["national"], region)
        raise PhoneError(*_why_invalid(parsed))
    zones = time_zones_for_number(parsed)
    return (
        _international(parsed),
        None if UNKNOWN_TIMEZONE in zones else ",".join(zones),
    )


_HARMLESS = str.maketrans("", "", " ()-\t\u00a0")
_NO_AREA_CODE = ("no_area_code", "The number lacks its area code.")
_PARSE_ERRORS = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: (
        "unknown_country",
        "No country has this country code.",
    ),
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: ("too_short", "The number is too short."),
    phonenumbers.NumberParseException.TOO_SHORT_NSN: ("too_short", "The number is too short."),
    phonenumbers.NumberParseException.TOO_LONG: ("too_long", "The number is too long."),
}
_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: ("too_short", "The number is too short for its country."),
    ValidationResult.TOO_LONG: ("too_long", "The number is too long for its country."),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _NO_AREA_CODE,
}
# Mexico dials ten digits since 2019: the 1 behind +52, and 01, 044 and 045 in front of a number, are gone.
_MEXICAN_WITH_OLD_PREFIX = re.compile(r"\+52(?:0?1|04[45])(?P<national>[2-9]\d{9})")
_BRAZILIAN_MOBILE_OF_EIGHT_DIGITS = re.compile(r"[1-9]{2}[6-9]\d{7}")
_BRAZILIAN_WITHOUT_AREA_CODE = re.compile(r"9?[2-9]\d{7}")


def _international(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _why_invalid(parsed: phonenumbers.PhoneNumber) -> tuple[str, str]:
    national = phonenumbers.national_significant_number(parsed)
    if parsed.country_code == 55 and _BRAZILIAN_MOBILE_OF_EIGHT_DIGITS.fullmatch(national):
        return (
            "brazil_ninth_digit",
            "Brazilian mobile numbers have nine digits since 2016: this one lacks the 9 after its area code.",
        )
    if parsed.country_code == 55 and _BRAZILIAN_WITHOUT_AREA_CODE.fullmatch(national):
        return _NO_AREA_CODE
    return _IMPOSSIBLE.get(
        phonenumbers.is_possible_number_with_reason(parsed),
        ("invalid", "The numbering plan of its country has no such number."),
    )


# The short cut. It accepts only what the library must accept, for reasons that can be read off its code: the
# number is an ordinary fixed or mobile number of its region, and no rule about prefixes can touch it. All
# else, every refusal too, is left to the library.


class _Plan(NamedTuple):
    """A country's numbers."""

    code: str
    international: re.Pattern[str]
    national: re.Pattern[str]
    without_plus: re.Pattern[str]
    mobile_is_geographic: bool
    country_zones: str | None
    zone_prefix_ends: tuple[int, ...]


_ZONES = {prefix: ",".join(zones) for prefix, zones in TIMEZONE_DATA.items()}


@lru_cache(maxsize=1000)
def _plan_of_calling_code(digits: str) -> _Plan | None:
    for length in (1, 2, 3):
        code = digits[:length]
        if code.isdecimal() and code[0] != "0" and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return _plan(phonenumbers.region_code_for_country_code(int(code)))
    return None


@cache
def _plan(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.country_code is None:
        return None
    code = metadata.country_code
    not_prefixed = _unless(metadata.national_prefix_for_parsing)
    not_dialled = _unless(metadata.international_prefix)
    ordinary = not_prefixed + _ordinary(code)
    general = _whole(metadata.general_desc)
    international = rf"\+{code}{ordinary}"
    national = rf"{not_dialled}(?={general}){ordinary}"
    without_plus = rf"{not_dialled}(?!{general}){code}(?={general}){ordinary}"
    prefixes = {len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(str(code))}
    return _Plan(
        code=str(code),
        international=re.compile(international, re.ASCII),
        national=re.compile(national, re.ASCII),
        without_plus=re.compile(without_plus, re.ASCII),
        mobile_is_geographic=is_number_type_geographical(PhoneNumberType.MOBILE, code),
        country_zones=_ZONES.get(str(code)),
        zone_prefix_ends=tuple(sorted((length + 1 for length in prefixes), reverse=True)),
    )


def _recognise(number: str, plan: _Plan) -> Phone | None:
    if number[:1] == "+":
        match = plan.international.fullmatch(number)
    elif match := plan.national.fullmatch(number):
        number = f"+{plan.code}{number}"
    else:
        match = plan.without_plus.fullmatch(number)
        number = "+" + number
    if match is None:
        return None
    if not plan.mobile_is_geographic and str(match.lastgroup).startswith("mobile"):
        return number, plan.country_zones
    for end in plan.zone_prefix_ends:
        zones = _ZONES.get(number[1:end])
        if zones is not None:
            return number, zones
    return number, None


def _ordinary(code: int) -> str:
    """A pattern for the fixed and mobile numbers of all regions that share a calling code.

    The first region that claims a number decides about it, as in phonenumbers' region_code_for_number.
    """
    regions = [
        metadata
        for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        if (metadata := PhoneMetadata.metadata_for_region(region, None))
    ]
    pattern = r"(?!)"
    for index, metadata in reversed(list(enumerate(regions))):
        special = [
            metadata.premium_rate,
            metadata.toll_free,
            metadata.shared_cost,
            metadata.voip,
            metadata.personal_number,
            metadata.pager,
            metadata.uan,
            metadata.voicemail,
        ]
        general = _whole(metadata.general_desc)
        fixed, mobile = _whole(metadata.fixed_line), _whole(metadata.mobile)
        kinds = "|".join(map(_whole, special))
        own = f"(?={general})(?!{kinds})(?:(?P<fixed{index}>{fixed})|(?P<mobile{index}>{mobile}))"
        claim = metadata.leading_digits or f"(?={general})(?:{kinds}|{fixed}|{mobile})"
        pattern = own if len(regions) == 1 else f"(?:(?={claim}){own}|(?!{claim}){pattern})"
    return pattern


def _unless(prefix: str | None) -> str:
    return f"(?!{prefix})" if prefix else ""


def _whole(desc: PhoneNumberDesc | None) -> str:
    """A pattern for the rest of a string that is a number of this kind; without one it never matches."""
    if desc is None or not desc.national_number_pattern:
        return r"(?!)"
    lengths = "|".join(rf"\d{{{length}}}" for length in desc.possible_length if length > 0)
    possible = rf"(?=(?:{lengths})\Z)" if lengths else ""
    return rf"{possible}(?:{desc.national_number_pattern})\Z"
