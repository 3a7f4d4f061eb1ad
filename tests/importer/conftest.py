"""`retoma import` as a user runs it, with a draft campaign."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

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
