"""Content: Liquid templates, the convention of marketing tools, over the variables of one recipient."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from liquid import Environment, FalsyStrictUndefined
from liquid.exceptions import LiquidError

from retoma.errors import RetomaError

Renderer = Callable[[str, Mapping[str, object]], str]


class _Sandbox(Environment):
    """Liquid reaches no file, no attribute and no code; these limits bound what one text may cost."""

    loop_iteration_limit = 10_000
    output_stream_limit = 65_536
    local_namespace_limit = 10_000
    context_depth_limit = 20


class RenderError(Exception):
    """This recipient's text cannot be made. The message names the cause, never a value."""


# A variable that is missing makes an output fail, but can be tested ({% if name %}) and defaulted.
_environment = _Sandbox(undefined=FalsyStrictUndefined)


@lru_cache(maxsize=256)
def compile_text(body: str) -> Renderer:
    """Parse a text once.

    Args:
        body: a Liquid template.

    Returns:
        A function from a phone number (E.164, the variable `phone`) and the recipient's variables to text.

    Raises:
        RetomaError: the template is not valid Liquid.
    """
    try:
        template = _environment.from_string(body)
        unknown = sorted(set(template.analyze().filters) - set(_environment.filters))
    except LiquidError as error:
        raise RetomaError(
            f"the text is not valid Liquid: {error.message}",
            hint="Variables are written {{ name }}, and {% if … %} needs {% endif %}",
        ) from error

    if unknown:
        raise RetomaError(
            f"the text uses filters that Liquid does not have: {', '.join(unknown)}",
            hint="For example {{ name | capitalize }} or {{ name | default: 'friend' }}",
        )

    def render(phone: str, variables: Mapping[str, object]) -> str:
        try:
            return template.render(phone=phone, **variables)
        except LiquidError as error:
            raise RenderError(error.message or type(error).__name__) from error

    return render
