"""Sessions in Markdown documents, run as a reader would type them.

A ```console block holds commands and what they print. All blocks of a document are one session, in one shell;
only a block that opens psql is typed in a second terminal, which begins where the reader began:

    $ command                  for bash; lines that go on begin with "> "
    retoma=# statement;        for psql; lines that go on begin with "retoma-# "
    output                     "…" stands for anything, also for several lines

A ```sql block is run in psql and must succeed. Port 3000 becomes a free one, so that tests can run at once.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

_BLOCK = re.compile(r"^```(console|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"(\$|retoma=#) (.*)")
_OPENS_PSQL = re.compile(r"^\$ (?:retoma db psql|psql \S+)$", re.MULTILINE)
_CONTINUED = {"$": "> ", "retoma=#": "retoma-# "}
# A view shows the work of other processes, which takes a moment.
_SETTLES = re.compile(r"\bfrom (v_|campaign_batch_)")
# Where psql puts a column depends on the widest value, and a value may be "…".
_PADDING = re.compile(r"[ \t]+|-{2,}")

DEADLINE_S = 120


@dataclass(frozen=True)
class Step:
    """One command of a document.

    Attributes:
        shell: whether it is for bash; otherwise for psql.
        output: what the document shows; None where nothing is promised.
        second: whether it is typed in the terminal that opens psql.
    """

    shell: bool
    command: str
    output: str | None
    second: bool = False


def steps(document: str) -> Iterator[Step]:
    """The commands of a Markdown document in their order."""
    for language, block in _BLOCK.findall(document):
        if language == "sql":
            yield Step(shell=False, command=block, output=None)
        else:
            yield from _console_steps(block)


def _console_steps(block: str) -> Iterator[Step]:
    lines = block.splitlines()
    second = _OPENS_PSQL.search(block) is not None
    while lines:
        prompt = _PROMPT.fullmatch(lines.pop(0))
        assert prompt, "a console block begins with a prompt"
        command, output = [prompt[2]], []
        while lines and lines[0].startswith(_CONTINUED[prompt[1]]):
            command.append(lines.pop(0).removeprefix(_CONTINUED[prompt[1]]))
        while lines and not _PROMPT.fullmatch(lines[0]):
            output.append(lines.pop(0))
        yield Step(prompt[1] == "$", "\n".join(command), "\n".join(output), second)


def agrees(shown: str, real: str) -> bool:
    """Whether real output is what a document shows."""
    pattern = ".*".join(re.escape(part) for part in _without_padding(shown).split("…"))
    return re.fullmatch(pattern, _without_padding(real), re.DOTALL) is not None


def _without_padding(output: str) -> str:
    lines = (_PADDING.sub(" ", line).strip() for line in output.splitlines())
    return "\n".join(line for line in lines if line)


class Session:
    """A reader at work: a terminal with a shell, one in which psql is opened, and psql; see `session`."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = environment
        self._reserved, self._port = _reserve_port()
        self._count = 0
        self._first, self._second = (
            subprocess.Popen(
                ["bash", "--noprofile", "--norc"],
                cwd=directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            for _ in range(2)
        )
        for shell in (self._first, self._second):
            self._write(shell, "set -mu")  # an unset variable was set in the other terminal

    def follow(self, step: Step) -> None:
        """Run one command; AssertionError when it fails or prints something else than the document shows."""
        command, shown = self._here(step.command), step.output and self._here(step.output)
        if step.shell:
            code, real = self._bash(self._second if step.second else self._first, command)
            assert code == 0, f"$ {command}\n{real}"
        elif step.output is None:
            code, real = self._psql(command, stop=True)
            assert code == 0, f"{command}\n{real}"
            return
        else:
            real = self._statement(command, shown or "")
        assert agrees(shown or "", real), f"{command}\n--- shown\n{shown}\n--- real\n{real}"

    def end(self) -> None:
        """Kill the shells, and all that they have started, without asking: they may wait for a command."""
        shells = (self._first, self._second)
        for shell in shells:
            shell.kill()
            shell.wait()
        for pid in psutil.pids():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) in [shell.pid for shell in shells]:
                    os.kill(pid, signal.SIGKILL)
        self._reserved.close()

    def _statement(self, statement: str, shown: str) -> str:
        real = self._psql(statement)[1]
        if not _SETTLES.search(statement):
            return real

        def settled() -> bool:
            nonlocal real
            real = self._psql(statement)[1]
            return agrees(shown, real)

        if not agrees(shown, real):
            try:
                wait_until(settled, DEADLINE_S)
            except AssertionError:
                return real  # the caller shows both
        return real

    def _psql(self, text: str, *, stop: bool = False) -> tuple[int, str]:
        options = ["-v", "ON_ERROR_STOP=1"] if stop else []
        result = subprocess.run(
            ["psql", "-X", *options, self._environment["RETOMA_DATABASE_URL"]],
            cwd=self._directory,
            env=self._environment,
            input=f"{text}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        return result.returncode, result.stdout

    def _bash(self, shell: subprocess.Popen[str], command: str) -> tuple[int, str]:
        self._count += 1
        output = self._directory / f".output-{self._count}"
        code = self._directory / f".code-{self._count}"
        self._write(shell, f"{{ {command}\n}} < /dev/null > {output} 2>&1")
        self._write(shell, f"echo $? > {code}.part; mv {code}.part {code}")
        wait_until(lambda: code.exists() or shell.poll() is not None, DEADLINE_S)
        assert code.exists(), f"$ {command}\n{output.read_text()}"
        return int(code.read_text()), output.read_text()

    def _write(self, shell: subprocess.Popen[str], line: str) -> None:
        assert shell.stdin is not None
        shell.stdin.write(f"{line}\n")
        shell.stdin.flush()

    def _here(self, text: str) -> str:
        return re.sub(r"\b3000\b", str(self._port), text)


@contextmanager
def session(directory: Path, environment: Mapping[str, str]) -> Iterator[Session]:
    """A session whose processes are gone at the end.

    Args:
        directory: where the reader stands; empty.
        environment: all of it: RETOMA_DATABASE_URL, and a PATH with psql and retoma.
    """
    running = Session(directory, environment)
    try:
        yield running
    finally:
        running.end()


def _reserve_port() -> tuple[socket.socket, int]:
    """A port that the system gives to nobody else while the socket is open, but that a server may take."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved, reserved.getsockname()[1]
