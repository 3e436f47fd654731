"""JSON."""

import json

from results.formats import structured
from results.judgement import CONTRACT_FIELDS
from tests.results.formats.comparisons import EMPTY, HOSTILE, USUAL


def test_rows_are_those_of_the_contract() -> None:
    """Every row has the contract's fields in order, null where unknown."""
    content = json.loads(structured.render(USUAL))

    assert [tuple(row) for row in content["rows"]] == [CONTRACT_FIELDS] * len(USUAL.rows)
    assert content["rows"][0]["ratio"] == USUAL.rows[0].ratio
    assert (content["verdict"], content["is_complete"]) == (USUAL.verdict, True)


def test_everything_else_is_there_too() -> None:
    """What was not compared, and the notes."""
    content = json.loads(structured.render(HOSTILE))

    assert len(content["missing"]) == 1
    assert len(content["candidate_only"]) == 1
    assert json.loads(structured.render(EMPTY))["failing"][0]["reason"].startswith("refused")
