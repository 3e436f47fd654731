"""Launches of a case that are sampled by function; of several versions alive together, in turns."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Final, TypeVar

from harness.cases import Case
from harness.conversation import PREPARED_PHASES, Side, SubjectFailed, checked
from harness.launch import Launcher, LocalLauncher
from harness.plan import Version
from harness.profiling.opening import prepare_and_check, started
from harness.profiling.outside import RATE_HZ, CannotSample, OutsideSampler
from harness.profiling.places import place
from harness.worker import messages as m
from harness.worker.sampling import MARK
from results.profiles.stacks import ENOUGH_SAMPLES, Frame, PhaseProfile, SampledStack

T = TypeVar("T")

OUTSIDE: Final = "py-spy"
SIGNAL: Final = "signal"
_SIGNAL_US: Final = 500
_MOST: Final = 1_000_000
_TURNS: Final = 10
"""How often the sides of a launch take turns: what the machine does meanwhile falls on all."""
_PLAIN_SHARE: Final = 0.3
"""Of the budget: what a repeat takes without a sampler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be sampled, and how much of it.

    Attributes:
        phases: which; those that a case does not have are left out.
        launches: of each version.
        budget_s: for each launch of each version, start and preparation not counted.
        first: whether only the first time in a process counts, as with `first_time`.
        sampler: `py-spy`, `signal`, or None for what suits: py-spy where it can look, but the
            worker's own where versions take turns that are too short to begin anew each time.
        timeout_s: how long a launch may take.
    """

    phases: tuple[str, ...] = PREPARED_PHASES
    launches: int = 5
    budget_s: float = 10.0
    first: bool = False
    sampler: str | None = None
    timeout_s: float = 600.0
    seed: int = 1
    plugins: tuple[str, ...] = ()


@dataclass(slots=True)
class Sampled:
    """What came of a case.

    Attributes:
        profiles: of every launch, version and phase.
        failures: by label, of versions that failed; no launch after it has them.
        remarks: what a reader has to know of how it was sampled.
    """

    profiles: list[PhaseProfile] = field(default_factory=list)
    failures: dict[str, m.Failure] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Sampling:
    """One side of a launch."""

    side: Side
    process_id: int
    label: str
    plain_ns: dict[str, list[int]] = field(default_factory=dict)
    sampled_ns: dict[str, list[int]] = field(default_factory=dict)
    stacks: dict[str, list[SampledStack]] = field(default_factory=dict)
    source: str = ""


def sample_functions(
    case: Case, versions: Sequence[Version], wish: Wish, *, launcher: Launcher | None = None
) -> Sampled:
    """Sample every launch; a version that fails drops out, and the others go on."""
    found = Sampled()
    rng = random.Random(wish.seed)
    for number in range(1, wish.launches + 1):
        living = [each for each in versions if each.label not in found.failures]
        if not living:
            break
        _sample_launch(case, living, number, wish, launcher or LocalLauncher(), rng, found)
    order = [each.label for each in versions]
    found.profiles.sort(key=lambda each: (order.index(each.label), each.launch))
    return found


def _sample_launch(
    case: Case,
    versions: Sequence[Version],
    number: int,
    wish: Wish,
    launcher: Launcher,
    rng: random.Random,
    found: Sampled,
) -> None:
    with ExitStack() as stack:
        sides = []
        for version in versions:
            launch, side = started(
                case,
                version,
                launcher,
                plugins=wish.plugins,
                timeout_s=wish.timeout_s,
                launch_number=number,
                seed=wish.seed,
            )
            stack.callback(launch.close)
            sides.append(_Sampling(side=side, process_id=launch.process.pid, label=version.label))
        for step in _steps(wish, len(versions)):
            _each(sides, step, wish, rng, found)
        for each in sides:
            if each.label not in found.failures:
                pair = number if len(versions) > 1 else None
                found.profiles += _profiles(each, number, pair)


def _steps(wish: Wish, versions: int) -> list[Callable[[_Sampling, Wish, Sampled], object]]:
    """What every side does, one side after the other at each step."""
    if wish.first:
        return [_get_ready, _sample, _check]
    if wish.sampler == SIGNAL or (versions > 1 and wish.sampler is None):
        return [_get_ready, *[_run_plainly, _sample_inside] * _TURNS]
    return [_get_ready, *[_run_plainly] * _TURNS, _sample]


def _check(each: _Sampling, *_: object) -> None:
    checked(each.side)


def _each(
    sides: Sequence[_Sampling],
    step: Callable[[_Sampling, Wish, Sampled], object],
    wish: Wish,
    rng: random.Random,
    found: Sampled,
) -> None:
    """Let every side that has not failed take a step, in random order."""
    for each in rng.sample(sides, len(sides)):
        if each.label not in found.failures:
            try:
                step(each, wish, found)
            except SubjectFailed as failed:
                found.failures[each.label] = failed.failure


def _get_ready(each: _Sampling, wish: Wish, _: Sampled) -> None:
    """Load the subject; unless the first time counts, go the road once and check its result."""
    side = each.side
    side.open()
    if not wish.first:
        prepare_and_check(side)


def _phases(each: _Sampling, wish: Wish) -> list[str]:
    return [phase for phase in wish.phases if phase in each.side.phases]


def _run_plainly(each: _Sampling, wish: Wish, _: Sampled) -> None:
    """Find what a repeat takes when nobody looks."""
    budget_ns = round(wish.budget_s * 1e9 * _PLAIN_SHARE / _TURNS)
    asked = _asked(each, wish, interval_us=None, budget_ns=budget_ns)
    answer = each.side.ask(asked, m.Profiled, "compile")
    _add(answer.elapsed_ns, each.plain_ns)


def _sample_inside(each: _Sampling, wish: Wish, _: Sampled) -> None:
    """One turn under the worker's own sampler."""
    turns = 1 if wish.first else _TURNS
    budget_ns = round(wish.budget_s * 1e9 * (1 - _PLAIN_SHARE) / turns)
    asked = _asked(each, wish, interval_us=_SIGNAL_US, budget_ns=budget_ns)
    answer = each.side.ask(asked, m.Profiled, "compile")
    _add(answer.elapsed_ns, each.sampled_ns)
    _add(_own_stacks(answer), each.stacks)
    each.source = (
        f"timer signal in the worker, every {_SIGNAL_US} µs on average, between instructions of "
        "Python"
    )


def _sample(each: _Sampling, wish: Wish, found: Sampled) -> None:
    """All at once, by py-spy if it can look and is wanted."""
    if wish.sampler != SIGNAL:
        with closing(OutsideSampler(each.process_id)) as sampler:
            if _has_begun(sampler, each, wish, found):
                budget_ns = round(wish.budget_s * 1e9 * (1 - _PLAIN_SHARE))
                enough_ns = round(ENOUGH_SAMPLES / RATE_HZ * 1e9)
                asked = _asked(
                    each, wish, interval_us=None, budget_ns=budget_ns, enough_ns=enough_ns
                )
                answer = each.side.ask(asked, m.Profiled, "compile")
                try:
                    each.stacks = sampler.stop()
                except CannotSample as reason:
                    raise _unsampled(reason) from None
                each.sampled_ns = answer.elapsed_ns
                each.source = sampler.source
                return
    for _ in range(1 if wish.first else _TURNS):
        _sample_inside(each, wish, found)


def _profiles(each: _Sampling, number: int, pair: int | None) -> list[PhaseProfile]:
    """What a side's launch has told of every phase."""
    profiles = []
    for phase, elapsed_ns in each.sampled_ns.items():
        sampled_s = statistics.fmean(elapsed_ns) * 1e-9
        plain_ns = each.plain_ns.get(phase)
        profiles.append(
            PhaseProfile(
                label=each.label,
                launch=number,
                pair=pair,
                phase=phase,
                stacks=tuple(each.stacks.get(phase, ())),
                seconds=statistics.median(plain_ns) * 1e-9 if plain_ns else sampled_s,
                sampled_seconds=sampled_s,
                repeats=len(elapsed_ns),
                source=each.source,
            )
        )
    return profiles


def _add(new: dict[str, list[T]], to: dict[str, list[T]]) -> None:
    for phase, values in new.items():
        to.setdefault(phase, []).extend(values)


def _has_begun(sampler: OutsideSampler, each: _Sampling, wish: Wish, found: Sampled) -> bool:
    """Start it, if it can read this process, which has to be told to allow it."""
    allow = _asked(each, wish, interval_us=None, budget_ns=0)._replace(is_watched=True, most=0)
    each.side.ask(allow, m.Profiled, "compile")
    try:
        sampler.start()
    except CannotSample as reason:
        if wish.sampler == OUTSIDE:
            raise _unsampled(reason) from None
        found.remarks[f"sampled inside the worker, without native frames: {reason}"] = None
        return False
    return True


def _unsampled(reason: CannotSample) -> SubjectFailed:
    return SubjectFailed(m.Failure(phase="compile", status="error", detail=str(reason)))


def _asked(
    each: _Sampling,
    wish: Wish,
    *,
    interval_us: int | None,
    budget_ns: int,
    enough_ns: int | None = None,
) -> m.ProfilePhases:
    return m.ProfilePhases(
        phases=_phases(each, wish),
        most=1 if wish.first else _MOST,
        enough_ns=budget_ns if enough_ns is None else enough_ns,
        budget_ns=budget_ns,
        interval_us=interval_us,
        is_watched=False,
    )


def _own_stacks(answer: m.Profiled) -> dict[str, list[SampledStack]]:
    """What the worker's sampler saw, by phase."""
    frames = [Frame(name=name, file=place(file), line=line) for name, file, line in answer.frames]
    found: dict[str, list[SampledStack]] = {}
    for numbers, weight_ns, samples in answer.stacks:
        outermost, *within = (frames[number] for number in numbers)
        found.setdefault(outermost.name.removeprefix(MARK), []).append(
            SampledStack(frames=tuple(within), weight=weight_ns, samples=samples)
        )
    return found
