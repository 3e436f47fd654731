"""Exports for services whose readers cannot be run here, held against their published rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from results.errors import ComparisonError
from results.exchange.catalog import FORMATS
from results.exchange.naming import series_of
from results.schema import METRICS, OK, Reading
from tests.results.exchange.published_rules import (
    ACTION,
    BENCHER,
    alerts,
    deviation,
    strictly_loaded,
)
from tests.results.samples import distinct, reading, suite, valid_readings, version

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is in the extra `test`")

RULES = {"bencher": BENCHER, "github-action-benchmark": ACTION}


def _content(name: str, readings: Sequence[Reading]) -> Any:
    return strictly_loaded(FORMATS[name].exported(readings, None).files[""])


def _is_taken(name: str, content: object) -> bool:
    return bool(jsonschema.Draft202012Validator(RULES[name]).is_valid(content))


@pytest.mark.parametrize("name", list(RULES))
@given(drawn=st.lists(valid_readings(), max_size=12))
def test_every_export_keeps_the_rules(name: str, drawn: list[Reading]) -> None:
    """Whatever a table holds, in any text and any number; what does not fit is counted."""
    readings = distinct([*drawn, reading(value=1e-3)])

    exported = FORMATS[name].exported(readings, None)

    jsonschema.validate(strictly_loaded(exported.files[""]), RULES[name])
    left_out = sum(exported.left_out.values())
    assert left_out >= sum(one.status != OK for one in readings)
    assert left_out < len(readings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bencher", {}),
        ("bencher", {"b": {}}),
        ("bencher", {"b": {"latency": {"lower_value": 1.0}}}),
        ("bencher", {"b": {"latency": {"value": "1"}}}),
        ("bencher", {"b": {"latency": {"value": 1.0, "unit": "ns"}}}),
        ("bencher", {"b": {"x" * 65: {"value": 1.0}}}),
        ("bencher", {"b": {"latency ": {"value": 1.0}}}),
        ("bencher", {"b" * 1025: {"latency": {"value": 1.0}}}),
        ("bencher", {"b_bencher_ignore": {"latency": {"value": 1.0}}}),
        ("github-action-benchmark", []),
        ("github-action-benchmark", {"name": "a", "unit": "ns", "value": 1}),
        ("github-action-benchmark", [{"name": "a", "value": 1}]),
        ("github-action-benchmark", [{"name": "a", "unit": "ns", "value": "1"}]),
        ("github-action-benchmark", [{"name": "a", "unit": "ns", "value": 1, "range": 2}]),
    ],
)
def test_the_rules_refuse_what_breaks_them(name: str, content: object) -> None:
    """Rules that everything keeps would tell nothing of our exports."""
    assert not _is_taken(name, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bencher", {"./build.sh": {"latency": {"value": 88.0}, "file-size": {"value": 5}}}),
        ("bencher", {"b": {"latency": {"value": 2.0, "lower_value": 1, "upper_value": 3.5}}}),
        ("github-action-benchmark", [{"name": "load", "unit": "Percent", "value": 50}]),
        (
            "github-action-benchmark",
            [{"name": "free", "unit": "MB", "value": 150, "range": "3", "extra": "a\nb"}],
        ),
    ],
)
def test_the_rules_take_what_the_services_document(name: str, content: object) -> None:
    """Files such as those that their own pages show."""
    assert _is_taken(name, content)


def test_quartiles_stand_around_the_median_for_bencher() -> None:
    """`lower_value <= value <= upper_value`, times in nanoseconds as `latency` is counted."""
    content = _content("bencher", suite("a", seed=1))

    of_chain = content["planned/chain/depth=100;width=64/output/evaluate"]
    assert of_chain.keys() == {"latency", "peak-memory", "memory-drift"}
    assert of_chain["latency"]["value"] == pytest.approx(1e6, rel=0.05)
    for measures in content.values():
        for found in measures.values():
            assert found["lower_value"] <= found["value"] <= found["upper_value"]


def test_names_that_bencher_refuses_are_left_out() -> None:
    """1,024 characters for a benchmark, 64 for a measure; the rest of the table is exported."""
    long_scenario = version("a", [1.0, 2.0], scenario="x" * 1024)
    long_source = version("a", [1.0], source="y" * 64)

    exported = FORMATS["bencher"].exported(
        [*long_scenario, *version("a", [3.0]), *long_source], None
    )

    assert exported.left_out == {"Bencher refuses names that long": 3}
    jsonschema.validate(strictly_loaded(exported.files[""]), BENCHER)
    with pytest.raises(ComparisonError, match="refuses names that long"):
        FORMATS["bencher"].exported(long_scenario, None)


def test_the_action_warns_of_what_takes_twice_the_time() -> None:
    """By name and ratio: of both cases' times, and of nothing that did not change."""
    old, new = (
        _content("github-action-benchmark", suite(label, seed=1, slower=slower))
        for label, slower in (("old", 1.0), ("new", 2.0))
    )

    found = alerts(old, new, above=1.5)

    assert found == {
        f"planned/{scenario}/depth=100;width=64/output/evaluate/time": pytest.approx(2, rel=0.05)
        for scenario in ("chain", "mlp")
    }
    assert alerts(new, old, above=1.5) == {}


def test_drifts_are_not_given_to_the_action() -> None:
    """Drifts lie around 0, and it would warn of their ratios."""
    readings = [*version("a", [1e-9], metric="time_drift"), *version("a", [1e-3])]

    exported = FORMATS["github-action-benchmark"].exported(readings, None)

    assert exported.left_out == {"the action compares by ratio, and drifts have none": 1}
    (entry,) = strictly_loaded(exported.files[""])
    assert entry["value"] == 1e6


def test_the_action_reads_every_range() -> None:
    """Half the interquartile range, in the entry's unit; none where nothing varies."""
    readings = suite("a", seed=1)

    entries: Sequence[Mapping[str, Any]] = _content("github-action-benchmark", readings)

    assert len({entry["name"] for entry in entries}) == len(entries)
    by_name = {entry["name"]: entry for entry in entries}
    for one in series_of([each for each in readings if each.status == OK]):
        if METRICS[one.first.metric].kind == "drift":
            continue
        values = [each.value or 0.0 for each in one.readings]
        scale = 1e9 if one.first.unit == "s" else 1
        found = deviation(by_name[one.name])
        if len(set(values)) == 1:
            assert found is None
        else:
            assert found is not None
            assert 0 < found <= (max(values) - min(values)) / 2 * scale
