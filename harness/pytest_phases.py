"""The fixture `phases`: an evaluator's phases measured within a test, by pytest-benchmark's clock.

Times are read first and memory after them, as probes slow code down. All is one process, so that
one run of pytest is one launch of a result table.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

from harness.measurement import CLOCK, Measurement, interquartile_range
from harness.pytest_table import Subject, Table
from harness.worker.memory import Probe, collecting_new_garbage_only, probe_here, settle
from results.drift import slope
from results.exchange.naming import params_text
from results.schema import MODES

P = ParamSpec("P")
R = TypeVar("R")

_FOLLOWED_CALLS: Final = 1_000
_FOLLOWED_NS: Final = 300_000_000
_SAMPLES: Final = 20
_MARKER_KEYS: Final = ("evaluator", "version", "scenario", "mode")


class PhasesError(Exception):
    """The fixture is used in a way that cannot be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PhaseNode:
    """What pytest-benchmark asks of a test: here it is a test's phase, as if a parameter."""

    name: str
    nodeid: str
    callspec: _PhaseParams


@dataclass(frozen=True, slots=True, kw_only=True)
class _PhaseParams:
    id: str
    params: dict[str, object]


class _Followed:
    """Bytes in use as calls go on, kept in memory that is there already: a list would grow."""

    def __init__(self) -> None:
        self.calls = np.zeros(_SAMPLES, np.int64)
        self.in_use_bytes = np.zeros(_SAMPLES, np.int64)


class Phases:
    """Measures one test's phases, each once.

    Every method takes a function and its arguments, as pytest-benchmark's own fixture does, calls
    it many times, and returns what it returned first. With `--benchmark-disable` it is called once.
    """

    def __init__(self, node: Any, benchmark: Any, table: Table) -> None:
        self._node = node
        self._benchmark = benchmark
        self._table = table
        self._probe = probe_here()
        self._measured: set[str] = set()
        self._told: Exception | None = None
        self._subject = _subject(node)

    def construct(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Build the network, anew at each call."""
        return self._prepare("construct", lambda: function(*args, **kwargs))

    def differentiate(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Make the gradient network of a network."""
        return self._prepare("differentiate", lambda: function(*args, **kwargs))

    def lower(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Turn a network into the engine's own graph."""
        return self._prepare("lower", lambda: function(*args, **kwargs))

    def compile(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Make what can be called, of a network or of what it was lowered to."""
        return self._prepare("compile", lambda: function(*args, **kwargs))

    def first_call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a compiled function for the first time; `evaluate` does so if it was not done."""
        with self._phase("first_call"):
            return self._first_call(lambda: function(*args, **kwargs))

    def evaluate(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a compiled function again and again; it returns when its result is ready."""

        def call() -> R:
            return function(*args, **kwargs)

        with self._phase("evaluate"):
            if self._benchmark.disabled:
                return call()
            if "first_call" in self._measured:
                result = call()
            else:
                with self._phase("first_call"):
                    result = self._first_call(call)
            fixture = self._fixture("evaluate")
            fixture(call)
            with collecting_new_garbage_only():
                followed = self._followed(call)
            self._keep(fixture, [*_times(fixture, "evaluate"), *followed])
            return result

    def teardown(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Drop everything, once."""

        def call() -> R:
            return function(*args, **kwargs)

        with self._phase("teardown"):
            if self._benchmark.disabled:
                return call()
            fixture = self._fixture("teardown")
            result: R = fixture.pedantic(call)
            self._keep(fixture, _times(fixture, "teardown"))
            return result

    def _prepare(self, phase: str, call: Callable[[], R]) -> R:
        with self._phase(phase):
            if self._benchmark.disabled:
                return call()
            start = perf_counter_ns()
            product = call()
            first_s = (perf_counter_ns() - start) * 1e-9
            fixture = self._fixture(phase)
            fixture(call)
            first = _measurement(phase, "first_time", CLOCK, first_s, blocks=1, calls=1)
            with collecting_new_garbage_only():
                memory = _under_probes(self._probe, phase, call)
            self._keep(fixture, [first, *_times(fixture, phase), *memory])
            return product

    def _first_call(self, call: Callable[[], R]) -> R:
        if self._benchmark.disabled:
            return call()
        fixture = self._fixture("first_call")
        result: R = fixture.pedantic(call)
        (once,) = fixture.stats.stats.data
        self._keep(
            fixture, [_measurement("first_call", "first_time", CLOCK, once, blocks=1, calls=1)]
        )
        return result

    @contextmanager
    def _phase(self, phase: str) -> Iterator[None]:
        """Refuse a second time, and make whatever fails a row."""
        if phase in self._measured:
            raise PhasesError(
                f"phases.{phase} was called twice in {self._node.nodeid}; a phase is one row: "
                "measure the second one in a test of its own"
            )
        self._measured.add(phase)
        try:
            yield
        except PhasesError:
            raise
        except Exception as error:
            if not self._benchmark.disabled and error is not self._told:
                self._told = error  # a first call that fails within evaluate is one row
                self._table.add(self._subject, [_failure(phase, error)])
            raise

    def _fixture(self, phase: str) -> Any:
        """Another of pytest-benchmark's fixtures, set as the test's own is, named by the phase."""
        session = self._node.config._benchmarksession
        marker = self._node.get_closest_marker("benchmark")
        return type(self._benchmark)(
            _phase_node(self._node, phase),
            add_stats=session.benchmarks.append,
            logger=session.logger,
            warner=self._node.warn,
            disabled=False,
            **{**session.options, **(marker.kwargs if marker else {})},
        )

    def _keep(self, fixture: Any, measured: Sequence[Measurement]) -> None:
        """In the table's rows, and beside pytest-benchmark's times."""
        fixture.extra_info["phase"] = measured[0].phase
        for each in measured:
            taken = each.metric in fixture.extra_info
            name = f"{each.metric}@{each.source}" if taken else each.metric
            fixture.extra_info[name] = each.value
        fixture.extra_info.pop("time", None)  # is pytest-benchmark's own
        self._table.add(self._subject, measured)

    def _followed(self, call: Callable[[], object]) -> list[Measurement]:
        """Memory of calls as they go on: of the C heap, and of what Python and NumPy allocate.

        Python's own allocator keeps small objects from the C heap, so that each probe sees what
        the other does not.
        """
        followed = _Followed()
        measured = _under_probes(
            self._probe, "evaluate", lambda: _follow(call, self._probe.in_use, followed)
        )
        measured.append(_memory_drift(followed, self._probe.in_use_source))
        was_tracing = tracemalloc.is_tracing()
        if not was_tracing:
            tracemalloc.start()
        try:
            traced = _Followed()
            _follow(call, lambda: tracemalloc.get_traced_memory()[0], traced)
        finally:
            if not was_tracing:
                tracemalloc.stop()
        return [*measured, _memory_drift(traced, "tracemalloc")]


def _subject(node: Any) -> Subject:
    """By the marker `phases`, else by the test's own name and parameters."""
    marker = node.get_closest_marker("phases")
    told = dict(marker.kwargs) if marker else {}
    unknown = sorted(told.keys() - set(_MARKER_KEYS))
    if unknown or (marker and marker.args):
        raise PhasesError(
            f"{node.nodeid}: mark phases has {', '.join(unknown) or 'positional arguments'}; "
            f"expected some of {', '.join(_MARKER_KEYS)}, by name"
        )
    mode = told.get("mode", MODES[0])
    if mode not in MODES:
        raise PhasesError(f"{node.nodeid}: mode {mode!r}; expected one of {', '.join(MODES)}")
    callspec = getattr(node, "callspec", None)
    params = {} if callspec is None else dict(callspec.params)
    return Subject(
        evaluator=str(told.get("evaluator") or "pytest"),
        version=str(told.get("version", "")),
        scenario=str(told.get("scenario") or node.nodeid.partition("[")[0]),
        params=params_text(params),
        mode=mode,
    )


def _phase_node(node: Any, phase: str) -> _PhaseNode:
    """`test_rnn[100]` in phase compile as `test_rnn[100-compile]`: a parameter like others.

    So `--benchmark-group-by=func` gathers a test's phases, and `param:phase` a phase of all tests.
    """
    callspec = getattr(node, "callspec", None)
    own: dict[str, object] = {} if callspec is None else dict(callspec.params)
    ending = "" if callspec is None else f"[{callspec.id}]"
    identity = phase if callspec is None else f"{callspec.id}-{phase}"
    return _PhaseNode(
        name=f"{node.name.removesuffix(ending)}[{identity}]",
        nodeid=f"{node.nodeid.removesuffix(ending)}[{identity}]",
        callspec=_PhaseParams(id=identity, params={**own, "phase": phase}),
    )


def _times(fixture: Any, phase: str) -> list[Measurement]:
    """The median over pytest-benchmark's rounds, and over many calls its drift."""
    seconds_per_call = list(fixture.stats.stats.data)
    iterations = fixture.stats.iterations
    calls = len(seconds_per_call) * iterations
    median = fixture.stats.stats.median
    measured = [
        _measurement(
            phase,
            "time",
            CLOCK,
            median,
            spread=interquartile_range(seconds_per_call),
            blocks=len(seconds_per_call),
            calls=calls,
        )
    ]
    if phase == "evaluate" and len(seconds_per_call) >= 3 and median > 0:
        thousands = [number * iterations / 1000 for number in range(len(seconds_per_call))]
        drift = slope(thousands, [each / median for each in seconds_per_call]).value
        blocks = len(seconds_per_call)
        measured.append(_measurement(phase, "time_drift", CLOCK, drift, blocks=blocks, calls=calls))
    return measured


def _under_probes(probe: Probe, phase: str, call: Callable[[], object]) -> list[Measurement]:
    """A phase's memory above its own start: highest, with its product alive, and dropped."""
    settle(probe)
    before = probe.resident()
    probe.reset_peak()
    mark = probe.peak()
    product = call()
    peak_bytes = max(0, probe.peak() - mark)
    settle(probe)
    held_bytes = probe.resident() - before
    del product
    settle(probe)
    retained_bytes = probe.resident() - before
    return [
        _measurement(phase, "peak_memory", probe.peak_source, float(peak_bytes)),
        _measurement(phase, "held_memory", probe.resident_source, float(held_bytes)),
        _measurement(phase, "retained_memory", probe.resident_source, float(retained_bytes)),
    ]


def _follow(call: Callable[[], object], in_use: Callable[[], int], followed: _Followed) -> None:
    """Call, and read bytes in use now and then; slow calls are looked at more often."""
    done = 0
    for sample in range(_SAMPLES):
        start = perf_counter_ns()
        for _ in range(_FOLLOWED_CALLS // _SAMPLES):
            call()
            done += 1
            if perf_counter_ns() - start > _FOLLOWED_NS // _SAMPLES:
                break
        gc.collect()  # empties Python's free lists too
        followed.calls[sample], followed.in_use_bytes[sample] = done, in_use()


def _memory_drift(followed: _Followed, source: str) -> Measurement:
    """The slope of the second half: in the first, caches and free lists fill."""
    calls = followed.calls[_SAMPLES // 2 :].tolist()
    drift = slope(calls, followed.in_use_bytes[_SAMPLES // 2 :].tolist()).value
    blocks = len(calls)
    return _measurement("evaluate", "memory_drift", source, drift, blocks=blocks, calls=calls[-1])


def _measurement(phase: str, metric: str, source: str, value: float, **told: Any) -> Measurement:
    return Measurement(phase=phase, metric=metric, source=source, value=value, **told)


def _failure(phase: str, error: Exception) -> Measurement:
    """The row of a phase that raised."""
    statuses = ((RecursionError, "recursion"), (MemoryError, "out_of_memory"))
    status = next((name for kind, name in statuses if isinstance(error, kind)), "error")
    metric = "time" if phase in ("evaluate", "teardown") else "first_time"
    detail = f"{type(error).__name__}: {error}"
    return Measurement(
        phase=phase, metric=metric, source=CLOCK, value=None, status=status, detail=detail
    )
