"""How parts of a runner end what they have under way."""

import asyncio
from collections.abc import Collection


async def finish(tasks: Collection[asyncio.Task[None]], longest_s: float) -> None:
    """Wait for tasks, even when this is cancelled, as at the end of a runner; then cancel what is left.

    Args:
        tasks: which end by themselves when the runner stops, or soon.
        longest_s: how long they may take.

    Raises:
        asyncio.CancelledError: this was cancelled; the tasks have ended.
    """
    if not tasks:
        return
    cancelled: asyncio.CancelledError | None = None
    waiting = asyncio.ensure_future(asyncio.wait(tasks, timeout=longest_s))
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    if cancelled is not None:
        raise cancelled
