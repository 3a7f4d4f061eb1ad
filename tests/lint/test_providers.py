"""What Retoma knows of a provider stands in its transport and in the rows of the seed, nowhere else."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retoma import config

_ROOT = config.sql_directory().parent
_NAMES = re.compile(r"waha|noweb|gows|webjs|evolution|baileys|whatsmeow", re.IGNORECASE)

# The demo drives its sandbox, and the help of the commands shows examples.
_MAY_NAME_PROVIDERS = ("transports", "rehearsal", "cli")


def sql_files() -> Iterator[Path]:
    for file in (_ROOT / "sql").rglob("*.sql"):
        if file.parent.name != "25_seed":
            yield file


def modules() -> Iterator[Path]:
    package = _ROOT / "runner" / "retoma"
    for file in package.rglob("*.py"):
        if file.relative_to(package).parts[0] not in _MAY_NAME_PROVIDERS:
            yield file


@pytest.mark.parametrize("files", [sql_files, modules], ids=["sql", "runner"])
def test_no_provider_is_named_here(files: Callable[[], Iterator[Path]]) -> None:
    found = [
        f"{file.relative_to(_ROOT)}:{number}: {line.strip()}"
        for file in files()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        # The list of the files of the seed names those of the transports.
        if _NAMES.search(line) and not line.startswith(r"\ir 25_seed/")
    ]

    assert found == []
