"""Stacks of a call's steps: line, operator, node."""

from __future__ import annotations

import pytest

from results.profiles.reading import UNEXPLAINED, By, ProfileReading
from results.profiles.step_stacks import step_stacks


def _row(launch: int, by: By, name: str, seconds: float, *, line: int | None = 3) -> ProfileReading:
    return ProfileReading(
        label="a",
        launch=launch,
        pair=None,
        phase="evaluate",
        by=by,
        name=name,
        file="" if line is None else "rnn.py",
        line=line,
        seconds=seconds,
        calls=None if name.startswith("(") else 1.0,
        moved_bytes=None,
        allocated_bytes=None,
        flops=None,
    )


def test_a_node_stands_on_its_operator_and_line() -> None:
    """With the mean over launches; other versions and what is unexplained are left out."""
    rows = [
        row
        for launch, seconds in ((1, 2.0), (2, 4.0))
        for row in (
            _row(launch, "operator", "matmul", seconds),
            _row(launch, "line", "h = x @ w", seconds),
            _row(launch, "node", "matmul(2×3, 3×4) #1", seconds),
            _row(launch, "node", "(return)", 1.0, line=None),
            _row(launch, "node", UNEXPLAINED, -0.5, line=None),
        )
    ]

    found = {each.stack: each.weight for each in step_stacks(rows, "a")}

    assert found == {
        ("call", "h = x @ w (rnn.py)", "matmul", "matmul(2×3, 3×4) #1"): pytest.approx(3.0),
        ("call", "(return)"): pytest.approx(1.0),
    }
    assert step_stacks(rows, "b") == []
