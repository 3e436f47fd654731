"""Reading other tools' JSON, and the readings that stand for what they measured."""

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from results.errors import TableError, shown
from results.room import check_room
from results.schema import METRICS, Reading, storable

UNKNOWN_TIME = "1970-01-01T00:00:00Z"
"""For files that do not say when they were measured."""


def loaded(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        TableError: if it cannot be read, or is no JSON.
    """
    try:
        check_room(path, path.stat().st_size)
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TableError(
            path, found=str(reason), expected="a JSON file", advice="Check the file's name."
        ) from error


def unusable(path: Path, found: object, expected: str) -> TableError:
    """The error for a file that is not of the format it was taken for."""
    return TableError(
        path,
        found=shown(str(found)),
        expected=expected,
        advice="Say what it is with --from, or have its tool write it again.",
    )


def foreign(
    *,
    path: Path,
    tool: str,
    label: str | None,
    scenario: str,
    value: float | None,
    evaluator: str = "",
    params: str = "",
    mode: str = "output",
    phase: str = "evaluate",
    metric: str = "time",
    launch: int = 1,
    recorded_at: str = UNKNOWN_TIME,
    spread: float | None = None,
    blocks: int | None = None,
    calls: int | None = None,
    status: str = "ok",
    detail: str = "",
    machine: str = "",
    source: str = "",
) -> Reading:
    """A reading of another tool: its evaluator is the tool's name unless the name tells one."""
    return Reading(
        session=f"imported {storable(path.name)} {fingerprint(path)}",
        recorded_at=recorded_at,
        label=storable(label or path.stem or tool),
        evaluator=storable(evaluator or tool),
        evaluator_version="",
        scenario=storable(scenario) or tool,
        params=storable(params),
        mode=mode,
        phase=phase,
        metric=metric,
        unit=METRICS[metric].unit,
        source=source or tool,
        launch=launch,
        value=value,
        spread=spread,
        blocks=blocks,
        calls=calls,
        status=status,
        detail=storable(detail),
        machine=storable(machine),
        environment="",
    )


def fingerprint(path: Path) -> str:
    """Of a file's content: the same file imported twice is the same session."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8] if path.is_file() else "folder"


def median_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """The median and the interquartile range; no range of fewer than two values."""
    low, median, high = np.quantile(np.asarray(values, dtype=np.float64), (0.25, 0.5, 0.75))
    return float(median), float(high - low) if len(values) > 1 else None


def numbers(found: object) -> list[float]:
    """The finite numbers of a list; nothing if it is none."""
    if not isinstance(found, list):
        return []
    return [float(each) for each in found if is_number(each)]


def is_number(found: object) -> bool:
    """Whether it is a finite number; true and false are none."""
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


def in_utc(text: object) -> str:
    """A time of another tool as ours; UNKNOWN_TIME if it is none. Without a zone, UTC is meant."""
    try:
        moment = datetime.fromisoformat(str(text).replace("/", "-"))
    except ValueError:
        return UNKNOWN_TIME
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
