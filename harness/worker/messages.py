"""What controller and worker say to each other: one JSON object a line.

The controller asks, and each question has one answer: the reply that its docstring names, or a
`Failure`.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Open(NamedTuple):
    """Load a subject. Answered by `Opened`."""

    scenario: str
    params: dict[str, Any]
    evaluator: str
    mode: str
    dtype: str | None
    seed: int
    plugins: list[str]
    fixed_layout: bool


class Opened(NamedTuple):
    """The subject is loaded, and these phases are its own."""

    phases: list[str]
    evaluator_version: str
    dtype: str
    lifecycle: str
    """What `evaluate` does again and again; see `scenarios.scenario`."""
    units: int | None
    """How many calls (or rebuilds) the scenario wants memory to be followed over."""


class RunPhase(NamedTuple):
    """Run a phase for the first time in this process. Answered by `Elapsed`."""

    phase: str


class Elapsed(NamedTuple):
    """How long a phase took."""

    phase: str
    elapsed_ns: int


class Check(NamedTuple):
    """Compare the first call's result with the golden evaluator. Answered by `Checked`."""


class Checked(NamedTuple):
    """How far the result is from the golden one; `problem` is empty within the tolerance."""

    max_relative_error: float | None
    problem: str


class Calibrate(NamedTuple):
    """Find how many calls fill a block. Answered by `Calibrated`."""

    block_ns: int


class Calibrated(NamedTuple):
    """Calls that a block of the wished length holds, and about how long one takes."""

    calls: int
    call_ns: float


class RunBlocks(NamedTuple):
    """Time blocks of calls. Answered by `Blocks`."""

    blocks: int
    calls: int
    untimed_calls: int
    """Calls before each block that are not timed: the first after a hand-over are slow."""
    budget_ns: int
    """Stop after the block that exceeds this, though not before the first."""


class Blocks(NamedTuple):
    """Elapsed time of each block, of so many calls, and what else went on meanwhile."""

    elapsed_ns: list[int]
    calls: int
    evidence: list[list[Any]]
    """For each block the fields of `harness.worker.evidence.Evidence`."""


class ReadYardstick(NamedTuple):
    """Do the fixed work that tells what the machine is like. Answered by `YardstickRead`."""


class YardstickRead(NamedTuple):
    """Elapsed time of each kind of fixed work."""

    elapsed_ns: dict[str, int]


class Repeat(NamedTuple):
    """Prepare again and again on fresh, equal inputs. Answered by `Repeats`."""

    most: int
    budget_ns: int


class Repeats(NamedTuple):
    """Elapsed time of each repeat, by phase."""

    elapsed_ns: dict[str, list[int]]


class MeasureMemory(NamedTuple):
    """Run a phase under the memory probes. Answered by `MemoryRead`."""

    phase: str


class MemoryRead(NamedTuple):
    """Bytes above the phase's own start: the highest, at its end, and after dropping products."""

    phase: str
    peak_bytes: int
    held_bytes: int
    retained_bytes: int
    live_objects: int | None
    """Objects known to the cyclic collector that the phase's second run holds."""
    peak_source: str
    held_source: str


class FollowMemory(NamedTuple):
    """Call with fresh data and read bytes in use as calls go on. Answered by `MemorySeries`."""

    calls: int
    samples: int
    budget_ns: int


class MemorySeries(NamedTuple):
    """Bytes in use after so many calls (or rebuilds), and the memory of the phase as a whole."""

    calls: list[int]
    in_use_bytes: list[int]
    source: str
    peak_bytes: int
    held_bytes: int
    retained_bytes: int
    peak_source: str
    held_source: str


class Count(NamedTuple):
    """Count what can be counted exactly. Answered by `Counts`."""


class Counts(NamedTuple):
    """Deterministic counts by metric."""

    counts: dict[str, int]


class Describe(NamedTuple):
    """Tell what this process runs in. Answered by `Facts`."""


class Facts(NamedTuple):
    """Facts on the interpreter, its packages and what the process was granted."""

    facts: dict[str, Any]


class Failure(NamedTuple):
    """A phase failed: one of the statuses of the result table, and what a person needs to know."""

    phase: str
    status: str
    detail: str


Message = (
    Open
    | Opened
    | RunPhase
    | Elapsed
    | Check
    | Checked
    | Calibrate
    | Calibrated
    | RunBlocks
    | Blocks
    | ReadYardstick
    | YardstickRead
    | Repeat
    | Repeats
    | MeasureMemory
    | MemoryRead
    | FollowMemory
    | MemorySeries
    | Count
    | Counts
    | Describe
    | Facts
    | Failure
)

_TYPES: dict[str, Any] = {each.__name__: each for each in Message.__args__}


def encode(message: Message) -> bytes:
    """The message as a line."""
    text = json.dumps({"message": type(message).__name__, **message._asdict()}, default=_as_plain)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def decode(line: bytes) -> Message:
    """The message of a line; ValueError when it is none."""
    fields = json.loads(line)
    try:
        kind = _TYPES[fields.pop("message")]
        return kind(**fields)  # type: ignore[no-any-return]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no message of ours: {line[:200]!r} ({error})") from None


def _as_plain(value: Any) -> Any:
    """A NumPy number as Python's own."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be sent")
