"""What is told of planted defects; `benchmarks/clean_runs.py` has those without any.

    python -m benchmarks.memory                   the table of defects
    python -m benchmarks.memory --only NAME …     some defects alone
    python -m benchmarks.memory --sampled         peaks and what is kept, as told without /proc

Each line is one memory launch (for `slowing` a time launch) of `benchmarks/planted_defects.py`, run
as `graphgauge run` runs it; what is printed is what stands in the table.
With `--sampled` workers believe that there is no /proc, so that memory_profiler's samples tell, and
spikes last 0.1 s, since a sample is taken every 20 ms.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from harness.cases import Case, parse_spec
from harness.effort import Effort, usual_effort
from harness.plan import Contender, Version
from harness.session import Session
from harness.settings import Settings
from harness.worker.plugins import load_plugins
from results.notes import parse_notes
from results.schema import PHASES, Reading
from results.tables import read, readings

SPIKE_BYTES, KEPT_BYTES, CACHE_BYTES = 300 * 2**20, 50 * 2**20, 4_000_000
SLOWING_PER_CALL = 1e-5
"""As in the plugin, which must not be imported twice."""
_PLUGIN = str(Path(__file__).with_name("planted_defects.py"))
_WITHOUT_PROC = str(
    Path(__file__).parents[1] / "tests" / "harness" / "subjects" / "without_proc.py"
)


Found = dict[tuple[str, str], Reading]
"""Readings by phase and metric."""
Teller = Callable[[Found], tuple[str, bool]]
"""What is told, and whether that is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Something planted, and what must be told of it."""

    evaluator: str
    planted: str
    expected: str
    told: Teller
    spiking: str = ""
    call_seconds: float = 0.0
    is_of_time: bool = False
    mode: str = "gradient"


def main() -> None:
    """Print the table; the exit code is 1 when a line is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="evaluators of the table")
    parser.add_argument("--sampled", action="store_true", help="as told where there is no /proc")
    arguments = parser.parse_args()
    load_plugins([_PLUGIN])
    if arguments.sampled:
        os.environ["PLANTED_SPIKE_SECONDS"] = "0.1"
    sys.exit(_print_defects(arguments.only, is_sampled=arguments.sampled))


def _print_defects(only: list[str] | None, *, is_sampled: bool) -> int:
    failed = 0
    print(f"{'planted':<44} {'must be told':<34} {'told':<58} {'s':>5}")
    for defect in _defects():
        if only and defect.evaluator not in only:
            continue
        if is_sampled and not defect.planted.startswith(("300 MiB", "50 MiB")):
            continue
        found, seconds = _measured(defect, (_WITHOUT_PROC,) if is_sampled else ())
        told, is_right = defect.told(found)
        failed += not is_right
        mark = "" if is_right else "   WRONG"
        print(f"{defect.planted:<44} {defect.expected:<34} {told:<58} {seconds:5.1f}{mark}")
    return 1 if failed else 0


def _defects() -> Iterator[Defect]:
    yield Defect(
        evaluator="objects_80",
        planted="80 B of Python objects per call, 1 ms a call",
        expected="leak, 80 B/call within 10 %",
        told=_leak(80, 0.1),
        call_seconds=1e-3,
    )
    yield Defect(
        evaluator="numpy_65536",
        planted="65,536 B of numpy memory per call",
        expected="leak, within 2 %",
        told=_leak(65_536, 0.02),
    )
    yield Defect(
        evaluator="malloc_16",
        planted="16 B of malloc'd memory per call",
        expected="leak",
        told=_leak(32, 0.2),
    )
    yield Defect(
        evaluator="cache_4mb",
        planted="a cache of 4,000,000 B filled in 50 calls",
        expected="plateau, not leak",
        told=_plateau,
    )
    yield Defect(
        evaluator="cycle",
        planted="a reference cycle of 1 kB per call",
        expected="not a leak; the saw-tooth's height",
        told=_sawtooth,
    )
    yield Defect(
        evaluator="keeps_each",
        planted="50 MiB kept by compile per network",
        expected="retained_memory of compile",
        told=_kept("each time", KEPT_BYTES),
    )
    yield Defect(
        evaluator="keeps_once",
        planted="50 MiB kept by the first compile",
        expected="the same, but once",
        told=_kept("once", 0),
    )
    for phase in PHASES:
        by_evaluator = phase not in {"construct", "differentiate"}
        yield Defect(
            evaluator=f"spike_{phase}" if by_evaluator else "nothing",
            planted=f"300 MiB for 1 ms in {phase}",
            expected=f"peak of {phase} within 1 %, no other",
            told=_spike(phase),
            spiking="" if by_evaluator else phase,
        )
    yield Defect(
        evaluator="slowing",
        planted="a call that slows by 1 % per 1,000 calls",
        expected="slowing, within a third",
        told=_slowing,
        is_of_time=True,
        mode="output",
    )


def _leak(size: float, within: float) -> Teller:
    def told(found: Found) -> tuple[str, bool]:
        drift = found["evaluate", "memory_drift"]
        notes = parse_notes(drift.detail)
        value = drift.value or 0.0
        text = f"{notes['class']}, {value:.2f} B/call [{notes['low']}, {notes['high']}]"
        is_right = notes["class"] == "leak" and abs(value / size - 1) <= within
        return f"{text}, {drift.calls} calls", is_right

    return told


def _plateau(found: Found) -> tuple[str, bool]:
    notes = parse_notes(found["evaluate", "memory_drift"].detail)
    grown = float(notes.get("grown", 0))
    text = f"{notes['class']}, {grown:,.0f} B at call {notes.get('settled_at')}"
    return text, notes["class"] == "plateau" and abs(grown / CACHE_BYTES - 1) < 0.1


def _sawtooth(found: Found) -> tuple[str, bool]:
    notes = parse_notes(found["evaluate", "memory_drift"].detail)
    height = int(notes.get("sawtooth", 0))
    return f"{notes['class']}, {height:,} B high", notes["class"] == "flat" and height > 100_000


def _kept(comes: str, each: int) -> Teller:
    def told(found: Found) -> tuple[str, bool]:
        row = found["compile", "retained_memory"]
        notes = parse_notes(row.detail)
        others = [
            found[phase, "retained_memory"].value or 0.0
            for phase in PHASES[:5]
            if phase != "compile" and (phase, "retained_memory") in found
        ]
        value = row.value or 0.0
        text = f"{value:,.0f} B, {notes['comes']}; each {int(notes['each']):,} B"
        is_right = (
            abs(value / KEPT_BYTES - 1) < 0.01
            and notes["comes"] == comes
            and abs(int(notes["each"]) - each) < 0.01 * KEPT_BYTES
            and max(others) < 0.01 * KEPT_BYTES
        )
        return text, is_right

    return told


def _spike(phase: str) -> Teller:
    def told(found: Found) -> tuple[str, bool]:
        peaks = {key[0]: row.value or 0.0 for key, row in found.items() if key[1] == "peak_memory"}
        own = peaks.pop(phase)
        off = own / SPIKE_BYTES - 1
        text = f"{own:,.0f} B, {off:+.3%}; others at most {max(peaks.values()):,.0f} B"
        return text, abs(own / SPIKE_BYTES - 1) < 0.01 and max(peaks.values()) < 0.01 * SPIKE_BYTES

    return told


def _slowing(found: Found) -> tuple[str, bool]:
    drift = found["evaluate", "time_drift"]
    notes = parse_notes(drift.detail)
    value = drift.value or 0.0
    text = f"{notes['class']}, {value:.3%} per 1,000 [{notes['low']}, {notes['high']}]"
    expected = SLOWING_PER_CALL * 1_000
    return f"{text}, {drift.calls} calls", (
        notes["class"] == "slowing" and abs(value / expected - 1) <= 1 / 3
    )


def _measured(defect: Defect, plugins: tuple[str, ...]) -> tuple[Found, float]:
    os.environ["PLANTED_CALL_SECONDS"] = str(defect.call_seconds)
    name = f"tiny_planted:spiking={defect.spiking}" if defect.spiking else "tiny_planted"
    case = parse_spec(name).case(defect.evaluator, "gradient")
    started = monotonic()
    effort = _effort(memory_launches=0 if defect.is_of_time else 1)
    if defect.is_of_time:
        # A usual launch times calls for a fifth of a second: too few to see this among noise.
        effort = replace(effort, blocks=6_000, evaluate_budget_ns=25 * 10**9)
    rows = _run([case], effort, plugins)
    return {(row.phase, row.metric): row for row in rows}, monotonic() - started


def _effort(*, memory_launches: int) -> Effort:
    effort = usual_effort(launches=1, timeout_s=300, memory=True)
    return replace(effort, launches=0 if memory_launches else 1, memory_launches=memory_launches)


def _run(cases: list[Case], effort: Effort, plugins: tuple[str, ...]) -> list[Reading]:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "memory.csv"
        settings = Settings(out=out, effort=effort, seed=1, plugins=(_PLUGIN, *plugins))
        version = Version(label="planted", interpreter=sys.executable)
        Session(settings).run([(Contender(version=version, case=case),) for case in cases])
        return list(readings(read(out)))


if __name__ == "__main__":
    main()
