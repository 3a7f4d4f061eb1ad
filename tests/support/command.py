"""Running `retoma` as a user does: in a separate process."""

import os
import subprocess
import sys
from pathlib import Path


def environment(*, home: Path | None = None, database_url: str | None = None) -> dict[str, str]:
    """The environment for a `retoma` process that sees exactly this home directory and database."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RETOMA_")}
    given = {"RETOMA_HOME": home and str(home), "RETOMA_DATABASE_URL": database_url}
    return inherited | {name: value for name, value in given.items() if value}


def retoma(
    *arguments: str, home: Path | None = None, database_url: str | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `retoma` with arguments and standard input, and waits for its end, five minutes at most."""
    return subprocess.run(
        [sys.executable, "-m", "retoma", *arguments],
        env=environment(home=home, database_url=database_url),
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
