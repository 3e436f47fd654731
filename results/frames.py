"""Readings as a pandas frame: typed, merged, and back.

In a frame the text columns are categorical, with categories in order of appearance; `value` and
`spread` are float64 with NaN for what is missing; `launch`, `blocks`, `calls` are Int64 with NA;
`schema` is int64; `recorded_at` is text. Columns that the contract does not know stay as text.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from results.schema import (
    COLUMNS,
    REAL_COLUMNS,
    TEXT_COLUMNS,
    WHOLE_COLUMNS,
    Reading,
)

CATEGORICAL_COLUMNS = tuple(name for name in TEXT_COLUMNS if name != "recorded_at")

_SHORT_RUN = 4
"""Columns that hold the same text in runs of this length are told apart run by run."""

_MOST_KEYS = 2**62
"""Keys of rows are kept below this, so that they fit 64 bits."""


def frame_of(readings: Iterable[Reading]) -> pd.DataFrame:
    """`readings` as a frame, one row each."""
    rows = list(readings)
    columns: dict[str, object] = {}
    for name in COLUMNS:
        cells = [getattr(row, name) for row in rows]
        if name in CATEGORICAL_COLUMNS:
            columns[name] = categorical(np.array(cells, dtype=object))
        elif name in REAL_COLUMNS:
            columns[name] = np.array(cells, dtype=np.float64)
        elif name in WHOLE_COLUMNS:
            columns[name] = pd.array(cells, dtype="Int64")
        else:
            columns[name] = pd.array(cells, dtype="int64" if name == "schema" else "str")
    return pd.DataFrame(columns)


def readings(frame: pd.DataFrame) -> Iterator[Reading]:
    """The rows of `frame` as readings, in order."""
    cells = [_cells(frame[name]) for name in COLUMNS]
    for row in zip(*cells, strict=True):
        yield Reading(**dict(zip(COLUMNS, row, strict=True)))


def categorical(cells: NDArray[np.object_]) -> pd.Categorical:
    """Texts as a categorical whose categories stand in order of appearance."""
    starts = np.flatnonzero(np.r_[len(cells) > 0, cells[1:] != cells[:-1]][: len(cells)])
    if len(starts) > len(cells) // _SHORT_RUN:
        codes, texts = pd.factorize(cells)
    else:
        of_runs, texts = pd.factorize(cells[starts])
        codes = np.repeat(of_runs, np.diff(starts, append=len(cells)))
    return pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype="str"))


def merged(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all `frames`, one after the other; a column that one lacks is "" in its rows.

    Raises:
        ValueError: if there is no frame.
    """
    if not frames:
        message = "nothing to merge: give at least one frame"
        raise ValueError(message)
    if len(frames) == 1:
        return frames[0]
    names: dict[str, None] = dict.fromkeys(COLUMNS)
    for frame in frames:
        names.update(dict.fromkeys(frame.columns))
    return pd.DataFrame({name: _joined(frames, name) for name in names}, copy=False)


def row_ids(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """A number for each row, equal where the rows are alike in `columns`, by first appearance."""
    return ids_of((_codes(frame[name]) for name in columns), len(frame))


def ids_of(parts: Iterable[tuple[NDArray[np.int64], int]], size: int) -> NDArray[np.int64]:
    """A number for each of `size` things, equal where all its codes are, by first appearance.

    Args:
        parts: codes of the things, and what they are below; none is negative.
        size: how many things there are.
    """
    keys, limit = np.zeros(size, dtype=np.int64), 1
    for codes, distinct in parts:
        if distinct == 1:
            continue
        if limit * distinct > _MOST_KEYS:
            keys, limit = first_appearance(keys), size
        keys, limit = keys * distinct + codes, limit * distinct
    return first_appearance(keys)


def first_appearance(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """`keys` renumbered 0, 1, … in the order they appear in."""
    return pd.factorize(keys)[0].astype(np.int64, copy=False)


def _codes(column: "pd.Series[Any]") -> tuple[NDArray[np.int64], int]:
    """Numbers from 0 that are equal where the cells are, and how many there may be."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, distinct = column.cat.codes.to_numpy(), len(column.cat.categories)
    elif isinstance(column.dtype, pd.Int64Dtype) and column.between(0, len(column)).all():
        codes, distinct = column.to_numpy(np.int64, na_value=-1) + 1, len(column) + 2
    else:
        codes, cells = pd.factorize(column, use_na_sentinel=False)
        distinct = len(cells)
    return codes.astype(np.int64), max(distinct, 1)


def _joined(frames: Sequence[pd.DataFrame], name: str) -> object:
    if name in CATEGORICAL_COLUMNS:
        return union_categoricals([frame[name] for frame in frames])
    parts = [
        frame[name] if name in frame.columns else pd.Series([""] * len(frame), dtype="str")
        for frame in frames
    ]
    return pd.concat(parts, ignore_index=True)


def _cells(column: "pd.Series[Any]") -> list[Hashable]:
    """The cells as Python's own str, int and float, None where missing."""
    if column.dtype == np.float64 or isinstance(column.dtype, pd.Int64Dtype):
        return [
            None if missing else cell for cell, missing in zip(column, column.isna(), strict=True)
        ]
    return column.tolist()
