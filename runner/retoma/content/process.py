"""The runner's side of the process that reads and renders texts (retoma.content.child).

It is started when it is first needed, and again when a message has used up its budget. The messages behind
that one are neither lost nor failed. Nothing here parses Liquid.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import structlog

from retoma.content.budget import CPU_S
from retoma.content.frames import HEADER_SIZE, length_in, packed, unpacked
from retoma.content.results import Checked, RenderError
from retoma.content.written import Content, Written
from retoma.errors import RetomaError

MOST_AT_ONCE = 300
"""Messages in one frame; then another content has its turn."""

STALL_S = 60.0
"""After this silence the process is frozen: it would have ended itself after CPU_S of work."""

ENDING_S = 5.0
"""A process that has closed its output has so long to be gone, then it is killed."""

RESTART_S = 1.0
"""Between two starts of which the first failed."""

MOST_DEATHS = 3
"""Of the process, for a reason that is not its budget, with one and the same message alone."""


class NotTried(Exception):
    """No process could be had, which is the fault of no content."""


class _Job:
    """One message that waits for its content; or one content that waits for its check."""

    __slots__ = ("alone", "deaths", "future", "phone", "variables")

    def __init__(self, phone: str, variables: Mapping[str, object], future: asyncio.Future[Any]) -> None:
        self.phone = phone
        self.variables = variables
        self.future = future
        self.alone = False
        self.deaths = 0


class _Line:
    """The messages that wait for one content, or its checks."""

    __slots__ = ("is_check", "jobs", "written")

    def __init__(self, written: Written, *, is_check: bool) -> None:
        self.written = written
        self.is_check = is_check
        self.jobs: deque[_Job] = deque()

    def frame(self, jobs: list[_Job]) -> bytes:
        """The question to the process."""
        if self.is_check:
            return packed({"check": [[text.place, text.liquid] for text in self.written.texts]})
        recipients = [(job.phone, job.variables) for job in jobs]
        return packed({"texts": [text.liquid for text in self.written.texts], "recipients": recipients})

    def settle(self, job: _Job, result: Any) -> None:
        """Pass the answer on."""
        if job.future.done():
            return
        if isinstance(result, list):
            try:
                job.future.set_result(self.written.rendered(result))
            except RenderError as error:
                job.future.set_exception(error)
        elif "error" in result:
            job.future.set_exception(RenderError(*result["error"]))
        elif "refused" in result:
            job.future.set_exception(RetomaError(*result["refused"]))
        else:
            job.future.set_result(Checked(result["required"], result["optional"]))

    def take(self) -> list[_Job]:
        """The messages of the next frame. One that may have been the end of the last process goes alone."""
        jobs: list[_Job] = []
        most = 1 if self.is_check else MOST_AT_ONCE
        while self.jobs and len(jobs) < most and not (jobs and self.jobs[0].alone):
            job = self.jobs.popleft()
            if not job.future.done():
                jobs.append(job)
                if job.alone:
                    break
        return jobs


class RenderProcess:
    """Renders contents for recipients in one process beside this one; it belongs to one event loop.

    The contents take turns, so one that overruns its budget again and again delays the others by little.

    Args:
        log: where its starts and ends are told; None for the log of a runner.
    """

    def __init__(self, log: Any = None) -> None:
        self._log = log or structlog.get_logger()
        self._lines: dict[str, _Line] = {}
        self._working: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._may_start_at = 0.0

    def render(
        self, key: str, written: Written, phone: str, variables: Mapping[str, object]
    ) -> asyncio.Future[Content]:
        """Begin to render a content for a recipient.

        Args:
            key: the same for the same content.
            written: a content that was checked.
            phone: E.164, the variable `phone`.
            variables: of the recipient.

        Returns:
            The content with rendered texts. RenderError when it cannot be made; cancelled when no process
            could be had for it, which is the fault of no message. It may be cancelled from outside at any
            time.
        """
        return self._begin(key, written, phone, variables)

    async def check(self, written: Written) -> Checked:
        """Read a content and try it out, within a budget.

        Raises:
            RetomaError: it can be sent to nobody.
            NotTried: no process could be had.
        """
        asked = self._begin(f"check {written.key}", written, is_check=True)
        try:
            await asyncio.wait({asked})
        finally:
            asked.cancel()
        if asked.cancelled():
            raise NotTried
        try:
            checked: Checked = asked.result()
        except RenderError as error:
            raise RetomaError(
                f"the content cannot be sent: {error.words}", hint="Use shorter loops, ranges and filters"
            ) from None
        return checked

    def _begin(
        self,
        key: str,
        written: Written,
        phone: str = "",
        variables: Mapping[str, object] = MappingProxyType({}),
        *,
        is_check: bool = False,
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(written, is_check=is_check)
        line.jobs.append(_Job(phone, variables, future))
        if self._working is None:
            # It begins when the caller is done, with all that it asked for.
            self._working = loop.create_task(self._work(), name="render")
        return future

    async def aclose(self) -> None:
        """Cancel what waits, and end the process."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})
        await self._end()

    async def _work(self) -> None:
        try:
            while self._lines:
                key, line = next(iter(self._lines.items()))
                if jobs := line.take():
                    await self._render(line, jobs)
                # Behind the others.
                self._lines.pop(key, None)
                if line.jobs:
                    self._lines[key] = line
        except Exception as error:
            # Not its words, which may hold content.
            self._log.error("rendering_failed", error=type(error).__name__)
            await self._end()
        finally:
            self._cancel_waiting()
            self._working = None

    async def _render(self, line: _Line, jobs: list[_Job]) -> None:
        done = 0
        try:
            process = await self._started()
            assert process.stdin is not None  # noqa: S101
            process.stdin.write(line.frame(jobs))
            while done < len(jobs):
                for result in await _results(process):
                    line.settle(jobs[done], result)
                    done += 1
        except TimeoutError:
            self._log.warning("renderer_frozen", stalled_s=STALL_S)
            await self._end()
            _cancel(jobs[done:])
        except _NotStarted as error:
            self._log.error("renderer_not_started", error=str(error))
            await self._end()
            self._may_start_at = asyncio.get_running_loop().time() + RESTART_S
            _cancel(jobs)
            self._cancel_waiting()
        except (EOFError, OSError):
            self._blame(jobs[done:], await self._end(has_ended=True))
            line.jobs.extendleft(job for job in reversed(jobs[done:]) if not job.future.done())
        except BaseException:
            _cancel(jobs[done:])
            raise

    async def _started(self) -> Process:
        if self._process is not None:
            return self._process
        await asyncio.sleep(self._may_start_at - asyncio.get_running_loop().time())
        try:
            # The modules of this process, whatever lies in the current directory; the same dates everywhere.
            environment = {**os.environ, "TZ": "UTC", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "retoma.content.child",
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment,
            )  # fmt: skip
            await _results(self._process)
        except (OSError, EOFError, TimeoutError) as error:
            raise _NotStarted(type(error).__name__) from error
        self._log.info("renderer_started", pid=self._process.pid)
        return self._process

    async def _end(self, *, has_ended: bool = False) -> int | None:
        """End the process, if there is one; returns its exit code, negative for a signal.

        Args:
            has_ended: it has closed its output, so it is about to be gone by itself.
        """
        process, self._process = self._process, None
        if process is None:
            return None
        if has_ended:
            # Its exit code says who is to blame. A kill would look first whether it is there, and take that
            # code away from asyncio, which then says 255.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDING_S):
                    return await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()

    def _blame(self, jobs: list[_Job], code: int | None) -> None:
        """The process died with these messages unanswered. Its last results may be lost: any is suspect."""
        if code == 0:
            return  # it has said why, and ended itself
        self._log.warning("renderer_ended", code=code)
        if len(jobs) > 1:
            for job in jobs:
                job.alone = True
            return
        (job,) = jobs
        job.deaths += 1
        if job.future.done():
            return
        if code == -signal.SIGPROF:
            job.future.set_exception(RenderError("over_time", f"it takes more than {CPU_S:g} s of CPU time"))
        elif job.deaths >= MOST_DEATHS:
            job.future.set_exception(RenderError("crashed", f"the process that read it ended with {code}"))

    def _cancel_waiting(self) -> None:
        lines, self._lines = self._lines, {}
        for line in lines.values():
            _cancel(line.jobs)


class _NotStarted(Exception):
    """The process does not start."""


async def _results(process: Process) -> list[Any]:
    assert process.stdout is not None  # noqa: S101
    async with asyncio.timeout(STALL_S):
        size = length_in(await process.stdout.readexactly(HEADER_SIZE))
        results = unpacked(await process.stdout.readexactly(size))
    if not isinstance(results, list):
        raise EOFError
    return results


def _cancel(jobs: list[_Job] | deque[_Job]) -> None:
    for job in jobs:
        job.future.cancel()
