"""Programs that post to the sink: what all of them send, and how a bench starts and times one.

Such a program makes everything ready, writes a line, begins at a line on its input, writes its greatest
memory in megabytes when the last message is done, and ends at the next line.
"""

import asyncio
import gc
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from retoma.transports.base import Message
from retoma.transports.webhook import Webhook
from tests.bench.measure import Run, measured
from tests.support.contents import text

WINDOW = 300
"""Messages in flight at once, for every side."""

_TEXT = "Olá Ana {}, seu pedido {} chegou. Responda SAIR para não receber mais."


def timed(
    command: Sequence[str],
    size: int,
    heads: Mapping[str, int] | None = None,
    prepare: Callable[[], object] = lambda: None,
) -> Run:
    """One run of such a program.

    Args:
        heads: servers that work for it: name, and the id of the process at the head of its family.
        prepare: called when the program is ready, before the clock runs.
    """
    run = Run(size)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{command} did not become ready")
        prepare()
        with measured(run, {**(heads or {}), "client": process.pid}):
            process.stdin.write("go\n")
            process.stdin.flush()
            run.rss_mb = float(process.stdout.readline())
        process.communicate("\n", timeout=10)
    finally:
        process.kill()
        process.wait()
    return run


async def send(transport: Webhook, number: int) -> None:
    """Send the message of that number as the runner would."""
    result = await transport.send(
        Message(f"{number:032x}", f"+999{number:09d}", text(_TEXT.format(number, number)))
    )
    assert result.status == "accepted", result


async def when_told(work: Callable[[], Awaitable[object]]) -> None:
    """The program's side of `timed`."""
    gc.freeze()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await work()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
