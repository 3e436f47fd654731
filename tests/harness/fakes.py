"""Fakes that are told exactly what to say."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from harness.conversation import Side
from harness.launch import Surroundings
from harness.measurement import Measurement
from harness.worker import messages as m
from harness.worker.evidence import Evidence
from results.schema import YARDSTICKS

PHASES = ["construct", "differentiate", "lower", "compile", "first_call", "evaluate", "teardown"]


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, ns: int) -> None:
        self.now_ns += ns


QUIET = Evidence(
    waited_ns=0,
    involuntary_switches=0,
    minor_faults=0,
    major_faults=0,
    steal_ticks=0,
    cpu_hz=None,
)


def blocks(
    elapsed_ns: Sequence[int], calls: int, evidence: Sequence[Evidence] | None = None
) -> m.Blocks:
    """Blocks that nothing disturbed, unless the evidence says so."""
    seen = evidence or [QUIET] * len(elapsed_ns)
    return m.Blocks(
        elapsed_ns=list(elapsed_ns), calls=calls, evidence=[list(each) for each in seen]
    )


Answer = Callable[[Any], m.Message]


def usual_answers(call_ns: int = 1_000) -> dict[type, Answer]:
    """A subject that does everything right, one call in so many ns."""
    return {
        m.Open: lambda _: m.Opened(
            phases=PHASES, evaluator_version="1.0", dtype="float32", lifecycle="calls", units=None
        ),
        m.RunPhase: lambda q: m.Elapsed(phase=q.phase, elapsed_ns=7_000),
        m.Check: lambda _: m.Checked(max_relative_error=1e-7, problem=""),
        m.Calibrate: lambda q: m.Calibrated(calls=q.block_ns // call_ns, call_ns=call_ns),
        m.RunBlocks: lambda q: blocks([call_ns * q.calls] * q.blocks, q.calls),
        m.StayOn: lambda _: m.Staying(),
        m.ReadYardstick: lambda _: m.YardstickRead(elapsed_ns=dict.fromkeys(YARDSTICKS, 250_000)),
        m.Multiply: lambda q: m.Multiplied(instances=q.instances),
        m.CheckAgain: lambda _: m.CheckedAgain(problem="", threads=0),
        m.Repeat: lambda q: m.Repeats(elapsed_ns={phase: [5_000] * q.most for phase in PHASES[:4]}),
        m.MeasureMemory: lambda q: m.MemoryRead(
            phase=q.phase,
            peak_bytes=300,
            held_bytes=200,
            retained_bytes=100,
            live_objects=None if q.phase in {"evaluate", "teardown"} else 9,
            peak_source="VmHWM",
            held_source="smaps_rollup",
            held_heap_bytes=190,
            retained_heap_bytes=90,
            retained_objects=1,
            heap_source="mallinfo2",
            settled_by="gc.collect+malloc_trim",
            began_s=0.0,
            ended_s=1.0,
            held_s=2.0,
            dropped_s=3.0,
        ),
        m.RepeatMemory: lambda _: m.MemoryRounds(
            retained_heap_bytes={"construct": [0, 0], "compile": [5_000, 4_000, 4_000]},
            whole_heap_bytes=[10_000, 8_000, 8_000],
        ),
        m.FollowMemory: lambda _: memory_series([0] * 20),
        m.WatchCollector: lambda _: m.Sawtooth(
            calls=10, highest_bytes=0, collections=0, collector_is_on=True
        ),
        m.Count: lambda _: m.Counts(counts={"nodes": 5, "gradient_nodes": 11, "unknown": 1}),
        m.Describe: lambda _: m.Facts(facts={"python": "3.11"}),
    }


def memory_series(in_use_bytes: Sequence[int], first_call: int = 0) -> m.MemorySeries:
    """Readings every 100 calls."""
    return m.MemorySeries(
        calls=[first_call + 100 * at for at in range(len(in_use_bytes))],
        in_use_bytes=list(in_use_bytes),
        resident_bytes=[0] * len(in_use_bytes),
        unit_ns=[1_000] * len(in_use_bytes),
        source="mallinfo2+VmData",
    )


class FakeLaunch:
    """Answers from a table, and writes down what it was asked in a log that launches share."""

    process: subprocess.Popen[bytes]

    def __init__(
        self,
        answers: dict[type, Answer],
        name: str = "",
        log: list[tuple[str, m.Message]] | None = None,
    ) -> None:
        self._answers = answers
        self._name = name
        self.log: list[tuple[str, m.Message]] = [] if log is None else log
        self.closed = False
        self.killed = threading.Event()
        self.posted: list[m.Message] = []

    def ask(self, question: m.Message, *, timeout_s: float) -> m.Message:
        self.log.append((self._name, question))
        return self._answers[type(question)](question)

    def post(self, question: m.Message) -> None:
        self.posted.append(question)

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        self.closed = True


class FakeLauncher:
    """Starts fake launches, each with the answers that `answers` gives for its surroundings."""

    def __init__(self, answers: Callable[[Surroundings], dict[type, Answer]]) -> None:
        self._answers = answers
        self.started: list[Surroundings] = []
        self.launches: list[FakeLaunch] = []

    def start(self, surroundings: Surroundings) -> FakeLaunch:
        self.started.append(surroundings)
        launch = FakeLaunch(self._answers(surroundings))
        self.launches.append(launch)
        return launch


REQUEST = m.Open(
    scenario="mlp",
    params={},
    evaluator="interpreter",
    mode="gradient",
    dtype=None,
    seed=1,
    plugins=[],
    fixed_layout=False,
)


class Recorder:
    """Collects what sides emit."""

    def __init__(self) -> None:
        self.rows: dict[Side, list[Measurement]] = {}

    def __call__(self, side: Side, measurements: Sequence[Measurement]) -> None:
        self.rows.setdefault(side, []).extend(measurements)
