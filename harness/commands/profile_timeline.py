"""`graphgauge profile --timeline`: what happens along a launch, as a file for Perfetto."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from harness.cases import Case, make_cases, parse_spec
from harness.conversation import SubjectFailed
from harness.exits import NOTHING, OK
from harness.launch import LocalLauncher
from harness.plan import Version
from harness.profiling.opening import started
from harness.profiling.pictures import file_stem
from harness.progress import say
from harness.timeline import Sample, Timeline
from harness.worker import messages as m
from results.profiles.trace_events import LaunchTimeline, Span, trace_file

_BLOCKS = 20
_BLOCK_NS = 20_000_000


def write_timelines(
    arguments: argparse.Namespace, versions: Sequence[Version], plugins: tuple[str, ...]
) -> int:
    """One file for each case, with a process for each version."""
    done = 0
    specs = tuple(map(parse_spec, arguments.case))
    for case in make_cases(specs, (arguments.evaluator,), (arguments.mode,)):
        launches = []
        for version in versions:
            told = _recorded(case, version, plugins, arguments.timeout)
            if isinstance(told, m.Failure):
                say(f"{case} ({version.label}): {told.status} in {told.phase}: {told.detail}")
            else:
                launches.append(told)
        if launches:
            arguments.out.mkdir(parents=True, exist_ok=True)
            name = file_stem(case.evaluator, case.scenario, case.mode)
            path = arguments.out / f"{name}.trace.json"
            path.write_text(trace_file(launches), encoding="utf-8")
            say(f"timeline: {path}; open it in https://ui.perfetto.dev or chrome://tracing")
            done += 1
    return OK if done else NOTHING


def _recorded(
    case: Case, version: Version, plugins: tuple[str, ...], timeout_s: float
) -> LaunchTimeline | m.Failure:
    launch, side = started(case, version, LocalLauncher(), plugins=plugins, timeout_s=timeout_s)
    timeline = Timeline(launch.process)
    try:
        side.open()
        asked = m.RecordTimeline(blocks=_BLOCKS, block_ns=_BLOCK_NS)
        answer = side.ask(asked, m.TimelineRecorded, "construct")
    except SubjectFailed as failed:
        return failed.failure
    finally:
        launch.close()
    return _timeline(f"{version.label}: {case}", answer, timeline.samples())


def _timeline(name: str, told: m.TimelineRecorded, samples: Sequence[Sample]) -> LaunchTimeline:
    """What the worker told, and what was seen of its memory from outside."""
    outside = [(each.seconds - told.began_s, each.resident_bytes) for each in samples]
    inside = [(at_ns * 1e-9, size) for at_ns, size in told.resident_bytes]
    end_s = max((start + length for _, _, start, length, _ in told.spans), default=0) * 1e-9
    return LaunchTimeline(
        name=name,
        spans=[
            Span(
                track=track,
                name=span_name,
                start_s=start_ns * 1e-9,
                duration_s=duration_ns * 1e-9,
                facts=facts,
            )
            for track, span_name, start_ns, duration_ns, facts in told.spans
        ],
        resident_bytes=[each for each in outside + inside if 0 <= each[0] <= end_s],
    )
