"""How much identical code differs from one session to another, and what the yardstick takes off.

    python -m benchmarks.verdict.sessions

Every trial with identical code is a session of its own, minutes from the next. For each workload
the logs of the sessions' times are told by their standard deviation; then less what the yardsticks
beside them foretell, by slopes that are fitted to all other workloads' sessions, so that nothing is
foretold from itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.verdict.places import RUNS, TRIALS
from benchmarks.verdict.records import IDENTICAL, OURS, of_tool, read_records
from benchmarks.verdict.workloads import WORKLOADS
from results.tables import read
from results.yardsticks import YARDSTICK, YARDSTICKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trial's baseline.

    Attributes:
        workload: what was evaluated.
        log_time: of an evaluation, median over launches.
        log_yardsticks: likewise, in the order of YARDSTICKS.
    """

    workload: str
    log_time: float
    log_yardsticks: tuple[float, ...]


def main() -> None:
    """Print a line for each workload."""
    sessions = list(_sessions())
    print("| workload | sessions | sd of the log time | less what yardsticks foretell |")
    print("|---|---|---|---|")
    for workload in WORKLOADS:
        own = [each for each in sessions if each.workload == workload.name]
        others = [each for each in sessions if each.workload != workload.name]
        if len(own) < 3 or len(others) < 10:
            continue
        slopes = np.linalg.lstsq(*_centred(others), rcond=None)[0]
        yardsticks, times = _centred(own)
        left = times - yardsticks @ slopes
        print(
            f"| {workload.name} | {len(own)} | {np.std(times, ddof=1):.2%} "
            f"| {np.std(left, ddof=1):.2%} |"
        )


def _sessions() -> Iterator[Session]:
    for record in of_tool(read_records(TRIALS), OURS, *IDENTICAL):
        frame = read(RUNS / "tables" / f"{record.trial.key}.csv")
        frame = frame[(frame["label"] == frame["label"].iloc[0]) & (frame["metric"] == "time")]
        of_yardstick = frame["evaluator"] == YARDSTICK
        times = frame.loc[~of_yardstick & (frame["phase"] == "evaluate"), "value"]
        beside = [
            frame.loc[of_yardstick & (frame["scenario"] == name), "value"] for name in YARDSTICKS
        ]
        yield Session(
            workload=record.trial.workload,
            log_time=_log_median(times),
            log_yardsticks=tuple(map(_log_median, beside)),
        )


def _log_median(values: pd.Series[float]) -> float:
    return float(np.log(np.median(values)))


def _centred(sessions: Sequence[Session]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Yardsticks and times, less the means of their workloads."""
    yardsticks = np.array([each.log_yardsticks for each in sessions])
    times = np.array([each.log_time for each in sessions])
    for name in {each.workload for each in sessions}:
        rows = np.array([each.workload == name for each in sessions])
        yardsticks[rows] -= yardsticks[rows].mean(axis=0)
        times[rows] -= times[rows].mean()
    return yardsticks, times


if __name__ == "__main__":
    main()
