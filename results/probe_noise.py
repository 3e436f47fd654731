"""What is known of the noise of memory readings beforehand, and how it is brought in.

A version has two or three memory launches, too few to learn their noise from. But the noise of the
probe is known: the kernel batches its counters, so that readings of the same thing lie some tens of
kilobytes apart (and up to half a megabyte off, which a comparison's band takes care of). So the
variance of a memory reading is shrunk towards that, as Smyth's moderated t does: the known variance
counts as much as PRIOR_DEGREES launches do, what the launches say counts beside it, and the degrees
of freedom add up.

That holds where the probe's noise is all there is. A subject whose own memory varies (compilers of
engines, by a megabyte) looks quiet in some of its rows by chance, and would be called changed there
(`python -m benchmarks.memory_noise`). But hardly in all of them: so where the rows of a case,
taken together, lie further apart than the probe explains, the variance that is known beforehand is
the mean of that case's rows instead of the probe's. A row that varies more than that is judged by
what its launches say alone, no side being believed to vary less than the probe does.

G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments", Statistical Applications in Genetics and Molecular Biology 3(1), 2004.
"""

from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

from results.contrasts import Contrast
from results.statistics import Estimate, Floats, Moments, welch

PROBE_SD_BYTES: Final = 64 * 1024
"""As spikes of the same size are read by `python -m benchmarks.memory`."""
PRIOR_DEGREES: Final = 3.0
"""Few, so that a subject whose memory varies from launch to launch is soon believed."""

ENOUGH_DEGREES: Final = 6.0
"""With so many, launches tell their noise themselves."""

VARYING_LEVEL: Final = 0.05
"""How often a case whose noise is the probe's alone is taken for one that varies by itself, which
costs it power and nothing else."""


def with_probe_noise(
    estimate: Estimate,
    found: Contrast,
    is_lagging: NDArray[np.bool_],
    cases: NDArray[np.int64],
) -> Estimate:
    """`estimate` with the probe's noise brought into the rows of memory; others as they are.

    A row without a standard error, of one launch a side, stays without: how far a subject's own
    memory varies from launch to launch is not known of it at all. Values that never vary are taken
    at their word, and so is the variance of ENOUGH_DEGREES launches and more.

    Args:
        estimate: differences in bytes, an element for each series.
        found: how many launches they stand on, and how far those lie apart.
        is_lagging: True for the series to change: memory that the kernel's counters tell.
        cases: a number for each series, equal where they are of one case.
    """
    is_learned = estimate.degrees >= ENOUGH_DEGREES
    has_noise = is_lagging & (estimate.standard_error > 0)
    is_memory = has_noise & ~is_learned
    varies = is_memory & _varies_by_itself(found, has_noise, cases)
    probe_s = np.full(len(cases), PROBE_SD_BYTES**2)
    case_s = _squared_errors(found, _variances_of_cases(found, has_noise, cases))
    by_launches = _by_launches(found)
    is_wide = varies & (by_launches.standard_error**2 > case_s)
    chosen = [is_wide, varies, is_memory]
    found_so = [
        by_launches,
        _moderated(by_launches, case_s),
        _moderated(estimate, _squared_errors(found, probe_s)),
    ]
    return Estimate(
        value=estimate.value,
        standard_error=np.select(
            chosen, [each.standard_error for each in found_so], estimate.standard_error
        ),
        degrees=np.select(chosen, [each.degrees for each in found_so], estimate.degrees),
    )


def _varies_by_itself(
    found: Contrast, is_memory: NDArray[np.bool_], cases: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """True for the series of cases in which some row varies more than the probe does.

    By the chi-squared test of a variance that is known, corrected for the case's rows after
    Bonferroni.
    """
    degrees, squares = _within_sides(found)
    chance = scipy.special.chdtrc(degrees, squares / PROBE_SD_BYTES**2)
    rows = np.bincount(cases[is_memory], minlength=int(cases.max(initial=0)) + 1)
    is_wide = is_memory & (chance < VARYING_LEVEL / np.maximum(rows, 1)[cases])
    varies: NDArray[np.bool_] = np.isin(cases, cases[is_wide])
    return varies


def _variances_of_cases(
    found: Contrast, has_noise: NDArray[np.bool_], cases: NDArray[np.int64]
) -> Floats:
    """For each series the mean variance of its case's rows; the probe's where that is more."""
    degrees, squares = _within_sides(found)
    size = int(cases.max(initial=0)) + 1
    totals = np.bincount(cases[has_noise], weights=squares[has_noise], minlength=size)
    counts = np.bincount(cases[has_noise], weights=degrees[has_noise], minlength=size)
    variances: Floats = np.maximum(totals / np.maximum(counts, 1), PROBE_SD_BYTES**2)[cases]
    return variances


def _within_sides(found: Contrast) -> tuple[NDArray[np.int64], Floats]:
    """Degrees of freedom within both sides of each series, and the sum of squares."""
    sides = (found.baseline, found.candidate)
    degrees = sum(np.maximum(each.count - 1, 0) for each in sides)
    squares = sum(np.where(each.count > 1, each.variance, 0) * (each.count - 1) for each in sides)
    return np.asarray(degrees), np.asarray(squares)


def _squared_errors(found: Contrast, variances: Floats) -> Floats:
    """The squared standard error of each difference, were those the variances of its values."""
    squared: Floats = variances * (1 / found.baseline.count + 1 / found.candidate.count)
    return squared


def _moderated(estimate: Estimate, known_squares: Floats) -> Estimate:
    """With a squared standard error that is known counting as PRIOR_DEGREES launches do."""
    degrees = PRIOR_DEGREES + estimate.degrees
    learned = estimate.degrees * estimate.standard_error**2
    return Estimate(
        value=estimate.value,
        standard_error=np.sqrt((PRIOR_DEGREES * known_squares + learned) / degrees),
        degrees=degrees,
    )


def _by_launches(found: Contrast) -> Estimate:
    """As launches of two versions say that are no pairs: memory that they share is not theirs."""
    return welch(_at_least_the_probe_s(found.baseline), _at_least_the_probe_s(found.candidate))


def _at_least_the_probe_s(side: Moments) -> Moments:
    variance: Floats = np.maximum(side.variance, PROBE_SD_BYTES**2)
    return Moments(count=side.count, mean=side.mean, variance=variance)
