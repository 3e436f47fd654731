"""Writing a result table: appended as readings come, whole lines only, one writer at a time."""

import contextlib
import csv
import io
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from filelock import FileLock, Timeout

from results import lines
from results.cells import protected
from results.errors import TableError, shown
from results.schema import COLUMNS, TEXT_COLUMNS, Reading, first_problem

_TEXT_COLUMNS: Final = frozenset(TEXT_COLUMNS)
_CHUNK_BYTES: Final = 1 << 16


class TableWriter:
    """Appends readings to a table; a context manager that holds the table's lock.

    Every `write` puts whole lines on the disk before it returns, so that a killed run loses only
    what it had not written. A line that a kill did cut short is cut off when the table is opened
    again. Lines end as RFC 4180 says, in CR LF.

    Attributes:
        path: the table.
        cut_bytes: bytes of a line cut short, taken off the table's end on opening; 0 if none.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.cut_bytes = 0
        self._lock = FileLock(f"{self.path}.lock", timeout=0)
        self._descriptor: int | None = None
        self._is_lost = False

    def __enter__(self) -> Self:
        """Open the table, made with its folders if it is new.

        Raises:
            TableError: if another run writes the table, if it has other columns, or if it cannot
                be written.
        """
        if self.path.suffix == ".gz":
            raise TableError(
                self.path,
                found="a compressed table",
                expected="a plain CSV to append to",
                advice="Write to a .csv, and compress it when the run is over.",
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise TableError(
                self.path,
                found=f"another run writes this table{self._owner()}",
                expected="one writer at a time",
                advice="Wait for that run, or name another --out.",
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._name_owner()
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the table and let others write it.

        Raises:
            TableError: if the table was moved or deleted, which also tells why something else went
                wrong.
        """
        try:
            if self._descriptor is not None:
                self._check_still_there(self._descriptor)
        finally:
            self._close()

    def write(self, readings: Iterable[Reading]) -> None:
        """Append `readings`, all of them or, where one is not valid or the disk is full, none.

        Raises:
            TableError: if a reading is not valid, or the table cannot be written.
            ValueError: outside the `with` block.
        """
        rows = list(readings)
        for reading in rows:
            problem = first_problem(reading)
            if problem is not None:
                lines.refuse(self.path, problem)
        self._append(encoded(rows))

    def _open(self) -> None:
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            size = os.fstat(self._descriptor).st_size
            whole = _whole_bytes(self.path)
            is_new = whole == 0 and _header_line().startswith(self.path.read_bytes())
            if not is_new:
                self._check_columns()
            os.ftruncate(self._descriptor, whole)
        except OSError as error:
            raise self._unwritable(error) from error
        self.cut_bytes = size - whole
        if is_new:
            self._append(_header_line())

    def _check_columns(self) -> None:
        first = next(lines.records(self.path), None)
        names = [] if first is None else first.cells
        if tuple(names) != COLUMNS:
            raise TableError(
                self.path,
                line=1 if first is None else first.line,
                found="another header: " + shown(",".join(names)),
                expected=f"the columns {', '.join(COLUMNS)}, in this order",
                advice="Name another --out; the two tables can be compared all the same.",
            )

    def _append(self, content: bytes) -> None:
        if self._descriptor is None:
            message = "a TableWriter writes inside its with block"
            raise ValueError(message)
        try:
            _write_whole(self._descriptor, content)
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._unwritable(error) from error
        self._check_still_there(self._descriptor)

    def _check_still_there(self, descriptor: int) -> None:
        """Refuse to go on writing what nobody will find under the table's name; once.

        Raises:
            TableError: which says where everything is that was written so far.
        """
        if self._is_lost:
            return
        ours = os.fstat(descriptor)
        with contextlib.suppress(OSError):
            if os.path.samestat(self.path.stat(), ours):
                return
        self._is_lost = True
        if os.fstat(descriptor).st_nlink:  # asked again: it may have been deleted since
            advice = "Put it back and go on with --resume: every reading is in it, also the last."
        else:
            kept = _rescued(descriptor)
            advice = f"Every reading so far was saved in {kept}; --out there goes on from it."
        raise TableError(
            self.path,
            found="the table was moved or deleted while the run was writing it",
            expected="the file that was opened",
            advice=advice,
        )

    def _name_owner(self) -> None:
        """Say in the lock's file who holds it, for who finds it held."""
        owner = f"process {os.getpid()} on {platform.node()}"
        with contextlib.suppress(OSError):
            Path(self._lock.lock_file).write_text(owner, encoding="utf-8")

    def _owner(self) -> str:
        with contextlib.suppress(OSError, UnicodeError):
            owner = Path(self._lock.lock_file).read_text(encoding="utf-8").strip()
            return f" ({owner})" if owner else ""
        return ""

    def _unwritable(self, error: OSError) -> TableError:
        return TableError(
            self.path,
            found=error.strerror or str(error),
            expected="a table that can be written",
            advice="Check the folder and the space left, or name another --out.",
        )

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()


def _write_whole(descriptor: int, content: bytes) -> None:
    """Write all of `content`, or leave the file as it was, also when interrupted."""
    size = os.fstat(descriptor).st_size
    view = memoryview(content)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        os.ftruncate(descriptor, size)
        raise


def append_json_lines(path: Path, objects: Iterable[Mapping[str, object]]) -> None:
    """Append one JSON object a line to a file beside a table, all of them or none.

    A last line that a kill cut short is cut off first.

    Raises:
        TableError: if the file cannot be written.
    """
    content = "".join(json.dumps(each) + "\n" for each in objects).encode()
    if not content:
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _cut_last_line(descriptor)
            _write_whole(descriptor, content)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise TableError(
            path,
            found=error.strerror or str(error),
            expected="a file that can be written beside the table",
            advice="Check the folder and the space left, then go on with --resume.",
        ) from error


def _cut_last_line(descriptor: int) -> None:
    """Cut off what stands behind the last line end."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _CHUNK_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        end = start + found + 1 if found >= 0 else start
        if found >= 0:
            break
    if end < size:
        os.ftruncate(descriptor, end)


def _rescued(descriptor: int) -> str:
    """Where the content of a deleted table was saved."""
    handle, path = tempfile.mkstemp(prefix="graphgauge-rescued-", suffix=".csv")
    with os.fdopen(handle, "wb") as stream:
        position = 0
        while chunk := os.pread(descriptor, _CHUNK_BYTES, position):
            stream.write(chunk)
            position += len(chunk)
    return path


def encoded(readings: Iterable[Reading]) -> bytes:
    """`readings` as lines of a table, without a header."""
    return _lines([_cell(reading, column) for column in COLUMNS] for reading in readings)


def _header_line() -> bytes:
    return _lines([COLUMNS])


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(reading: Reading, column: str) -> str:
    value: str | float | None = getattr(reading, column)
    if value is None:
        return ""
    if column in _TEXT_COLUMNS:
        return protected(str(value))
    return repr(float(value)) if column in {"value", "spread"} else str(int(value))


def _whole_bytes(path: Path) -> int:
    """How far the table's whole records reach: to the last line end that no quotes hold."""
    whole = position = 0
    quoted = False
    with path.open("rb") as stream:
        for line in stream:
            position += len(line)
            quoted ^= line.count(b'"') % 2 == 1
            if line.endswith(b"\n") and not quoted:
                whole = position
    return whole
