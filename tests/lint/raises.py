"""Errors of sql/ are complete: `python -m tests.lint.raises`, a part of `make lint`.

Every `raise exception` has an SQLSTATE of Retoma's class, the key that programs know it by (as the name of a
constraint), a message that says what was refused, and a hint that says what to do.
"""

import re
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from tests.lint.sql_text import Finding, report, tokens

_WANTED = {
    "errcode": r"errcode = 'RT\d{3}'",
    "constraint": r"constraint = '[a-z][a-z0-9_]*'",
    "message": r"message = (?!'')",
    "hint": r"hint = (?!'')",
}


def findings(sql: str) -> Iterator[Finding]:
    """The missing parts of each error, at the line where it is raised."""
    code = [token for token in tokens(sql) if token.kind != "comment"]
    for place, token in enumerate(code[1:], start=1):
        if (code[place - 1].text, token.text) == ("raise", "exception"):
            pieces = takewhile(lambda piece: piece.text != ";", code[place:])
            # Without its blanks, no text looks like a part of the statement.
            statement = " ".join(piece.text.replace(" ", "") for piece in pieces)
            missing = [name for name, pattern in _WANTED.items() if not re.search(rf"\b{pattern}", statement)]
            if missing:
                yield Finding(token.line, "raise", f"without {', '.join(missing)}")


if __name__ == "__main__":
    sys.exit(report(findings, Path("sql")))
