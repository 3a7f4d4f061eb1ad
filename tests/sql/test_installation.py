"""Every way to install the schema gives the same schema, and an upgrade gives it too."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from retoma import config
from retoma.database import schema, session, sql_files
from retoma.database.schema import Sources
from retoma.database.server import SUPERUSER
from retoma.errors import RetomaError
from tests.support import other_servers
from tests.support.clusters import Server

SEEDS = (
    "retoma.error_rule",
    "retoma.transport",
    "retoma.transport_setting",
    "retoma.transport_reading",
    "retoma.transport_kind",
    "retoma.content_kind",
    "retoma.content_limit",
    "retoma_internal.content_field",
    "retoma_internal.text_form",
    "retoma.setting",
)


def contents(server: Server, url: str) -> str:
    """The schema as pg_dump writes it, and the rows that every installation begins with."""
    dump = subprocess.run(
        [server.program("pg_dump"), "--schema-only", "--encoding=UTF8", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Newer versions of pg_dump put a random word into these two lines.
    lines = [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    with session.connect(url, "test") as connection:
        for table in SEEDS:
            lines += [row[0] for row in connection.execute(f"select t::text from {table} as t order by 1")]
    return "\n".join(lines)


def psql(server: Server, url: str, text: str) -> subprocess.CompletedProcess[str]:
    """Runs text in psql, in the directory above sql/, as a person who types it there."""
    return subprocess.run(
        [server.program("psql"), "--no-psqlrc", "--quiet", url],
        input=text,
        cwd=config.sql_directory().parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """The real sql/ beside a directory of migrations that a test may add to."""
    (tmp_path / "0001_first.sql").write_text("select 'sql/ has it already'")
    return Sources(config.sql_directory(), tmp_path)


@pytest.fixture
def later_release(sources: Sources) -> Callable[[str], Sources]:
    """Makes a second migration out of SQL, as a later release would bring it."""

    def release(text: str) -> Sources:
        (sources.migrations / "0002_later.sql").write_text(text)
        return sources

    return release


def test_the_migrations_in_order_give_what_sql_gives(
    server: Server, database: str, empty_database: str
) -> None:
    # Until the first release is frozen as 0001, what the migrations start from is sql/ itself.
    with psycopg.connect(empty_database) as connection:
        connection.execute(sql_files.procrastinate_sql().encode())
        for script in sql_files.scripts(config.sql_directory()):
            connection.execute(script.text.encode())
        for migration in sql_files.migrations(config.migrations_directory()):
            connection.execute(migration.path.read_bytes())

    assert contents(server, empty_database) == contents(server, database)


def test_installing_again_changes_nothing(server: Server, database: str) -> None:
    before = contents(server, database)

    assert schema.install(database) is False
    assert psql(server, database, "\\i sql/install.sql").stderr == ""

    assert contents(server, database) == before


def test_plain_psql_installs_the_same_schema(server: Server, database: str, empty_database: str) -> None:
    psql(server, empty_database, sql_files.procrastinate_sql())

    assert psql(server, empty_database, "\\i sql/install.sql").stderr == ""

    assert contents(server, empty_database) == contents(server, database)


def test_plain_psql_says_that_procrastinate_is_missing_and_installs_nothing(
    server: Server, empty_database: str
) -> None:
    before = contents_of_empty(empty_database)

    result = psql(server, empty_database, "\\i sql/install.sql")

    assert "procrastinate is not installed" in result.stderr
    assert "retoma db procrastinate-sql | psql" in result.stderr
    assert contents_of_empty(empty_database) == before


def contents_of_empty(url: str) -> list[tuple[str]]:
    """The schemas of a database."""
    with psycopg.connect(url) as connection:
        return connection.execute("select nspname from pg_namespace order by 1").fetchall()


def test_a_schema_from_plain_psql_is_recorded_by_install(server: Server, empty_database: str) -> None:
    psql(server, empty_database, sql_files.procrastinate_sql() + "\\i sql/install.sql")
    assert schema.status(empty_database).state == "unrecorded"

    assert schema.install(empty_database) is True

    assert schema.status(empty_database).state == "current"


def test_two_installations_at_once_leave_one(empty_database: str) -> None:
    with ThreadPoolExecutor() as threads:
        installed = list(threads.map(schema.install, [empty_database, empty_database]))

    assert sorted(installed) == [False, True]


def test_upgrade_runs_what_is_missing_once(
    empty_database: str, sources: Sources, later_release: Callable[[str], Sources]
) -> None:
    schema.install(empty_database, sources)
    newer = later_release("create table retoma.added_later (id int);")
    assert schema.status(empty_database, newer).state == "older"

    assert schema.upgrade(empty_database, newer) == ("0002_later.sql",)
    assert schema.upgrade(empty_database, newer) == ()

    assert schema.status(empty_database, newer).version == "0002"
    with psycopg.connect(empty_database) as connection:
        connection.execute("select id from retoma.added_later")


def test_a_failing_upgrade_changes_nothing_and_names_the_line(
    empty_database: str, sources: Sources, later_release: Callable[[str], Sources]
) -> None:
    schema.install(empty_database, sources)
    newer = later_release("create table retoma.added_later (id int);\n\nselect no_such_column;")

    with pytest.raises(RetomaError, match=r"0002_later.sql:3: .*no_such_column"):
        schema.upgrade(empty_database, newer)

    assert schema.status(empty_database, newer).pending == ("0002_later.sql",)
    with psycopg.connect(empty_database) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("select id from retoma.added_later")


def test_install_refuses_an_older_database(
    empty_database: str, sources: Sources, later_release: Callable[[str], Sources]
) -> None:
    schema.install(empty_database, sources)

    with pytest.raises(RetomaError, match=r"lacks 0002_later.sql") as refusal:
        schema.install(empty_database, later_release("select 1"))

    assert "retoma db upgrade" in (refusal.value.hint or "")


@pytest.mark.parametrize("command", [schema.install, schema.upgrade])
def test_a_database_of_a_newer_release_is_refused(
    command: Callable[..., object],
    empty_database: str,
    sources: Sources,
    later_release: Callable[[str], Sources],
) -> None:
    schema.install(empty_database, later_release("select 1"))
    (sources.migrations / "0002_later.sql").unlink()

    with pytest.raises(RetomaError, match="newer Retoma"):
        command(empty_database, sources)


def test_a_migration_that_was_edited_after_it_ran_is_noticed(empty_database: str, sources: Sources) -> None:
    schema.install(empty_database, sources)
    (sources.migrations / "0001_first.sql").write_text("select 'edited'")

    with pytest.raises(RetomaError, match="edited"):
        schema.install(empty_database, sources)


def test_a_database_that_was_made_from_another_sql_is_noticed(
    empty_database: str, sources: Sources, tmp_path: Path
) -> None:
    edited = tmp_path / "sql"
    shutil.copytree(sources.sql, edited)
    schema.install(empty_database, sources)
    with (edited / "10_base" / "clock.sql").open("a") as file:
        file.write("select 'one more statement';\n")

    for command in (schema.install, schema.upgrade):
        with pytest.raises(RetomaError, match="edited"):
            command(empty_database, Sources(edited, sources.migrations))

    assert schema.status(empty_database, sources).state == "current"


def test_upgrade_needs_an_installation(empty_database: str) -> None:
    with pytest.raises(RetomaError, match="not installed"):
        schema.upgrade(empty_database)


def test_upgrade_brings_an_older_procrastinate_up_to_date(
    server: Server, database: str, empty_database: str
) -> None:
    older, newer = procrastinate_at_version_3_3()
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("create schema procrastinate; set search_path = procrastinate, pg_temp")
        for migration in older:
            connection.execute(migration.path.read_bytes())
        comment = (
            f"comment on schema procrastinate is 'Job queue of Retoma, procrastinate {older[-1].version}'"
        )
        connection.execute(comment.encode())
    schema.install(empty_database)

    assert schema.upgrade(empty_database) == tuple(migration.path.name for migration in newer)

    assert schema.status(empty_database).state == "current"
    assert routines(empty_database) == routines(database)


def procrastinate_at_version_3_3() -> tuple[list[sql_files.Migration], list[sql_files.Migration]]:
    """procrastinate's migrations up to its version 3.3, and those after it."""
    known = sql_files.procrastinate_migrations()
    older = [migration for migration in known if migration.version < "03.04"]
    return older, known[len(older) :]


def routines(url: str) -> list[tuple[str, list[str]]]:
    """The functions of procrastinate with their pinned settings."""
    query = """
    select p.oid::regprocedure::text, p.proconfig from pg_proc as p
    where p.pronamespace = 'procrastinate'::regnamespace order by 1
    """
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_a_procrastinate_of_somebody_else_is_left_alone(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(sql_files.procrastinate_sql().encode())
        connection.execute("comment on schema procrastinate is null")

    with pytest.raises(psycopg.Error, match="not made by Retoma"):
        schema.install(empty_database)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_is_not_utf_8_is_refused(server: Server, encoding: str) -> None:
    url = server.url(f"in_{encoding.lower()}")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(
            f"create database in_{encoding.lower()} encoding '{encoding}' locale 'C' template template0"
        )
    before = contents_of_empty(url)

    with pytest.raises(psycopg.Error) as refused:
        schema.install(url)

    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("RT020", "not_utf8")
    assert contents_of_empty(url) == before
    with psycopg.connect(server.url(), autocommit=True) as connection:
        # What the hint says.
        connection.execute((refused.value.diag.message_hint or "").partition(": ")[2].encode())
        connection.execute("drop database retoma")
    server.drop_database(url)


@pytest.mark.parametrize("way", ["psql", "retoma"])
def test_the_same_schema_comes_out_on_a_server_that_somebody_else_set_up(
    server: Server, database: str, empty_database: str, way: str
) -> None:
    other_servers.set_up(server, empty_database)

    if way == "retoma":
        schema.install(empty_database)
    else:
        psql(
            server,
            empty_database,
            "set default_transaction_read_only to off;" + sql_files.procrastinate_sql(),
        )
        assert psql(server, empty_database, "\\i sql/install.sql").stderr == ""

    other_servers.take_back(
        server, empty_database
    )  # pg_dump writes texts and times as its session shows them
    assert contents(server, empty_database) == contents(server, database)


@pytest.mark.parametrize("role", ["retoma_operator", "retoma_runner", "retoma_monitor"])
def test_every_role_sees_the_status(server: Server, database: str, role: str) -> None:
    with login(server, database, role) as url:
        assert schema.status(url) == schema.status(database)


def test_a_user_without_a_role_of_retoma_is_told_so(server: Server, database: str) -> None:
    with (
        login(server, database, "pg_monitor") as url,
        pytest.raises(RetomaError, match="someone has no role of Retoma") as refusal,
    ):
        schema.status(url)

    assert refusal.value.hint == 'As the owner of the schema: grant retoma_monitor to "someone"'


@contextmanager
def login(server: Server, database: str, role: str) -> Iterator[str]:
    """The URL of the same database for a user who has only this role."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create user someone in role {role}".encode())
        yield database.replace(f"{SUPERUSER}@", "someone@")
        connection.execute("drop user someone")
