"""A sampler of Python's own: a timer's signal, and the stack that it finds.

The interpreter hands a signal on between two of its instructions, so the sample that a long native
call delays finds the function that made the call. Each sample weighs the time since the one before,
so that such a call has its whole time, however many signals it swallowed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

from harness.worker.timing import Clock

MARK: Final = "graphgauge_phase_"
"""How the names of the frames begin that tell which phase a stack is in."""

Frame = tuple[str, str, int]
"""Qualified name, file, and the line where the function begins."""
Stack = tuple[CodeType, ...]
"""The innermost first."""


def marked(phase: str) -> Callable[[Callable[[], Any]], Any]:
    """What runs a step in a frame that is named after the phase, for whoever reads the stack."""
    name = MARK + phase
    code = _run.__code__.replace(co_name=name, co_qualname=name)
    return FunctionType(code, globals(), name)


def _run(step: Callable[[], Any]) -> Any:
    return step()


class SignalSampler:
    """Samples the main thread while it is entered; for use as a context, again and again."""

    def __init__(self, interval_us: int, clock: Clock) -> None:
        from random import Random  # noqa: PLC0415 - slow to import, and every launch would have to

        self._interval_s = interval_us * 1e-6
        self._clock = clock
        self._last_ns = 0
        self._random = Random(1)
        self._is_entered = False
        self._previous: Any = None
        self.weights_ns: dict[Stack, int] = {}
        self.counts: dict[Stack, int] = {}

    @staticmethod
    def is_here() -> bool:
        """Whether this system has such timers."""
        return hasattr(signal, "setitimer")

    def __enter__(self) -> SignalSampler:
        self._previous = signal.signal(signal.SIGALRM, self._sample)
        signal.siginterrupt(signal.SIGALRM, False)  # native code need not expect to be interrupted
        self._is_entered = True
        self._last_ns = self._clock()
        self._set_timer()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_entered = False  # a signal that is on its way must not set the timer again
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._previous)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        passed_ns = max(0, self._clock() - self._last_ns)
        codes = []
        while frame is not None:
            code = frame.f_code
            codes.append(code)
            if code.co_name.startswith(MARK):
                stack = tuple(codes)
                self.weights_ns[stack] = self.weights_ns.get(stack, 0) + passed_ns
                self.counts[stack] = self.counts.get(stack, 0) + 1
                break
            frame = frame.f_back
        self._last_ns = self._clock()  # what looking took belongs to nobody
        self._set_timer()

    def _set_timer(self) -> None:
        """To go off once, when looking is over; after a random time, so as not to keep step."""
        if self._is_entered:
            after_s = self._interval_s * self._random.uniform(0.5, 1.5)
            signal.setitimer(signal.ITIMER_REAL, after_s)


def described(code: CodeType) -> Frame:
    """What the controller is told of a frame."""
    return code.co_qualname, code.co_filename, code.co_firstlineno
