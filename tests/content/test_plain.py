"""The renderer of plain texts says what Liquid says, and leaves to Liquid what it is not sure of."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retoma.content.liquid import parse
from retoma.content.process import RenderProcess
from retoma.content.render import RenderError, render
from retoma.content.renderer import compile_content
from retoma.errors import RetomaError
from tests.support.contents import text

PHONE = "+5511955500001"
NAMES = st.sampled_from(["name", "order", "phone", "Straße", "a-b", "last name", "partial"])
PIECES = st.one_of(
    st.text(alphabet="aé%{} \n\t-s(", max_size=6).filter(lambda text: "{{" not in text and "{%" not in text),
    NAMES.map(lambda name: f"{{{{ {name} }}}}"),
    NAMES.map(lambda name: f"{{{{-{name}-}}}}"),
    st.sampled_from(["{{ a.b }}", "{{ 'x' }}", "{{ 3 }}", "{{ true }}"]),
)
VALUES = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none(),
    st.lists(st.text(max_size=2), max_size=2), st.just({"b": "inner"}),
)  # fmt: skip


def plain(body: str, variables: Mapping[str, object]) -> str | None:
    """The text that the runner renders without the process beside it; None if it needs that."""
    # Never started: a text that is not plain asks for an event loop.
    content = compile_content(text(body), RenderProcess())(PHONE, variables)
    assert not isinstance(content, asyncio.Future)
    return str(content["text"])


@given(st.lists(PIECES, max_size=6).map("".join), st.dictionaries(NAMES, VALUES))
def test_a_text_is_what_liquid_makes_of_it(body: str, variables: dict[str, object]) -> None:
    try:
        template = parse(body)
        expected: str | None = render(template, PHONE, variables)
    except RetomaError:
        return  # pieces that are no Liquid when they stand beside each other
    except RenderError:
        expected = None

    try:
        found: str | None = plain(body, variables)
    except (RenderError, RetomaError):
        found = None
    except RuntimeError:
        return  # not plain

    # A blank text is refused before it is rendered.
    assert found == expected or not body.strip()


def test_a_missing_variable_is_an_error() -> None:
    with pytest.raises(RenderError, match="name"):
        plain("Olá {{ name }}", {})


def test_a_text_beyond_the_limit_of_liquid_is_refused_in_the_short_way_too() -> None:
    with pytest.raises(RenderError, match="over_size"):
        plain("{{ name }}", {"name": "x" * 70_000})


def test_characters_are_counted_and_not_bytes() -> None:
    assert plain("{{ name }}", {"name": "é" * 65_536}) == "é" * 65_536


@pytest.mark.parametrize("body", ["{{ phone }}", "{{ phone }}{{ nothing }}"])
def test_a_column_called_phone_does_not_hide_the_number(body: str) -> None:
    assert plain(body, {"phone": "x", "nothing": None}) == PHONE


def test_the_names_that_python_liquid_puts_before_the_recipients_are_not_there() -> None:
    assert plain("{{ partial }}{{ nothing }}", {"partial": "mine", "nothing": None}) == "mine"
