"""False alarms: how often memory is called a leak where nothing was planted.

    python -m benchmarks.clean_runs --launches 17                         all evaluators installed
    python -m benchmarks.clean_runs --launches 25 --evaluator numba --over steady:calls=1000
    python -m benchmarks.clean_runs --told runs/clean-*.csv               what kept tables say

Each launch is a memory launch as `graphgauge run` makes it. With `--calls-alone` every phase is run
once, without probes, and then memory is followed over calls as ever (0.3 s of them at first). That
is all of a memory launch that has a part in a drift, at a third of its cost or less: an engine that
compiles for seconds does so once, not three times and in rounds. Where the table named by `--out`
is there already, only what it lacks is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from evaluators import catalog
from evaluators.protocol import EvaluatorError
from harness.cases import make_cases, parse_spec
from harness.effort import MILLISECOND_NS, Effort, quick_effort, usual_effort
from harness.plan import Contender, Version
from harness.session import Session
from harness.settings import Settings
from results.drift import class_of
from results.schema import Reading
from results.tables import read, readings

_SCENARIOS = ("steady:calls=1000", "chain:depth=20", "rebuild_drop:rebuilds=30")
"""Short calls, many small nodes, and the whole road again and again."""
_TIMEOUT_S = 300


def main() -> None:
    """Measure, or read what was measured, and print; the exit code is 1 where a leak was told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, metavar="N", help="of each evaluator and scenario")
    parser.add_argument("--evaluator", nargs="+", help="these alone")
    parser.add_argument("--over", nargs="+", default=_SCENARIOS, metavar="SCENARIO")
    parser.add_argument("--calls-alone", action="store_true", help="every phase once, then calls")
    parser.add_argument("--out", type=Path, help="keep the table")
    parser.add_argument("--told", nargs="+", type=Path, metavar="FILE.csv", help="print of these")
    arguments = parser.parse_args()
    if arguments.told:
        rows = [row for file in arguments.told for row in readings(read(file))]
    elif arguments.launches:
        rows = _measured(arguments)
    else:
        parser.error("--launches N or --told FILE.csv is missing")
    sys.exit(_print(rows))


def _measured(arguments: argparse.Namespace) -> list[Reading]:
    effort = _effort(arguments.launches, calls_alone=arguments.calls_alone)
    evaluators = arguments.evaluator or [name for name in catalog.names() if _is_installed(name)]
    specs = tuple(map(parse_spec, arguments.over))
    cases = make_cases(specs, tuple(evaluators), ("gradient",))
    with tempfile.TemporaryDirectory() as directory:
        out = arguments.out or Path(directory) / "clean.csv"
        version = Version(label="clean", interpreter=sys.executable)
        session = Session(Settings(out=out, effort=effort, seed=1, resume=out.exists()))
        session.run([(Contender(version=version, case=case),) for case in cases])
        return list(readings(read(out)))


def _effort(launches: int, *, calls_alone: bool) -> Effort:
    effort_of = quick_effort if calls_alone else usual_effort
    effort = effort_of(launches=1, timeout_s=_TIMEOUT_S, memory=True)
    effort = replace(effort, launches=0, memory_launches=launches)
    if calls_alone:
        return replace(effort, drift_alone=True, follow_budget_ns=300 * MILLISECOND_NS)
    return effort


def _is_installed(name: str) -> bool:
    try:
        catalog.get(name)
    except EvaluatorError:
        return False
    return True


def _print(rows: Sequence[Reading]) -> int:
    classes: Counter[tuple[str, str]] = Counter()
    calls: dict[str, list[int]] = defaultdict(list)
    leaks: list[Reading] = []
    for row in rows:
        if row.metric == "memory_drift" and row.status == "ok":
            classes[row.evaluator, class_of(row.detail)] += 1
            calls[row.evaluator].append(row.calls or 0)
            leaks += [row] if class_of(row.detail) == "leak" else []
        elif row.status != "ok":
            classes[row.evaluator, row.status] += 1
    cases = sorted({f"{row.scenario}:{row.params}" for row in rows})
    print(f"over {', '.join(cases)}")
    print(f"{'evaluator':<22} launches  fewest calls  median calls  classes told")
    for name in sorted({who for who, _ in classes}):
        told = [f"{count} {kind}" for (who, kind), count in sorted(classes.items()) if who == name]
        launches = sum(count for (who, _), count in classes.items() if who == name)
        followed = f"{min(calls[name]):>12,}  {median(calls[name]):>12,.0f}" if calls[name] else ""
        print(f"{name:<22} {launches:>8}  {followed:<26}  {', '.join(told)}")
    for row in leaks:
        print(f"LEAK {row.evaluator} {row.scenario} {row.params}: {row.value:.1f} B; {row.detail}")
    print(f"{sum(classes.values())} launches, {len(leaks)} leaks")
    return 1 if leaks else 0


if __name__ == "__main__":
    main()
