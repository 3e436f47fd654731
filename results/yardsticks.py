"""The machine's own speed beside each launch, as a covariate of launches that have no pair.

Beside a launch the harness does fixed work (NumPy calls, a matrix product, a loop of the
interpreter) whose time tells of the machine and nothing of any version. Where launches that were
slow by that measure were slow in a case too, the case's launches are corrected by it: the slope is
that of the launches' logs around the means of their version and session, so that a change between
versions cannot be taken for the machine's (analysis of covariance, R. A. Fisher, Statistical
Methods for Research Workers, 4th ed., 1932).

A yardstick has to earn its place in each series by itself: it is used where its correlation is
beyond chance, at EVIDENCE shared by all yardsticks, and then only the best of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from results.family import PRIMARY_METRIC, PRIMARY_PHASE
from results.frames import row_ids
from results.schema import CASE_COLUMNS, OK
from results.statistics import Estimate, Floats, moments, welch

YARDSTICK: Final = "yardstick"
"""The evaluator of readings that tell how fast the machine was."""

YARDSTICKS: Final = ("numpy_dispatch", "matmul", "interpreter_loop")
"""What stands in the place of their scenario."""

EVIDENCE: Final = 0.01
"""Chance that a yardstick is used which tells nothing."""

_LEAST_DEGREES: Final = 4
_LAUNCH = ("label", "session", "launch", "mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """The launches of both versions, of all series; every field has an element for each.

    Attributes:
        series: the series it belongs to.
        is_candidate: which version it is of.
        sessions: the session it belongs to.
        logs: of its value.
        yardsticks: logs of the yardsticks beside it, a column each; NaN where there is none.
    """

    series: NDArray[np.int64]
    is_candidate: NDArray[np.bool_]
    sessions: NDArray[np.int64]
    logs: Floats
    yardsticks: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Differences corrected for how fast the machine was; an element for each series.

    Attributes:
        estimate: of log candidate less log baseline; NaN where no yardstick is used.
        yardstick: which is used, a place in YARDSTICKS; -1 for none.
    """

    estimate: Estimate
    yardstick: NDArray[np.int64]


def beside(frame: pd.DataFrame, rows: pd.DataFrame) -> Floats:
    """Logs of the yardsticks beside each of `rows`, a column each.

    Args:
        frame: all readings.
        rows: some of them, of cases; only the time of evaluate has yardsticks beside it.
    """
    found = np.full((len(rows), len(YARDSTICKS)), np.nan)
    is_yardstick = (frame["evaluator"] == YARDSTICK) & (frame["status"] == OK)
    is_wanted = ((rows["metric"] == PRIMARY_METRIC) & (rows["phase"] == PRIMARY_PHASE)).to_numpy()
    if not is_yardstick.any() or not is_wanted.any():
        return found
    read = _keyed(frame[is_yardstick], frame.loc[is_yardstick, "params"].astype("str").tolist())
    read = read.assign(
        place=frame.loc[is_yardstick, "scenario"].astype("str").to_numpy(),
        value=frame.loc[is_yardstick, "value"].to_numpy(),
    )
    wanted = _keyed(rows[is_wanted], _names_of_cases(rows[is_wanted]))
    for column, name in enumerate(YARDSTICKS):
        of_one = read[(read["place"] == name) & (read["value"] > 0)].drop(columns="place")
        of_one = of_one.drop_duplicates([*_LAUNCH, "case"])
        matched = wanted.merge(of_one, how="left", on=[*_LAUNCH, "case"], validate="many_to_one")
        found[is_wanted, column] = np.log(matched["value"].to_numpy(np.float64))
    return found


def corrected(launches: Launches, size: int) -> Corrected:
    """The differences in each of `size` series, where a yardstick earns its place."""
    known = ~np.isnan(launches.yardsticks)
    usable = np.array(
        [
            np.bincount(launches.series, weights=~known[:, k], minlength=size) == 0
            for k in range(len(YARDSTICKS))
        ]
    )
    cells = _cells(launches)
    logs = _centred(launches.logs, cells)
    count = np.bincount(launches.series, minlength=size)
    in_cells = _distinct_cells(launches.series, cells, size)
    degrees = count - in_cells - 1.0
    columns = [
        np.where(known[:, k], launches.yardsticks[:, k], 0.0) for k in range(len(YARDSTICKS))
    ]
    yardsticks = [_centred(column, cells) for column in columns]
    with np.errstate(all="ignore"):
        own = _sums(launches.series, logs**2, size)
        squares = np.array([_sums(launches.series, each**2, size) for each in yardsticks])
        products = np.array([_sums(launches.series, each * logs, size) for each in yardsticks])
        explained = np.where(usable, products**2 / (squares * own), np.nan)
        best = np.argmax(np.nan_to_num(explained, nan=-1.0), axis=0)
        places = np.arange(size)
        share = explained[best, places]
        statistic = np.sqrt(share * degrees / (1 - share))
        chance = 2 * special.stdtr(degrees, -statistic) * len(YARDSTICKS)
        slope = products[best, places] / squares[best, places]
        is_used = (degrees >= _LEAST_DEGREES) & (chance < EVIDENCE) & (share < 1)
        chosen = np.array(columns)[best[launches.series], np.arange(len(launches.series))]
        values = launches.logs - slope[launches.series] * chosen
        sides = [launches.is_candidate == side for side in (False, True)]
        plain = welch(*(moments(values[x], launches.series[x], size) for x in sides))
        machine = welch(*(moments(chosen[x], launches.series[x], size) for x in sides)).value
        residual = own * (1 - share) / degrees
        error = np.sqrt(plain.standard_error**2 + machine**2 * residual / squares[best, places])
    return Corrected(
        estimate=Estimate(
            value=np.where(is_used, plain.value, np.nan),
            standard_error=np.where(is_used, error, np.nan),
            degrees=np.where(is_used, np.maximum(plain.degrees - 1, 1.0), np.nan),
        ),
        yardstick=np.where(is_used, best, -1),
    )


def _names_of_cases(rows: pd.DataFrame) -> list[str]:
    """Each row's case as the params of a yardstick name the case that it was read beside."""
    ids = row_ids(rows, CASE_COLUMNS)
    first = rows[~pd.Series(ids).duplicated().to_numpy()]
    names = [
        ";".join(
            f"{key}={value}"
            for key, value in (
                ("evaluator", evaluator),
                ("params", params.replace("=", ":").replace(";", ",")),
                ("scenario", scenario),
            )
            if value
        )
        for evaluator, scenario, params in zip(
            *(first[name].astype("str").tolist() for name in CASE_COLUMNS[:3]), strict=True
        )
    ]
    return [names[i] for i in ids.tolist()]


def _keyed(rows: pd.DataFrame, cases: list[str]) -> pd.DataFrame:
    keys: dict[str, object] = {
        name: rows[name].astype("str").to_numpy() for name in ("label", "session", "mode")
    }
    keys["launch"] = rows["launch"].to_numpy(np.int64, na_value=-1)
    keys["case"] = np.array(cases, dtype=object)
    return pd.DataFrame(keys)


def _cells(launches: Launches) -> NDArray[np.int64]:
    """A number for each series, version and session."""
    width = int(launches.sessions.max(initial=0)) + 1
    keys = (launches.series * 2 + launches.is_candidate) * width + launches.sessions
    numbered: NDArray[np.int64] = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return numbered


def _centred(values: Floats, cells: NDArray[np.int64]) -> Floats:
    """Values less the mean of their cell."""
    counts = np.bincount(cells)
    return values - (np.bincount(cells, weights=values) / counts)[cells]


def _distinct_cells(
    series: NDArray[np.int64], cells: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """How many cells each series has."""
    first = np.unique(cells, return_index=True)[1]
    return np.bincount(series[first], minlength=size)


def _sums(groups: NDArray[np.int64], values: Floats, size: int) -> Floats:
    found: Floats = np.bincount(groups, weights=values, minlength=size).astype(np.float64)
    return found
