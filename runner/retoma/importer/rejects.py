"""The file of refused rows: correct it in a spreadsheet, and import it like any other."""

import csv
import os
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from retoma.errors import RetomaError

# Put before the original columns; the importer leaves them out when it reads such a file.
ADDED_COLUMNS = ("reject_line", "reject_reason", "reject_message")

# A spreadsheet calculates a cell that begins with one of these, also in the wide forms of Asian keyboards.
# The list came from outside, and the formula could send its contents away (OWASP, "CSV Injection").
_FORMULA = re.compile(r"[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def without_formula(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would calculate; `with_formula` undoes it."""
    return "'" + cell if _FORMULA.match(cell) else cell


def with_formula(cell: str) -> str:
    """The cell as it was before `without_formula`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell


class Rejects:
    """Writes refused rows to a new file, which takes its name when it is complete and replaces an older one.

    Phone numbers are personal data: the file is for its owner only, from its first byte on, and no link
    of that name leads them elsewhere.
    """

    def __init__(self, path: Path, delimiter: str, titles: list[str]) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self._delimiter = delimiter
        self._titles = titles
        self._file: TextIO | None = None
        self._unfinished: Path | None = None

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
                self._file = self._create()
                self._write(self._file, [*ADDED_COLUMNS, *self._titles])
            self._write(self._file, [str(line), reason, message, *fields])
        except OSError as error:
            raise self._not_written(error.strerror) from None
        self.reasons[reason] += 1

    @property
    def count(self) -> int:
        """How many rows were refused."""
        return self.reasons.total()

    def keep(self) -> None:
        """Makes the file complete, and gives it its name; without refused rows it does nothing.

        Raises:
            RetomaError: the file cannot be written.
        """
        if self._file is None or self._unfinished is None:
            return
        try:
            self._file.close()
            self._unfinished.replace(self.path)
        except OSError as error:
            raise self._not_written(error.strerror) from None
        self._unfinished = None

    def discard(self) -> None:
        """Removes what is not complete; after `keep` it does nothing."""
        if self._file is not None and self._unfinished is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._unfinished.unlink()
            self._unfinished = None

    def _create(self) -> TextIO:
        with suppress(FileNotFoundError):
            mode = self.path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise self._not_written("the name is a link")
            if not stat.S_ISREG(mode):
                raise self._not_written("the name is no ordinary file")
        # New, with mode 0600, and through no link.
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        self._unfinished = Path(name)
        # The byte order mark tells Excel that it is UTF-8.
        return os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")

    def _write(self, file: TextIO, cells: Sequence[str]) -> None:
        csv.writer(file, delimiter=self._delimiter).writerow(map(without_formula, cells))

    def _not_written(self, problem: str | None) -> RetomaError:
        return RetomaError(
            f"The file for rejects cannot be written: {problem}: {self.path}. Nothing was imported.",
            hint="Choose another place with --rejects.",
        )
