"""What is known of a memory probe's noise, and subjects whose own memory varies more."""

import pytest

from benchmarks.memory_noise import LEVEL, NOISES, called
from results.comparison import compare
from results.frames import frame_of
from tests.results.samples import version

_MIB = 2.0**20
_CELLS = {"metric": "peak_memory", "source": "VmHWM"}
_RUNS = 300


@pytest.mark.parametrize("launches", [2, 3])
@pytest.mark.parametrize(
    "kind", [name for name in NOISES if "own" in name or "64 KiB" in name or "32 MiB" in name]
)
def test_noise_alone_is_not_called_a_change(kind: str, launches: int) -> None:
    """Among the 21 rows of a case, at the level of the comparison; some more is chance."""
    wrongly, _ = called(NOISES[kind], _RUNS, launches, 0.0)

    assert wrongly * _RUNS <= _most_by_chance(LEVEL * _RUNS)


def _most_by_chance(expected: float) -> float:
    """Five standard deviations more than that."""
    return expected + 5 * expected**0.5


@pytest.mark.parametrize("grown_mib", [4, 50])
def test_growth_is_told_by_two_launches_where_only_the_probe_is_noisy(grown_mib: int) -> None:
    """Nineteen times of twenty at least."""
    _, rightly = called(NOISES["the probe's, 64 KiB"], _RUNS, 2, grown_mib * _MIB)

    assert rightly >= 0.95


def test_growth_is_told_by_two_launches_where_all_rows_vary_as_much() -> None:
    """50 MiB among rows that vary by 0.5 MiB, more often than not: each vouches for the others."""
    _, rightly = called(NOISES["a subject's own, 0.5 MiB"], _RUNS, 2, 50 * _MIB)

    assert rightly >= 0.6


def test_a_quiet_row_of_a_case_that_varies_is_not_believed_to_be_quiet() -> None:
    """Two launches that happen to agree do not make 1 MiB a change; in a quiet case they do."""
    quiet = [
        *version("old", [10.0 * _MIB, 10.02 * _MIB], **_CELLS, phase="compile"),
        *version("new", [11.0 * _MIB, 11.02 * _MIB], **_CELLS, phase="compile"),
    ]
    loud = [
        *version("old", [10.0 * _MIB, 16.0 * _MIB], **_CELLS, phase="lower"),
        *version("new", [11.0 * _MIB, 19.0 * _MIB], **_CELLS, phase="lower"),
    ]

    assert compare(frame_of(quiet)).rows[0].verdict == "regressed"
    assert compare(frame_of([*quiet, *loud])).rows[0].verdict == "inconclusive"


def test_another_case_s_noise_is_not_this_one_s() -> None:
    """A case that varies takes nothing from one that does not."""
    quiet = [
        *version("old", [10.0 * _MIB, 10.02 * _MIB], **_CELLS, params="n=1"),
        *version("new", [11.0 * _MIB, 11.02 * _MIB], **_CELLS, params="n=1"),
    ]
    loud = [
        *version("old", [10.0 * _MIB, 16.0 * _MIB], **_CELLS, params="n=2"),
        *version("new", [11.0 * _MIB, 19.0 * _MIB], **_CELLS, params="n=2"),
    ]

    found = compare(frame_of([*quiet, *loud]))

    assert [row.verdict for row in found.rows] == ["regressed", "inconclusive"]
