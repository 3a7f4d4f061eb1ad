"""Running a sandbox as a process, until SIGINT or SIGTERM."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path

from retoma.rehearsal.sandbox.app import Sandbox, listen
from retoma.rehearsal.sandbox.ledger import Ledger


async def serve(
    *,
    host: str,
    port: int,
    ledger: Path,
    faults: object | None,
    receipts: object | None,
    templates: object | None = None,
    idempotent: bool,
    ignores_ids: Collection[str],
    api_key: str | None,
    seed: int,
    announce: Callable[[str], None],
) -> None:
    """Serve until a signal; announce gets one line of JSON (url, ledger, pid) when requests are taken.

    Raises:
        RetomaError: the ledger is in use, or the faults, receipts or templates are not understood.
    """
    sandbox = Sandbox(
        Ledger(ledger), idempotent=idempotent, ignores_ids=ignores_ids, api_key=api_key, seed=seed
    )
    if faults is not None:
        sandbox.set_faults(faults)
    if receipts is not None:
        await sandbox.set_receipts(receipts)
    if templates is not None:
        sandbox.set_templates(templates)
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    runner, port = await listen(sandbox, host, port)
    address = f"[{host}]" if ":" in host else host
    announce(json.dumps({"url": f"http://{address}:{port}", "ledger": str(ledger), "pid": os.getpid()}))
    await stop.wait()
    await runner.cleanup()
    await sandbox.aclose()
