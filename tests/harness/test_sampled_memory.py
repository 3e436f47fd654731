"""Peak, held and retained memory from samples, and the timeline that they are taken from."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cases import parse_spec
from harness.effort import Effort, quick_effort
from harness.plan import Contender, Version
from harness.sampled_memory import SampledMemory
from harness.session import Session
from harness.settings import Settings
from harness.timeline import Sample
from harness.worker.messages import MeasureMemory, MemoryRead
from harness.worker.plugins import load_plugins
from results.schema import Reading
from results.tables import read, readings
from tests.harness.fakes import usual_answers

_MEBIBYTE = 2**20
_IN_BYTES = ("peak_memory", "held_memory", "retained_memory")
_ROOT = Path(__file__).parents[2]
_PLANTED = str(_ROOT / "benchmarks" / "planted_defects.py")
_WITHOUT_PROC = str(_ROOT / "tests" / "harness" / "subjects" / "without_proc.py")


class _Sampled:
    """Samples that were taken at 0, 1, 2 … seconds."""

    def __init__(self, *resident_bytes: int) -> None:
        self._samples = [
            Sample(seconds=float(at), resident_bytes=each) for at, each in enumerate(resident_bytes)
        ]

    def samples_so_far(self) -> list[Sample]:
        """All of them."""
        return self._samples


def _told(**changes: object) -> MemoryRead:
    """What a worker tells of a phase: it began at 0, ended at 1, held at 2, dropped at 3."""
    answer = usual_answers()[MeasureMemory](MeasureMemory(phase="compile"))
    assert isinstance(answer, MemoryRead)
    return answer._replace(**changes)  # type: ignore[arg-type]


def test_levels_are_those_of_the_last_sample() -> None:
    """Above the level at the phase's start: the highest, at its end, and after dropping."""
    found = SampledMemory(_Sampled(100, 900, 400, 150)).completed(_told(peak_source="ru_maxrss"))

    assert (found.peak_bytes, found.held_bytes, found.retained_bytes) == (800, 300, 50)
    assert (found.peak_source, found.held_source) == ("memory_profiler", "memory_profiler")


def test_teardown_retains_what_came_since_the_first_phase() -> None:
    """Its retained memory is that of all phases together."""
    memory = SampledMemory(_Sampled(100, 200, 300, 300, 350, 350, 320))
    memory.completed(_told(peak_source="ru_maxrss"))

    found = memory.completed(
        _told(
            phase="teardown",
            peak_source="ru_maxrss",
            began_s=4.0,
            ended_s=4.5,
            held_s=5.0,
            dropped_s=6.0,
        )
    )

    assert found.held_bytes == 0
    assert found.retained_bytes == 220


def test_a_probe_that_tells_peaks_is_believed() -> None:
    """The kernel's high-water mark misses nothing; samples do."""
    told = _told()

    assert SampledMemory(_Sampled(0, 1, 2, 3)).completed(told) == told


def test_without_a_sample_the_probe_s_own_word_stands() -> None:
    """And `source` says whose it is."""
    told = _told(peak_source="ru_maxrss")

    assert SampledMemory(_Sampled()).completed(told) == told


def test_without_proc_samples_tell_every_phase(tmp_path: Path) -> None:
    """50 MiB that compile keeps of each network are its peak, held and retained; of no other's."""
    found = _measured("keeps_each", tmp_path, _WITHOUT_PROC)

    told = {(row.phase, row.metric): row for row in found if row.metric in _IN_BYTES}
    assert {row.source for row in told.values()} == {"memory_profiler"}
    for metric in _IN_BYTES:
        assert told["compile", metric].value == pytest.approx(50 * _MEBIBYTE, rel=0.05)
        for phase in ("construct", "lower", "evaluate"):
            assert abs(told[phase, metric].value or 0.0) < 5 * _MEBIBYTE
    # The network that is measured, and the one that is kept for the phases after it.
    assert told["teardown", "retained_memory"].value == pytest.approx(100 * _MEBIBYTE, rel=0.2)


def test_the_timeline_is_kept_where_the_kernel_tells_peaks(tmp_path: Path) -> None:
    """Samples along the launch, of which the later ones hold what compile keeps."""
    found = _measured("keeps_each", tmp_path)

    sources = {row.source for row in found if row.metric == "peak_memory"}
    assert "memory_profiler" not in sources
    (line,) = (tmp_path / "memory.timelines.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert kept["evaluator"] == "keeps_each"
    resident = kept["resident_bytes"]
    assert len(resident) == len(kept["seconds"]) > 5
    assert max(resident) - resident[0] > 90 * _MEBIBYTE


def _measured(evaluator: str, folder: Path, *plugins: str) -> list[Reading]:
    """The rows of one memory launch."""
    load_plugins([_PLANTED])
    out = folder / "memory.csv"
    settings = Settings(out=out, effort=_effort(), seed=1, plugins=(_PLANTED, *plugins))
    case = parse_spec("tiny_planted").case(evaluator, "gradient")
    version = Version(label="here", interpreter=sys.executable)
    Session(settings).run([(Contender(version=version, case=case),)])
    return list(readings(read(out)))


def _effort() -> Effort:
    """One memory launch, as short as it can be."""
    quick = quick_effort(launches=1, timeout_s=60, memory=True)
    return replace(quick, launches=0, rounds=0, follow_calls=1, follow_budget_ns=1, follow_more=0)
