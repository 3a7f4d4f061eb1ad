"""`retoma db` as a user sees it: output, exit codes, and what to do when something is wrong."""

import json
from pathlib import Path

from tests.support.clusters import Server
from tests.support.command import retoma

NOWHERE = "postgresql://postgres@127.0.0.1:1/retoma"


def test_install_says_what_it_did_and_is_harmless_again(empty_database: str) -> None:
    first = retoma("db", "install", database_url=empty_database)
    again = retoma("db", "install", "--json", database_url=empty_database)

    assert (first.returncode, first.stdout) == (0, "Installed.\n")
    assert (again.returncode, json.loads(again.stdout)) == (0, {"installed": False})


def test_upgrade_of_a_current_database_has_nothing_to_do(database: str) -> None:
    from_template = retoma("db", "upgrade", database_url=database)

    assert (from_template.returncode, from_template.stdout) == (0, "Already up to date.\n")


def test_status_exits_0_only_when_the_schema_is_current(database: str, empty_database: str) -> None:
    installed = retoma("db", "status", "--json", database_url=database)
    empty = retoma("db", "status", database_url=empty_database)

    assert installed.returncode == 0
    assert json.loads(installed.stdout)["state"] == "current"
    assert empty.returncode == 1
    assert "absent" in empty.stdout


def test_status_starts_nothing(tmp_path: Path) -> None:
    result = retoma("db", "status", "--json", home=tmp_path)

    assert (result.returncode, json.loads(result.stdout)) == (3, {"server": "absent"})
    assert list(tmp_path.iterdir()) == []


def test_psql_passes_its_arguments_and_exit_code(database: str) -> None:
    found = retoma(
        "db", "psql", "-At", "-c", "select count(*) from v_campaign_summary", database_url=database
    )
    wrong = retoma("db", "psql", "-v", "ON_ERROR_STOP=1", "-c", "select 1/0", database_url=database)
    missing_file = retoma("db", "psql", "-f", "no such file", database_url=database)

    assert (found.returncode, found.stdout) == (0, "0\n")
    assert wrong.returncode == 1
    assert missing_file.returncode == 1


def test_psql_hides_the_password_from_the_process_list(server: Server) -> None:
    url = server.url(tcp=True).replace("postgres@", "postgres:not-shown@")

    result = retoma("db", "psql", "-At", "-c", r"\! tr '\0' ' ' < /proc/$PPID/cmdline", database_url=url)

    assert "--dbname=" in result.stdout
    assert "not-shown" not in result.stdout


def test_url_prints_the_connection_string(database: str) -> None:
    assert retoma("db", "url", database_url=database).stdout == f"{database}\n"


def test_procrastinate_sql_can_be_piped_into_psql(empty_database: str) -> None:
    script = retoma("db", "procrastinate-sql").stdout

    piped = retoma("db", "psql", "-v", "ON_ERROR_STOP=1", "-q", text=script, database_url=empty_database)

    assert (piped.returncode, piped.stderr) == (0, "")


def test_an_unreachable_database_exits_3_with_a_hint_and_no_traceback() -> None:
    result = retoma("db", "install", database_url=NOWHERE)

    assert result.returncode == 3
    assert result.stderr.startswith("error: The database cannot be reached: ")
    assert "\nhint: Check RETOMA_DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_database_is_unreachable_too(server: Server) -> None:
    result = retoma("db", "status", database_url=server.url("no_such_database"))

    assert result.returncode == 3
    assert 'database "no_such_database" does not exist' in result.stderr


def test_a_server_of_yours_is_not_started_or_stopped() -> None:
    for command in ("start", "stop", "restart"):
        result = retoma("db", command, database_url=NOWHERE)

        assert result.returncode == 1
        assert "RETOMA_DATABASE_URL is set" in result.stderr
        assert "hint: Unset RETOMA_DATABASE_URL" in result.stderr


def test_wrong_usage_exits_2() -> None:
    assert retoma("db", "no-such-command").returncode == 2
    assert retoma("no-such-command").returncode == 2
    assert retoma("db", "stop", "--mode", "smart").returncode == 2
