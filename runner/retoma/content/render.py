"""One Liquid text for one recipient."""

from collections.abc import Mapping

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, OutputStreamLimitError, ResourceLimitError, UndefinedError

from retoma.content.budget import LONGEST_TEXT
from retoma.content.results import RenderError


def render(template: BoundTemplate, phone: str, variables: Mapping[str, object]) -> str:
    """Render a text.

    Args:
        template: of retoma.content.liquid.
        phone: E.164, the variable `phone`.
        variables: of the recipient, as JSON has them.

    Raises:
        RenderError: the content cannot be made.
    """
    try:
        text = template.render({**variables, "phone": phone})
    except UndefinedError as error:
        raise RenderError("missing_variable", str(error.message)) from None
    except OutputStreamLimitError:
        raise _too_long() from None
    except ResourceLimitError as error:
        raise RenderError("over_limit", str(error.message)) from None
    except MemoryError:
        raise RenderError("over_memory", "the text needs too much memory") from None
    except LiquidError as error:
        # Not its own words: they may show the value.
        name = error.token.value if error.token is not None else None
        where = f"in the filter {name!r}" if name in template.env.filters else "in a comparison or a tag"
        raise RenderError("value_refused", f"{type(error).__name__} {where}") from None
    except Exception as error:
        # A filter has met a value that it was not made for: a date in 20240131101500, an infinite number.
        raise RenderError("value_refused", type(error).__name__) from None
    if len(text) > LONGEST_TEXT:
        raise _too_long()
    return text


def _too_long() -> RenderError:
    return RenderError("over_size", f"the text has more than {LONGEST_TEXT:,} characters")
