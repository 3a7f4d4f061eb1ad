"""From a content to a function that makes it for each recipient."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from retoma.content.plain import PLAIN_LIMIT, Part, Render, plain_parts, renderer_of_plain
from retoma.content.process import RenderProcess
from retoma.content.written import Content, Written

Renderer = Callable[[str, Mapping[str, object]], Content | asyncio.Future[Content]]
"""From a phone number (E.164, the variable `phone`) and the recipient's variables to what is sent.

At once, or later where it is rendered in the process beside this one. It is a RenderError, raised at once or
later, when the content cannot be made for this recipient; and cancelled when it was not tried, which is the
fault of no message.
"""


async def compile_content(written: Written, process: RenderProcess) -> Renderer:
    """Read a content once.

    Args:
        written: a content with its Liquid texts.
        process: where it is read and rendered unless all of it is plain text.

    Raises:
        RetomaError: as check.
        NotTried: no process could be had.
    """
    plain = _plain(written)
    if plain is None:
        await process.check(written)
    return _renderer(written, plain, process)


def compile_checked(written: Written, process: RenderProcess) -> Renderer:
    """As compile_content, for a content that was checked: it is not read again, which costs more than a page.

    Args:
        written: a content with its Liquid texts.
        process: where it is rendered unless all of it is plain text.
    """
    return _renderer(written, _plain(written), process)


def _plain(written: Written) -> list[Sequence[Part]] | None:
    """The parts of each text; None when one of them is not plain."""
    plain: list[Sequence[Part]] = []
    for text in written.texts:
        parts = plain_parts(text.liquid)
        if parts is None:
            return None
        plain.append(parts)
    return plain


def _renderer(written: Written, plain: Sequence[Sequence[Part]] | None, process: RenderProcess) -> Renderer:
    ask_liquid = partial(process.render, written.key, written)
    if plain is None:
        return ask_liquid
    return _renderer_of_one(written, plain, ask_liquid) or _renderer_of_plain(written, plain, ask_liquid)


def _renderer_of_one(
    written: Written, plain: Sequence[Sequence[Part]], ask_liquid: Renderer
) -> Renderer | None:
    """The cheapest way to write it, because it runs for every message: most contents are one text.

    Its words alone are not blank, and Liquid decides about one that is too long.
    """
    if len(written.texts) != 1 or len(written.content) != 2:
        return None
    (text,) = written.texts
    (parts,) = plain
    says_something = any(words.strip() for is_variable, words in parts if not is_variable)
    if len(text.path) != 1 or text.pattern is not None or not says_something:
        return None
    kind, field = written.content["kind"], str(text.path[0])
    render_field = renderer_of_plain(parts, min(PLAIN_LIMIT, text.maximum))

    def render_one(phone: str, variables: Mapping[str, object]) -> Content | asyncio.Future[Content]:
        words = render_field(phone, variables)
        return ask_liquid(phone, variables) if words is None else {"kind": kind, field: words}

    return render_one


def _renderer_of_plain(written: Written, plain: Sequence[Sequence[Part]], ask_liquid: Renderer) -> Renderer:
    renders: list[Render] = [renderer_of_plain(parts, PLAIN_LIMIT) for parts in plain]

    def render(phone: str, variables: Mapping[str, object]) -> Content | asyncio.Future[Content]:
        texts: list[str] = []
        for render_text in renders:
            words = render_text(phone, variables)
            if words is None:
                return ask_liquid(phone, variables)
            texts.append(words)
        return written.rendered(texts)

    return render
