"""JSON that stands beside tables."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from results.strict_json import MAX_DEPTH, parsed

_SIMPLE = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(
    st.recursive(
        _SIMPLE,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=10,
    )
)
def test_ordinary_json_is_read_as_python_reads_it(content: object) -> None:
    """Strictness changes nothing of what is taken."""
    assert parsed(json.dumps(content)) == content


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "no number"),
        ('{"a": -Infinity}', "no number"),
        ("[1e999]", "beyond"),
        ("9" * 400, "beyond"),
        ("9" * 5_000, "beyond"),
        ('"\\ud800"', "surrogates"),
        ('{"\\udfff": 1}', "surrogates"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "deep"),
        ("[" * 100_000, "deep"),
        ("{", "Expecting"),
    ],
)
def test_what_nobody_could_go_on_with_is_refused(text: str, words: str) -> None:
    """NaN, numbers beyond float, lone surrogates, and nesting that recursion does not survive."""
    with pytest.raises(ValueError, match=words):
        parsed(text)
