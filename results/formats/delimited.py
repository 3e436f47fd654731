"""A comparison as CSV: the contract's fields, a row a line."""

import csv
import io

from results.cells import protected
from results.judgement import CONTRACT_FIELDS, Comparison, Row


def render(comparison: Comparison) -> str:
    """`comparison`'s rows as CSV with a header; what is not known is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CONTRACT_FIELDS)
    writer.writerows([_cell(row, name) for name in CONTRACT_FIELDS] for row in comparison.rows)
    return text.getvalue()


def _cell(row: Row, name: str) -> str:
    value: str | float | None = getattr(row, name)
    if value is None:
        return ""
    return protected(value) if isinstance(value, str) else repr(value)
