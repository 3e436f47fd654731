"""Suites: ours measure what they say, and users' own are read from their settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import UsageError
from harness.suites import EVALUATORS, Suite, suite_named, suites
from scenarios import scenario as scenario_catalogue


def _settings(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["quick", "default", "full"])
def test_every_scenario_of_our_suites_exists(name: str, tmp_path: Path) -> None:
    """At sizes and forms that it takes."""
    suite = suite_named(name, tmp_path / "none.toml")

    assert suite.specs()
    assert suite.is_quick == (name == "quick")


def test_the_full_suite_has_every_scenario_in_every_form(tmp_path: Path) -> None:
    """Those of ours, and those of plugins that are loaded."""
    specs = suite_named("full", tmp_path / "none.toml").specs()

    assert {spec.scenario.name for spec in specs} == set(scenario_catalogue.names())
    forms = {dict(spec.params)["form"] for spec in specs if spec.scenario.name == "wide_sum"}
    assert forms == {"fold", "nary", "tree"}


def test_the_default_suite_has_something_of_every_family(tmp_path: Path) -> None:
    """So that a change anywhere has a place to show."""
    specs = suite_named("default", tmp_path / "none.toml").specs()

    families = {spec.scenario.location.partition(":")[0] for spec in specs}
    everything = (scenario_catalogue.get(name) for name in scenario_catalogue.names())
    ours = {each.location.partition(":")[0] for each in everything}
    assert families == {file for file in ours if file.startswith("scenarios/")}


def test_a_suite_may_be_a_list_of_scenarios_or_a_table(tmp_path: Path) -> None:
    """A list has the usual evaluators and effort; a table may choose them."""
    settings = _settings(
        tmp_path,
        """
        [tool.graphgauge.suites]
        smoke = ["chain:depth=10", "mlp"]
        [tool.graphgauge.suites.nightly]
        scenarios = ["rnn:steps=10/100"]
        evaluators = ["planned"]
        quick = true
        """,
    )

    assert suite_named("smoke", settings) == Suite(
        name="smoke", scenarios=("chain:depth=10", "mlp"), evaluators=EVALUATORS
    )
    nightly = suite_named("nightly", settings)
    assert (nightly.evaluators, nightly.is_quick) == (("planned",), True)
    assert [dict(spec.params)["steps"] for spec in nightly.specs()] == [10, 100]
    assert [suite.name for suite in suites(settings)][3:] == ["smoke", "nightly"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("suites = 3", "expected a table of suites"),
        ("[tool.graphgauge.suites]\nquick = ['mlp']", "'quick' is one of our own suites"),
        ("[tool.graphgauge.suites]\na = 'mlp'", "a is 'mlp'; expected a list of scenarios"),
        ("[tool.graphgauge.suites]\na = [1]", "scenarios is \\[1\\]; expected texts"),
        ("[tool.graphgauge.suites]\na = []", "scenarios is \\[\\]; expected texts"),
        ("[tool.graphgauge.suites.a]\nscenario = ['mlp']", "found 'scenario'; expected scenarios"),
        ("[tool.graphgauge.suites.a]\nscenarios = ['mlp']\nquick = 1", "quick is 1; expected true"),
        ("[tool.graphgauge.suites.a]\nscenarios = ['mlp']\nevaluators = 'x'", "evaluators is 'x'"),
        ("[tool", "expected TOML"),
    ],
)
def test_settings_that_are_no_suites_say_what_is_wrong(
    tmp_path: Path, text: str, words: str
) -> None:
    """With the file, what was found and what was expected."""
    if text.startswith("suites"):
        text = f"[tool.graphgauge]\n{text}"
    settings = _settings(tmp_path, text)

    with pytest.raises(UsageError, match=words) as raised:
        suites(settings)

    assert str(settings) in str(raised.value)


def test_a_scenario_that_a_suite_cannot_have_names_the_suite(tmp_path: Path) -> None:
    """Not only the scenario, which the user has not typed now."""
    settings = _settings(tmp_path, "[tool.graphgauge.suites]\nmine = ['chian']")

    with pytest.raises(UsageError, match=r"suite mine: .*did you mean chain"):
        suite_named("mine", settings).specs()


def test_a_users_suite_runs_and_its_check_still_reads_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`graphgauge run mine` measures it; `check` takes the same file without complaint."""
    _settings(
        tmp_path,
        """
        [tool.graphgauge]
        threshold = 0.02
        [tool.graphgauge.suites.mine]
        scenarios = ["double:depth=3/4/5/6"]
        evaluators = ["planned"]
        quick = true
        """,
    )
    monkeypatch.chdir(tmp_path)

    code = main(["run", "mine", "--mode", "output", "--no-memory", "--out", "a.csv"])

    said = capsys.readouterr().out
    assert code == 0
    assert "double depth=3…6;width=8 output" in said  # its orders of growth
    assert main(["check", "a.csv", "--baseline", "a.csv"]) == 3  # one label: nothing to compare
    assert "suites" not in capsys.readouterr().err
