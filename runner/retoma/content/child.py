"""The process that reads and renders what is not plain text, within a budget of CPU time and memory for each.

Python can neither interrupt nor bound one call into C, such as sorting a million words. So the kernel does
it: SIGPROF ends this process when one message has used up its CPU time. It is not clock time, because a busy
machine must not make innocent messages fail.

It reads frames from standard input, and writes lists of results in the same order. It says [] when it is
ready. To {"texts": [Liquid, …], "recipients": [[phone, variables], …]} a result is a list of texts, to
{"check": [[place, Liquid], …]} it is {"required": […], "optional": […]}. In place of either, it is
{"error": [code, words]} of a RenderError; of a check also {"refused": [message, hint]}.
It ends at the end of its input, so it outlives its
runner by one message at most. It logs nothing.
"""

import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO

from retoma.content.budget import CHECK_CPU_S, CPU_S, MEMORY_BYTES
from retoma.content.check import check
from retoma.content.frames import HEADER_SIZE, length_in, packed, unpacked
from retoma.content.liquid import parse
from retoma.content.render import render
from retoma.content.results import RenderError
from retoma.errors import RetomaError

WRITE_AFTER_S = 0.002
"""Results go out together, but none waits much longer than this for others."""

_parse = lru_cache(maxsize=256)(parse)


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
    if "check" in frame:
        result = _checked(frame["check"])
        yield [result]
        _end_after(result)
        return
    results: list[object] = []
    written_at = time.monotonic()
    for phone, variables in frame["recipients"]:
        _allow(CPU_S)
        try:
            results.append([render(_parse(text), phone, variables) for text in frame["texts"]])
        except RenderError as error:
            results.append({"error": [error.code, error.words]})
            if error.code == "over_memory":
                yield results
                _end_after(results[-1])
        if time.monotonic() - written_at > WRITE_AFTER_S:
            yield results
            results, written_at = [], time.monotonic()
    _allow(0)
    if results:
        yield results


def _checked(texts: Sequence[tuple[str, str]]) -> object:
    """What the content needs; or why it cannot be sent, whoever gets it."""
    _allow(CHECK_CPU_S)
    try:
        checked = check(texts)
        names = [*checked.required_variables, *checked.optional_variables]
        _try(texts, dict.fromkeys(names, "1"))
        _try(texts, {})
    except RetomaError as error:
        return {"refused": [error.message, error.hint]}
    except RenderError as error:
        return {"error": [error.code, error.words]}
    except MemoryError:
        return {"error": ["over_memory", "the text needs too much memory"]}
    except Exception as error:
        # A defect of the parser. Not its words, which may hold content; and no reason to keep others waiting.
        return {"refused": [f"the text cannot be read ({type(error).__name__})", None]}
    finally:
        _allow(0)
    return {"required": checked.required_variables, "optional": checked.optional_variables}


def _try(texts: Sequence[tuple[str, str]], variables: Mapping[str, object]) -> None:
    """Render a content for nobody. What depends on the values of a recipient is no fault of the content."""
    for _, text in texts:
        _allow(CPU_S)
        try:
            render(_parse(text), "+0", variables)
        except RenderError as error:
            if error.is_over_budget:
                raise


def _end_after(result: object) -> None:
    """End when memory ran out: what is left in this process may be too little for the next message."""
    if isinstance(result, dict) and result.get("error", [None])[0] == "over_memory":
        raise SystemExit(0)


def _allow(cpu_s: float) -> None:
    """Start the budget again."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


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
