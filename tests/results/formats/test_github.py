"""GitHub Actions."""

from results.formats import github, markdown
from tests.results.formats.comparisons import HOSTILE, USUAL, huge


def test_regressions_are_annotations() -> None:
    """Each points to the file it is told, in a command of one line."""
    places = {"chain": github.Place(file="scenarios/chain,1.py", line=3)}
    lines = [
        line
        for line in github.annotations(USUAL, places=places).splitlines()
        if "planned chain" in line
    ]

    assert len(lines) == 1
    assert lines[0].startswith(
        "::error file=scenarios/chain%2C1.py,line=3,title=time of evaluate regressed::planned "
    )
    assert "%25" in lines[0]


def test_a_scenario_without_a_place_has_none() -> None:
    """Its annotation stands in the log alone."""
    lines = github.annotations(USUAL).splitlines()

    assert len(lines) == len(USUAL.having("regressed"))
    assert all(line.startswith("::error title=") for line in lines)


def test_gaps_are_annotations() -> None:
    """What is missing is an error as well; texts open no command of their own."""
    lines = github.annotations(HOSTILE).splitlines()

    assert any("not compared" in line for line in lines)
    assert all(line.startswith("::error title=") for line in lines)


def test_there_are_ten_at_most() -> None:
    """GitHub drops the others."""
    assert len(github.annotations(huge(100)).splitlines()) == 10


def test_the_summary_follows() -> None:
    """As Markdown."""
    assert github.render(USUAL).endswith(markdown.render(USUAL))
