"""The workload as the peers are given it.

    python -m benchmarks.verdict.subject WORKLOAD EVALUATOR --calls N

calls the function N times, for a tool that times commands; `chosen_call` is for one that imports
what it times.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from benchmarks.verdict import planting  # noqa: F401 - it registers what is planted
from benchmarks.verdict.workloads import call_of, workload_named

VARIABLE = "GRAPHGAUGE_VERDICT_SUBJECT"
"""`WORKLOAD EVALUATOR`: which function is meant."""


def chosen_call() -> Callable[[], object]:
    """The function that the environment variable names."""
    workload, evaluator = os.environ[VARIABLE].split()
    return call_of(workload_named(workload), evaluator)


def main() -> None:
    """Call it as often as was asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workload")
    parser.add_argument("evaluator")
    parser.add_argument("--calls", type=int, required=True)
    arguments = parser.parse_args()
    call = call_of(workload_named(arguments.workload), arguments.evaluator)
    for _ in range(arguments.calls):
        call()


if __name__ == "__main__":
    main()
