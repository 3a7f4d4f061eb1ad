"""`retoma watch`: its output, its end, and that it survives a restart of the database."""

import datetime
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from rich.console import Console

from retoma.monitor.display import Lines, Picture
from retoma.monitor.snapshot import Campaign, Channel, Pace, Snapshot
from tests.support import clusters
from tests.support.command import environment, retoma
from tests.support.waiting import wait_until


def start(db: psycopg.Connection, name: str) -> None:
    """A running campaign of one message."""
    db.execute("select retoma.create_channel('sales', 'null')")
    db.execute("select retoma.create_campaign(%s, 'sales', 'Olá')", [name])
    db.execute("select retoma.add_recipients(%s, %s)", [name, Jsonb([{"phone": "+5511955500001"}])])
    db.execute("select retoma.start_campaign(%s)", [name])


def send(db: psycopg.Connection) -> None:
    """Do what a runner does for that message."""
    runner = uuid4()
    db.execute("select retoma.register_runner(%s, 'runner one')", [runner])
    lease = db.execute("select batch_id, lease_epoch from retoma.lease_batch(%s, 1)", [runner]).fetchone()
    assert lease is not None
    db.execute("select retoma.advance_batch(%s, %s, %s, '[]', 1)", [runner, *lease])
    outcome = Jsonb([{"ordinal": 1, "status": "accepted"}])
    db.execute("select retoma.advance_batch(%s, %s, %s, %s, 0)", [runner, *lease, outcome])


@contextmanager
def watching(database: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A `retoma watch` in the background."""
    process = subprocess.Popen(
        [sys.executable, "-m", "retoma", "watch", "--interval", "0.05", *arguments],
        env=environment(database_url=database),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The first line with these words; fails when the output ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"the output ended without: {words}")


def test_until_done_ends_when_the_campaign_is_completed(database: str, db: psycopg.Connection) -> None:
    start(db, "spring")

    with watching(database, "spring", "--until-done") as process:
        read_until(process, "spring: interrupted, 0 of 1 (0 %), because: no runner is alive")
        send(db)
        read_until(process, "spring: completed, 1 of 1 (100 %)")

        assert process.wait(60) == 0


def test_until_done_exits_1_when_one_was_cancelled(database: str, db: psycopg.Connection) -> None:
    start(db, "spring")
    db.execute("select retoma.cancel_campaign('spring')")

    result = retoma("watch", "spring", "--until-done", database_url=database)

    assert result.returncode == 1
    assert "spring: cancelled" in result.stdout


def test_without_a_name_it_shows_what_is_under_way_and_what_comes(
    database: str, db: psycopg.Connection
) -> None:
    with watching(database) as process:
        read_until(process, "runners alive: none")
        start(db, "spring")
        read_until(process, "spring: interrupted")
        read_until(process, "channel sales: connected")


def test_ctrl_c_is_a_clean_end(database: str) -> None:
    with watching(database) as process:
        read_until(process, "runners alive: none")
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0


def test_json_is_a_document_a_line(database: str, db: psycopg.Connection) -> None:
    start(db, "spring")
    send(db)

    result = retoma("watch", "spring", "--until-done", "--json", database_url=database)

    document = json.loads(result.stdout)
    assert document["campaigns"][0]["status"] == "completed"
    assert document["campaigns"][0]["sent"] == 1
    assert document["runners"] == ["runner one"]


def test_an_unknown_campaign_exits_1(database: str) -> None:
    result = retoma("watch", "none", database_url=database)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: There is no campaign 'none'.\nhint: ")


def test_it_waits_for_a_database_that_restarts() -> None:
    with clusters.running("pg18") as server:
        database = server.create_database()
        with psycopg.connect(database, autocommit=True) as connection:
            start(connection, "spring")
        with watching(database, "spring", "--until-done") as process:
            read_until(process, "spring: interrupted")
            server.stop("immediate")
            read_until(process, "The database is away")
            server.start()
            read_until(process, "The database is back")
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("select retoma.cancel_campaign('spring')")

            assert wait_until(lambda: process.poll() is not None)
            assert process.returncode == 1


def test_a_database_that_is_not_there_at_all_exits_3() -> None:
    result = retoma("watch", database_url="postgresql://postgres@127.0.0.1:1/retoma")

    assert result.returncode == 3
    assert "hint: Check RETOMA_DATABASE_URL" in result.stderr


def snapshot(**changes: object) -> Snapshot:
    books = dict.fromkeys(("pending", "sending", "sent", "failed", "skipped", "in_doubt", "cancelled"), 0)
    waits = {"reason": None, "waits_until": None}
    facts = {"name": "May [bold]", "status": "running", "total": 100, **waits, **books, **changes}
    held = Channel("sales", "connected", None, "http_429", 12.0, 1)
    return Snapshot((Campaign(**facts),), (held,), ("runner one",))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_picture_fits_the_terminal(width: int) -> None:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)

    with Picture(console) as picture:
        picture.show(snapshot(pending=60, sent=37, in_doubt=3))

    assert isinstance(console.file, StringIO)
    output = console.file.getvalue()
    assert "in doubt" in output
    assert "runner one" in output


def test_the_picture_shows_names_and_reasons_as_they_are() -> None:
    console = Console(file=StringIO(), width=140, force_terminal=True, color_system=None)

    with Picture(console) as picture:
        picture.show(snapshot(status="interrupted", reason="channel sales is [red]", pending=100))

    assert isinstance(console.file, StringIO)
    assert "May [bold]" in console.file.getvalue()
    assert "because: channel sales is [red]" in console.file.getvalue()
    assert "sales connected (http_429), next in 0:12" in console.file.getvalue()


def test_lines_say_what_changed_and_nothing_twice() -> None:
    lines: list[str] = []
    display = Lines(lambda line: lines.append(line.partition("  ")[2]))

    for sent in (10, 10, 20):
        display.show(snapshot(sent=sent, pending=100 - sent))

    assert lines[0] == "May [bold]: running, 10 of 100 (10 %)"
    assert lines[1:3] == ["channel sales: connected (http_429), next in 0:12", "runners alive: runner one"]
    assert [line.split(",")[1] for line in lines[3:]] == [" 20 of 100 (20 %)"]


def test_what_was_cancelled_was_not_done() -> None:
    lines: list[str] = []
    display = Lines(lambda line: lines.append(line.partition("  ")[2]))

    display.show(snapshot(status="cancelled", sent=40, cancelled=60))
    display.show(snapshot(status="draft", total=0))

    found = [line for line in lines if line.startswith("May")]
    assert found == ["May [bold]: cancelled, 40 of 100 (40 %), 60 cancelled", "May [bold]: draft, 0 of 0"]


def test_times_are_shown_in_the_zone_of_the_terminal_which_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    until = datetime.datetime(2030, 5, 31, 12, tzinfo=datetime.UTC)
    lines: list[str] = []
    try:
        Lines(lines.append).show(snapshot(reason="it is outside its windows", waits_until=until))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert re.match(r"\d\d:\d\d:\d\d -03  May ", lines[0])
    assert lines[0].endswith("because: it is outside its windows, until Fri 2030-05-31 09:00 -03")


def test_a_campaign_that_waits_is_shown_and_given_to_programs(database: str, db: psycopg.Connection) -> None:
    db.execute("select retoma.register_runner(%s, 'runner one')", [uuid4()])
    db.execute("select retoma.create_channel('sales', 'null')")
    db.execute("select retoma.create_campaign('spring', 'sales', 'Olá', p_time_zone => 'UTC')")
    db.execute("select retoma.add_recipients('spring', %s)", [Jsonb([{"phone": "+5511955500001"}])])
    tomorrow = "extract(isodow from now() + interval '1 day')::int"
    db.execute(f"select retoma.add_window('spring', '09:00', '10:00', array[{tomorrow}])")
    db.execute("select retoma.start_campaign('spring')")

    with watching(database, "spring") as process:
        assert ", until " in read_until(process, "because: it is outside its windows")
    with watching(database, "spring", "--json") as process:
        campaign = json.loads(read_until(process, "outside its windows"))["campaigns"][0]

    assert datetime.datetime.fromisoformat(campaign["waits_until"]) > datetime.datetime.now(datetime.UTC)


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    pace = Pace()
    for second in range(100):
        pace.note(second, done=10 * second if second < 50 else 500 + 2 * (second - 50))

    assert pace.per_s == pytest.approx(2)
    assert pace.seconds_for(10) == pytest.approx(5)
    assert Pace.seconds_for(_standing_still(), 10) is None


def _standing_still() -> Pace:
    pace = Pace()
    pace.note(0, done=5)
    pace.note(10, done=5)
    return pace
