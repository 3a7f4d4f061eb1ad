"""Filters that refuse what Liquid's own would make the best of."""

from liquid.builtin.expressions import Filter
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError, ResourceLimitError

from retoma.content.budget import LONGEST_VALUE
from retoma.content.comparisons import plain_number
from retoma.content.missing import refuse_missing

_ROUNDING = frozenset(("abs", "ceil", "floor", "round"))
_OF_NUMBERS = _ROUNDING | frozenset(
    ("at_least", "at_most", "divided_by", "minus", "modulo", "plus", "sum", "times")
)


class NotANumber(FilterArgumentError):
    """Liquid would take it for 0: so 1.234,50 times 2 would be 0."""


class StrictFilter(Filter):
    """A filter that is given a missing value only when it is `default`, and makes nothing endless."""

    __slots__ = ()

    def evaluate(self, left: object, context: RenderContext) -> object:
        if self.name != "default":
            refuse_missing(left)
        if self.name in _OF_NUMBERS:
            self._refuse_words(left)
        value = super().evaluate(left, context)
        if isinstance(value, str | list | tuple) and len(value) > LONGEST_VALUE:
            raise ResourceLimitError(f"the filter {self.name!r} makes too long a value", token=self.token)
        return value

    def evaluate_args(self, context: RenderContext) -> tuple[list[object], dict[str, object]]:
        positional, keyword = super().evaluate_args(context)
        if self.name != "default":
            for value in (*positional, *keyword.values()):
                refuse_missing(value)
        if self.name in _OF_NUMBERS and self.name != "sum":
            for value in positional:
                self._refuse_words(value)
        return positional, keyword

    def _refuse_words(self, value: object) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and plain_number(item) is None:
                raise NotANumber("a text that is no plain number", token=self.token)
