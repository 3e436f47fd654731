"""CSV."""

import csv
import io

from results.cells import unprotected
from results.formats import delimited
from results.judgement import CONTRACT_FIELDS
from tests.results.formats.comparisons import EMPTY, HOSTILE, USUAL


def test_rows_are_those_of_the_contract() -> None:
    """Header and rows, numbers to the last digit, unknown ones empty."""
    rows = list(csv.DictReader(io.StringIO(delimited.render(USUAL), newline="")))

    assert tuple(rows[0]) == CONTRACT_FIELDS
    assert len(rows) == len(USUAL.rows)
    for told, row in zip(rows, USUAL.rows, strict=True):
        for name in CONTRACT_FIELDS:
            value = getattr(row, name)
            assert told[name] == ("" if value is None else str(value))


def test_nothing_is_run_by_a_spreadsheet() -> None:
    """Texts from tables are protected, and can be had back."""
    rows = list(csv.DictReader(io.StringIO(delimited.render(HOSTILE), newline="")))

    assert rows[0]["evaluator"].startswith("'=")
    assert unprotected(rows[0]["evaluator"]) == HOSTILE.rows[0].evaluator


def test_nothing_compared_is_a_header() -> None:
    """A reader finds the columns all the same."""
    assert delimited.render(EMPTY) == ",".join(CONTRACT_FIELDS) + "\r\n"
