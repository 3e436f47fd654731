"""Profiles of the phases that lead to a first call, as the worker takes part in them."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

import numpy as np

from harness.worker.messages import EngineProfiled, Profiled, ProfilePhases
from harness.worker.preparation import Preparation
from harness.worker.running_clock import RunningClock
from harness.worker.sampling import SignalSampler, Stack, described, marked
from harness.worker.timing import Clock
from harness.worker.tracing import TracedSubject

_PR_SET_PTRACER = 0x59616D61


class ProfiledSubject(TracedSubject):
    """A case whose phases are run again and again, each in a frame that tells its name."""

    def profile_phases(self, request: ProfilePhases) -> Profiled:
        """Prepare and call on fresh, equal inputs until every phase asked for ran long enough."""
        if request.is_watched:
            _let_others_look()
        with closing(RunningClock()) as clock:
            return self._profile_until_enough(request, clock)

    def profile_engine(self, calls: int) -> EngineProfiled:
        """Calls without the engine's profiler, then with it; the phases have been run."""
        function, weights, data = self._preparation.function, self._weights, self._pool[0]
        elapsed_ns = []
        for _ in range(calls):
            start = self._clock()
            function(weights, data)
            elapsed_ns.append(self._clock() - start)
        call_ns = float(np.median(elapsed_ns))
        profile = getattr(self._evaluator, "profile", None)
        if profile is None:
            name = self._evaluator.name
            remark = f"{name} has no profiler of its own that graphgauge knows to ask"
            return EngineProfiled(
                rows=[], profiler="none", remarks=[remark], call_ns=call_ns, graph={}, graph_of=""
            )
        told = profile(self._preparation.lowered, weights, data, calls)
        return EngineProfiled(
            rows=[list(row) for row in told.rows],
            profiler=told.profiler,
            remarks=told.remarks,
            call_ns=call_ns,
            graph=dict(told.graph),
            graph_of=told.graph_of,
        )

    def _profile_until_enough(self, request: ProfilePhases, clock: Clock) -> Profiled:
        sampler = None
        if request.interval_us is not None:
            if not SignalSampler.is_here():
                raise RuntimeError(f"{sys.platform} has no interval timers: nothing samples here")
            sampler = SignalSampler(request.interval_us, clock)
        elapsed_ns: dict[str, list[int]] = {}
        deadline = self._clock() + request.budget_ns
        for _ in range(request.most):
            self._profile_once(request.phases, sampler or nullcontext(), clock, elapsed_ns)
            reached = min((sum(elapsed_ns.get(each, [0])) for each in request.phases), default=0)
            if reached >= request.enough_ns or self._clock() > deadline:
                break
        return _profiled(elapsed_ns, sampler)

    def _profile_once(
        self,
        phases: list[str],
        sampler: AbstractContextManager[object],
        clock: Clock,
        elapsed_ns: dict[str, list[int]],
    ) -> None:
        preparation = self._new_preparation()
        gc.collect()
        to_come = set(phases)
        for phase in (*preparation.phases, "first_call"):
            step = self._profiled_step(preparation, phase)
            run = marked(phase)
            if phase in to_come:
                with sampler:
                    start = clock()
                    product = run(step)
                    taken_ns = max(0, clock() - start)
                elapsed_ns.setdefault(phase, []).append(taken_ns)
            else:
                product = step()
            preparation.keep(phase, product)
            if phase == "construct":
                preparation.check_refusal()
            to_come.discard(phase)
            if not to_come:
                break
        preparation.drop()

    def _profiled_step(self, preparation: Preparation, phase: str) -> Callable[[], Any]:
        if phase != "first_call":
            return preparation.step(phase)
        if not self._pool:
            self._weights = self._scenario.draw_weights(preparation.network, self._rng)
            self._pool = [self._draw_data(preparation.network)]
        weights, data = self._weights, self._pool[0]
        return lambda: preparation.function(weights, data)


def _profiled(elapsed_ns: dict[str, list[int]], sampler: SignalSampler | None) -> Profiled:
    """The sampler's stacks, outermost first, as indices into a table of frames."""
    numbers: dict[Any, int] = {}
    stacks = []
    found: dict[Stack, int] = sampler.weights_ns if sampler else {}
    for stack, weight_ns in found.items():
        indices = [numbers.setdefault(code, len(numbers)) for code in reversed(stack)]
        stacks.append((indices, weight_ns, sampler.counts[stack] if sampler else 0))
    return Profiled(
        elapsed_ns=elapsed_ns, frames=[described(code) for code in numbers], stacks=stacks
    )


def _let_others_look() -> None:
    """Where the kernel lets a process be read by its ancestors alone, ask for an exception."""
    import ctypes  # noqa: PLC0415 - so that other launches do without it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
