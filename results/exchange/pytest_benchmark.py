"""pytest-benchmark's JSON, which `pytest-benchmark compare` and hosted services read.

Each metric of time is a benchmark whose rounds are our launches; everything else of the same case
and phase stands in its `extra_info`, so that an export can be read back whole.
"""

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from results.errors import ComparisonError
from results.exchange.format import Commit, Exported, Imported
from results.exchange.loading import foreign, in_utc, is_number, loaded, median_and_spread, unusable
from results.exchange.naming import Series, params_text, series_of
from results.exchange.packing import packed, unpacked
from results.schema import METRICS, OK, PHASES, Reading

_KEY = "graphgauge"
_OTHERS_KEY = "graphgauge_others"
_WRITER = "5.0.0"
"""The release of pytest-benchmark whose fields these are."""


class PytestBenchmark:
    """The format that `pytest --benchmark-json` writes."""

    name = "pytest-benchmark"
    is_folder = False

    def recognises(self, content: object) -> bool:
        """By its list of benchmarks with `stats`."""
        return (
            isinstance(content, dict)
            and isinstance(content.get("benchmarks"), list)
            and "machine_info" in content
        )

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:
        """All readings; those of time as benchmarks of their own."""
        series = series_of([one for one in readings if one.status == OK])
        timed = [one for one in series if METRICS[one.first.metric].kind == "time"]
        if not timed:
            message = "no time was measured; pytest-benchmark's format holds times first of all"
            raise ComparisonError(message)
        hosts: dict[tuple[str, ...], Series] = {}
        for one in timed:
            hosts.setdefault(one.case_phase, one)
        guests: dict[str, list[Reading]] = {}
        strays = [one for one in readings if one.status != OK]
        for one in series:
            if one in timed:
                continue
            host = hosts.get(one.case_phase)
            (strays if host is None else guests.setdefault(host.name, [])).extend(one.readings)
        first = readings[0]
        content: dict[str, object] = {
            "machine_info": {"node": first.machine},
            "commit_info": {"id": commit.revision} if commit else {},
            "benchmarks": [_benchmark(one, guests.get(one.name, [])) for one in timed],
            "datetime": first.recorded_at.replace("Z", "+00:00"),
            "version": _WRITER,
        }
        if strays:
            content[_OTHERS_KEY] = packed(strays)
        return Exported(files={"": json.dumps(content, indent=1, allow_nan=False) + "\n"})

    def imported(self, path: Path, label: str | None) -> Imported:
        """Our own exports whole; of other files, a launch for each benchmark."""
        content = loaded(path)
        if not self.recognises(content):
            raise unusable(path, "other JSON", "pytest-benchmark's, with machine_info")
        readings: list[Reading] = []
        left_out: Counter[str] = Counter()
        for benchmark in content["benchmarks"]:
            if not isinstance(benchmark, dict) or not isinstance(benchmark.get("stats"), dict):
                raise unusable(path, benchmark, "benchmarks with stats")
            extra = benchmark.get("extra_info")
            extra = extra if isinstance(extra, dict) else {}
            if _KEY in extra:
                values = {"value": benchmark["stats"].get("data", [])}
                readings += unpacked(extra[_KEY], path, others=values)
                if _OTHERS_KEY in extra:
                    readings += unpacked(extra[_OTHERS_KEY], path)
                continue
            found = list(_foreign(path, label, content, benchmark, extra))
            left_out.update([] if found else ["a benchmark without a median"])
            readings += found
        if _OTHERS_KEY in content:
            readings += unpacked(content[_OTHERS_KEY], path)
        return Imported(readings=tuple(readings), left_out=left_out)


def _benchmark(series: Series, guests: Sequence[Reading]) -> dict[str, object]:
    one = series.first
    extra: dict[str, object] = {}
    for guest in series_of(guests):
        values = [each.value for each in guest.readings if each.value is not None]
        extra[f"{guest.parts[5]} ({guest.first.unit})"] = statistics.median(values)
    extra[_KEY] = packed(series.readings, without=["value"])
    if guests:
        extra[_OTHERS_KEY] = packed(guests)
    return {
        "group": f"{one.phase} {one.metric}",
        "name": series.name,
        "fullname": series.name,
        "params": None,
        "param": None,
        "extra_info": extra,
        "options": {"disable_gc": False, "timer": one.source},
        "stats": _stats(series.readings),
    }


def _stats(readings: Sequence[Reading]) -> dict[str, object]:
    """pytest-benchmark's own fields, a launch being a round."""
    data = [one.value for one in readings if one.value is not None]
    low, median, high = (float(q) for q in np.quantile(data, (0.25, 0.5, 0.75)))
    mean, spread = statistics.fmean(data), statistics.stdev(data) if len(data) > 1 else 0.0
    fence = 1.5 * (high - low)
    within = [each for each in data if low - fence <= each <= high + fence] or data
    beyond = sum(abs(each - mean) > spread for each in data)
    first = readings[0]
    iterations = round(first.calls / first.blocks) if first.calls and first.blocks else 1
    return {
        "min": min(data),
        "max": max(data),
        "mean": mean,
        "stddev": spread,
        "rounds": len(data),
        "median": median,
        "iqr": high - low,
        "q1": low,
        "q3": high,
        "iqr_outliers": len(data) - len(within),
        "stddev_outliers": beyond,
        "outliers": f"{beyond};{len(data) - len(within)}",
        "ld15iqr": min(within),
        "hd15iqr": max(within),
        "ops": 1 / mean if mean else 0.0,
        "total": sum(data),
        "iterations": max(1, iterations),
        "data": data,
    }


def _foreign(
    path: Path,
    label: str | None,
    content: Mapping[str, Any],
    benchmark: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> Iterator[Reading]:
    """One launch: all rounds of a benchmark were measured in one process."""
    stats = benchmark["stats"]
    if not is_number(stats.get("median")):
        return
    params = benchmark.get("params")
    phase = extra.get("phase")
    machine = content["machine_info"]
    common: dict[str, Any] = {
        "path": path,
        "tool": "pytest-benchmark",
        "label": label,
        "scenario": str(benchmark.get("fullname") or benchmark.get("name") or ""),
        "params": params_text(params) if isinstance(params, dict) else "",
        "phase": phase if phase in PHASES else "evaluate",
        "recorded_at": in_utc(content.get("datetime")),
        "machine": str(machine.get("node", "")) if isinstance(machine, dict) else "",
    }
    rounds = stats.get("rounds") or None
    iterations = stats.get("iterations") or 1
    metric = "time" if common["phase"] in METRICS["time"].phases else "first_time"
    spread = stats.get("iqr")
    if is_number(stats.get("q1")) and isinstance(stats.get("data"), list) and stats["data"]:
        spread = median_and_spread(stats["data"])[1]
    yield foreign(
        **common,
        metric=metric,
        value=float(stats["median"]),
        spread=spread,
        blocks=rounds,
        calls=rounds * iterations if rounds else None,
    )
    for name, value in extra.items():
        is_told = name in METRICS and name != metric and is_number(value)
        if is_told and common["phase"] in METRICS[name].phases:
            yield foreign(**common, metric=name, value=float(value))
