"""The renderer of plain texts says what Liquid says, and leaves to Liquid what it is not sure of."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retoma.content.liquid import parse
from retoma.content.process import RenderProcess
from retoma.content.render import render
from retoma.content.renderer import compile_content
from retoma.content.results import Checked, RenderError
from retoma.content.written import Content, Written
from retoma.errors import RetomaError
from tests.support.contents import written

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


class NeedsLiquid(Exception):
    """The runner leaves this message to the process beside it."""


class NoProcess(RenderProcess):
    """In place of the process; it says that it was asked."""

    async def check(self, written: Written) -> Checked:
        raise NeedsLiquid

    def render(
        self, key: str, written: Written, phone: str, variables: Mapping[str, object]
    ) -> asyncio.Future[Content]:
        raise NeedsLiquid


def plain(body: str, variables: Mapping[str, object]) -> str:
    """The text that the runner renders without the process beside it.

    Raises:
        NeedsLiquid: it cannot.
    """
    content = asyncio.run(compile_content(written(body), NoProcess()))(PHONE, variables)
    assert not isinstance(content, asyncio.Future)
    return str(content["text"])


@given(st.lists(PIECES, max_size=6).map("".join), st.dictionaries(NAMES, VALUES))
def test_a_text_is_what_liquid_makes_of_it(body: str, variables: dict[str, object]) -> None:
    try:
        found = plain(body, variables)
    except (NeedsLiquid, RetomaError, RenderError):
        return

    assert found == render(parse(body), PHONE, variables)


@pytest.mark.parametrize(
    "body",
    [
        "Olá",
        "{{ name }}",
        "{{name}}{{ order }} % { } {}",
        "Olá {{ name }},\n{{\tname }} custa R$ 5 {{ phone }}",
    ],
)
def test_words_and_variables_are_plain(body: str) -> None:
    assert plain(body, {"name": "Ana", "order": 7}) == render(parse(body), PHONE, {"name": "Ana", "order": 7})


@pytest.mark.parametrize(
    "body",
    [
        *(
            "{{ name | upcase }}",
            "{{- name }}",
            "{% if a %}{% endif %}",
            "{{ now }}",
            "{{ true }}",
            "{{ 1 }}",
        ),
        *("{{ a.b }}", "{{ name", "name }}", "Oi {name}", "{{ name }}" * 501, "{{ Índice }}"),
    ],
)
def test_what_is_not_surely_plain_is_left_to_liquid(body: str) -> None:
    with pytest.raises(NeedsLiquid):
        plain(body, {"name": "Ana"})


@pytest.mark.parametrize("value", [None, 1.5, True, ["a"], {"b": 1}, "x" * 70_000])
def test_a_value_that_liquid_writes_in_its_own_way_is_left_to_it(value: object) -> None:
    with pytest.raises(NeedsLiquid):
        plain("Oi {{ name }}", {"name": value})


def test_a_column_called_phone_does_not_hide_the_number() -> None:
    assert plain("{{ phone }}", {"phone": "x"}) == PHONE


def test_a_runner_never_loads_the_parser_of_liquid() -> None:
    # A hostile text keeps it busy for seconds, and with it all channels of the runner.
    code = "import sys, retoma.runner.main; sys.exit('liquid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
