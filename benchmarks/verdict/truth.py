"""How much time planted work really takes: `python -m benchmarks.verdict.truth`.

Independent of graphgauge's own harness. In one process all levels of a workload are alive; blocks
of a few milliseconds follow each other in mirrored random rounds, and inputs are copied to another
place before each block. A process gives one estimate a level: the median over its rounds of the
ratio to the plain evaluator. What counts is their geometric mean over processes, and its standard
error. It goes to `runs/verdict/truth.json`, which `benchmarks.verdict.table` reads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from time import monotonic, thread_time_ns

import numpy as np

from benchmarks.verdict.places import ROOT, TRUTH, last_cpu, surroundings
from benchmarks.verdict.planting import LEVELS, amount, planted_name
from benchmarks.verdict.workloads import (
    WORKLOADS,
    Workload,
    evaluation,
    network_of,
    workload_named,
)

BLOCK_NS = 3_000_000
PROCESSES = 8
SECONDS = 3.0
_UNTIMED_CALLS = 2
_ALIGNMENT, _PAGE = 16, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a level of a workload costs."""

    workload: str
    percent: float
    twice: int
    """Statements or nodes that are done twice."""
    of: int
    """Statements or nodes in all."""
    ratio: float
    standard_error: float
    """Of the log of `ratio`, over processes."""
    processes: int


class Subject:
    """A compiled function, its inputs copied to another place before each block."""

    def __init__(self, workload: Workload, evaluator: str) -> None:
        self._function, self._weights, self._data = evaluation(workload, evaluator)
        self._rng = np.random.default_rng()

    def block_ns(self, calls: int) -> int:
        """CPU time of that many calls: what other processes do counts less in it."""
        weights, data = self._placed(self._weights), self._placed(self._data)
        function = self._function
        for _ in range(_UNTIMED_CALLS):
            function(weights, data)
        start = thread_time_ns()
        for _ in range(calls):
            function(weights, data)
        return thread_time_ns() - start

    def _placed(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: self._copy(array) for name, array in inputs.items()}

    def _copy(self, array: np.ndarray) -> np.ndarray:
        offset = _ALIGNMENT * int(self._rng.integers(_PAGE // _ALIGNMENT))
        buffer = np.empty(array.nbytes + _PAGE, np.uint8)
        copy = buffer[offset : offset + array.nbytes].view(array.dtype).reshape(array.shape)
        np.copyto(copy, array)
        return copy


def interleaved(
    blocks: Sequence[Callable[[], int]], *, is_over: Callable[[], bool], rng: random.Random
) -> list[list[int]]:
    """What each of `blocks` returned, in mirrored rounds of random order, until it is over."""
    found: list[list[int]] = [[] for _ in blocks]
    while not is_over():
        order = rng.sample(range(len(blocks)), len(blocks))
        for which in (*order, *order[::-1]):
            found[which].append(blocks[which]())
    return found


def median_ratio(baseline_ns: Sequence[int], candidate_ns: Sequence[int]) -> float:
    """The median over rounds, each of them a block and its mirror image."""
    return statistics.median(
        (candidate_ns[i] + candidate_ns[i + 1]) / (baseline_ns[i] + baseline_ns[i + 1])
        for i in range(0, len(baseline_ns), 2)
    )


def combined(ratios: Sequence[float]) -> tuple[float, float]:
    """Geometric mean over processes, and the standard error of its log."""
    logs = [math.log(ratio) for ratio in ratios]
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(statistics.fmean(logs)), error


def truths() -> dict[tuple[str, float], Truth]:
    """What was measured last, by workload and level; nothing where nothing was."""
    if not TRUTH.is_file():
        return {}
    found = [Truth(**each) for each in json.loads(TRUTH.read_text(encoding="utf-8"))]
    return {(each.workload, each.percent): each for each in found}


def _in_this_process(workload: Workload, seconds: float) -> list[float]:
    """The ratio of each level to the plain evaluator."""
    os.sched_setaffinity(0, {last_cpu()})
    rng = random.Random()
    names = [planted_name(workload.evaluator, percent) for percent in (0, *LEVELS)]
    # Compiled in another order in each process: the first one lies in memory as none after it does.
    compiled = {name: Subject(workload, name) for name in rng.sample(names, len(names))}
    subjects = [compiled[name] for name in names]
    subjects[0].block_ns(20)
    calls = max(1, BLOCK_NS * 20 // subjects[0].block_ns(20))
    deadline = monotonic() + seconds
    baseline_ns, *levels_ns = interleaved(
        [partial(subject.block_ns, calls) for subject in subjects],
        is_over=lambda: monotonic() > deadline,
        rng=rng,
    )
    return [median_ratio(baseline_ns, each) for each in levels_ns]


def _in_fresh_processes(workload: Workload, processes: int, seconds: float) -> list[Truth]:
    """The truth of every level."""
    command = [sys.executable, "-m", __spec__.name, workload.name, "--seconds", str(seconds)]
    ratios: list[list[float]] = []
    for _ in range(processes):
        done = subprocess.run(
            [*command, "--here"],
            cwd=ROOT,
            env=surroundings(hash_seed=random.randrange(2**32)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        ratios.append(json.loads(done.stdout))
    network = network_of(workload)
    found = []
    for percent, of_level in zip(LEVELS, zip(*ratios, strict=True), strict=True):
        ratio, error = combined(of_level)
        twice, of = amount(workload.evaluator, network, percent)
        found.append(
            Truth(
                workload=workload.name,
                percent=percent,
                twice=twice,
                of=of,
                ratio=ratio,
                standard_error=error,
                processes=processes,
            )
        )
    return found


def _line(truth: Truth) -> str:
    return (
        f"{truth.workload:9} {truth.percent:2} %: {truth.twice:4} of {truth.of:5} twice "
        f"({100 * truth.twice / truth.of:5.2f} %); takes "
        f"{100 * (truth.ratio - 1):+6.2f} ± {100 * truth.standard_error:.2f} % longer"
    )


def main() -> None:
    """Measure, print a line a level, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    plantable = [each.name for each in WORKLOADS if each.plantable]
    parser.add_argument("workload", nargs="*", default=plantable, metavar="WORKLOAD")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="default: %(default)d")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="default: %(default)g")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    chosen = [workload_named(name) for name in arguments.workload]
    if arguments.here:
        print(json.dumps(_in_this_process(chosen[0], arguments.seconds)))
        return
    took_s = len(chosen) * arguments.processes * (arguments.seconds + 1)
    print(f"about {took_s / 60:.1f} minutes", file=sys.stderr)
    known = truths()
    for workload in chosen:
        for truth in _in_fresh_processes(workload, arguments.processes, arguments.seconds):
            known[truth.workload, truth.percent] = truth
            print(_line(truth), flush=True)
        TRUTH.parent.mkdir(parents=True, exist_ok=True)
        kept = [asdict(truth) for truth in known.values()]
        TRUTH.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
