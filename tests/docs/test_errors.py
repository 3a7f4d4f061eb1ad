"""The page of errors lists every code and key that the schema can raise, and no other."""

import re

import psycopg
import pytest

from retoma import config

ROOT = config.sql_directory().parent


def test_the_page_of_errors_lists_what_the_schema_raises() -> None:
    raised = {
        found.groups()
        for file in config.sql_directory().glob("*/*.sql")
        for found in re.finditer(r"errcode = '(RT\d{3})', constraint = '(\w+)'", file.read_text())
    }
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    listed = re.findall(r"^\| `(RT\d{3})` \| `(\w+)` \|", page, flags=re.MULTILINE)
    explained = re.findall(r"^\| `(RT\d{3})` \| (?!`)", page, flags=re.MULTILINE)

    assert listed == sorted(raised)
    assert explained == sorted({code for code, _ in raised})


def test_a_program_reads_the_key_from_the_error(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error) as caught:
        db.execute("select retoma.pause_campaign('none')")

    assert (caught.value.sqlstate, caught.value.diag.constraint_name) == ("RT001", "unknown_campaign")
