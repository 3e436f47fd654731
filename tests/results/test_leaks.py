"""Memory in a comparison: new leaks, and peaks and retained memory beyond their noise."""

import pytest

from results.comparison import Comparison, compare, exit_code
from results.frames import frame_of
from tests.results.samples import reading, version

_MEBIBYTE = 2**20


def _drifts(label: str, kinds: list[str], value: float, **changes: object) -> list[object]:
    cells = {"metric": "memory_drift", "phase": "evaluate", "source": "mallinfo2"} | changes
    return [
        reading(
            label=label,
            launch=launch,
            value=value + launch * 0.5,
            detail=f"class={kind}; low={value}; high={value + 1}",
            **cells,
        )
        for launch, kind in enumerate(kinds)
    ]


def _compared(old: list[object], new: list[object]) -> Comparison:
    return compare(frame_of([*old, *new]))  # type: ignore[list-item]


def test_a_new_leak_is_a_regression() -> None:
    """Two launches that both leak are proof enough against two that do not: exit code 1."""
    found = _compared(_drifts("old", ["flat", "plateau"], 0), _drifts("new", ["leak"] * 2, 80))

    (row,) = found.rows
    assert row.verdict == "regressed"
    assert row.reason.startswith("new leak: 80")
    assert "2 of 2 launches" in row.reason
    assert exit_code(found) == 1


def test_a_leak_that_is_gone_is_an_improvement() -> None:
    """The mirror of a new leak."""
    found = _compared(_drifts("old", ["leak"] * 2, 80), _drifts("new", ["flat"] * 2, 0))

    assert [row.verdict for row in found.rows] == ["improved"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["flat", "flat"], ["leak", "flat"]),
        (["flat", "flat"], ["leak", "inconclusive"]),
        (["flat", "inconclusive"], ["leak", "leak"]),
        (["leak", "flat"], ["leak", "leak"]),
    ],
)
def test_a_leak_in_some_launches_alone_is_no_new_leak(old: list[str], new: list[str]) -> None:
    """Then the values over launches decide, which are too few here."""
    found = _compared(_drifts("old", old, 0), _drifts("new", new, 3))

    assert [row.verdict for row in found.rows] == ["inconclusive"]


def test_a_slowing_needs_more_launches_than_a_leak() -> None:
    """A machine that slows for a while makes two launches slow, but not all of three."""
    cells = {"metric": "time_drift", "source": "perf_counter_ns"}
    for launches, expected in ((2, "inconclusive"), (3, "regressed")):
        old = _drifts("old", ["flat"] * launches, 0.0, **cells)
        new = _drifts("new", ["slowing"] * launches, 0.02, **cells)

        assert _compared(old, new).rows[0].verdict == expected


@pytest.mark.parametrize("metric", ["peak_memory", "retained_memory"])
@pytest.mark.parametrize("paired", [True, False])
def test_memory_that_grew_beyond_the_probe_s_noise_is_a_regression(
    metric: str, paired: bool
) -> None:
    """Two launches a side are enough to see 50 MiB among thirty other rows."""
    cells = {"metric": metric, "phase": "compile", "source": "VmHWM"}
    others = [
        version(
            label,
            [10.0 * _MEBIBYTE, 10.01 * _MEBIBYTE],
            paired=paired,
            **cells | {"params": f"n={i}"},
        )
        for label in ("old", "new")
        for i in range(30)
    ]
    old = version("old", [10.0 * _MEBIBYTE, 10.1 * _MEBIBYTE], paired=paired, **cells)
    new = version("new", [60.2 * _MEBIBYTE, 60.0 * _MEBIBYTE], paired=paired, **cells)

    found = compare(frame_of([*old, *new, *(row for each in others for row in each)]))

    assert [row.verdict for row in found.rows].count("regressed") == 1
    assert exit_code(found) == 1


def test_memory_within_the_probe_s_noise_is_none() -> None:
    """0.6 MiB apart, though each version's two launches agree to the page."""
    cells = {"metric": "peak_memory", "phase": "compile", "source": "VmHWM"}
    old = version("old", [10.0 * _MEBIBYTE, 10.0 * _MEBIBYTE + 4_096], **cells)
    new = version("new", [10.6 * _MEBIBYTE, 10.6 * _MEBIBYTE + 4_096], **cells)

    assert compare(frame_of([*old, *new])).rows[0].verdict == "inconclusive"


def test_a_subject_whose_memory_varies_is_believed() -> None:
    """Launches that lie 20 MiB apart show nothing of a change of 10."""
    cells = {"metric": "peak_memory", "phase": "compile", "source": "VmHWM"}
    old = version("old", [100.0 * _MEBIBYTE, 120.0 * _MEBIBYTE], **cells)
    new = version("new", [110.0 * _MEBIBYTE, 130.0 * _MEBIBYTE], **cells)

    assert compare(frame_of([*old, *new])).rows[0].verdict == "inconclusive"
