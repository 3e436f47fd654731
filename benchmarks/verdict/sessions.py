"""How much identical code differs from one session to another, and what the yardstick takes off.

    python -m benchmarks.verdict.sessions

Every trial with identical code is a session of its own, minutes from the next. For each workload
the logs of the sessions' times are told by their standard deviation, as they are and less the log
of the machine's speed, as `compare` takes it off (results/yardsticks.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.places import RUNS, TRIALS
from benchmarks.verdict.records import IDENTICAL, OURS, of_tool, read_records
from benchmarks.verdict.workloads import WORKLOADS
from results.schema import YARDSTICK
from results.tables import read
from results.yardsticks import log_speeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trial's baseline.

    Attributes:
        workload: what was evaluated.
        log_time: of an evaluation, median over launches.
        log_speed: of the yardstick meanwhile.
    """

    workload: str
    log_time: float
    log_speed: float


def main() -> None:
    """Print a line for each workload."""
    sessions = list(_sessions())
    print("| workload | sessions | sd of the log time | corrected for speed |")
    print("|---|---|---|---|")
    for workload in WORKLOADS:
        own = [each for each in sessions if each.workload == workload.name]
        if len(own) < 3:
            continue
        plain = np.std([each.log_time for each in own], ddof=1)
        corrected = np.std([each.log_time - each.log_speed for each in own], ddof=1)
        print(f"| {workload.name} | {len(own)} | {plain:.2%} | {corrected:.2%} |")


def _sessions() -> Iterator[Session]:
    for record in of_tool(read_records(TRIALS), OURS, *IDENTICAL):
        frame = read(RUNS / "tables" / f"{record.trial.key}.csv")
        frame = frame[(frame["label"] == frame["label"].iloc[0]) & (frame["metric"] == "time")]
        of_yardstick = frame["evaluator"] == YARDSTICK
        times = frame.loc[~of_yardstick & (frame["phase"] == "evaluate"), "value"]
        speed = log_speeds(frame)
        if speed:
            yield Session(
                workload=record.trial.workload,
                log_time=float(np.log(times.median())),
                log_speed=next(iter(speed.values())),
            )


if __name__ == "__main__":
    main()
