"""Which variables every recipient must have for a text, from its syntax tree.

A variable is required if it is written, or a filter works on it, for every recipient. It is not required if
it has a default, stands inside {% if %}, {% unless %} or {% case %}, or was set by the text itself before. A
variable that is looped over or compared may be missing.
"""

from collections.abc import Iterable, Sequence

from liquid import BoundTemplate
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import FilteredExpression, Path, PositionalArgument
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from retoma.content.liquid import nodes_of
from retoma.names import ALWAYS_THERE

_Names = frozenset[str]
_State = dict[str, _Names]
"""Of each name that the text has set so far: the recipient's variables without which it may be missing."""

_NONE: _Names = frozenset()


def required_variables(template: BoundTemplate) -> list[str]:
    """The variables that every recipient must have, sorted."""
    analysis = _Analysis(template)
    analysis.nodes(template.nodes, {}, optional=False)
    return sorted(analysis.required)


def used_variables(template: BoundTemplate) -> list[str]:
    """The recipient's variables that a text names anywhere, sorted; not those that it sets itself."""
    named: set[str] = set()
    own: set[str] = set(ALWAYS_THERE)
    waiting: list[Node] = list(template.nodes)
    while waiting:
        node = waiting.pop()
        own.update(map(str, (*node.template_scope(), *node.block_scope())))
        expressions = list(node.expressions())
        while expressions:
            expression = expressions.pop()
            named |= _roots(expression)
            expressions += expression.children()
        waiting += nodes_of(node, template)
    return sorted(named - own)


class _Analysis:
    """Walks a text in the order in which it is rendered."""

    def __init__(self, template: BoundTemplate) -> None:
        self._template = template
        self.required: set[str] = set()

    def nodes(self, nodes: Iterable[Node], state: _State, *, optional: bool) -> None:
        """Follow these nodes, and change the state as they do."""
        for node in nodes:
            self._node(node, state, optional=optional)

    def _node(self, node: Node, state: _State, *, optional: bool) -> None:
        match node:
            case OutputNode():
                self._use(node.expression, state, written=True, optional=optional)
            case CycleNode():
                for argument in node.args:
                    self._use(argument, state, written=True, optional=optional)
            case AssignNode():
                self._use(node.expression, state, written=False, optional=optional)
                state[str(node.name)] = _resolved(_follow(node.expression)[0], state)
            case CaptureNode():
                self.nodes(node.block.nodes, state, optional=optional)
                state[str(node.name)] = _NONE
            case IncrementNode() | DecrementNode():
                state.setdefault(str(node.name), _NONE)
            case IfNode() | UnlessNode():
                blocks = [node.consequence, *(alternative.block for alternative in node.alternatives)]
                default = [] if node.default is None else [node.default]
                self._branches([*blocks, *default], bool(default), state)
            case CaseNode():
                last_is_else = bool(node.blocks) and isinstance(node.blocks[-1], BlockNode)
                self._branches(node.blocks, last_is_else, state)
            case ForNode() | TablerowNode():
                self._loop(node, state, optional=optional)
            case _:
                # Words and comments have no nodes; {% liquid %}, {% ifchanged %} and blocks have some inside.
                self.nodes(nodes_of(node, self._template), state, optional=optional)

    def _use(self, expression: Expression, state: _State, *, written: bool, optional: bool) -> None:
        if not optional:
            left_over, worked_on = _follow(expression)
            self.required |= _resolved(worked_on | left_over if written else worked_on, state)

    def _branches(self, blocks: Sequence[Node], one_is_taken: bool, state: _State) -> None:
        """Blocks of which any may be rendered, or none."""
        ends = [] if one_is_taken else [dict(state)]
        before = dict(state)
        for block in blocks:
            branch = dict(before)
            self._node(block, branch, optional=True)
            ends.append(branch)
            before = _joined([before, branch])
        state.update(_joined(ends))

    def _loop(self, node: ForNode | TablerowNode, state: _State, *, optional: bool) -> None:
        """A block that is rendered any number of times, each time with the variables set by the last time."""
        before = dict(state)
        names, behind = self._set_in(node)
        carried = _resolved(behind, state)
        state.update({name: _of(name, state) | carried for name in names})
        self._node(node.block, {**state, **dict.fromkeys(_bound_by(node), _NONE)}, optional=optional)
        if isinstance(node, ForNode) and node.default is not None:
            self._node(node.default, before, optional=True)
            state.update(_joined([state, before]))

    def _set_in(self, loop: ForNode | TablerowNode) -> tuple[set[str], _Names]:
        """The names that the block of a loop sets, and those whose values may be passed on to them."""
        names: set[str] = set()
        behind: set[str] = set()
        waiting: list[tuple[Node, _Names]] = [(loop.block, _bound_by(loop))]
        while waiting:
            node, bound = waiting.pop()
            names.update(map(str, node.template_scope()))
            if isinstance(node, AssignNode):
                behind |= _follow(node.expression)[0] - bound
            inside = bound | _bound_by(node)
            block = getattr(node, "block", None)
            waiting += [(n, inside if n is block else bound) for n in nodes_of(node, self._template)]
        return names, frozenset(behind)


def _bound_by(node: Node) -> _Names:
    """The names that have a value inside the block of a loop."""
    return frozenset(map(str, node.block_scope()))


def _follow(expression: Expression) -> tuple[_Names, _Names]:
    """The variables without which the value of an expression may be missing; those that a filter works on."""
    if not isinstance(expression, FilteredExpression):
        return _roots(expression), _NONE
    left_over, worked_on = _roots(expression.left), _NONE
    for filter_ in expression.filters or ():
        if filter_.name == "default":
            instead = [a.value for a in filter_.args if isinstance(a, PositionalArgument)]
            left_over = _NONE.union(*map(_roots, instead))
        else:
            worked_on = worked_on.union(left_over, *(_roots(argument.value) for argument in filter_.args))
            left_over = _NONE
    return left_over, worked_on


def _roots(expression: Expression) -> _Names:
    if not isinstance(expression, Path):
        return _NONE
    names: set[str] = set()
    waiting: list[Path] = [expression]
    while waiting:
        path = waiting.pop()
        names.add(str(path.path[0]))
        waiting += [segment for segment in path.path if isinstance(segment, Path)]
    return frozenset(names)


def _of(name: str, state: _State) -> _Names:
    if name in state:
        return state[name]
    return _NONE if name in ALWAYS_THERE else frozenset({name})


def _resolved(names: Iterable[str], state: _State) -> _Names:
    return _NONE.union(*(_of(name, state) for name in names))


def _joined(states: Sequence[_State]) -> _State:
    """The state where several branches meet."""
    names = set().union(*states)
    return {name: _NONE.union(*(_of(name, state) for state in states)) for name in names}
