"""The process of `retoma import`: its signals, its terminal and its memory."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import cast

import psycopg
import pytest

from retoma.importer import run
from retoma.importer.load import Block, Loaded
from tests.importer.conftest import Import, audience
from tests.support.campaigns import call
from tests.support.waiting import wait_until


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
