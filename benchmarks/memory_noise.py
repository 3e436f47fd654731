"""How often noise alone would be called a change of memory, and which changes are told.

    python -m benchmarks.memory_noise                    noise of known kinds, drawn at random
    python -m benchmarks.memory_noise --settings         the same with each constant changed in turn
    python -m benchmarks.memory_noise --drawn FILE.csv…  launches of one version against each other

A comparison here is of one case: peak, held and retained memory of every phase, 21 rows, judged by
`results.trials` and Holm's correction as `graphgauge compare` judges them. Seeds are fixed. What is
drawn from tables are launches of one case, set against as many others of the same case.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results import probe_noise
from results.contrasts import Measured, Series, Side
from results.schema import CASE_COLUMNS, METRICS, OK
from results.sessions import BetweenSessions
from results.statistics import holm, p_beyond
from results.tables import read
from results.trials import trial

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, ...]], Floats]
"""Bytes by which readings lie off, of comparisons x rows x launches."""

LEVEL: Final = 0.01
_MIB: Final = 2.0**20
_MEMORY: Final = tuple(name for name, metric in METRICS.items() if metric.kind == "memory")
_ROWS: Final = tuple((phase, name) for name in _MEMORY for phase in METRICS[name].phases)
_LAUNCHES: Final = (2, 3, 5)
_GROWN_MIB: Final = (1, 4, 50)
_START_MIB: Final = 20.0
"""Of each row: 1 % of it is below the 0.5 MB that are not seen in any case."""

_SETTINGS: Final[dict[str, tuple[float, ...]]] = {
    "VARYING_LEVEL": (0.0, 0.01, 0.2),
    "PROBE_SD_BYTES": (32 * 1024, 128 * 1024),
    "PRIOR_DEGREES": (1.0, 6.0),
}


def _of_probe(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0, 64 * 1024, shape)


def _lagging(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.uniform(-0.5e6, 0, shape)


def _with_arenas(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """A launch has an arena of 1 MiB more than another, or has not, in all of its rows."""
    more = rng.integers(0, 2, (shape[0], 1, shape[2])) * _MIB
    return more + _of_probe(rng, shape)


def _own(sd_mib: float) -> Noise:
    """Memory that a subject takes more or less of, half of its variance for all rows alike."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        both = rng.normal(0, sd_mib * _MIB, (shape[0], 1, shape[2]))
        return (both + rng.normal(0, sd_mib * _MIB, shape)) / np.sqrt(2)

    return draw


def _own_of_one_row(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """A second row alone varies; the first is the one that may have grown."""
    noise = _of_probe(rng, shape)
    noise[:, 1] += rng.normal(0, 16 * _MIB, (shape[0], shape[2]))
    return noise


def _leaping(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """One launch in ten takes 32 MiB more in a row than the others do."""
    return (rng.random(shape) < 0.1) * 32 * _MIB + _of_probe(rng, shape)


def _leaping_in_three(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """The same in three rows alone; all others are quiet."""
    noise = _of_probe(rng, shape)
    noise[:, 1:4] += (rng.random((shape[0], 3, shape[2])) < 0.1) * 32 * _MIB
    return noise


def _leaping_as_one(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """One launch in ten takes 32 MiB more than the others do in all of its rows."""
    return (rng.random((shape[0], 1, shape[2])) < 0.1) * 32 * _MIB + _of_probe(rng, shape)


NOISES: Final[dict[str, Noise]] = {
    "the probe's, 64 KiB": _of_probe,
    "counters that lag by 0.5 MB at most": _lagging,
    "an arena of 1 MiB more or less": _with_arenas,
    "a subject's own, 0.5 MiB": _own(0.5),
    "a subject's own, 2 MiB": _own(2.0),
    "a subject's own, 16 MiB": _own(16.0),
    "one row's own, 16 MiB": _own_of_one_row,
    "32 MiB more in a launch of ten": _leaping,
    "the same, in three rows alone": _leaping_in_three,
    "the same, in all rows at once": _leaping_as_one,
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4_000, metavar="N", help="comparisons a kind")
    parser.add_argument("--settings", action="store_true", help="change each constant in turn")
    parser.add_argument("--drawn", nargs="+", type=Path, metavar="FILE.csv")
    arguments = parser.parse_args()
    if arguments.drawn:
        _print_drawn(arguments.drawn, arguments.runs)
        return
    _print_table(arguments.runs)
    if arguments.settings:
        for name, values in _SETTINGS.items():
            for value in values:
                with mock.patch.object(probe_noise, name, value):
                    print(f"\n{name} {value:g}, usually {getattr(probe_noise, name):g}")
                    _print_table(arguments.runs)


def _print_table(runs: int) -> None:
    told = "".join(f"{f'+{size} MiB':>9}" for size in _GROWN_MIB)
    print(f"{'noise':<38}{'launches':>9}{'called':>9}{told}")
    for name, noise in NOISES.items():
        for launches in _LAUNCHES:
            wrongly, _ = called(noise, runs, launches, 0.0)
            cells = [called(noise, runs, launches, size * _MIB)[1] for size in _GROWN_MIB]
            shown = "".join(f"{cell:>9.1%}" for cell in cells)
            print(f"{name:<38}{launches:>9}{wrongly:>9.2%}{shown}", flush=True)


def called(noise: Noise, runs: int, launches: int, grown_bytes: float) -> tuple[float, float]:
    """The share of comparisons with any row called changed, and with the first one called so.

    Args:
        noise: of every row.
        runs: how many comparisons.
        launches: of each version.
        grown_bytes: by which the first row of the candidate grew.
    """
    rng = np.random.default_rng(1)
    values = _START_MIB * _MIB + noise(rng, (runs, len(_ROWS), 2 * launches))
    values[:, 0, launches:] += grown_bytes
    changed = _changed(values)
    return float(changed.any(axis=1).mean()), float(changed[:, 0].mean())


def _changed(values: Floats) -> NDArray[np.bool_]:
    """Which rows are called changed; the first half of the launches is the baseline.

    Args:
        values: bytes, of comparisons x rows x launches; NaN where a launch lacks a row.
    """
    runs, rows, _ = values.shape
    with np.errstate(all="ignore"):
        one = trial(_measured(values), "old", "new", 0.01, BetweenSessions())
    p_values = p_beyond(one.estimate, one.band).reshape(runs, rows)
    adjusted = np.array([holm(each) for each in p_values])
    found: NDArray[np.bool_] = adjusted < LEVEL
    return found


def _measured(values: Floats) -> Measured:
    runs, rows, both = values.shape
    series = np.broadcast_to(np.arange(runs * rows).reshape(runs, rows, 1), values.shape)
    is_new = np.broadcast_to(np.arange(both) >= both // 2, values.shape)
    known = ~np.isnan(values)
    size = int(known.sum())
    return Measured(
        series=tuple(
            Series(
                evaluator="e",
                scenario="s",
                params=f"run={i // len(_ROWS)}",
                mode="output",
                phase=_ROWS[i % len(_ROWS)][0],
                metric=_ROWS[i % len(_ROWS)][1],
                unit="B",
                source="VmHWM",
                fewest_calls=np.nan,
            )
            for i in range(runs * rows)
        ),
        labels=np.where(is_new[known], "new", "old").astype(object),
        values=Side(
            series=series[known].astype(np.int64),
            pairs=np.full(size, -1),
            sessions=np.zeros(size, dtype=np.int64),
            values=values[known],
            log_ratios=np.full(size, np.nan),
            log_errors=np.full(size, np.nan),
            speeds=np.full(size, np.nan),
            is_last=np.zeros(size, dtype=bool),
        ),
    )


def _print_drawn(tables: Sequence[Path], runs: int) -> None:
    rng = np.random.default_rng(1)
    every: dict[int, list[NDArray[np.bool_]]] = {count: [] for count in _LAUNCHES}
    print(f"{'case':<52}{'had':>6}{'spread':>12}" + "".join(f"{n:>8}+{n}" for n in _LAUNCHES))
    for case, values in _cases(tables):
        had = values.shape[1]
        cells = ""
        for launches in _LAUNCHES:
            if 2 * launches > had:
                cells += f"{'':>10}"
                continue
            drawn = rng.permuted(np.tile(np.arange(had), (runs, 1)), axis=1)[:, : 2 * launches]
            changed = _changed(values[:, drawn].transpose(1, 0, 2)).any(axis=1)
            every[launches].append(changed)
            cells += f"{changed.mean():>10.2%}"
        spread = float(np.nanmax(np.nanstd(values, axis=1, ddof=1)))
        print(f"{case:<52}{had:>6}{spread / 1024:>8,.0f} KiB{cells}", flush=True)
    means = "".join(
        f"{np.concatenate(each).mean() if each else float('nan'):>10.2%}" for each in every.values()
    )
    print(f"{'all':<70}{means}")


def _cases(tables: Sequence[Path]) -> Iterator[tuple[str, Floats]]:
    """Each case of the tables, and its bytes, of rows x launches."""
    frame = pd.concat([read(path).astype("object") for path in tables])
    chosen = frame[frame["metric"].isin(_MEMORY) & (frame["status"] == OK)]
    for key, rows in chosen.groupby(list(CASE_COLUMNS), sort=True):
        launch = rows["session"].astype(str) + " " + rows["launch"].astype(str)
        table = rows.assign(launch=launch).pivot_table(
            index=["phase", "metric"], columns="launch", values="value", aggfunc="last"
        )
        values = table.reindex(pd.MultiIndex.from_tuples(_ROWS)).to_numpy(np.float64)
        if values.shape[1] >= 2 * min(_LAUNCHES):
            evaluator, scenario, params, mode = key
            yield f"{evaluator} {scenario} {params} {mode}", values


if __name__ == "__main__":
    main()
