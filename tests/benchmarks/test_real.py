"""Real releases: what was seen before is looked for in the right row."""

from __future__ import annotations

import pytest

from benchmarks.verdict.real import REAL, Found, Seen, agreement, command_of, line, row_of
from harness.cli import _parser
from harness.sides import parse_sides

FASTER = Seen(scenario="chain", mode="gradient", phase="evaluate", metric="time", old_over_new=1.13)


def found(verdict: str, ratio: float = 0.8) -> Found:
    """A row of that verdict."""
    return Found(verdict=verdict, ratio=ratio, low=0.75, high=0.85)


@pytest.mark.parametrize("name", REAL)
def test_its_commands_are_those_of_the_command_line(name: str) -> None:
    """Every option is known, and both sides are read."""
    releases = REAL[name]
    for seen in releases.seen:
        parsed = _parser().parse_args(command_of(releases, seen.scenario, seen.mode))

        assert len(parse_sides(parsed.sides)) == 2
        assert seen.metric in parsed.metric


@pytest.mark.parametrize(
    ("verdict", "ratio", "told"),
    [
        ("improved", 0.87, "as seen before"),
        ("improved", 0.97, "smaller than before"),
        ("improved", 0.70, "larger than before"),
        ("regressed", 1.13, "the other way"),
        ("unchanged", 1.0, "called unchanged"),
        ("inconclusive", 0.87, "not called"),
    ],
)
def test_a_faster_release_is_improved(verdict: str, ratio: float, told: str) -> None:
    """Old ÷ new above 1 is a ratio below 1, and twice its log is as large still."""
    assert agreement(FASTER, found(verdict, ratio)) == told


def test_ratios_are_shown_old_over_new() -> None:
    """The interval is turned round with them."""
    shown = line(REAL["numpy"], FASTER, found("improved"), 12.3)

    assert "| 1.13 | 1.25 (1.18 to 1.33) | improved, as seen before | 12 |" in shown


def test_the_row_is_found_by_case_phase_and_metric() -> None:
    """Where there is none, the others are listed."""
    row = {
        "scenario": "chain", "mode": "gradient", "phase": "evaluate", "metric": "time",
        "ratio": 0.8, "ratio_low": 0.75, "ratio_high": 0.85, "verdict": "improved", "reason": "",
    }  # fmt: skip
    other = row | {"phase": "compile", "reason": "too few launches"}

    assert row_of({"rows": [other, row]}, FASTER) == found("improved")
    with pytest.raises(ValueError, match="compile time: too few launches"):
        row_of({"rows": [other]}, FASTER)
