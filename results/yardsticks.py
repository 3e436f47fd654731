"""The machine's own speed in a session, for versions that were measured in different ones.

Beside each launch the harness does fixed work (NumPy calls, a matrix product, a loop of the
interpreter) whose time tells of the machine and nothing of any version. Where a whole session was
slower by that measure, its cases are taken to have been slower by as much: their log ratio is
corrected by the difference of the sessions' log speeds, with a slope of 1. Speed is the mean of two
medians' logs, of NumPy's dispatch and of the interpreter's loop, over all launches of a version in
a session: single readings vary more than machines do. What is left between sessions after that was
measured (docs/decisions/0009-stored-tables.md).

That needs yardsticks that are the same work on both sides: another release of NumPy or Python is
another yardstick, and would be taken for the machine.
"""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pandas as pd

from results.frames import row_ids
from results.schema import OK, SPEED_YARDSTICKS, YARDSTICK
from results.statistics import Floats

LEAST_READINGS: Final = 5
"""Of each yardstick, in a session: fewer are too noisy."""

_SAME_WORK: Final = ("python", "implementation", "numpy")
"""Facts of an environment that make its yardstick."""


def log_speeds(frame: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The log of the yardsticks' time, for each version and session that has enough readings.

    Args:
        frame: all readings.

    Returns:
        (label, session) -> log s; larger is slower.
    """
    is_read = (
        (frame["evaluator"] == YARDSTICK)
        & (frame["status"] == OK)
        & frame["scenario"].isin(SPEED_YARDSTICKS)
        & (frame["value"] > 0)
    )
    found: dict[tuple[str, str], list[float]] = {}
    keys = ["label", "session", "scenario"]
    for (label, session, _), values in frame[is_read].groupby(keys, observed=True)["value"]:
        if len(values) >= LEAST_READINGS:
            found.setdefault((str(label), str(session)), []).append(float(np.log(values.median())))
    return {
        key: float(np.mean(logs))
        for key, logs in found.items()
        if len(logs) == len(SPEED_YARDSTICKS)
    }


def speeds_beside(rows: pd.DataFrame, speeds: Mapping[tuple[str, str], float]) -> Floats:
    """The log speed of each row's version and session; NaN where it is not known."""
    versions = row_ids(rows, ("label", "session"))
    first = rows[~pd.Series(versions).duplicated().to_numpy()]
    keys = zip(first["label"].astype("str"), first["session"].astype("str"), strict=True)
    found: Floats = np.array([speeds.get(key, np.nan) for key in keys], dtype=np.float64)[versions]
    return found


def are_the_same_work(
    ids: Collection[str], environments: Mapping[str, Mapping[str, object]]
) -> bool:
    """Whether the yardsticks of all those environments are the same work."""
    if len(set(ids)) <= 1:
        return True
    if not environments.keys() >= set(ids):
        return False
    return len({tuple(environments[each].get(name) for name in _SAME_WORK) for each in ids}) == 1
