"""Texts of only words and variables by their names. Most texts are; they render in a microsecond.

The runner decides this without the parser of Liquid, which a hostile text keeps busy: a text that is not
surely plain goes to the process beside it.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from retoma.content.budget import MOST_TAGS
from retoma.names import CLOCKS, IN_SINGLE_BRACES, is_word_of_liquid

Render = Callable[[str, Mapping[str, object]], str | None]
"""From a phone number (the variable `phone`) and the recipient's variables to text. None: ask Liquid."""

Part = tuple[bool, str]
"""Whether it is a variable; its name, else the text itself."""

PLAIN_LIMIT = 8_192
"""Characters, well inside Liquid's own limit in bytes: Liquid decides about longer texts."""

_OUTPUT = re.compile(r"\{\{[ \t\r\n]{0,50}([A-Za-z_][A-Za-z0-9_]*)[ \t\r\n]{0,50}\}\}")
_BRACES = re.compile(r"\{\{|\{%|\}\}|%\}")


def plain_parts(text: str) -> list[Part] | None:
    """The parts of a text with only words and variables by their names; None for any other."""
    pieces = _OUTPUT.split(text)
    words, names = pieces[::2], pieces[1::2]
    if len(names) > MOST_TAGS or any(is_word_of_liquid(name) or name in CLOCKS for name in names):
        return None
    if any(_BRACES.search(piece) or IN_SINGLE_BRACES.search(piece) for piece in words):
        return None
    return [(index % 2 == 1, piece) for index, piece in enumerate(pieces) if piece]


def renderer_of_plain(parts: Sequence[Part], longest: int) -> Render:
    """The same text as Liquid's in a tenth of the time: Liquid was most of the CPU of a runner.

    Only where both are sure to agree: every variable is there and is a text or a whole number. All else,
    errors included, is left to Liquid, and so is a text of more than `longest` characters.
    """
    names = [text for is_variable, text in parts if is_variable and text != "phone"]
    template = "".join("%s" if is_variable else text.replace("%", "%%") for is_variable, text in parts)
    order = [text for is_variable, text in parts if is_variable]

    def render_plain(phone: str, variables: Mapping[str, object]) -> str | None:
        for name in names:
            if type(variables.get(name)) not in (str, int):
                return None
        text = template % tuple([phone if name == "phone" else variables[name] for name in order])
        return text if len(text) <= longest else None

    return render_plain
