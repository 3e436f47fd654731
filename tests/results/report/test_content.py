"""What a report tells."""

from dataclasses import replace

import pytest

from results.frames import frame_of
from results.history import histories
from results.report.cases import Case
from results.report.content import Content
from tests.results.report.reports import (
    BLOCKS,
    RELEASES,
    TIMELINES,
    history_of,
    page_of,
    releases,
    sweep,
    told,
    usual,
)
from tests.results.samples import suite, version


def case_of(content: Content, name: str) -> Case:
    """The case of that name."""
    return next(case for case in content.cases if case.name == name)


CHAIN = "planned chain depth=100;width=64 output"


def test_every_reading_is_a_dot() -> None:
    """Each launch's own value stands in the plot of its number, to the last bit."""
    readings = usual()
    content, _ = told(readings)

    expected = sorted(each.value for each in readings if each.value is not None)
    drawn = [
        value
        for case in content.cases
        for number in case.numbers
        for part in number.plot.values
        for value in part["value"]  # type: ignore[attr-defined]
    ]
    assert sorted(drawn) == expected


def test_rows_are_the_comparison_s() -> None:
    """Column by column, with the case and the reason by their numbers."""
    content, comparison = told(usual())

    assert comparison is not None
    for at, row in enumerate(comparison.rows):
        assert content.cases[content.rows["case"][at]].name == row.case  # type: ignore[call-overload]
        assert content.reasons[content.rows["reason"][at]] == row.reason  # type: ignore[call-overload]
        for name in ("phase", "metric", "ratio", "ratio_low", "verdict", "smallest_detectable"):
            assert content.rows[name][at] == getattr(row, name)


def test_phases_are_medians_over_launches() -> None:
    """One record for each phase and version that was measured."""
    readings = [
        one
        for label, base in (("old", 1.0), ("new", 3.0))
        for phase in ("construct", "compile")
        for one in version(label, [base, base + 1, base + 5], metric="first_time", phase=phase)
    ]
    content, _ = told(readings)

    plot = content.cases[0].phases
    assert plot is not None
    medians = {(record["version"], record["phase"]): record["value"] for record in plot.values}
    assert medians == {
        ("old", "construct"): 2.0,
        ("old", "compile"): 2.0,
        ("new", "construct"): 4.0,
        ("new", "compile"): 4.0,
    }
    assert (plot.unit, plot.scale) == ("s", 1.0)


def test_a_sweep_is_a_family() -> None:
    """Sizes that differ in one parameter make one growth plot for each number."""
    content, _ = told([*sweep("old"), *sweep("new", 2.0)])

    (family,) = content.families
    assert (family.name, family.size) == ("planned sweep depth=…;width=8 output", "depth")
    (plot,) = family.plots
    by_size = {
        record["size"]: record["value"] for record in plot.values if record["version"] == "new"
    }
    assert by_size == pytest.approx({10: 2e-4, 100: 2e-3, 1_000: 2e-2, 10_000: 0.2}, rel=0.05)


def test_a_worse_order_stands_with_its_family() -> None:
    """And, with what it was and is, on top of the page."""
    readings = [*sweep("old"), *sweep("new", power=2.0)]
    content, _ = told(readings)

    (family,) = content.families
    (order,) = family.orders
    assert (order.number, order.version, order.verdict) == ("evaluate time", "new", "regressed")
    assert order.baseline.startswith("linear")
    assert order.candidate.startswith("quadratic")
    page = page_of(readings)
    assert "Grows faster with size" in page[: page.index("</header>")]


def test_one_size_is_no_family() -> None:
    """Nothing grows that has one size."""
    assert told([*suite("old", 1), *suite("new", 2)])[0].families == []


def test_a_history_has_its_versions_in_order() -> None:
    """Whatever order they were measured in; a dot for each, the change at the one it enters at."""
    content, _ = told(releases(), over=history_of(releases()))

    plot = case_of(content, CHAIN).numbers[0].history
    assert plot is not None
    assert [record["version"] for record in plot.values] == list(RELEASES) == content.order
    told_at = {str(each["version"]): each["change"] for each in plot.values if each["change"]}
    assert list(told_at) == ["lib==1.10"]
    assert str(told_at["lib==1.10"]).startswith("worse from lib==1.10 on: +")
    for record in plot.values:
        low, mean, high = (float(str(record[name])) for name in ("low", "value", "high"))
        assert low < mean < high


def test_levels_are_the_means_between_changes() -> None:
    """One before the change, one from it on, 30 % apart."""
    content, _ = told(releases(), over=history_of(releases()))

    plot = case_of(content, CHAIN).numbers[0].history
    assert plot is not None
    levels = [float(str(record["level"])) for record in plot.values]
    assert levels[:2] == [levels[0]] * 2
    assert levels[2:] == [levels[2]] * 3
    assert levels[2] / levels[0] == pytest.approx(1.3, rel=0.02)


def test_without_a_noise_no_level_is_drawn() -> None:
    """Four versions apart: what changes cannot be told from what scatters, and the plot says so."""
    readings = [replace(one, session=one.label, pair="") for one in releases()]
    content, _ = told(readings, over=histories(frame_of(readings), RELEASES[:4]))

    plot = case_of(content, CHAIN).numbers[0].history
    assert plot is not None
    assert {(each["level"], each["low"], each["change"]) for each in plot.values} == {(None,) * 3}
    assert "too few versions" in plot.x
    assert content.changes == []


def test_changes_are_told_with_their_version() -> None:
    """The series that does not change is not among them."""
    content, _ = told(releases(), over=history_of(releases()))

    (entry,) = content.changes
    assert (entry.case, entry.number) == (CHAIN, "evaluate time (perf_counter_ns)")
    assert (entry.before, entry.enters_at, entry.verdict) == ("lib==1.9", "lib==1.10", "regressed")


def test_failures_are_told_by_version() -> None:
    """Where, how often and why; nothing where nothing fails."""
    content, _ = told(usual())

    assert case_of(content, "planned fragile depth=100;width=64 output").failures == [
        "",
        "crash in evaluate, 1 of 1 launches: SIGSEGV",
    ]
    assert case_of(content, CHAIN).failures == ["", ""]


def test_environments_differ_fact_by_fact() -> None:
    """What differs comes first; facts within facts have their path as a name."""
    readings = [*version("old", [1.0, 1.1]), *version("new", [1.0, 1.1], environment="e2")]
    content, _ = told(readings)

    differing = {fact.name: fact.values for fact in content.facts if fact.differs}
    assert differing == {
        "environment id": ["e1", "e2"],
        "packages.numpy": ["1.26.4", "2.4.6"],
    }
    assert [fact.differs for fact in content.facts] == sorted(
        (fact.differs for fact in content.facts), reverse=True
    )


def test_a_timeline_stands_with_its_case() -> None:
    """And with no other; memory in bytes, blocks in seconds per call."""
    content, _ = told(usual(), TIMELINES, BLOCKS)

    for name, unit, launches in (("memory", "MiB", 1), ("time", "ms", 3)):
        drawn = [case.name for case in content.cases if getattr(case, name) is not None]
        assert drawn == [CHAIN]
        plot = getattr(case_of(content, CHAIN), name)
        assert (plot.unit, plot.values[0]["seconds"]) == (unit, [0.0, 0.5, 1.0])
        assert len(plot.values) == 2 * launches


def test_the_machine_s_yardsticks_are_no_case() -> None:
    """They tell of the machine; a page tells of evaluators."""
    content, _ = told([*suite("old", 1), *version("old", [1.0, 1.1], evaluator="yardstick")])

    assert not [case for case in content.cases if case.evaluator == "yardstick"]


def test_one_version_is_told_without_a_comparison() -> None:
    """Its numbers and plots are there, rows are not."""
    content, comparison = told(suite("only", 1))

    assert comparison is None
    assert content.versions == ["only"]
    assert content.rows["case"] == []
    number = case_of(content, CHAIN).numbers[0]
    assert " ms ± " in number.told[0]
