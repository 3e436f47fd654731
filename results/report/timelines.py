"""What went on along launches: their memory and the times of their blocks, from beside a table."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from results.errors import TableError, shown
from results.room import check_room
from results.schema import Case
from results.strict_json import parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What one launch had along its time.

    Attributes:
        label: the version.
        case: evaluator, scenario, params, mode.
        launch: its number.
        seconds: of each sample, since the first.
        values: of each sample: resident bytes, or seconds per call.
    """

    label: str
    case: Case
    launch: int
    seconds: tuple[float, ...]
    values: tuple[float, ...]


def beside(table_path: Path | str, name: str) -> Path:
    """The file that a run writes beside a table: NAME.timelines.jsonl beside NAME.csv."""
    path = Path(table_path)
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    return path.with_name(f"{stem}.{name}.jsonl")


def read_timelines(table_path: Path | str) -> tuple[Timeline, ...]:
    """The resident memory along memory launches; nothing where no such file stands there.

    Args:
        table_path: the table, not the file beside it.

    Raises:
        TableError: for a line that is no timeline, with its number.
    """
    return tuple(_read(beside(table_path, "timelines"), _memory))


def read_blocks(table_path: Path | str) -> tuple[Timeline, ...]:
    """The time per call along time launches, block by block, as `time` of evaluate has it.

    What the process waited for the CPU while another had it is left out, where that is known.

    Args:
        table_path: the table, not the file beside it.

    Raises:
        TableError: for a line that holds no blocks, with its number.
    """
    return tuple(_read(beside(table_path, "blocks"), _blocks))


def renamed(timelines: Sequence[Timeline], names: Mapping[str, str]) -> tuple[Timeline, ...]:
    """The timelines under the labels that a report knows their versions by."""
    return tuple(replace(each, label=names.get(each.label, each.label)) for each in timelines)


def thinned(values: Sequence[float], most: int, *, rank: float) -> list[int]:
    """Indices of at most `most` values: one of each of so many stretches, by its rank there.

    Args:
        values: all of them.
        most: how many may be kept, at least 1.
        rank: 1 keeps the highest of each stretch, 0.5 the middle one.
    """
    if len(values) <= most:
        return list(range(len(values)))
    edges = [len(values) * part // most for part in range(most + 1)]
    return [
        sorted(range(start, end), key=values.__getitem__)[int(rank * (end - start - 1))]
        for start, end in itertools.pairwise(edges)
    ]


def _read(path: Path, read_line: Callable[[Mapping[str, Any]], Timeline]) -> Iterator[Timeline]:
    try:
        check_room(path, path.stat().st_size)
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith("\n"):  # else a kill cut it short
                    yield _timeline(path, number, line, read_line)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, None, str(error)) from error


def _timeline(
    path: Path, number: int, line: str, read_line: Callable[[Mapping[str, Any]], Timeline]
) -> Timeline:
    try:
        content = parsed(line)
        if not isinstance(content, dict):
            raise TypeError("no JSON object")
        found = read_line(content)
        if len(found.seconds) != len(found.values):
            message = f"{len(found.seconds)} times and {len(found.values)} values"
            raise ValueError(message)
        if not all(0 <= each < math.inf for each in (*found.seconds, *found.values)):
            raise ValueError("a time or a size below 0, or beyond what a float can hold")
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise _unusable(path, number, shown(f"{type(error).__name__}: {error}")) from error
    return found


def _memory(line: Mapping[str, Any]) -> Timeline:
    return _of_launch(line, map(float, line["seconds"]), map(float, line["resident_bytes"]))


def _blocks(line: Mapping[str, Any]) -> Timeline:
    elapsed_s = [float(ns) * 1e-9 for ns in line["elapsed_ns"]]
    starts = itertools.accumulate(elapsed_s[:-1], initial=0.0) if elapsed_s else ()
    calls = _whole(line["calls"], least=1)
    waited_s = _waited_s(line, len(elapsed_s))
    running_s = (
        whole - waited if waited < whole else whole
        for whole, waited in zip(elapsed_s, waited_s, strict=True)
    )
    return _of_launch(line, starts, (each / calls for each in running_s))


def _waited_s(line: Mapping[str, Any], blocks: int) -> list[float]:
    """What each block waited for the CPU while another process had it; 0 where nobody knows."""
    names = list(line.get("evidence_fields", ()))
    if "waited_ns" not in names:
        return [0.0] * blocks
    at = names.index("waited_ns")
    return [float(each[at] or 0) * 1e-9 for each in line["evidence"]]


def _whole(found: object, *, least: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        message = f"{found!r} is no whole number of at least {least}"
        raise ValueError(message)
    return found


def _of_launch(
    line: Mapping[str, Any], seconds: Iterator[float] | tuple[()], values: Iterator[float]
) -> Timeline:
    evaluator, scenario, params, mode = (
        str(line[name]) for name in ("evaluator", "scenario", "params", "mode")
    )
    return Timeline(
        label=str(line["label"]),
        case=(evaluator, scenario, params, mode),
        launch=_whole(line["launch"], least=0),
        seconds=tuple(float(f"{each:.6g}") for each in seconds),
        values=tuple(float(f"{each:.9g}") for each in values),
    )


def _unusable(path: Path, line: int | None, found: str) -> TableError:
    return TableError(
        path,
        line=line,
        found=found,
        expected="a JSON object a line, as `graphgauge run` writes it",
        advice="Delete the line, or the file to do without its plots.",
    )
