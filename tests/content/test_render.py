"""Texts: the renderer of plain texts says what Liquid says, and leaves to Liquid what it is not sure of."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retoma.render import RenderError, _environment, compile_text

NAMES = st.sampled_from(["name", "order", "phone", "now", "Straße", "a-b", "last name"])
PIECES = st.one_of(
    st.text(alphabet="aé%{} \n\t-s(", max_size=6).filter(lambda text: "{{" not in text and "{%" not in text),
    NAMES.map(lambda name: f"{{{{ {name} }}}}"),
    NAMES.map(lambda name: f"{{{{-{name}-}}}}"),
    st.sampled_from(
        [
            "{{ name | upcase }}",
            "{{ a.b }}",
            "{% if name %}x{% endif %}",
            "{{ 'x' }}",
            "{{ 3 }}",
            "{{ true }}",
        ]
    ),
)
VALUES = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none(),
    st.lists(st.text(max_size=2), max_size=2), st.just({"b": "inner"}),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PIECES, max_size=6).map("".join), st.dictionaries(NAMES, VALUES))
def test_a_text_is_what_liquid_makes_of_it(body: str, variables: dict[str, object]) -> None:
    try:
        template = _environment.from_string(body)
    except Exception:
        return  # pieces that are no Liquid when they stand beside each other
    try:
        expected: str | None = template.render({**variables, "phone": "+5511955500001"})
    except Exception:
        expected = None

    try:
        found: str | None = compile_text(body)("+5511955500001", variables)
    except RenderError:
        found = None

    # The two read the clock one after the other.
    assert found == expected or "now" in body


def test_a_missing_variable_is_an_error() -> None:
    with pytest.raises(RenderError, match="name"):
        compile_text("Olá {{ name }}")("+5511955500001", {})


def test_a_text_beyond_the_limit_of_liquid_is_refused_in_the_short_way_too() -> None:
    with pytest.raises(RenderError):
        compile_text("{{ name }}")("+5511955500001", {"name": "x" * 70_000})


def test_a_column_called_phone_does_not_hide_the_number() -> None:
    assert compile_text("{{ phone }}")("+5511955500001", {"phone": "x"}) == "+5511955500001"
    assert compile_text("{{ phone | upcase }}")("+5511955500001", {"phone": "x"}) == "+5511955500001"
