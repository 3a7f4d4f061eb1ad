"""The command as a whole: help, version, completion, errors."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from retoma.cli import COMMANDS, explain
from tests.support.command import retoma


def test_help_lists_every_command() -> None:
    result = retoma("--help")

    assert result.returncode == 0
    for name, (_, help_line) in COMMANDS.items():
        assert name in result.stdout
        assert help_line.split()[0] in result.stdout


def test_help_imports_no_heavy_library() -> None:
    probe = (
        "import sys; from retoma.cli import main; main(['--help'], standalone_mode=False); "
        "print([name for name in ('psycopg', 'aiohttp', 'procrastinate') if name in sys.modules])"
    )

    output = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout

    assert output.endswith("[]\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = retoma(name, "--help")

    assert (result.returncode, result.stderr) == (0, "")
    assert f"Usage: python -m retoma {name}" in result.stdout or f"Usage: retoma {name}" in result.stdout


def test_the_version_is_that_of_the_package() -> None:
    assert retoma("--version").stdout == "retoma, version 0.1.0\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_calls_retoma(shell: str) -> None:
    result = retoma("completion", shell)

    assert result.returncode == 0
    assert "_RETOMA_COMPLETE" in result.stdout


@pytest.mark.parametrize("command", ["receive", "sandbox"])
def test_a_port_in_use_is_explained(command: str, tmp_path: Path) -> None:
    options = ["--ledger", str(tmp_path)] if command == "sandbox" else []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        result = retoma(command, *options, "--port", port, database_url="postgresql://127.0.0.1:1/none")

    assert result.returncode == 1
    assert f"{port}): address already in use\nhint: Choose another" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["receive", "sandbox"])
def test_a_port_that_there_cannot_be_is_wrong_usage(command: str) -> None:
    result = retoma(command, "--port", "65536")

    assert result.returncode == 2
    assert "0<=x<=65535" in result.stderr


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"

    result = retoma("db", "start", home=home)

    assert result.returncode == 1
    assert result.stderr.startswith(f"error: Not a directory: {home}")
    assert "\nhint: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        OSError("no word of the system"),
        BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)),
    ],
)
def test_what_the_system_did_not_say_is_not_explained(error: OSError) -> None:
    assert explain(error) is None
