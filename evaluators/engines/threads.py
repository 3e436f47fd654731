"""How many threads an engine may use, for those that must be told in code."""

from __future__ import annotations

import os


def threads() -> int:
    """What the harness fixed for the launch (1 unless told), by the variable most engines read."""
    return max(1, int(os.environ.get("OMP_NUM_THREADS") or 1))
