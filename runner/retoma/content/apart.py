"""For commands: contents are read and rendered in a process apart, as in a runner."""

import asyncio
from collections.abc import Sequence

import structlog

from retoma.content.kinds import Content
from retoma.content.process import NotTried, RenderProcess
from retoma.content.renderer import compile_content
from retoma.content.results import Checked, RenderError
from retoma.errors import RetomaError

_silent = structlog.wrap_logger(
    structlog.ReturnLogger(), processors=[lambda _logger, _name, _event: ("", {})]
)

Recipient = tuple[str, dict[str, object]]
"""Phone number and variables."""


def check_apart(content: Content) -> Checked:
    """Read a content and try it out, within a budget of time and memory.

    Raises:
        RetomaError: it can be sent to nobody, or no process can be had for this.
    """

    async def check() -> Checked:
        process = RenderProcess(_silent)
        try:
            return await process.check(content)
        except NotTried:
            raise _no_process() from None
        finally:
            await process.aclose()

    return asyncio.run(check())


def render_apart(content: Content, recipients: Sequence[Recipient]) -> list[Content | RenderError]:
    """Render a content for some recipients, each within its budget.

    Raises:
        RetomaError: it can be sent to nobody, or no process can be had for this.
    """

    async def render() -> list[Content | RenderError]:
        process = RenderProcess(_silent)
        try:
            make = await compile_content(content, process)
            results: list[Content | RenderError] = []
            for made in [make(phone, variables) for phone, variables in recipients]:
                results.append(await _outcome(made) if isinstance(made, asyncio.Future) else made)
            return results
        except NotTried:
            raise _no_process() from None
        finally:
            await process.aclose()

    return asyncio.run(render())


async def _outcome(made: asyncio.Future[Content]) -> Content | RenderError:
    await asyncio.wait({made})
    if made.cancelled():
        raise NotTried
    error = made.exception()
    if error is None:
        return made.result()
    if isinstance(error, RenderError):
        return error
    raise error


def _no_process() -> RetomaError:
    return RetomaError(
        "The process that reads texts does not start.", hint="See that this machine has memory to spare."
    )
