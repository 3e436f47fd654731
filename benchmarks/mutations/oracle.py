"""What a table holds, said with the csv module alone: nothing of ours but the columns' names.

The reader under test parses with pandas; whatever both take, they must take alike.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Sequence

from results.schema import (
    COLUMNS,
    KEY_COLUMNS,
    REAL_COLUMNS,
    WHOLE_COLUMNS,
    Reading,
)

_FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
_SERIES = ("evaluator", "scenario", "params", "mode", "phase", "metric")

Row = dict[str, object]
Key = tuple[object, ...]


def rows_of(content: bytes) -> list[Row]:
    """The readings that the file holds, each once."""
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    text = content.decode("utf-8-sig")
    csv.field_size_limit(1 << 30)
    try:
        records = [
            record
            for record in csv.reader(io.StringIO(text, newline=""))
            if len(record) > 1 or (record and record[0].strip(" \t"))
        ]
    finally:
        csv.field_size_limit(131_072)
    header, *cells = records
    found = [
        {
            name: _typed(name, cell)
            for name, cell in zip(header, record, strict=True)
            if name in COLUMNS
        }
        for record in cells
    ]
    once = {tuple(row[name] for name in KEY_COLUMNS): row for row in reversed(found)}
    firsts = {id(row) for row in once.values()}
    return [row for row in found if id(row) in firsts]


def same(rows: Sequence[Row], readings: Sequence[Reading]) -> bool:
    """Whether the reader gave the same readings in the same order."""
    return len(rows) == len(readings) and all(
        row[name] == getattr(reading, name)
        for row, reading in zip(rows, readings, strict=True)
        for name in COLUMNS
    )


def means(rows: Sequence[Row], label: str) -> dict[Key, float]:
    """The mean over launches of each series of a version: geometric for times."""
    values: dict[Key, list[float]] = {}
    for row in rows:
        value = row["value"]
        if row["label"] == label and row["status"] == "ok" and isinstance(value, float):
            values.setdefault(tuple(row[name] for name in _SERIES), []).append(value)
    return {
        key: math.exp(math.fsum(map(math.log, of_series)) / len(of_series))
        if key[5] in {"time", "first_time"}
        else math.fsum(of_series) / len(of_series)
        for key, of_series in values.items()
    }


def series_of(row: Row | dict[str, str]) -> Key:
    """What names the row's series, in a table and in a comparison."""
    return tuple(row[name] for name in _SERIES)


def _typed(name: str, cell: str) -> object:
    if name == "schema":
        return int(cell)
    if name in REAL_COLUMNS:
        return float(cell) if cell else None
    if name in WHOLE_COLUMNS:
        return int(float(cell)) if cell else None
    rest = cell.lstrip("'")
    return cell[1:] if rest != cell and rest[:1] and rest[0] in _FORMULA_STARTS else cell
