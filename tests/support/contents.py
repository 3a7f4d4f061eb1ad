"""Contents, as the tests write them."""


def text(words: str) -> dict[str, object]:
    """A content of the kind text."""
    return {"kind": "text", "text": words}
