"""Stacks that a sampler saw: what a function has of a phase, and how well that is known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from results.profiles.reading import ProfileReading

RESOLVED_SHARE: Final = 0.01
"""The least share of a phase that a profile is to resolve…"""
RESOLVED_ERROR: Final = 0.002
"""…which means that its standard error is at most this."""
ENOUGH_SAMPLES: Final = math.ceil(
    round(RESOLVED_SHARE * (1 - RESOLVED_SHARE) / RESOLVED_ERROR**2, 6)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A function on a stack.

    Attributes:
        name: its qualified name, or what the sampler knows of it.
        file: where it stands, from where packages are found; a library's name for a native one.
        line: where it begins, None where that is not known.
    """

    name: str
    file: str
    line: int | None

    def __str__(self) -> str:
        """Without the line, which changes from version to version."""
        return f"{self.name} ({self.file})" if self.file else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedStack:
    """A stack and what it has of a phase.

    Attributes:
        stack: what it is drawn as, outermost first.
        weight: in seconds, or bytes.
    """

    stack: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledStack:
    """A stack that was seen.

    Attributes:
        frames: outermost first; none where the phase itself was seen and nothing within it.
        weight: the time that it stands for, in any unit: shares are what counts.
        samples: how often it was seen.
    """

    frames: tuple[Frame, ...]
    weight: float
    samples: int


PHASE_ITSELF: Final = Frame(name="(the phase itself)", file="", line=None)
"""Where no function was seen within the phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseProfile:
    """What was seen of one phase in one launch.

    Attributes:
        label: the version.
        launch: its number.
        pair: number of the pair, None where the launch was alone.
        phase: the phase.
        stacks: what was seen.
        seconds: one repeat, without a sampler; where only the first one counts, with it.
        sampled_seconds: one repeat while it was sampled.
        repeats: how many were sampled.
        source: who sampled, and how.
    """

    label: str
    launch: int
    pair: int | None
    phase: str
    stacks: tuple[SampledStack, ...]
    seconds: float
    sampled_seconds: float
    repeats: int
    source: str

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return sum(each.samples for each in self.stacks)

    @property
    def seconds_per_weight(self) -> float:
        """What turns weights into seconds of one repeat."""
        whole = sum(each.weight for each in self.stacks)
        return self.seconds / whole if whole else 0.0

    def readings(self) -> list[ProfileReading]:
        """A row for each function: the time that it has itself, the most first."""
        weights: dict[tuple[str, str], float] = defaultdict(float)
        lines: dict[tuple[str, str], int | None] = {}
        for each in self.stacks:
            innermost = each.frames[-1] if each.frames else PHASE_ITSELF
            key = (innermost.name, innermost.file)
            weights[key] += each.weight
            lines[key] = innermost.line
        return [
            ProfileReading(
                label=self.label,
                launch=self.launch,
                pair=self.pair,
                phase=self.phase,
                by="function",
                name=name,
                file=file,
                line=lines[name, file],
                seconds=weight * self.seconds_per_weight,
                calls=None,
                moved_bytes=None,
                allocated_bytes=None,
                flops=None,
            )
            for (name, file), weight in sorted(weights.items(), key=lambda item: -item[1])
        ]

    def weighed(self) -> list[WeighedStack]:
        """Its stacks below the phase's name, in seconds of one repeat."""
        return [
            WeighedStack(
                stack=(self.phase, *map(str, each.frames)),
                weight=each.weight * self.seconds_per_weight,
            )
            for each in self.stacks
        ]


def share_error(share: float, samples: int) -> float | None:
    """Standard error of a share of so many samples, taken as independent; None without samples."""
    return math.sqrt(share * (1 - share) / samples) if samples else None


def mean_of(stacks: Iterable[Iterable[WeighedStack]]) -> list[WeighedStack]:
    """The stacks of several launches, each weighing what it has in the mean."""
    totals: dict[tuple[str, ...], float] = defaultdict(float)
    launches = 0
    for each in stacks:
        launches += 1
        for one in each:
            totals[one.stack] += one.weight
    return [WeighedStack(stack=stack, weight=weight / launches) for stack, weight in totals.items()]
