"""Puts Retoma's schema, and procrastinate's, into a database: install, upgrade, status.

`sql/` is the schema of today; `migrations/` brings an older installation up to it. A database records the
hash of the `sql/` that it was made from, and its migrations, in `retoma_internal.schema_version`. See
migrations/README.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, LiteralString, Self

import psycopg
import structlog

from retoma import config
from retoma.database import session
from retoma.database.sql_files import (
    Migration,
    Script,
    hash_of,
    migrations,
    owners,
    pin_procrastinate,
    procrastinate_migrations,
    procrastinate_sql,
    scripts,
)
from retoma.errors import RetomaError

log = structlog.get_logger()

BASE = "0000"
"""Version under which the hash of `sql/` is recorded; the migrations begin at 0001."""

INSTALLED_VERSIONS: Final = "select component, version, checksum from retoma.installed_versions()"

State = Literal["absent", "unrecorded", "current", "older", "newer", "changed"]

_HAS_VERSIONS: LiteralString = """
select exists (
  select from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
  where n.nspname = 'retoma' and p.proname = 'installed_versions'
)
"""
_QUEUE_VERSION: LiteralString = """
select substring(obj_description(n.oid, 'pg_namespace') from 'procrastinate (.+)')
from pg_namespace as n where n.nspname = 'procrastinate'
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """The directories of the SQL that belongs to this code.

    Args:
        sql: holds install.sql.
        migrations: holds the numbered migrations.
    """

    sql: Path
    migrations: Path

    @classmethod
    def shipped(cls) -> Self:
        """Those of the installed package or the checkout."""
        return cls(config.sql_directory(), config.migrations_directory())


@dataclass(frozen=True, slots=True)
class Status:
    """The schema in a database, compared with this code.

    Args:
        state: "unrecorded" was installed from psql; "changed" was made from another sql/, or by a migration
            file that has been edited since.
        version: the newest recorded migration of Retoma; 0000 when there was none yet.
        procrastinate_version: the newest migration of procrastinate; None when unknown or absent.
        pending: file names of the migrations that `upgrade` would run, in order.
    """

    state: State
    version: str | None
    procrastinate_version: str | None
    pending: tuple[str, ...]


def install(conninfo: str, sources: Sources | None = None) -> bool:
    r"""Installs procrastinate's schema and Retoma's in one transaction; False when they were there already.

    A schema that was installed from psql (`\i sql/install.sql`) is recorded as being of this version.

    Raises:
        RetomaError: the database holds an older or newer version, or a procrastinate that is not Retoma's.
        psycopg.Error: the server refused something.
    """
    sources = sources or Sources.shipped()
    with _exclusive(conninfo, sources) as connection:
        before = _status(connection, sources)
        if before.state == "current":
            return False
        if before.state not in {"absent", "unrecorded"}:
            raise _refusal(before)
        _run_script(connection, Script.read(sources.sql / "10_base" / "server.sql"))
        if _one(connection, "select to_regclass('procrastinate.procrastinate_jobs') is null"):
            _run(connection, procrastinate_sql().encode())
        for script in scripts(sources.sql):
            _run_script(connection, script)
        _record_base(connection, sources.sql)
        _record(connection, "retoma", migrations(sources.migrations))
        _record(connection, "procrastinate", _procrastinate_installed(connection))
    return True


def upgrade(conninfo: str, sources: Sources | None = None) -> tuple[str, ...]:
    """Runs the migrations that the database lacks, Retoma's and then procrastinate's, in one transaction.

    Returns:
        The file names of the migrations that ran, in order; none when the database was up to date.

    Raises:
        RetomaError: nothing is installed, or the database is newer than this code.
        psycopg.Error: the server refused something; then nothing has changed.
    """
    sources = sources or Sources.shipped()
    with _exclusive(conninfo, sources) as connection:
        # A migration that waits for a lock makes every runner wait behind it.
        connection.execute("set local lock_timeout = '30s'")
        before = _status(connection, sources)
        if before.state not in {"current", "older"}:
            raise _refusal(before)
        pending = _pending(connection, "retoma", migrations(sources.migrations))
        for migration in pending:
            _run_script(connection, Script.read(migration.path))
        _record(connection, "retoma", pending)
        _record_base(connection, sources.sql)
        _upgrade_procrastinate(connection, sources.sql)
    return before.pending


def status(conninfo: str, sources: Sources | None = None) -> Status:
    """The schema in the database, for every role of Retoma. Changes nothing.

    Raises:
        RetomaError: this user has no role of Retoma.
        psycopg.OperationalError: the database cannot be reached.
    """
    with session.connect(conninfo, "retoma db") as connection:
        return _status(connection, sources or Sources.shipped())


def status_of(
    installed: Iterable[tuple[str, str, str]], sources: Sources, queue_version: str | None = None
) -> Status:
    """What the rows of `INSTALLED_VERSIONS` say about the schema, compared with this code.

    Args:
        installed: those rows.
        sources: the SQL of this code.
        queue_version: that of procrastinate, where they do not say it.
    """
    recorded: dict[str, dict[str, str]] = {"retoma": {}, "procrastinate": {}}
    for component, version, checksum in installed:
        recorded[component][version] = checksum
    known, retoma = migrations(sources.migrations), recorded["retoma"]
    queue_version = max(recorded["procrastinate"], default=queue_version)
    ours = _newer(retoma, known)
    queues = [m for m in procrastinate_migrations() if queue_version and m.version > queue_version]
    return Status(
        _state(retoma, known, hash_of(sources.sql), pending=bool(ours or queues)),
        max(retoma, default=None),
        queue_version,
        tuple(m.path.name for m in [*ours, *queues]),
    )


def refuse_other_version(installed: Iterable[tuple[str, str, str]]) -> None:
    """Let this code work with its own schema, and with one from psql, whose version nobody recorded.

    Args:
        installed: the rows of `INSTALLED_VERSIONS`.

    Raises:
        RetomaError: the schema is of another version.
    """
    found = status_of(installed, Sources.shipped())
    if found.state == "unrecorded":
        log.warning("schema_unrecorded", advice=_refusal(found).hint)
    elif found.state != "current":
        raise _refusal(found)


@contextmanager
def _exclusive(conninfo: str, sources: Sources) -> Iterator[psycopg.Connection]:
    """A transaction without another install or upgrade beside it, where no other role can change a schema."""
    with session.connect(conninfo, "retoma db", autocommit=False) as connection:
        connection.execute("set local search_path to pg_catalog, pg_temp")
        connection.execute("select pg_advisory_xact_lock(hashtext('retoma_internal.schema_version'))")
        _run_script(connection, owners(sources.sql))
        yield connection


def _status(connection: psycopg.Connection, sources: Sources) -> Status:
    if not _is_installed(connection):
        return Status("absent", None, _procrastinate_version(connection), ())
    if not _one(connection, "select has_schema_privilege('retoma', 'usage')"):
        raise RetomaError(
            f"{connection.info.user} has no role of Retoma, and sees nothing of it.",
            hint=f'As the owner of the schema: grant retoma_monitor to "{connection.info.user}"',
        )
    installed = connection.execute(INSTALLED_VERSIONS).fetchall()
    return status_of(installed, sources, _procrastinate_version(connection))


def _state(recorded: dict[str, str], known: Sequence[Migration], sql_hash: str, *, pending: bool) -> State:
    if not recorded:
        return "unrecorded"
    if recorded.keys() - {BASE, *(m.version for m in known)}:
        return "newer"
    if any(recorded.get(m.version, m.checksum) != m.checksum for m in known):
        return "changed"
    if pending:
        return "older"
    return "current" if recorded[BASE] == sql_hash else "changed"


_REFUSALS: Final[Mapping[State, tuple[str, str]]] = {
    "absent": ("Retoma is not installed in this database.", "retoma db install"),
    "unrecorded": (
        "Retoma was installed from psql here, so its version is not recorded.",
        "Record it with the same version of Retoma: retoma db install",
    ),
    "older": (
        "This database holds an older version; it lacks {1}.",
        "Stop the runners if the release notes say so, then: retoma db upgrade",
    ),
    "newer": (
        "This database was made by a newer Retoma (migration {0}).",
        "Install that version of the program: pip install --upgrade retoma",
    ),
    "changed": (
        "The SQL that this database was made from has been edited since.",
        "This happens between unreleased versions only. Drop the schemas retoma, retoma_internal and "
        "procrastinate (in a checkout: make clean), then: retoma db install",
    ),
}


def _refusal(found: Status) -> RetomaError:
    message, hint = _REFUSALS[found.state]
    return RetomaError(message.format(found.version, ", ".join(found.pending)), hint)


def _upgrade_procrastinate(connection: psycopg.Connection, sql: Path) -> None:
    pending = _pending(connection, "procrastinate", procrastinate_migrations())
    if not pending:
        return
    connection.execute("set local search_path = procrastinate, pg_temp")
    for migration in pending:
        _run_script(connection, Script.read(migration.path))
    _run_script(connection, pin_procrastinate(sql))
    connection.execute("set local search_path to pg_catalog, pg_temp")
    _record(connection, "procrastinate", pending)


def _procrastinate_installed(connection: psycopg.Connection) -> list[Migration]:
    version = _procrastinate_version(connection)
    found = [m for m in procrastinate_migrations() if m.version == version]
    if not found:
        raise RetomaError(
            "The schema procrastinate of this database was not made by Retoma, or by another version of it.",
            hint="Use a separate database for Retoma: createdb retoma.",
        )
    return found


def _procrastinate_version(connection: psycopg.Connection) -> str | None:
    if _is_installed(connection) and (recorded := _recorded(connection, "procrastinate")):
        return max(recorded)
    version: str | None = _one(connection, _QUEUE_VERSION)
    return version


def _recorded(connection: psycopg.Connection, component: str) -> dict[str, str]:
    rows = connection.execute(INSTALLED_VERSIONS).fetchall()
    return {version: checksum for of, version, checksum in rows if of == component}


def _pending(connection: psycopg.Connection, component: str, known: Iterable[Migration]) -> list[Migration]:
    return _newer(_recorded(connection, component), known)


def _newer(recorded: Mapping[str, str], known: Iterable[Migration]) -> list[Migration]:
    newest = max(recorded, default=None)
    return [m for m in known if newest is not None and m.version > newest]


def _record(connection: psycopg.Connection, component: str, applied: Iterable[Migration]) -> None:
    connection.cursor().executemany(
        "insert into retoma_internal.schema_version (component, version, name, checksum)"
        " values (%s, %s, %s, %s)",
        [(component, m.version, m.name, m.checksum) for m in applied],
    )


def _record_base(connection: psycopg.Connection, sql: Path) -> None:
    connection.execute(
        "insert into retoma_internal.schema_version (component, version, name, checksum)"
        " values ('retoma', %s, 'sql', %s)"
        " on conflict (component, version) do update set checksum = excluded.checksum, applied_at = now()",
        [BASE, hash_of(sql)],
    )


def _is_installed(connection: psycopg.Connection) -> bool:
    # Every role can read the catalog. to_regclass and its kind need a right.
    return bool(_one(connection, _HAS_VERSIONS))


def _one(connection: psycopg.Connection, query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]


def _run(connection: psycopg.Connection, text: bytes) -> None:
    # Without parameters this is the simple protocol, which takes many statements at once.
    connection.execute(text)


def _run_script(connection: psycopg.Connection, script: Script) -> None:
    try:
        _run(connection, script.text.encode())
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith("RT"):
            raise
        position = int(error.diag.statement_position or 1)
        line = script.first_line + script.text[: position - 1].count("\n")
        message = error.diag.message_primary
        raise RetomaError(f"{script.path}:{line}: {message}", error.diag.message_hint) from error
