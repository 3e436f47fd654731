"""Exit codes and what a comparison says of itself."""

from dataclasses import fields, replace

import pytest

from results.comparison import compare
from results.frames import frame_of
from results.judgement import CONTRACT_FIELDS, Comparison, Row, Uncompared, exit_code, tally
from tests.results.samples import lognormal, suite, version

BASE = compare(frame_of(suite("old", 1) + suite("new", 2, slower=1.05)))
CHANGED = BASE.having("regressed")[0]
GAP = Uncompared(
    evaluator="planned",
    scenario="chain",
    params="",
    mode="output",
    phase="",
    metric="",
    candidate_label="new",
    reason="not in the candidate",
)


def having(*verdicts: str, missing: tuple[Uncompared, ...] = ()) -> Comparison:
    """A comparison with rows of these verdicts."""
    rows = tuple(replace(CHANGED, verdict=verdict) for verdict in verdicts)  # type: ignore[arg-type]
    return replace(BASE, rows=rows, missing=missing)


@pytest.mark.parametrize(
    ("comparison", "lenient", "strict"),
    [
        (having("unchanged", "improved"), 0, 0),
        (having("unchanged", "inconclusive"), 0, 4),
        (having("unchanged", "inconclusive", "regressed"), 1, 1),
        (having("unchanged", missing=(GAP,)), 3, 3),
        (having("regressed", missing=(GAP,)), 1, 1),
        (having("inconclusive", missing=(GAP,)), 3, 3),
        (having(), 3, 3),
    ],
)
def test_exit_codes_are_those_of_the_contract(
    comparison: Comparison, lenient: int, strict: int
) -> None:
    """1 before 3 before 4; 4 only when asked for."""
    assert exit_code(comparison) == lenient
    assert exit_code(comparison, fail_on_inconclusive=True) == strict


def test_a_gate_without_evidence_is_not_green() -> None:
    """One launch a side puts nothing to a test: 3, as if nothing had been compared."""
    comparison = compare(frame_of(version("old", [1.0]) + version("new", [1.0])))

    assert [row.verdict for row in comparison.rows] == ["inconclusive"]
    assert exit_code(comparison) == 3


def test_a_row_starts_with_the_fields_of_the_contract() -> None:
    """In their order; three more follow for people."""
    names = tuple(field.name for field in fields(Row))

    assert names[: len(CONTRACT_FIELDS)] == CONTRACT_FIELDS
    assert names[len(CONTRACT_FIELDS) :] == (
        "baseline_spread",
        "candidate_spread",
        "launches_to_halve",
    )


def test_the_largest_change_stands_first() -> None:
    """1/3 is a larger change than 2; what has no ratio comes before, and a failure before all."""
    rows = [replace(CHANGED, ratio=ratio) for ratio in (1.1, 2.0, None, 1 / 3)]
    failure = replace(CHANGED, ratio=None, baseline=None, candidate=None)

    found = replace(BASE, rows=(*rows, failure)).having("regressed")

    assert found[0] == failure
    assert [row.ratio for row in found[1:]] == [None, 1 / 3, 2.0, 1.1]


def test_verdicts_are_counted() -> None:
    """In the order people want to read them in."""
    assert tally(having("unchanged", "regressed", "unchanged").rows) == "1 regressed, 2 unchanged"
    assert tally(()) == "nothing compared"


def test_a_suite_that_only_got_faster_is_improved() -> None:
    """And one that did not change is unchanged."""
    times = lognormal(1, 12, sd=0.0005)
    faster = compare(frame_of(version("old", times) + version("new", [x * 0.9 for x in times])))
    same = compare(frame_of(version("old", times) + version("new", times)))

    assert (faster.verdict, same.verdict) == ("improved", "unchanged")
    assert faster.is_complete
