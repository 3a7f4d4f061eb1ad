"""The process beside the runner, with a defect."""

import sys
from pathlib import Path

import pytest


def with_defect(monkeypatch: pytest.MonkeyPatch, directory: Path, defect: str) -> None:
    """From now on, processes that render are started with this code run in them first.

    Args:
        directory: for a script.
        defect: Python; `child` is the module that renders.
    """
    script = directory / "defective"
    script.write_text(
        f"#!{sys.executable} -P\nimport os, sys\nfrom retoma.content import child\n{defect}\nchild.main()\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
