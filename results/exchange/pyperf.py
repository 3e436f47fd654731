"""pyperf's JSON: a run of pyperf is a process, and so is our launch.

pyperf holds values above 0, in seconds, bytes or whole numbers. Whatever else a table has is left
out and counted.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from results.errors import ComparisonError
from results.exchange.format import Commit, Exported, Imported
from results.exchange.loading import foreign, in_utc, loaded, median_and_spread, numbers, unusable
from results.exchange.naming import Series, series_of
from results.exchange.packing import packed, unpacked
from results.schema import COLUMNS, OK, Reading

_UNITS: Final = {"s": "second", "B": "byte", "1": "integer"}
_METRICS: Final = {"second": "time", "byte": "peak_memory"}
_PREFIX = "graphgauge_"
_VERSION: Final = "1.0"


class Pyperf:
    """The format that pyperf's runners write and `pyperf compare_to` reads."""

    name = "pyperf"
    is_folder = False

    def recognises(self, content: object) -> bool:
        """By its runs."""
        return (
            isinstance(content, dict)
            and isinstance(content.get("benchmarks"), list)
            and all(isinstance(one, dict) and "runs" in one for one in content["benchmarks"])
            and "version" in content
        )

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:
        """A benchmark for each series, a run for each launch."""
        kept: list[Reading] = []
        left_out: Counter[str] = Counter()
        for one in readings:
            reason = _unfit(one)
            if reason is None:
                kept.append(one)
            else:
                left_out[reason] += 1
        if not kept:
            message = f"nothing fits pyperf's format: {', '.join(left_out) or 'no readings'}"
            raise ComparisonError(message)
        content = {
            "version": _VERSION,
            "metadata": {"commit_id": commit.revision} if commit else {},
            "benchmarks": [_benchmark(one) for one in series_of(kept)],
        }
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        return Exported(files={"": text}, left_out=left_out)

    def imported(self, path: Path, label: str | None) -> Imported:
        """A launch for each run that has values; runs that only calibrate have none."""
        content = loaded(path)
        if not self.recognises(content):
            raise unusable(path, "other JSON", "pyperf's, with version and benchmarks of runs")
        readings: list[Reading] = []
        left_out: Counter[str] = Counter()
        for number, benchmark in enumerate(content["benchmarks"], start=1):
            shared = {**_dict(content.get("metadata")), **_dict(benchmark.get("metadata"))}
            runs = [
                (_dict(run), {**shared, **_dict(_dict(run).get("metadata"))})
                for run in benchmark["runs"]
            ]
            runs = [(run, metadata) for run, metadata in runs if numbers(run.get("values"))]
            if runs and f"{_PREFIX}session" in runs[0][1]:
                readings += _own(runs, path)
                continue
            unit = str(shared.get("unit", "second"))
            if unit not in _METRICS:
                left_out[f"unit {unit} has no metric here"] += len(runs)
                continue
            name = str(shared.get("name") or f"benchmark {number}")
            readings += _foreign(runs, path, label, name, _METRICS[unit])
        return Imported(readings=tuple(readings), left_out=left_out)


def _unfit(one: Reading) -> str | None:
    """Why pyperf cannot hold the reading; None if it can."""
    if one.status != OK or one.value is None:
        return "pyperf has no place for failures"
    if one.unit not in _UNITS or one.metric == "max_relative_error":
        return "pyperf has no unit for drifts and errors"
    return None if one.value > 0 else "pyperf holds values above 0 only"


def _benchmark(series: Series) -> dict[str, object]:
    one = series.first
    columns = packed(series.readings, without=["value"])
    del columns["readings"]
    common = {
        f"{_PREFIX}{name}": _metadata(cell)
        for name, cell in columns.items()
        if not isinstance(cell, list)
    }
    common |= {
        "name": series.name,
        "unit": _UNITS[one.unit],
        "hostname": one.machine or "unknown",
    }
    runs = []
    for number, reading in enumerate(series.readings):
        metadata: dict[str, object] = {
            f"{_PREFIX}{name}": _metadata(cell[number])
            for name, cell in columns.items()
            if isinstance(cell, list)
        }
        metadata["date"] = reading.recorded_at.replace("T", " ")[:19]
        if one.unit == "s" and reading.calls and reading.blocks:
            metadata["loops"] = max(1, round(reading.calls / reading.blocks))
        runs.append({"metadata": metadata, "values": [reading.value]})
    return {"metadata": common, "runs": runs}


def _metadata(cell: object) -> object:
    """A cell as pyperf's metadata can hold it: numbers, and texts that are not empty."""
    return cell if isinstance(cell, int | float) else json.dumps(cell)


def _cell(metadata: object) -> object:
    return json.loads(metadata) if isinstance(metadata, str) else metadata


def _own(runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], path: Path) -> list[Reading]:
    columns: dict[str, object] = {"readings": len(runs)}
    for name in COLUMNS:
        if name != "value":
            columns[name] = [_cell(metadata.get(f"{_PREFIX}{name}")) for _, metadata in runs]
    values = [run["values"][0] for run, _ in runs]
    return unpacked(columns, path, others={"value": values})


def _foreign(
    runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    path: Path,
    label: str | None,
    name: str,
    metric: str,
) -> Iterator[Reading]:
    for launch, (run, metadata) in enumerate(runs, start=1):
        values = numbers(run["values"])
        median, spread = median_and_spread(values)
        loops = int(metadata.get("loops", 1)) * int(metadata.get("inner_loops", 1))
        yield foreign(
            path=path,
            tool="pyperf",
            label=label,
            scenario=name,
            metric=metric,
            launch=launch,
            value=median,
            spread=spread,
            blocks=len(values),
            calls=len(values) * loops,
            recorded_at=in_utc(metadata.get("date")),
            machine=str(metadata.get("hostname", "")),
        )


def _dict(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
