"""Ranges that end: (1..900000000) is a loop, or a list for a filter, that takes minutes."""

from typing import Any

from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import ResourceLimitError

from retoma.content.budget import LONGEST_RANGE


class BoundedRange(RangeLiteral):
    """A range of at most LONGEST_RANGE numbers."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        numbers = super()._make_range(start, stop)
        if numbers.stop - numbers.start > LONGEST_RANGE:
            raise ResourceLimitError(f"a range has more than {LONGEST_RANGE:,} numbers", token=self.token)
        return numbers
