"""Sweeps found in tables, their orders, and how orders differ between versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from results.comparison import compare, exit_code
from results.formats import delimited, github, junit, markdown, structured, terminal
from results.frames import frame_of
from results.growth import compare_growths, growths, order_text
from results.judgement import Comparison
from results.schema import Reading
from tests.results.samples import reading

SIZES = (10, 30, 100, 300, 1_000)
Cost = Callable[[int], float]


def linear(n: int) -> float:
    """1 ms and 10 µs a step."""
    return 1e-3 + 1e-5 * n


def quadratic(n: int) -> float:
    """The same at 10 steps, and a hundred times as much at 1,000."""
    return 1e-3 + 1e-6 * n**2


def doubling(n: int) -> float:
    """For sizes of ten to twenty."""
    return 1e-6 * 2.0**n


def sweep(
    label: str,
    cost: Cost,
    *,
    sizes: tuple[int, ...] = SIZES,
    noise: float = 0.02,
    **changes: object,
) -> list[Reading]:
    """Four launches of each size."""
    rng = np.random.default_rng(sum(map(ord, label)))
    return [
        reading(
            label=label,
            params=f"depth={n};width=64",
            launch=launch,
            value=cost(n) * float(np.exp(noise * rng.standard_normal())),
            **changes,
        )
        for n in sizes
        for launch in range(4)
    ]


def versions(old: Cost, new: Cost, **changes: object) -> pd.DataFrame:
    """The same sweep in two versions."""
    return frame_of(sweep("old", old, **changes) + sweep("new", new, **changes))  # type: ignore[arg-type]


def test_a_sweep_is_found_and_named() -> None:
    """By the parameter that grows; the others stay."""
    (growth,) = growths(frame_of(sweep("old", linear)))

    assert growth.case == "planned chain depth=10…1000;width=64 output"
    assert (growth.sweep.parameter, growth.sweep.others) == ("depth", "width=64")
    assert (growth.phase, growth.metric, growth.sizes) == ("evaluate", "time", SIZES)
    assert growth.fit.order == "linear"
    assert growth.stopped == ""


def test_three_sizes_are_no_sweep() -> None:
    """An order takes four."""
    assert growths(frame_of(sweep("old", linear, sizes=(10, 100, 1_000)))) == ()


def test_texts_are_no_sizes() -> None:
    """Four forms of one size are not a sweep."""
    forms = [
        replace(one, params=f"depth=5;form={form}")
        for form in "abcd"
        for one in sweep("old", linear, sizes=(5,))
    ]

    assert growths(frame_of(forms)) == ()


def test_prepare_is_the_sum_of_its_phases() -> None:
    """First times of construct, lower and compile of each launch; launches that failed are out."""
    rows = [
        replace(one, phase=phase, metric="first_time", value=(one.value or 0) * share)
        for phase, share in (("construct", 0.2), ("lower", 0.3), ("compile", 0.5))
        for one in sweep("old", linear, noise=0)
    ]
    unfinished = reading(
        label="old", params="depth=10;width=64", launch=9, phase="construct", metric="first_time",
        value=1e9,
    )  # fmt: skip

    (growth,) = growths(frame_of([*rows, unfinished]))

    assert (growth.phase, growth.metric) == ("prepare", "first_time")
    assert growth.fit.order == "linear"
    assert growth.fit.factor == pytest.approx(linear(1_000) / linear(10), rel=0.02)


def test_memory_below_what_the_kernel_sees_is_constant() -> None:
    """Zero bytes, then a few pages: no growth, and no log of zero."""
    rows = sweep(
        "old", lambda n: 0 if n < 100 else 8192, noise=0, metric="peak_memory", phase="evaluate"
    )

    (growth,) = growths(frame_of(rows))

    assert growth.fit.order == "constant"


def test_where_a_sweep_ended_is_told() -> None:
    """The smallest size that failed; larger ones were not run."""
    failures = [
        reading(
            label="old", params=f"depth={n};width=64", status=status, value=None, phase="compile",
            metric="first_time",
        )
        for n, status in ((3_000, "timeout"), (2_000, "recursion"))
    ]  # fmt: skip

    (growth,) = growths(frame_of(sweep("old", linear) + failures))

    assert growth.stopped == "depth=2000 ended with recursion in compile"
    assert growth.sizes == SIZES


def test_a_worse_order_is_a_regression_that_says_was_and_now() -> None:
    """Linear, then quadratic; the other way round it is an improvement."""
    frame = versions(linear, quadratic)

    (row,) = compare_growths(frame, "old", ("new",))
    (back,) = compare_growths(frame, "new", ("old",))

    assert row.verdict == "regressed"
    assert row.reason.startswith("was 1.0")
    assert ", now 2.0" in row.reason
    assert row.reason.endswith("]: worse order")
    assert back.verdict == "improved"
    assert back.reason.endswith(": better order")


def test_the_same_order_is_unchanged_whatever_the_speed() -> None:
    """Twice as slow at every size, as on another machine: the order is the same."""
    (row,) = compare_growths(versions(linear, lambda n: 2 * linear(n)), "old", ("new",))

    assert row.verdict == "unchanged"


def test_exponential_growth_is_worse_than_any_power() -> None:
    """And tells the base."""
    sizes = (10, 12, 14, 16, 18, 20)
    frame = versions(lambda n: 1e-6 * n**2, doubling, sizes=sizes)

    (row,) = compare_growths(frame, "old", ("new",))

    assert row.verdict == "regressed"
    assert "exponential, 2" in row.reason
    assert (row.baseline_exponent is None, row.candidate_exponent) == (False, None)


def test_a_larger_base_is_worse() -> None:
    """Doubling at every step, then multiplying by 2.4."""
    sizes = (10, 12, 14, 16, 18, 20)
    frame = versions(doubling, lambda n: 1e-6 * 2.4**n, sizes=sizes)

    (row,) = compare_growths(frame, "old", ("new",))

    assert row.verdict == "regressed"
    assert "now 2.4" in row.reason


def test_only_sizes_that_both_have_are_compared() -> None:
    """A version that fails at large sizes is compared where it did not."""
    old = sweep("old", linear, sizes=(*SIZES, 3_000, 10_000))

    (row,) = compare_growths(frame_of(old + sweep("new", linear)), "old", ("new",))

    assert (row.smallest, row.largest) == (10, 1_000)
    assert row.baseline_launches == row.candidate_launches == 4 * len(SIZES)


def test_wrong_alarms_are_rare() -> None:
    """Two versions alike, launches that differ by 10 %: none of 100 comparisons calls a change."""
    calls = 0
    for seed in range(100):
        frame = frame_of(
            sweep(f"old{seed}", linear, noise=0.1) + sweep(f"new{seed}", linear, noise=0.1)
        )
        (row,) = compare_growths(frame, f"old{seed}", (f"new{seed}",))
        calls += row.verdict in ("regressed", "improved")

    assert calls <= 1


def test_a_worse_order_decides_over_single_sizes() -> None:
    """Faster at every size that was measured but the last, and still a regression: exit code 1."""
    frame = versions(lambda n: 1e-2 + 1e-5 * n, lambda n: 1e-3 + 1.9e-8 * n**2)

    comparison = compare(frame)

    assert {row.verdict for row in comparison.rows} <= {"improved", "inconclusive"}
    assert [row.verdict for row in comparison.growth] == ["regressed"]
    assert comparison.verdict == "regressed"
    assert exit_code(comparison) == 1


def test_a_worse_order_is_seen_across_machines() -> None:
    """Times of another machine differ by a factor; orders do not."""
    new = [replace(one, machine="m2") for one in sweep("new", lambda n: 3 * quadratic(n))]

    comparison = compare(frame_of(sweep("old", linear) + new), allow_other_machine=True)

    assert [row.verdict for row in comparison.growth] == ["regressed"]


def test_metrics_that_were_not_asked_for_are_left_out() -> None:
    """Of orders as well."""
    frame = versions(linear, quadratic)

    assert compare_growths(frame, "old", ("new",), metrics=("peak_memory",)) == ()


def _comparison() -> Comparison:
    return compare(versions(linear, quadratic))


@pytest.mark.parametrize(
    "render", [markdown.render, github.render, junit.render, structured.render, delimited.render]
)
def test_every_format_tells_a_worse_order(render: Callable[[Comparison], str]) -> None:
    """Which sweep, and what it was and is; Markdown escapes brackets."""
    text = render(_comparison()).replace("\\", "")

    assert "depth=10…1000" in text or '"largest": 1000' in text
    assert "worse order" in text


def test_the_terminal_tells_a_worse_order() -> None:
    """In a table of its own, and in the last line."""
    stream = StringIO()

    terminal.render(_comparison(), terminal.console(stream))

    text = stream.getvalue()
    assert "planned chain depth=10…1000;width=64 output, evaluate time" in text
    assert "worse order" in text
    assert "orders of growth: 1 regressed" in text


def test_unchanged_orders_are_counted_and_shown_when_asked_for() -> None:
    """As rows are."""
    comparison = compare(versions(linear, linear))
    short, long = StringIO(), StringIO()

    terminal.render(comparison, terminal.console(short))
    terminal.render(comparison, terminal.console(long), every_row=True)

    assert "orders of growth not shown: 1 unchanged" in short.getvalue()
    assert "the same order" in long.getvalue()


def test_json_has_orders_apart_from_rows_and_csv_among_them() -> None:
    """The contract's fields of a row stay as they are."""
    comparison = _comparison()

    growth = json.loads(structured.render(comparison))["growth"]
    lines = delimited.render(comparison).splitlines()

    assert [each["verdict"] for each in growth] == ["regressed"]
    assert len(json.loads(structured.render(comparison))["rows"]) == len(SIZES)
    assert len(lines) == 1 + len(SIZES) + 1
    assert ",time_growth,exponent,old,new," in lines[-1]


def test_junit_fails_a_test_for_the_order() -> None:
    """Beside those of single sizes."""
    text = junit.render(_comparison())

    assert 'name="evaluate time growth (new)"' in text
    assert f'tests="{len(SIZES) + 1}"' in text


def test_a_run_prints_what_it_found() -> None:
    """A line for each phase and metric, with where the sweep ended."""
    failed = reading(
        label="old", params="depth=3000;width=64", status="timeout", value=None, phase="compile",
        metric="first_time",
    )  # fmt: skip
    stream = StringIO()

    terminal.render_growths(
        growths(frame_of([*sweep("old", linear), failed])), terminal.console(stream)
    )

    text = stream.getvalue()
    assert "planned chain depth=10…1000;width=64 output" in text
    assert "linear, 1.0" in text
    assert "; depth=3000 ended with timeout in compile" in text


def test_without_sweeps_nothing_is_printed() -> None:
    """Not even a heading."""
    stream = StringIO()

    terminal.render_growths((), terminal.console(stream))

    assert stream.getvalue() == ""


def test_poor_fits_and_rivals_are_told() -> None:
    """`order_text` says what else may be, and how far sizes are off."""
    (growth,) = growths(frame_of(sweep("old", linear)))
    poor = replace(growth.fit, is_poor=True, residual=0.31, rivals=("n log n",))

    assert order_text(poor).endswith("] (or n log n), poor fit: sizes are 31% off")
