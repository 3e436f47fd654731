"""Formats that hold a number for each benchmark: launches are told by their median and quartiles.

Bencher Metric Format, and the custom JSON of github-action-benchmark. Times stand in nanoseconds,
as those services expect them.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from results.errors import ComparisonError
from results.exchange.format import Commit, Exported, Imported
from results.exchange.loading import foreign, is_number, loaded, unusable
from results.exchange.naming import Series, escaped, parsed, series_of
from results.schema import METRICS, OK, Reading
from results.units import quantity

_NS: Final = 1e9
_FAILED: Final = "it has no place for failures"
_LONGEST_BENCHMARK: Final = 1024
_LONGEST_MEASURE: Final = 64


class Bencher:
    """Bencher Metric Format: benchmark -> measure -> value, lower_value, upper_value."""

    name = "bencher"
    is_folder = False

    def recognises(self, content: object) -> bool:
        """By measures with a value."""
        return (
            isinstance(content, dict)
            and bool(content)
            and all(
                isinstance(measures, dict)
                and measures
                and all(isinstance(one, dict) and "value" in one for one in measures.values())
                for measures in content.values()
            )
        )

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:  # noqa: ARG002
        """A benchmark for each case and phase, a measure for each metric."""
        series, left_out = _fitting(readings, _not_for_bencher)
        content: dict[str, dict[str, dict[str, float]]] = {}
        for one in series:
            low, median, high = _quartiles(one)
            measure = {"value": median, "lower_value": low, "upper_value": high}
            content.setdefault(_benchmark(one), {})[_measure(one)] = measure
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        return Exported(files={"": text}, left_out=left_out)

    def imported(self, path: Path, label: str | None) -> Imported:
        """One launch for each measure."""
        content = loaded(path)
        if not self.recognises(content):
            raise unusable(path, "other JSON", "Bencher Metric Format: measures with a value")
        readings: list[Reading] = []
        left_out: Counter[str] = Counter()
        for benchmark, measures in content.items():
            for measure, found in measures.items():
                if not is_number(found["value"]):
                    raise unusable(path, found, "a number as value")
                metric = _metric(measure)
                if metric is None and measure != "latency":
                    left_out[f"measure {measure} has no metric here"] += 1
                    continue
                ends = [found.get(end) for end in ("lower_value", "upper_value")]
                detail = f"from {ends[0]!r} to {ends[1]!r}" if all(map(is_number, ends)) else ""
                name = f"{benchmark}/{metric or 'time'}"
                readings.append(_one(path, "bencher", label, name, found["value"], detail))
        return Imported(readings=tuple(readings), left_out=left_out)


class GithubActionBenchmark:
    """The custom JSON of github-action-benchmark, for `tool: customSmallerIsBetter`."""

    name = "github-action-benchmark"
    is_folder = False

    def recognises(self, content: object) -> bool:
        """By a list of entries with name, unit and value."""
        return isinstance(content, list) and all(
            isinstance(one, dict) and {"name", "unit", "value"} <= one.keys() for one in content
        )

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:  # noqa: ARG002
        """An entry for each series."""
        series, left_out = _fitting(readings, _not_for_the_action)
        entries = []
        for one in series:
            low, median, high = _quartiles(one)
            unit = "ns" if one.first.unit == "s" else one.first.unit
            entry: dict[str, object] = {"name": one.name, "unit": unit, "value": median}
            if high > low:
                entry["range"] = f"± {(high - low) / 2:.4g}"
            told = quantity(median / _NS, "s") if unit == "ns" else quantity(median, unit)
            entry["extra"] = (
                f"{told}, median of {len(one.readings)} launches\nlabel {one.first.label}\n"
                f"source {one.first.source}\nmachine {one.first.machine}"
            )
            entries.append(entry)
        text = json.dumps(entries, indent=1, allow_nan=False) + "\n"
        return Exported(files={"": text}, left_out=left_out)

    def imported(self, path: Path, label: str | None) -> Imported:
        """One launch for each entry in a unit of time, or of a metric that its name tells."""
        content = loaded(path)
        if not self.recognises(content):
            raise unusable(path, "other JSON", "a list of name, unit and value")
        readings: list[Reading] = []
        left_out: Counter[str] = Counter()
        for entry in content:
            if not is_number(entry["value"]):
                raise unusable(path, entry, "a number as value")
            unit = str(entry["unit"]).split("/")[0].strip()
            own = parsed(str(entry["name"]))
            if own is None and unit not in _SECONDS:
                left_out[f"unit {entry['unit']} has no metric here"] += 1
                continue
            value_ns = entry["value"] * _SECONDS[unit] * _NS if own is None else entry["value"]
            told = dict(
                line.split(" ", 1)
                for line in str(entry.get("extra", "")).splitlines()
                if re.match(r"(label|source|machine) .", line)
            )
            readings.append(
                _one(
                    path,
                    "github-action-benchmark",
                    label or told.get("label"),
                    str(entry["name"]),
                    value_ns,
                    f"range {entry['range']}" if "range" in entry else "",
                    source=told.get("source", ""),
                    machine=told.get("machine", ""),
                )
            )
        return Imported(readings=tuple(readings), left_out=left_out)


_CASE: Final = ("evaluator", "scenario", "params", "mode", "phase", "metric", "source")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0}


def _fitting(
    readings: Sequence[Reading], reason_against: Callable[[Series], str | None]
) -> tuple[list[Series], Counter[str]]:
    """The series that fit, and how many readings do not, by the reason.

    Raises:
        ComparisonError: if none fits.
    """
    good = [one for one in readings if one.status == OK]
    failed = len(readings) - len(good)
    left_out = Counter({_FAILED: failed} if failed else {})
    series = []
    for one in series_of(good):
        against = reason_against(one)
        if against is None and not all(map(math.isfinite, _quartiles(one))):
            against = "they are beyond what numbers of nanoseconds hold"
        if against is None:
            series.append(one)
        else:
            left_out[against] += len(one.readings)
    if not series:
        reasons = "; ".join(left_out) or "there is none"
        message = f"no reading fits this format: {reasons}"
        raise ComparisonError(message)
    return series, left_out


def _not_for_bencher(series: Series) -> str | None:
    is_long = (
        len(_benchmark(series)) > _LONGEST_BENCHMARK or len(_measure(series)) > _LONGEST_MEASURE
    )
    return "Bencher refuses names that long" if is_long else None


def _not_for_the_action(series: Series) -> str | None:
    is_drift = METRICS[series.first.metric].kind == "drift"
    return "the action compares by ratio, and drifts have none" if is_drift else None


def _quartiles(series: Series) -> tuple[float, float, float]:
    """Of the launches' values, times in nanoseconds."""
    values = [one.value for one in series.readings if one.value is not None]
    scale = _NS if series.first.unit == "s" else 1.0
    # Of counts, a value that was read: their median may lie between two.
    is_count = METRICS[series.first.metric].kind == "count"
    method: Literal["inverted_cdf", "linear"] = "inverted_cdf" if is_count else "linear"
    with np.errstate(over="ignore", invalid="ignore"):
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75), method=method) * scale
    return float(low), float(median), float(high)


def _benchmark(series: Series) -> str:
    """The name of a case and a phase."""
    return "/".join(map(escaped, series.case_phase))


def _measure(series: Series) -> str:
    """A metric as the name of a measure: Bencher's own for time, in nanoseconds as well."""
    metric, at, source = series.parts[5].partition("@")
    measure = "latency" if metric == "time" else metric.replace("_", "-")
    return f"{measure}{at}{escaped(source)}"


def _metric(measure: str) -> str | None:
    """The metric of a measure, and its source where it tells one; None for a foreign measure."""
    name, at, source = measure.partition("@")
    metric = "time" if name == "latency" else name.replace("-", "_")
    return f"{metric}{at}{source}" if metric in METRICS else None


def _one(
    path: Path,
    tool: str,
    label: str | None,
    name: str,
    value: float,
    detail: str,
    **told: Any,
) -> Reading:
    """The reading of a named value, times being in nanoseconds.

    A name that is not ours is a scenario, followed by the metric or by nothing for time.
    """
    own = parsed(name)
    case: dict[str, Any] = {}
    if own is None:
        scenario, _, metric = name.rpartition("/")
        if metric not in METRICS:
            scenario, metric = name, "time"
        phases = METRICS[metric].phases
        phase = "evaluate" if "evaluate" in phases else phases[0]
        case = {"scenario": scenario, "metric": metric, "phase": phase}
    else:
        case = {name: getattr(own, name) for name in _CASE if name != "source" or own.source}
    scale = _NS if METRICS[case["metric"]].unit == "s" else 1.0
    return foreign(
        path=path, tool=tool, label=label, value=float(value) / scale, detail=detail, **told | case
    )
