"""What is known of a machine: how noisy it is, and how small a change it can show.

`graphgauge calibrate` compares identical code with itself and appends what it found to a file;
comparisons use the last line and print it.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from results.errors import TableError, shown
from results.pairs import PairRatio, mean_over
from results.roofline import Peaks, read_peaks
from results.sequential import FIRST_LOOK, decide, looks, shares
from results.sessions import SPEED_CORRECTED_SD, BetweenSessions
from results.statistics import Estimate, smallest_detectable
from results.strict_json import parsed

BUDGETS_S: Final = (2.0, 5.0, 10.0, 20.0, 60.0)
"""For which a calibration says how small a change can be seen."""

LEAST_PAIRS: Final = 20
"""Of each case: fewer tell the noise, but not what is left when it is averaged out."""

_MOST_SD: Final = 0.99
"""Of sessions; beyond it nothing can be compared anyway."""

LEAST_CALIBRATIONS: Final = 3
"""So many tell how times differ from one session to another."""

_ANEW: Final = "Delete the line, or the file, and calibrate anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """How small a change a budget can see.

    Attributes:
        budget_s: for one case.
        pairs: that it pays for, median over cases.
        change: the smallest share that is found with 95 % probability, median over cases.
    """

    budget_s: float
    pairs: int
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What one run of `calibrate` found.

    Attributes:
        machine: the machine's id.
        recorded_at: UTC in ISO 8601.
        level: what false alarms were to stay below, as a share of comparisons.
        comparisons: of identical code with itself.
        false_alarms: how many of them found a change.
        floor: identical code differed by less than this share; smaller changes do not count. None
            where there were too few pairs to know.
        pair_sd: standard deviation over pairs of the log ratio, median over cases.
        detectable: by budget, rising.
        log_speed: log of the yardstick's time meanwhile, in s; None where it was not read.
        case_times: evaluate time in s by case, to be held against other calibrations'.
        troubles: what the machine did wrong meanwhile, in words.
        peaks: what the machine can do at most; None for a calibration from before it was measured.
    """

    machine: str
    recorded_at: str
    level: float
    comparisons: int
    false_alarms: int
    floor: float | None
    pair_sd: float
    detectable: tuple[Detectable, ...]
    case_times: dict[str, float]
    troubles: tuple[str, ...] = ()
    log_speed: float | None = None
    peaks: Peaks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdenticalPairs:
    """A case that was compared with itself.

    Attributes:
        case: in words.
        pairs: what each said, in the order of measuring.
        seconds: what all pairs took to measure.
        evaluate_s: the case's evaluate time.
    """

    case: str
    pairs: Sequence[PairRatio]
    seconds: float
    evaluate_s: float

    @property
    def seconds_per_pair(self) -> float:
        """What a pair takes."""
        return self.seconds / len(self.pairs)


def calibrate(
    cases: Sequence[IdenticalPairs],
    *,
    machine: str,
    recorded_at: str,
    level: float,
    comparison_s: float,
    troubles: Sequence[str],
    log_speed: float | None,
) -> Calibration:
    """What pairs of identical code say of the machine.

    A comparison is as many consecutive pairs of a case as `comparison_s` pays for, looked at as
    `versus` looks at them, without a threshold. The floor is where the widest of the cases' own
    intervals ends, over all of a case's pairs and at `level` for all cases together.
    """
    outcomes = [
        is_called
        for case in cases
        for is_called in _comparisons(case, pairs_within(case, comparison_s), level)
    ]
    several = [case for case in cases if len(case.pairs) >= 2]
    sds = [float(np.std([each.log_ratio for each in case.pairs], ddof=1)) for case in several]
    return Calibration(
        machine=machine,
        recorded_at=recorded_at,
        level=level,
        comparisons=len(outcomes),
        false_alarms=sum(outcomes),
        floor=_floor(cases, level / len(cases)),
        pair_sd=float(np.median(sds)),
        detectable=tuple(_detectable(several, budget_s, level) for budget_s in BUDGETS_S),
        case_times={case.case: case.evaluate_s for case in cases},
        troubles=tuple(troubles),
        log_speed=log_speed,
    )


def _floor(cases: Sequence[IdenticalPairs], level: float) -> float | None:
    if min(len(case.pairs) for case in cases) < LEAST_PAIRS:
        return None
    at_end = [decide(case.pairs, threshold=0.0, level=level, is_last=True) for case in cases]
    ends = [end for each in at_end if each.low and each.high for end in (1 / each.low, each.high)]
    return max(ends) - 1


def pairs_within(case: IdenticalPairs, seconds: float) -> int:
    """How many pairs of the case that time pays for; at least as many as a first look needs."""
    return max(FIRST_LOOK, int(seconds / case.seconds_per_pair))


def _comparisons(case: IdenticalPairs, pairs: int, level: float) -> list[bool]:
    """For each run of so many pairs, whether any look would have found a change."""
    starts = range(0, len(case.pairs) - pairs + 1, pairs)
    return [
        any(
            decide(
                case.pairs[start : start + count],
                threshold=0.0,
                level=level,
                is_last=count == pairs,
            ).is_final
            for count in looks(pairs)
            if count >= FIRST_LOOK
        )
        for start in starts
    ]


def _detectable(cases: Sequence[IdenticalPairs], budget_s: float, level: float) -> Detectable:
    pairs = np.array([pairs_within(case, budget_s) for case in cases])
    noise = Estimate(
        value=np.zeros(len(cases)),
        standard_error=np.array([_noise_of_one(case) for case in cases]) / np.sqrt(pairs),
        degrees=pairs - 1.0,
    )
    changes = np.expm1(smallest_detectable(noise, 0.0, level * shares(pairs, pairs > 0)))
    return Detectable(
        budget_s=budget_s, pairs=int(np.median(pairs)), change=float(np.median(changes))
    )


def _noise_of_one(case: IdenticalPairs) -> float:
    """What of the mean's standard error a single pair would have, pairs being weighed."""
    return float(mean_over(case.pairs).standard_error[0]) * math.sqrt(len(case.pairs))


def append_calibration(path: Path, calibration: Calibration) -> None:
    """Add a line to the file, which is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(calibration)) + "\n")


def read_calibrations(path: Path) -> list[Calibration]:
    """All calibrations in the file, the last one last; none where there is no file.

    Raises:
        TableError: for a line that is none.
    """
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise TableError(
            path, found=str(error), expected="calibrations, a line each", advice=_ANEW
        ) from error
    lines = lines[:-1] if not lines[-1] else lines
    return [_calibration(line, path, number) for number, line in enumerate(lines, start=1)]


def between_sessions(calibrations: Sequence[Calibration]) -> BetweenSessions | None:
    """How much the log of a case's time differs from one calibration to another.

    The standard deviation within cases, pooled over all cases. A session moves its cases together,
    so that they are no evidence beside each other: degrees of freedom are those of the sessions.
    What is left of it after correction for the machine's speed is told where the yardstick was
    read in enough of them, and as elsewhere where it was not. None below LEAST_CALIBRATIONS.
    """
    if len(calibrations) < LEAST_CALIBRATIONS:
        return None
    sd = _pooled_sd([(each, 0.0) for each in calibrations])
    if sd is None:
        return None
    read = [(each, each.log_speed) for each in calibrations if each.log_speed is not None]
    corrected = _pooled_sd(read) if len(read) >= LEAST_CALIBRATIONS else None
    return BetweenSessions(
        sd=sd,
        speed_corrected_sd=SPEED_CORRECTED_SD if corrected is None else corrected,
        degrees=len(calibrations) - 1,
    )


def _pooled_sd(calibrations: Sequence[tuple[Calibration, float]]) -> float | None:
    """Of the logs of cases' times, each less what stands beside its calibration."""
    squares, degrees = 0.0, 0
    for case in {case for each, _ in calibrations for case in each.case_times}:
        logs = [
            math.log(each.case_times[case]) - less
            for each, less in calibrations
            if case in each.case_times
        ]
        squares += float(np.var(logs)) * len(logs)
        degrees += len(logs) - 1
    return min(math.sqrt(squares / degrees), _MOST_SD) if degrees else None


def _calibration(line: str, path: Path, number: int) -> Calibration:
    try:
        content = cast("dict[str, Any]", parsed(line))
        detectable = tuple(Detectable(**each) for each in content.pop("detectable"))
        troubles = tuple(content.pop("troubles"))
        peaks = read_peaks(content.pop("peaks", None))
        found = Calibration(**content, detectable=detectable, troubles=troubles, peaks=peaks)
        _check(found)
        return found
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TableError(
            path,
            line=number,
            found=shown(str(error)),
            expected="a calibration as `graphgauge calibrate` writes it",
            advice=_ANEW,
        ) from None


def _check(found: Calibration) -> None:
    """Raise ValueError or TypeError for what a comparison could not go on with."""
    numbers = [*found.case_times.values(), found.pair_sd, found.level]
    numbers += [] if found.floor is None else [found.floor]
    if not all(math.isfinite(each) and each >= 0 for each in numbers):
        message = "a number below 0"
        raise ValueError(message)
    if not all(each > 0 for each in found.case_times.values()):
        message = "a case that took no time"
        raise ValueError(message)
    texts: tuple[object, ...] = (found.recorded_at, found.machine)
    if not all(isinstance(each, str) for each in texts):
        message = "recorded_at and machine must be texts"
        raise TypeError(message)
