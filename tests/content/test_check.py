"""The check of a content before anything is sent: the variables that it needs, or why it is refused."""

import contextlib
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retoma.content.budget import LONGEST_TEXT
from retoma.content.check import check
from retoma.content.liquid import parse
from retoma.content.render import render
from retoma.content.results import Checked, RenderError
from retoma.errors import RetomaError

PHONE = "+5511955500001"


def needed(body: str) -> list[str]:
    return check([("text", body)]).required_variables


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        ("Olá", []),
        ("{{ b }} {{a}} {{- c -}} {{ b }}", ["a", "b", "c"]),
        ("{{ phone }}", []),
        ("{{ 'name' }} {{ 3 | plus: 1 }} {{ (1..3) }}", []),
        # Names that are no identifiers of other languages.
        ("{{ ['Primeiro Nome'] }}", ["Primeiro Nome"]),
        ('{{ ["it\'s"] | upcase }}', ["it's"]),
        ("{{ Índice }}", ["Índice"]),
        ("{{ nome-completo }}", ["nome-completo"]),
        # The value of a variable is only known when it is rendered.
        ("{{ order.total }} {{ order['a b'] }} {{ order[0] }}", ["order"]),
        ("{{ prices[city] }}", ["city", "prices"]),
        # Filters, and their arguments.
        ("{{ name | capitalize | append: last }}", ["last", "name"]),
        ("{{ 'Olá' | append: name }}", ["name"]),
        ("{{ name | default: 'you' }}", []),
        ("{{ name | default }}", []),
        ("{{ name | default: 'you' | upcase }}", []),
        ("{{ name | upcase | default: 'you' }}", ["name"]),
        ("{{ name | default: nickname }}", ["nickname"]),
        ("{{ name | default: nickname | default: 'you' }}", []),
        ("{{ name | default: 'you', allow_false: flag }}", []),
        ("{% echo name %}", ["name"]),
        ("{% liquid\n  assign copy = name\n  echo copy\n%}", ["name"]),
        ("{% cycle a, 'b' %}", ["a"]),
        # A part that might not be rendered is optional.
        ("{% if name %}Olá {{ name }}{% else %}{{ other }}{% endif %}", []),
        ("{%- unless name -%}{{ a }}{%- elsif x -%}{{ b }}{%- endunless -%}", []),
        ("{% case city %}{% when 'Recife' %}{{ a }}{% else %}{{ b }}{% endcase %}", []),
        ("{% if a %}{% if b %}{{ c }}{% endif %}{{ d }}{% endif %}{{ e }}", ["e"]),
        # The list of a loop may be missing; a variable written in the loop may not.
        ("{% for item in items %}{{ item }} {{ forloop.index }} {{ currency }}{% endfor %}", ["currency"]),
        ("{% for i in (1..count) limit: most %}{{ i }}{% else %}{{ none }}{% endfor %}", []),
        ("{% for item in items %}{% endfor %}{{ item }}", ["item"]),
        ("{% tablerow item in items %}{{ item }}{{ tablerowloop.col }}{% endtablerow %}", []),
        # Text that is not Liquid.
        ("{% raw %}{{ name }} {{ {% endraw %}", []),
        ("{% comment %}{{ name }}{% endcomment %}{% # {{ name }} %}{% doc %}{{ name }}{% enddoc %}", []),
        # Variables that the text sets itself, from then on.
        ("{% assign name = 'Ana' %}{{ name }}", []),
        ("{{ name }}{% assign name = 'Ana' %}", ["name"]),
        ("{% assign copy = name %}{{ copy }}", ["name"]),
        ("{% assign copy = name %}", []),
        ("{% assign copy = name | upcase %}", ["name"]),
        ("{% assign name = name | default: 'you' %}{{ name }}", []),
        ("{% capture both %}{{ a }} {{ b }}{% endcapture %}{{ both }}", ["a", "b"]),
        ("{% increment n %}{{ n }}{% decrement m %}{{ m }}", []),
        ("{% if a %}{% assign b = 'Sra.' %}{% else %}{% assign b = 'Sr.' %}{% endif %}{{ b }}", []),
        ("{% if a %}{% assign title = 'Sra.' %}{% endif %}{{ title }}", ["title"]),
        ("{% case a %}{% when 1 %}{% assign b = 1 %}{% else %}{% assign b = 2 %}{% endcase %}{{ b }}", []),
        ("{% case a %}{% when 1 %}{% assign b = 1 %}{% when 2 %}{% assign b=2 %}{% endcase %}{{ b }}", ["b"]),
        ("{% for i in l %}{% assign last = i %}{% endfor %}{{ last }}", ["last"]),
        ("{% assign s = '' %}{% for i in l %}{% assign s = s | append: i %}{% endfor %}{{ s }}", []),
        ("{% for i in (1..2) %}{{ a }}{% assign a = b %}{% endfor %}", ["a", "b"]),
        ("{% for i in l %}{% else %}{% assign a = b %}{% endfor %}{{ a }}", ["a", "b"]),
    ],
)  # fmt: skip
def test_the_variables_that_every_recipient_must_have(body: str, variables: list[str]) -> None:
    assert needed(body) == variables


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ("Olá {{ name", "{{ is not closed by }} (line 1)", "{{ name"),
        ("Olá\n{% if a", "{% is not closed by %} (line 2)", "{% if a"),
        ("Olá name }}", "}} closes nothing", ""),
        ("{% if a %}", "endif", "{% endif %}"),
        ("{% nonsense %}", "unexpected tag 'nonsense'", ""),
        ("{{ Primeiro Nome }}", "more than one name", "{{ ['Primeiro Nome'] }}"),
        ("{{ I\u0301ndice }}", "unexpected", "{{ ['Primeiro Nome'] }}"),
        ("{{ preço! }}", "'!'", ""),
        ("{{ [nome] }}", "a name in brackets without quotes", "{{ ['Primeiro Nome'] }}"),
        ("{% if [nome] == 1 %}{% endif %}", "a name in brackets without quotes", ""),
        ("{{ name | shout }}", "there is no filter 'shout'", "{{ name | capitalize }}"),
        ("{% if a %}{{ name | shout }}{% endif %}", "there is no filter 'shout'", ""),
        ("{{ name | upcase: 1 }}", "'upcase'", ""),
        ("{{ day | date }}", "'date': missing a required argument", ""),
        ("{% include 'footer' %}", "unexpected tag 'include'", "there are no files"),
        ("{% render 'footer' %}", "unexpected tag 'render'", "there are no files"),
        ("{% break %}", "outside a loop", ""),
        # A message is the same in every attempt (invariant 11), and only the database's clock counts (8).
        ("{{ now | date: '%d' }}", "there is no 'now'", "import it as a column"),
        ("{% if day == today %}{% endif %}", "there is no 'today'", ""),
        ("{{ days[now] }}", "there is no 'now'", ""),
        ("{{ 'today' | date: '%d' }}", "there is no 'today'", ""),
        ("{% if a %}{% continue %}{% endif %}", "outside a loop", ""),
    ],
)  # fmt: skip
def test_a_text_that_no_recipient_could_get_is_refused(body: str, message: str, hint: str) -> None:
    with pytest.raises(RetomaError) as refused:
        needed(body)

    assert refused.value.message.startswith("the text is not valid Liquid: ")
    assert message in refused.value.message
    assert hint in str(refused.value.hint)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Oi {nome}", "“nome” in single braces, which everybody would see (line 1)"),
        (
            "Oi\n{ Primeiro Nome }!",
            "“Primeiro Nome” in single braces, which everybody would see (line 2)",
        ),
        ("Oi ${nome}", "“nome” in single braces, which everybody would see (line 1)"),
        (
            "{% if a %}{nome}{% endif %}",
            "“nome” in single braces, which everybody would see (line 1)",
        ),
        ("Oi {{1}}, tudo bem?", "the number 1 in the place of a variable (line 1)"),
        ("Oi {{ 2 | default: 'amigo' }}", "the number 2 in the place of a variable (line 1)"),
    ],
)
def test_a_variable_as_other_tools_write_it_is_refused(body: str, message: str) -> None:
    with pytest.raises(RetomaError) as refused:
        needed(body)

    assert refused.value.message == f"the text has {message}"
    assert "{{ nome }}" in str(refused.value.hint)


@pytest.mark.parametrize(
    "body",
    [
        "{{ '{nome}' }}",
        "{% raw %}{nome}{% endraw %}",
        "{% comment %}{nome}{% endcomment %}",
        "{} { } {-: :-}",
    ],
)
def test_braces_that_everybody_shall_see_can_be_written(body: str) -> None:
    assert needed(body) == []


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        ("{{ a | default: b }}{{ c }}", ["a"]),
        (
            "{% if a == b %}{{ c }}{% elsif d contains 'x' %}{{ e.f }}{% endif %}",
            ["a", "b", "c", "d", "e"],
        ),
        ("{% case a %}{% when b %}{{ c }}{% endcase %}", ["a", "b", "c"]),
        ("{% for i in list limit: n %}{{ i }}{{ forloop.index }}{% endfor %}", ["list", "n"]),
        ("{% assign x = a | default: 'b' %}{{ x }}{{ phone }}", ["a"]),
    ],
)
def test_the_variables_that_a_recipient_may_lack(body: str, variables: list[str]) -> None:
    assert check([("text", body)]).optional_variables == variables


def test_the_words_that_are_logged_hold_nothing_of_the_text_around_the_fault() -> None:
    with pytest.raises(RetomaError) as refused:
        needed("a secret {{ another secret }} of mine")

    assert "secret" not in refused.value.message


def test_an_error_names_the_place_of_the_text_and_all_of_them_count() -> None:
    assert check([("caption", "{{ a }} {{ b | default: '' }}"), ("buttons[0].title", "{{ b }}")]) == Checked(
        ["a", "b"], []
    )
    with pytest.raises(RetomaError, match=r"the buttons\[0\]\.title is not valid Liquid"):
        check([("caption", "Olá"), ("buttons[0].title", "{{ name")])


HOSTILE = {
    "never closed": "{{" * (LONGEST_TEXT // 2),
    "never closed, with blanks": ("{{" + " " * 1_000) * 65,
    "blanks": ("{{ a" + " " * 1_900 + "}}") * 34,
    "short blanks": ("{% if" + " " * 59 + "%}") * 490,
    "raw, never closed": "{% raw %}" * 7_000,
    "outputs": "{{a}}" * 13_000,
    "nested": "{% if a %}" * 3_000 + "{% endif %}" * 3_000,
    "nested and flat": "{% if a %}" * 200 + "{% endif %}" * 200,
    "parentheses": ("{{ " + "(" * 1_990 + "}}") * 32,
    "subscripts": "{{ " + "a[" * 900 + "}}",
    "closed subscripts": ("{{ " + "a[" * 60 + "b" + "]" * 60 + "}}") * 300,
    "and": "{% if " + "a and " * 300 + "a %}{% endif %}",
    "comparisons": "{% if " + "a<" * 900 + "a %}{% endif %}",
    "filters": ("{{ a" + "|upcase" * 280 + "}}") * 32,
    "sets in loops": "{% for i in l %}" * 7
    + "".join(f"{{% assign v{n + 1} = v{n} %}}" for n in range(480))
    + "{% endfor %}" * 7,
    "lines of liquid": "{% liquid " + "assign a = b\n" * 4_900 + "%}",
    "nested liquid": "{% liquid " * 400 + "%}" * 400,
    "a number": "{{ " + "9" * 60_000 + " }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_checked_in_little_time(name: str) -> None:
    body = HOSTILE[name][:LONGEST_TEXT]
    started_at = time.process_time()
    with contextlib.suppress(RetomaError):
        needed(body)
    # The parser alone takes minutes for some of them. CPU time, so that a busy machine changes nothing.
    assert time.process_time() - started_at < 10


NAMES = ["a", "b", "c"]
VALUES = [*NAMES, *NAMES, *NAMES, "['d e']", "Índice", "partial", "forloop", "'x'", "nil", "(1..2)"]
FILTERS = ["upcase", "default: 'z'", "default: c", "append: b", "default", "split: ','", "size"]
OPERATORS = ["==", "!=", ">=", "contains", "and", "or"]
WORDS = ["Olá", "{% raw %}{{ x }}{% endraw %}", "{% comment %}{{ x }}{% endcomment %}"]


class Writer:
    """Writes texts whose every choice is hypothesis'.

    A branch is optional: it holds only what never fails for a variable that is missing.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._loops = 0

    def text(self, depth: int, *, optional: bool) -> str:
        """Up to three pieces, with so many levels of blocks in them."""
        pieces = range(self._draw(st.integers(1, 3)))
        return "".join(self._piece(depth, optional=optional) for _ in pieces)

    def _piece(self, depth: int, *, optional: bool) -> str:
        simple = [self._words, self._set, self._set]
        if self._loops:
            simple.append(self._leave)
        if not optional:
            simple += [self._write, self._write, self._work]
        blocks = [self._branches] if optional else [self._branches, self._loop, self._capture]
        chosen = self._draw(st.integers(0, len(simple) + (len(blocks) if depth else 0) - 1))
        return simple[chosen]() if chosen < len(simple) else blocks[chosen - len(simple)](depth - 1)

    def _one_of(self, choices: Sequence[str]) -> str:
        return self._draw(st.sampled_from(choices))

    def _name(self) -> str:
        return self._one_of(NAMES)

    def _value(self) -> str:
        return self._one_of(VALUES)

    def _filtered(self) -> str:
        return " | ".join([self._value(), *self._draw(st.lists(st.sampled_from(FILTERS), max_size=2))])

    def _condition(self) -> str:
        left = self._one_of([*VALUES, "a.b", "a[b]", "(1..c)"])
        return f"{left} {self._one_of(OPERATORS)} {self._value()}"

    def _words(self) -> str:
        return self._one_of(WORDS)

    def _leave(self) -> str:
        return self._one_of(["{% break %}", "{% continue %}"])

    def _set(self) -> str:
        default = self._one_of(["", "", " | default: 'z'", " | default: c", " | default: nil"])
        assign = f"{{% assign {self._name()} = {self._value()}{default} %}}"
        return self._one_of([assign, assign, f"{{% increment {self._name()} %}}"])

    def _work(self) -> str:
        return f"{{% assign {self._name()} = {self._filtered()} %}}"

    def _write(self) -> str:
        output = self._one_of(
            ["{{ %s }}", "{{ %s }}", "{{- %s -}}", "{%% echo %s %%}", "{%% liquid echo %s %%}"]
        )
        return self._one_of([output % self._filtered(), f"{{% cycle {self._value()}, {self._value()} %}}"])

    def _branches(self, depth: int) -> str:
        one, other = self.text(depth, optional=True), self.text(depth, optional=True)
        tag = self._one_of(["if", "unless", "case"])
        if tag == "case":
            last = self._one_of(["{% else %}", f"{{% when {self._value()}, {self._value()} %}}"])
            return (
                f"{{% case {self._value()} %}}{{% when {self._value()} %}}{one}{last}{other}{{% endcase %}}"
            )
        last = self._one_of(["{% else %}", f"{{% elsif {self._condition()} %}}"])
        return f"{{% {tag} {self._condition()} %}}{one}{last}{other}{{% end{tag} %}}"

    def _loop(self, depth: int) -> str:
        self._loops += 1
        inner = self.text(depth, optional=False)
        self._loops -= 1
        tag = self._one_of(["for", "for", "tablerow"])
        items = self._one_of([self._value(), "(1..2)"])
        more = self._one_of(["", "", f" limit: {self._value()}", f" offset: {self._value()}", " reversed"])
        instead = f"{{% else %}}{self.text(depth, optional=True)}" if tag == "for" else ""
        return f"{{% {tag} {self._name()} in {items}{more} %}}{inner}{instead}{{% end{tag} %}}"

    def _capture(self, depth: int) -> str:
        inner = self.text(depth, optional=False)
        capture = f"{{% capture {self._name()} %}}{inner}{{% endcapture %}}"
        return self._one_of([capture, f"{{% ifchanged %}}{inner}{{% endifchanged %}}"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    return Writer(draw).text(3, optional=False) + Writer(draw).text(2, optional=False)


@settings(max_examples=200)
@given(texts(), st.sampled_from(["2", "x", "a,b"]))
def test_whoever_has_the_required_variables_lacks_none(body: str, value: str) -> None:
    try:
        names = needed(body)
    except RetomaError:
        return  # nothing in the text
    try:
        render(parse(body), PHONE, dict.fromkeys(names, value))
        lacking = None
    except RenderError as error:
        lacking = error.words if error.code == "missing_variable" else None

    assert lacking is None


@given(st.text(alphabet="ab {}%-|:'\"[].,(1)=<\n#", max_size=40))
def test_any_text_is_accepted_or_refused_in_words(body: str) -> None:
    with contextlib.suppress(RetomaError):
        check([("text", body)])
