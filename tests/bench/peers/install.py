"""Installs the peers under .retoma/bench/peers: npm packages, and a separate environment for Celery."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.clients import WINDOW
from tests.bench.report import DIRECTORY

_SOURCE = Path(__file__).parent
_TARGET = DIRECTORY / "peers"


class Unavailable(Exception):
    """Why peers are left out."""


def node() -> Callable[[str, str, str, int], list[str]]:
    """Install the npm packages.

    Returns:
        What makes the command for a program, the URL of the sink, the URL of the database and a count.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Unavailable("node and npm are not installed")
    _TARGET.mkdir(parents=True, exist_ok=True)
    # Node looks for packages beside the file that imports them.
    for program in _SOURCE.glob("*.mjs"):
        shutil.copy(program, _TARGET)
    shutil.copy(_SOURCE / "package.json", _TARGET)
    options = ["--no-audit", "--no-fund", "--loglevel=error", "--engine-strict"]
    _once("package.json", ["npm", "install", "--prefix", str(_TARGET), *options])
    # graphile-worker would write a line for each job; its documentation names the variable.
    return lambda program, url, database, count: [
        "env", "NO_LOG_SUCCESS=1", "node", str(_TARGET / program), url, database, str(count), str(WINDOW)
    ]  # fmt: skip


def celery() -> Callable[[str, str, int], list[str]]:
    """Install Celery.

    Returns:
        What makes the command for the URL of the sink, the URL of the broker and a count.
    """
    home = _TARGET / "celery"
    _TARGET.mkdir(parents=True, exist_ok=True)
    _once(
        "requirements.txt",
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check",
         "--requirement", str(_SOURCE / "requirements.txt")],
    )  # fmt: skip
    program = str(_SOURCE / "celery_worker.py")
    return lambda url, broker, count: [
        str(home / "bin" / "python"), "-P", program, url, broker, str(count), str(WINDOW)
    ]  # fmt: skip


def _once(pins: str, *commands: Sequence[str]) -> None:
    """Run the commands unless they have succeeded before with the same pinned versions."""
    wanted = (_SOURCE / pins).read_text()
    stamp = _TARGET / f".installed-{pins}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:]
            raise Unavailable(f"{Path(command[0]).name} failed: {' '.join(last)}")
    stamp.write_text(wanted)
