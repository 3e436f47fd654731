"""Specifications, and filling them."""

import json
import re

import pytest

from results.report.plots import KINDS, SPECIFICATIONS, Kind, Plot, filled, unit_for


def plot(kind: Kind, **changes: object) -> Plot:
    """A plot whose texts look like places."""
    fields: dict[str, object] = {
        "kind": kind,
        "title": "of {unit} {case}",
        "x": "{scale}",
        "base": "s",
        "unit": "ms",
        "scale": 1e-3,
        "values": [{"version": "{title}", "value": 1.0}],
    }
    return Plot(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_no_place_stays_open(kind: Kind) -> None:
    """Every place that a specification has is filled."""
    text = json.dumps(filled(plot(kind, title="t", x="x", values=[]), ["a"]))

    assert re.search(r"\{\w+\}", text) is None
    assert re.search(r"\{\w+\}", json.dumps(SPECIFICATIONS[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_filled_in_once(kind: Kind) -> None:
    """A text that looks like a place stays as it is, in titles and in data."""
    made = filled(plot(kind), ["{title}"])

    assert made["description"] == "of {unit} {case}"
    assert made["data"]["values"] == [{"version": "{title}", "value": 1.0}]


@pytest.mark.parametrize(
    ("largest", "base", "expected"),
    [
        (2.0, "s", ("s", 1.0)),
        (2e-5, "s", ("µs", 1e-6)),
        (0.0, "s", ("ns", 1e-9)),
        (-3e6, "B", ("MiB", 2.0**20)),
        (10.0, "B/call", ("B/call", 1.0)),
        (0.2, "1/kcall", ("%/kcall", 0.01)),
        (300.0, "1", ("", 1.0)),
    ],
)
def test_units_fit_the_largest_value(
    largest: float, base: str, expected: tuple[str, float]
) -> None:
    """The unit that it is drawn in, and how much of the table's unit that is."""
    assert unit_for(largest, base) == expected
