"""What lies between two sessions: versions that were measured at different times share no pairs.

Between two sessions a machine is warmed, updated, given other neighbours. Times of identical code
then differ by more than launches within a session do, and no number of launches tells by how much.
So that variance is brought from outside, with the degrees of freedom of whoever measured it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.errors import ComparisonError
from results.statistics import Estimate, Floats

BETWEEN_SESSION_SD: Final = 0.17
"""Relative standard deviation of a session's times of identical code, where nobody measured it:
that of our machine on its worst day (docs/decisions/0009-stored-tables.md)."""

SPEED_CORRECTED_SD: Final = 0.06
"""What is left of it when times are corrected for the machine's speed, on the same day."""

BETWEEN_SESSION_DEGREES: Final = 8.0
"""Degrees of freedom of both: few, for other machines are other machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BetweenSessions:
    """How far a session's times lie from those of another, for identical code.

    Attributes:
        sd: relative standard deviation of a session's level; 0.04 is 4 %.
        speed_corrected_sd: of what is left of it where a yardstick told the machine's speed.
        degrees: of freedom of both: sessions that they were measured in, less one.
    """

    sd: float = BETWEEN_SESSION_SD
    speed_corrected_sd: float = SPEED_CORRECTED_SD
    degrees: float = BETWEEN_SESSION_DEGREES

    def __post_init__(self) -> None:
        """Refuse what is no standard deviation."""
        for sd in (self.sd, self.speed_corrected_sd):
            if not 0 <= sd < 1:
                message = (
                    f"the standard deviation between sessions is {sd}; expected a share such as "
                    "0.04 for 4 %"
                )
                raise ComparisonError(message)
        if not self.degrees >= 1:
            message = (
                f"the standard deviation between sessions has {self.degrees} degrees of freedom; "
                "expected at least 1"
            )
            raise ComparisonError(message)

    def sds(self, by_speed: NDArray[np.bool_]) -> Floats:
        """For each series the one that holds for it."""
        found: Floats = np.where(by_speed, self.speed_corrected_sd, self.sd)
        return found


def with_sessions(
    estimate: Estimate,
    imbalance: Floats,
    by_speed: NDArray[np.bool_],
    between: BetweenSessions,
) -> Estimate:
    """`estimate` of log ratios with the variance between sessions in it.

    Degrees of freedom of the sum after Satterthwaite (Biometrics Bulletin 2, 1946).

    Args:
        estimate: whose standard error speaks of launches within sessions.
        imbalance: what the variance between sessions is multiplied by, as in Contrast.
        by_speed: True where the estimate is corrected for the machine's speed.
        between: how large the variance is.
    """
    within = estimate.standard_error**2
    added = between.sds(by_speed) ** 2 * imbalance
    with np.errstate(all="ignore"):
        degrees = (within + added) ** 2 / (
            within**2 / estimate.degrees + added**2 / between.degrees
        )
    is_added = added > 0
    return Estimate(
        value=estimate.value,
        standard_error=np.where(is_added, np.sqrt(within + added), estimate.standard_error),
        degrees=np.where(is_added, degrees, estimate.degrees),
    )
