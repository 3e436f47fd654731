"""Words shared by formats."""

import pytest

from results.formats.wording import change_text, headline, mean_text, plain
from tests.results.formats.comparisons import EMPTY, USUAL


@pytest.mark.parametrize(
    ("ratio", "low", "high", "expected"),
    [
        (None, None, None, "–"),
        (1.021, None, None, "+2.10 %"),
        (1.021, 1.015, 1.027, "+2.10 % [+1.50 %, +2.70 %]"),
        (3.1, 3.0, 3.2, "3.1× [3×, 3.2×]"),
        (0.25, 0.2, 0.3, "0.25× [0.2×, 0.3×]"),
    ],
)
def test_ratios_are_changes(
    ratio: float | None, low: float | None, high: float | None, expected: str
) -> None:
    """In per cent near 1, as a factor far from it."""
    assert change_text(ratio, low, high) == expected


def test_means_have_their_spread() -> None:
    """In per cent where it is smaller than the mean, else in the unit."""
    assert mean_text(1e-3, 2e-5, "s") == "1 ms ± 2.0 %"
    assert mean_text(0.01, 0.2, "B/call") == "0.010 ± 0.200 B/call"
    assert mean_text(0.0, 2048.0, "B") == "0 B ± 2 KiB"
    assert mean_text(-1.0, 2.0, "1") == "-1 ± 2"
    assert mean_text(0.0, 0.01, "1/kcall") == "0.00 ± 1.00 %/kcall"
    assert mean_text(1e-3, None, "s") == "1 ms"
    assert mean_text(None, None, "s") == "–"


def test_control_characters_are_taken_out() -> None:
    """A table's text moves no cursor and turns no writing around."""
    assert plain("a\nb\x1b[2J\u202ec") == "a b�[2J�c"


def test_the_headline_counts() -> None:
    """Verdicts, and what was not compared."""
    assert headline(USUAL).startswith("1.6.2 → 1.9.1: 2 regressed, ")
    assert headline(EMPTY) == "a → b: nothing compared, 1 failing on both sides"
