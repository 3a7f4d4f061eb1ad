"""The encoding of a list is guessed from the words of people, or the operator is asked."""

import pytest

from retoma.errors import RetomaError
from retoma.importer.guess import guess_encoding

PORTUGUESE = (
    "João José Conceição Simões Ângela Antônio Luís Índia Zoé França Ítalo Júlia São Assunção Araújo Müller"
)


@pytest.mark.parametrize("encoding", ["windows-1252", "cp850"])
@pytest.mark.parametrize(
    "text", [PORTUGUESE, PORTUGUESE.upper(), "María Núñez Peña Ibáñez", "Éric François Hélène"]
)
def test_many_words_tell(text: str, encoding: str) -> None:
    assert guess_encoding(text.encode(encoding)).encoding == encoding


@pytest.mark.parametrize(
    "word",
    [
        "João",
        "José",
        "São",
        "Simões",
        "Conceição",
        "JOÃO",
        "JOSÉ",
        "Zoë",
        "Müller",
        "Peña",
        "Antônio",
        "Bäcker",
        "Garçon",
        "D\u2019Ávila",
        "Érica",
        "Ângelo",
        "Björn",
        "Strauß",
        "n\u00ba",
        "\u20ac",
        "é",
        "\u201cAna\u201d",
    ],
)
def test_one_word_of_windows_is_enough(word: str) -> None:
    assert guess_encoding(word.encode("windows-1252")).encoding == "windows-1252"


@pytest.mark.parametrize(
    "word", ["João", "José", "Érica", "Conceição", "Simões", "Antônio", "Luís", "JOSÉ", "Peña", "Núñez"]
)
def test_one_word_of_dos_is_enough(word: str) -> None:
    assert guess_encoding(word.encode("cp850")).encoding == "cp850"


@pytest.mark.parametrize("text", ["Имя;Телефон", "Аня", "ИВАНОВ", "Наталья Петрова, да", "«Ромашка»"])
def test_cyrillic_is_told_from_accents(text: str) -> None:
    assert guess_encoding(text.encode("windows-1251")).encoding == "windows-1251"


def test_where_words_read_well_in_two_encodings_both_are_shown() -> None:
    with pytest.raises(RetomaError, match="encoding") as error:
        guess_encoding("JOÃO".encode("cp850"))

    assert "--encoding cp850: “JOÃO”" in (error.value.hint or "")
    assert "--encoding windows-1252: “JOÇO”" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Łukasz Wiśniewski", "windows-1250"),
        ("電話番号", "shift_jis"),
        ("Имя Телефон", "koi8-r"),
        ("Имя Телефон", "cp866"),
        ("São José Conceição", "mac-roman"),
    ],
)
def test_what_no_guess_fits_is_shown_as_each_encoding_reads_it(text: str, encoding: str) -> None:
    with pytest.raises(RetomaError, match="encoding") as error:
        guess_encoding(text.encode(encoding))

    assert f"--encoding {encoding}: “" in (error.value.hint or "")
    assert text.rsplit(maxsplit=1)[-1] in (error.value.hint or "")


def test_the_word_that_shows_the_guess_is_kept() -> None:
    assert guess_encoding("Ana;José".encode("cp850")).word == "“José”"
