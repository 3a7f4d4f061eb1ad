"""How {% if %}, {% unless %} and {% case %} compare.

Every value of an imported list is a text, and an empty cell is no value at all. So here a variable that is
missing, nil and "" are one and the same, and a text that is a plain number is compared as that number.
Liquid's own operators say that a missing name is not blank, and that "20" is not at least 18.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from liquid.builtin.expressions import BooleanExpression
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.context import RenderContext
from liquid.exceptions import LiquidTypeError
from liquid.expression import Expression
from liquid.token import Token
from liquid.undefined import is_undefined

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}\.[0-9]{3}")
"""1.234 is one number in Brazil and another in England: it is compared with none."""


def equal(left: object, right: object) -> bool:
    """Whether two values are equal; missing, nil, "", blank and empty are."""
    if _is_nothing(left) and _is_nothing(right):
        return True
    if isinstance(left, Blank | Empty) or isinstance(right, Blank | Empty):
        # Texts of blanks, empty lists and empty objects; they know.
        return left == right if isinstance(left, Blank | Empty) else right == left
    if _is_nothing(left) or _is_nothing(right):
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        # Remember 1 == True in Python.
        return left is right
    if isinstance(left, str) != isinstance(right, str):
        left_number, right_number = plain_number(left), plain_number(right)
        return left_number is not None and left_number == right_number
    return left == right


def compared(left: object, right: object, token: Token, holds: Callable[[int], bool]) -> bool:
    """Whether the order of two values holds; never when one of them is missing or blank.

    Args:
        token: the operator, for the error.
        holds: takes -1, 0 or 1: left is less, equal or greater.

    Raises:
        LiquidTypeError: the two have no order, as a word and a number.
    """
    if _is_nothing(left) or _is_nothing(right) or _is_blank(left) or _is_blank(right):
        return False
    left_number, right_number = plain_number(left), plain_number(right)
    if left_number is not None and right_number is not None:
        return holds((left_number > right_number) - (left_number < right_number))
    if isinstance(left, str) and isinstance(right, str):
        return holds((left > right) - (left < right))
    raise LiquidTypeError("a text, or a list, is compared with a number", token=token)


def tolerant(expression: Expression) -> Expression:
    """The same condition with the comparisons of this module."""
    if isinstance(expression, BooleanExpression):
        return BooleanExpression(expression.token, tolerant(expression.expression))
    binary = _OURS.get(type(expression))
    if binary is None:
        return expression
    assert isinstance(expression, _BINARY)  # noqa: S101 (its keys are)
    return binary(expression.token, tolerant(expression.left), tolerant(expression.right))


class AnyEqual(Expression):
    """The condition of one {% when %}: equal to one of its values, and to none of the {% when %} before it.

    Liquid's own renders a block as often as values match, and every block that matches.
    """

    __slots__ = ("before", "left", "values")

    def __init__(
        self, token: Token, left: Expression, values: list[Expression], before: list[Expression]
    ) -> None:
        super().__init__(token)
        self.left = left
        self.values = values
        self.before = before

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))

    def evaluate(self, context: RenderContext) -> list[bool]:
        left = self.left.evaluate(context)

        def matches(value: Expression) -> bool:
            return equal(left, value.evaluate(context))

        return [any(map(matches, self.values)) and not any(map(matches, self.before))]

    def children(self) -> list[Expression]:
        return self.values


def plain_number(value: object) -> Decimal | None:
    """A number, or a text that can only be read as one number; None for any other value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    if isinstance(value, str):
        text = value.strip()
        if _PLAIN_NUMBER.fullmatch(text) and not _THOUSANDS.fullmatch(text):
            return Decimal(text)
    return None


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return value == ""
    return value is None or is_undefined(value) or isinstance(value, Blank | Empty)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and value.isspace()


class _Equal(EqExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return equal(self.left.evaluate(context), self.right.evaluate(context))


class _NotEqual(NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return not equal(self.left.evaluate(context), self.right.evaluate(context))


class _Less(LtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        values = self.left.evaluate(context), self.right.evaluate(context)
        return compared(*values, self.token, lambda order: order < 0)


class _AtMost(LeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        values = self.left.evaluate(context), self.right.evaluate(context)
        return compared(*values, self.token, lambda order: order <= 0)


class _Greater(GtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        values = self.left.evaluate(context), self.right.evaluate(context)
        return compared(*values, self.token, lambda order: order > 0)


class _AtLeast(GeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        values = self.left.evaluate(context), self.right.evaluate(context)
        return compared(*values, self.token, lambda order: order >= 0)


_BINARY = (
    EqExpression,
    NeExpression,
    LtExpression,
    LeExpression,
    GtExpression,
    GeExpression,
    ContainsExpression,
    LogicalAndExpression,
    LogicalOrExpression,
)
_OURS: dict[type[Expression], Callable[[Token, Expression, Expression], Expression]] = {
    EqExpression: _Equal,
    NeExpression: _NotEqual,
    LtExpression: _Less,
    LeExpression: _AtMost,
    GtExpression: _Greater,
    GeExpression: _AtLeast,
    # These compare nothing, but what they join may.
    ContainsExpression: ContainsExpression,
    LogicalAndExpression: LogicalAndExpression,
    LogicalOrExpression: LogicalOrExpression,
}
