"""Subjects that misbehave, for real: one fault of every kind, in phases that take turns.

`benchmarks/faults.py` tries every fault in every phase.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import faults

_CHOSEN = (
    *("unprintable-in-differentiate", "interrupt-in-lower", "sys-exit-in-teardown"),
    *("overflow-stack-in-first_call", "segfault-in-teardown", "leave-fork-and-crash-in-lower"),
    *("leave-daemon-in-compile", "leave-nameless-daemon-in-evaluate", "return-twice-in-lower"),
    *("write-everywhere-in-evaluate", "reuse-descriptors-in-compile", "close-output-in-lower"),
    *("change-directory-in-construct", "ignore-signals-in-first_call", "spin-in-thread-in-lower"),
    *("return-noise-in-evaluate", "write-weights-in-evaluate", "write-data-in-first_call"),
    *("take-shared-memory-in-lower",),
)


def _trials() -> list[faults.Trial]:
    found = {each.evaluator: each for each in faults.trials()}
    return [found[name] for name in _CHOSEN]


def test_a_fault_is_a_row_and_touches_nobody_else(tmp_path: Path) -> None:
    """Phase, status and detail are told; the honest case has all its rows; nothing is left."""
    limit = ("--memory-limit", str(2**30))

    outcome = faults.run(_trials(), tmp_path, "--no-memory", "--launches", "1", *limit)

    assert not outcome.problems
    assert outcome.rows_lost == 0
    assert outcome.processes_left == 0
    assert not outcome.files_left
