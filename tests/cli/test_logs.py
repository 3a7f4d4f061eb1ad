"""Logging never decides: a log that cannot be written costs lines, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.conftest import World
from tests.support.campaigns import Db, call
from tests.support.command import environment
from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import DEADLINE_S

FULL = Path("/dev/full")

SAY = """\
import logging, sys, threading, warnings
import structlog
from retoma.cli.logs import logging_to_stderr
log = structlog.get_logger()
with logging_to_stderr("json", "info"):
"""


def said(code: str) -> list[dict[str, object]]:
    """The lines that a program logs, each of which is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", SAY + "\n".join(f"    {line}" for line in code.splitlines())],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_runner_whose_log_cannot_be_written_sends_and_records_everything(
    db: Db, database: str, sandbox: SandboxProcess
) -> None:
    world = World(db, sandbox)
    world.webhook("sales")
    world.sandbox.fault(channel="sales", do="status", status=422, every=10)
    with FULL.open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "retoma", "runner", "--name", "r1"],
            env=environment(database_url=database),
            stdout=full,
            stderr=full,
        )
    try:
        world.campaign("spring", "sales", messages=100)
        row = world.wait_for_end("spring")
        assert (row["sent"], row["failed"], row["in_doubt"]) == (90, 10, 0)
        assert call(db, "select count(*) from retoma.v_runner where state = 'alive'") == 1
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_a_reader_who_has_stopped_reading_holds_nobody_up() -> None:
    """A pipe takes 64 KiB, and then a write to it waits."""
    code = "for number in range(20_000): log.info('x' * 100)\nprint('done', flush=True)"
    reader, writer = os.pipe()
    try:
        program = SAY + "\n".join(f"    {line}" for line in code.splitlines())
        with subprocess.Popen(
            [sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, stderr=writer
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"done\n"
            assert process.wait(DEADLINE_S) == 0
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_lines_that_were_lost_are_counted_and_said() -> None:
    code = """\
import os, time
lines = structlog.get_config()["logger_factory"]()
disk, full = os.dup(2), os.open("/dev/full", os.O_WRONLY)
os.dup2(full, 2)
log.info("one"); log.info("two")
while lines._lost < 2: time.sleep(0.01)
os.dup2(disk, 2)
log.info("three")
while lines._lost: time.sleep(0.01)
"""
    assert [(line["event"], line.get("lines")) for line in said(code)] == [
        ("three", None),
        ("log_lines_lost", 2),
    ]


def test_what_libraries_say_becomes_lines_of_the_log() -> None:
    code = """\
logging.getLogger("a.package").warning("odd: %s", 7)
logging.getLogger("a.package").warning("odd: %d", "no number")
warnings.warn("old")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start(); thread.join()
class Ends:
    def __del__(self): raise ValueError
del (ends := [Ends()])[0]
"""
    lines = said(code)

    assert [line["event"] for line in lines] == [
        "library_said", "library_said", "library_said", "thread_failed", "error_ignored",
    ]  # fmt: skip
    assert (lines[0]["library"], lines[0]["said"]) == ("a.package", "odd: 7")


def test_all_lines_are_out_when_the_command_ends() -> None:
    assert len(said("for number in range(5_000): log.info('line')")) == 5_000
