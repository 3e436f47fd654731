"""What is known of the noise of memory readings beforehand, and how it is brought in.

A version has two or three memory launches, too few to learn their noise from. But the noise of the
probe is known: the kernel batches its counters, so that readings of the same thing lie some tens of
kilobytes apart (and up to half a megabyte off, which a comparison's band takes care of). So the
variance of a memory reading is shrunk towards that, as Smyth's moderated t does: the known variance
counts as much as PRIOR_DEGREES launches do, what the launches say counts beside it, and the degrees
of freedom add up. Where a subject's own memory varies more, the launches' variance prevails.

G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments", Statistical Applications in Genetics and Molecular Biology 3(1), 2004.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.contrasts import Contrast
from results.statistics import Estimate

PROBE_SD_BYTES: Final = 64 * 1024
"""As spikes of the same size are read by `python -m benchmarks.memory`."""
PRIOR_DEGREES: Final = 3.0
"""Few, so that a subject whose memory varies from launch to launch is soon believed."""

ENOUGH_DEGREES: Final = 6.0
"""With so many, launches tell their noise themselves."""


def with_probe_noise(
    estimate: Estimate, found: Contrast, is_lagging: NDArray[np.bool_]
) -> Estimate:
    """`estimate` with the probe's noise brought into the rows of memory; others as they are.

    A row without a standard error, of one launch a side, stays without: how far a subject's own
    memory varies from launch to launch is not known of it at all. Values that never vary are taken
    at their word, and so is the variance of ENOUGH_DEGREES launches and more.

    Args:
        estimate: differences in bytes, an element for each series.
        found: how many launches they stand on.
        is_lagging: True for the series to change: memory that the kernel's counters tell.
    """
    is_learned = estimate.degrees >= ENOUGH_DEGREES
    is_memory = is_lagging & (estimate.standard_error > 0) & ~is_learned
    known = PROBE_SD_BYTES**2 * (1 / found.baseline.count + 1 / found.candidate.count)
    degrees = PRIOR_DEGREES + estimate.degrees
    variance = (PRIOR_DEGREES * known + estimate.degrees * estimate.standard_error**2) / degrees
    return Estimate(
        value=estimate.value,
        standard_error=np.where(is_memory, np.sqrt(variance), estimate.standard_error),
        degrees=np.where(is_memory, degrees, estimate.degrees),
    )
