"""`retoma import` as a user runs it: a file goes into a draft campaign wholly, or not at all."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.importer.conftest import Import, audience


def test_a_spreadsheet_becomes_the_audience(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_bytes(
        "sep=;\r\nNome;Telefone;Cidade\r\nJoão;(11) 95550-1234;São Paulo\r\nZoë;+351 912 345 678;\r\n".encode(
            "windows-1252"
        )
    )

    done = importing("list.csv", "--campaign", "natal", "--region", "BR")

    assert done.returncode == 0, done.stderr
    assert "Telefone" in done.stderr
    assert "{{ cidade }}" in done.stderr
    assert audience(db) == [
        ("+5511955501234", {"nome": "João", "cidade": "São Paulo"}, "America/Sao_Paulo"),
        ("+351912345678", {"nome": "Zoë"}, "Atlantic/Azores,Europe/Lisbon"),
    ]
    assert not list(tmp_path.glob("*.rejects.csv"))


def test_values_arrive_as_they_are(importing: Import, db: psycopg.Connection) -> None:
    value = 'a\\b\tc\n"d" \\N \\u0000 {{ x }} \x01'
    text = "phone,nome\n+5511955501234," + '"' + value.replace('"', '""') + '"\n'

    done = importing("-", "--campaign", "natal", stdin=text.encode())

    assert done.returncode == 0, done.stderr
    assert audience(db)[0][1] == {"nome": value}


def test_the_summary_is_json_on_demand(importing: Import) -> None:
    rows = b"phone;nome\n+5511955501234;Ana\n+55 11 95550-1234;Ana\n5,51199E+12;Bia\n"

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["rows"], summary["accepted"], summary["duplicates"], summary["rejected"]) == (3, 1, 1, 1)
    assert summary["rejected_by"] == {"scientific_notation": 1}
    assert summary["rejects_file"] == "import.rejects.csv"
    assert summary["variables"] == {"nome": "nome"}


def test_programs_write_blank_cells_in_many_ways(importing: Import, db: psycopg.Connection) -> None:
    blanks = ["NA", "null", "#N/D", "nan", "N/A", "None", "-", "\u2800", "\u200b", "#VALOR!", "\\N"]
    rows = "".join(f"+55119555012{index:02},{blank}\n" for index, blank in enumerate(blanks))

    done = importing(
        "-", "--campaign", "natal", "--json", stdin=f"phone,nome\n{rows}+5511955501299,Na\n".encode()
    )

    assert done.returncode == 0, done.stderr
    assert [variables for _, variables, _ in audience(db)] == [{}] * len(blanks) + [{"nome": "Na"}]
    assert json.loads(done.stdout)["blank_words"] == dict.fromkeys(
        ["NA", "null", "#N/D", "nan", "N/A", "None", "-", "#VALOR!", "\\N"], 1
    )


def test_words_that_were_taken_for_blank_are_said(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,NA\n+5511955505678,NA\n")

    assert "Taken as blank: “NA” (2)" in done.stdout


@pytest.mark.parametrize("rows", [b"nome;phone\n", b"nome;phone\n;\n;\n", b"nome;phone\n" + b";\n" * 200])
def test_a_header_without_rows_is_said(importing: Import, rows: bytes) -> None:
    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert "no rows below its header" in done.stderr


def test_what_was_understood_of_an_unusual_list_is_said(importing: Import, db: psycopg.Connection) -> None:
    rows = "Clientes de março;;\n\nNome;DDD;Telefone\nJosé;11;955501234\nÉrica;;11955505678\n".encode("cp850")

    done = importing("-", "--campaign", "natal", "--region", "BR", stdin=rows)

    assert done.returncode == 0, done.stderr
    assert "Phone: column “Telefone”, joined to “DDD” (the header is on line 3)" in done.stderr
    assert "Encoding: cp850, guessed from “março”" in done.stderr
    assert [(phone, variables) for phone, variables, _ in audience(db)] == [
        ("+5511955501234", {"nome": "José", "ddd": "11"}),
        ("+5511955505678", {"nome": "Érica"}),
    ]


def test_a_second_run_adds_nothing_and_is_no_failure(importing: Import, db: psycopg.Connection) -> None:
    rows = b"phone\n+5511955501234\n"
    importing("-", "--campaign", "natal", stdin=rows)

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0
    assert json.loads(done.stdout)["duplicates"] == 1
    assert len(audience(db)) == 1


def test_what_becomes_of_a_number_that_comes_again_is_said(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n")

    done = importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Bia\n")

    assert (
        "Of a number that comes again the first row counts, also of an earlier import (--replace)"
        in done.stdout
    )
    assert audience(db) == [("+5511955501234", {"nome": "Ana"}, "America/Sao_Paulo")]


def test_a_corrected_file_can_take_the_place_of_the_first(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n+5511955505678,X\n")

    rows = b"phone,nome\n+5511955501234,Bia\n"
    done = importing("-", "--campaign", "natal", "--replace", "--json", stdin=rows)

    assert (json.loads(done.stdout)["accepted"], json.loads(done.stdout)["duplicates"]) == (1, 0)
    assert audience(db) == [("+5511955501234", {"nome": "Bia"}, "America/Sao_Paulo")]
    assert db.execute("select total from retoma.v_campaign_summary").fetchone() == (1,)


def test_a_file_without_a_good_row_replaces_nothing(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n")

    done = importing("-", "--campaign", "natal", "--replace", stdin=b"phone,nome\n11 95550-1234,Bia\n")

    assert done.returncode == 1
    assert "the campaign keeps the recipients that it had" in done.stderr
    assert len(audience(db)) == 1


def test_a_row_that_no_message_could_use_is_refused(importing: Import, db: psycopg.Connection) -> None:
    rows = (
        b"phone,nome\n+5511955501234,"
        + b"\xc3\xa9" * 8_186
        + b"\n+5511955505678,"
        + b"\xc3\xa9" * 8_187
        + b"\n"
    )

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert json.loads(done.stdout)["rejected_by"] == {"row_too_long": 1}
    assert [phone for phone, _, _ in audience(db)] == ["+5511955501234"]


def test_a_file_without_a_good_row_is_a_failure(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", stdin=b"phone\n11 95550-1234\n")

    assert done.returncode == 1
    assert "no_country" in done.stdout


@pytest.mark.parametrize("campaign", ["unknown", "started"])
def test_the_database_decides_which_campaigns_take_recipients(
    importing: Import, db: psycopg.Connection, campaign: str
) -> None:
    db.execute("select retoma.create_campaign('started', 'sales'::text, 'Oi')")
    db.execute("select * from retoma.add_recipients('started', '[{\"phone\": \"+5511955501234\"}]')")
    db.execute("select retoma.start_campaign('started')")
    db.commit()

    done = importing("-", "--campaign", campaign, stdin=b"phone\n+5511955505678\n")

    assert done.returncode == 1
    assert campaign in done.stderr
    assert "Nothing was imported" in done.stderr
    assert len(audience(db)) == 1


def test_a_file_that_breaks_off_changes_nothing(importing: Import, db: psycopg.Connection) -> None:
    rows = b"phone;nome\n" + b"+5511955501234;Ana\n" * 5000 + b'+5511955505678;"Bia\n'

    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert "line 5002 has a quote that is never closed" in done.stderr
    assert audience(db) == []
    assert db.execute("select count(*) from retoma.recipient_staging").fetchone() == (0,)


@pytest.mark.parametrize("repeated", [1, 5000])
def test_a_nul_character_is_refused_with_its_row(
    importing: Import, db: psycopg.Connection, repeated: int
) -> None:
    rows = b"phone;nome\n" + b"+5511955505678;B\0ia\n" + b"+5511955501234;Ana\n" * repeated

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rejected_by"] == {"nul_character": 1}
    assert len(audience(db)) == 1


def test_an_unknown_region_is_wrong_usage(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", "--region", "Brasil", stdin=b"phone\n+5511955501234\n")

    assert done.returncode == 2
    assert "ISO 3166" in done.stderr
