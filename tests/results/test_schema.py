"""What a valid reading is."""

from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from results.schema import (
    COLUMNS,
    KEY_COLUMNS,
    MAX_TEXT_LENGTH,
    METRICS,
    PHASES,
    Reading,
    first_problem,
    is_exact_source,
    storable,
)
from tests.results.samples import VALID, reading, valid_readings


def test_columns_stand_in_the_order_of_the_contract() -> None:
    """Outside programs rely on these names in this order."""
    assert ",".join(COLUMNS) == (
        "schema,session,recorded_at,label,evaluator,evaluator_version,scenario,params,mode,phase,"
        "metric,unit,source,launch,pair,value,spread,blocks,calls,status,detail,machine,environment"
    )


def test_a_key_is_made_of_columns() -> None:
    """Every name in a reading's key is a column."""
    assert set(KEY_COLUMNS) < set(COLUMNS)


def test_metrics_have_the_units_and_phases_of_the_contract() -> None:
    """Times in s, drifts per 1,000 calls or per call, memory in B, counts in 1."""
    units = {name: metric.unit for name, metric in METRICS.items()}

    assert units["first_time"] == units["time"] == "s"
    assert (units["time_drift"], units["memory_drift"]) == ("1/kcall", "B/call")
    assert METRICS["peak_memory"].phases == PHASES
    assert METRICS["max_relative_error"].phases == ("first_call",)


@settings(max_examples=25)
@given(valid_readings())
def test_what_is_drawn_as_valid_is_valid(one: Reading) -> None:
    """The strategy that other tests draw from makes valid readings only."""
    assert first_problem(one) is None


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("schema", {"schema": 2}),
        ("session", {"session": ""}),
        ("recorded_at", {"recorded_at": "yesterday"}),
        ("recorded_at", {"recorded_at": "2026-01-31T12:00:00+02:00"}),
        ("label", {"label": "a\0b"}),
        ("label", {"label": "\ud800"}),
        ("evaluator", {"evaluator": ""}),
        ("params", {"params": "width=1;depth=2"}),
        ("params", {"params": "depth"}),
        ("params", {"params": "a=1;a=2"}),
        ("mode", {"mode": "both"}),
        ("phase", {"phase": "prepare"}),
        ("phase", {"phase": "first_call"}),
        ("metric", {"metric": "speed", "unit": "s", "phase": "evaluate"}),
        ("unit", {"unit": "ms"}),
        ("value", {"value": None}),
        ("value", {"value": float("nan")}),
        ("value", {"value": float("inf")}),
        ("value", {"value": -1e-9}),
        ("value", {"metric": "peak_memory", "value": -1.0}),
        ("value", {"metric": "nodes", "value": 1.5}),
        ("value", {"status": "timeout"}),
        ("spread", {"spread": -1.0}),
        ("spread", {"spread": float("nan")}),
        ("launch", {"launch": None}),
        ("launch", {"launch": -1}),
        ("blocks", {"blocks": -1}),
        ("calls", {"calls": -1}),
        ("status", {"status": "fine"}),
        ("detail", {"detail": "x" * (MAX_TEXT_LENGTH + 1)}),
    ],
)
def test_what_is_not_valid_is_named_by_column(column: str, changes: dict[str, object]) -> None:
    """The problem names the cell, what it holds and what it should hold."""
    if changes.get("metric") == "speed":
        problem = first_problem(replace(VALID, metric="speed"))
    else:
        problem = first_problem(reading(**changes))

    assert problem is not None
    assert problem.column == column
    assert problem.expected


@pytest.mark.parametrize("name", ["held_memory", "retained_memory", "memory_drift", "time_drift"])
def test_what_is_freed_may_be_negative(name: str) -> None:
    """Held and retained memory and drifts can fall."""
    assert first_problem(reading(metric=name, value=-4096.0)) is None


def test_a_wrong_result_tells_how_wrong() -> None:
    """max_relative_error is the one metric that has a value when the status is not ok."""
    assert first_problem(reading(metric="max_relative_error", status="wrong", value=0.3)) is None


def test_a_failure_needs_no_launch() -> None:
    """A case that is refused before a process is started is a row all the same."""
    assert first_problem(reading(status="refused", value=None, launch=None)) is None


@given(st.text(st.characters(), max_size=40))
def test_any_text_can_be_made_storable(text: str) -> None:
    """`storable` makes a valid cell of any text, and leaves valid texts alone."""
    made = storable(text)

    assert first_problem(reading(detail=made)) is None
    assert made == text or first_problem(reading(detail=text)) is not None


def test_long_texts_are_cut() -> None:
    """A cell holds what a spreadsheet's cell holds."""
    assert len(storable("x" * 10**6)) == MAX_TEXT_LENGTH


def test_exact_sources_are_known() -> None:
    """The C heap's and Python's own counters are exact, the kernel's lag."""
    assert is_exact_source("mallinfo2")
    assert is_exact_source("sys.getallocatedblocks")
    assert not is_exact_source("VmHWM")
