"""The plain road through a table's file: record by record, knowing every record's true line.

It is some ten times slower than pandas and serves where pandas cannot tell: for the header, and
for the place of the first thing that is wrong.
"""

import contextlib
import csv
import gzip
import io
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from results.cells import unprotected
from results.errors import TableError, shown
from results.room import MAX_COLUMNS, check_room
from results.schema import (
    COLUMNS,
    MAX_TEXT_LENGTH,
    METRICS,
    REAL_COLUMNS,
    SCHEMA_VERSION,
    WHOLE_COLUMNS,
    Problem,
    Reading,
    first_problem,
    is_newer_schema,
    schema_problem,
)

MEASURE_AGAIN = "Delete this line or measure its case again."
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
_REAL = re.compile(
    r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)\s*", re.ASCII | re.IGNORECASE
)
_MAX_WHOLE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a CSV file.

    Attributes:
        line: the line it starts at, counted from 1.
        cells: its cells, unquoted.
    """

    line: int
    cells: list[str]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of the file, decompressed if it is gzip.

    Raises:
        TableError: if there is no such file, it cannot be read, or its gzip stream is broken.
    """
    try:
        with path.open("rb") as plain:
            compressed = plain.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            plain.seek(0)
            if compressed:
                with gzip.open(plain) as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                yield plain
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TableError(
            path,
            found=f"the gzip stream is broken ({error})",
            expected="a whole gzip file",
            advice="Copy the file again from where it was made.",
        ) from error
    except OSError as error:
        raise TableError(
            path,
            found=error.strerror or str(error),
            expected="a result table",
            advice="Check the path, and that you may read it.",
        ) from error


def check_bytes(path: Path) -> None:
    """Refuse what no reader of text may be given: nothing, NUL, a last line that is cut off.

    More text than memory can take is refused as soon as so much of it has been seen, so that a
    small file that unpacks to a large one does no harm.

    Raises:
        TableError: for a file that is not there or not a file, too.
    """
    if path.exists() and not path.is_file():
        raise TableError(
            path,
            found="not a file",
            expected="a result table",
            advice="Name the table itself, such as runs/a.csv.",
        )
    last = b""
    lines = seen_bytes = checked_bytes = 0
    with opened(path) as stream:
        checked_bytes = path.stat().st_size
        check_room(path, checked_bytes)
        while chunk := stream.read(_CHUNK_BYTES):
            seen_bytes += len(chunk)
            if seen_bytes > checked_bytes:
                checked_bytes = 2 * seen_bytes
                check_room(path, seen_bytes)
            if not last and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
                _refuse_encoding(path, "UTF-16 text")
            if b"\0" in chunk:
                line = 1 + lines + chunk[: chunk.index(b"\0")].count(b"\n")
                _refuse_encoding(path, "a NUL character", line=line)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    check_room(path, seen_bytes)
    if not last:
        raise TableError(
            path,
            found="the file is empty",
            expected="a header line and readings",
            advice="Run the measurement again, or delete the file.",
        )
    if last not in b"\r\n":
        raise TableError(
            path,
            line=_last_line(path),
            found="the last line has no line end, so it may be cut off",
            expected="a line end after every reading",
            advice="Delete this line, or complete it; `graphgauge run --out` on it does the same.",
        )


def records(path: Path) -> Iterator[Record]:
    """Every record that is not blank, the header first, each with the line it starts at.

    Raises:
        TableError: if the file is not UTF-8, or not CSV.
    """
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        reader = csv.reader(text)
        line = 1
        try:
            for cells in reader:
                if len(cells) > 1 or (cells and cells[0].strip(" \t")):
                    yield Record(line=line, cells=cells)
                line = reader.line_num + 1
        except UnicodeDecodeError:
            _refuse_undecodable(path)
        except csv.Error as error:
            raise TableError(
                path,
                line=line,
                found=str(error),
                expected=f"cells of at most {MAX_TEXT_LENGTH:,} characters, quotes closed",
                advice=MEASURE_AGAIN,
            ) from error
        finally:
            text.detach()


def header(path: Path) -> list[str]:
    """The names of the columns, in the file's order.

    Raises:
        TableError: if a column of the contract is missing or any is named twice.
    """
    first = next(records(path), None)
    names = [] if first is None else first.cells
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        _refuse_newer(path, names)
        raise TableError(
            path,
            line=1 if first is None else first.line,
            found=f"no column {', '.join(missing)}",
            expected=f"the columns {', '.join(COLUMNS)}",
            advice="Measure again, or bring another tool's file in with `graphgauge import`.",
        )
    if len(names) > MAX_COLUMNS:
        raise TableError(
            path,
            line=1 if first is None else first.line,
            found=f"{len(names):,} columns",
            expected=f"at most {MAX_COLUMNS:,}",
            advice="Leave out columns that are not of the result table.",
        )
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise TableError(
            path,
            line=1 if first is None else first.line,
            found=f"column {', '.join(map(shown, twice))} stands there more than once",
            expected="each column once",
            advice="Rename or delete one of them.",
        )
    return names


def _refuse_newer(path: Path, names: Sequence[str]) -> None:
    """Columns may be missing because a later graphgauge names them otherwise: say so then."""
    if "schema" not in names:
        return
    for record in itertools.islice(records(path), 1, 2):
        cells = dict(zip(names, record.cells, strict=False))
        if is_newer_schema(cells["schema"]):
            refuse(path, schema_problem(cells["schema"]), line=record.line)


def line_of(path: Path, index: int) -> int:
    """The line that reading number `index`, counted from 0, starts at."""
    for number, record in enumerate(records(path), start=-1):
        if number == index:
            return record.line
    message = f"{path} has no reading {index}"
    raise IndexError(message)


def refuse_first_problem(path: Path, names: Sequence[str]) -> None:
    """Raise for the first reading of the file that is not valid; return if all are.

    Args:
        path: the table.
        names: its columns, as `header` gave them.

    Raises:
        TableError: with the line and the column of what is not valid.
    """
    rows = records(path)
    next(rows)
    for record in rows:
        if len(record.cells) != len(names):
            raise TableError(
                path,
                line=record.line,
                found=f"{len(record.cells)} cells",
                expected=f"{len(names)}, one for each column",
                advice=MEASURE_AGAIN,
            )
        cells = dict(zip(names, record.cells, strict=True))
        problem = _unreadable_number(cells) or first_problem(_reading(cells))
        if problem is not None:
            refuse(path, problem, line=record.line)


def refuse(path: Path, problem: Problem, *, line: int | None = None) -> NoReturn:
    """Raise `problem`, found at `line` of `path`, as a TableError."""
    advice = MEASURE_AGAIN
    if problem.column == "schema":
        advice = "Read it with the graphgauge that wrote it, or measure again with this one."
    raise TableError(
        path,
        line=line,
        column=problem.column,
        found=problem.found,
        expected=problem.expected,
        advice=advice,
    )


def _unreadable_number(cells: dict[str, str]) -> Problem | None:
    """The first cell that should be a number and cannot be read as one."""
    if cells["schema"] != str(SCHEMA_VERSION):
        return schema_problem(cells["schema"])
    for column in WHOLE_COLUMNS:
        if cells[column] and _whole(cells[column]) is None:
            return Problem(
                column=column, found=shown(cells[column]), expected="a whole number, or nothing"
            )
    metric = METRICS.get(unprotected(cells["metric"]))
    for column in REAL_COLUMNS:
        if cells[column] and not _REAL.fullmatch(cells[column]):
            unit = "" if metric is None else f" in {metric.unit}"
            return Problem(column=column, found=shown(cells[column]), expected=f"a number{unit}")
    return None


def _whole(cell: str) -> int | None:
    """The whole number in `cell`, also as 3.0; None if there is none, or none of 64 bits."""
    if not _REAL.fullmatch(cell):
        return None
    number = float(cell)
    return int(number) if number.is_integer() and abs(number) < _MAX_WHOLE else None


def _reading(cells: dict[str, str]) -> Reading:
    typed: dict[str, object] = {}
    for column in COLUMNS:
        cell = cells[column]
        if column == "schema":
            typed[column] = int(cell)
        elif column in WHOLE_COLUMNS:
            typed[column] = _whole(cell)
        elif column in REAL_COLUMNS:
            typed[column] = float(cell) if cell else None
        else:
            typed[column] = unprotected(cell)
    return Reading(**typed)  # type: ignore[arg-type]


def _refuse_encoding(path: Path, found: str, *, line: int | None = None) -> NoReturn:
    advice = "Save the table as CSV UTF-8."
    raise TableError(path, line=line, found=found, expected="text in UTF-8", advice=advice)


def _refuse_undecodable(path: Path) -> NoReturn:
    with opened(path) as stream:
        for line, content in enumerate(stream, start=1):
            try:
                content.decode()
            except UnicodeDecodeError as error:
                raise TableError(
                    path,
                    line=line,
                    found=f"byte 0x{content[error.start]:02x} is not UTF-8",
                    expected="text in UTF-8",
                    advice="Save the table as CSV UTF-8.",
                ) from error
    _refuse_encoding(path, "bytes that are not UTF-8")


def _last_line(path: Path) -> int:
    with opened(path) as stream:
        return sum(1 for _ in stream)
