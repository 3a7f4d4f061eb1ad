"""`retoma opt-out` and `retoma opt-in`: for one number, and for lists as people have them."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support import command
from tests.support.campaigns import Db, call, phone


def retoma(database: str, *arguments: str, stdin: str | None = None) -> CompletedProcess[str]:
    return command.retoma(*arguments, database_url=database, text=stdin)


def suppressed(db: Db) -> list[str]:
    return [row[0] for row in db.execute("select phone from retoma.v_suppression order by 1")]


def test_a_number_opts_out_and_in(db: Db, database: str) -> None:
    done = retoma(database, "opt-out", phone(1), "+55 (11) 95551-0002", "--source", "phone call")
    assert (done.returncode, done.stdout) == (0, "2 opted out.\n")
    assert suppressed(db) == [phone(1), phone(2)]

    done = retoma(database, "opt-in", phone(1), "--source", "web form")
    assert (done.returncode, done.stdout) == (0, "1 opted in.\n")
    assert suppressed(db) == [phone(2)]


def test_one_bad_number_of_a_list_is_named_and_the_others_count(
    db: Db, database: str, tmp_path: Path
) -> None:
    rows = [f"Ana {n};11 95551-{n:04}" for n in range(1, 301)]
    rows[16] = "Bia;12345"
    file = tmp_path / "list.csv"
    file.write_text("\n".join(["nome;telefone", *rows]) + "\n")

    done = retoma(database, "opt-out", "--file", str(file), "--region", "BR", "--reason", "imported")

    assert (done.returncode, done.stdout) == (1, "299 opted out.\n")
    assert "line 18: '12345': " in done.stderr
    assert call(db, "select count(*) from retoma.v_suppression where reason = 'imported'") == 299


def test_one_number_per_line_is_a_list_too(db: Db, database: str) -> None:
    numbers = f"{phone(1)}\n\n{phone(2)}\n"

    done = retoma(database, "opt-out", "--file", "-", stdin=numbers)

    assert done.returncode == 0
    assert suppressed(db) == [phone(1), phone(2)]


def test_the_old_form_of_a_brazilian_mobile_number_is_the_same_person(db: Db, database: str) -> None:
    assert retoma(database, "opt-out", "+5511995551000").returncode == 0

    assert retoma(database, "opt-in", "11 9555-1000", "--region", "BR", "--source", "form").returncode == 0

    assert suppressed(db) == []


def test_thousands_of_bad_numbers_are_counted_and_not_all_listed(database: str) -> None:
    rows = "\n".join(["telefone", phone(1), phone(2), *["x" * 1000] * 20_000])

    done = retoma(database, "opt-out", "--file", "-", stdin=rows)

    assert (done.returncode, done.stdout) == (1, "2 opted out.\n")
    assert "20,000 not" in done.stderr
    assert "19,980 more" in done.stderr
    assert len(done.stderr) < 5_000


def test_programs_get_all_of_them_as_json(database: str) -> None:
    done = retoma(database, "opt-out", phone(1), "12", "--json")

    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["recorded"] == 1
    assert [(bad["line"], bad["given"]) for bad in said["refused"]] == [(2, "12")]


def test_an_opt_in_of_an_earlier_time_does_not_undo_an_opt_out(db: Db, database: str) -> None:
    retoma(database, "opt-out", phone(1))

    done = retoma(database, "opt-in", phone(1), "--source", "old form", "--at", "2020-05-04T09:00Z")

    assert done.returncode == 0
    assert suppressed(db) == [phone(1)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["opt-out"], "either numbers or --file"),
        (["opt-in", "+15550100"], "--source"),
        (["opt-out", "+15550100", "--reason", "because"], "because"),
        (["opt-out", "+15550100", "--region", "Brasil"], "is not a country"),
    ],
)
def test_wrong_usage_is_told(database: str, arguments: list[str], words: str) -> None:
    done = retoma(database, *arguments)

    assert done.returncode == 2
    assert words in done.stderr
