"""What this package raises for a user's input: one error for tables, one for comparisons."""

from pathlib import Path

_SHOWN_CHARACTERS = 80


def shown(text: str) -> str:
    """`text` quoted for a message: control characters escaped, cut to 80 characters."""
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    return repr(text)


class TableError(Exception):
    """A result table, or a file beside it, cannot be read or written.

    Attributes:
        path: the file.
        line: the line the reading starts at, counted from 1; None where the whole file is meant.
        column: the column's name; None where no single cell is meant.
        found: what is there.
        expected: what should be there.
        advice: what to do next, as a sentence.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        found: str,
        expected: str,
        advice: str,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.line = line
        self.column = column
        self.found = found
        self.expected = expected
        self.advice = advice
        where = str(path) if line is None else f"{path}:{line}"
        what = found if column is None else f"{column} is {found}"
        super().__init__(f"{where}: {what}; expected {expected}. {advice}")


class ComparisonError(ValueError):
    """What was asked to be compared cannot be: an unknown label, other machines, a bad setting."""


class NothingToCompareError(ComparisonError):
    """There is no second version, or no reading at all: exit code 3, where others give 2."""
