"""The file of the rows that `retoma import` refuses: what it holds, and that nothing else is harmed by it."""

import csv
import stat
from pathlib import Path

import psycopg
import pytest

from tests.importer.conftest import Import, audience


def test_refused_rows_are_kept_with_line_and_reason(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        'nome;phone\n"Ana\nMaria";+5511955501234\nBia;11 8555-1234\n;\nCaio;+5511955505678;extra\nDora;\n'
    )

    done = importing("list.csv", "--campaign", "natal", "--region", "br")

    assert done.returncode == 0, done.stderr
    rejects = tmp_path / "list.rejects.csv"
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["reject_line", "reject_reason", "reject_message", "nome", "phone"]
    assert [(row[0], row[1], row[3:]) for row in rows[1:]] == [
        ("4", "brazil_ninth_digit", ["Bia", "11 8555-1234"]),
        ("6", "too_many_fields", ["Caio", "'+5511955505678", "extra"]),
        ("7", "empty", ["Dora", ""]),
    ]
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_a_corrected_file_of_rejects_is_imported_like_any_other(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("nome;phone\nBia;+55 11 8555-1234\n")
    assert importing("list.csv", "--campaign", "natal").returncode == 1
    rejects = tmp_path / "list.rejects.csv"
    rejects.write_text(rejects.read_text("utf-8-sig").replace("11 8555-1234", "11 98555-1234"))

    done = importing("list.rejects.csv", "--campaign", "natal")

    assert done.returncode == 0, done.stderr
    assert audience(db) == [("+5511985551234", {"nome": "Bia"}, "America/Sao_Paulo")]


FORMULAS = [
    "=1+1",
    "+cmd",
    "-2",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "'=1",
    "''+x",
    "\uff1d1",
    "plain",
    "'quoted'",
    "a=b",
]


def test_refused_rows_hold_no_formula_and_come_back_as_they_were(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    names = [f"v{index}" for index in range(len(FORMULAS))]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["phone", *names], ["+55 11 8555-1234", *FORMULAS]])
    assert importing("list.csv", "--campaign", "natal").returncode == 1
    rejects = tmp_path / "list.rejects.csv"
    with rejects.open(encoding="utf-8-sig", newline="") as opened:
        written = list(csv.reader(opened))
    assert not [cell for row in written for cell in row if cell.lstrip(" \t")[:1] in tuple("=+-@\uff1d")]
    rejects.write_text(rejects.read_text("utf-8-sig").replace("11 8555-1234", "11 98555-1234"))

    done = importing("list.rejects.csv", "--campaign", "natal")

    assert done.returncode == 0, done.stderr
    assert audience(db)[0][:2] == (
        "+5511985551234",
        {name: value.strip() for name, value in zip(names, FORMULAS, strict=True)},
    )


def test_the_file_of_rejects_is_new_whatever_had_its_name(importing: Import, tmp_path: Path) -> None:
    rejects = tmp_path / "import.rejects.csv"
    rejects.write_text("of an earlier import")
    rejects.chmod(0o666)
    (tmp_path / "same").hardlink_to(rejects)

    done = importing("-", "--campaign", "natal", stdin=b"phone\n+5511955501234\nnobody\n")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert (tmp_path / "same").read_text() == "of an earlier import"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["import.rejects.csv", "same"]


@pytest.mark.parametrize("target", ["there", "not there", "/dev/null"])
def test_the_file_of_rejects_follows_no_link(
    importing: Import, db: psycopg.Connection, tmp_path: Path, target: str
) -> None:
    (tmp_path / "there").write_text("of somebody")
    (tmp_path / "import.rejects.csv").symlink_to(target)

    done = importing("-", "--campaign", "natal", stdin=b"phone\n+5511955501234\nnobody\n")

    assert (done.returncode, audience(db)) == (1, [])
    assert "the name is a link" in done.stderr
    assert "Nothing was imported" in done.stderr
    assert (tmp_path / "there").read_text() == "of somebody"
    assert not (tmp_path / "not there").exists()


def test_a_failed_import_leaves_an_earlier_file_of_rejects_alone(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "import.rejects.csv").write_text("being corrected")

    rows = b"phone;nome\nnobody;Ana\n" + b"+5511955501234;Ana\n" * 5000 + b'+5511955501234;"Bia\n'
    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert (tmp_path / "import.rejects.csv").read_text() == "being corrected"
    assert [path.name for path in tmp_path.iterdir()] == ["import.rejects.csv"]


def test_a_device_takes_no_rejects(importing: Import) -> None:
    done = importing(
        "-", "--campaign", "natal", "--rejects", "/dev/null", stdin=b"phone\n+5511955501234\nnobody\n"
    )

    assert done.returncode == 1
    assert "is no ordinary file" in done.stderr
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("refused", [1, 5000])
def test_refused_rows_that_find_no_room_undo_the_import(
    importing: Import, db: psycopg.Connection, tmp_path: Path, refused: int
) -> None:
    rows = b"phone;nome\n+5511955501234;Ana\n" + b"nobody;Bia\n" * refused

    # A limit for the size of files stands for a full disk.
    done = importing("-", "--campaign", "natal", stdin=rows, largest_file=20)

    assert (done.returncode, audience(db)) == (1, [])
    assert "error: The file for rejects cannot be written: File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert "Nothing was imported" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_input_is_never_overwritten_by_its_rejects(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("phone\nnobody\n")

    done = importing("list.csv", "--campaign", "natal", "--phone-column", "phone", "--rejects", "list.csv")

    assert done.returncode == 2
    assert (tmp_path / "list.csv").read_text() == "phone\nnobody\n"
