"""Where the benchmark keeps things, and the surroundings that everything runs in."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "benchmarks" / "verdict" / "planting.py"
RUNS = ROOT / "runs" / "verdict"
TRIALS = RUNS / "trials.jsonl"
TRUTH = RUNS / "truth.json"
PEERS = RUNS / "peers"
HERE = RUNS / "environments" / "here"
THERE = (
    RUNS / "environments" / "elsewhere" / "in a folder whose path is a good deal longer" / "there"
)
"""Two environments with the same packages, in different folders."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def surroundings(*, hash_seed: int | None = None) -> dict[str, str]:
    """The environment with one thread a process, our packages importable, and bytecode kept.

    Who forbids Python to keep it, as containers often do, has every command compile all that it
    imports.
    """
    fixed = dict.fromkeys(_THREADS, "1")
    fixed |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    if hash_seed is not None:
        fixed["PYTHONHASHSEED"] = str(hash_seed)
    return {**os.environ, **fixed}


def last_cpu() -> int:
    """The CPU that everything measured runs on: the last one granted, as graphgauge takes it."""
    return max(os.sched_getaffinity(0))


def interpreter_of(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / "bin" / "python"
