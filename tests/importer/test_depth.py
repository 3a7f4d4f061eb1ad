"""How far a pattern looks: all behind it only has to be digits."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retoma.importer.depth import depth
from tests.importer.test_phones import patterns


@pytest.mark.parametrize(
    ("pattern", "looks_at"),
    [
        (r"\d{8}", 0),
        (r"[2-9]\d{7}", 1),
        (r"(?:1\d|23)\d{3}", 2),
        (r"\d{2,4}5", 5),
        (r"(?:12\d){3}", 8),
        (r"(?!00)(?=(?:\d{3}|\d{5})\Z)\d+?", None),
        (r"(?!00)(?=(?:\d{3}|\d{5})\Z)7?\d{3}", 2),
        (r"1+", None),
        (r"(1)\1", None),
        (r".\d", None),
    ],
)
def test_the_last_character_that_is_not_any_digit_counts(pattern: str, looks_at: int | None) -> None:
    assert depth(pattern) == looks_at


METADATA = [
    phonenumbers.PhoneMetadata.metadata_for_region(region) for region in phonenumbers.SUPPORTED_REGIONS
]
PATTERNS = sorted({pattern for metadata in METADATA if metadata for pattern in patterns(metadata)})


@given(data=st.data(), pattern=st.sampled_from(PATTERNS))
def test_what_lies_behind_makes_no_difference_to_any_pattern_of_the_library(
    data: st.DataObject, pattern: str
) -> None:
    looks_at = depth(pattern)
    assert looks_at is not None
    number = data.draw(
        st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
        | st.from_regex("[0-9]{4,15}", fullmatch=True)
    )
    behind = max(0, len(number) - looks_at)
    other = number[: len(number) - behind] + data.draw(st.from_regex(f"[0-9]{{{behind}}}", fullmatch=True))

    assert bool(re.fullmatch(pattern, number)) == bool(re.fullmatch(pattern, other))
