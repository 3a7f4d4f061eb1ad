"""The error that a user sees: it says what was refused, and what to do."""


class RetomaError(Exception):
    """A failure that has an explanation; the CLI prints it without a traceback.

    Args:
        message: what was refused or failed, and why, in one sentence.
        hint: what the user can do about it.
        exit_code: 1 refused or failed, 2 wrong usage, 3 the database cannot be reached.
    """

    def __init__(self, message: str, hint: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class DatabaseUnreachable(RetomaError):
    """No connection to PostgreSQL could be made."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint, exit_code=3)
