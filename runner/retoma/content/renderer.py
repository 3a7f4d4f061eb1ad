"""From a content to a function that makes it for each recipient."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from retoma.content.kinds import Content, kind_of, liquid_fields
from retoma.content.liquid import parsed
from retoma.content.plain import Render, plain_parts, renderer_of_plain
from retoma.content.process import RenderProcess
from retoma.content.render import render

Renderer = Callable[[str, Mapping[str, object]], Content | asyncio.Future[Content]]
"""From a phone number (E.164, the variable `phone`) and the recipient's variables to what is sent.

At once, or later where it is rendered in the process beside this one. Both ways a RenderError when the
content cannot be made. Cancelled when it was not tried, which is the fault of no message.
"""


def compile_content(content: Content, process: RenderProcess) -> Renderer:
    """Parse a content once.

    Args:
        content: for example {"kind": "text", "text": "Olá {{ name }}"}.
        process: where it is rendered unless all of it is plain text.

    Raises:
        RetomaError: as check.
    """
    key = json.dumps(content, sort_keys=True)
    plain = _plain_fields(key)
    if plain is None:
        return partial(process.render, key, content)
    if len(plain) == 1:
        # The cheapest way to write it, because it runs for every message.
        kind = content["kind"]
        ((field, render_field),) = plain.items()
        return lambda phone, variables: {"kind": kind, field: render_field(phone, variables)}
    return lambda phone, variables: {**content, **{f: r(phone, variables) for f, r in plain.items()}}


@lru_cache(maxsize=256)
def _plain_fields(key: str) -> Mapping[str, Render] | None:
    """The Liquid fields of a content, if all of them are plain."""
    content = json.loads(key)
    kind_of(content)
    renders: dict[str, Render] = {}
    for field, text in liquid_fields(content).items():
        template = parsed(text, field)
        parts = plain_parts(template)
        if parts is None:
            return None
        renders[field] = renderer_of_plain(parts, partial(render, template))
    return renders
