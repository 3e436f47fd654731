"""Extra work planted in one Python function of a compile: whether it is named as the first row.

    python -m benchmarks.profile_functions [--tries N] [--share X] [--launches N] [--seconds S]

Each try plants an empty loop, worth that share of the phase, in one function of `straightline`'s
(`benchmarks/planted_function.py`), and has two versions sampled by function in interleaved
launches: without it and with it. Prints a line for each try, and how many named it first.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any

from evaluators import catalog
from harness.cases import Case, parse_spec
from harness.plan import Version
from harness.profiling.functions import Sampled, Wish, sample_functions
from harness.worker.plugins import load_plugins
from networks import differentiate, simplify
from results.profiles.functions import compared, rows_by_function, whole_seconds
from scenarios import scenario

_PLUGIN = Path(__file__).with_name("planted_function.py").resolve()
_FUNCTIONS = (
    "evaluators.strategies.lowering:_scheduled",
    "evaluators.strategies.lowering:_needed",
    "evaluators.strategies.lowering:_is_foldable",
    "evaluators.strategies.lowering:_Rewrite._value",
    "evaluators.strategies.lowering:_Rewrite._kept_or_made",
    "evaluators.strategies.liveness:liveness",
    "evaluators.strategies.liveness:overwritten",
    "evaluators.strategies.straightline:_Writer._write",
    "evaluators.strategies.straightline:_Writer._released",
    "evaluators.strategies.straightline:_Writer._expression",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.03)
    parser.add_argument("--launches", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--sampler", choices=("py-spy", "signal"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first-try", type=int, default=1, help="to go on where a run ended")
    arguments = parser.parse_args()
    load_plugins([str(_PLUGIN)])
    case = parse_spec("rnn:steps=60").case("whole-compile", "gradient")
    rng = random.Random(arguments.seed)
    chosen = [rng.choice(_FUNCTIONS) for _ in range(arguments.tries)]
    wish = Wish(
        phases=("compile",),
        launches=arguments.launches,
        budget_s=arguments.seconds,
        sampler=arguments.sampler,
        plugins=(str(_PLUGIN),),
    )
    named = 0
    with tempfile.TemporaryDirectory() as directory:
        tries = list(enumerate(chosen, 1))[arguments.first_try - 1 :]
        for number, planted in tries:
            iterations = _iterations(case, planted, arguments.share)
            # The loop is in both, without a turn in one: putting it in moves what is on the heap.
            versions = (
                _version(Path(directory), f"without-{number}", f"{planted}:0"),
                _version(Path(directory), f"with-{number}", f"{planted}:{iterations}"),
            )
            sampled = sample_functions(case, versions, wish)
            named += _told(number, planted.partition(":")[2], sampled)
    print(
        f"named first: {named} of {len(tries)}; planted: {arguments.share:.1%} of compile; {case}"
    )


def _told(number: int, name: str, sampled: Sampled) -> bool:
    """Print a try's line; whether the planted function is the first row."""
    if sampled.failures or not sampled.profiles:
        print(f"{number:>3}  {name:<24} failed: {sampled.failures}", flush=True)
        return False
    rows = rows_by_function(sampled.profiles)
    difference = compared(sampled.profiles)
    whole_s = whole_seconds(sampled.profiles, sampled.profiles[0].label)
    places = [at for at, row in enumerate(rows, 1) if row.name == name]
    first = rows[0].change
    assert first is not None
    assert difference is not None
    change_s = difference.whole.change_s
    samples = sum(each.samples for each in sampled.profiles)
    print(
        f"{number:>3}  {name:<24} row {places[0] if places else '-':>3}   first row: "
        f"{rows[0].name:<24} {first.change_s / whole_s:+.1%}   whole {change_s / whole_s:+.1%}"
        f"   {samples:,} samples",
        flush=True,
    )
    return places[:1] == [1]


def _version(folder: Path, label: str, planted: str) -> Version:
    """Our interpreter with that planted, as a script that stands in its place."""
    script = folder / label
    script.write_text(
        f'#!/bin/sh\nexport PLANTED="{planted}"\nexec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    script.chmod(0o755)
    return Version(label=label, interpreter=str(script))


def _iterations(case: Case, planted: str, share: float) -> int:
    """Turns of the loop for each call, so that all calls together take that share of compile."""
    subject = _Subject(case)
    subject.compile()
    compile_s = min(_seconds(subject.compile) for _ in range(5))
    calls = subject.calls_of(planted)
    turn_s = min(_seconds(_turns) for _ in range(5)) / _TURNS
    return max(1, round(share * compile_s / (calls * turn_s)))


_TURNS = 100_000


def _turns() -> None:
    for _ in range(_TURNS):
        pass


def _seconds(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class _Subject:
    """The case in this process, to find out what is planted for how much."""

    def __init__(self, case: Case) -> None:
        self._evaluator = catalog.get(case.evaluator)
        network = scenario.get(case.scenario).network(dict(case.params), dtype="float32")
        self._network = simplify(differentiate(network))

    def compile(self) -> None:
        """The phase, once."""
        self._evaluator.compile(self._evaluator.lower(self._network, "gradient"))

    def calls_of(self, planted: str) -> int:
        """How often the function is called in the phase."""
        module_name, _, name = planted.partition(":")
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
        code, calls = found.__code__, 0

        def count(frame: FrameType, event: str, _: Any) -> None:
            nonlocal calls
            calls += event == "call" and frame.f_code is code

        sys.setprofile(count)
        try:
            self.compile()
        finally:
            sys.setprofile(None)
        return calls


if __name__ == "__main__":
    os.environ.pop("PLANTED", None)
    main()
