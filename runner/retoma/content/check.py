"""Checks of a content before anything is sent."""

from retoma.content.kinds import Content, kind_of, liquid_fields
from retoma.content.liquid import parse
from retoma.content.results import Checked
from retoma.content.variables import required_variables, used_variables


def check(content: Content) -> Checked:
    """Refuse a content that could never be sent, and say what it needs.

    Args:
        content: for example {"kind": "text", "text": "Olá {{ name }}"}.

    Raises:
        RetomaError: an unknown kind; a field that is missing, unknown or too long; Liquid that is not valid.
    """
    kind_of(content)
    required: set[str] = set()
    used: set[str] = set()
    for field, text in liquid_fields(content).items():
        template = parse(text, field)
        required.update(required_variables(template))
        used.update(used_variables(template))
    return Checked(sorted(required), sorted(used - required))
