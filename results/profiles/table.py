"""Profile tables: readings of profiles as CSV, one a line, UTF-8, RFC 4180, with a header line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Final, get_args

from results.cells import protected, unprotected
from results.errors import TableError, shown
from results.profiles.reading import By, ProfileReading

COLUMNS: Final = tuple(field.name for field in fields(ProfileReading))
_KINDS: Final = get_args(By)
_ADVICE: Final = "Delete this line, or profile again."


def write_profile(path: Path, readings: Iterable[ProfileReading]) -> None:
    """Write a table of its own; folders on the way are made, and a file of that name is replaced.

    Raises:
        TableError: where the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            for reading in readings:
                lines.writerow([_cell(getattr(reading, name)) for name in COLUMNS])
    except OSError as error:
        raise TableError(
            path,
            found=str(error.strerror or error),
            expected="a file that can be written",
            advice="Name another file.",
        ) from error


def read_profile(path: Path) -> list[ProfileReading]:
    """The readings of a table that `write_profile` made.

    Raises:
        TableError: for a file that cannot be read, and for a line that is no reading.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = next(lines, None)
            if header is None or tuple(header) != COLUMNS:
                raise TableError(
                    path,
                    line=1,
                    found="an empty file" if header is None else shown(",".join(header)),
                    expected=f"the header {','.join(COLUMNS)}",
                    advice="Give a file that `graphgauge profile` has written.",
                )
            return [_reading(path, lines.line_num, cells) for cells in lines]
    except OSError as error:
        raise TableError(
            path,
            found=str(error.strerror or error),
            expected="a file that can be read",
            advice="Name a profile table; `graphgauge profile` writes them.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            path, found=str(error), expected="CSV in UTF-8", advice="Profile again."
        ) from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    return protected(value) if isinstance(value, str) else repr(value)


def _reading(path: Path, line: int, cells: list[str]) -> ProfileReading:
    if len(cells) != len(COLUMNS):
        raise TableError(
            path,
            line=line,
            found=f"{len(cells)} cells",
            expected=f"{len(COLUMNS)}",
            advice=_ADVICE,
        )
    row = _Cells(path, line, dict(zip(COLUMNS, cells, strict=True)))
    seconds = row.number("seconds")
    return ProfileReading(
        label=row.text("label"),
        launch=row.count("launch") if row.has("launch") else row.missing("launch"),
        pair=row.count("pair") if row.has("pair") else None,
        phase=row.text("phase"),
        by=row.kind(),
        name=row.text("name"),
        file=row.text("file"),
        line=row.count("line") if row.has("line") else None,
        seconds=row.missing("seconds") if seconds is None else seconds,
        calls=row.number("calls"),
        moved_bytes=row.number("moved_bytes"),
        allocated_bytes=row.number("allocated_bytes"),
        flops=row.number("flops"),
    )


class _Cells:
    """The cells of one line, read with errors that say where they stand."""

    def __init__(self, path: Path, line: int, cells: dict[str, str]) -> None:
        self._path = path
        self._line = line
        self._cells = cells

    def has(self, column: str) -> bool:
        """Whether the cell holds anything."""
        return self._cells[column] != ""

    def text(self, column: str) -> str:
        """The cell's text."""
        return unprotected(self._cells[column])

    def count(self, column: str) -> int:
        """The cell's natural number."""
        cell = self._cells[column]
        if not (cell.isascii() and cell.isdigit()):
            raise self._error(column, "a number of 0 or more without a point")
        return int(cell)

    def number(self, column: str) -> float | None:
        """The cell's finite number, None for an empty cell."""
        if not self.has(column):
            return None
        try:
            value = float(self._cells[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._error(column, "a number")
        return value

    def kind(self) -> By:
        """What a row is."""
        found = next((each for each in _KINDS if each == self._cells["by"]), None)
        if found is None:
            raise self._error("by", f"one of {', '.join(_KINDS)}")
        kind: By = found
        return kind

    def missing(self, column: str) -> int:
        """Raise the error for a cell that must not be empty."""
        raise self._error(column, "a number")

    def _error(self, column: str, expected: str) -> TableError:
        return TableError(
            self._path,
            line=self._line,
            column=column,
            found=shown(self._cells[column]),
            expected=expected,
            advice=_ADVICE,
        )
