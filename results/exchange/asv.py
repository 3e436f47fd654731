"""asv's folder of results, which `asv publish` makes a site of.

    benchmarks.json            what was measured: units and parameters
    MACHINE/machine.json       where
    MACHINE/COMMIT-graphgauge.json

A benchmark is a metric in a phase of a scenario, evaluator and mode; its one parameter is the
scenario's size, so that a size of our catalogue need not be part of a grid. Launches are asv's
samples. A metric that several sources read keeps them apart in its name.
"""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import special

from results.errors import ComparisonError
from results.exchange.format import Commit, Exported, Imported
from results.exchange.loading import (
    UNKNOWN_TIME,
    foreign,
    is_number,
    loaded,
    median_and_spread,
    numbers,
    unusable,
)
from results.exchange.naming import Series, escaped, params_text, parsed, series_of
from results.schema import OK, Reading

_COLUMNS: Final = (
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
    "stats_number",
    "stats_repeat",
    "samples",
)
_ENVIRONMENT: Final = "graphgauge"
_UNITS: Final = {
    "s": "seconds",
    "B": "bytes",
    "1": "units",
    "1/kcall": "1/kcall",
    "B/call": "B/call",
}
_FOREIGN: Final = {"seconds": ("time", "evaluate"), "bytes": ("peak_memory", "evaluate")}
_FAILED: Final = "asv says of failures only that there were any"


class Asv:
    """The results folder of airspeed velocity, its API version 2."""

    name = "asv"
    is_folder = True

    def recognises(self, content: object) -> bool:
        """By the result columns of a commit's file."""
        return isinstance(content, dict) and {"result_columns", "commit_hash"} <= content.keys()

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:
        """The folder's files; benchmarks.json speaks of these readings alone."""
        if commit is None:
            message = (
                f"asv arranges results by commits, and label {readings[0].label!r} names none; "
                "say which one with --commit REV"
            )
            raise ComparisonError(message)
        machines = sorted({one.machine for one in readings})
        if len(machines) > 1:
            message = f"readings of machines {', '.join(machines)}; asv holds one machine a file"
            raise ComparisonError(message)
        machine = escaped(machines[0]).replace("..", "%2E.").strip(".") or "unknown"
        series = series_of(readings)
        if not any(one.status == OK for one in readings):
            message = "no reading is ok; asv would have nothing to show"
            raise ComparisonError(message)
        benchmarks = _by_benchmark(series)
        results = {name: _result(name, sizes) for name, sizes in benchmarks.items()}
        content = {
            "commit_hash": commit.revision,
            "env_name": _ENVIRONMENT,
            "date": commit.committed_at_ms,
            "params": {"machine": machine, "python": ""},
            "python": "",
            "requirements": {},
            "env_vars": {},
            "result_columns": _COLUMNS,
            "results": results,
            "durations": {},
            "version": 2,
        }
        files = {
            "benchmarks.json": _text(_descriptions(benchmarks)),
            f"{machine}/machine.json": _text({"machine": machine, "version": 1}),
            f"{machine}/{commit.revision[:8]}-{_ENVIRONMENT}.json": _text(content),
        }
        failed = sum(one.status != OK for one in readings)
        return Exported(files=files, left_out=Counter({_FAILED: failed} if failed else {}))

    def imported(self, path: Path, label: str | None) -> Imported:
        """All commits of a folder, a label each; or the one of a commit's file."""
        files = [path] if path.is_file() else sorted(path.glob("*/*.json"))
        files = [each for each in files if each.name != "machine.json"]
        if not files:
            raise unusable(path, "no file of a commit", "asv's folder of results")
        folder = path if path.is_dir() else path.parent.parent
        described = folder / "benchmarks.json"
        units = _units(loaded(described)) if described.is_file() else {}
        readings: list[Reading] = []
        left_out: Counter[str] = Counter()
        for each in files:
            content = loaded(each)
            if not self.recognises(content):
                raise unusable(each, "other JSON", "asv's, with result_columns and commit_hash")
            readings += _commit_readings(each, content, label, units, left_out)
        return Imported(readings=tuple(readings), left_out=left_out)


def merged_benchmarks(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """benchmarks.json of a folder that gets another commit: sizes of both."""
    together = dict(old)
    for name, benchmark in new.items():
        before = old.get(name)
        if isinstance(before, dict) and before.get("params") and isinstance(benchmark, dict):
            sizes = dict.fromkeys([*before["params"][0], *benchmark["params"][0]])
            together[name] = {**benchmark, "params": [list(sizes)]}
        else:
            together[name] = benchmark
    return together


def _by_benchmark(series: Sequence[Series]) -> dict[str, dict[str, Series]]:
    """Benchmark name -> size -> series. asv's names are dotted, and it splits them at dots."""
    found: dict[str, dict[str, Series]] = {}
    for one in series:
        evaluator, scenario, params, mode, phase, metric = one.parts
        parts = (evaluator, scenario, mode, phase, metric)
        name = ".".join(escaped(part).replace(".", "%2E") for part in parts)
        found.setdefault(name, {})[params] = one
    return found


def _descriptions(benchmarks: Mapping[str, Mapping[str, Series]]) -> dict[str, object]:
    content: dict[str, object] = {"version": 2}
    for name, sizes in benchmarks.items():
        one = next(iter(sizes.values())).first
        content[name] = {
            "name": name,
            "pretty_name": name,
            "code": f"{one.metric} of {one.phase}, measured by graphgauge",
            "type": "time" if one.unit == "s" else "memory" if one.unit == "B" else "track",
            "unit": _UNITS[one.unit],
            "param_names": ["params"],
            "params": [[_quoted(size) for size in sizes]],
            "timeout": 60.0,
            "version": _version(name),
        }
    return content


def _result(name: str, sizes: Mapping[str, Series]) -> list[object]:
    cells = [_summary(one) for one in sizes.values()]
    one = next(iter(sizes.values())).first
    started = datetime.fromisoformat(one.recorded_at.replace("Z", "+00:00"))
    row: dict[str, object] = {
        "params": [[_quoted(size) for size in sizes]],
        "version": _version(name),
        "started_at": int(started.timestamp() * 1000),
        "duration": None,
    }
    for column in _COLUMNS:
        if column not in row:
            row[column] = [cell.get(column) for cell in cells]
    return [row[column] for column in _COLUMNS]


def _version(name: str) -> str:
    """asv compares results of one version of a benchmark only; ours is that of its name."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()


def _quoted(size: str) -> str:
    """As asv writes the texts among its parameters."""
    return f"'{size}'"


def _summary(series: Series) -> dict[str, object]:
    """What asv shows of the launches; nothing where all failed."""
    values = [one.value for one in series.readings if one.value is not None and one.status == OK]
    if not values:
        return {}
    low, median, high = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    one = series.first
    ends = _median_interval(values)
    return {
        "result": median,
        "stats_ci_99_a": ends[0],
        "stats_ci_99_b": ends[1],
        "stats_q_25": low,
        "stats_q_75": high,
        "stats_number": max(1, round(one.calls / one.blocks)) if one.calls and one.blocks else 1,
        "stats_repeat": len(values),
        "samples": values,
    }


def _median_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The 99 % interval of the median by order statistics; None below 8 values."""
    below = len(values) // 2
    while below > 0 and special.bdtr(below - 1, len(values), 0.5) > 0.005:
        below -= 1
    if below < 1:
        return None, None
    ordered = sorted(values)
    return ordered[below - 1], ordered[-below]


def _units(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(benchmark.get("unit", ""))
        for name, benchmark in content.items()
        if isinstance(benchmark, dict)
    }


def _commit_readings(
    path: Path,
    content: Mapping[str, Any],
    label: str | None,
    units: Mapping[str, str],
    left_out: Counter[str],
) -> Iterator[Reading]:
    columns = content["result_columns"]
    for benchmark, row in content["results"].items():
        cells = dict(zip(columns, row, strict=False))
        params = cells.get("params") or []
        values = cells.get("result")
        combinations = list(itertools.product(*params)) or [()]
        if not isinstance(values, list):
            values = [None] * len(combinations)
        samples = cells.get("samples") or [None] * len(combinations)
        repeated = cells.get("stats_number") or [None] * len(combinations)
        told: dict[str, Any] = {
            "path": path,
            "label": label or str(content["commit_hash"])[:12],
            "machine": str(content.get("params", {}).get("machine", "")),
            "recorded_at": _moment(cells.get("started_at")),
        }
        unit = units.get(benchmark, "seconds")
        for place, (combination, value) in enumerate(zip(combinations, values, strict=True)):
            found = numbers(samples[place])
            if not is_number(value):
                left_out["asv has no result: it failed or was skipped"] += 1
            elif (own := _own(benchmark, combination)) is not None:
                for launch, each in enumerate(found or [value], start=1):
                    yield foreign(
                        **told,
                        **own,
                        tool="asv",
                        launch=launch,
                        value=float(each),
                    )
            elif unit not in _FOREIGN:
                left_out[f"unit {unit} has no metric here"] += 1
            else:
                metric, phase = _FOREIGN[unit]
                spread = median_and_spread(found)[1] if found else None
                number = repeated[place] if len(found) and is_number(repeated[place]) else None
                yield foreign(
                    **told,
                    tool="asv",
                    scenario=benchmark,
                    params=params_text(
                        {f"param{i}": each for i, each in enumerate(combination, start=1)}
                    ),
                    metric=metric,
                    phase=phase,
                    value=float(value),
                    spread=spread,
                    blocks=len(found) or None,
                    calls=None if number is None else len(found) * int(number),
                )


def _own(benchmark: str, combination: Sequence[str]) -> dict[str, Any] | None:
    """The case and metric of a benchmark that we exported."""
    parts = benchmark.split(".")
    if len(parts) != 5 or len(combination) != 1:
        return None
    evaluator, scenario, mode, phase, metric = parts
    size = str(combination[0]).removeprefix("'").removesuffix("'")
    name = parsed("/".join((evaluator, scenario, "", mode, phase, metric)))
    if name is None:
        return None
    found = {
        "evaluator": name.evaluator,
        "scenario": name.scenario,
        "params": size,
        "mode": name.mode,
        "phase": name.phase,
        "metric": name.metric,
    }
    return found | ({"source": name.source} if name.source else {})


def _moment(milliseconds: object) -> str:
    if not is_number(milliseconds):
        return UNKNOWN_TIME
    moment = datetime.fromtimestamp(float(str(milliseconds)) / 1000, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(content: object) -> str:
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
