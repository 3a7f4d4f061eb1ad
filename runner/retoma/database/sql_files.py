"""Reads the SQL files: sql/ as psql would, the migrations in order, and procrastinate's own schema."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from procrastinate.schema import SchemaManager


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file; versions sort as text."""

    version: str
    name: str
    path: Path

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Script:
    """A part of an installation that comes from one file.

    Args:
        path: the file.
        first_line: the line of the file at which the part begins, from 1.
        text: SQL only; psql's own commands are left out.
    """

    path: Path
    first_line: int
    text: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """A file that holds SQL only."""
        return cls(path, 1, path.read_text(encoding="utf-8"))


def owners(sql: Path) -> Script:
    """SQL that refuses schemas that another role could change; run before anything in them is read."""
    return Script.read(sql / "10_base" / "owners.sql")


def pin_procrastinate(sql: Path) -> Script:
    """SQL that makes procrastinate's functions work from any session; run after each of its migrations."""
    return Script.read(sql / "30_doorbell" / "pin_procrastinate.sql")


def scripts(sql: Path) -> Iterator[Script]:
    r"""Reads install.sql as psql would: follows each `\ir` and leaves psql's other commands out.

    `begin;` and `commit;` on separate lines in install.sql are left out too: they are for plain psql,
    here the whole installation is one transaction already.
    """
    return _expand(sql / "install.sql", skipped=re.compile(r"\\|(begin|commit);$"))


def migrations(directory: Path) -> list[Migration]:
    """The files NNNN_name.sql of a directory, in the order in which they run."""
    return _numbered(directory, re.compile(r"(\d{4})_(\w+)\.sql"))


def procrastinate_migrations() -> list[Migration]:
    """The migrations inside the installed procrastinate package; their names begin with its version."""
    directory = Path(SchemaManager.get_migrations_path())
    return _numbered(directory, re.compile(r"(\d\d\.\d\d\.\d\d_\d\d)_(\w+)\.sql"))


def procrastinate_sql() -> str:
    """SQL that installs procrastinate in its own schema.

    The comment on the schema keeps the version until `retoma_internal.schema_version` exists.
    """
    newest = procrastinate_migrations()[-1].version
    return f"""\
set client_min_messages = warning;
create schema procrastinate;
set search_path = procrastinate, pg_temp;
{SchemaManager.get_schema()}
comment on schema procrastinate is 'Job queue of Retoma, procrastinate {newest}';
reset search_path;
reset client_min_messages;
"""


def hash_of(sql: Path) -> str:
    """SHA-256 of everything that an installation from this directory runs, in hex."""
    digest = hashlib.sha256()
    for part in scripts(sql):
        digest.update(part.text.encode())
    return digest.hexdigest()


def _expand(path: Path, skipped: re.Pattern[str]) -> Iterator[Script]:
    lines: list[str] = []
    first_line = 1
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        included = re.match(r"\\ir\s+(\S+)", line)
        if included:
            yield from _script_of(path, first_line, lines)
            yield from _expand(path.parent / included[1], skipped=re.compile(r"\\"))
            lines, first_line = [], number + 1
        else:
            lines.append("" if skipped.match(line) else line)
    yield from _script_of(path, first_line, lines)


def _script_of(path: Path, first_line: int, lines: list[str]) -> Iterator[Script]:
    # The essay at the top of install.sql and blank lines between includes are not run.
    if any(line.strip() and not line.startswith("--") for line in lines):
        yield Script(path, first_line, "\n".join(lines) + "\n")


def _numbered(directory: Path, pattern: re.Pattern[str]) -> list[Migration]:
    found = ((pattern.fullmatch(path.name), path) for path in directory.iterdir())
    return sorted((Migration(m[1], m[2], path) for m, path in found if m), key=lambda m: m.version)
