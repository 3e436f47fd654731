"""What one launch's profile says of one row: the time that is its own, and what it did in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

By = Literal["operator", "node", "line", "function", "engine", "site"]
"""What the rows of a profile are: `operator` a kind of our operators, `node` one node, `line` the
scenario's line that made the node, `function` a Python (or native) function, `engine` what the
engine's own profiler calls a row, `site` a place that allocated."""

UNEXPLAINED: Final = "(unexplained)"
"""The row of the time that belongs to no other row: the whole less the sum of the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReading:
    """One row of one launch's profile of one phase.

    Rows of different versions are the same row when `by`, `name` and `file` are: line numbers
    change from version to version.

    Attributes:
        label: the version.
        launch: number of the launch, as in a result table.
        pair: number of the pair of launches, None where they were not interleaved.
        phase: the phase profiled.
        by: what a row is.
        name: the row: an operator, a node's name, a function's qualified name.
        file: where that stands, empty where it stands nowhere.
        line: its line in that file, None where that is not known.
        seconds: time of its own (not of what it calls) in one repeat of the phase or one call.
        calls: how often it ran in one repeat or call; None where a sampler cannot tell.
        moved_bytes: read and written, None where not known.
        allocated_bytes: newly allocated, None where not known.
        flops: floating-point operations, None where not known.
    """

    label: str
    launch: int
    pair: int | None
    phase: str
    by: By
    name: str
    file: str
    line: int | None
    seconds: float
    calls: float | None
    moved_bytes: float | None
    allocated_bytes: float | None
    flops: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same row in another launch or version."""
        return (self.by, self.name, self.file)
