"""The terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from results.comparison import compare
from results.formats import terminal
from results.formats.wording import geometric_mean_text
from results.frames import frame_of
from results.judgement import Comparison
from results.summary import summarise
from tests.results.formats.comparisons import EMPTY, HOSTILE, SEVERAL, USUAL, huge
from tests.results.samples import suite, version


def printed(comparison: Comparison, width: int = 200, *, every_row: bool = False) -> str:
    """What a file of this width gets."""
    stream = io.StringIO()
    output = Console(file=stream, width=width, markup=False, highlight=False)
    terminal.render(comparison, output, every_row=every_row)
    return stream.getvalue()


def test_regressions_stand_first() -> None:
    """Before what is unchanged, with values, interval and evidence in one line."""
    lines = printed(USUAL).splitlines()
    first = next(line for line in lines if "regressed" in line)

    assert "evaluate time" in first
    assert " ms ± " in first
    assert " %]" in first
    assert lines.index(first) < next(i for i, line in enumerate(lines) if "unchanged" in line)


def test_of_what_did_not_change_only_times_per_call_are_shown() -> None:
    """The other rows are counted by their verdicts, and shown when all is asked for."""
    comparison = huge(1)
    quiet = [row for row in comparison.rows if row.verdict in ("unchanged", "inconclusive")]
    others = [row for row in quiet if (row.phase, row.metric) != ("evaluate", "time")]

    assert others
    assert "not shown: " in printed(comparison)
    whole = printed(comparison, every_row=True)
    assert all(f"{row.phase} {row.metric}" in whole for row in others)


def test_the_headline_is_the_last_line() -> None:
    """Where people look first."""
    assert printed(USUAL).splitlines()[-1].startswith("1.6.2 → 1.9.1: 2 regressed")


def test_geometric_means_are_told() -> None:
    """In the table, below what they are the means of; those of other numbers are counted."""
    lines = printed(USUAL).splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "geometric mean")

    assert lines[at + 1].startswith("  evaluate time, 2 cases")
    assert " %]" in lines[at + 1]
    assert "1 geometric means; --all" in printed(USUAL)
    assert "evaluate peak_memory, 2 cases" in printed(USUAL, every_row=True)


def test_reasons_are_footnotes() -> None:
    """Rows of one reason share it."""
    text = printed(USUAL)

    assert text.count("regressed 1)") == 2
    assert text.count("\n1) ") == 1


@pytest.mark.parametrize("width", [60, 80, 100, 110, 120, 160])
def test_names_and_figures_are_whole_at_any_width(width: int) -> None:
    """Columns are left out where they do not fit, the evidence first; nothing is cut short."""
    lines = printed(USUAL, width).splitlines()
    at = lines.index("planned chain depth=100;width=64 output")
    row = lines[at + 1]

    assert "…" not in "".join(lines[: at + 2])
    assert row.startswith("  evaluate time  ")
    assert "regressed 1)" in row
    assert (" ms" in row) == (width >= 80)
    assert (" %]" in row) == (width >= 100)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_window(width: int) -> None:
    """Columns are left out and cells folded instead."""
    assert max(map(len, printed(USUAL, width).splitlines())) <= width


@pytest.mark.parametrize("width", [80, 100, 160])
def test_labels_are_broken_between_their_parts(width: int) -> None:
    """Behind `==` and the like; a version stays whole."""
    parts = ("onnxruntime==", "1.31.1", "git:", "0123456789ab#", "python", "numpy==", "2.4.6")
    rows = [
        one
        for label, times in (
            ("onnxruntime==1.31.1 numpy==2.4.6", [1.0, 1.01]),
            ("git:0123456789ab#python", [1.2, 1.21]),
        )
        for one in version(label, times)
    ]

    heading = printed(compare(frame_of(rows)), width).split("─")[0]

    assert [part for part in parts if part not in heading] == []


def test_a_mean_that_tells_nothing_gives_no_figures() -> None:
    """Anything between a thousandth and a thousandfold is inconclusive; a wide change is told."""
    mean = USUAL.geometric_means[0]
    nothing = replace(mean, ratio=12.6, ratio_low=0.00189, ratio_high=83_400.0)
    change = replace(mean, ratio=12.6, ratio_low=1.2, ratio_high=132.0)

    assert "2 cases  " in (text := printed(replace(USUAL, geometric_means=(nothing,))))
    assert "83,400" not in text
    assert text.split("geometric mean")[1].split()[4] == "inconclusive"
    assert "12.6× [1.2×, 132×]" in printed(replace(USUAL, geometric_means=(change,)))
    assert geometric_mean_text(nothing).endswith(": inconclusive")


def test_texts_from_tables_are_harmless() -> None:
    """No escape sequence of theirs reaches the terminal."""
    text = printed(HOSTILE)

    assert "\x1b" not in text
    assert "\u202e" not in text


def test_long_lists_are_cut_unless_all_is_asked_for() -> None:
    """What is not shown is counted; what regressed is always shown."""
    comparison = huge(100)

    assert "--all shows them" in printed(comparison)
    assert printed(comparison).count("evaluate time") >= len(comparison.having("regressed"))
    assert "--all" not in printed(comparison, every_row=True)


def test_nothing_compared_says_so() -> None:
    """And why."""
    assert "fails on both sides" in printed(EMPTY)
    assert printed(EMPTY).splitlines()[-1].startswith("a → b: nothing compared")


def test_a_file_gets_no_colours() -> None:
    """The console for a stream that is no terminal is plain and wide."""
    stream = io.StringIO()

    terminal.render(USUAL, terminal.console(stream))

    assert "\x1b" not in stream.getvalue()
    assert terminal.console(stream).width == 200


def test_a_run_is_summed_up() -> None:
    """A line for each case, failures with their reason."""
    stream = io.StringIO()

    terminal.render_summary(summarise(frame_of(suite("old", 1))), terminal.console(stream))

    lines = stream.getvalue().splitlines()
    heading = next(at for at, line in enumerate(lines) if line.strip().startswith("chain"))
    assert " ms ± " in lines[heading + 1]
    assert "ok" in lines[heading + 1]
    assert any(line.strip().startswith("signed_products") for line in lines)
    assert any("refused: no integers" in line for line in lines)


def test_candidates_are_told_apart() -> None:
    """With several candidates each heading names its own."""
    text = printed(SEVERAL)

    assert "planned chain depth=100;width=64 output, 2.0" in text
    assert "planned chain depth=100;width=64 output, 3.0" in text


def test_rows_of_a_case_stand_under_its_name() -> None:
    """The name is printed once for them."""
    lines = [line.rstrip() for line in printed(USUAL).splitlines()]
    heading = lines.index("planned chain depth=100;width=64 output")

    assert lines[heading + 1].startswith("  evaluate time")
