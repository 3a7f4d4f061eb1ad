"""The kinds of content, and which of their fields are Liquid.

A content is a JSON object: {"kind": "text", "text": "Olá {{ name }}"}.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from retoma.errors import RetomaError

Content = Mapping[str, object]
"""A content as it is in the database, or as it is sent when its Liquid fields are rendered."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of content.

    Args:
        liquid: its Liquid fields, each with the most characters that it may have, written and rendered.
    """

    liquid: Mapping[str, int]


LONGEST_TEXT = 65_536
"""Characters; WhatsApp takes no more in one message."""

KINDS: Mapping[str, Kind] = {
    "text": Kind(liquid={"text": LONGEST_TEXT}),
}


def kind_of(content: Content) -> Kind:
    """The kind of a content that has the right shape.

    Raises:
        RetomaError: an unknown kind; a field that is missing, unknown, not a text, blank or too long.
    """
    name = content.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise RetomaError(
            "the content has no kind" if name is None else f"there is no content of the kind {name!r}",
            hint=f"Kinds: {', '.join(sorted(KINDS))}. "
            'For example {"kind": "text", "text": "Olá {{ name }}"}',
        )
    if unknown := sorted(set(content) - {"kind"} - set(kind.liquid)):
        raise RetomaError(
            f"a content of the kind {name} has no field {', '.join(unknown)}",
            hint=f"Its fields: {', '.join(sorted(kind.liquid))}",
        )
    for field, longest in kind.liquid.items():
        _refuse_unfit(content.get(field), field, longest)
    return kind


def liquid_fields(content: Content) -> dict[str, str]:
    """The Liquid texts of a content that was checked, by their fields."""
    kind = KINDS[str(content["kind"])]
    return {field: str(content[field]) for field in kind.liquid}


def _refuse_unfit(text: object, field: str, longest: int) -> None:
    if text is None:
        raise RetomaError(f"the content has no {field}", hint="For example Olá {{ name }}")
    if not isinstance(text, str):
        raise RetomaError(f"the {field} of the content is not a text", hint="For example Olá {{ name }}")
    if not text.strip():
        raise RetomaError(f"the {field} of a campaign cannot be empty", hint="For example Olá {{ name }}")
    if len(text) > longest:
        raise RetomaError(
            f"the {field} has {len(text):,} characters; {longest:,} are the most",
            hint="Shorten it: people do not read so much in a message",
        )
