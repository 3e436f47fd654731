"""The verdict, from readings to exit code."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from results.comparison import compare, exit_code
from results.errors import ComparisonError, NothingToCompareError
from results.frames import frame_of
from results.judgement import Comparison, Row
from results.schema import METRICS
from tests.results.samples import lognormal, reading, suite, two_versions, version

KIB = 1024.0


def only_row(frame: pd.DataFrame, **options: object) -> Row:
    """The one row of a comparison."""
    (row,) = compare(frame, **options).rows  # type: ignore[arg-type]
    return row


def test_a_slowdown_is_regressed() -> None:
    """5 % more time, launches 1 % apart, is called; the ratio is of geometric means."""
    row = only_row(two_versions(lognormal(1, 10), lognormal(2, 10, 1.05e-3)))

    assert row.verdict == "regressed"
    assert row.ratio is not None
    assert row.ratio_low is not None
    assert row.ratio_high is not None
    assert 1.01 < row.ratio_low < row.ratio < row.ratio_high
    assert row.baseline is not None
    assert row.candidate == pytest.approx(row.baseline * row.ratio)
    assert (row.baseline_launches, row.candidate_launches) == (10, 10)
    assert (row.unit, row.phase, row.metric) == ("s", "evaluate", "time")


def test_a_speedup_is_improved() -> None:
    """And a version that takes less time is told so."""
    row = only_row(two_versions(lognormal(1, 10), lognormal(2, 10, 0.9e-3)))

    assert row.verdict == "improved"


def test_the_same_times_are_unchanged() -> None:
    """Where the interval lies within the band nothing changed, as far as it matters."""
    row = only_row(two_versions(lognormal(1, 30), lognormal(2, 30)), threshold=0.02)

    assert row.verdict == "unchanged"
    assert row.reason.startswith("the 99 % interval lies within ±2 %")


def test_too_little_evidence_is_inconclusive() -> None:
    """Three noisy launches tell nothing, and the reason says how many would tell more."""
    row = only_row(two_versions(lognormal(1, 3, sd=0.1), lognormal(2, 3, sd=0.1)))

    assert row.verdict == "inconclusive"
    assert "6 launches a side would halve the smallest detectable change" in row.reason
    assert "unpaired, 3 and 3 launches" in row.reason


def test_one_launch_is_inconclusive() -> None:
    """A ratio, no interval, and what to do."""
    row = only_row(two_versions([1.0], [2.0]))

    assert (row.ratio, row.ratio_low, row.verdict) == (2.0, None, "inconclusive")
    assert row.smallest_detectable is None
    assert "one launch gives no interval; measure at least 5 launches a side" in row.reason


def test_pairs_share_what_the_machine_does() -> None:
    """Launches that swing by 20 % together show a change of 3 % only when taken as pairs."""
    swings = [1e-3 * math.exp(0.2 * math.sin(i)) for i in range(12)]
    new = [
        1.03 * old * noise for old, noise in zip(swings, lognormal(3, 12, 1.0, 0.005), strict=True)
    ]

    in_pairs = only_row(two_versions(swings, new, paired=True))
    alone = only_row(two_versions(swings, new))

    assert (in_pairs.verdict, alone.verdict) == ("regressed", "inconclusive")
    assert in_pairs.reason.endswith("12 pairs")
    assert in_pairs.ratio == pytest.approx(alone.ratio)


def test_pairs_of_different_sessions_are_no_pairs() -> None:
    """The same pair number in another session is another pair."""
    old = version("old", lognormal(1, 5), paired=True)
    new = version("new", lognormal(2, 5), paired=True, session="s2")

    row = only_row(frame_of(old + new))

    assert "unpaired" in row.reason


def test_a_launch_without_its_partner_is_set_aside() -> None:
    """One launch that failed costs its pair, not the comparison."""
    frame = frame_of(
        version("old", lognormal(1, 6), paired=True) + version("new", lognormal(2, 5), paired=True)
    )

    row = only_row(frame)

    assert (row.baseline_launches, row.candidate_launches) == (5, 5)
    assert "5 pairs; 1 launch without a partner set aside" in row.reason


def test_blocks_are_no_evidence() -> None:
    """However many blocks and calls a launch made, it counts once."""
    few = two_versions(lognormal(1, 4), lognormal(2, 4), blocks=1, calls=1)
    many = two_versions(lognormal(1, 4), lognormal(2, 4), blocks=10_000, calls=10**9)

    assert only_row(few) == only_row(many)


@pytest.mark.parametrize(("growth", "expected"), [(200 * KIB, "unchanged"), (3e6, "regressed")])
def test_memory_from_the_kernel_has_a_floor(growth: float, expected: str) -> None:
    """200 KiB more is the kernel's lag; 3 MB more are a regression."""
    old = [1e6, 1e6 + 4096, 1e6]

    row = only_row(
        two_versions(old, [x + growth for x in old], metric="peak_memory", source="VmHWM")
    )

    assert row.verdict == expected


def test_memory_from_an_exact_counter_has_none() -> None:
    """200 KiB more by mallinfo2 are seen."""
    old = [1e6, 1e6 + 4096, 1e6]
    new = [x + 200 * KIB for x in old]

    row = only_row(two_versions(old, new, metric="held_memory", source="mallinfo2"))

    assert row.verdict == "regressed"


def test_freed_memory_has_no_ratio() -> None:
    """Where a side is not positive, values are compared and no ratio is given."""
    row = only_row(two_versions([-1e6, -1.1e6, -1e6], [9e6, 9.1e6, 9e6], metric="retained_memory"))

    assert (row.ratio, row.ratio_low, row.verdict) == (None, None, "regressed")
    assert row.baseline == pytest.approx(-3.1e6 / 3)


def test_a_leak_is_a_regression() -> None:
    """80 bytes a call that were not there before, by an exact counter."""
    old, new = [0.1, -0.2, 0.0, 0.1], [80.1, 79.9, 80.0, 80.0]

    row = only_row(two_versions(old, new, metric="memory_drift", source="mallinfo2"))

    assert row.verdict == "regressed"
    assert row.ratio is None


@pytest.mark.parametrize(("calls", "expected"), [(1_000, "inconclusive"), (100_000, "regressed")])
def test_a_leak_seen_by_the_kernel_needs_calls(calls: int, expected: str) -> None:
    """The kernel's lag of half a MiB over the calls is not a leak."""
    new = [400.0, 450.0, 425.0, 600.0]

    row = only_row(
        two_versions([0.0, 1.0, 0.0, 0.0], new, metric="memory_drift", source="VmRSS", calls=calls)
    )

    assert row.verdict == expected


@pytest.mark.parametrize(
    ("drift", "expected"), [(0.0005, "unchanged"), (0.01, "regressed"), (-0.01, "improved")]
)
def test_a_call_that_slows_down_is_a_regression(drift: float, expected: str) -> None:
    """1 % per 1,000 calls matters, 0.05 % does not."""
    old = [0.0, 1e-5, -1e-5, 0.0]

    row = only_row(two_versions(old, [x + drift for x in old], metric="time_drift"))

    assert row.verdict == expected


@pytest.mark.parametrize(
    ("new", "expected"), [(300, "improved"), (301, "unchanged"), (302, "regressed")]
)
def test_counts_are_compared_exactly(new: int, expected: str) -> None:
    """One node more is a regression, after one launch already."""
    row = only_row(two_versions([301.0], [float(new)], metric="nodes"))

    assert row.verdict == expected
    assert row.reason.startswith("deterministic count")


def test_counts_that_vary_are_compared_as_noise() -> None:
    """A count that is not deterministic is tested like a measurement, and the reason says so."""
    old, new = [100.0, 120.0, 90.0], [101.0, 95.0, 118.0]

    row = only_row(two_versions(old, new, metric="live_objects"))

    assert row.verdict == "inconclusive"
    assert "varies from launch to launch" in row.reason


def test_times_of_zero_are_compared_by_their_values() -> None:
    """There is no log of 0, and no ratio to it."""
    row = only_row(two_versions([0.0, 0.0, 0.0], [1.0, 1.1, 1.0], metric="first_time"))

    assert (row.verdict, row.ratio) == ("regressed", None)


def test_errors_against_the_golden_evaluator_are_not_compared() -> None:
    """They are checked before timing; a smaller one is not faster."""
    frame = two_versions([1e-7], [1e-6], metric="max_relative_error")

    comparison = compare(frame)

    assert comparison.rows == comparison.missing == ()
    assert exit_code(comparison) == 3


def test_probes_are_compared_each_with_itself() -> None:
    """Two sources of a metric make two rows, which say whose they are."""
    frame = frame_of(
        version("old", [1e6, 1e6], metric="held_memory", source="mallinfo2")
        + version("old", [9e6, 9e6], metric="held_memory", source="VmRSS")
        + version("new", [1e6, 1e6], metric="held_memory", source="mallinfo2")
        + version("new", [9e6, 9e6], metric="held_memory", source="VmRSS")
    )

    reasons = [row.reason for row in compare(frame).rows]

    assert [reason.rpartition("; ")[2] for reason in reasons] == [
        "source mallinfo2",
        "source VmRSS",
    ]


def test_other_probes_are_a_gap() -> None:
    """Memory by the kernel cannot be compared with memory by sampling."""
    frame = frame_of(
        version("old", [1e6, 1e6], metric="peak_memory", source="VmHWM")
        + version("new", [1e6, 1e6], metric="peak_memory", source="memory_profiler")
    )

    comparison = compare(frame)

    assert [gap.reason for gap in comparison.missing] == [
        "one side by 'VmHWM', the other by 'memory_profiler'"
    ]
    assert exit_code(comparison) == 3


def failing(label: str, status: str, **changes: object) -> list:  # type: ignore[type-arg]
    """A case of one launch that fails."""
    return [reading(label=label, status=status, value=None, spread=None, detail="why", **changes)]


def test_a_new_failure_is_a_regression() -> None:
    """A case that worked and times out is worse than any slowdown."""
    frame = frame_of(version("old", lognormal(1, 5)) + failing("new", "timeout"))

    comparison = compare(frame)

    (row,) = comparison.rows
    assert row.verdict == "regressed"
    assert row.reason == "new failure: ok → timeout in evaluate, 1 of 1 launches: why"
    assert (row.baseline, row.ratio, row.baseline_launches) == (None, None, 5)
    assert comparison.missing == ()
    assert exit_code(comparison) == 1


def test_a_case_that_works_again_is_improved() -> None:
    """And the other way round."""
    frame = frame_of(failing("old", "crash") + version("new", lognormal(1, 5)))

    comparison = compare(frame)

    assert [row.verdict for row in comparison.rows] == ["improved"]
    assert comparison.rows[0].reason.startswith("works again: crash in evaluate")


def test_one_launch_that_fails_among_many_counts() -> None:
    """Nine launches of ten are compared, and the tenth is a regression of its own."""
    new = version("new", lognormal(2, 9)) + failing("new", "crash", launch=9)

    comparison = compare(frame_of(version("old", lognormal(1, 10)) + new))

    assert len(comparison.rows) == 2
    assert "1 of 10 launches" in comparison.having("regressed")[0].reason


def test_failing_more_often_is_a_regression() -> None:
    """From one launch in three to every launch."""
    old = version("old", lognormal(1, 2)) + failing("old", "crash", launch=2)
    new = [row for i in range(3) for row in failing("new", "crash", launch=i)]

    (row,) = compare(frame_of(old + new)).having("regressed")

    assert row.reason.startswith("fails more often: crash in evaluate, 1 of 3 launches")


def test_failing_on_both_sides_is_listed() -> None:
    """Nothing can be said about a case that fails on both sides, and nothing is hidden."""
    comparison = compare(frame_of(failing("old", "refused") + failing("new", "error")))

    assert comparison.rows == ()
    (case,) = comparison.failing
    assert "refused in evaluate" in case.reason
    assert "error in evaluate" in case.reason
    assert exit_code(comparison) == 3


def test_a_missing_case_is_never_green() -> None:
    """What the baseline has and the candidate lacks is listed, and the exit code is 3."""
    times = lognormal(1, 12, sd=0.0005)
    old = version("old", times) + version("old", times, scenario="mlp")

    comparison = compare(frame_of(old + version("new", times)))

    assert [(gap.scenario, gap.phase, gap.reason) for gap in comparison.missing] == [
        ("mlp", "", "not in the candidate")
    ]
    assert [row.verdict for row in comparison.rows] == ["unchanged"]
    assert exit_code(comparison) == 3


def test_a_missing_phase_is_never_green() -> None:
    """Nor is a metric or phase that was not measured again."""
    old = version("old", lognormal(1, 5)) + version("old", lognormal(2, 5), phase="compile")

    comparison = compare(frame_of(old + version("new", lognormal(3, 5))))

    assert [gap.phase for gap in comparison.missing] == ["compile"]


def test_what_only_the_candidate_has_is_listed() -> None:
    """A new case has nothing to be compared with, and does no harm."""
    times = lognormal(1, 12, sd=0.0005)
    new = version("new", times) + version("new", times, mode="gradient")

    comparison = compare(frame_of(version("old", times) + new))

    assert [gap.mode for gap in comparison.candidate_only] == ["gradient"]
    assert exit_code(comparison) == 0


def test_a_metric_can_be_chosen() -> None:
    """Only its rows are compared."""
    frame = frame_of(suite("old", 1) + suite("new", 2))

    comparison = compare(frame, metrics=["nodes"])

    assert {row.metric for row in comparison.rows} == {"nodes"}
    assert comparison.missing == ()


def test_several_candidates_are_compared_with_one_baseline() -> None:
    """Each with the first label to appear, errors counted over all rows."""
    frame = frame_of(
        version("a", lognormal(1, 8))
        + version("b", lognormal(2, 8))
        + version("c", lognormal(3, 8))
    )

    comparison = compare(frame)

    assert [(row.baseline_label, row.candidate_label) for row in comparison.rows] == [
        ("a", "b"),
        ("a", "c"),
    ]


def test_more_rows_ask_for_more_evidence() -> None:
    """A change that would be called alone is not called among 40 others that are the same."""
    pairs: list = []  # type: ignore[type-arg]
    for case in range(40):
        slower = 1.02 if case == 0 else 1.0
        changes = {"params": f"depth={case}"}
        pairs += version("old", lognormal(case, 6), **changes)
        pairs += version("new", lognormal(100 + case, 6, slower * 1e-3), **changes)
    alone = compare(frame_of([one for one in pairs if one.params == "depth=0"]), threshold=0.001)
    among = compare(frame_of(pairs), threshold=0.001)

    assert [row.verdict for row in alone.rows] == ["regressed"]
    assert among.rows[0].verdict == "inconclusive"
    assert "not after Holm's correction over 40 rows" in among.rows[0].reason
    assert (among.rows[0].ratio_low, among.rows[0].ratio_high) == (
        alone.rows[0].ratio_low,
        alone.rows[0].ratio_high,
    )


def test_the_geometric_mean_is_of_the_cases() -> None:
    """By phase and metric, with an interval, over two cases or more."""
    frame = frame_of(suite("old", 1) + suite("new", 2, slower=1.05))

    means = {mean.metric: mean for mean in compare(frame).geometric_means}

    ratios = [row.ratio for row in compare(frame).rows if row.metric == "time"]
    assert means["time"].ratio == pytest.approx(math.prod(x or 0 for x in ratios) ** 0.5)
    assert means["time"].ratio_low < 1.05 < means["time"].ratio_high
    assert means["time"].cases == 2
    assert means.keys() == {"time", "peak_memory"}


def mirrored(comparison: Comparison) -> dict[tuple[str, ...], tuple[object, ...]]:
    """What a comparison says, the sides exchanged."""
    opposite = {"regressed": "improved", "improved": "regressed"}
    return {
        (row.case, row.phase, row.metric): (
            opposite.get(row.verdict, row.verdict),
            *(
                None if x is None else pytest.approx(1 / x)
                for x in (row.ratio, row.ratio_high, row.ratio_low)
            ),
        )
        for row in comparison.rows
    }


def told(comparison: Comparison) -> dict[tuple[str, ...], tuple[object, ...]]:
    """What a comparison says."""
    return {
        (row.case, row.phase, row.metric): (row.verdict, row.ratio, row.ratio_low, row.ratio_high)
        for row in comparison.rows
    }


@settings(max_examples=30)
@given(st.data())
def test_the_other_way_round_is_the_mirror(data: st.DataObject) -> None:
    """compare(A, B) and compare(B, A) give inverse ratios and mirrored verdicts."""
    rows = []
    for name in data.draw(st.lists(st.sampled_from(list(METRICS)), min_size=1, unique=True)):
        metric = METRICS[name]
        numbers = st.integers(0, 50).map(float) if metric.kind == "count" else st.floats(0, 100)
        paired = data.draw(st.booleans())
        for label in ("old", "new"):
            values = data.draw(st.lists(numbers, max_size=5))
            rows += version(label, values, metric=name, paired=paired)
    if data.draw(st.booleans()):
        rows += failing(data.draw(st.sampled_from(["old", "new"])), "crash", launch=99)
    frame = frame_of([*rows, *(reading(label=x, mode="gradient") for x in ("old", "new"))])

    forward = compare(frame, baseline_label="old")
    backward = compare(frame, baseline_label="new")

    assert told(backward) == mirrored(forward)
    assert [gap.phase for gap in forward.missing] == [gap.phase for gap in backward.candidate_only]


@settings(max_examples=15)
@given(st.floats(1e-6, 1e6), st.integers(0, 10**6))
def test_the_unit_does_not_matter(scale: float, seed: int) -> None:
    """Times a thousand times longer give the same ratios and verdicts."""
    old, new = lognormal(seed, 5), lognormal(seed + 1, 5, 1.03e-3)

    once = only_row(two_versions(old, new))
    scaled = only_row(two_versions([x * scale for x in old], [x * scale for x in new]))

    assert scaled.ratio == pytest.approx(once.ratio)
    assert scaled.ratio_low == pytest.approx(once.ratio_low)


@pytest.mark.parametrize("metric", list(METRICS))
def test_a_version_is_no_worse_than_itself(metric: str) -> None:
    """The same readings under two labels change nothing, whatever the threshold."""
    values = [0.0, 1.0, 2.0] if METRICS[metric].kind == "count" else [0.5, 1.0, 0.7]
    frame = two_versions(values, values, metric=metric, paired=True)

    verdicts = {row.verdict for row in compare(frame, threshold=0.0).rows}

    assert verdicts <= {"unchanged", "inconclusive"}


def test_values_at_the_ends_of_the_range_do_no_harm() -> None:
    """Where squares overflow there is no verdict, and no infinity or NaN in a row."""
    row = only_row(two_versions([1e308, 1e-308, 1e300], [1e307, 1e308, 1.0], metric="peak_memory"))

    assert row.verdict == "inconclusive"
    assert row.ratio_high is None or math.isfinite(row.ratio_high)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": -0.1}, "threshold is -0.1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"level": 0.0}, "level is 0.0"),
        ({"level": 1.0}, "level is 1.0"),
        ({"metrics": ["speed"]}, "no metric speed"),
        ({"baseline_label": "older"}, "no reading has label 'older'"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, object], words: str) -> None:
    """The error says what was given and what is expected."""
    with pytest.raises(ComparisonError, match=words):
        compare(two_versions([1.0], [1.0]), **options)  # type: ignore[arg-type]


def test_one_version_is_nothing_to_compare() -> None:
    """The error says what to do about it."""
    with pytest.raises(NothingToCompareError, match="another --label"):
        compare(frame_of(version("old", [1.0])))


def test_no_readings_are_nothing_to_compare() -> None:
    """Nor is an empty table."""
    with pytest.raises(NothingToCompareError, match="no readings"):
        compare(frame_of([]))


def test_other_machines_are_refused_unless_allowed() -> None:
    """Ratios between machines say little about versions."""
    frame = frame_of(version("old", [1.0, 1.1]) + version("new", [1.0, 1.1], machine="m2"))

    with pytest.raises(ComparisonError, match="different machines"):
        compare(frame)

    comparison = compare(frame, allow_other_machine=True)
    assert "the machines' difference" in comparison.notes[0]


def test_rows_of_failures_keep_their_place_among_candidates() -> None:
    """Each candidate's failures are told with its label."""
    frame = frame_of(
        version("a", lognormal(1, 3))
        + failing("b", "crash")
        + [replace(one, label="c") for one in failing("b", "timeout")]
    )

    reasons = {row.candidate_label: row.reason for row in compare(frame).rows}

    assert "crash" in reasons["b"]
    assert "timeout" in reasons["c"]
