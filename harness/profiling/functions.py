"""Launches of a case that are sampled by function; of several versions alive together, in turns."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

from harness.cases import Case
from harness.conversation import PREPARED_PHASES, Side, SubjectFailed, checked
from harness.launch import Launcher, LocalLauncher, Surroundings, usable_cpu
from harness.plan import Version
from harness.profiling.outside import RATE_HZ, CannotSample, OutsideSampler
from harness.profiling.places import place
from harness.worker import messages as m
from harness.worker.sampling import MARK
from results.profiles.stacks import ENOUGH_SAMPLES, Frame, PhaseProfile, SampledStack

OUTSIDE: Final = "py-spy"
SIGNAL: Final = "signal"
_SIGNAL_US: Final = 1_000
_MOST: Final = 1_000_000
_TURNS: Final = 5
"""How often the sides take turns at running without a sampler."""
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
        sampler: `py-spy`, `signal`, or None for the first that works.
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
            launch = launcher.start(
                Surroundings(interpreter=version.interpreter, hash_seed=number, cpu=usable_cpu())
            )
            stack.callback(launch.close)
            side = Side(launch, _request(case, wish), lambda *_: None, timeout_s=wish.timeout_s)
            sides.append(_Sampling(side=side, process_id=launch.process.pid, label=version.label))
        for turn in range(_TURNS + 1):
            for each in _shuffled(sides, rng, found):
                with _failing(each, found):
                    _get_ready(each, wish) if turn == 0 else _run_plainly(each, wish)
        for each in _shuffled(sides, rng, found):
            with _failing(each, found):
                pair = number if len(versions) > 1 else None
                found.profiles += _sampled(each, number, pair, wish, found)


def _request(case: Case, wish: Wish) -> m.Open:
    return m.Open(
        scenario=case.scenario,
        params=dict(case.params),
        evaluator=case.evaluator,
        mode=case.mode,
        dtype=case.dtype,
        seed=wish.seed,
        plugins=list(wish.plugins),
        fixed_layout=True,
    )


def _shuffled(
    sides: Sequence[_Sampling], rng: random.Random, found: Sampled
) -> Iterator[_Sampling]:
    for each in rng.sample(sides, len(sides)):
        if each.label not in found.failures:
            yield each


@contextmanager
def _failing(each: _Sampling, found: Sampled) -> Iterator[None]:
    try:
        yield
    except SubjectFailed as failed:
        found.failures[each.label] = failed.failure


def _get_ready(each: _Sampling, wish: Wish) -> None:
    """Load the subject; unless the first time counts, go the road once and check its result."""
    side = each.side
    side.open()
    if not wish.first:
        for phase in PREPARED_PHASES:
            if phase in side.phases:
                side.ask(m.RunPhase(phase=phase), m.Elapsed, phase)
        checked(side)


def _phases(each: _Sampling, wish: Wish) -> list[str]:
    return [phase for phase in wish.phases if phase in each.side.phases]


def _run_plainly(each: _Sampling, wish: Wish) -> None:
    """Find what a repeat takes when nobody looks."""
    if wish.first:
        return
    budget_ns = round(wish.budget_s * 1e9 * _PLAIN_SHARE / _TURNS)
    asked = m.ProfilePhases(
        phases=_phases(each, wish),
        most=_MOST,
        enough_ns=budget_ns,
        budget_ns=budget_ns,
        interval_us=None,
        is_watched=False,
    )
    answer = each.side.ask(asked, m.Profiled, "compile")
    for phase, elapsed_ns in answer.elapsed_ns.items():
        each.plain_ns.setdefault(phase, []).extend(elapsed_ns)


def _sampled(
    each: _Sampling, number: int, pair: int | None, wish: Wish, found: Sampled
) -> list[PhaseProfile]:
    """What is seen while a side goes the road again and again, or the first time."""
    answer, stacks, source = _seen(each, wish, found)
    if wish.first:
        checked(each.side)
    profiles = []
    for phase, elapsed_ns in answer.elapsed_ns.items():
        sampled_s = statistics.fmean(elapsed_ns) * 1e-9
        plain_ns = each.plain_ns.get(phase)
        profiles.append(
            PhaseProfile(
                label=each.label,
                launch=number,
                pair=pair,
                phase=phase,
                stacks=tuple(stacks.get(phase, ())),
                seconds=statistics.median(plain_ns) * 1e-9 if plain_ns else sampled_s,
                sampled_seconds=sampled_s,
                repeats=len(elapsed_ns),
                source=source,
            )
        )
    return profiles


def _seen(
    each: _Sampling, wish: Wish, found: Sampled
) -> tuple[m.Profiled, dict[str, list[SampledStack]], str]:
    if wish.sampler != SIGNAL:
        with closing(OutsideSampler(each.process_id)) as sampler:
            if _began(sampler, each, wish, found):
                asked = _asked(each, wish, is_watched=True, rate_hz=RATE_HZ)
                answer = each.side.ask(asked, m.Profiled, "compile")
                try:
                    return answer, sampler.stop(), sampler.source
                except CannotSample as reason:
                    raise _unsampled(reason) from None
    asked = _asked(each, wish, is_watched=False, rate_hz=1e6 / _SIGNAL_US)
    answer = each.side.ask(asked, m.Profiled, "compile")
    source = f"timer signal every {_SIGNAL_US} µs in the worker, between Python's instructions"
    return answer, _own_stacks(answer), source


def _began(sampler: OutsideSampler, each: _Sampling, wish: Wish, found: Sampled) -> bool:
    """Start it, if it can read this process, which has to be told to allow it."""
    each.side.ask(_asked(each, wish, is_watched=True, most=0), m.Profiled, "compile")
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
    is_watched: bool,
    rate_hz: float = RATE_HZ,
    most: int | None = None,
) -> m.ProfilePhases:
    if most is None:
        most = 1 if wish.first else _MOST
    return m.ProfilePhases(
        phases=_phases(each, wish),
        most=most,
        enough_ns=round(ENOUGH_SAMPLES / rate_hz * 1e9),
        budget_ns=round(wish.budget_s * 1e9 * (1 - _PLAIN_SHARE)),
        interval_us=None if is_watched else _SIGNAL_US,
        is_watched=is_watched,
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
