"""Liquid, the convention of marketing tools, as Retoma understands it: the only parser of it."""

import inspect
import re
from collections.abc import Iterator, Mapping

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Filter, FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    RangeLiteral,
    TrueLiteral,
)
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidError, LiquidSyntaxError, UnknownFilterError
from liquid.expression import Expression
from liquid.token import TOKEN_CONTENT, Token

from retoma.content.budget import LONGEST_TEXT
from retoma.content.comparisons import AnyEqual, tolerant
from retoma.content.dates import date
from retoma.content.filters import StrictFilter
from retoma.content.markup import refuse_unbounded
from retoma.content.missing import ListOrNothing, Missing
from retoma.content.ranges import BoundedRange
from retoma.errors import RetomaError
from retoma.names import CLOCKS, IN_SINGLE_BRACES, is_word_of_liquid, safe_name

_TAGS = (
    *("content", "output", "illegal", "#", "comment", "doc", "liquid", "echo", "cycle", "ifchanged"),
    *("assign", "capture", "increment", "decrement"),
    *("if", "unless", "case", "for", "tablerow", "break", "continue"),
)
"""Those whose meaning retoma.content.variables knows. Not include and render: there are no files."""

_LONGEST_EXCERPT = 80

_CLOCK = "a text is the same whenever it is sent, so there is no"

_MORE_THAN_ONE = "expected end of expression, found"

_SINGLE_BRACES = "in single braces, which everybody would see"

_NUMBER_WRITTEN = "in the place of a variable"

_HINTS = {
    _SINGLE_BRACES: "a variable is written {{ nome }}; for braces that everybody shall see: {{ '{nome}' }}",
    _NUMBER_WRITTEN: "a variable has the name of a column of the list, as in {{ nome }}",
    _CLOCK: "write the day itself, or import it as a column of another name",
    "'include'": "there are no files that a text could include; write what is in them",
    "'render'": "there are no files that a text could include; write what is in them",
}

_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}")


class _Template(BoundTemplate):
    def make_partial_namespace(
        self, partial: bool, render_args: Mapping[str, object]
    ) -> Mapping[str, object]:
        # Liquid's own adds a variable `partial`, in front of a column of that name.
        return render_args


class _Environment(Environment):
    """Liquid reaches no file, no attribute and no code.

    Each of these limits has its own error message. The process that renders a text bounds it in any case
    (retoma.content.child).
    """

    template_class = _Template
    block_nesting_limit = 8
    context_depth_limit = 20
    loop_iteration_limit = 10_000
    local_namespace_limit = 10_000
    output_stream_limit = 4 * LONGEST_TEXT  # bytes, of which a character has up to four


environment = _Environment(undefined=Missing)
environment.add_filter("date", date)
environment.tags = {name: tag for name, tag in environment.tags.items() if name in _TAGS}


def parse(text: str, field: str = "text") -> BoundTemplate:
    """Parse one Liquid text, within a second whatever it holds.

    Args:
        text: up to LONGEST_TEXT characters.
        field: what it is called in an error.

    Raises:
        RetomaError: it is not valid Liquid, or cannot be rendered for any recipient.
    """
    try:
        refuse_unbounded(text)
        template = environment.from_string(text)
        _adapt(template)
    except (LiquidError, RecursionError) as error:
        message, hint = _in_words(error, text)
        is_liquid = _SINGLE_BRACES in message or _NUMBER_WRITTEN in message
        problem = f"has {message}" if is_liquid else f"is not valid Liquid: {message}"
        raise RetomaError(f"the {field} {problem}", hint=hint) from error
    return template


def nodes_of(node: Node, template: BoundTemplate) -> Iterator[Node]:
    """The nodes inside a node."""
    yield from node.children(RenderContext(template), include_partials=False)


def _adapt(template: BoundTemplate) -> None:
    """Refuse what could never be rendered, and put Retoma's meaning in place of Liquid's."""
    waiting = [(node, False) for node in template.nodes]
    while waiting:
        node, in_loop = waiting.pop()
        if isinstance(node, BreakNode | ContinueNode) and not in_loop:
            raise LiquidSyntaxError(f"{node} stands outside a loop", token=node.token)
        if isinstance(node, ContentNode):
            _refuse_single_braces(node)
        for expression in node.expressions():
            _adapt_expression(expression)
        _adapt_node(node)
        inside = in_loop or isinstance(node, ForNode | TablerowNode)
        waiting += [(child, inside) for child in nodes_of(node, template)]


def _adapt_node(node: Node) -> None:
    match node:
        case OutputNode():
            _refuse_word(node.expression)
            _adapt_filters(node.expression)
        case AssignNode():
            _adapt_filters(node.expression)
        case IfNode() | UnlessNode():
            node.condition = tolerant(node.condition)
            for alternative in node.alternatives:
                alternative.expression = tolerant(alternative.expression)
        case CaseNode():
            _adapt_case(node)
        case ForNode() | TablerowNode():
            node.expression.iterable = ListOrNothing(node.expression.iterable)
        case _:
            pass


def _refuse_single_braces(node: ContentNode) -> None:
    source, start = node.token.source, node.token.start_index
    found = IN_SINGLE_BRACES.search(node.text)
    if found and not _RAW.match(source, start):
        token = Token(TOKEN_CONTENT, found[0], source.index(found[0], start), source)
        raise LiquidSyntaxError(f"“{found[1]}” {_SINGLE_BRACES}", token=token)


def _refuse_word(expression: Expression) -> None:
    """Refuse {{ true }}, {{ empty }} and {{ 1 }}: written, they can only be meant as variables."""
    left, filters = expression, None
    if isinstance(expression, FilteredExpression):
        left, filters = expression.left, expression.filters
    if isinstance(left, TrueLiteral | FalseLiteral | Nil | Empty | Blank):
        raise LiquidSyntaxError(f"expected a variable, found {left.token.value}", token=left.token)
    if isinstance(left, IntegerLiteral | FloatLiteral) and (not filters or filters[0].name == "default"):
        raise LiquidSyntaxError(f"the number {left.token.value} {_NUMBER_WRITTEN}", token=left.token)


def _adapt_case(node: CaseNode) -> None:
    before: list[Expression] = []
    for block in node.blocks:
        if isinstance(block, MultiExpressionBlockNode):
            values = block.expression.expressions
            condition = AnyEqual(block.token, node.expression, values, before)
            block.expression = condition  # type: ignore[assignment]
            before = [*before, *values]


def _adapt_filters(expression: Expression) -> None:
    if isinstance(expression, FilteredExpression) and expression.filters:
        for filter_ in expression.filters:
            _refuse_wrong_use(filter_)
        expression.filters = [StrictFilter(f.token, f.name, f.args) for f in expression.filters]


def _refuse_wrong_use(filter_: Filter) -> None:
    function = environment.filters.get(filter_.name)
    if function is None:
        raise UnknownFilterError(f"there is no filter {filter_.name!r}", token=filter_.token)
    signature = inspect.signature(function)
    names = [getattr(argument, "name", None) for argument in filter_.args]
    keywords = {name: None for name in (*names, *({"environment"} & set(signature.parameters))) if name}
    try:
        signature.bind(None, *(None for name in names if name is None), **keywords)
    except TypeError as error:
        raise LiquidSyntaxError(f"the filter {filter_.name!r}: {error}", token=filter_.token) from error


def _adapt_expression(expression: Expression) -> None:
    """Bound ranges, and refuse two kinds of names.

    {{ [city] }} is the variable whose name the variable `city` holds: it cannot be told who has it.
    {{ now }} is the clock of the runner, which would make another message of each attempt.
    """
    waiting: list[Expression] = [expression]
    while waiting:
        expression = waiting.pop()
        if isinstance(expression, RangeLiteral):
            expression.__class__ = BoundedRange
        if isinstance(expression, Path):
            name = expression.path[0]
            if not isinstance(name, str):
                raise LiquidSyntaxError("a name in brackets without quotes", token=expression.token)
            _refuse_clock(name, expression.token)
        if (
            isinstance(expression, FilteredExpression)
            and isinstance(expression.left, StringLiteral)
            and expression.filters
            and expression.filters[0].name == "date"
        ):
            _refuse_clock(expression.left.value, expression.left.token)
        waiting += expression.children()


def _refuse_clock(name: str, token: Token) -> None:
    if name in CLOCKS:
        raise LiquidSyntaxError(f"{_CLOCK} {name!r}", token=token)


def _in_words(error: LiquidError | RecursionError, text: str) -> tuple[str, str]:
    """The error with its place, and a hint. Only the hint, which is not logged, shows the text."""
    message = str(error.message) if isinstance(error, LiquidError) else "nested too deeply"
    token = error.token if isinstance(error, LiquidError) else None
    hint = _hint(error, message)
    if isinstance(error.__cause__, RecursionError):
        message = "nested too deeply"
    elif message.startswith(_MORE_THAN_ONE):
        message = "there is more than one name or value"
    if token is None or not 0 <= token.start_index <= len(text):
        return message, hint
    line = text.count("\n", 0, token.start_index) + 1
    return f"{message} (line {line})", f"{_excerpt(token, text)}: {hint}"


def _hint(error: LiquidError | RecursionError, message: str) -> str:
    word = message.rpartition("found ")[2]
    if is_word_of_liquid(word):
        return (
            f"“{word}” is a word of Liquid; the column “{word}” of an imported list is the variable "
            f"{{{{ {safe_name(word)} }}}}"
        )
    if isinstance(error, UnknownFilterError):
        return "for example {{ name | capitalize }} or {{ name | default: 'friend' }}"
    for words, hint in _HINTS.items():
        if words in message:
            return hint
    if (
        message.startswith(_MORE_THAN_ONE)
        or message.startswith(("unexpected '", "unknown operator"))
        or "brackets" in message
    ):
        return (
            "names have letters, digits, _ and -; any other is written as {{ ['Primeiro Nome'] }}."
            " A column of an imported list has the name that the import shows, as {{ primeiro_nome }}"
        )
    return "variables are written {{ name }}, and {% if … %} needs {% endif %}"


def _excerpt(token: Token, text: str) -> str:
    start = max(text.rfind("{{", 0, token.start_index + 2), text.rfind("{%", 0, token.start_index + 2), 0)
    return " ".join(text[start : start + _LONGEST_EXCERPT].split())
