"""The memory of launches along their time, in `NAME.timelines.jsonl` beside each table."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from results.errors import TableError
from results.schema import Case

_MAX_SAMPLES: Final = 240
"""Of a launch in a report; of more, the highest of consecutive ones are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The resident memory of one launch.

    Attributes:
        label: the version.
        case: evaluator, scenario, params, mode.
        launch: its number.
        seconds: of each sample, since the first.
        resident_bytes: of each sample.
    """

    label: str
    case: Case
    launch: int
    seconds: tuple[float, ...]
    resident_bytes: tuple[int, ...]


def timelines_path(table_path: Path | str) -> Path:
    """Where the timelines of a table stand: NAME.timelines.jsonl beside NAME.csv."""
    path = Path(table_path)
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return path.with_name(f"{name}.timelines.jsonl")


def read_timelines(table_path: Path | str) -> tuple[Timeline, ...]:
    """The timelines beside a table; none where there is no such file.

    Args:
        table_path: the table, not the file beside it.

    Raises:
        TableError: for a line that is no timeline, with its number.
    """
    path = timelines_path(table_path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, None, str(error)) from error
    return tuple(_read(path, text))


def thinned(values: Sequence[int], most: int = _MAX_SAMPLES) -> list[int]:
    """Indices of at most `most` values: of each of so many stretches, that of its highest."""
    if len(values) <= most:
        return list(range(len(values)))
    edges = [len(values) * part // most for part in range(most + 1)]
    return [
        max(range(start, end), key=values.__getitem__) for start, end in itertools.pairwise(edges)
    ]


def _read(path: Path, text: str) -> Iterator[Timeline]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield _timeline(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _unusable(path, number, f"{type(error).__name__}: {error}") from error


def _timeline(found: Mapping[str, Any]) -> Timeline:
    seconds = tuple(float(each) for each in found["seconds"])
    resident_bytes = tuple(int(each) for each in found["resident_bytes"])
    if len(seconds) != len(resident_bytes):
        message = f"{len(seconds)} seconds and {len(resident_bytes)} resident_bytes"
        raise ValueError(message)
    evaluator, scenario, params, mode = (
        str(found[name]) for name in ("evaluator", "scenario", "params", "mode")
    )
    return Timeline(
        label=str(found["label"]),
        case=(evaluator, scenario, params, mode),
        launch=int(found["launch"]),
        seconds=seconds,
        resident_bytes=resident_bytes,
    )


def _unusable(path: Path, line: int | None, found: str) -> TableError:
    return TableError(
        path,
        line=line,
        found=found,
        expected="a JSON object a line with seconds and resident_bytes",
        advice="Delete the line, or the file to do without timelines.",
    )
