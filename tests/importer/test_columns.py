"""Columns are understood by their titles, or else by what is in them; doubts are errors."""

import pytest
from liquid import Environment

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
