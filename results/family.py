"""How the level of a comparison is shared out among its rows.

What a suite is judged by is the time of its evaluations: PRIMARY_SHARE of the level is theirs, in
equal parts. All other rows, of which there are some thirty for each case, share the rest. What a
row does not need once it is decided goes to the rows left, by Holm's procedure with weights. The
shares depend on what rows there are and not on their values, so the promise to the family stands.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.statistics import Floats

PRIMARY_METRIC: Final = "time"
PRIMARY_PHASE: Final = "evaluate"

PRIMARY_SHARE: Final = 0.8
"""Of the level: what goes to the rows that a suite is judged by."""


def is_primary(phase: str, metric: str) -> bool:
    """True for the rows that a suite is judged by."""
    return phase == PRIMARY_PHASE and metric == PRIMARY_METRIC


def case_level(level: float, cases: int) -> float:
    """The level for the time of one case's evaluations, in a suite that promises `level` for all.

    What `sequential.decide` is given while a suite of so many cases (times candidates) is measured.
    It is the least that the comparison's own procedure will grant, so what is decided there by the
    level of its case stays decided when all rows are judged together.
    """
    return level * PRIMARY_SHARE / max(cases, 1)


def weights(primary: NDArray[np.bool_], tested: NDArray[np.bool_]) -> Floats:
    """The share of the level for each row; NaN for rows that are not tested.

    Where only one kind of rows is tested, it has all of the level.

    Args:
        primary: True for the rows that a suite is judged by.
        tested: True for the rows that are put to a test.
    """
    found = np.full(primary.shape, np.nan)
    kinds = [(tested & primary, PRIMARY_SHARE), (tested & ~primary, 1 - PRIMARY_SHARE)]
    present = [(rows, share) for rows, share in kinds if rows.any()]
    for rows, share in present:
        found[rows] = (share if len(present) > 1 else 1.0) / rows.sum()
    return found
