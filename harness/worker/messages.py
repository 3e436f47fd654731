"""What controller and worker say to each other: one JSON object a line.

The controller asks, and each question has one answer: the reply that its docstring names, or a
`Failure`.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

LOST_PIPES_EXIT = 121
"""A worker's exit code when its pipes are no longer what it was given."""


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
    collects: bool = True
    """Whether garbage is collected before."""


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


class CheckAgain(NamedTuple):
    """Call on the first call's inputs again and compare. Answered by `CheckedAgain`."""


class CheckedAgain(NamedTuple):
    """What is wrong now that was right at first; empty where nothing is."""

    problem: str
    threads: int
    """Threads of the process that were not there when the subject was loaded."""


class StayOn(NamedTuple):
    """Run on that CPU from now on, with all threads. Answered by `Staying`."""

    cpu: int


class Staying(NamedTuple):
    """The process is where it was asked to be."""


class Calibrate(NamedTuple):
    """Find how many calls fill a block. Answered by `Calibrated`."""

    block_ns: int
    calls: int | None = None
    """What another launch has found; None for it to be found."""


class Calibrated(NamedTuple):
    """Calls that a block of the wished length holds, and about how long one takes."""

    calls: int
    call_ns: float


class RunBlocks(NamedTuple):
    """Time blocks of calls. Answered by `Blocks`."""

    blocks: int
    calls: int
    untimed_calls: int
    """Calls before the first block that are not timed: those after a hand-over are slow."""
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


class Multiply(NamedTuple):
    """Prepare the same again elsewhere in memory, and keep it. Answered by `Multiplied`."""

    instances: int
    """In all, with the one that is there."""
    budget_ns: int
    """For all that is added."""


class Multiplied(NamedTuple):
    """How many instances of the function there are now."""

    instances: int


class Repeat(NamedTuple):
    """Prepare again and again on fresh, equal inputs. Answered by `Repeats`."""

    most: int
    budget_ns: int


class Repeats(NamedTuple):
    """Elapsed time of each repeat, by phase."""

    elapsed_ns: dict[str, list[int]]


class MeasureMemory(NamedTuple):
    """Run a phase under the memory probes. Answered by `MemoryRead`.

    Of `evaluate` it tells what the calls of `FollowMemory` did, all together.
    """

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
    held_heap_bytes: int
    """As `held_bytes`, of the heap alone, counted exactly."""
    retained_heap_bytes: int
    retained_objects: int
    """Objects known to the cyclic collector that are left when the phase's products are dropped."""
    heap_source: str
    settled_by: str
    """What was done before each reading."""
    began_s: float
    """Since the epoch, as all four: when the phase began, for who looks at the process from
    outside; and until when it held what `peak_bytes`, `held_bytes` and `retained_bytes` tell."""
    ended_s: float
    held_s: float
    dropped_s: float


class RepeatMemory(NamedTuple):
    """Prepare again and again, reading what each phase leaves. Answered by `MemoryRounds`."""

    most: int
    budget_ns: int


class MemoryRounds(NamedTuple):
    """Heap bytes that each round of a phase left behind when its products had been dropped."""

    retained_heap_bytes: dict[str, list[int]]
    whole_heap_bytes: list[int]
    """What each round left behind as a whole, every phase having run twice."""


class FollowMemory(NamedTuple):
    """Call with fresh data and read bytes in use as calls go on. Answered by `MemorySeries`.

    Asked again, it goes on from where it was.
    """

    calls: int | None
    """How many to make; None for as many as the budget allows."""
    least_calls: int
    """So many are made even where that exceeds the budget, if a call takes under a millisecond."""
    samples: int
    """How many readings to make at most."""
    budget_ns: int


class MemorySeries(NamedTuple):
    """Bytes in use after so many calls (or rebuilds); the first reading is before any of them."""

    calls: list[int]
    in_use_bytes: list[int]
    """Garbage collected."""
    resident_bytes: list[int]
    unit_ns: list[int]
    """How long the last call (or rebuild) before each reading took."""
    source: str


class WatchCollector(NamedTuple):
    """Go on calling without collecting garbage. Answered by `Sawtooth`."""

    budget_ns: int


class Sawtooth(NamedTuple):
    """How high garbage in reference cycles climbs before the collector comes by itself."""

    calls: int
    highest_bytes: int
    """Above what is left when it is collected at the end; the harness looks between calls."""
    collections: int
    """How often the collector came meanwhile, whatever generation it looked at."""
    collector_is_on: bool


class TraceMemory(NamedTuple):
    """Run the whole road under tracemalloc, or memray. Answered by `Traced`."""

    calls: int
    rounds: int
    """After a first one."""
    sites: int
    """How many of the largest to tell of each kind."""
    is_native: bool = False
    """By memray, which sees native allocations too."""


class Traced(NamedTuple):
    """Where Python's and numpy's allocations came from.

    A site is its stack, outermost first, each frame as `path:line`; the text of the innermost line;
    and its bytes.
    """

    peak: list[tuple[list[str], str, int]]
    """What was allocated at the highest moment that was seen."""
    once: list[tuple[list[str], str, int]]
    """What a first round left behind when all was dropped and collected."""
    each: list[tuple[list[str], str, int]]
    """What each round after it left behind, in the mean."""
    peak_bytes: int
    """The highest that tracemalloc knows of."""
    seen_bytes: int
    """How high it was at the moment that `peak` shows."""
    evaluator_version: str


class TimeSteps(NamedTuple):
    """Call the function and its instrumented doubles in turns. Answered by `StepsTimed`.

    The first time, all are made; the evaluator must be able to instrument itself.
    """

    calls: int
    """Of each."""
    untimed_calls: int


class StepsTimed(NamedTuple):
    """Elapsed time of the block, and how many calls of each are recorded so far."""

    elapsed_ns: int
    calls: int


class ReadSteps(NamedTuple):
    """Tell what was recorded of steps. Answered by `StepsRead`."""


class StepsRead(NamedTuple):
    """Times of the steps of a call, in ns, mean over quiet turns.

    Columns of one length, an entry for each step. The times of steps and stretches and `before_ns`
    each have one reading of the clock in them.
    """

    operators: list[str]
    names: list[str]
    """Operator, shapes, and a number that tells nodes that are alike apart."""
    files: list[str]
    """Of the scenario's line that made the node, as short as it is plain; may be empty."""
    lines: list[int | None]
    texts: list[str]
    step_ns: list[float]
    flops: list[int]
    moved_bytes: list[int]
    allocated_bytes: list[int]
    before_ns: float
    """From the call to the first step."""
    after_ns: float
    """From the last step's end until the call has returned and its results are dropped."""
    stretch_ns: list[float]
    """Of steps in a row without a reading between them, in the same turns; see
    `harness.worker.stretches`."""
    steps_per_stretch: int
    """The last may have fewer."""
    call_ns: float
    """A call of the function itself, median over turns."""
    stretched_ns: float
    """In the same turns, a call in such stretches, likewise."""
    reading_ns: float
    """What one reading costs by itself, in a function that does nothing else."""
    calls: int


class MeasurePeaks(NamedTuple):
    """Find what this machine can do at most, with one thread. Answered by `PeaksMeasured`."""


class PeaksMeasured(NamedTuple):
    """Operations and bytes per second."""

    flops_per_s: dict[str, float]
    """Of a matrix product, by dtype."""
    bytes_per_s: list[tuple[int, float]]
    """Read and written by an addition of arrays that take so many bytes together, rising."""


class ProfilePhases(NamedTuple):
    """Run phases again and again, so that a sampler sees them. Answered by `Profiled`."""

    phases: list[str]
    most: int
    """How many times the road is gone at most."""
    enough_ns: int
    """When every phase has run so long altogether, that is enough."""
    budget_ns: int
    interval_us: int | None
    """Of the worker's own sampler; None for not to use it."""
    is_watched: bool
    """Whether another process will read this one's stack."""


class Profiled(NamedTuple):
    """How long each phase took, and what the worker's own sampler saw of it."""

    elapsed_ns: dict[str, list[int]]
    frames: list[tuple[str, str, int]]
    """Qualified name, file and first line."""
    stacks: list[tuple[list[int], int, int]]
    """Frames by number, outermost first, from the one that is named after the phase; elapsed ns;
    how often it was seen."""


class ProfileEngine(NamedTuple):
    """Have the engine's own profiler look at calls. Answered by `EngineProfiled`."""

    calls: int


class EngineProfiled(NamedTuple):
    """What it told; no rows where the adapter has no profiler."""

    rows: list[list[Any]]
    """For each the fields of `evaluators.engine_profile.EngineRow`."""
    profiler: str
    remarks: list[str]
    call_ns: float
    """One call without the profiler: the median of as many."""
    graph: dict[str, int]
    """Nodes of the engine's graph by kind; empty where it tells none."""
    graph_of: str


class RecordTimeline(NamedTuple):
    """Go through the whole life of a subject once, recording it. Answered by `TimelineRecorded`."""

    blocks: int
    block_ns: int


class TimelineRecorded(NamedTuple):
    """What happened when, in ns since `began_s`."""

    began_s: float
    """Since the epoch, for who looked from outside meanwhile."""
    spans: list[tuple[str, str, int, int, dict[str, float]]]
    """Track (phases, blocks, collector), name, start, duration, and facts by name."""
    resident_bytes: list[tuple[int, int]]
    """When, and how many."""


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
    | CheckAgain
    | CheckedAgain
    | StayOn
    | Staying
    | Calibrate
    | Calibrated
    | RunBlocks
    | Blocks
    | ReadYardstick
    | YardstickRead
    | Multiply
    | Multiplied
    | Repeat
    | Repeats
    | MeasureMemory
    | MemoryRead
    | RepeatMemory
    | MemoryRounds
    | FollowMemory
    | MemorySeries
    | TraceMemory
    | Traced
    | TimeSteps
    | StepsTimed
    | ReadSteps
    | StepsRead
    | MeasurePeaks
    | PeaksMeasured
    | ProfilePhases
    | Profiled
    | ProfileEngine
    | EngineProfiled
    | RecordTimeline
    | TimelineRecorded
    | WatchCollector
    | Sawtooth
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
