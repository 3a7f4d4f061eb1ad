"""The names of variables: what the import makes of a title is what a text may write."""

import re

# Words of Liquid, also those that only some tags know: its parser takes none of them as a name.
_WORDS_OF_LIQUID = frozenset(
    (
        "and",
        "or",
        "not",
        "contains",
        "in",
        "true",
        "false",
        "nil",
        "null",
        "none",
        "empty",
        "blank",
        "for",
        "as",
        "if",
        "else",
        "with",
        "offset",
        "limit",
        "reversed",
        "cols",
        "continue",
        "required",
        "forloop",
        "tablerowloop",
    )
)
CLOCKS = frozenset({"now", "today"})
"""What Liquid calls the time at which it renders, as variables and as texts that `date` is given."""
ALWAYS_THERE = frozenset({"phone"})
"""The number of the recipient."""

IN_SINGLE_BRACES = re.compile(r"(?<!\{)\{ {0,3}(\w[\w .-]{0,60}?) {0,3}\}(?!\})")
"""{nome}, the variable of other tools: Liquid would send it as it stands."""


def safe_name(name: str) -> str:
    """A name in lower snake case as a text can write it, for a column of this name."""
    return f"_{name}" if name[0].isdigit() or name in _WORDS_OF_LIQUID | CLOCKS | ALWAYS_THERE else name


def is_word_of_liquid(name: str) -> bool:
    """Whether Liquid has its own meaning for this name."""
    return name in _WORDS_OF_LIQUID
