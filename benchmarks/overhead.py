"""What the harness itself costs: a worker's start, the timing loop, and a spike's exactness.

    python -m benchmarks.overhead [--rounds N]

Each figure is a ratio of things measured in turn in this one run.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, perf_counter_ns

from harness.launch import LocalLauncher, Surroundings, usable_cpu
from harness.worker import messages as m
from harness.worker.evidence import Witness
from harness.worker.timing import time_block

_CALLS = 200_000
_SPIKE_BYTES = 300 * 2**20
_SPIKING = '''
import time
import mmap
from evaluators import catalog

PHASE = {phase!r}

def spike():
    """Touch 300 MiB, hold them for a millisecond, and let go."""
    pages = mmap.mmap(-1, {size})
    for at in range(0, {size}, 4096):
        pages[at] = 1
    time.sleep(0.001)
    pages.close()

class Spiking:
    name = "spiking"
    def version(self): return "0"
    def refuse(self, network, mode): return None
    def lower(self, network, mode):
        if PHASE == "lower": spike()
        return catalog.get("interpreter").lower(network, mode)
    def compile(self, lowered):
        if PHASE == "compile": spike()
        function = catalog.get("interpreter").compile(lowered)
        def call(weights, data):
            if PHASE in ("first_call", "evaluate"): spike()
            return function(weights, data)
        return call

catalog.register(Spiking())
'''


def main() -> None:
    """Print the three figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    _print_start(rounds)
    _print_loop(rounds)
    _print_spikes()


def _print_start(rounds: int) -> None:
    """A worker that has compiled mlp and called it once, against an interpreter with numpy."""
    import_numpy, worker = _alternating(rounds, _import_numpy, _start_worker)
    ratio = statistics.median(w / n for w, n in zip(worker, import_numpy, strict=True))
    print("A worker's start: mlp constructed, lowered, compiled by `straightline`, called once")
    print(f"  python -c 'import numpy'   {statistics.median(import_numpy) * 1e3:8.1f} ms")
    print(f"  worker ready to time       {statistics.median(worker) * 1e3:8.1f} ms")
    print(f"  ratio, median of {rounds} pairs  {ratio:8.2f}    target 1.60 at most")


def _print_loop(rounds: int) -> None:
    """What the loop around the calls costs, against the loop that timeit generates."""
    timeit_ns, ours_ns = _alternating(rounds, _timeit_ns, _our_ns)
    reads_ns = statistics.median(_clock_read_ns() for _ in range(rounds))
    print(f"\nThe timing loop around {_CALLS:,} calls of a function that does nothing")
    print(f"  timeit                     {statistics.median(timeit_ns):8.1f} ns per call")
    print(f"  time_block                 {statistics.median(ours_ns):8.1f} ns per call")
    print(f"  two clock reads            {2 * reads_ns:8.1f} ns per block")
    witness_us = statistics.median(_witness_us() for _ in range(rounds))
    print(
        f"  evidence before and after  {2 * witness_us:8.1f} µs per block, outside of what is timed"
    )


def _print_spikes() -> None:
    """300 MiB for a millisecond in each phase in turn, and what the table would say."""
    phases = ("construct", "lower", "compile", "first_call")
    print(f"\nA spike of {_SPIKE_BYTES:,} B for 1 ms in one phase; peak_memory of each phase")
    print("  spike in     " + "".join(f"{phase:>16}" for phase in phases))
    for spiking in phases[1:]:
        peaks = _peaks(spiking, phases)
        print(f"  {spiking:<12} " + "".join(f"{peak:>16,}" for peak in peaks))
        error = abs(peaks[phases.index(spiking)] / _SPIKE_BYTES - 1)
        print(f"  {'':12} off by {error:.3%}; target 1 % at most")


def _alternating(
    rounds: int, first: Callable[[], float], second: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Both in turn, after one round of each that is not counted."""
    pairs = [(first(), second()) for _ in range(rounds + 1)][1:]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _import_numpy() -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    return perf_counter() - start


def _start_worker() -> float:
    start = perf_counter()
    launch = LocalLauncher().start(_surroundings())
    _ask(launch, _request("mlp", "straightline", []))
    for phase in ("construct", "lower", "compile", "first_call"):
        _ask(launch, m.RunPhase(phase=phase))
    elapsed = perf_counter() - start
    launch.close()
    return elapsed


def _timeit_ns() -> float:
    timer = timeit.Timer("f(w, d)", globals={"f": _nothing, "w": None, "d": None})
    return timer.timeit(_CALLS) / _CALLS * 1e9


def _our_ns() -> float:
    return time_block(_nothing, None, [None] * _CALLS, perf_counter_ns) / _CALLS


def _clock_read_ns() -> float:
    start = perf_counter_ns()
    for _ in range(10_000):
        perf_counter_ns()
    return (perf_counter_ns() - start) / 10_000


def _witness_us() -> float:
    witness = Witness()
    start = perf_counter_ns()
    for _ in range(1_000):
        witness.read()
    return (perf_counter_ns() - start) / 1e6


def _nothing(weights: object, data: object) -> None:
    pass


def _peaks(spiking: str, phases: tuple[str, ...]) -> list[int]:
    with tempfile.TemporaryDirectory() as directory:
        plugin = Path(directory) / "spiking.py"
        plugin.write_text(_SPIKING.format(phase=spiking, size=_SPIKE_BYTES), encoding="utf-8")
        launch = LocalLauncher().start(_surroundings(exact_memory=True))
        _ask(launch, _request("mlp", "spiking", [str(plugin)]))
        peaks = []
        for phase in phases:
            read = _ask(launch, m.MeasureMemory(phase=phase))
            assert isinstance(read, m.MemoryRead)
            peaks.append(read.peak_bytes)
        launch.close()
    return peaks


def _surroundings(*, exact_memory: bool = False) -> Surroundings:
    return Surroundings(
        interpreter=sys.executable, hash_seed=1, cpu=usable_cpu(), exact_memory=exact_memory
    )


def _request(scenario: str, evaluator: str, plugins: list[str]) -> m.Open:
    return m.Open(
        scenario=scenario,
        params={},
        evaluator=evaluator,
        mode="output",
        dtype=None,
        seed=1,
        plugins=plugins,
        fixed_layout=False,
    )


def _ask(launch: object, question: m.Message) -> m.Message:
    answer: m.Message = launch.ask(question, timeout_s=60)  # type: ignore[attr-defined]
    if isinstance(answer, m.Failure):
        raise SystemExit(f"{question} failed: {answer.detail}")
    return answer


if __name__ == "__main__":
    main()
