"""Checks of the texts of a content before anything is sent."""

from collections.abc import Iterable

from retoma.content.liquid import parse
from retoma.content.results import Checked
from retoma.content.variables import required_variables, used_variables


def check(texts: Iterable[tuple[str, str]]) -> Checked:
    """Refuse a text that could never be sent, and say what all of them need.

    Args:
        texts: what each is called in an error, and its Liquid.

    Raises:
        RetomaError: Liquid that is not valid, or cannot be rendered for any recipient.
    """
    required: set[str] = set()
    used: set[str] = set()
    for place, text in texts:
        template = parse(text, place)
        required.update(required_variables(template))
        used.update(used_variables(template))
    return Checked(sorted(required), sorted(used - required))
