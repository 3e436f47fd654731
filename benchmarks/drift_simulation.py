"""How often the drift's class is right, on series whose truth is known.

    python -m benchmarks.drift_simulation                     false alarms, and leaks that are told
    python -m benchmarks.drift_simulation --settings          the same with each setting changed

Noise is real: the bytes in use along the calls of evaluators that leak nothing, recorded at the
start, from which stretches are drawn. On it is put what memory is known to do without leaking, all
sizes and times at random, none of them taken from a test: teeth of a collector, arenas mapped now
and then, growth that comes once, a cache that fills ever more slowly. And leaks of several sizes.
Each series goes through the harness's own protocol, which asks for more calls where a leak is told.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from harness import conduct_memory
from harness.cases import parse_spec
from harness.conversation import CALL, open_request
from harness.effort import usual_effort
from harness.worker import messages as m
from harness.worker.memory import probe_here
from harness.worker.memory_subject import MemorySubject
from results import drift
from results.notes import parse_notes

Floats = NDArray[np.float64]
Part = Callable[[random.Random, Floats], Floats]
"""What memory does along the calls, in bytes above the start."""

_EFFORT = usual_effort(launches=1, timeout_s=60, memory=True)
_RECORDED = ("steady:calls=1000", "chain:depth=20", "mlp", "rnn:steps=10")
_EVALUATORS = ("interpreter", "planned", "straightline")
_LEAKS = (4, 16, 80, 1_000, 65_536)
_CALLS = (300, 1_000, 4_000, 20_000)
"""That fit into one budget: slow calls to quick ones."""
_SETTINGS: dict[str, tuple[float, ...]] = {
    "LEAK_FLOOR_BYTES_PER_CALL": (0.5, 2.0, 4.0),
    "_STEP_BYTES": (1_024, 16_384, 65_536),
    "_LEAST_TAIL": (4, 12),
}


def main() -> None:
    """Record, draw, and print how many of each kind have which class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=300, metavar="N", help="of each kind")
    parser.add_argument("--settings", action="store_true", help="change each setting in turn")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    noises = _recorded_noises()
    spread = [float(np.ptp(each)) for each in noises]
    print(
        f"{len(noises)} recorded series; they wander by {min(spread):,.0f} to {max(spread):,.0f} B"
    )
    _print_table(noises, arguments.series, arguments.seed)
    if arguments.settings:
        for name, values in _SETTINGS.items():
            for value in values:
                with mock.patch.object(drift, name, value):
                    if name.startswith("LEAK"):
                        with mock.patch.object(conduct_memory, name, value):
                            alarms, told = _rates(noises, arguments)
                    else:
                        alarms, told = _rates(noises, arguments)
                usual = getattr(drift, name)
                print(f"{name} {value:g} (usually {usual:g}): {alarms}; {told}")


def _print_table(noises: Sequence[Floats], count: int, seed: int) -> None:
    print(f"{'beside real noise':<28} {'no leak':>34}" + "".join(f"{x:>9} B" for x in _LEAKS))
    for name, part in _PARTS.items():
        clean = _classes(noises, part, 0, count, seed)
        cells = "".join(
            f"{_share(_classes(noises, part, size, count, seed)['leak'], count):>11}"
            for size in _LEAKS
        )
        others = f"{clean['flat'] + clean['plateau']} settled, {clean['inconclusive']} unclear"
        print(f"{name:<28} {clean['leak']:>3} leaks, {others:>24}{cells}", flush=True)


def _rates(noises: Sequence[Floats], arguments: argparse.Namespace) -> tuple[str, str]:
    count, seed = arguments.series, arguments.seed
    alarms = sum(_classes(noises, part, 0, count, seed)["leak"] for part in _PARTS.values())
    every = _PARTS["all of them"]
    told = ", ".join(
        f"{size} B {_share(_classes(noises, every, size, count, seed)['leak'], count)}"
        for size in _LEAKS
    )
    return f"{alarms} false alarms of {count * len(_PARTS)}", f"leaks told: {told}"


def _share(told: int, count: int) -> str:
    return f"{told / count:.0%}"


def _classes(
    noises: Sequence[Floats], part: Part, leak_bytes: float, count: int, seed: int
) -> Counter[str]:
    classes: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        side = _SimulatedSide(rng, noises, part, leak_bytes)
        conduct_memory._follow_memory(side, _EFFORT)  # type: ignore[arg-type]
        (row,) = [row for row in side.held if row.metric == "memory_drift"]
        classes[parse_notes(row.detail)["class"]] += 1
    return classes


@dataclass(slots=True)
class _SimulatedSide:
    """Answers what a launch is asked when its memory is followed."""

    rng: random.Random
    noises: Sequence[Floats]
    part: Part
    leak_bytes: float
    held: list[Any] = field(default_factory=list)
    opened: None = None
    unit: str = CALL
    _in_use: Floats | None = None
    _calls: Floats | None = None
    _asked: int = 0

    def ask(self, question: m.Message, _expected: type, _phase: str) -> m.Message:
        """A stretch of the series, or a collector that does nothing."""
        if isinstance(question, m.WatchCollector):
            return m.Sawtooth(calls=1, highest_bytes=0, collections=0, collector_is_on=True)
        if self._in_use is None or self._calls is None:
            self._draw()
        assert self._in_use is not None
        assert self._calls is not None
        size = len(self._calls) // (1 + _EFFORT.follow_more)
        chosen = slice(self._asked * size, (self._asked + 1) * size)
        self._asked += 1
        return m.MemorySeries(
            calls=self._calls[chosen].astype(int).tolist(),
            in_use_bytes=self._in_use[chosen].astype(int).tolist(),
            resident_bytes=[0] * size,
            unit_ns=[1_000] * size,
            source="simulated",
        )

    def hold(self, *rows: Any) -> None:
        """Keep what would be written."""
        self.held += rows

    def _draw(self) -> None:
        """The whole series, as long as it may be asked for, read as a launch reads it."""
        one = _readings(self.rng.choice(_CALLS))
        calls = np.concatenate([one + one[-1] * at for at in range(1 + _EFFORT.follow_more)])
        noise = self.rng.choice(self.noises)
        start = self.rng.randrange(len(noise))
        mirrored = np.concatenate([noise, noise[::-1]])
        drawn = np.take(mirrored, np.arange(start, start + len(calls)), mode="wrap")
        in_use = drawn - drawn[0] + self.part(self.rng, calls) + self.leak_bytes * calls
        self._calls, self._in_use = calls, 50e6 + in_use


def _readings(calls: int) -> Floats:
    """After which calls memory is read: closely at first, then evenly (`Pace`)."""
    first = [0.0]
    while first[-1] < min(100, calls):
        first.append(max(first[-1] + 1, np.ceil(1.25 * first[-1])))
    even = np.arange(first[-1], calls, calls / _EFFORT.follow_samples)[1:]
    return np.unique(np.concatenate([first, np.ceil(even)]))


def _nothing(_rng: random.Random, calls: Floats) -> Floats:
    return np.zeros_like(calls)


def _teeth(rng: random.Random, calls: Floats) -> Floats:
    """Garbage that is not collected at a reading, up to 4 MB high."""
    height, period = 10 ** rng.uniform(3.5, 6.6), 10 ** rng.uniform(0.7, 3.3)
    return height * ((calls / period + rng.random()) % 1.0)


def _arenas(rng: random.Random, calls: Floats) -> Floats:
    """Up to six, of 64 KiB to 4 MiB, at any time in all that may be followed."""
    found = np.zeros_like(calls)
    for _ in range(rng.randint(1, 6)):
        found += 2.0 ** rng.randint(16, 22) * (calls >= rng.random() * calls[-1])
    return found


def _once(rng: random.Random, calls: Floats) -> Floats:
    """A cache that fills within the first tenth of the calls, up to 30 MB."""
    size, within = 10 ** rng.uniform(4, 7.5), rng.uniform(0.001, 0.1) * calls[-1] / 4
    return size * -np.expm1(-calls / within)


def _ever_slower(rng: random.Random, calls: Floats) -> Floats:
    """Growth with the logarithm of the calls: each doubling of them adds as much."""
    return 10 ** rng.uniform(3.5, 6) * np.log2(1 + calls / rng.uniform(1, 50))


def _in_lumps(rng: random.Random, calls: Floats) -> Floats:
    """The same in lumps of 32 B to 3 kB that come at random, ever more rarely."""
    lumps_an_e_fold, start = 10 ** rng.uniform(0.5, 2), rng.uniform(1, 200)
    reached, times = 0.0, []
    while not times or times[-1] < calls[-1]:
        reached += rng.expovariate(lumps_an_e_fold)
        times.append(start * np.expm1(reached))
    return 10 ** rng.uniform(1.5, 3.5) * np.searchsorted(times, calls, side="right")


def _all(rng: random.Random, calls: Floats) -> Floats:
    return _teeth(rng, calls) + _arenas(rng, calls) + _once(rng, calls)


_PARTS: dict[str, Part] = {
    "nothing": _nothing,
    "a collector's teeth": _teeth,
    "arenas": _arenas,
    "growth that comes once": _once,
    "growth ever slower": _ever_slower,
    "the same in lumps": _in_lumps,
    "all of them": _all,
}
"""The last has no growth that is ever slower, which has no end to be told."""


def _recorded_noises() -> list[Floats]:
    """Bytes in use along calls without a leak, after their first half, around their line."""
    found = []
    for evaluator in _EVALUATORS:
        for spec in _RECORDED:
            case = parse_spec(spec).case(evaluator, "gradient")
            request = open_request(case, seed=1, plugins=(), fixed_layout=True)
            subject = MemorySubject(request, probe=probe_here())
            for phase in ("construct", "differentiate", "lower", "compile", "first_call"):
                subject.run_phase(phase)
            series = subject.follow_memory(
                m.FollowMemory(calls=None, least_calls=500, samples=64, budget_ns=300_000_000)
            )
            levels = np.array(series.in_use_bytes[len(series.calls) // 2 :], np.float64)
            positions = np.array(series.calls[len(series.calls) // 2 :], np.float64)
            line = np.polynomial.Polynomial.fit(positions, levels, 1)(positions)
            found.append(np.round(levels - line))
    return found


if __name__ == "__main__":
    main()
