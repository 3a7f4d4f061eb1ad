"""From a content to a function that makes it for each recipient."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial

from retoma.content.kinds import Content, kind_of, liquid_fields
from retoma.content.plain import Render, plain_parts, renderer_of_plain
from retoma.content.process import RenderProcess

Renderer = Callable[[str, Mapping[str, object]], Content | asyncio.Future[Content]]
"""From a phone number (E.164, the variable `phone`) and the recipient's variables to what is sent.

At once, or later where it is rendered in the process beside this one. Later, it is a RenderError when the
content cannot be made, and cancelled when it was not tried, which is the fault of no message.
"""


async def compile_content(content: Content, process: RenderProcess) -> Renderer:
    """Read a content once.

    Args:
        content: for example {"kind": "text", "text": "Olá {{ name }}"}.
        process: where it is read and rendered unless all of it is plain text.

    Raises:
        RetomaError: as check.
        NotTried: no process could be had.
    """
    kind_of(content)
    ask_liquid = partial(process.render, json.dumps(content, sort_keys=True), content)
    plain = _plain_fields(content)
    if plain is None:
        await process.check(content)
        return ask_liquid
    return _renderer_of_plain(content, plain, ask_liquid)


def _renderer_of_plain(content: Content, plain: Mapping[str, Render], ask_liquid: Renderer) -> Renderer:
    if len(plain) == 1:
        # The cheapest way to write it, because it runs for every message.
        kind = content["kind"]
        ((field, render_field),) = plain.items()

        def render_one(phone: str, variables: Mapping[str, object]) -> Content | asyncio.Future[Content]:
            text = render_field(phone, variables)
            return ask_liquid(phone, variables) if text is None else {"kind": kind, field: text}

        return render_one

    def render(phone: str, variables: Mapping[str, object]) -> Content | asyncio.Future[Content]:
        texts = {field: render_field(phone, variables) for field, render_field in plain.items()}
        return ask_liquid(phone, variables) if None in texts.values() else {**content, **texts}

    return render


def _plain_fields(content: Content) -> Mapping[str, Render] | None:
    """The Liquid fields of a content, if all of them are plain."""
    renders: dict[str, Render] = {}
    for field, text in liquid_fields(content).items():
        parts = plain_parts(text)
        if parts is None:
            return None
        renders[field] = renderer_of_plain(parts)
    return renders
