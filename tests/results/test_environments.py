"""Facts of environments beside a table."""

import resource
from pathlib import Path

import pytest

from results.environments import environment_path, read_environments, write_environment
from results.errors import TableError


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_facts_stand_beside_the_table(name: str) -> None:
    """NAME.environment.json, whether the table is compressed or not."""
    assert environment_path(f"runs/{name}") == Path("runs/a.environment.json")


def test_facts_are_added_by_id(tmp_path: Path) -> None:
    """A second environment leaves the first alone; the same id is written anew."""
    table = tmp_path / "new" / "a.csv"
    write_environment(table, "e1", {"numpy": "1.26.4"})
    write_environment(table, "e2", {"numpy": "2.4.6"})
    write_environment(table, "e1", {"numpy": "1.26.5"})

    assert read_environments(table) == {"e1": {"numpy": "1.26.5"}, "e2": {"numpy": "2.4.6"}}
    assert [path.name for path in table.parent.iterdir()] == ["a.environment.json"]


def test_no_facts_are_no_error(tmp_path: Path) -> None:
    """A table may stand alone."""
    assert read_environments(tmp_path / "a.csv") == {}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"e1": 3}', b"\xff", b"[" * 100_000])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no object of objects is told, never a traceback."""
    (tmp_path / "a.environment.json").write_bytes(content)

    with pytest.raises(TableError, match="expected a JSON object"):
        read_environments(tmp_path / "a.csv")


def test_facts_that_are_not_json_leave_the_file_alone(tmp_path: Path) -> None:
    """The file is replaced whole or not at all."""
    write_environment(tmp_path / "a.csv", "e1", {"numpy": "2"})

    with pytest.raises(TypeError):
        write_environment(tmp_path / "a.csv", "e2", {"numpy": object()})

    assert read_environments(tmp_path / "a.csv") == {"e1": {"numpy": "2"}}


def test_known_facts_are_not_written_again(tmp_path: Path) -> None:
    """Every launch may tell its environment; the file is touched once."""
    write_environment(tmp_path / "a.csv", "e1", {"numpy": "2"})
    before = environment_path(tmp_path / "a.csv").stat().st_ino

    write_environment(tmp_path / "a.csv", "e1", {"numpy": "2"})

    assert environment_path(tmp_path / "a.csv").stat().st_ino == before


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Where a file stands in the way of the folder."""
    (tmp_path / "runs").write_text("not a folder")

    with pytest.raises(TableError, match="Not a directory"):
        write_environment(tmp_path / "runs" / "a.csv", "e1", {})


def test_a_full_disk_leaves_the_old_facts(tmp_path: Path) -> None:
    """And no temporary file."""
    write_environment(tmp_path / "a.csv", "e1", {"numpy": "2"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(TableError, match="File too large"):
            write_environment(tmp_path / "a.csv", "e2", {"packages": "x" * 1_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert read_environments(tmp_path / "a.csv") == {"e1": {"numpy": "2"}}
    assert len(list(tmp_path.iterdir())) == 1
