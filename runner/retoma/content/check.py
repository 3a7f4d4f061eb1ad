"""Checks of a content before anything is sent."""

from dataclasses import dataclass

from retoma.content.kinds import Content, kind_of, liquid_fields
from retoma.content.liquid import parsed
from retoma.content.variables import required_variables


@dataclass(frozen=True, slots=True)
class Checked:
    """A content that can be sent.

    Args:
        required_variables: those that every recipient must have, sorted.
    """

    required_variables: list[str]


def check(content: Content) -> Checked:
    """Refuse a content that could never be sent, and say what it needs.

    Args:
        content: for example {"kind": "text", "text": "Olá {{ name }}"}.

    Raises:
        RetomaError: an unknown kind; a field that is missing, unknown or too long; Liquid that is not valid.
    """
    kind_of(content)
    names: set[str] = set()
    for field, text in liquid_fields(content).items():
        names.update(required_variables(parsed(text, field)))
    return Checked(sorted(names))
