"""`retoma import` as a user runs it: a file goes into a draft campaign wholly, or not at all."""

import csv
import io
import json
import os
import pty
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import cast

import psycopg
import pytest

from retoma.importer import run
from retoma.importer.load import Block, Loaded
from tests.support.campaigns import call
from tests.support.waiting import wait_until

Run = subprocess.CompletedProcess[str]
Import = Callable[..., Run]


@pytest.fixture
def importing(database: str, db: psycopg.Connection, tmp_path: Path) -> Import:
    """Runs `retoma import` with these arguments in an empty directory, with a draft campaign "natal"."""
    db.execute("select retoma.create_channel('sales', 'null')")
    db.execute("select retoma.create_campaign('natal', 'sales'::text, 'Oi {{ nome }}')")
    db.commit()

    def run(*arguments: str, stdin: bytes = b"", largest_file: int | None = None) -> Run:
        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        environment = {**os.environ, "RETOMA_DATABASE_URL": database}
        if largest_file is not None:
            # The limit would hold for the figures of coverage too.
            environment.pop("COVERAGE_PROCESS_CONFIG", None)
        done = subprocess.run(
            [sys.executable, "-m", "retoma", "import", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment,
            timeout=300,
            preexec_fn=limit,
            check=False,
        )
        return Run(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def audience(db: psycopg.Connection) -> list[tuple[str, dict[str, str], str | None]]:
    rows = db.execute(
        "select phone, variables, zone from retoma_internal.message order by ordinal"
    ).fetchall()
    db.commit()
    return [(phone, variables, zone) for phone, variables, zone in rows]


def test_a_spreadsheet_becomes_the_audience(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_bytes(
        "sep=;\r\nNome;Telefone;Cidade\r\nJoão;(11) 95550-1234;São Paulo\r\nZoë;+351 912 345 678;\r\n".encode(
            "windows-1252"
        )
    )

    done = importing("list.csv", "--campaign", "natal", "--region", "BR")

    assert done.returncode == 0, done.stderr
    assert "Telefone" in done.stderr
    assert "{{ cidade }}" in done.stderr
    assert audience(db) == [
        ("+5511955501234", {"nome": "João", "cidade": "São Paulo"}, "America/Sao_Paulo"),
        ("+351912345678", {"nome": "Zoë"}, "Atlantic/Azores,Europe/Lisbon"),
    ]
    assert not list(tmp_path.glob("*.rejects.csv"))


def test_values_arrive_as_they_are(importing: Import, db: psycopg.Connection) -> None:
    value = 'a\\b\tc\n"d" \\N \\u0000 {{ x }} \x01'
    text = "phone,nome\n+5511955501234," + '"' + value.replace('"', '""') + '"\n'

    done = importing("-", "--campaign", "natal", stdin=text.encode())

    assert done.returncode == 0, done.stderr
    assert audience(db)[0][1] == {"nome": value}


def test_the_summary_is_json_on_demand(importing: Import) -> None:
    rows = b"phone;nome\n+5511955501234;Ana\n+55 11 95550-1234;Ana\n5,51199E+12;Bia\n"

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["rows"], summary["accepted"], summary["duplicates"], summary["rejected"]) == (3, 1, 1, 1)
    assert summary["rejected_by"] == {"scientific_notation": 1}
    assert summary["rejects_file"] == "import.rejects.csv"
    assert summary["variables"] == {"nome": "nome"}


def test_refused_rows_are_kept_with_line_and_reason(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        'nome;phone\n"Ana\nMaria";+5511955501234\nBia;11 8555-1234\n;\nCaio;+5511955505678;extra\nDora;\n'
    )

    done = importing("list.csv", "--campaign", "natal", "--region", "br")

    assert done.returncode == 0, done.stderr
    rejects = tmp_path / "list.rejects.csv"
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["reject_line", "reject_reason", "reject_message", "nome", "phone"]
    assert [(row[0], row[1], row[3:]) for row in rows[1:]] == [
        ("4", "brazil_ninth_digit", ["Bia", "11 8555-1234"]),
        ("6", "too_many_fields", ["Caio", "'+5511955505678", "extra"]),
        ("7", "empty", ["Dora", ""]),
    ]
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_a_corrected_file_of_rejects_is_imported_like_any_other(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("nome;phone\nBia;+55 11 8555-1234\n")
    assert importing("list.csv", "--campaign", "natal").returncode == 1
    rejects = tmp_path / "list.rejects.csv"
    rejects.write_text(rejects.read_text("utf-8-sig").replace("11 8555-1234", "11 98555-1234"))

    done = importing("list.rejects.csv", "--campaign", "natal")

    assert done.returncode == 0, done.stderr
    assert audience(db) == [("+5511985551234", {"nome": "Bia"}, "America/Sao_Paulo")]


FORMULAS = [
    "=1+1",
    "+cmd",
    "-2",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "'=1",
    "''+x",
    "\uff1d1",
    "plain",
    "'quoted'",
    "a=b",
]


def test_refused_rows_hold_no_formula_and_come_back_as_they_were(
    importing: Import, db: psycopg.Connection, tmp_path: Path
) -> None:
    names = [f"v{index}" for index in range(len(FORMULAS))]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["phone", *names], ["+55 11 8555-1234", *FORMULAS]])
    assert importing("list.csv", "--campaign", "natal").returncode == 1
    rejects = tmp_path / "list.rejects.csv"
    with rejects.open(encoding="utf-8-sig", newline="") as opened:
        written = list(csv.reader(opened))
    assert not [cell for row in written for cell in row if cell.lstrip(" \t")[:1] in tuple("=+-@\uff1d")]
    rejects.write_text(rejects.read_text("utf-8-sig").replace("11 8555-1234", "11 98555-1234"))

    done = importing("list.rejects.csv", "--campaign", "natal")

    assert done.returncode == 0, done.stderr
    assert audience(db)[0][:2] == (
        "+5511985551234",
        {name: value.strip() for name, value in zip(names, FORMULAS, strict=True)},
    )


def test_the_file_of_rejects_is_new_whatever_had_its_name(importing: Import, tmp_path: Path) -> None:
    rejects = tmp_path / "import.rejects.csv"
    rejects.write_text("of an earlier import")
    rejects.chmod(0o666)
    (tmp_path / "same").hardlink_to(rejects)

    done = importing("-", "--campaign", "natal", stdin=b"phone\n+5511955501234\nnobody\n")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert (tmp_path / "same").read_text() == "of an earlier import"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["import.rejects.csv", "same"]


@pytest.mark.parametrize("target", ["there", "not there", "/dev/null"])
def test_the_file_of_rejects_follows_no_link(
    importing: Import, db: psycopg.Connection, tmp_path: Path, target: str
) -> None:
    (tmp_path / "there").write_text("of somebody")
    (tmp_path / "import.rejects.csv").symlink_to(target)

    done = importing("-", "--campaign", "natal", stdin=b"phone\n+5511955501234\nnobody\n")

    assert (done.returncode, audience(db)) == (1, [])
    assert "the name is a link" in done.stderr
    assert "Nothing was imported" in done.stderr
    assert (tmp_path / "there").read_text() == "of somebody"
    assert not (tmp_path / "not there").exists()


def test_a_failed_import_leaves_an_earlier_file_of_rejects_alone(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "import.rejects.csv").write_text("being corrected")

    rows = b"phone;nome\nnobody;Ana\n" + b"+5511955501234;Ana\n" * 5000 + b'+5511955501234;"Bia\n'
    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert (tmp_path / "import.rejects.csv").read_text() == "being corrected"
    assert [path.name for path in tmp_path.iterdir()] == ["import.rejects.csv"]


def test_a_device_takes_no_rejects(importing: Import) -> None:
    done = importing(
        "-", "--campaign", "natal", "--rejects", "/dev/null", stdin=b"phone\n+5511955501234\nnobody\n"
    )

    assert done.returncode == 1
    assert "is no ordinary file" in done.stderr
    assert Path("/dev/null").is_char_device()


def test_programs_write_blank_cells_in_many_ways(importing: Import, db: psycopg.Connection) -> None:
    blanks = ["NA", "null", "#N/D", "nan", "N/A", "None", "-", "\u2800", "\u200b", "#VALOR!", "\\N"]
    rows = "".join(f"+55119555012{index:02},{blank}\n" for index, blank in enumerate(blanks))

    done = importing(
        "-", "--campaign", "natal", "--json", stdin=f"phone,nome\n{rows}+5511955501299,Na\n".encode()
    )

    assert done.returncode == 0, done.stderr
    assert [variables for _, variables, _ in audience(db)] == [{}] * len(blanks) + [{"nome": "Na"}]
    assert json.loads(done.stdout)["blank_words"] == dict.fromkeys(
        ["NA", "null", "#N/D", "nan", "N/A", "None", "-", "#VALOR!", "\\N"], 1
    )


def test_words_that_were_taken_for_blank_are_said(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,NA\n+5511955505678,NA\n")

    assert "Taken as blank: “NA” (2)" in done.stdout


def test_the_memory_of_long_rows_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def measured(
        connection: psycopg.Connection, campaign: str, blocks: Iterable[Block], **_: object
    ) -> Loaded:
        for block in blocks:
            sizes.append(sum(map(len, block.variables)))
        return Loaded(2_500, 0, 0)

    monkeypatch.setattr(run, "load", measured)
    rows = "phone,v\n" + f"+5511955501234,{'x' * 16_000}\n" * 2_500

    run.import_recipients(
        cast("psycopg.Connection", None), io.BytesIO(rows.encode()), "natal", tmp_path / "rejects.csv"
    )

    assert sum(sizes) > 36_000_000
    assert max(sizes) < 6_000_000


@pytest.mark.parametrize("rows", [b"nome;phone\n", b"nome;phone\n;\n;\n", b"nome;phone\n" + b";\n" * 200])
def test_a_header_without_rows_is_said(importing: Import, rows: bytes) -> None:
    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert "no rows below its header" in done.stderr


def test_what_was_understood_of_an_unusual_list_is_said(importing: Import, db: psycopg.Connection) -> None:
    rows = "Clientes de março;;\n\nNome;DDD;Telefone\nJosé;11;955501234\nÉrica;;11955505678\n".encode("cp850")

    done = importing("-", "--campaign", "natal", "--region", "BR", stdin=rows)

    assert done.returncode == 0, done.stderr
    assert "Phone: column “Telefone”, joined to “DDD” (the header is on line 3)" in done.stderr
    assert "Encoding: cp850, guessed from “março”" in done.stderr
    assert [(phone, variables) for phone, variables, _ in audience(db)] == [
        ("+5511955501234", {"nome": "José", "ddd": "11"}),
        ("+5511955505678", {"nome": "Érica"}),
    ]


def test_a_second_run_adds_nothing_and_is_no_failure(importing: Import, db: psycopg.Connection) -> None:
    rows = b"phone\n+5511955501234\n"
    importing("-", "--campaign", "natal", stdin=rows)

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0
    assert json.loads(done.stdout)["duplicates"] == 1
    assert len(audience(db)) == 1


def test_what_becomes_of_a_number_that_comes_again_is_said(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n")

    done = importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Bia\n")

    assert (
        "Of a number that comes again the first row counts, also of an earlier import (--replace)"
        in done.stdout
    )
    assert audience(db) == [("+5511955501234", {"nome": "Ana"}, "America/Sao_Paulo")]


def test_a_corrected_file_can_take_the_place_of_the_first(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n+5511955505678,X\n")

    rows = b"phone,nome\n+5511955501234,Bia\n"
    done = importing("-", "--campaign", "natal", "--replace", "--json", stdin=rows)

    assert (json.loads(done.stdout)["accepted"], json.loads(done.stdout)["duplicates"]) == (1, 0)
    assert audience(db) == [("+5511955501234", {"nome": "Bia"}, "America/Sao_Paulo")]
    assert db.execute("select total from retoma.v_campaign_summary").fetchone() == (1,)


def test_a_file_without_a_good_row_replaces_nothing(importing: Import, db: psycopg.Connection) -> None:
    importing("-", "--campaign", "natal", stdin=b"phone,nome\n+5511955501234,Ana\n")

    done = importing("-", "--campaign", "natal", "--replace", stdin=b"phone,nome\n11 95550-1234,Bia\n")

    assert done.returncode == 1
    assert "the campaign keeps the recipients that it had" in done.stderr
    assert len(audience(db)) == 1


def test_a_row_that_no_message_could_use_is_refused(importing: Import, db: psycopg.Connection) -> None:
    rows = (
        b"phone,nome\n+5511955501234,"
        + b"\xc3\xa9" * 8_186
        + b"\n+5511955505678,"
        + b"\xc3\xa9" * 8_187
        + b"\n"
    )

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert json.loads(done.stdout)["rejected_by"] == {"row_too_long": 1}
    assert [phone for phone, _, _ in audience(db)] == ["+5511955501234"]


@pytest.mark.parametrize(
    "ended", ["SIGINT, reading", "SIGINT, loading", "SIGTERM, loading", "SIGHUP, reading"]
)
def test_a_signal_says_that_nothing_was_imported_and_leaves_nothing(
    database: str, db: psycopg.Connection, importing: Import, tmp_path: Path, ended: str
) -> None:
    name, while_ = ended.split(", ")
    rows = b"phone,nome\n" + b"".join(b"+5511955501%03d,Ana\nnobody,Bia\n" % n for n in range(400))
    if while_ == "loading":
        # Another session holds the campaign.
        db.execute("select from retoma_internal.campaign for update")
    process = subprocess.Popen(
        [sys.executable, "-m", "retoma", "import", "-", "--campaign", "natal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "RETOMA_DATABASE_URL": database},
    )
    assert process.stdin is not None
    process.stdin.write(rows * 20)
    process.stdin.flush()
    busy = (
        "select exists (select from pg_stat_activity where application_name = 'retoma import'"
        " and (wait_event_type = 'Lock' or state = 'idle in transaction'))"
    )
    with psycopg.connect(database, autocommit=True) as other:
        wait_until(lambda: call(other, busy))
    process.send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=300)

    assert (process.returncode, out) == (1, b"")
    assert b"error: Stopped. Nothing was imported.\nhint: " in err
    assert b"Traceback" not in err
    db.rollback()
    assert audience(db) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_said_on_a_terminal_stands_on_lines_of_its_own(
    database: str, importing: Import, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(b"phone,nome\n" + b"".join(b"+55119555%05d,Ana\n" % n for n in range(20_000)))
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "retoma", "import", str(file), "--campaign", "natal"],
        stdout=subprocess.PIPE,
        stderr=its_end,
        env={**os.environ, "RETOMA_DATABASE_URL": database, "TERM": "xterm"},
    ) as process:
        os.close(its_end)
        written = b""
        with suppress(OSError):  # the end of the terminal
            while piece := os.read(terminal, 4096):
                written += piece
    os.close(terminal)

    assert process.returncode == 0
    # What is left on the screen: a line begins anew after its end, or when it is erased.
    lines = re.split(rb"\r?\n|\r|\x1b\[2K", re.sub(rb"\x1b\[\?25[lh]", b"", written))
    shown = [re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", line).decode().strip() for line in lines]
    assert "Phone: column “phone”" in shown
    assert "Variable: column “nome” → {{ nome }}" in shown


def test_a_file_without_a_good_row_is_a_failure(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", stdin=b"phone\n11 95550-1234\n")

    assert done.returncode == 1
    assert "no_country" in done.stdout


@pytest.mark.parametrize("campaign", ["unknown", "started"])
def test_the_database_decides_which_campaigns_take_recipients(
    importing: Import, db: psycopg.Connection, campaign: str
) -> None:
    db.execute("select retoma.create_campaign('started', 'sales'::text, 'Oi')")
    db.execute("select * from retoma.add_recipients('started', '[{\"phone\": \"+5511955501234\"}]')")
    db.execute("select retoma.start_campaign('started')")
    db.commit()

    done = importing("-", "--campaign", campaign, stdin=b"phone\n+5511955505678\n")

    assert done.returncode == 1
    assert campaign in done.stderr
    assert "Nothing was imported" in done.stderr
    assert len(audience(db)) == 1


def test_a_file_that_breaks_off_changes_nothing(importing: Import, db: psycopg.Connection) -> None:
    rows = b"phone;nome\n" + b"+5511955501234;Ana\n" * 5000 + b'+5511955505678;"Bia\n'

    done = importing("-", "--campaign", "natal", stdin=rows)

    assert done.returncode == 1
    assert "line 5002 has a quote that is never closed" in done.stderr
    assert audience(db) == []
    assert db.execute("select count(*) from retoma.recipient_staging").fetchone() == (0,)


@pytest.mark.parametrize("repeated", [1, 5000])
def test_a_nul_character_is_refused_with_its_row(
    importing: Import, db: psycopg.Connection, repeated: int
) -> None:
    rows = b"phone;nome\n" + b"+5511955505678;B\0ia\n" + b"+5511955501234;Ana\n" * repeated

    done = importing("-", "--campaign", "natal", "--json", stdin=rows)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rejected_by"] == {"nul_character": 1}
    assert len(audience(db)) == 1


@pytest.mark.parametrize("refused", [1, 5000])
def test_refused_rows_that_find_no_room_undo_the_import(
    importing: Import, db: psycopg.Connection, tmp_path: Path, refused: int
) -> None:
    rows = b"phone;nome\n+5511955501234;Ana\n" + b"nobody;Bia\n" * refused

    # A limit for the size of files stands for a full disk.
    done = importing("-", "--campaign", "natal", stdin=rows, largest_file=20)

    assert (done.returncode, audience(db)) == (1, [])
    assert "error: The file for rejects cannot be written: File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert "Nothing was imported" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_input_is_never_overwritten_by_its_rejects(importing: Import, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("phone\nnobody\n")

    done = importing("list.csv", "--campaign", "natal", "--phone-column", "phone", "--rejects", "list.csv")

    assert done.returncode == 2
    assert (tmp_path / "list.csv").read_text() == "phone\nnobody\n"


def test_an_unknown_region_is_wrong_usage(importing: Import) -> None:
    done = importing("-", "--campaign", "natal", "--region", "Brasil", stdin=b"phone\n+5511955501234\n")

    assert done.returncode == 2
    assert "ISO 3166" in done.stderr
