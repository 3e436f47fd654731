"""What it is worth to take out of a block what it waited for its CPU.

    python -m benchmarks.waiting [--pairs N]

Identical code is compared with itself, first alone and then with a busy process bound to the
subjects' CPU. The log ratios of pairs are told twice from the same blocks: as they are estimated,
and with the clock's word alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from harness.blocks import Series, judge_blocks, log_ratio
from harness.cases import make_cases, parse_spec
from harness.conduct_time import ROUND_BLOCKS
from harness.effort import paired_effort
from harness.launch import usable_cpu
from harness.session import Contender, Session, Settings, Version, blocks_path
from harness.worker.evidence import Evidence

_CASE = ("rnn:steps=30", "straightline", "gradient")
_BUSY = "import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"


def main() -> None:
    """Print the standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    cpu = usable_cpu()
    if cpu is None:
        raise SystemExit("this needs a CPU that processes can be bound to, and a second one")
    print(f"Identical code, {pairs} pairs: standard deviation of a pair's log ratio")
    print(f"  {'':34}{'clock alone':>14}{'waiting out':>14}{'waited':>10}")
    for what, rival in (
        ("nothing else running", nullcontext()),
        ("a busy process on the same CPU", _busy(cpu)),
    ):
        with rival, tempfile.TemporaryDirectory() as folder:
            launches = _measure(Path(folder) / "waiting.csv", pairs)
        raw = [_ratio(_unseen(base), _unseen(candidate)) for base, candidate in launches]
        ours = [_ratio(base, candidate) for base, candidate in launches]
        waited = statistics.fmean(each.share_waited() for pair in launches for each in pair)
        print(
            f"  {what:<34}{statistics.stdev(raw):>13.2%} {statistics.stdev(ours):>13.2%} "
            f"{waited:>9.1%}"
        )


@contextmanager
def _busy(cpu: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _BUSY.format(cpu=cpu)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _measure(out: Path, pairs: int) -> list[tuple[Series, Series]]:
    scenario, evaluator, mode = _CASE
    (case,) = make_cases([parse_spec(scenario)], [evaluator], [mode])
    effort = paired_effort(launches=pairs, least_launches=pairs, timeout_s=120, memory=False)
    group = tuple(
        Contender(version=Version(label=label, interpreter=sys.executable), case=case)
        for label in ("one", "other")
    )
    Session(Settings(out=out, effort=effort, seed=os.getpid())).run([group])
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


def _ratio(baseline: Series, candidate: Series) -> float:
    judged = judge_blocks([baseline, candidate], warm_up_blocks=4, round_blocks=ROUND_BLOCKS)
    found = log_ratio(*judged)
    if found is not None:
        return found[0]
    one, other = (statistics.median(each.seconds_per_call()) for each in judged)
    return math.log(other / one)


if __name__ == "__main__":
    main()
