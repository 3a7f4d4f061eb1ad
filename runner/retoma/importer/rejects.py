"""The file of refused rows: correct it in a spreadsheet, and import it like any other."""

import csv
import os
from collections import Counter
from pathlib import Path
from typing import TextIO

from retoma.errors import RetomaError

# Put before the original columns; the importer leaves them out when it reads such a file.
ADDED_COLUMNS = ("reject_line", "reject_reason", "reject_message")


class Rejects:
    """Writes refused rows to a file, which is created at the first of them and replaces an older one."""

    def __init__(self, path: Path, delimiter: str, titles: list[str]) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self._delimiter = delimiter
        self._titles = titles
        self._file: TextIO | None = None

    def add(self, line: int, reason: str, message: str, fields: list[str]) -> None:
        """Adds one row.

        Args:
            line: the line of the file on which the row begins.
            reason: a stable code.
            message: the same for people.

        Raises:
            RetomaError: the file cannot be written.
        """
        try:
            if self._file is None:
                self._file = _create(self.path)
                csv.writer(self._file, delimiter=self._delimiter).writerow([*ADDED_COLUMNS, *self._titles])
            csv.writer(self._file, delimiter=self._delimiter).writerow([line, reason, message, *fields])
        except OSError as error:
            raise self._not_written(error) from None
        self.reasons[reason] += 1

    @property
    def count(self) -> int:
        """How many rows were refused."""
        return self.reasons.total()

    def close(self) -> None:
        """Makes the file complete, if there is one; once more does nothing.

        Raises:
            RetomaError: the file cannot be written.
        """
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> RetomaError:
        return RetomaError(
            f"The file for rejects cannot be written: {error.strerror}: {self.path}. Nothing was imported.",
            hint="Choose another place with --rejects.",
        )


def _create(path: Path) -> TextIO:
    # Phone numbers are personal data: for the owner only. The byte order mark tells Excel that it is UTF-8.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return open(descriptor, "w", encoding="utf-8-sig", newline="")  # noqa: PTH123 (a descriptor has no Path)
