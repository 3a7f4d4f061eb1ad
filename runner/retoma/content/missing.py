"""The value of a variable that the recipient does not have.

It may be tested, compared, looped over and replaced by a default. Where it would be written, or worked on by
any other filter, it is an error: better no message than "Olá ," or a price of 0.
"""

from typing import cast

from liquid.context import RenderContext
from liquid.expression import Expression
from liquid.token import Token
from liquid.undefined import UNDEFINED, FalsyStrictUndefined, is_undefined


class Missing(FalsyStrictUndefined):
    """A variable without a value; its message names the variable, and never a value."""

    __slots__ = ()

    def __init__(
        self, name: str, *, token: Token | None, obj: object = UNDEFINED, hint: str | None = None
    ) -> None:
        # Of a path, Liquid's own words show what a variable inside the brackets has.
        whole = hint is None or hint == f"{name!r} is undefined"
        what = "the variable" if whole else "a part of the variable"
        super().__init__(name, token=token, obj=obj, hint=f"{what} {name!r} is missing")

    def __int__(self) -> int:
        # An end of (1..n).
        return 0

    def __getitem__(self, key: str) -> object:
        # A part of a missing variable is missing as well.
        raise KeyError(key)

    def __len__(self) -> int:
        raise TypeError


class ListOrNothing(Expression):
    """The items of a loop; a missing variable has none."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)

    def evaluate(self, context: RenderContext) -> object:
        value = self.inner.evaluate(context)
        return () if is_undefined(value) else value

    def children(self) -> list[Expression]:
        return [self.inner]


def refuse_missing(value: object) -> None:
    """Raise UndefinedError for a missing variable, with its words."""
    if is_undefined(value):
        str(cast(Missing, value))
