"""Files that are larger than memory are refused before memory is gone."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from results import room
from results.errors import TableError
from results.report.timelines import read_blocks
from results.tables import read, read_environments
from results.writing import encoded
from tests.results.samples import reading
from tests.results.test_tables import HEADER

MEGABYTE = 1_000_000


def few_megabytes(path: Path, megabytes: int) -> Path:
    """A valid table of about that size."""
    line = encoded([reading(detail="x" * 30_000)])
    numbered = (
        line.replace(b",0,,0.001,", b",%d,,0.001," % i)
        for i in range(megabytes * MEGABYTE // 30_000)
    )
    path.write_bytes(HEADER + b"".join(numbered))
    return path


def test_a_table_larger_than_the_limit_of_the_process_is_refused(tmp_path: Path) -> None:
    """Under a real limit of address space, a message comes and no MemoryError."""
    table = few_megabytes(tmp_path / "a.csv", 30)
    program = (
        "import resource, sys\n"
        "from results.room import _fields\n"
        "from pathlib import Path\n"
        "from results.errors import TableError\n"
        "from results.tables import read\n"
        "taken = _fields(Path('/proc/self/status'))['VmSize']\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 100_000_000,) * 2)\n"
        "try:\n"
        "    read(sys.argv[1])\n"
        "except TableError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(table)], capture_output=True, text=True, check=False
    )

    assert "of memory where" in done.stdout, done.stderr
    assert done.returncode == 0


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 60 MB in 60 kB, no more is unpacked than tells that it is too much."""
    bomb = tmp_path / "a.csv.gz"
    bomb.write_bytes(gzip.compress(HEADER + b"\r\n" * 30 * MEGABYTE, 1))
    monkeypatch.setattr(room, "free_bytes", lambda: 80 * MEGABYTE)

    with pytest.raises(TableError, match="of text or more") as caught:
        read(bomb)

    assert float(caught.value.found.split(" MB")[0]) < 25


def test_what_stands_beside_a_table_is_held_against_memory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts and blocks may be as large as anything."""
    monkeypatch.setattr(room, "free_bytes", lambda: 7)
    (tmp_path / "a.environment.json").write_text("{}")
    (tmp_path / "a.blocks.jsonl").write_text("{}\n")

    for reader in (read_environments, read_blocks):
        with pytest.raises(TableError, match="of memory where"):
            reader(tmp_path / "a.csv")


def test_cases_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing costs memory for each case, however few bytes it has in the file."""
    line = encoded([reading(scenario="NAME")])
    rows = b"".join(line.replace(b"NAME", b"%d" % i) for i in range(10_001))
    table = tmp_path / "a.csv"
    table.write_bytes(HEADER + rows)
    monkeypatch.setattr(room, "free_bytes", lambda: 10_000 * room.MEMORY_PER_SERIES)

    with pytest.raises(TableError, match=r"10,001 metrics of cases.* at most 10,000 now"):
        read(table)


def test_columns_without_end_are_refused(tmp_path: Path) -> None:
    """Each would cost memory and time, however little it holds."""
    table = tmp_path / "a.csv"
    extra = b"".join(b",c%d" % i for i in range(100_000))
    table.write_bytes(HEADER.rstrip(b"\r\n") + extra + b"\r\n")

    with pytest.raises(TableError, match="100,023 columns; expected at most 1,000"):
        read(table)


def test_what_is_free_is_known_here() -> None:
    """On Linux: some of the machine's memory, and less than all of it."""
    free = room.free_bytes()
    if free is None:
        pytest.skip("this system does not tell what memory is free")

    assert 0 < free < 1 << 50
