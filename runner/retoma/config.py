"""Where things are: Retoma's own directory, the address in the environment, the SQL files of this code."""

import os
from pathlib import Path

from retoma.errors import RetomaError

DATABASE_URL_VARIABLE = "RETOMA_DATABASE_URL"
HOME_VARIABLE = "RETOMA_HOME"


def home() -> Path:
    """The directory for everything that Retoma writes: RETOMA_HOME, or .retoma in the current directory."""
    named = Path(os.environ.get(HOME_VARIABLE) or ".retoma").expanduser().absolute()
    # The last part is left as it is, so that a link there can still be seen to be another user's.
    return named.resolve() if named.name == ".." else named.parent.resolve() / named.name


def external_database_url() -> str | None:
    """The connection string in RETOMA_DATABASE_URL; None means that the embedded server is used."""
    return os.environ.get(DATABASE_URL_VARIABLE) or None


def sql_directory() -> Path:
    """The directory of install.sql: inside the wheel, or sql/ of the checkout."""
    return _shipped("_sql", "sql")


def migrations_directory() -> Path:
    """The directory of the numbered migrations: inside the wheel, or migrations/ of the checkout."""
    return _shipped("_migrations", "migrations")


def _shipped(in_wheel: str, in_checkout: str) -> Path:
    package = Path(__file__).resolve().parent
    for candidate in (package / in_wheel, package.parents[1] / in_checkout):
        if candidate.is_dir():
            return candidate
    raise RetomaError(
        f"The directory {in_checkout}/ that belongs to this version of Retoma is missing.",
        hint="Install Retoma again: pip install --force-reinstall retoma.",
    )
