"""A sandbox as tests use it: a real process, started, killed and asked over HTTP."""

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass
class SandboxProcess:
    """A running `retoma sandbox`."""

    url: str
    ledger: Path
    process: subprocess.Popen[str]

    def call(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """One request; returns the status and the decoded body."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def fault(self, **rule: object) -> None:
        """Replace the faults by one rule (see retoma.rehearsal.sandbox.faults)."""
        status, answer = self.call("POST", "/_sandbox/faults", rule)
        assert status == 200, answer

    def figures(self, dialect: str, channel: str) -> dict[str, int]:
        """The counts of one channel; all of them 0 when nothing came."""
        summary = self.call("GET", "/_sandbox/summary")[1]
        nothing = dict.fromkeys(("accepted", "unique", "duplicates", "repeats", "refused"), 0)
        return {**nothing, **summary["channels"].get(f"{dialect}/{channel}", {})}

    def entries(self, channel: str | None = None) -> list[dict[str, Any]]:
        """The lines of the ledger (of one channel), from the file: also when the process is dead."""
        lines = (self.ledger / "ledger.jsonl").read_text().splitlines()
        return [e for e in map(json.loads, lines) if channel in (None, e["channel"])]

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone; harmless if it is gone already."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()


def start_sandbox(ledger: Path, *options: str) -> SandboxProcess:
    """Start a sandbox on a free port of the loopback; returns when it takes requests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "retoma", "sandbox", "--ledger", str(ledger), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    if not ready:
        raise RuntimeError(process.communicate()[1])
    return SandboxProcess(json.loads(ready)["url"], ledger, process)
