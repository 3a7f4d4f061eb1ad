"""`retoma demo`: it proves what it says, it says when something is wrong, and it leaves nothing behind."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.types.json import Jsonb

from retoma.importer.cells import PhoneError
from retoma.importer.phones import normaliser
from retoma.rehearsal.audit import audit
from retoma.rehearsal.demo import contacts
from tests.support.command import environment, retoma


@pytest.fixture
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="retoma-home-"))
    yield directory
    shutil.rmtree(directory)


def children_of(home: Path) -> list[psutil.Process]:
    """Sandbox, receiver and runners of a demo, by the home in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            is_of_this_home = process.environ().get("RETOMA_HOME") == str(home)
            if is_of_this_home and {"sandbox", "receive", "runner"} & set(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def start_demo(home: Path, database: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "retoma", "demo", *arguments],
        env=environment(home=home, database_url=database),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(demo: subprocess.Popen[str], words: str) -> None:
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if words in line:
            return
    raise AssertionError("".join(seen))


def test_it_loses_nothing_when_a_runner_is_killed(database: str, home: Path) -> None:
    result = retoma("demo", "--recipients", "1200", "--rate", "40", home=home, database_url=database)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1,200 accepted" in result.stdout
    assert "oferta (pt_BR), read from the provider: MARKETING, APPROVED" in result.stdout
    assert "image: 24 recipients = 24 sent + " in result.stdout
    assert "template: 24 recipients = " in result.stdout
    assert "kill -9" in result.stdout
    assert "is reaped: runner gone" in result.stdout
    assert "PASS      lost 0, duplicated 0" in result.stdout
    assert children_of(home) == []


def test_it_takes_a_list_and_a_text_of_your_own_again_and_again(
    database: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("who,mobile\nAna,+5511955500001\nAna,+55 11 95550-0001\nRui,+5511955500002\nX,12\n")

    for _ in range(2):
        result = retoma(
            "demo", "--csv", str(file), "--text", "Hi {{ who }}", home=home, database_url=database
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert "4 rows, 2 accepted, 1 duplicates merged, 1 rejected" in result.stdout
        assert "message   the first one, to +5511955500001:\n            Hi Ana\n" in result.stdout
        assert "the sandbox delivered 4 different messages" in result.stdout
    assert list(tmp_path.iterdir()) == [file]


def test_a_list_without_a_usable_row_exits_1(database: str, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,phone\nAna,12\n")

    result = retoma("demo", "--csv", str(file), home=home, database_url=database)

    assert result.returncode == 1
    assert "error: " in result.stderr
    assert "hint: " in result.stderr
    assert children_of(home) == []


@pytest.mark.parametrize(
    ("content", "text", "words"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "Oi", "xlsx"),
        (b"nome,telefone\n", "Oi", "no rows below its header"),
        (b"nome,telefone\nAna,12\n", "Oi", "has no row that can be used"),
        (b"nome,telefone\nAna,+5511955500001\n", "Oi {nome}", "“nome” in single braces"),
        (b"nome,telefone\nAna,+5511955500001\n", "Oi {{ Nome }}", "in the list it is nome, not Nome"),
        (
            b"valor;telefone\n1.234,50;+5511955500001\n",
            "{{ valor | times: 2 }}",
            "None of the first 1 messages",
        ),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(
    database: str, home: Path, tmp_path: Path, *, content: bytes, text: str, words: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)

    result = retoma("demo", "--csv", str(file), "--text", text, home=home, database_url=database)

    assert result.returncode == 1
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr
    assert children_of(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_all_its_processes(
    database: str, db: psycopg.Connection, home: Path, number: signal.Signals
) -> None:
    demo = start_demo(home, database, "--rate", "20")
    read_until(demo, "of 16,000 (")
    assert len(children_of(home)) == 4

    demo.send_signal(number)

    assert demo.wait(60) == 1
    assert children_of(home) == []
    assert db.execute("select distinct status from retoma.v_campaign_summary").fetchall() == [("cancelled",)]


def test_what_a_killed_demo_left_does_not_disturb_the_next(
    database: str, db: psycopg.Connection, home: Path
) -> None:
    killed = start_demo(home, database, "--rate", "20")
    read_until(killed, "of 16,000 (")
    killed.kill()
    killed.communicate()
    for process in children_of(home):
        process.kill()
        process.wait()

    result = retoma("demo", "--recipients", "600", home=home, database_url=database)

    assert result.returncode == 0, result.stdout + result.stderr
    statuses = db.execute("select status from retoma.v_campaign_summary order by created_at").fetchall()
    assert statuses == [("cancelled",)] * 3 + [("completed",)] * 3


def test_two_at_once_in_one_home_are_refused(database: str, home: Path) -> None:
    first = start_demo(home, database, "--rate", "20")
    read_until(first, "of 16,000 (")

    second = retoma("demo", home=home, database_url=database)

    assert second.returncode == 1
    assert second.stderr.startswith(f"error: Another demo is running in {home}.\nhint: ")
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)


def test_keep_leaves_sandbox_and_runners_up_until_ctrl_c(database: str, home: Path) -> None:
    demo = start_demo(home, database, "--recipients", "50", "--no-kill", "--keep")
    read_until(demo, "keep running")
    assert len(children_of(home)) == 4

    demo.send_signal(signal.SIGINT)

    assert demo.wait(60) == 0
    assert children_of(home) == []


def test_a_setting_in_your_database_stays(database: str, db: psycopg.Connection, home: Path) -> None:
    db.execute("update retoma.setting set lookup_after = '5 minutes'")

    retoma("demo", "--recipients", "50", home=home, database_url=database)

    assert db.execute("select lookup_after::text from retoma.setting").fetchone() == ("00:05:00",)


def test_the_generated_numbers_are_valid_and_different(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    contacts.write(file, 5_000)
    normalise = normaliser("BR")

    numbers, refused = [], 0
    for row in file.read_text(encoding="utf-8").splitlines()[1:]:
        try:
            numbers.append(normalise(row.split(",")[1])[0])
        except PhoneError:
            refused += 1

    assert len(set(numbers)) == 5_000
    assert len(numbers) > 5_000
    assert refused > 0
    assert all(number[5:9] == "9555" for number in numbers)


def in_ledger(file: Path, *entries: tuple[str, str, str]) -> Path:
    """A ledger with these (message id, number, kind)."""
    lines = [json.dumps({"message_id": i, "to": to, "kind": kind}) for i, to, kind in entries]
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def test_the_audit_finds_what_is_lost_duplicated_or_misjudged(db: psycopg.Connection, tmp_path: Path) -> None:
    people = [{"phone": f"+551195550000{n}"} for n in range(4)]
    db.execute("select retoma.create_channel('sales', 'null')")
    db.execute("select retoma.create_campaign('spring', 'sales', 'Olá')")
    db.execute("select retoma.add_recipients('spring', %s)", [Jsonb(people)])
    messages = db.execute("select message_id, phone from retoma.message_state order by ordinal").fetchall()
    lost, twice = messages[:2]

    nothing = audit(db, ["spring"], in_ledger(tmp_path / "empty"))
    double = audit(
        db,
        ["spring"],
        in_ledger(
            tmp_path / "double", (*twice, "accepted"), (*twice, "duplicate"), (*twice, "repeat"),
            (*lost, "refused"), ("0" * 32, "+15550100", "accepted"),
        ),
    )  # fmt: skip
    db.execute("select retoma.cancel_campaign('spring')")
    wrong = audit(db, ["spring"], in_ledger(tmp_path / "wrong", (*twice, "accepted")))

    assert (nothing.lost, nothing.duplicated, nothing.is_clean) == (4, 0, False)
    assert (double.lost, double.duplicated, double.repeats, double.delivered) == (3, 1, 1, 1)
    assert (wrong.lost, wrong.misjudged, wrong.is_clean) == (0, 1, False)
