"""Text cells that no spreadsheet runs."""

import pytest
from hypothesis import given

from results.cells import protected, unprotected
from tests.results.samples import texts


@given(texts())
def test_protection_can_be_undone(text: str) -> None:
    """Reading gives back what was written."""
    assert unprotected(protected(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    """A spreadsheet shows what it would otherwise run."""
    assert protected(text) == "'" + text


@pytest.mark.parametrize("text", ["", "planned", "'tis", "a=1", "1.9.1"])
def test_other_text_stands_as_it_is(text: str) -> None:
    """Only what starts like a formula is changed."""
    assert protected(text) == text
