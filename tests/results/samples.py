"""Readings for tests: one valid reading to change, and launches of whole versions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from results.frames import frame_of
from results.pairs import PairRatio
from results.schema import METRICS, MODES, OK, STATUSES, Reading

VALID = Reading(
    session="s1",
    recorded_at="2026-01-31T12:00:00Z",
    label="old",
    evaluator="planned",
    evaluator_version="0.1.0",
    scenario="chain",
    params="depth=100;width=64",
    mode="output",
    phase="evaluate",
    metric="time",
    unit="s",
    source="perf_counter_ns",
    launch=0,
    value=0.001,
    spread=1e-6,
    blocks=20,
    calls=2_000,
    machine="m1",
    environment="e1",
)


def reading(**changes: object) -> Reading:
    """VALID with some cells changed; a metric brings its unit and its first phase along."""
    if "metric" in changes:
        metric = METRICS[str(changes["metric"])]
        changes = {"unit": metric.unit, "phase": metric.phases[0]} | changes
    return replace(VALID, **changes)  # type: ignore[arg-type]


def version(
    label: str, values: Sequence[float], *, paired: bool = False, **changes: object
) -> list[Reading]:
    """A launch for each of `values`."""
    return [
        reading(label=label, launch=i, pair=str(i) if paired else "", value=value, **changes)
        for i, value in enumerate(values)
    ]


def two_versions(
    old: Sequence[float], new: Sequence[float], *, paired: bool = False, **changes: object
) -> pd.DataFrame:
    """Versions `old` and `new` in one frame."""
    return frame_of(
        version("old", old, paired=paired, **changes)
        + version("new", new, paired=paired, **changes)
    )


def lognormal(seed: int, size: int, mean: float = 1e-3, sd: float = 0.01) -> list[float]:
    """`size` launches around `mean`, with a launch-to-launch standard deviation of logs `sd`."""
    return [float(x) for x in mean * np.exp(np.random.default_rng(seed).normal(0, sd, size))]


def suite(label: str, seed: int, slower: float = 1.0) -> list[Reading]:
    """A version measured in two cases: times, memory, drift, counts, and a refusal."""
    rows: list[Reading] = []
    for number, scenario in enumerate(("chain", "mlp")):
        times = lognormal(seed + number, 8, slower * 1e-3)
        sizes = [50e6 + 4096 * (i % 3) for i in range(8)]
        drifts = [0.1 * (i % 3) for i in range(8)]
        for metric, source, values in (
            ("time", "perf_counter_ns", times),
            ("peak_memory", "VmHWM", sizes),
            ("memory_drift", "mallinfo2", drifts),
            ("nodes", "builder", [301.0] * 8),
        ):
            phase = "evaluate" if metric != "nodes" else "construct"
            rows += version(
                label,
                values,
                paired=True,
                scenario=scenario,
                metric=metric,
                phase=phase,
                source=source,
            )
    refusal = reading(label=label, scenario="signed_products", status="refused", value=None)
    rows.append(replace(refusal, spread=None, launch=None, detail="no integers, =1+1"))
    return rows


def texts(minimum: int = 0) -> st.SearchStrategy[str]:
    """Any text that a cell may hold, with what spreadsheets and CSV stumble over."""
    awkward = st.sampled_from(list("=+-@'\",;\r\n\t <>&|`$%\x1b\u202e"))
    anything = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.text(awkward | anything, min_size=minimum, max_size=12)


@st.composite
def valid_readings(draw: st.DrawFn) -> Reading:
    """Any valid reading."""
    metric = METRICS[draw(st.sampled_from(list(METRICS)))]
    status = draw(st.sampled_from(STATUSES))
    lowest = None if metric.kind == "drift" else 0.0
    number = st.floats(lowest, allow_nan=False, allow_infinity=False)
    value = draw(st.integers(0, 2**53).map(float) if metric.kind == "count" else number)
    whole = st.none() | st.integers(0, 2**53)
    return Reading(
        session=draw(texts(1)),
        recorded_at=draw(st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+00:00"])),
        label=draw(texts(1)),
        evaluator=draw(texts(1)),
        evaluator_version=draw(texts()),
        scenario=draw(texts(1)),
        params=draw(st.sampled_from(["", "depth=1", "depth=1;width=-2"])),
        mode=draw(st.sampled_from(MODES)),
        phase=draw(st.sampled_from(metric.phases)),
        metric=metric.name,
        unit=metric.unit,
        source=draw(texts()),
        launch=draw(st.integers(0, 10**6)),
        pair=draw(st.sampled_from(["", "3"])),
        value=value if status == OK else None,
        spread=draw(st.none() | st.floats(0, allow_nan=False, allow_infinity=False)),
        blocks=draw(whole),
        calls=draw(whole),
        status=status,
        detail=draw(texts()),
        machine=draw(texts()),
        environment=draw(texts()),
    )


def distinct(readings: Iterable[Reading]) -> list[Reading]:
    """The readings, each in a session of its own, so that none repeats another."""
    return [replace(one, session=f"s{number}") for number, one in enumerate(readings)]


def pair_ratios(log_ratios: Sequence[float]) -> tuple[PairRatio, ...]:
    """Pairs whose blocks say nothing of their error."""
    return tuple(PairRatio(log_ratio=each) for each in log_ratios)
