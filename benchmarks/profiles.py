"""How well profiles by operator say what changed: figures for docs/profile.md.

    python -m benchmarks.profiles overhead
    python -m benchmarks.profiles planted --tries 20

`overhead` profiles identical code in two versions and prints, for each case, how much longer an
instrumented call takes and how far the steps are from adding up to the call in uninstrumented
stretches: in the mean over its launches, which is what a profile tells, and in the worst of them;
and how far, in the mean, a call in uninstrumented stretches is from one in which the clock is not
read at all. What is taken out comes from the other launches alone.

`planted` plants extra work into one kind of operator of `rnn`, about so many per cent of the whole
call, and profiles it beside the unchanged evaluator; each try plants into the next of several kinds
and has its own seed. It counts how often that operator is the first row, and how far the
contributions of all rows are from the change of the call in uninstrumented stretches. Beside it
stands the change of calls in which the clock is not read at all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from benchmarks.planted_operators import VARIABLE
from harness.cases import Case, make_cases, parse_spec
from harness.launch import LocalLauncher
from harness.plan import Contender, Version
from harness.profiling.launches import StepEffort, Stepped, time_steps
from harness.profiling.steps import readings, reconciled
from results.profiles.difference import Difference, difference
from results.profiles.summary import summarised

PLUGIN = str(Path(__file__).with_name("planted_operators.py"))
PLANTED_KINDS = ("tanh", "add", "multiply", "matmul")
OVERHEAD_CASES = (
    ("rnn", "straightline"),
    ("rnn", "planned"),
    ("rnn", "interpreter"),
    ("chain:depth=200,width=8", "straightline"),
    ("chain:depth=200,width=8", "planned"),
    ("chain:depth=200,width=8", "interpreter"),
    ("lstm", "straightline"),
    ("lstm", "planned"),
    ("mlp", "straightline"),
    ("mlp", "planned"),
)


def stepped(case: Case, evaluators: list[str], arguments: argparse.Namespace, seed: int) -> Stepped:
    """Launches of the case under those evaluators, alive together."""
    group = [
        Contender(
            version=Version(label=f"{name} ({number})", interpreter=sys.executable),
            case=make_cases([parse_spec(_text(case))], [name], [case.mode])[0],
        )
        for number, name in enumerate(evaluators, start=1)
    ]
    effort = StepEffort(
        launches=arguments.pairs,
        least_launches=arguments.pairs,
        budget_s=None,
        recorded_s=arguments.recorded,
        timeout_s=120.0,
    )
    found = time_steps(group, effort, launcher=LocalLauncher(), plugins=(PLUGIN,), seed=seed)
    for contender, failed in found.failures:
        sys.exit(f"{contender.case}: {failed.status}: {failed.detail}")
    return found


def _text(case: Case) -> str:
    return f"{case.scenario}:{','.join(f'{key}={value}' for key, value in case.params)}"


def overhead(arguments: argparse.Namespace) -> None:
    """Print how much instrumentation costs, and what the steps add up to."""
    for heads in (
        ("", "", "", "instr.", "mean", "worst", "in", "a reading"),
        ("case", "steps", "call", "× call", "sum", "sum", "stretches", "alone, within, slower"),
    ):
        first, count, time, *others, longer_by, cost = heads
        columns = " ".join(f"{each:>7}" for each in others)
        print(f"{first:34} {count:>6} {time:>9} {columns} {longer_by:>9} {cost:>21}")
    for scenario, evaluator in OVERHEAD_CASES:
        case = make_cases([parse_spec(scenario)], [evaluator], ["gradient"])[0]
        found = stepped(case, [evaluator, evaluator], arguments, arguments.seed)
        each = reconciled(found.launches)
        errors = [one.sum_s / one.plain_s - 1 for one in each]
        mean, worst = statistics.fmean(errors), max(errors, key=abs)
        slower = statistics.median(one.instrumented_s / one.plain_s for one in each)
        alone = statistics.median(one.steps.reading_ns for one in found.launches)
        within = statistics.median(one.reading_s for one in each) * 1e9
        between = statistics.median(one.slower for one in each)
        steps = len(found.launches[0].steps.step_ns)
        call_us = statistics.median(one.call_s for one in each) * 1e6
        longer = statistics.fmean(one.stretched_s / one.call_s - 1 for one in each)
        name = f"{evaluator} {scenario}"
        print(
            f"{name:34} {steps:6} {call_us:6.0f} µs {slower:7.2f} {mean:+7.2%} {worst:+7.2%} "
            f"{longer:+9.2%} {alone:3.0f} ns, {within:3.0f} ns, {between:5.1%}",
            flush=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """What a profile of planted work says.

    Attributes:
        is_first: whether the planted kind is the first row.
        off: what the rows' sum is off the change, as a share of it.
        change_s: of a call in uninstrumented stretches.
        unread_s: of a call without any reading.
    """

    is_first: bool
    off: float
    change_s: float
    unread_s: float


def planted(arguments: argparse.Namespace) -> None:
    """Print what is found of planted work."""
    case = make_cases([parse_spec(arguments.case)], ["straightline"], ["gradient"])[0]
    shares = _shares(case, arguments)
    numbers = range(arguments.first_try, arguments.first_try + arguments.tries)
    tries = [_try(number, case, shares, arguments) for number in numbers]
    changed_us, unread_us = (
        statistics.fmean(getattr(each, name) for each in tries) * 1e6
        for name in ("change_s", "unread_s")
    )
    print(
        f"named first in {sum(each.is_first for each in tries)} of {len(tries)} tries; "
        f"contributions within 10 % of the change in "
        f"{sum(abs(each.off) <= 0.1 for each in tries)}; median "
        f"{statistics.median(abs(each.off) for each in tries):.1%} off it; mean change "
        f"{changed_us:+.1f} µs, unread {unread_us:+.1f} µs"
    )


def _try(number: int, case: Case, shares: dict[str, float], arguments: argparse.Namespace) -> _Try:
    kind = PLANTED_KINDS[(number - 1) % len(PLANTED_KINDS)]
    percent = min(100.0, arguments.percent / shares[kind])
    os.environ[VARIABLE] = f"{kind}:{percent:.4g}"
    started = monotonic()
    both = ["straightline", "straightline-planted"]
    found = stepped(case, both, arguments, arguments.seed + number)
    between = _difference(found)
    seconds = monotonic() - started
    unread_s = _unread_change_s(found)
    whole, first = between.whole, between.rows[0]
    off = sum(row.change_s for row in between.rows) / whole.change_s - 1
    print(
        f"{number:3}: {percent:3.0f} % of {kind:8} twice: call {whole.change_s * 1e6:+6.1f} µs, "
        f"{whole.change_s / (whole.baseline_s or 1.0):+6.2%} "
        f"(unread {unread_s * 1e6:+6.1f} µs); first row {first.name:8} "
        f"{first.change_s * 1e6:+6.1f} µs; all rows {off:+6.1%} off the change; {seconds:.0f} s",
        flush=True,
    )
    return _Try(
        is_first=first.name == kind and first.change_s > 0,
        off=off,
        change_s=whole.change_s,
        unread_s=unread_s,
    )


def _unread_change_s(found: Stepped) -> float:
    """The change of calls that nobody reads the clock in, mean over pairs."""
    pairs: dict[int, list[float]] = {}
    for each in found.launches:
        pairs.setdefault(each.launch, []).append(each.steps.call_ns * 1e-9)
    return statistics.fmean(planted - base for base, planted in pairs.values())


def _shares(case: Case, arguments: argparse.Namespace) -> dict[str, float]:
    """What each kind of operator has of a call, from 0 to 1."""
    found = stepped(case, ["straightline", "straightline"], arguments, arguments.seed)
    label = found.launches[0].contender.version.label
    rows = summarised(
        readings(found.launches, ("operator",)),
        label,
        by="operator",
        phase="evaluate",
        peaks=None,
        dtype="float32",
    )
    return {row.name: row.share for row in rows}


def _difference(found: Stepped) -> Difference:
    labels = dict.fromkeys(each.contender.version.label for each in found.launches)
    return difference(
        readings(found.launches, ("operator",)), *labels, by="operator", phase="evaluate"
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("overhead", "planted"))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--recorded", type=float, default=0.6, help="seconds a launch")
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--first-try", type=int, default=1, help="to go on in parts")
    parser.add_argument("--percent", type=float, default=3.0, help="of the whole call")
    parser.add_argument("--case", default="rnn")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    {"overhead": overhead, "planted": planted}[arguments.what](arguments)


if __name__ == "__main__":
    main()
