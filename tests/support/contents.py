"""Contents, as the tests write them."""

from retoma.content.written import Written


def text(words: str) -> dict[str, object]:
    """A content of the kind text."""
    return {"kind": "text", "text": words}


def written(words: str, maximum: int = 65_536) -> Written:
    """The same with its texts, as the database lists them."""
    texts = [{"path": ["text"], "place": "text", "required": True, "maximum": maximum}]
    return Written(text(words), texts)
