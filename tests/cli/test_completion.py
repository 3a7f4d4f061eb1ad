"""What a shell is offered for the names of campaigns and channels."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.command import environment

CODE = "from retoma.cli import main; main(prog_name='retoma')"


def offered(
    words: str, shell: str = "fish", *, database: str | None = None, home: Path | None = None
) -> list[str]:
    """What the script of a shell gets for the last of these words."""
    *before, last = words.split(" ")
    asked = {"_RETOMA_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(["retoma", *before, last])}
    asked["COMP_CWORD"] = last if shell == "fish" else str(len(before) + 1)
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**environment(database_url=database, home=home), **asked},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stderr == ""
    return [line.split(",", 1)[1].split("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.fixture
def named(database: str, db: psycopg.Connection) -> str:
    """A database with some names."""
    for channel in ("sales", "support"):
        db.execute("select retoma.create_channel(%s, 'null')", [channel])
    for campaign in ("natal", "natal 2", "pascoa"):
        db.execute("select retoma.create_campaign(%s, 'sales'::text, 'Oi')", [campaign])
    return database


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("campaign show na", ["natal 2", "natal"]),
        ("campaign start p", ["pascoa"]),
        ("import list.csv --campaign pas", ["pascoa"]),
        ("watch natal", ["natal 2", "natal"]),
        ("channel pause s", ["sales", "support"]),
        ("campaign create x --channel su", ["support"]),
        ("limit set channel sa", ["sales"]),
        ("limit set campaign pa", ["pascoa"]),
        ("campaign show x", []),
    ],
)
def test_names_of_the_database_are_offered(named: str, words: str, names: list[str]) -> None:
    assert offered(words, database=named) == names


def test_bash_which_would_cut_a_name_with_blanks_is_not_offered_it(named: str) -> None:
    assert offered("campaign show na", "bash", database=named) == ["natal"]


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", None])
def test_without_a_database_nothing_is_offered_and_nothing_is_started(
    url: str | None, tmp_path: Path
) -> None:
    assert offered("campaign show n", database=url, home=tmp_path) == []

    assert list(tmp_path.iterdir()) == []
