"""p-values of trials, by themselves and adjusted for the whole family of tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.family import weights
from results.statistics import Floats, holm, p_beyond, p_within
from results.trials import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class PValues:
    """Of a trial's series; NaN where no test was made.

    Attributes:
        beyond_alone: of the change being within the band, of the series by itself at all its looks.
        within_alone: of the change being beyond it.
        beyond: the first, adjusted for all series of all candidates.
        within: the second, likewise.
        weight: the share of the level that the series starts with; 1 for one outside the family.
    """

    beyond_alone: Floats
    within_alone: Floats
    beyond: Floats
    within: Floats
    weight: Floats


def adjusted_p_values(trials: Sequence[Trial], primary: NDArray[np.bool_]) -> list[PValues]:
    """Two families of tests over all trials, each adjusted by itself: beyond, and within."""
    beyond = [_over_looks(p_beyond(one.estimate, one.band), one) for one in trials]
    within = [_over_looks(p_within(one.estimate, one.band), one) for one in trials]
    ends = np.cumsum([len(one.band) for one in trials])[:-1]
    weight = weights(
        np.concatenate([primary] * len(trials)),
        np.concatenate([one.is_tested for one in trials]),
    )
    return [
        PValues(
            beyond_alone=beyond[i],
            within_alone=within[i],
            beyond=adjusted,
            within=equivalent,
            weight=np.where(np.isnan(part), 1.0, part),
        )
        for i, (adjusted, equivalent, part) in enumerate(
            zip(
                np.split(_by_holm(np.concatenate(beyond), weight), ends),
                np.split(_by_holm(np.concatenate(within), weight), ends),
                np.split(weight, ends),
                strict=True,
            )
        )
    ]


def _over_looks(p_values: Floats, one: Trial) -> Floats:
    """p-values that are as good at every look: p over the share of the level spent there."""
    found: Floats = np.minimum(p_values / one.look_share, 1.0)
    return found


def _by_holm(p_values: Floats, weight: Floats) -> Floats:
    """By Holm within the family; what is not in it stays as it is."""
    in_family = ~np.isnan(weight)
    by_holm = holm(np.where(in_family, p_values, np.nan), np.where(in_family, weight, 1.0))
    found: Floats = np.where(in_family, by_holm, p_values)
    return found
