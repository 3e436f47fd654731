"""The worker's loop: answer each message of the controller until it hangs up."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evaluators import catalog
from harness.worker import messages as m
from harness.worker.evidence import notice_continuations
from harness.worker.exceptions import one_line, status_of
from harness.worker.facts import facts_here
from harness.worker.memory import probe_here
from harness.worker.peaks import measured_peaks
from harness.worker.pipes import Pipes
from harness.worker.plugins import announce_installed, load_plugins
from harness.worker.preparation import Refusal
from harness.worker.recording import RecordedSubject
from harness.worker.restrictions import restrict
from scenarios import scenario

if TYPE_CHECKING:
    from harness.worker.steps import StepTimes


class Service:
    """One subject at a time, and what the controller may ask of it."""

    def __init__(self) -> None:
        self._steps: StepTimes | None = None
        self._subject: RecordedSubject | None = None
        self._ignored: list[BaseException] = []
        """What was raised where Python can only ignore it, such as in a destructor."""
        sys.unraisablehook = self._note_ignored
        self._answers: dict[type, Callable[[Any], m.Message]] = {
            m.Open: self._open,
            m.RunPhase: lambda ask: self._opened.run_phase(ask.phase, collects=ask.collects),
            m.Check: lambda _: self._opened.check(),
            m.CheckAgain: lambda _: self._opened.check_again(),
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
            m.RecordTimeline: self._record_timeline,
            m.ProfileEngine: lambda ask: self._opened.profile_engine(ask.calls),
            m.WatchCollector: lambda ask: self._opened.watch_collector(ask.budget_ns),
            m.Count: lambda _: self._opened.count(),
            m.Describe: lambda _: m.Facts(facts=facts_here()),
        }

    def answer(self, question: m.Message) -> m.Message:
        """The reply; whatever the subject raises becomes a `Failure`."""
        phase = getattr(question, "phase", _PHASE_OF.get(type(question), "construct"))
        self._ignored.clear()
        try:
            answer = self._answers[type(question)](question)
        except Refusal as refusal:
            return m.Failure(phase="lower", status="refused", detail=str(refusal))
        except BaseException as error:
            return m.Failure(phase=phase, status=status_of(error), detail=one_line(error))
        if not self._ignored or phase != "teardown":
            return answer
        first = self._ignored[0]
        return m.Failure(phase=phase, status=status_of(first), detail=one_line(first))

    def _note_ignored(self, ignored: Any) -> None:
        if ignored.exc_value is not None:
            self._ignored.append(ignored.exc_value)
        sys.__unraisablehook__(ignored)

    @property
    def _opened(self) -> RecordedSubject:
        if self._subject is None:
            raise RuntimeError("no subject is open")
        return self._subject

    def _open(self, request: m.Open) -> m.Opened:
        load_plugins(request.plugins)
        ours = request.evaluator in catalog.names() and request.scenario in scenario.names()
        if not ours:  # looking for entry points takes time, which most starts can do without
            announce_installed()
        self._steps = None
        self._subject = RecordedSubject(request, probe=probe_here())
        return self._subject.opened()

    def _run_blocks(self, request: m.RunBlocks) -> m.Blocks:
        return self._opened.run_blocks(request)

    def _trace_memory(self, request: m.TraceMemory) -> m.Traced:
        return self._opened.trace_memory(request)

    def _time_steps(self, request: m.TimeSteps) -> m.StepsTimed:
        return self._stepped().block(request.calls, request.untimed_calls)

    def _stepped(self) -> StepTimes:
        if self._steps is None:
            from harness.worker.steps import StepTimes  # noqa: PLC0415 - slow, and for profiles

            self._steps = StepTimes(self._opened)
        return self._steps

    def _profile_phases(self, request: m.ProfilePhases) -> m.Profiled:
        return self._opened.profile_phases(request)

    def _record_timeline(self, request: m.RecordTimeline) -> m.TimelineRecorded:
        return self._opened.record_timeline(request)

    def _follow_memory(self, request: m.FollowMemory) -> m.MemorySeries:
        return self._opened.follow_memory(request)


_PHASE_OF: dict[type, str] = {
    m.Check: "first_call",
    m.CheckAgain: "evaluate",
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
    m.ProfileEngine: "evaluate",
    m.RecordTimeline: "construct",
    m.WatchCollector: "evaluate",
    m.Count: "compile",
}


def serve(pipes: Pipes) -> None:
    """Answer every question that comes."""
    service = Service()
    for line in pipes.questions():
        question = m.decode(line)
        answer = service.answer(question)
        try:
            reply = m.encode(answer)
        except Exception as error:  # a subject's own text or number, of a type of its own
            phase = getattr(question, "phase", _PHASE_OF.get(type(question), "construct"))
            reply = m.encode(m.Failure(phase=phase, status="error", detail=one_line(error)))
        pipes.reply(reply)


def main(arguments: list[str]) -> None:
    """Serve on the two file descriptors given, after taking on the limits given.

    What follows the limits was for `__main__` to see, or is there for its length alone.
    """
    questions_fd, replies_fd, cpu, memory_limit_bytes = map(int, arguments[:4])
    restrict(cpu, memory_limit_bytes)
    notice_continuations()
    sys.argv = [sys.argv[0]]
    serve(Pipes(questions_fd, replies_fd))


def _stay_on(request: m.StayOn) -> m.Staying:
    """Bind every thread that there is; those that come inherit it."""
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), {request.cpu})
    return m.Staying()
