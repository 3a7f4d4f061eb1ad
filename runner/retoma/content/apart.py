"""For commands: contents are read and rendered in a process apart, as in a runner."""

import asyncio
from collections.abc import Sequence

import structlog

from retoma.content.process import NotTried, RenderProcess
from retoma.content.renderer import Renderer, compile_content
from retoma.content.results import Checked, RenderError
from retoma.content.written import Content, Written
from retoma.errors import RetomaError

_silent = structlog.wrap_logger(
    structlog.ReturnLogger(), processors=[lambda _logger, _name, _event: ("", {})]
)

Recipient = tuple[str, dict[str, object]]
"""Phone number and variables."""


def check_apart(written: Written) -> Checked:
    """Read a content and try it out, within a budget of time and memory.

    Raises:
        RetomaError: it can be sent to nobody, or no process can be had for this.
    """

    async def check() -> Checked:
        process = RenderProcess(_silent)
        try:
            return await process.check(written)
        except NotTried:
            raise _no_process() from None
        finally:
            await process.aclose()

    return asyncio.run(check())


def render_apart(written: Written, recipients: Sequence[Recipient]) -> list[Content | RenderError]:
    """Render a content for some recipients, each within its budget.

    Raises:
        RetomaError: it can be sent to nobody, or no process can be had for this.
    """

    async def render() -> list[Content | RenderError]:
        process = RenderProcess(_silent)
        try:
            return await render_all(await compile_content(written, process), recipients)
        except NotTried:
            raise _no_process() from None
        finally:
            await process.aclose()

    return asyncio.run(render())


async def render_all(make: Renderer, recipients: Sequence[Recipient]) -> list[Content | RenderError]:
    """Make a content for some recipients, and wait for all of them.

    Raises:
        NotTried: no process could be had.
    """
    results = await render_first(make, recipients, None)
    if len(results) < len(recipients):
        raise NotTried
    return results


async def render_first(
    make: Renderer, recipients: Sequence[Recipient], longest_s: float | None
) -> list[Content | RenderError]:
    """Make a content for some recipients in their order, and give up what takes too long.

    Args:
        make: makes it for one.
        recipients: in order.
        longest_s: after so many seconds the rest is cancelled; None to wait for all.

    Returns:
        The results of the first recipients, up to the first one without a result.
    """
    begun = [_begun(make, phone, variables) for phone, variables in recipients]
    waiting = [made for made in begun if isinstance(made, asyncio.Future)]
    if waiting:
        await asyncio.wait(waiting, timeout=longest_s)
    results: list[Content | RenderError] = []
    for made in begun:
        result = _result(made) if isinstance(made, asyncio.Future) else made
        if result is None:
            break
        results.append(result)
    for made in waiting:
        made.cancel()
    return results


def _begun(
    make: Renderer, phone: str, variables: dict[str, object]
) -> Content | RenderError | asyncio.Future[Content]:
    try:
        return make(phone, variables)
    except RenderError as error:
        return error


def _result(made: asyncio.Future[Content]) -> Content | RenderError | None:
    """What came of it; None when it was not tried, or takes too long."""
    if not made.done() or made.cancelled():
        return None
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
