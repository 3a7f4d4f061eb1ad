"""One person has one key on the suppression list, in whatever form a provider writes the number."""

from collections.abc import Iterable
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, make_campaign, send_all

DIGIT = st.sampled_from("0123456789")


def digits(count: int, first: str = "0123456789") -> st.SearchStrategy[str]:
    rest = st.text(DIGIT, min_size=count - 1, max_size=count - 1)
    return st.tuples(st.sampled_from(first), rest).map("".join)


def forms(*patterns: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """All forms of one number: patterns with the same parts."""
    return st.fixed_dictionaries(parts).map(lambda chosen: [p.format(**chosen) for p in patterns])


AREA = st.tuples(digits(1, "123456789"), digits(1)).map("".join)

OF_MTN = [f"{a}{b}" for a in "0456789" for b in "456"]
OF_ORANGE = [f"{a}{b}" for a in "0456789" for b in "789" if a + b not in ("69", "99")]

PEOPLE = st.one_of(
    forms("+55{area}9{n}", "+55{area}{n}", area=AREA, n=digits(8, "6789")),
    forms("+52{n}", "+521{n}", n=digits(10, "23456789")),
    forms("+54{n}", "+549{n}", n=digits(10, "123")),
    forms("+225{d}{n}", "+22501{d}{n}", d=digits(2, "457").filter(lambda d: d[1] in "0123"), n=digits(6)),
    forms("+225{d}{n}", "+22505{d}{n}", d=st.sampled_from(OF_MTN), n=digits(6)),
    forms("+225{d}{n}", "+22507{d}{n}", d=st.sampled_from(OF_ORANGE), n=digits(6)),
    forms("+225{d}{n}", "+22527{d}{n}", d=st.sampled_from(["202", "245", "306", "367"]), n=digits(5)),
    # Given out since 2021: nobody had the eight digits of the second group before.
    forms("+22507{d}{n}", d=st.sampled_from(["01", "04", "60", "90", "20"]), n=digits(6)),
    forms("+22505{d}{n}", d=st.sampled_from(["01", "07", "69", "99", "20"]), n=digits(6)),
    forms("+229{n}", "+22901{n}", n=digits(8)),
    forms("+237{n}", "+2376{n}", n=digits(8, "56789")),
    forms("+237{n}", "+2372{n}", n=digits(8, "23")),
    forms("+241{d}{n}", "+2410{d}{n}", "+2416{d}{n}", d=st.sampled_from("256"), n=digits(6)),
    forms("+241{d}{n}", "+2410{d}{n}", "+2417{d}{n}", d=st.sampled_from("47"), n=digits(6)),
)
"""Numbers of people, each in all of its forms."""

OTHERS = (
    digits(11, "123456789")
    .map("+{}".format)
    .filter(lambda number: not number.startswith(("+52", "+54", "+55", "+225", "+229", "+237", "+241")))
)

# One example holds many numbers, and goes to the database once.
in_few_calls = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def keys(db: Db, phones: Iterable[str]) -> list[str]:
    found: list[str] = call(
        db,
        "select array_agg(retoma_internal.suppression_key(u.phone) order by u.place)"
        " from unnest(%s::text[]) with ordinality as u (phone, place)",
        list(phones),
    )
    return found


def found_forms(db: Db, phones: Iterable[str]) -> list[list[str]]:
    rows = db.execute(
        "select retoma_internal.phone_forms(u.phone)"
        " from unnest(%s::text[]) with ordinality as u (phone, place) order by u.place",
        (list(phones),),
    )
    return [row[0] for row in rows]


@in_few_calls
@given(people=st.lists(PEOPLE, min_size=20, max_size=60))
def test_all_forms_of_a_number_have_one_key_and_lead_to_each_other(db: Db, people: list[list[str]]) -> None:
    given_forms = [(phone, forms) for forms in people for phone in forms]

    found = zip(
        given_forms,
        keys(db, (phone for phone, _ in given_forms)),
        keys(db, (forms[0] for _, forms in given_forms)),
        found_forms(db, (phone for phone, _ in given_forms)),
        strict=True,
    )

    wrong = [
        phone
        for (phone, forms), key, key_of_first, found_from_it in found
        if key != key_of_first or not set(forms) <= set(found_from_it)
    ]
    assert wrong == []


@in_few_calls
@given(
    people=st.lists(
        st.one_of(PEOPLE, OTHERS.map(lambda phone: [phone])),
        min_size=20,
        max_size=60,
        unique_by=lambda forms: forms[-1],
    ),
    chance=st.randoms(),
)
def test_two_people_have_two_keys(db: Db, people: list[list[str]], chance: Random) -> None:
    assert len(set(keys(db, [chance.choice(forms) for forms in people]))) == len(people)


@in_few_calls
@given(phones=st.lists(OTHERS, min_size=20, max_size=60))
def test_other_numbers_have_one_form(db: Db, phones: list[str]) -> None:
    assert keys(db, phones) == [phone[1:] for phone in phones]
    assert found_forms(db, phones) == [[phone] for phone in phones]


def test_an_opt_out_in_one_form_skips_the_number_in_another(
    db: Db, channel: int, runner: UUID, subtests: pytest.Subtests
) -> None:
    cases = [
        ("+551195551000", "+5511995551000", True),
        ("+5511995551000", "+551195551000", True),
        ("+551155510001", "+5511955510001", False),
        ("+551133510001", "+5511933510001", False),
        ("+5521955510001", "+5511955510001", False),
        ("+5215587654321", "+525587654321", True),
        ("+525587654321", "+5215587654321", True),
        ("+5215587654321", "+525587654322", False),
        ("+5491123456789", "+541123456789", True),
        ("+541123456789", "+5491123456789", True),
        ("+22505000001", "+2250505000001", True),
        ("+2250505000001", "+22505000001", True),
        ("+22505000001", "+2250705000001", False),
        ("+2250705000002", "+2250505000002", False),
        ("+22541000001", "+2250141000001", True),
        ("+22597000001", "+2250797000001", True),
        ("+22520200001", "+2252720200001", True),
        ("+22505000003", "+2250505000004", False),
        ("+22997000001", "+2290197000001", True),
        ("+23770000001", "+237670000001", True),
        ("+23722000001", "+237622000001", False),
        ("+24107000001", "+24177000001", True),
        ("+24107000001", "+24167000001", False),
        ("+15550100", "+15550100", True),
        ("+15550100", "+15550101", False),
        ("+351912345678", "+351912345678", True),
    ]
    for said, listed, skipped in cases:
        with subtests.test(said=said, listed=listed):
            name = f"{said} {listed}"
            make_campaign(db, name, size=0, start=False)
            db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb([{"phone": listed}])))
            db.execute("select retoma.start_campaign(%s)", (name,))

            db.execute("select retoma.opt_out(%s)", (said,))

            assert send_all(db, runner, channel) == ([] if skipped else [1])
            db.execute("select retoma.opt_in(%s, 'next case')", (said,))
