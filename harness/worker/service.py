"""The worker's loop: answer each message of the controller until it hangs up."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from evaluators import catalog
from harness.worker import messages as m
from harness.worker.facts import facts_here
from harness.worker.memory import probe_here
from harness.worker.peaks import measured_peaks
from harness.worker.plugins import announce_installed, load_plugins
from harness.worker.preparation import Refusal
from harness.worker.profiling import ProfiledSubject
from harness.worker.steps import StepTimes
from scenarios import scenario


class Service:
    """One subject at a time, and what the controller may ask of it."""

    def __init__(self) -> None:
        self._steps: StepTimes | None = None
        self._subject: ProfiledSubject | None = None
        self._answers: dict[type, Callable[[Any], m.Message]] = {
            m.Open: self._open,
            m.RunPhase: lambda ask: self._opened.run_phase(ask.phase, collects=ask.collects),
            m.Check: lambda _: self._opened.check(),
            m.StayOn: _stay_on,
            m.Calibrate: lambda ask: self._opened.calibrate(ask.block_ns, ask.calls),
            m.RunBlocks: self._run_blocks,
            m.ReadYardstick: lambda _: self._opened.read_yardstick(),
            m.Multiply: lambda ask: self._opened.multiply(ask.instances, ask.budget_ns),
            m.Repeat: lambda ask: self._opened.repeat(ask.most, ask.budget_ns),
            m.MeasureMemory: lambda ask: self._opened.measure_memory(ask.phase),
            m.RepeatMemory: lambda ask: self._opened.repeat_memory(ask.most, ask.budget_ns),
            m.FollowMemory: self._follow_memory,
            m.TraceMemory: self._trace_memory,
            m.TimeSteps: self._time_steps,
            m.ReadSteps: lambda _: self._stepped().read(),
            m.MeasurePeaks: lambda _: measured_peaks(),
            m.ProfilePhases: self._profile_phases,
            m.WatchCollector: lambda ask: self._opened.watch_collector(ask.budget_ns),
            m.Count: lambda _: self._opened.count(),
            m.Describe: lambda _: m.Facts(facts=facts_here()),
        }

    def answer(self, question: m.Message) -> m.Message:
        """The reply; whatever the subject raises becomes a `Failure`."""
        phase = getattr(question, "phase", _PHASE_OF.get(type(question), "construct"))
        try:
            return self._answers[type(question)](question)
        except Refusal as refusal:
            return m.Failure(phase="lower", status="refused", detail=str(refusal))
        except RecursionError as error:
            return _failure(phase, "recursion", error)
        except MemoryError as error:
            return _failure(phase, "out_of_memory", error)
        except BaseException as error:
            return _failure(phase, "error", error)

    @property
    def _opened(self) -> ProfiledSubject:
        if self._subject is None:
            raise RuntimeError("no subject is open")
        return self._subject

    def _open(self, request: m.Open) -> m.Opened:
        load_plugins(request.plugins)
        ours = request.evaluator in catalog.names() and request.scenario in scenario.names()
        if not ours:  # looking for entry points takes time, which most starts can do without
            announce_installed()
        self._steps = None
        self._subject = ProfiledSubject(request, probe=probe_here())
        return self._subject.opened()

    def _run_blocks(self, request: m.RunBlocks) -> m.Blocks:
        return self._opened.run_blocks(request)

    def _trace_memory(self, request: m.TraceMemory) -> m.Traced:
        return self._opened.trace_memory(request)

    def _time_steps(self, request: m.TimeSteps) -> m.StepsTimed:
        return self._stepped().block(request.calls, request.untimed_calls)

    def _stepped(self) -> StepTimes:
        if self._steps is None:
            self._steps = StepTimes(self._opened)
        return self._steps

    def _profile_phases(self, request: m.ProfilePhases) -> m.Profiled:
        return self._opened.profile_phases(request)

    def _follow_memory(self, request: m.FollowMemory) -> m.MemorySeries:
        return self._opened.follow_memory(request)


_PHASE_OF: dict[type, str] = {
    m.Check: "first_call",
    m.Calibrate: "evaluate",
    m.RunBlocks: "evaluate",
    m.ReadYardstick: "evaluate",
    m.Multiply: "compile",
    m.Repeat: "compile",
    m.RepeatMemory: "compile",
    m.FollowMemory: "evaluate",
    m.TraceMemory: "compile",
    m.TimeSteps: "evaluate",
    m.ReadSteps: "evaluate",
    m.MeasurePeaks: "evaluate",
    m.ProfilePhases: "compile",
    m.WatchCollector: "evaluate",
    m.Count: "compile",
}


def serve(questions: BinaryIO, replies: BinaryIO) -> None:
    """Answer every line of `questions` with a line on `replies`."""
    service = Service()
    for line in questions:
        replies.write(m.encode(service.answer(m.decode(line))))
        replies.flush()


def main(arguments: list[str]) -> None:
    """Serve on the two file descriptors given, after taking on the limits given.

    What follows the limits was for `__main__` to see, or is there for its length alone.
    """
    questions_fd, replies_fd, cpu, memory_limit_bytes = map(int, arguments[:4])
    _restrict(cpu, memory_limit_bytes)
    sys.argv = [sys.argv[0]]
    # The subject's children must not hold our pipes: their end is how the controller sees our own.
    for fd in (questions_fd, replies_fd):
        os.set_inheritable(fd, False)
    with os.fdopen(questions_fd, "rb") as questions, os.fdopen(replies_fd, "wb") as replies:
        serve(questions, replies)


def _stay_on(request: m.StayOn) -> m.Staying:
    """Bind every thread that there is; those that come inherit it."""
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), {request.cpu})
    return m.Staying()


def _restrict(cpu: int, memory_limit_bytes: int) -> None:
    """Stay on one CPU, and below a limit of private memory; 0 or -1 mean no such limit."""
    if cpu >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    if memory_limit_bytes > 0:
        # The data limit counts private memory that can be written (Linux 4.7 and later). A limit
        # of the address space would stop engines that reserve much and use little.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit_bytes, memory_limit_bytes))


def _failure(phase: str, status: str, error: BaseException) -> m.Failure:
    """The exception in one line: type, message, and the last place of the subject's own code."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be printed"
    place = ""
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})"
    first_line = message.strip().splitlines()[0] if message.strip() else ""
    detail = (
        f"{type(error).__name__}: {first_line}{place}"
        if first_line
        else (f"{type(error).__name__}{place}")
    )
    return m.Failure(phase=phase, status=status, detail=detail[:500])
