"""Profiles of the phases that lead to a first call, as the worker takes part in them."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from harness.worker.messages import Profiled, ProfilePhases
from harness.worker.preparation import Preparation
from harness.worker.sampling import SignalSampler, Stack, described, marked
from harness.worker.tracing import TracedSubject

_PR_SET_PTRACER = 0x59616D61


class ProfiledSubject(TracedSubject):
    """A case whose phases are run again and again, each in a frame that tells its name."""

    def profile_phases(self, request: ProfilePhases) -> Profiled:
        """Prepare and call on fresh, equal inputs until every phase asked for ran long enough."""
        if request.is_watched:
            _let_others_look()
        sampler = None
        if request.interval_us is not None:
            if not SignalSampler.is_here():
                raise RuntimeError(
                    f"{sys.platform} has no interval timers, so nothing samples here"
                )
            sampler = SignalSampler(request.interval_us, self._clock)
        elapsed_ns: dict[str, list[int]] = {}
        deadline = self._clock() + request.budget_ns
        for _ in range(request.most):
            self._profile_once(request.phases, sampler or nullcontext(), elapsed_ns)
            reached = min((sum(elapsed_ns.get(each, [0])) for each in request.phases), default=0)
            if reached >= request.enough_ns or self._clock() > deadline:
                break
        return _profiled(elapsed_ns, sampler)

    def _profile_once(
        self,
        phases: list[str],
        sampler: AbstractContextManager[object],
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
                    start = self._clock()
                    product = run(step)
                    taken_ns = self._clock() - start
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
