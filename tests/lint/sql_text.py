"""SQL as the lints read it: pieces with their places, and findings as `file:line: rule: text`."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_PIECE = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<dollar>\$[a-z_]*\$)"""
    r"|(?P<word>[^\W\d]\w*)|(?P<mark>\S)",
    re.DOTALL,
)


class Token(NamedTuple):
    """A piece of a file.

    Attributes:
        kind: comment, text (in quotes), dollar (what stands around a body), word or mark.
        line: from 1.
        margin: blanks at the beginning of that line.
        is_first: nothing else stands before it on the line.
    """

    kind: str
    text: str
    line: int
    margin: int
    is_first: bool


class Finding(NamedTuple):
    line: int
    rule: str
    text: str


def tokens(sql: str) -> Iterator[Token]:
    """The pieces of a file; a dollar-quoted text inside a body with other dollar quotes is one text."""
    position, body = 0, ""
    while match := _PIECE.search(sql, position):
        kind, position = str(match.lastgroup), match.end()
        if kind == "dollar" and body not in ("", match[0]):
            kind, position = "text", sql.index(match[0], position) + len(match[0])
        elif kind == "dollar":
            body = "" if body else match[0]
        before = sql[sql.rfind("\n", 0, match.start()) + 1 : match.start()]
        margin = len(before) - len(before.lstrip(" "))
        line = sql.count("\n", 0, match.start()) + 1
        yield Token(kind, sql[match.start() : position], line, margin, not before.strip())


def report(check: Callable[[str], Iterable[Finding]], sql: Path) -> int:
    """Prints all that a check finds in the SQL files of a directory; 1 if there is something, else 0."""
    lines = [
        f"{path}:{line}: {rule}: {text}"
        for path in sorted(sql.rglob("*.sql"))
        for line, rule, text in check(path.read_text(encoding="utf-8"))
    ]
    print("\n".join(lines) or f"{check.__module__}: no finding")
    return 1 if lines else 0
