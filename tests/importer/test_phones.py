"""Every number is what `phonenumbers` says it is, and every refusal says why."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from retoma.importer.cells import PhoneError, looks_like_phone
from retoma.importer.phones import Phone, by_library, normaliser

REGIONS = [
    "BR",
    "US",
    "PT",
    "CA",
    "GB",
    "DE",
    "IT",
    "MX",
    "AR",
    "IN",
    "FR",
    "ES",
    "AU",
    "KZ",
    "NO",
    "JP",
    "VA",
]


def judged(region: str | None, cell: str) -> Phone | str:
    try:
        return normaliser(region)(cell)
    except PhoneError as error:
        return error.reason


def judged_by_library(region: str | None, number: str) -> Phone | str:
    try:
        return by_library(number, region)
    except PhoneError as error:
        return error.reason


def patterns(metadata: PhoneMetadata) -> list[str]:
    kinds = (
        metadata.fixed_line,
        metadata.mobile,
        metadata.toll_free,
        metadata.premium_rate,
        metadata.shared_cost,
        metadata.voip,
        metadata.uan,
    )
    return [desc.national_number_pattern for desc in kinds if desc and desc.national_number_pattern]


@st.composite
def almost_numbers(draw: st.DrawFn, region: str) -> str:
    """Numbers of every kind that the region has, some with wrong digits, as people write them."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    pattern = draw(st.sampled_from(patterns(metadata)))
    digits = list(draw(st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        digits[draw(st.integers(0, len(digits) - 1))] = draw(st.sampled_from("0123456789"))
    digits += draw(st.sampled_from(["", "", "", "0", "55"]))
    code = str(metadata.country_code)
    return draw(
        st.sampled_from(["", "+" + code, code, metadata.national_prefix or "0", "+55", "+1"])
    ) + "".join(digits)


@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=300)
@given(data=st.data())
def test_the_short_cut_agrees_with_the_library(region: str, data: st.DataObject) -> None:
    number = data.draw(almost_numbers(region).filter(lambda number: not number.startswith("00")))

    assert judged(region, number) == judged_by_library(region, number)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_numbers_of_every_region_agree_with_the_library(region: str) -> None:
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            for written in (number, number[1:], phonenumbers.national_significant_number(example)):
                if not written.startswith("00"):
                    assert judged(region, written) == judged_by_library(region, written)


@pytest.mark.parametrize(
    "cell",
    [
        "+5511955501234",
        "5511955501234",
        "11955501234",
        "011955501234",
        "(11) 95550-1234",
        "11 95550.1234",
        "11\u00a095550\u00a01234",
        "\u202a+55 11 95550\u20111234\u202c",
        "'11955501234",
        '="11955501234"',
        "tel:+5511955501234",
        "p:+5511955501234",
        "005511955501234",
        "11955501234.0",
        "\uff0b\uff15\uff15 11 95550-1234",
        "+\u0665\u0665 \u0661\u0661 \u0669\u0665\u0665\u0665\u0660 \u0661\u0662\u0663\u0664",
    ],
)
def test_the_ways_in_which_people_write_a_number_mean_the_same(cell: str) -> None:
    assert judged("BR", cell) == ("+5511955501234", "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("region", "cell", "e164"),
    [
        ("BR", "11955501001.00", "+5511955501001"),
        ("BR", "11955501001,00", "+5511955501001"),
        ("BR", "+5511955501001.00", "+5511955501001"),
        ("BR", "11955501001.000000", "+5511955501001"),
        ("BR", "11,955,501,001.00", "+5511955501001"),
        ("BR", "11.955.501.001,00", "+5511955501001"),
        ("BR", "11 955 501 001", "+5511955501001"),
        ("BR", "1195550.0000", "+5511955500000"),
        ("AT", "6641234567.00", "+436641234567"),
        ("ID", "8123456789.00", "+628123456789"),
        ("FR", "01.99.00.12.00", "+33199001200"),
    ],
)
def test_zeros_behind_a_decimal_point_are_no_part_of_a_number(region: str, cell: str, e164: str) -> None:
    assert normaliser(region)(cell)[0] == e164


@pytest.mark.parametrize("cell", ["6641234567.5", "6641234567,25", "11955501001.125", "11,955,501,001.50"])
def test_a_number_with_a_fraction_is_refused_as_damaged(cell: str) -> None:
    assert judged("AT", cell) == "decimal_number"


@pytest.mark.parametrize(
    "cell",
    [
        "5511955501234@c.us",
        "5511955501234@s.whatsapp.net",
        "5511955501234:12@s.whatsapp.net",
        "whatsapp:+5511955501234",
        "https://wa.me/5511955501234?text=Oi%201",
        "wa.me/+5511955501234",
        "https://api.whatsapp.com/send?phone=5511955501234&text=Oi",
        "https://api.whatsapp.com/send/?text=Oi+2&phone=%2B5511955501234",
        "whatsapp://send?phone=+5511955501234",
        "sms:+5511955501234",
    ],
)
@pytest.mark.parametrize("region", ["BR", "US", None])
def test_an_address_of_whatsapp_is_a_number_with_its_country(region: str | None, cell: str) -> None:
    assert judged(region, cell) == ("+5511955501234", "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("cell", "e164"),
    [
        ("\uff10\uff19\uff10\uff0d\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18", "+819012345678"),
        ("\uff08\uff10\uff13\uff09\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18", "+81312345678"),
        ("[090] 1234\u22125678", "+819012345678"),
        ("090\u30fc1234\u30fc5678", "+819012345678"),
        ("090\u00b71234\u30005678", "+819012345678"),
        ("090\uff0e1234\ufe635678", "+819012345678"),
    ],
)
def test_any_dash_and_any_bracket_is_punctuation(cell: str, e164: str) -> None:
    assert normaliser("JP")(cell)[0] == e164


@pytest.mark.parametrize(
    "cell",
    [
        "+52 1 55 1234 5678",
        "5215512345678",
        "044 55 1234 5678",
        "045 55 1234 5678",
        "01 55 1234 5678",
        "+52 044 55 1234 5678",
        "00 52 1 55 1234 5678",
        "5215512345678@c.us",
        "55 1234 5678",
    ],
)
def test_the_old_prefixes_of_mexico_are_dropped(cell: str) -> None:
    assert normaliser("MX")(cell) == ("+525512345678", "America/Mexico_City")


def test_old_prefixes_of_other_countries_are_left_to_the_library() -> None:
    assert judged("BR", "+52 1 55 1234 5678") == ("+525512345678", "America/Mexico_City")
    assert normaliser("AR")("011 15 5555-1234")[0] == "+5491155551234"
    assert normaliser("GB")("+44 (0)20 7946 0123")[0] == "+442079460123"


@pytest.mark.parametrize(
    ("region", "cell", "e164"),
    [
        ("BR", "1.1955501006E10", "+5511955501006"),
        ("BR", "1,1955501006e+10", "+5511955501006"),
        ("BR", "5.511955501006E+12", "+5511955501006"),
        ("BR", "1.195550100600E10", "+5511955501006"),
        ("US", "2.025550129E9", "+12025550129"),
    ],
)
def test_an_exponent_that_hides_no_digit_is_read(region: str, cell: str, e164: str) -> None:
    assert normaliser(region)(cell)[0] == e164


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1.19555010E10", "scientific_notation"),
        ("1.19555010065E10", "decimal_number"),
        ("+55 11 95550-1234 ::: +55 11 95550-5678", "several_numbers"),
        ("+55 11 95550-1234 +55 11 95550-5678", "several_numbers"),
        ("11 95550-1234\n11 95550-5678", "several_numbers"),
        ("11 95550-1234 & 11 95550-5678", "several_numbers"),
        ("120363012345678901@g.us", "not_a_number"),
        ("123456789012345@lid", "hidden_number"),
        ("ana@example.com", "not_a_number"),
        ("https://wa.me/message/ABC123", "not_a_number"),
        ("119" + " . " * 400 + "55501234", "not_a_number"),
        ("NA", "empty"),
        ("#N/D", "empty"),
        ("null", "empty"),
        ("", "empty"),
        ("  \u00a0", "empty"),
        ("5.51199E+12", "scientific_notation"),
        ("5,51199e+12", "scientific_notation"),
        ("5E12", "scientific_notation"),
        ("11 95550-1234 ramal 12", "extension"),
        ("+1 415 555 0123 x9", "extension"),
        ("+1 415 555 0123;ext=9", "extension"),
        ("11955501234 / 11955505678", "several_numbers"),
        ("11955501234 ou 11955505678", "several_numbers"),
        ("Ana", "not_a_number"),
        ("1-800-FLOWERS", "not_a_number"),
        ("11 95550+1234", "not_a_number"),
        ("11 8555-1234", "brazil_ninth_digit"),
        ("+55 (11) 8555-1234", "brazil_ninth_digit"),
        ("955501234", "no_area_code"),
        ("1195550123412", "too_long"),
        ("119", "too_short"),
        ("+999 1234567", "unknown_country"),
        ("+55 20 95550-1234", "invalid"),
    ],
)
def test_a_cell_without_a_usable_number_is_refused_with_its_reason(cell: str, reason: str) -> None:
    assert judged("BR", cell) == reason


def test_numbers_without_plus_need_a_region() -> None:
    assert judged(None, "11955501234") == "no_country"
    assert judged(None, "5511955501234") == "no_country"
    assert judged(None, "+5511955501234") == ("+5511955501234", "America/Sao_Paulo")
    assert judged(None, "005511955501234") == ("+5511955501234", "America/Sao_Paulo")


def test_the_dialling_prefix_of_the_region_still_counts() -> None:
    assert judged("AU", "0011 55 11 95550 1234") == ("+5511955501234", "America/Sao_Paulo")
    assert judged("US", "011 55 11 95550 1234") == ("+5511955501234", "America/Sao_Paulo")


def test_a_number_of_several_zones_names_them_all_and_one_of_none_has_null() -> None:
    assert judged("PT", "912345678") == ("+351912345678", "Atlantic/Azores,Europe/Lisbon")
    assert judged(None, "+800 1234 5678") == ("+80012345678", None)


@given(st.text())
def test_any_text_is_either_a_number_or_refused(cell: str) -> None:
    outcome = judged("BR", cell)

    assert isinstance(outcome, str) or outcome[0].startswith("+")


def test_headers_do_not_look_like_phones_and_damaged_numbers_do() -> None:
    assert not looks_like_phone("telefone")
    assert not looks_like_phone("2024")
    assert looks_like_phone("(11) 95550-1234")
    assert looks_like_phone("5,51199E+12")
