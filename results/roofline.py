"""The roofline: the least time that a machine needs for so many operations and so many bytes.

(Williams, Waterman & Patterson, Roofline: an insightful visual performance model, CACM 52, 2009.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

DTYPES: Final = ("float32", "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """What a machine can do at most with one thread, as `graphgauge calibrate` measures it.

    Attributes:
        flops_per_s: of a matrix product, by dtype.
        bytes_per_s: by the size of what is worked on, in bytes, rising: caches first.
    """

    flops_per_s: dict[str, float]
    bytes_per_s: tuple[tuple[int, float], ...]

    def seconds(self, *, flops: float, moved_bytes: float, working_set: float, dtype: str) -> float:
        """The least time that the roofline gives: compute or memory, whichever takes longer.

        Memory is the fastest level that the working set fits into, as if it were there already.
        """
        bandwidth = next(
            (rate for size, rate in self.bytes_per_s if working_set <= size),
            self.bytes_per_s[-1][1],
        )
        return max(flops / self.flops_per_s[dtype], moved_bytes / bandwidth)


def read_peaks(content: Any) -> Peaks | None:
    """The peaks of a parsed JSON object; None for none.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: for what is no such object.
    """
    if content is None:
        return None
    found = Peaks(
        flops_per_s={str(name): float(rate) for name, rate in content["flops_per_s"].items()},
        bytes_per_s=tuple((int(size), float(rate)) for size, rate in content["bytes_per_s"]),
    )
    rates = [*found.flops_per_s.values(), *(rate for _, rate in found.bytes_per_s)]
    if not set(DTYPES) <= set(found.flops_per_s) or not found.bytes_per_s:
        message = "peaks of less than both dtypes and one bandwidth"
        raise ValueError(message)
    if not all(math.isfinite(rate) and rate > 0 for rate in rates):
        message = "a peak that is no number above 0"
        raise ValueError(message)
    return found
