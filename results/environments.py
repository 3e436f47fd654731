"""The facts of environments, in one JSON file beside each table: `a.csv`, `a.environment.json`."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from results.errors import TableError
from results.room import check_room
from results.strict_json import parsed


def environment_path(table_path: Path | str) -> Path:
    """Where the facts of a table's environments stand: NAME.environment.json beside NAME.csv."""
    path = Path(table_path)
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return path.with_name(f"{name}.environment.json")


def read_environments(table_path: Path | str) -> dict[str, dict[str, object]]:
    """The facts of each environment of a table, by the environment's id.

    Args:
        table_path: the table, not the JSON file.

    Returns:
        id -> facts; nothing where no facts stand beside the table.

    Raises:
        TableError: if the file is there and is not what `write_environment` writes.
    """
    path = environment_path(table_path)
    try:
        check_room(path, path.stat().st_size)
        found = parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(found, dict) or not all(isinstance(facts, dict) for facts in found.values()):
        raise _unusable(path, "other JSON")
    return cast("dict[str, dict[str, object]]", found)


def write_environment(
    table_path: Path | str, environment: str, facts: Mapping[str, object]
) -> None:
    """Add an environment's facts beside a table, whole or not at all.

    Whoever holds the table's `TableWriter` may write; the file is replaced in one step, so that a
    reader finds the old facts or the new.

    Args:
        table_path: the table, not the JSON file.
        environment: the id, as in the table's last column.
        facts: what JSON can hold.

    Raises:
        TableError: if the file cannot be read or written.
    """
    path = environment_path(table_path)
    known = read_environments(table_path)
    everything = known | {environment: dict(facts)}
    if everything == known:
        return
    text = json.dumps(everything, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise TableError(
            path,
            found=error.strerror or str(error),
            expected="a folder that can be written to",
            advice="Free space there, or name another --out.",
        ) from error


def _replace(path: Path, content: bytes) -> None:
    # Always the same name: what a kill leaves behind is written over, and does not pile up.
    temporary = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o644), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _unusable(path: Path, found: str) -> TableError:
    return TableError(
        path,
        found=found,
        expected="a JSON object of environments, each an object of facts",
        advice="Delete the file to do without the facts, or measure again.",
    )
