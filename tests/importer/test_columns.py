"""Columns are understood by their titles, or else by what is in them; doubts are errors."""

import liquid.token
import pytest
from liquid import Environment

from retoma.content.liquid import parse
from retoma.content.render import render
from retoma.content.variables import required_variables
from retoma.errors import RetomaError
from retoma.importer.columns import understand, variable_name
from retoma.importer.phones import normaliser

PHONE = "+5511955501234"


@pytest.mark.parametrize(
    "title",
    [
        "phone",
        "Telefone",
        "CELULAR",
        "WhatsApp",
        "Número",
        "fone",
        "Mobile",
        "Tel.",
        "msisdn",
        "Móvil",
        "Telefone 1",
        "Phone 1 - Value",
        "celular (com DDD)",
    ],
)
def test_the_phone_column_is_found_by_its_title(title: str) -> None:
    columns = understand([["Nome", title], ["Ana", PHONE]], None, normaliser("BR"))

    assert columns.has_header
    assert columns.phone == 1
    assert columns.variables == [(0, "nome")]


def test_the_phone_column_is_found_by_its_content() -> None:
    rows = [["who", "where to"], ["Ana", "+5511955501234"], ["Bia", "n/a"], ["Caio", "11 95550-5678"]]

    assert understand(rows, None, normaliser("BR")).phone == 1


def test_a_better_title_wins_over_a_house_number() -> None:
    rows = [["Rua", "Número", "Celular"], ["Rua A", "12", PHONE]]

    assert understand(rows, None, normaliser("BR")).phone == 2


def test_values_count_more_than_titles() -> None:
    rows = [["Contato", "Cel", "Rua"], ["Ana", "11955502006", "Rua A"], ["Bia", "11955502007", "Rua B"]]

    assert understand(rows, None, normaliser("BR")).phone == 1
    assert understand([[c, b, a] for a, b, c in rows], None, normaliser(None)).phone == 1


@pytest.mark.parametrize(
    ("titles", "row"),
    [
        (["Telefone", "Celular"], ["sim", PHONE]),
        (["Phone 1 - Label", "Phone 1 - Value"], ["Mobile", PHONE]),
        (["Phone 2 - Value", "Phone 1 - Value"], ["", PHONE]),
        (["Contato", "Onde"], ["Ana", PHONE]),
        (["CPF", "Telefone"], ["119.555.012-34", "5,51199E+12"]),
    ],
)
def test_a_title_whose_values_are_no_phones_is_no_candidate(titles: list[str], row: list[str]) -> None:
    assert understand([titles, row, row], None, normaliser("BR")).phone == 1


@pytest.mark.parametrize(
    "title", ["CPF", "CPF do cliente", "CNPJ", "Order ID", "DNI", "Código", "Nº do pedido"]
)
def test_other_numbers_of_many_digits_are_not_taken_for_phones(title: str) -> None:
    rows = [["Nome", "Número", title], ["Ana", "12", "11955501234"], ["Bia", "13", "123.456.789-01"]]

    with pytest.raises(RetomaError, match="No column looks like phone numbers"):
        understand(rows, None, normaliser("BR"))


def test_phones_in_a_column_of_another_title_are_asked_about() -> None:
    rows = [["Telefone", "Onde"], ["sim", PHONE], ["não", PHONE]]

    with pytest.raises(RetomaError, match="“Telefone” holds no phone numbers, and “Onde” may"):
        understand(rows, None, normaliser("BR"))


NAMED, UNNAMED = ["Nome", "Telefone", "Cidade", ""], ["who", "where", "city", "age"]


@pytest.mark.parametrize(
    ("above", "header"),
    [
        ([["Relatório de clientes - março", "", "", ""], ["", "", "", ""]], NAMED),
        ([["Relatório de clientes - março", "", "", ""], ["", "", "", ""]], UNNAMED),
        ([["Relatório de clientes"]], UNNAMED),
        ([["Clientes", "de março", "", ""], ["Loja", "12", "", ""]], UNNAMED),
        ([["Empresa X", "11 95550-9999", "", ""]], NAMED),
        ([["Lista", "2024", "3", "A"]], NAMED),
    ],
)
def test_a_title_above_the_header_is_skipped(above: list[list[str]], header: list[str]) -> None:
    data = [["Ana", "11955502013", "Recife", ""], ["Bia", "11955502014", "Olinda", ""]]

    columns = understand([*above, header, *data], None, normaliser("BR"))

    assert (columns.has_header, columns.titles, columns.phone) == (True, header, 1)
    assert columns.first_row == len(above) + 1


def test_a_header_may_hold_dates_and_numbers() -> None:
    titles = ["Nome", "Telefone", "15/03/2024", "2024-03-22", "20240329", "29.03.24"]
    rows = [titles, ["Ana", "11955502016", "P", "F", "P", "F"], ["Bia", "11955502017", "F", "P", "", ""]]

    columns = understand(rows, None, normaliser("BR"))

    assert (columns.has_header, columns.titles, columns.phone) == (True, titles, 1)


@pytest.mark.parametrize("data", [[], [["", ""]]])
def test_a_header_without_rows_is_said(data: list[list[str]]) -> None:
    for titles in (["Nome", "Telefone"], ["a", "b"]):
        with pytest.raises(RetomaError, match="no rows below its header"):
            understand([titles, *data], None, normaliser("BR"))


@pytest.mark.parametrize(
    "rows",
    [
        [["Nome~Telefone"], ["Ana~11955503034"]],
        [["Nome,Telefone"], ["Ana,11955503041"]],
        [["Nome : Telefone"], ["Ana : 11955503041"]],
        [["Nome"], ["Ana"]],
        [["Ana~+5511955503041"]],
    ],
)
def test_a_file_of_one_column_is_said_to_be_one(rows: list[list[str]]) -> None:
    with pytest.raises(RetomaError, match="The file has one column, “"):
        understand(rows, None, normaliser("BR"))


@pytest.mark.parametrize("rows", [[["Telefone"], ["11955503041"]], [["11955503041"]], [["x"], ["5,51E+12"]]])
def test_a_list_of_nothing_but_phones_is_a_file_of_one_column(rows: list[list[str]]) -> None:
    assert understand(rows, None, normaliser("BR")).phone == 0


@pytest.mark.parametrize(
    ("region", "titles", "rows", "parts"),
    [
        ("BR", ["Nome", "DDD", "Telefone"], [["Ana", "11", "955502010"], ["Bia", "21", "985502011"]], (1,)),
        ("BR", ["Nome", "DDD", "Telefone"], [["Ana", "11", "(11) 95550-2010"]], ()),
        (None, ["DDI", "DDD", "Celular"], [["55", "11", "955502010"], ["+351", "", "912345678"]], (0, 1)),
        (None, ["Telefone", "Código do país"], [["11955502010", "55"], ["912345678", "351"]], (1,)),
        (None, ["DDI", "Telefone"], [["55", "+5511955502010"]], ()),
        ("US", ["Area code", "Phone"], [["202", "555-0129"]], (0,)),
        ("BR", ["Área", "Telefone"], [["Vendas", "11955502010"]], ()),
    ],
)
def test_columns_of_the_area_and_the_country_are_joined_to_the_number(
    region: str | None, titles: list[str], rows: list[list[str]], parts: tuple[int, ...]
) -> None:
    columns = understand([titles, *rows], None, normaliser(region))

    assert tuple(i for i in (columns.parts.country, columns.parts.area) if i is not None) == parts


def test_several_phone_columns_are_an_error_that_names_them() -> None:
    rows = [["Telefone", "Celular"], [PHONE, PHONE]]

    with pytest.raises(RetomaError, match="“Telefone”, “Celular”"):
        understand(rows, None, normaliser("BR"))


def test_the_wanted_column_is_taken_by_title_or_by_name() -> None:
    rows = [["Telefone", "Celular da Mãe"], [PHONE, PHONE]]

    assert understand(rows, "Celular da Mãe", normaliser("BR")).phone == 1
    assert understand(rows, "celular_da_mae", normaliser("BR")).phone == 1
    with pytest.raises(RetomaError, match="no column “fax”"):
        understand(rows, "fax", normaliser("BR"))


def test_a_file_without_a_phone_column_is_refused() -> None:
    with pytest.raises(RetomaError, match="No column looks like phone numbers"):
        understand([["name", "city"], ["Ana", "Recife"]], None, normaliser("BR"))


def test_a_first_row_with_a_phone_is_no_header() -> None:
    columns = understand([["Ana", PHONE, "Recife"]], None, normaliser("BR"))

    assert not columns.has_header
    assert columns.titles == ["column_1", "phone", "column_3"]
    assert columns.variables == [(0, "column_1"), (2, "column_3")]


def test_without_a_header_a_column_is_chosen_by_its_position() -> None:
    rows = [[PHONE, "+5511955505678"]]

    assert understand(rows, "column_2", normaliser("BR")).phone == 1


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Endereço de Entrega", "endereco_de_entrega"),
        ("  Último-Pedido (R$) ", "ultimo_pedido_r"),
        ("2ª via", "_2a_via"),
        ("true", "_true"),
        ("phone", "_phone"),
        ("имя", "column_7"),
    ],
)
def test_titles_become_liquid_names(title: str, name: str) -> None:
    assert variable_name(title, 7) == name
    assert Environment().from_string("{{ " + name + " }}").render(**{name: "value"}) == "value"


WORDS = sorted(
    {word for name, word in vars(liquid.token).items() if name.startswith("TOKEN_") and word.isidentifier()}
)


@pytest.mark.parametrize(
    "word", [*WORDS, "none", "now", "today", "forloop", "tablerowloop", "size", "first", "partial"]
)
def test_no_word_of_liquid_is_promised_as_a_name(word: str) -> None:
    name = variable_name(word.capitalize(), 1)
    template = parse("Oi {{ " + name + " }}, {% if " + name + " == 'x' %}a{% endif %}")

    assert required_variables(template) == [name]
    assert render(template, PHONE, {name: "x"}) == "Oi x, a"


def test_a_title_without_a_letter_of_ascii_is_named_by_its_position() -> None:
    columns = understand([["phone", "имя", ""], [PHONE, "Аня", ""]], None, normaliser("BR"))

    assert columns.variables == [(1, "column_2"), (2, "column_3")]


def test_two_titles_of_one_name_are_refused() -> None:
    rows = [["phone", "Cidade", "cidade"], [PHONE, "Recife", "Olinda"]]

    with pytest.raises(RetomaError, match="“Cidade” and “cidade” would both become the variable “cidade”"):
        understand(rows, None, normaliser("BR"))


def test_the_columns_that_a_file_of_rejects_adds_are_left_out() -> None:
    rows = [
        ["reject_line", "reject_reason", "reject_message", "phone", "name"],
        ["7", "x", "y", PHONE, "Ana"],
    ]

    assert understand(rows, None, normaliser("BR")).variables == [(4, "name")]
