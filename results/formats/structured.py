"""A comparison as JSON: the contract's fields of every row, and all else that it says."""

import json
from dataclasses import asdict

from results.judgement import CONTRACT_FIELDS, Comparison, Row


def render(comparison: Comparison) -> str:
    """`comparison` as one JSON object; what is not known is null."""
    content = {
        "baseline_label": comparison.baseline_label,
        "candidate_labels": comparison.candidate_labels,
        "threshold": comparison.threshold,
        "level": comparison.level,
        "verdict": comparison.verdict,
        "is_complete": comparison.is_complete,
        "rows": [_row(row) for row in comparison.rows],
        "growth": [asdict(row) for row in comparison.growth],
        "geometric_means": [asdict(mean) for mean in comparison.geometric_means],
        "missing": [asdict(thing) for thing in comparison.missing],
        "candidate_only": [asdict(thing) for thing in comparison.candidate_only],
        "failing": [asdict(thing) for thing in comparison.failing],
        "notes": comparison.notes,
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _row(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in CONTRACT_FIELDS}
