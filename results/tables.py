"""Result tables: reading them strictly, merging them, and what writes them.

Large tables take the fast road: pandas parses, and validity is asked once for every distinct kind
of row. Whatever goes wrong on it takes the plain road in `results.lines`, which tells where.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results import lines
from results.cells import unprotected
from results.environments import environment_path, read_environments, write_environment
from results.errors import TableError
from results.frames import (
    CATEGORICAL_COLUMNS,
    categorical,
    first_appearance,
    frame_of,
    ids_of,
    merged,
    readings,
    row_ids,
)
from results.room import check_room_for_series
from results.schema import (
    CASE_COLUMNS,
    KEY_COLUMNS,
    REAL_COLUMNS,
    SCHEMA_VERSION,
    TEXT_COLUMNS,
    WHOLE_COLUMNS,
    expected_text,
    first_problem,
)
from results.writing import TableWriter

__all__ = [
    "TableWriter",
    "environment_path",
    "frame_of",
    "merged",
    "read",
    "read_environments",
    "read_many",
    "readings",
    "write_environment",
]

_COMPARED_COLUMNS = ("value", "status")
"""Two readings of one name that differ in these contradict each other."""

_SERIES_COLUMNS = (*CASE_COLUMNS, "phase", "metric", "source")
_FEW_ROWS = 10_000
"""They fit whatever they are."""
_NUMBER_CLASSES = 8


def read(path: Path | str) -> pd.DataFrame:
    """The readings of a result table, all of them valid; a reading told twice is read once.

    The columns may stand in any order; those that the contract does not know are kept as text.
    The file may be gzip, may start with a byte-order mark and may end its lines as it likes.

    Args:
        path: the table.

    Returns:
        A frame typed as `results.frames` says.

    Raises:
        TableError: for the first line that is not valid, or for a file that is no result table.
    """
    return read_many([path])


def read_many(paths: Iterable[Path | str]) -> pd.DataFrame:
    """The readings of several result tables in one frame; a reading told twice is read once.

    Args:
        paths: the tables, at least one.

    Returns:
        A frame typed as `results.frames` says, the tables' rows in the order of `paths`.

    Raises:
        TableError: as `read` does, and where two readings of the same launch, phase, metric and
            source contradict each other.
        ValueError: if `paths` is empty.
    """
    tables = [Path(path) for path in paths]
    frames = [_read_file(path) for path in tables]
    everything = merged(frames)
    keys = row_ids(everything, KEY_COLUMNS)
    repeated = pd.Series(keys).duplicated().to_numpy()
    if not repeated.any():
        return everything
    contents = first_appearance(
        keys * (len(everything) + 1) + row_ids(everything, _COMPARED_COLUMNS)
    )
    contradicting = repeated & ~pd.Series(contents).duplicated().to_numpy()
    if contradicting.any():
        second = int(np.flatnonzero(contradicting)[0])
        first = int(np.flatnonzero(keys == keys[second])[0])
        _refuse_contradiction(tables, [len(frame) for frame in frames], everything, first, second)
    return everything[~repeated].reset_index(drop=True)


def _read_file(path: Path) -> pd.DataFrame:
    lines.check_bytes(path)
    names = lines.header(path)
    try:
        frame = _parsed(path, names)
    except (ValueError, TypeError, OverflowError) as error:
        _refuse(path, names, str(error))
    if _is_ragged(frame, path) or not _is_valid(frame):
        _refuse(path, names, "a line that this reader cannot take")
    if len(frame) > _FEW_ROWS:
        check_room_for_series(path, int(row_ids(frame, _SERIES_COLUMNS).max()) + 1)
    return frame


def _parsed(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """The file as pandas reads it, typed; NaN, NA and "" where a cell is empty."""
    types: dict[str, str] = dict.fromkeys(names, "object")
    types |= dict.fromkeys(REAL_COLUMNS, "float64") | dict.fromkeys(WHOLE_COLUMNS, "Int64")
    types["recorded_at"] = "str"
    with lines.opened(path) as stream, np.errstate(invalid="ignore"):
        frame = pd.read_csv(
            stream,
            header=0,
            names=list(names),
            dtype=types,
            keep_default_na=False,
            na_values={column: [""] for column in (*REAL_COLUMNS, *WHOLE_COLUMNS)},
            encoding="utf-8",
        )
    for column in CATEGORICAL_COLUMNS:
        frame[column] = _unprotected(categorical(frame[column].to_numpy()))
    return frame


def _unprotected(column: pd.Categorical) -> pd.Categorical:
    texts = [unprotected(text) for text in column.categories]
    if texts == list(column.categories):
        return column
    codes, distinct = pd.factorize(np.array(texts, dtype=object))
    return pd.Categorical.from_codes(
        codes[column.codes], categories=pd.Index(distinct, dtype="str")
    )


def _is_ragged(frame: pd.DataFrame, path: Path) -> bool:
    """True if a line has more or fewer cells than the header.

    pandas takes the first cells of long lines for an index, and fills short lines with empty
    cells; so the lines are counted through only where cells of the last column are empty.
    """
    index = frame.index
    if not isinstance(index, pd.RangeIndex) or (index.start, index.step) != (0, 1):
        return True
    last = frame.iloc[:, -1]
    if not (last.isna() | (last == "")).any():
        return False
    width = frame.shape[1]
    return any(len(record.cells) != width for record in lines.records(path))


def _is_valid(frame: pd.DataFrame) -> bool:
    """Whether every row is a valid reading.

    By the promise of `first_problem`, rows alike in the classes below are valid together; so one
    row of each kind is asked about.
    """
    if not (frame["schema"] == str(SCHEMA_VERSION)).all():
        return False
    frame["schema"] = SCHEMA_VERSION
    parts: list[tuple[NDArray[np.int64], int]] = []
    for column in ("mode", "phase", "metric", "unit", "status"):
        text = frame[column].cat
        parts.append((text.codes.to_numpy().astype(np.int64), len(text.categories)))
    for column in (*REAL_COLUMNS, *WHOLE_COLUMNS):
        numbers = frame[column].to_numpy(np.float64, na_value=np.nan)
        parts.append((_number_class(numbers), _NUMBER_CLASSES))
    kinds = ids_of(parts, len(frame))
    representatives = frame[~pd.Series(kinds).duplicated().to_numpy()]
    return _texts_are_valid(frame) and not any(map(first_problem, readings(representatives)))


def _number_class(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 to 7: missing, infinite, or the number's sign and whether it is whole."""
    finite = np.isfinite(numbers)
    with np.errstate(invalid="ignore"):
        classes = 4 + 2 * np.sign(numbers) + (np.floor(numbers) == numbers)
    return np.where(finite, classes, np.isinf(numbers)).astype(np.int64)


def _texts_are_valid(frame: pd.DataFrame) -> bool:
    for column in TEXT_COLUMNS:
        cells = frame[column]
        texts = cells.cat.categories if column in CATEGORICAL_COLUMNS else cells.unique()
        if any(expected_text(column, text) is not None for text in texts.tolist()):
            return False
    return True


def _refuse(path: Path, names: Sequence[str], found: str) -> NoReturn:
    lines.refuse_first_problem(path, names)
    raise TableError(
        path,
        found=found,
        expected="a result table in CSV",
        advice="Save it as plain CSV (RFC 4180), or measure again.",
    )


def _refuse_contradiction(
    tables: Sequence[Path],
    lengths: Sequence[int],
    everything: pd.DataFrame,
    first: int,
    second: int,
) -> NoReturn:
    """Raise for rows `first` and `second`, which name one reading and give it two values."""
    path, line = _place(tables, lengths, second)
    other_path, other_line = _place(tables, lengths, first)
    row = everything.iloc[second]
    case = ", ".join(
        str(row[column]) for column in (*CASE_COLUMNS, "phase", "metric") if row[column]
    )
    values = everything["value"].iloc[[second, first]].tolist()
    raise TableError(
        path,
        line=line,
        column="value",
        found=f"{values[0]!r} for {case}, launch {row['launch']} of session {row['session']}",
        expected=f"{values[1]!r} as {other_path}:{other_line} says",
        advice="Delete one of the two lines, or compare tables of different sessions.",
    )


def _place(tables: Sequence[Path], lengths: Sequence[int], row: int) -> tuple[Path, int]:
    """The file and the line that row `row` of the merged frame was read from."""
    ends = np.cumsum(lengths)
    number = int(np.searchsorted(ends, row, side="right"))
    index = row - int(ends[number]) + lengths[number]
    return tables[number], lines.line_of(tables[number], index)
