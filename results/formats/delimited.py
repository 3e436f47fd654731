"""A comparison as CSV: the contract's fields, a row a line."""

import csv
import io
from functools import cache
from operator import attrgetter
from typing import Final

from results.cells import protected
from results.judgement import CONTRACT_FIELDS, Comparison, GrowthRow, Row

_FIELDS: Final = attrgetter(*CONTRACT_FIELDS)


def render(comparison: Comparison) -> str:
    """`comparison`'s rows and orders of growth as CSV with a header; unknown is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CONTRACT_FIELDS)
    rows = (*comparison.rows, *map(_as_row, comparison.growth))
    safe = cache(protected)  # texts repeat from row to row
    writer.writerows(
        [safe(cell) if isinstance(cell, str) else cell for cell in _FIELDS(row)] for row in rows
    )
    return text.getvalue()


def _as_row(growth: GrowthRow) -> Row:
    """An order in a row's fields: exponents are the values, `…_growth` is the metric."""
    return Row(
        evaluator=growth.evaluator,
        scenario=growth.scenario,
        params=growth.all_params,
        mode=growth.mode,
        phase=growth.phase,
        metric=f"{growth.metric}_growth",
        unit="exponent",
        baseline_label=growth.baseline_label,
        candidate_label=growth.candidate_label,
        baseline=growth.baseline_exponent,
        candidate=growth.candidate_exponent,
        ratio=None,
        ratio_low=None,
        ratio_high=None,
        baseline_launches=growth.baseline_launches,
        candidate_launches=growth.candidate_launches,
        smallest_detectable=None,
        verdict=growth.verdict,
        reason=growth.reason,
        baseline_spread=None,
        candidate_spread=None,
    )
