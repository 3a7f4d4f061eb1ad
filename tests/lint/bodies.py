"""Layout of sql/, bodies of functions and comments too: `python -m tests.lint.bodies`, a part of `make lint`.

sqlfluff takes what stands between dollar quotes for a text. The rules: 120 columns; no tabs, no blanks at the
end of a line; margins in steps of 2; words of a body in lower case; a statement begins its line; what a
bracket, `begin`, `if`, `loop` or `case` opens is indented by 2, and what closes it has the margin of the line
that opened it.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lint.sql_text import Finding, Token, report, tokens

LONGEST = 120

# Words that go on with what is open, and their margin from the line that opened it.
_MIDDLE = {
    ("if", "then"): 0, ("if", "elsif"): 0, ("if", "else"): 0, ("for", "loop"): 0,
    ("case", "when"): 2, ("case", "else"): 2,
}  # fmt: skip


@dataclass
class _Frame:
    """An open construct, the margin of its first line, and whether `when` and `then` hold statements."""

    kind: str
    margin: int
    branches: bool = False


def findings(sql: str) -> list[Finding]:
    """The faults in the text of a file, by line."""
    return sorted({*_lines(sql), *_Layout().findings(sql)})


def _lines(sql: str) -> Iterator[Finding]:
    inside_text = {t.line + 1 + n for t in tokens(sql) for n in range(t.text.count("\n"))}
    above = 0
    for number, line in enumerate(sql.split("\n"), start=1):
        margin = len(line) - len(line.lstrip(" "))
        if len(line) > LONGEST:
            yield Finding(number, "length", f"{len(line)} columns")
        if "\t" in line:
            yield Finding(number, "tab", "a tab instead of blanks")
        if line != line.rstrip():
            yield Finding(number, "trailing", "blanks at the end of the line")
        if line.strip() and number not in inside_text:
            if margin % 2 or margin > above + 2:
                yield Finding(number, "indent", f"{margin} blanks, below a line with {above}")
            above = margin


class _Layout:
    """A walk through the pieces of a file, with a stack of what is open."""

    def __init__(self) -> None:
        self._open = [_Frame("file", -2)]
        self._found: list[Finding] = []

    def findings(self, sql: str) -> list[Finding]:
        code = [token for token in tokens(sql) if token.kind != "comment"]
        words = [token.text.lower() for token in code]
        starts = True  # the next piece begins a statement
        for token, word, before, after in zip(code, words, ["", *words], [*words[1:], ""], strict=False):
            if token.kind == "word" and word != token.text and len(self._open) > 1:
                self._find(token, "capitals", token.text)
            starts = self._step(token, word, before, after, starts)
        return self._found

    def _step(self, token: Token, word: str, before: str, after: str, starts: bool) -> bool:
        """Take one piece; returns whether the next one begins a statement."""
        top = self._open[-1]
        if token.kind == "dollar":
            return self._dollar()
        if before == "end" and word in ("if", "loop", "case"):
            return False
        if word in (")", "]", "end"):
            if starts:
                self._must_be_first(token)
            self._expect(token, top.margin)
            if len(self._open) > 1:
                self._open.pop()
            return False
        if (top.kind, word) in _MIDDLE:
            self._expect(token, top.margin + _MIDDLE[top.kind, word])
            if word == "loop":
                top.kind = "loop"
            return word == "loop" or (word in ("then", "else") and (top.kind == "if" or top.branches))
        if starts and token.kind == "word":
            return self._statement(token, word, before, after)
        if token.is_first and token.margin < top.margin + 2:
            self._find(token, "layout", f"{token.margin} blanks, inside a {top.kind} that has {top.margin}")
        if word in ("(", "[", "case") or (word == "begin" and after == "atomic"):
            self._open.append(_Frame(word, token.margin))
        return word == ";" or (word == "then" and top.branches) or (before, word) == ("begin", "atomic")

    def _statement(self, token: Token, word: str, before: str, after: str) -> bool:
        """Take the first word of a statement; returns whether the next one begins a statement too."""
        top = self._open[-1]
        goes_on = (top.kind, word) in (("declare", "begin"), ("begin", "exception"))
        inside = 4 if top.branches and word != "when" else 2
        # `when no_data_found then null;` is one line.
        if not (top.branches and before == "then"):
            self._must_be_first(token)
        self._expect(token, top.margin + (0 if goes_on else inside))
        if word == "exception":
            top.branches = True
        elif goes_on:
            self._open.pop()
        kind = {"while": "for", "foreach": "for"}.get(word, word)
        if kind in ("declare", "if", "for", "loop", "case") or (kind == "begin" and after != ";"):
            self._open.append(_Frame(kind, token.margin, branches=kind == "case"))
        return word in ("declare", "begin", "loop", "exception")

    def _dollar(self) -> bool:
        kinds = [frame.kind for frame in self._open]
        if "$$" in kinds:
            del self._open[kinds.index("$$") :]
            return False
        self._open.append(_Frame("$$", -2))
        return True

    def _must_be_first(self, token: Token) -> None:
        if not token.is_first:
            self._find(token, "statement", f"{token.text} does not begin its line")

    def _expect(self, token: Token, margin: int) -> None:
        if token.is_first and token.margin != margin:
            self._find(token, "layout", f"{token.text} has {token.margin} blanks before it, not {margin}")

    def _find(self, token: Token, rule: str, text: str) -> None:
        self._found.append(Finding(token.line, rule, text))


if __name__ == "__main__":
    sys.exit(report(findings, Path("sql")))
