"""Memory launches of subjects with planted defects: what is planted is what is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from harness.launch import Launch, LocalLauncher, Surroundings, usable_cpu
from harness.worker import messages as m
from harness.worker.memory import LinuxProbe, PortableProbe, probe_here
from results.drift import memory_drift

_PLUGIN = str(Path(__file__).parents[2] / "benchmarks" / "planted_defects.py")
_MEBIBYTE = 2**20
_NO_HURRY_NS = 10**10

Answer = TypeVar("Answer")

linux = pytest.mark.skipif(
    not isinstance(probe_here(), LinuxProbe), reason="exact counters need Linux"
)


class _Subject:
    """A launch that holds a planted evaluator on a tiny network."""

    def __init__(self, launch: Launch, evaluator: str) -> None:
        self._launch = launch
        params = {"spiking": ""}
        self._ask(m.Open("tiny_planted", params, evaluator, "output", None, 1, [_PLUGIN], True))

    def measure(self, phase: str) -> m.MemoryRead:
        answer = self._ask(m.MeasureMemory(phase=phase))
        assert isinstance(answer, m.MemoryRead)
        return answer

    def prepare(self) -> dict[str, m.MemoryRead]:
        return {
            each: self.measure(each) for each in ("construct", "lower", "compile", "first_call")
        }

    def follow(
        self, calls: int | None, least_calls: int = 0, budget_ns: int = _NO_HURRY_NS
    ) -> m.MemorySeries:
        answer = self._ask(
            m.FollowMemory(calls=calls, least_calls=least_calls, samples=40, budget_ns=budget_ns)
        )
        assert isinstance(answer, m.MemorySeries)
        return answer

    def watch(self) -> m.Sawtooth:
        answer = self._ask(m.WatchCollector(budget_ns=10**9))
        assert isinstance(answer, m.Sawtooth)
        return answer

    def repeat(self, rounds: int) -> m.MemoryRounds:
        answer = self._ask(m.RepeatMemory(most=rounds, budget_ns=_NO_HURRY_NS))
        assert isinstance(answer, m.MemoryRounds)
        return answer

    def _ask(self, question: m.Message) -> m.Message:
        return self._launch.ask(question, timeout_s=60)


@contextmanager
def _opened(evaluator: str) -> Iterator[_Subject]:
    surroundings = Surroundings(
        interpreter=sys.executable, hash_seed=1, cpu=usable_cpu(), exact_memory=True
    )
    launch = LocalLauncher().start(surroundings)
    try:
        yield _Subject(launch, evaluator)
    finally:
        launch.close()


@linux
@pytest.mark.parametrize(
    ("evaluator", "bytes_per_call", "within"),
    [("objects_80", 80, 0.02), ("numpy_65536", 65_536, 0.02), ("malloc_16", 32, 0.1)],
)
def test_a_leak_is_told_with_its_size(evaluator: str, bytes_per_call: int, within: float) -> None:
    """malloc's smallest block is 32 bytes, so 16 that are asked for take 32."""
    with _opened(evaluator) as subject:
        subject.prepare()
        series = subject.follow(2_000)

    drift = memory_drift(series.calls, series.in_use_bytes)
    assert drift.kind == "leak"
    assert drift.value == pytest.approx(bytes_per_call, rel=within)


@linux
def test_a_cache_that_fills_is_a_plateau() -> None:
    """4 MB in 50 calls, of which the first call's phase has made two."""
    with _opened("cache_4mb") as subject:
        subject.prepare()
        series = subject.follow(2_000)

    drift = memory_drift(series.calls, series.in_use_bytes)
    assert drift.kind == "plateau"
    assert drift.grown == pytest.approx(4e6 * 48 / 50, rel=0.02)
    assert drift.settled_at is not None
    assert drift.settled_at <= 100


@linux
def test_garbage_in_cycles_is_no_leak_but_has_a_height() -> None:
    """A kilobyte of garbage a call is collected by itself after some hundred calls."""
    with _opened("cycle") as subject:
        subject.prepare()
        series = subject.follow(2_000)
        sawtooth = subject.watch()

    assert memory_drift(series.calls, series.in_use_bytes).kind == "flat"
    assert sawtooth.collector_is_on
    assert sawtooth.collections >= 2
    assert 100 * 1_000 < sawtooth.highest_bytes < sawtooth.calls * 1_000


@linux
def test_following_goes_on_from_where_it_was() -> None:
    """The second series begins at the call that the first one ended with."""
    with _opened("nothing") as subject:
        subject.prepare()
        first, second = subject.follow(100), subject.follow(50)

    assert first.calls[0] == 0
    assert first.calls[-1] == second.calls[0] == 100
    assert second.calls[-1] == 150


@linux
@pytest.mark.parametrize(("evaluator", "each"), [("keeps_each", 50 * _MEBIBYTE), ("keeps_once", 0)])
def test_rounds_tell_what_comes_each_time_from_what_came_once(evaluator: str, each: int) -> None:
    """50 MiB kept by compile for each network come each time; those of an import do not."""
    with _opened(evaluator) as subject:
        first = subject.prepare()["compile"]
        subject.measure("teardown")
        rounds = subject.repeat(2)

    assert first.retained_bytes == pytest.approx(50 * _MEBIBYTE, rel=0.01)
    assert len(rounds.whole_heap_bytes) == 2
    for left in rounds.retained_heap_bytes["compile"]:
        assert left == pytest.approx(each, rel=0.01, abs=4_096)


@linux
def test_an_evaluator_that_keeps_nothing_leaves_nothing_behind() -> None:
    """A network of some nodes, dropped, leaves less than a page of heap behind each time."""
    with _opened("nothing") as subject:
        subject.prepare()
        subject.measure("teardown")
        rounds = subject.repeat(3)

    assert max(rounds.whole_heap_bytes) < 4_096


@linux
def test_evaluate_is_measured_over_the_calls_that_were_followed() -> None:
    """Bytes that 50 calls leaked are what evaluate retains."""
    with _opened("numpy_65536") as subject:
        subject.prepare()
        subject.follow(50)
        read = subject.measure("evaluate")

    assert read.retained_heap_bytes == pytest.approx(50 * 65_536, rel=0.05)
    assert read.peak_bytes > 0.9 * 50 * 65_536


def test_where_there_is_no_proc_the_process_s_maximum_is_all_there_is() -> None:
    """The portable probe only rises, and says so."""
    probe = PortableProbe()
    probe.reset_peak()

    assert probe.peak() > 0
    assert probe.peak_source == probe.in_use_source == "ru_maxrss"
