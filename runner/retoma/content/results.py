"""What comes of a content: it can be sent, or one recipient's cannot be made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checked:
    """A content that can be sent.

    Args:
        required_variables: those that every recipient must have, sorted.
        optional_variables: those that a recipient may lack, sorted.
    """

    required_variables: list[str]
    optional_variables: list[str]


class RenderError(Exception):
    """This recipient's content cannot be made.

    Args:
        code: missing_variable, value_refused, over_limit, over_size, over_memory, over_time, or crashed;
            text_empty, text_too_long or text_malformed, when a text is not what its field has to be.
        words: the cause, never a value.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words

    @property
    def outcome(self) -> str:
        """The code of such a message in error_rule."""
        return self.code if self.code.startswith("text_") else "render_failed"

    @property
    def is_over_budget(self) -> bool:
        """Whether it is the text that asks for too much, whatever the recipient has."""
        return self.code.startswith("over_")
