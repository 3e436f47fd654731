"""Markdown."""

import re
from dataclasses import replace

import pytest

from results.formats.markdown import MAX_CHARACTERS, escaped, render
from tests.results.formats.comparisons import EMPTY, HOSTILE, USUAL, huge


def test_what_got_worse_stands_on_top() -> None:
    """Regressions open, the rest folded."""
    text = render(USUAL)

    assert text.startswith("### 🔴 1.6.2 → 1.9.1: 2 regressed")
    assert text.index("🔴 2 regressed") < text.index("<details>") < text.index("⚪ 6 unchanged")


def test_tables_are_whole() -> None:
    """Every line of a table has as many cells, whatever the texts hold."""
    for comparison in (USUAL, HOSTILE):
        lines = [line for line in render(comparison).splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {9}


def test_texts_from_tables_are_harmless() -> None:
    """No HTML of theirs, no mention of anyone, no line of their own."""
    text = render(HOSTILE)

    assert "<script" not in text
    assert "@all" not in text
    assert "\x1b" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_a_gap_is_red() -> None:
    """What is missing is never a green circle."""
    assert render(EMPTY).startswith("### 🔴")


@pytest.mark.parametrize("rows", [10, 1_000, 3_000])
def test_a_comment_is_never_too_long(rows: int) -> None:
    """Lists are cut, and say by how much."""
    text = render(huge(rows))

    assert len(text) < MAX_CHARACTERS
    assert rows < 1_000 or re.search(r"… and \d+ more", text)


def test_what_is_folded_is_cut_first() -> None:
    """What got worse is told as long as it fits, however much else there is."""
    worse = USUAL.having("regressed")[0]
    rows = tuple(replace(worse, params=f"depth={i}") for i in range(150))

    text = render(replace(huge(1_000), rows=(*huge(1_000).having("unchanged"), *rows), missing=()))

    opened = text[: text.index("<details>")]
    assert opened.count("| evaluate time |") == 150
    assert "more" not in opened
    assert len(text) < MAX_CHARACTERS


def test_escaping_leaves_plain_words_alone() -> None:
    """Names stay readable."""
    assert escaped("planned chain depth=100;width=64") == "planned chain depth=100;width=64"
    assert escaped("a|b_c") == r"a\|b\_c"
