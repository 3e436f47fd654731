"""Readings as columns, for formats with room for free-form JSON: what repeats stands there once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from results.errors import TableError
from results.schema import COLUMNS, Reading, first_problem

Packed = dict[str, object]
"""Column -> its cell where all readings agree, else the list of cells; "readings" -> how many."""

_COUNT = "readings"


def packed(readings: Sequence[Reading], *, without: Sequence[str] = ()) -> Packed:
    """The columns of `readings`, but for those in `without`."""
    columns: Packed = {_COUNT: len(readings)}
    for name in COLUMNS:
        if name in without:
            continue
        cells = [_plain(getattr(one, name)) for one in readings]
        columns[name] = cells[0] if len(set(cells)) == 1 else cells
    return columns


def unpacked(
    found: object, path: Path, *, others: Mapping[str, Sequence[object]] | None = None
) -> list[Reading]:
    """The readings of packed columns, each of them valid.

    Args:
        found: what `packed` gave.
        path: the file it stands in, for errors.
        others: the columns that stood elsewhere, by name.

    Raises:
        TableError: if the columns do not belong together or a reading is not valid.
    """
    if not isinstance(found, dict) or not isinstance(found.get(_COUNT), int):
        raise damaged(path, "no count of readings")
    count = cast("int", found[_COUNT])
    columns: dict[str, Sequence[object]] = dict(others or {})
    for name in COLUMNS:
        if name in columns:
            continue
        if name not in found:
            raise damaged(path, f"no column {name}")
        cell = found[name]
        columns[name] = cell if isinstance(cell, list) else [cell] * count
    if any(len(cells) != count for cells in columns.values()):
        raise damaged(path, "columns of different lengths")
    readings = []
    for row in zip(*(columns[name] for name in COLUMNS), strict=True):
        try:
            one = Reading(**dict(zip(COLUMNS, row, strict=True)))
            problem = first_problem(one)
        except (TypeError, ValueError, AttributeError) as error:
            raise damaged(path, str(error)) from error
        if problem is not None:
            raise damaged(path, f"{problem.column} {problem.found}")
        readings.append(one)
    return readings


def _plain(cell: object) -> object:
    """Frames give NumPy's numbers, which JSON does not take."""
    return cell.item() if isinstance(cell, np.generic) else cell


def damaged(path: Path, found: str) -> TableError:
    """The error for what graphgauge wrote and someone changed."""
    return TableError(
        path,
        found=f"readings of graphgauge with {found}",
        expected="them as `graphgauge export` wrote them",
        advice="Export the table again.",
    )
