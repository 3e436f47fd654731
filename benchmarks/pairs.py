"""What makes pairs agree: one layout for both sides, waiting taken out, neighbours compared.

    python -m benchmarks.pairs [--pairs N]

Identical code is compared with itself, with the layout drawn by the kernel for each process and
with one drawn for both sides of a pair; alone, with another pair measured at once, with a busy
process bound to the subjects' CPU, and with processes that start on the other CPU, one after the
other, as the next pair's might.
The same blocks are then told three times: by the medians of rounds and the clock's word alone, by
rounds with waiting taken out, and as graphgauge does, by neighbouring blocks.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from harness.blocks import Series, compare_neighbours, judge_blocks
from harness.cases import make_cases, parse_spec
from harness.conduct_time import ROUND_BLOCKS
from harness.effort import paired_effort
from harness.launch import LocalLaunch, LocalLauncher, Surroundings, granted_cpus, usable_cpu
from harness.plan import Contender, Version
from harness.session import Session
from harness.settings import Settings
from harness.side_files import blocks_path
from harness.worker.evidence import Evidence

_CASE = ("rnn:steps=40,hidden=16,inputs=16,batch=4", "straightline", "gradient")
_WARM_UP = 4
_ANOTHER_PAIR = "another pair"
_BESIDE = {
    "a busy process": "while True: pass",
    "processes that start": (
        "import subprocess, sys\nwhile True: subprocess.run([sys.executable, '-c', 'import numpy'])"
    ),
}

Pairs = list[tuple[Series, Series]]


class _KernelsLayout(LocalLauncher):
    """Leaves it to the kernel where a process lies in memory."""

    def start(self, surroundings: Surroundings) -> LocalLaunch:
        return super().start(replace(surroundings, layout=None))


def main() -> None:
    """Print the standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    pairs = parser.parse_args().pairs
    cpu = usable_cpu()
    if cpu is None:
        raise SystemExit("this needs a CPU that processes can be bound to, and a second one")
    print(f"Identical code, {pairs} pairs: standard deviation of a pair's log ratio")
    print("| layout | beside it | rounds, clock alone | rounds | neighbours | waited |")
    print("|---|---|---|---|---|---|")
    other = min(set(granted_cpus()) - {cpu})
    rivals = {"nothing": cpu, _ANOTHER_PAIR: cpu} | dict(zip(_BESIDE, (cpu, other), strict=True))
    for rival, rivals_cpu in rivals.items():
        for layout, launcher in (
            ("the kernel's", _KernelsLayout()),
            ("one for a pair", LocalLauncher()),
        ):
            with (
                _running(_BESIDE[rival], rivals_cpu) if rival in _BESIDE else nullcontext(),
                tempfile.TemporaryDirectory() as folder,
            ):
                at_once = 2 if rival == _ANOTHER_PAIR else 1
                found = _measure(Path(folder) / "pairs.csv", pairs, launcher, at_once)
            blind = [(_unseen(one), _unseen(other)) for one, other in found]
            deviations = (
                _deviation([_by_rounds(*each) for each in blind]),
                _deviation([_by_rounds(*each) for each in found]),
                _deviation([_by_neighbours(*each) for each in found]),
            )
            waited = statistics.fmean(each.share_waited() for pair in found for each in pair)
            cells = (layout, rival, *deviations, f"{waited:.1%}")
            print(f"| {' | '.join(cells)} |")


def _deviation(log_ratios: Sequence[float]) -> str:
    return f"{statistics.stdev(log_ratios):.2%}"


@contextmanager
def _running(code: str, cpu: int) -> Iterator[None]:
    bound = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\n{code}"
    process = subprocess.Popen([sys.executable, "-c", bound], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _measure(out: Path, pairs: int, launcher: LocalLauncher, at_once: int) -> Pairs:
    scenario, evaluator, mode = _CASE
    (case,) = make_cases([parse_spec(scenario)], [evaluator], [mode])
    effort = paired_effort(launches=pairs, least_launches=pairs, timeout_s=120, memory=False)
    effort = replace(effort, phases=frozenset({"evaluate"}))
    group = tuple(
        Contender(version=Version(label=label, interpreter=sys.executable), case=case)
        for label in ("one", "other")
    )
    settings = Settings(out=out, effort=effort, seed=os.getpid(), at_once=at_once)
    Session(settings, launcher).run([group])
    series = [_series(line) for line in blocks_path(out).read_text().splitlines()]
    return list(zip(series[0::2], series[1::2], strict=True))


def _series(line: str) -> Series:
    found = json.loads(line)
    return Series(
        calls=found["calls"],
        elapsed_ns=found["elapsed_ns"],
        evidence=[Evidence(*each) for each in found["evidence"]],
    )


def _unseen(series: Series) -> Series:
    """The same blocks, with nothing known but the clock."""
    blind = Evidence(
        waited_ns=None,
        involuntary_switches=0,
        minor_faults=0,
        major_faults=0,
        steal_ticks=None,
        cpu_hz=None,
    )
    return Series(
        calls=series.calls,
        elapsed_ns=series.elapsed_ns,
        evidence=[blind] * len(series.elapsed_ns),
    )


def _by_rounds(baseline: Series, candidate: Series) -> float:
    base, cand = (
        [math.log(each) for each in side.seconds_per_call()[_WARM_UP:]]
        for side in (baseline, candidate)
    )
    rounds = range(0, min(len(base), len(cand)) - ROUND_BLOCKS + 1, ROUND_BLOCKS)
    return statistics.median(
        sum(cand[first : first + ROUND_BLOCKS]) / ROUND_BLOCKS
        - sum(base[first : first + ROUND_BLOCKS]) / ROUND_BLOCKS
        for first in rounds
    )


def _by_neighbours(baseline: Series, candidate: Series) -> float:
    judged = judge_blocks([baseline, candidate], warm_up_blocks=_WARM_UP, round_blocks=ROUND_BLOCKS)
    found = compare_neighbours(*judged)
    if found is None:
        raise SystemExit("a pair has no neighbours that count")
    return found.ratio.log_ratio


if __name__ == "__main__":
    main()
