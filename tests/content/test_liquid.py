"""Liquid where the variables come from a list: texts only, and no value where a cell is empty."""

import pytest

from retoma.content.liquid import parse
from retoma.content.render import render
from retoma.content.results import RenderError
from retoma.errors import RetomaError

PHONE = "+5511955500001"

NOTHING: list[dict[str, object]] = [{}, {"nome": ""}, {"nome": None}]


def rendered(body: str, **variables: object) -> str:
    return render(parse(body), PHONE, variables)


def decided(condition: str, variables: dict[str, object]) -> str:
    return rendered(f"{{% if {condition} %}}yes{{% else %}}no{{% endif %}}", **variables)


@pytest.mark.parametrize("nobody", [*NOTHING, {"nome": "  "}])
@pytest.mark.parametrize(
    "body",
    [
        "{% if nome != blank %}Oi {{ nome }}{% else %}Oi!{% endif %}",
        "{% if nome == blank %}Oi!{% else %}Oi {{ nome }}{% endif %}",
        "{% if blank == nome %}Oi!{% endif %}",
        "{% unless nome == blank %}Oi {{ nome }}{% else %}Oi!{% endunless %}",
        "{% case nome %}{% when blank %}Oi!{% else %}Oi {{ nome }}{% endcase %}",
        "{% if false %}{% elsif nome != blank %}Oi {{ nome }}{% else %}Oi!{% endif %}",
        "{% if nome contains 'A' %}Oi {{ nome }}{% else %}Oi!{% endif %}",
        "{% if nome > 1 or nome < 1 or 1 <= nome or nome >= 1 %}Oi {{ nome }}{% else %}Oi!{% endif %}",
    ],
)
def test_who_has_no_name_gets_the_other_branch(body: str, nobody: dict[str, object]) -> None:
    assert rendered(body, **nobody) == "Oi!"


@pytest.mark.parametrize("nobody", NOTHING)
@pytest.mark.parametrize("nothing", ["empty", "''", "nil", "null", "other"])
def test_nothing_is_equal_to_nothing(nobody: dict[str, object], nothing: str) -> None:
    assert decided(f"nome == {nothing}", nobody) == "yes"
    assert decided(f"{nothing} != nome", nobody) == "no"


@pytest.mark.parametrize("other", ["'Ana'", "0", "false", "(1..2)", "lista"])
@pytest.mark.parametrize("nobody", NOTHING)
def test_nothing_is_equal_to_nothing_else(nobody: dict[str, object], other: str) -> None:
    assert decided(f"nome == {other}", nobody | {"lista": ["x"]}) == "no"


def test_a_name_is_not_blank() -> None:
    assert rendered("{% if nome != blank %}Oi {{ nome }}{% else %}Oi!{% endif %}", nome="Ana") == "Oi Ana"


@pytest.mark.parametrize("value", ["20", " 20 ", "20.0", 20, 20.0])
def test_a_text_that_is_a_number_is_compared_as_one(value: object) -> None:
    for condition in (
        "v >= 18",
        "v > 9",
        "v == 20",
        "18 < v",
        "v <= 20",
        "v != 18",
        "v == vinte",
        "v > nove",
    ):
        assert decided(condition, {"v": value, "vinte": 20, "nove": "9"}) == "yes", condition
    assert rendered("{% case v %}{% when 20 %}yes{% else %}no{% endcase %}", v=value) == "yes"


@pytest.mark.parametrize("value", ["vinte", "1.234", "1.234,50", "1e3", ["20"]])
def test_what_is_no_plain_number_is_not_compared_with_one(value: object) -> None:
    with pytest.raises(RenderError, match="value_refused"):
        decided("v >= 18", {"v": value})
    assert decided("v == 1234", {"v": value}) == "no"


def test_texts_are_compared_as_texts() -> None:
    assert decided("a < b", {"a": "Ana", "b": "Bia"}) == "yes"
    assert decided("a == b", {"a": "1", "b": "1.0"}) == "no"


def test_a_case_renders_one_branch_once() -> None:
    body = "{% case nome %}{% when blank, '', nil %}A{% when empty %}B{% else %}C{% endcase %}"

    assert rendered(body) == "A"
    assert rendered(body, nome="Ana") == "C"


def test_a_list_that_is_missing_has_no_items() -> None:
    body = "{% for i in itens %}{{ i }}{% else %}nada{% endfor %}{% for i in (1..n) %}{{ i }}{% endfor %}"

    assert rendered(body) == "nada"
    assert rendered("{% tablerow i in itens %}{{ i }}{% endtablerow %}") == ""
    assert rendered(body, itens=["a", "b"], n="2") == "ab12"


@pytest.mark.parametrize(
    "body",
    [
        "{{ nome }}",
        "{{ nome | upcase }}",
        "{{ nome | upcase | default: 'x' }}",
        "{{ 'Oi ' | append: nome }}",
        "{{ nome | default: apelido }}",
        "{% assign copia = nome %}{{ copia }}",
        # Liquid itself sends "", 0, 1 and 0 for these.
        "{{ nome | date: '%d/%m' }}",
        "{{ nome | times: 2 }}",
        "{{ 1 | plus: nome }}",
        "{{ nome | size }}",
        "{{ pedido.total }}",
    ],
)
def test_a_variable_that_is_missing_is_never_written(body: str) -> None:
    with pytest.raises(RenderError, match=r"missing_variable: .*'(nome|apelido|pedido)'"):
        rendered(body, pedido={})


def test_a_default_is_for_who_has_nothing() -> None:
    for nobody in NOTHING:
        assert rendered("{{ nome | default: 'amigo' }}", **nobody) == "amigo"
    assert rendered("{{ nome | default: apelido | default: 'amigo' }}") == "amigo"
    assert rendered("{{ nome | default: 'amigo' }}", nome="Ana") == "Ana"


def test_names_with_blanks_and_accents_are_found() -> None:
    variables: dict[str, object] = {"Primeiro Nome": "Ana", "Índice": "i1", "partial": "p"}

    assert rendered("{{ ['Primeiro Nome'] }} {{ Índice }} {{ partial | upcase }}", **variables) == "Ana i1 P"


@pytest.mark.parametrize(
    ("day", "form", "written"),
    [
        ("2024-01-31", "%d/%m/%Y", "31/01/2024"),
        ("31/01/24", "%d/%m/%Y", "31/01/2024"),
        ("31/01/76", "%Y", "1976"),
        ("March 2024", "%m/%Y", "03/2024"),
        ("Dec 31", "%d/%m", "31/12"),
        ("10:30", "%Hh%M", "10h30"),
        ("amanhã", "%d/%m", "amanhã"),
    ],
)
def test_a_date_is_written_as_far_as_it_is_known(day: str, form: str, written: str) -> None:
    assert rendered(f"{{{{ day | date: '{form}' }}}}", day=day) == written


@pytest.mark.parametrize(
    ("day", "form"),
    [("now", "%d"), ("today", "%Y"), ("10:30", "%d"), ("Dec 31", "%d/%m/%Y"), ("Friday", "%d")],
)
def test_invariant_11_what_the_day_of_sending_would_fill_in_is_an_error(day: str, form: str) -> None:
    with pytest.raises(RenderError, match="value_refused"):
        rendered(f"{{{{ day | date: '{form}' }}}}", day=day)


@pytest.mark.parametrize(
    ("day", "written"),
    [
        ("03/04/2024", "03/04/2024"),
        ("12/04/2024", "12/04/2024"),
        ("13/04/2024", "13/04/2024"),
        ("3.4.24", "03/04/2024"),
        ("03-04-2024 10:00", "03/04/2024"),
        ("2024-04-03", "03/04/2024"),
        ("2024-04-03T10:00:00-03:00", "03/04/2024"),
        ("20240403", "03/04/2024"),
        ("3 Apr 2024", "03/04/2024"),
        ("April 3, 2024", "03/04/2024"),
        ("1712102400", "03/04/2024"),
        (1712102400, "03/04/2024"),
    ],
)
def test_a_date_in_digits_is_read_the_same_way_for_all(day: object, written: str) -> None:
    assert rendered("{{ day | date: '%d/%m/%Y' }}", day=day) == written


@pytest.mark.parametrize(
    "day",
    [
        "04/13/2024",
        "31/02/2024",
        "2024-13-04",
        "3 4 2024",
        "04/31",
        "45385",
        "03042024",
        "2024",
        "20240403101500",
    ],
)
def test_digits_that_are_no_date_in_that_order_are_an_error(day: str) -> None:
    with pytest.raises(RenderError, match="value_refused: NoSuchDate in the filter 'date'"):
        rendered("{{ day | date: '%d/%m/%Y' }}", day=day)


@pytest.mark.parametrize(
    "body",
    [
        "{{ preco | times: 2 }}",
        "{{ preco | plus: 1 | round }}",
        "{{ 100 | minus: preco }}",
        "{{ preco | divided_by: 2 }}",
        "{% assign total = preco | at_least: 10 %}{{ total }}",
        "{{ precos | sum }}",
    ],
)
@pytest.mark.parametrize("price", ["1.234,50", "12,5", "1.234", "R$ 10", "dez"])
def test_a_price_that_is_no_plain_number_is_never_reckoned_with(body: str, price: str) -> None:
    with pytest.raises(RenderError, match="value_refused: NotANumber in the filter"):
        rendered(body, preco=price, precos=["1", price])


def test_a_plain_number_is_reckoned_with_also_as_a_text() -> None:
    assert (
        rendered("{{ a | times: 2 }} {{ b | plus: a }} {{ c | round }}", a="10", b=2.5, c=" 1.6 ")
        == "20 12.5 2"
    )


@pytest.mark.parametrize(
    "body",
    [
        "{{ lista | uniq: 'k' }}",
        "{{ a[b].c }}",
        "{{ b | date: '%d' }}",
        "{{ 'x' | slice: b }}",
        "{% for i in lista limit: b %}{{ i }}{% endfor %}",
        "{% if b > 1 %}{% endif %}",
    ],
)
def test_an_error_never_shows_a_value(body: str) -> None:
    with pytest.raises(RenderError) as error:
        rendered(body, lista=["a secret"], a={}, b="a secret" if "date" not in body else "20240131101500")

    assert "secret" not in str(error.value)
    assert "20240131" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{% for a in (1..10001) %}{% endfor %}", "over_limit"),
        ("{{ a }}{{ a }}", "over_size"),
        ("{% for i in (1..9) %}{{ a }}{% endfor %}", "over_size"),
    ],
)
def test_the_limits_of_liquid_have_words_of_their_own(body: str, code: str) -> None:
    with pytest.raises(RenderError) as error:
        rendered(body, a="x" * 60_000)

    assert error.value.code == code


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Oi {{ limit }}", "limit"),
        ("{{ if | default: 'x' }}", "if"),
        ("{% if offset == 'x' %}a{% endif %}", "offset"),
        ("{% assign a = with %}", "with"),
        ("{{ true }}", "true"),
        ("{{ empty | default: 'x' }}", "empty"),
    ],
)
def test_a_word_of_liquid_is_no_variable_and_the_hint_names_that_of_its_column(text: str, word: str) -> None:
    with pytest.raises(RetomaError) as refused:
        parse(text)

    assert f"the column “{word}” of an imported list is the variable {{{{ _{word} }}}}" in (
        refused.value.hint or ""
    )
