"""Google Benchmark's JSON, which its `compare.py` and hosted services read.

A launch is a repetition. Metrics that are no times are user counters of entries that took no time,
and failures are errors, so that an export can be read back whole.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from results.errors import ComparisonError
from results.exchange.format import Commit, Exported, Imported
from results.exchange.loading import (
    foreign,
    in_utc,
    is_number,
    loaded,
    median_and_spread,
    unusable,
)
from results.exchange.naming import Series, series_of
from results.exchange.packing import packed, unpacked
from results.schema import METRICS, OK, Reading

_KEY = "graphgauge"
_TOO_LONG: Final = "they are beyond what numbers of nanoseconds hold"
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


class GoogleBenchmark:
    """The format of `--benchmark_format=json`."""

    name = "google-benchmark"
    is_folder = False

    def recognises(self, content: object) -> bool:
        """By context and benchmarks."""
        return (
            isinstance(content, dict)
            and isinstance(content.get("context"), dict)
            and isinstance(content.get("benchmarks"), list)
        )

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:
        """An entry for each reading."""
        fitting = [one for one in readings if math.isfinite(_value_ns(one))]
        if not fitting:
            message = f"no reading fits this format: {_TOO_LONG}"
            raise ComparisonError(message)
        left_out = Counter({_TOO_LONG: len(readings) - len(fitting)})
        series = series_of(fitting)
        first = fitting[0]
        context: dict[str, object] = {
            "date": first.recorded_at,
            "host_name": first.machine,
            "executable": "graphgauge",
            "num_cpus": 1,
            "mhz_per_cpu": 0,
            "library_build_type": "release",
            _KEY: {one.name: packed(one.readings, without=["value"]) for one in series},
        }
        if commit:
            context["commit"] = commit.revision
        entries = [entry for number, one in enumerate(series) for entry in _entries(number, one)]
        text = json.dumps({"context": context, "benchmarks": entries}, indent=1, allow_nan=False)
        return Exported(files={"": text + "\n"}, left_out=+left_out)

    def imported(self, path: Path, label: str | None) -> Imported:
        """Our own exports whole; of other files, a launch for each benchmark."""
        content = loaded(path)
        if not self.recognises(content):
            raise unusable(path, "other JSON", "Google Benchmark's: context and benchmarks")
        runs: dict[str, list[dict[str, Any]]] = {}
        left_out: Counter[str] = Counter()
        for entry in content["benchmarks"]:
            if not isinstance(entry, dict) or "name" not in entry:
                raise unusable(path, entry, "benchmarks with a name")
            if entry.get("run_type", "iteration") != "iteration":
                left_out["means and deviations that the library made itself"] += 1
                continue
            runs.setdefault(str(entry.get("run_name", entry["name"])), []).append(entry)
        own = content["context"].get(_KEY)
        readings: list[Reading] = []
        for name, entries in runs.items():
            if isinstance(own, dict) and name in own:
                values = [_own_value(entry) for entry in entries]
                readings += unpacked(own[name], path, others={"value": values})
            else:
                readings += _foreign(path, label, name, entries, content["context"])
        return Imported(readings=tuple(readings), left_out=left_out)


def _entries(family: int, series: Series) -> Iterator[dict[str, object]]:
    metric = METRICS[series.first.metric]
    for number, one in enumerate(series.readings):
        value_ns = _value_ns(one)
        entry: dict[str, object] = {
            "name": series.name,
            "family_index": family,
            "per_family_instance_index": 0,
            "run_name": series.name,
            "run_type": "iteration",
            "repetitions": len(series.readings),
            "repetition_index": number,
            "threads": 1,
        }
        if one.status != OK:
            entry |= {"error_occurred": True, "error_message": f"{one.status}: {one.detail}"}
        # The library always gives both times; ours is the wall's, and processor time is not read.
        entry |= {
            "iterations": int(one.calls or 1),
            "real_time": value_ns,
            "cpu_time": value_ns,
            "time_unit": "ns",
        }
        if one.value is not None and metric.unit != "s":
            entry[metric.name] = one.value
        yield entry


def _value_ns(one: Reading) -> float:
    """A time in nanoseconds; 0 for what is no time, as every entry has one."""
    is_time = METRICS[one.metric].unit == "s"
    return one.value * 1e9 if is_time and one.value is not None else 0.0


def _own_value(entry: dict[str, Any]) -> float | None:
    metric = str(entry["name"]).rpartition("/")[2].partition("@")[0]
    if metric in entry:
        return float(entry[metric])
    known = METRICS.get(metric)
    if known is None or known.unit != "s" or entry.get("error_occurred"):
        return None
    return float(entry["real_time"]) / 1e9


def _foreign(
    path: Path,
    label: str | None,
    name: str,
    entries: Sequence[dict[str, Any]],
    context: dict[str, Any],
) -> Iterator[Reading]:
    """One launch: the library repeats within a process."""
    machine = str(context.get("host_name", ""))
    recorded_at = in_utc(context.get("date"))
    failed = [one for one in entries if one.get("error_occurred")]
    if failed:
        yield foreign(
            path=path,
            tool="google-benchmark",
            label=label,
            scenario=name,
            value=None,
            status="error",
            detail=str(failed[0].get("error_message", "")),
            recorded_at=recorded_at,
            machine=machine,
        )
        return
    values = []
    for one in entries:
        unit = one.get("time_unit", "ns")
        if not is_number(one.get("real_time")) or unit not in _SECONDS:
            raise unusable(path, one.get("real_time"), "real_time in ns, us, ms or s")
        values.append(float(one["real_time"]) * _SECONDS[unit])
    median, spread = median_and_spread(values)
    yield foreign(
        path=path,
        tool="google-benchmark",
        label=label,
        scenario=name,
        value=median,
        spread=spread,
        blocks=len(values),
        calls=sum(int(one.get("iterations", 1)) for one in entries),
        recorded_at=recorded_at,
        machine=machine,
    )
