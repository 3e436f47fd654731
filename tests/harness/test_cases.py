"""Cases as they are written on a command line."""

from __future__ import annotations

import pytest

from harness.cases import Case, make_cases, parse_spec
from harness.errors import UsageError


def test_a_name_alone_means_the_defaults() -> None:
    """`mlp` is the scenario at its default size, every parameter told."""
    spec = parse_spec("mlp")

    assert spec.scenario.name == "mlp"
    assert dict(spec.params) == dict(spec.scenario.defaults)


def test_parameters_are_read_by_their_type() -> None:
    """`chain:depth=7` has an int where the default is one."""
    assert dict(parse_spec("chain:depth=7,width=3").params) | {} == {
        **parse_spec("chain").scenario.defaults,
        "depth": 7,
        "width": 3,
    }


def test_params_are_told_with_sorted_keys() -> None:
    """The table's column has keys in order, whatever the order on the command line."""
    case = parse_spec("chain:width=3,depth=7").case("planned", "output")

    assert case.params_text.startswith("depth=7;")
    assert case.params_text.endswith("width=3")


def test_a_dtype_is_a_parameter_of_every_scenario() -> None:
    """`dtype=float64` is for the network, and is told in the table."""
    case = parse_spec("chain:dtype=float64").case("planned", "output")

    assert case.dtype == "float64"
    assert "dtype=float64" in case.params_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chian", "did you mean chain"),
        ("chain:deep=3", "no parameter 'deep'"),
        ("chain:depth", "expected NAME:key=value"),
        ("chain:depth=many", "expected int"),
        ("chain:depth=1,depth=2", "given twice"),
        ("chain:dtype=int8", "float32, float64"),
        ("", "no scenario ''"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    """The error repeats what was found and says what was expected."""
    with pytest.raises(UsageError, match="--scenario") as raised:
        parse_spec(text)

    assert words in str(raised.value)


def test_cases_are_every_combination_once() -> None:
    """Scenarios × modes × evaluators, without the ones named twice."""
    specs = [parse_spec("chain"), parse_spec("mlp"), parse_spec("chain")]

    cases = make_cases(specs, ["planned", "interpreter"], ["output"])

    assert [(case.scenario, case.evaluator) for case in cases] == [
        ("chain", "planned"),
        ("chain", "interpreter"),
        ("mlp", "planned"),
        ("mlp", "interpreter"),
    ]


def test_a_case_reads_well() -> None:
    """As text, a case is what a person needs to find it again."""
    case = Case(scenario="s", params=(("b", 2), ("a", True)), evaluator="e", mode="output")

    assert str(case) == "e s[a=true;b=2] output"
