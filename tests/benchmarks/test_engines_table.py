"""The engines' table as Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.engines_table import EVALUATORS, failures_of, lacking, main, measured, overview
from results.frames import frame_of
from results.schema import Reading
from results.summary import summarise
from results.writing import TableWriter
from tests.results.samples import reading


def _called(evaluator: str, seconds: float, **changes: object) -> Reading:
    return reading(evaluator=evaluator, value=seconds, **changes)


def _ended(evaluator: str, **changes: object) -> Reading:
    told = {
        "metric": "first_time",
        "phase": "compile",
        "status": "timeout",
        "value": None,
        "detail": "no answer within 23.5 s",
    }
    return reading(evaluator=evaluator, **told | changes)


def _memory(evaluator: str) -> list[Reading]:
    return [
        reading(evaluator=evaluator, metric="peak_memory", phase="compile", value=1024.0),
        reading(evaluator=evaluator, metric="memory_drift", phase="evaluate", value=0.0),
    ]


def test_every_evaluator_has_figures_or_a_reason() -> None:
    """What nobody measured is named as well."""
    frame = frame_of([_called("straightline", 1e-3), *_memory("straightline"), _ended("numba")])

    lines = [*measured(summarise(frame)), *lacking(summarise(frame), failures_of(frame))]

    assert all(any(f"`{name}`" in line for line in lines) for name in EVALUATORS)
    assert lines[2] == "| `straightline` | – | – | 1 ms | 1 KiB | 0 B/call | – | – |"
    assert "- `numba`: compile took longer than 23.5 s" in lines


def test_the_overview_has_a_line_for_each_evaluator_and_a_column_for_each_scenario() -> None:
    """Times per call, and where there is none, what went wrong; ours stand first."""
    frame = frame_of(
        [
            _called("jax", 2e-3),
            _called("interpreter", 1e-3, scenario="mlp"),
            _ended("jax", scenario="mlp", status="refused", detail="it cannot"),
            _ended("openvino", phase="first_call"),
        ]
    )

    lines = overview(summarise(frame), failures_of(frame))

    assert lines == [
        "| | `chain` | `mlp` |",
        "|---|---:|---:|",
        "| `interpreter` |  | 1 ms |",
        "| `jax` | 2 ms | refused |",
        "| `openvino` | first_call > 23.5 s |  |",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "compile took longer than 23.5 s"),
        ({"metric": "time"}, "compile, when repeated, took longer than 23.5 s"),
        ({"metric": "peak_memory"}, "under memory probes, compile took longer than 23.5 s"),
        ({"status": "error", "detail": "no\n  clang"}, "compile: error: no clang"),
        ({"status": "refused", "detail": "jax has no X"}, "compile: refused: it has no X"),
    ],
)
def test_a_reason_tells_the_phase_the_launch_and_the_limit(
    changes: dict[str, object], told: str
) -> None:
    """A limit is what was left of the launch's time when the phase began."""
    frame = frame_of([_ended("jax", **changes)])

    assert f"- `jax`: {told}" in lacking(summarise(frame), failures_of(frame))


def test_what_has_no_memory_columns_is_named() -> None:
    """A case that was timed alone."""
    frame = frame_of([_called("jax", 1e-3)])

    assert "- `jax`: not measured under memory probes" in lacking(summarise(frame), {})


def test_engines_of_two_tables_stand_in_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of two that were measured at once, on a core each."""
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, evaluator in zip(paths, ("interpreter", "numba"), strict=True):
        with TableWriter(path) as table:
            table.write([_called(evaluator, 1e-3, session=path.stem)])

    main(paths)

    printed = capsys.readouterr().out.splitlines()
    (heading,) = (number for number, line in enumerate(printed) if line.startswith("| |"))
    lines = printed[heading + 2 : heading + 4]
    assert [line.split(" | ")[0] for line in lines] == ["| `interpreter`", "| `numba`"]
