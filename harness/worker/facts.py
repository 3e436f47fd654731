"""Facts on the environment that a worker runs in."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

_ADDR_NO_RANDOMIZE = 0x0040000
"""Of the kernel's personality(2)."""


def facts_here() -> dict[str, Any]:
    """Interpreter, packages, and what this process was granted; costs some tens of ms."""
    from importlib import metadata  # noqa: PLC0415 - slow to import, and asked for once

    packages = {
        name: each.version for each in metadata.distributions() if (name := each.metadata["Name"])
    }
    granted = getattr(os, "sched_getaffinity", None)
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "hash_seed": "random per launch, the same for both sides of a pair",
        "numpy": np.__version__,
        "packages": dict(sorted(packages.items())),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "cpus_granted": sorted(granted(0)) if granted else [],
        "collector": "as Python's default; collected before each phase",
        "layout": _layout(),
        "allocator": os.environ.get("PYTHONMALLOC", "default"),
        "flags": [name for name in ("optimize", "dev_mode") if getattr(sys.flags, name)],
    }


def _layout() -> str:
    """Who draws where this process lies in memory."""
    try:
        with open("/proc/self/personality", encoding="ascii") as file:
            is_fixed = int(file.read(), 16) & _ADDR_NO_RANDOMIZE
    except OSError:
        return "the system's"
    return "drawn for a pair, the same for its sides" if is_fixed else "the kernel's"
