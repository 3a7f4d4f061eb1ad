"""The command as a whole: help, version, completion, errors."""

import subprocess
import sys

import pytest

from retoma.cli import COMMANDS
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
