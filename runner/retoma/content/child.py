"""The process that renders what is not plain text, within a budget of CPU time and memory for each message.

Python can neither interrupt nor bound one call into C, such as joining 15 million numbers. So the kernel does
it: SIGPROF ends this process when one message has used up its CPU time. It is not clock time, because a busy
machine must not make innocent messages fail.

It reads frames from standard input, {"fields": {name: Liquid}, "recipients": [[phone, variables], …]}, and
writes lists of results in the same order: {name: text}, or [code, words] of a RenderError. It says [] when
it is ready. It ends at the end of its input, so it outlives its runner by one message at most. It logs
nothing.
"""

import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, BinaryIO

from retoma.content.frames import HEADER_SIZE, length_in, packed, unpacked
from retoma.content.liquid import parse
from retoma.content.render import RenderError, render

CPU_S = 1.0
"""Of one message. A usual text takes a ten thousandth of it."""

MEMORY_BYTES = 512 * 1024 * 1024
"""Address space, of which Python takes a tenth. Where the system does not enforce it (macOS), CPU_S does."""

WRITE_AFTER_S = 0.002
"""Results go out together, but none waits much longer than this for others."""

_parse = lru_cache(maxsize=32)(parse)


def main() -> None:
    """Render until the input ends."""
    # Ctrl-C and a stop of the service reach the whole group: the runner decides when this process ends.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)  # it would hold content
    gc.freeze()
    incoming, outgoing = sys.stdin.buffer, sys.stdout.fileno()
    try:
        _write(outgoing, [])
        while (frame := _read(incoming)) is not None:
            for results in _answer(frame):
                _write(outgoing, results)
    except (BrokenPipeError, EOFError):
        pass  # the runner is gone


def _answer(frame: Mapping[str, Any]) -> Iterator[list[object]]:
    """The results of one frame, in lists."""
    results: list[object] = []
    written_at = time.monotonic()
    for phone, variables in frame["recipients"]:
        # The timer starts again with each message.
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        try:
            results.append({n: render(_parse(text), phone, variables) for n, text in frame["fields"].items()})
        except RenderError as error:
            results.append([error.code, error.words])
            if error.code == "over_memory":
                # The memory left in this process may be too little for the next message.
                yield results
                raise SystemExit(0) from None
        if time.monotonic() - written_at > WRITE_AFTER_S:
            yield results
            results, written_at = [], time.monotonic()
    signal.setitimer(signal.ITIMER_PROF, 0)
    if results:
        yield results


def _limit(what: int, most: int) -> None:
    try:
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))
    except (ValueError, OSError):
        pass  # not here


def _read(incoming: BinaryIO) -> Mapping[str, Any] | None:
    header = incoming.read(HEADER_SIZE)
    if len(header) < HEADER_SIZE:
        return None
    size = length_in(header)
    body = incoming.read(size)
    if len(body) < size:
        return None
    frame = unpacked(body)
    return frame if isinstance(frame, dict) else None


def _write(outgoing: int, value: object) -> None:
    data = packed(value)
    while data:
        data = data[os.write(outgoing, data) :]


if __name__ == "__main__":
    main()
