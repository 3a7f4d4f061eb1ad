"""Who owns the schemas: functions run with the rights of their owner, so nobody else may change them."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from retoma import config
from retoma.database import schema, sql_files
from tests.support.campaigns import (
    accepted,
    advance,
    books,
    call,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    status,
    tick,
)
from tests.support.clusters import Server

ROLES = ("retoma_operator", "retoma_runner", "retoma_monitor")


@dataclass(frozen=True)
class Place:
    """An empty database with the three roles, and logins for it.

    Args:
        url: as superuser.
        database: its name.
    """

    url: str
    database: str

    def login(self, role: str, *attributes: str) -> str:
        """Makes a login whose name begins with role; returns its URL. It is gone with the database."""
        name = f"{role}_of_{self.database}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            statement = sql.SQL("create role {} login {}").format(
                sql.Identifier(name), sql.SQL(" ").join(map(sql.SQL, attributes))
            )
            connection.execute(statement)
        return make_conninfo(self.url, user=name)

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def place(server: Server) -> Iterator[Place]:
    url = server.create_empty_database()
    here = Place(url, str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))
    here.execute(
        f"do $$ declare r text; begin foreach r in array '{{{','.join(ROLES)}}}'::text[] loop"
        " if to_regrole(r) is null then execute format('create role %I nologin', r); end if; end loop; end $$"
    )
    yield here
    server.drop_database(url)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for (role,) in connection.execute(
            "select quote_ident(rolname) from pg_roles where rolname like %s", (f"%\\_of\\_{here.database}",)
        ).fetchall():
            connection.execute(f"drop role {role}")


def owned_by_a_plain_role(place: Place) -> str:
    """What upkeep describes: a login without any right but its database. Returns its URL."""
    url = place.login("owner")
    place.execute(f'alter database {place.database} owner to "owner_of_{place.database}"')
    return url


def test_an_owner_without_rights_installs_and_everybody_works(place: Place) -> None:
    """From the list to the last message, each login with one of the three roles and no more."""
    owner = owned_by_a_plain_role(place)
    assert schema.install(owner) is True
    assert schema.install(owner) is False
    operator, runner, monitor = (place.login(role, f"in role {role}") for role in ROLES)

    with psycopg.connect(operator, autocommit=True) as db:
        channel = make_channel(db)
        make_campaign(db, size=3)
        db.execute("update setting set retention = '30 days'")
    with psycopg.connect(runner, autocommit=True) as db:
        me = make_runner(db)
        tick(db, me)
        leased = must_lease(db, me, channel)
        step = advance(db, leased, want=2)
        advance(db, leased, accepted(*step.ordinals))
        assert call(db, "select count(*) from retoma.claim_doorbells(10)") == 1
        db.execute("select retoma.cleanup()")
        with psycopg.connect(monitor, autocommit=True) as watching:
            assert status(watching) == "running"
            assert books(watching) == {"sent": 2, "pending": 1}
            assert call(watching, "select state from v_runner") == "alive"

    with psycopg.connect(owner) as db:
        assert (
            call(db, "select bool_or(rolsuper or rolcreaterole) from pg_roles where rolname = current_user")
            is False
        )
        strangers = (
            "select count(*) from pg_proc where pronamespace::regnamespace::text ~ '^(retoma|procrastinate)'"
            " and proowner <> current_user::regrole"
        )
        assert call(db, strangers) == 0


def test_an_owner_without_rights_is_told_which_roles_are_missing(server: Server) -> None:
    """The roles belong to the server, and the tests share them: so this asks for others."""
    text = (config.sql_directory() / "10_base" / "roles.sql").read_text().replace("retoma_", "missing_")
    with psycopg.connect(server.url(), autocommit=True) as db:
        name = f"owner_{uuid4().hex}"
        db.execute(f"create role {name}")
        try:
            db.execute(f"set role {name}")
            with pytest.raises(psycopg.Error) as refusal:
                db.execute(text.encode())
        finally:
            db.execute("reset role")
            db.execute(f"drop role {name}")

    assert refusal.value.diag.constraint_name == "roles_missing"
    assert "missing_operator" in str(refusal.value.diag.message_hint)


@pytest.mark.parametrize("name", ["retoma", "retoma_internal", "procrastinate"])
def test_a_schema_that_another_role_made_is_refused(place: Place, name: str) -> None:
    place.login("mallory")
    place.execute(f'create schema {name} authorization "mallory_of_{place.database}"')

    assert_refused(place, f"the schema {name} belongs to mallory")


def test_a_schema_that_was_given_to_another_role_afterwards_is_refused(place: Place) -> None:
    schema.install(place.url)
    place.login("mallory")
    place.execute(f'alter schema retoma owner to "mallory_of_{place.database}"')

    assert_refused(place, "the schema retoma belongs to mallory")
    with pytest.raises(psycopg.Error, match="belongs to mallory"):
        schema.upgrade(place.url)


def test_a_schema_in_which_others_may_create_objects_is_refused(place: Place) -> None:
    schema.install(place.url)
    place.execute("grant create on schema retoma to public")

    assert_refused(place, "the schema retoma takes new objects from everybody")


@pytest.mark.parametrize(
    "trap",
    [
        "alter function retoma.clock() owner to {}",
        "alter table retoma_internal.event owner to {}",
        "alter function procrastinate.procrastinate_finish_job_v1 owner to {}",
    ],
)
def test_an_object_of_another_role_in_our_schemas_is_refused(place: Place, trap: str) -> None:
    schema.install(place.url)
    place.login("mallory")
    place.execute(trap.format(f'"mallory_of_{place.database}"'))

    assert_refused(place, "has objects of mallory")


@pytest.mark.parametrize("name", ["retoma", "retoma_internal", "procrastinate"])
def test_a_schema_of_another_program_of_the_same_owner_is_refused(place: Place, name: str) -> None:
    place.execute(f"create schema {name}", f"create table {name}.thing (id int)")

    assert_refused(place, "was not made by Retoma")


def test_nothing_of_a_schema_of_others_is_run(place: Place) -> None:
    """A view in place of the table of versions: whoever reads it, runs it."""
    mallory = place.login("mallory")
    place.execute(f'grant create on database {place.database} to "mallory_of_{place.database}"')
    with psycopg.connect(mallory, autocommit=True) as db:
        db.execute("create schema retoma_internal")
        db.execute("create table retoma_internal.taken (by_whom text)")
        db.execute(
            "create function retoma_internal.trap() returns text language sql"
            " begin atomic insert into retoma_internal.taken values (current_user) returning by_whom; end"
        )
        db.execute(
            "create view retoma_internal.schema_version as select 'retoma' as component,"
            " retoma_internal.trap() as version, '' as checksum"
        )

    assert_refused(place, "the schema retoma_internal belongs to mallory")

    with psycopg.connect(mallory) as db:
        assert call(db, "select count(*) from retoma_internal.taken") == 0


def test_a_function_of_others_in_the_path_of_the_installer_is_not_called(place: Place) -> None:
    """A body of SQL keeps for ever the function that its name meant when it was created."""
    place.execute(
        f"alter database {place.database} set search_path to public, pg_catalog",
        "create function public.clock_timestamp() returns timestamptz language sql"
        " begin atomic select timestamptz '2000-01-01'; end",
    )

    schema.install(place.url)

    with psycopg.connect(place.url) as db:
        assert call(db, "select retoma.clock() > '2020-01-01'") is True


def assert_refused(place: Place, words: str) -> None:
    """By the command and by plain psql; both change nothing."""
    before = schemas(place)
    with pytest.raises(psycopg.Error) as refusal:
        schema.install(place.url)
    assert words in str(refusal.value.diag.message_primary)
    assert refusal.value.diag.sqlstate == "RT020"
    assert refusal.value.diag.constraint_name == "foreign_schema"
    assert "createdb retoma" in str(refusal.value.diag.message_hint)

    whole = "".join(script.text for script in sql_files.scripts(config.sql_directory()))
    with psycopg.connect(place.url) as db, pytest.raises(psycopg.Error, match=words):
        db.execute(whole.encode())
    assert schemas(place) == before


def schemas(place: Place) -> list[tuple[str, str]]:
    with psycopg.connect(place.url) as db:
        return db.execute(
            "select nspname::text, nspowner::regrole::text from pg_namespace order by 1"
        ).fetchall()
