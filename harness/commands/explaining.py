"""Explaining a case: its launches, alone or in pairs, and the tables that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.calibrations import latest_calibration
from harness.cases import Case
from harness.environment import machine_id
from harness.launch import LocalLauncher
from harness.plan import Contender, Version
from harness.profiling.launches import StepEffort, Stepped, time_steps
from harness.profiling.pictures import write_step_pictures
from harness.profiling.steps import STEPPED, readings, reconciled
from harness.progress import say
from harness.sides import EvaluatorSide, Side
from results.formats.profiles import render_difference, render_profile
from results.formats.terminal import console
from results.profiles.difference import difference
from results.profiles.reading import By, ProfileReading
from results.profiles.summary import summarised
from results.profiles.table import write_profile
from results.roofline import Peaks
from results.units import percent, quantity

EVALUATE = "evaluate"
PAIRS, PAIR_BUDGET_S = 12, 60.0
RECORDED_S = 1.0
"""What a launch spends in calls that are recorded."""
_LEAST_PAIRS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user wants explained.

    Attributes:
        by: what is printed; all is written.
        top: rows printed.
        folder: where tables go.
        plugins: files that workers load.
        seed: of all that is drawn.
        effort: how much is profiled.
    """

    by: By
    top: int
    folder: Path
    plugins: tuple[str, ...]
    seed: int
    effort: StepEffort


def step_effort(
    *, launches: int | None, budget_s: float | None, recorded_s: float, timeout_s: float
) -> StepEffort:
    """Pairs until the budget is gone, unless their number was given."""
    return StepEffort(
        launches=launches or PAIRS,
        least_launches=_LEAST_PAIRS,
        budget_s=None if launches and budget_s is None else budget_s or PAIR_BUDGET_S,
        recorded_s=recorded_s,
        timeout_s=timeout_s,
    )


def contenders(case: Case, sides: Sequence[Side], versions: Sequence[Version]) -> list[Contender]:
    """The case under each version; a side that is an evaluator puts itself there."""
    return [
        Contender(
            version=version,
            case=replace(case, evaluator=side.evaluator)
            if isinstance(side, EvaluatorSide)
            else case,
        )
        for side, version in zip(sides, versions, strict=True)
    ]


def explain(group: Sequence[Contender], wish: Wish) -> bool:
    """Profile the group, print what changed, and write the table; False where nothing came."""
    stepped = time_steps(
        group, wish.effort, launcher=LocalLauncher(), plugins=wish.plugins, seed=wish.seed
    )
    for contender, failed in stepped.failures:
        say(
            f"{contender.case} ({contender.version.label}): {failed.status} in {failed.phase}: "
            f"{failed.detail}"
        )
    told = {each.contender for each in stepped.launches}
    found = readings(stepped.launches, STEPPED)
    if found:
        name = _file_name(group)
        path = wish.folder / f"{name}.profile.csv"
        write_profile(path, found)
        write_step_pictures(name, f"{group[0].case}, a call", found, wish.folder)
        say(f"profile: {path}; beside it flame graphs (.svg) and a speedscope file")
    if stepped.failures or len(told) < len(group):
        return False
    if len(group) == 1:
        _show_one(group[0], found, stepped, wish)
    else:
        _show_differences(group, found, stepped, wish)
    return True


def _show_one(
    contender: Contender, found: Sequence[ProfileReading], stepped: Stepped, wish: Wish
) -> None:
    peaks = _peaks()
    rows = summarised(
        found,
        contender.version.label,
        by=wish.by,
        phase=EVALUATE,
        peaks=peaks,
        dtype=contender.case.dtype or "float32",
    )
    title = f"{contender.case}: a call by {wish.by}"
    render_profile(title, rows, console(), top=wish.top, has_peaks=peaks is not None)
    console().print(_reconciled(stepped))


def _show_differences(
    group: Sequence[Contender], found: Sequence[ProfileReading], stepped: Stepped, wish: Wish
) -> None:
    baseline = group[0].version.label
    for contender in group[1:]:
        label = contender.version.label
        between = difference(found, baseline, label, by=wish.by, phase=EVALUATE)
        kinds = difference(found, baseline, label, by="operator", phase=EVALUATE)
        render_difference(str(contender.case), between, kinds.counted, console(), top=wish.top)
    console().print(_reconciled(stepped))


def _reconciled(stepped: Stepped) -> str:
    """How well steps add up to calls, over all launches."""
    each = reconciled(stepped.launches)
    slower = sum(one.instrumented_s / one.plain_s for one in each) / len(each)
    off = max((one.sum_s / one.plain_s - 1 for one in each), key=abs)
    reading_ns = sum(one.reading_s for one in each) / len(each) * 1e9
    calls = sum(one.call_s for one in each)
    longer = sum(one.stretched_s for one in each) / calls - 1
    between = sum(one.slower for one in each) / len(each)
    alone_ns = sum(one.steps.reading_ns for one in stepped.launches) / len(each)
    return (
        f"instrumented calls took {slower:.2f} × the others; {reading_ns:.0f} ns a reading of the "
        f"clock ({alone_ns:.0f} ns by itself) and {percent(between)} of slowness between readings "
        f"are taken out; steps add up to the call within {percent(off, signed=True)} at worst, in "
        f"{len(each)} launches; a call in which the clock is not read takes "
        f"{quantity(calls / len(each), 's')}, in uninstrumented stretches "
        f"{percent(longer, signed=True)}"
    )


def _peaks() -> Peaks | None:
    calibration = latest_calibration(machine_id())
    return None if calibration is None else calibration.peaks


def _file_name(group: Sequence[Contender]) -> str:
    case = group[0].case
    names = dict.fromkeys(each.case.evaluator for each in group)
    labels = [each.version.label for each in group]
    text = "-".join(
        (*names, case.scenario, case.params_text, case.mode, *(labels if len(group) > 1 else ()))
    )
    return "".join(c if c.isalnum() or c in "-_=.;" else "-" for c in text)
