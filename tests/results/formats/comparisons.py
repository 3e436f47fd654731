"""Comparisons for the tests of formats: a usual one, an empty one, and one made of malice."""

from dataclasses import replace

from results.comparison import compare
from results.frames import frame_of
from results.judgement import Comparison
from tests.results.samples import reading, suite, version

EVIL = "=cmd|'/c'|<script>alert(1)</script>\n::error::@all `x` \x1b[2J\u202e"

USUAL = compare(frame_of(suite("1.6.2", 1) + suite("1.9.1", 2, slower=1.06)))

SEVERAL = compare(
    frame_of([one for label in ("1.0", "2.0", "3.0") for one in version(label, [1.0])])
)

EMPTY = compare(
    frame_of(
        [reading(label=label, status="refused", value=None, detail="no") for label in ("a", "b")]
    )
)

HOSTILE = compare(
    frame_of(
        [
            *version(f"old {EVIL}", [1.0, 1.1], evaluator=EVIL),
            *version(f"old {EVIL}", [1.0, 1.1], scenario=EVIL),
            reading(label=f"new {EVIL}", evaluator=EVIL, status="crash", value=None, detail=EVIL),
            *version(f"new {EVIL}", [1.0, 1.1], mode="gradient", evaluator=EVIL),
        ]
    )
)


def huge(rows: int) -> Comparison:
    """A comparison of very many rows."""
    gaps = tuple(HOSTILE.missing[0] for _ in range(rows))
    many = tuple(replace(row, params=f"depth={i}") for i in range(rows) for row in USUAL.rows[:2])
    return replace(USUAL, rows=many, missing=gaps, notes=("note " * 100,) * 50)
