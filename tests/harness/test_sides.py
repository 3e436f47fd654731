"""The sides of a comparison as they are written on a command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import sides
from harness.errors import UsageError
from harness.installations import InstallationError
from harness.sides import (
    EvaluatorSide,
    InterpreterSide,
    RequirementSide,
    RevisionSide,
    make_versions_that_install,
    parse_sides,
)


def test_a_release_is_a_requirement() -> None:
    """`autograd==1.6.2` is a requirement, labelled as it is written, of an engine we know."""
    side, _ = parse_sides(["autograd==1.6.2", "autograd==1.9.1"])

    assert isinstance(side, RequirementSide)
    assert side.label == "autograd==1.6.2"
    assert side.engine is not None
    assert "autograd" in side.engine.evaluators


def test_an_interpreter_is_found() -> None:
    """`python:PATH` names an environment that exists."""
    side, _ = parse_sides([f"python:{sys.executable}", "autograd==1.9.1"])

    assert isinstance(side, InterpreterSide)
    assert Path(side.interpreter).samefile(sys.executable)


def test_evaluators_are_compared_with_each_other() -> None:
    """Two names of evaluators are two sides in the environment we are in."""
    sides = parse_sides(["interpreter", "planned"])

    assert [each.evaluator for each in sides if isinstance(each, EvaluatorSide)] == [
        "interpreter",
        "planned",
    ]


def test_the_same_side_twice_is_told_apart() -> None:
    """An A/A comparison has two labels, so that its rows can be told apart."""
    first, second = parse_sides(["planned", "planned"])

    assert (first.label, second.label) == ("planned (1)", "planned (2)")


def test_a_revision_is_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git:REV#DIR` is resolved at once, so that a branch that moves is another environment."""
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *identity, *words], check=True)

    side, _ = parse_sides(["git:HEAD#engine", "git:HEAD"])

    assert isinstance(side, RevisionSide)
    assert len(side.revision) == 40
    assert side.directory == "engine"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["planned"], "expected a baseline and a candidate"),
        (["planned", "autograd==1.9.1"], "compare evaluators with each other"),
        (["planed", "planned"], "for a release say which: planed==1.2.3"),
        (["a b c", "planned"], "expected a requirement"),
        (["python:/nowhere/python", "python:/nowhere/python"], "no such interpreter"),
        (["git:no-such-revision", "git:HEAD"], "git rev-parse"),
        (["git:--upload-pack=touch /tmp/x", "git:HEAD"], "git rev-parse"),
    ],
)
def test_what_cannot_be_read_is_named(texts: list[str], words: str) -> None:
    """The error repeats what was found and says what was expected."""
    with pytest.raises(UsageError) as raised:
        parse_sides(texts)

    assert words in str(raised.value)


def test_what_does_not_install_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other sides go on, as long as there is a baseline and something beside it."""

    def install(requirements: Sequence[str], *, what: str) -> Path:
        if "9.9" in what:
            raise InstallationError(f"{what}: cannot be installed; the installer said\n    none")
        return Path("/environment", what)

    monkeypatch.setattr(sides, "installed", install)

    found = make_versions_that_install(
        parse_sides(["autograd==1.6.2", "autograd==9.9", "autograd==1.9.1"])
    )

    assert [each and each.label for each in found] == ["autograd==1.6.2", None, "autograd==1.9.1"]
    assert "autograd==9.9: cannot be installed" in capsys.readouterr().err
    for texts in (["autograd==9.9", "autograd==1.9.1"], ["autograd==1.9.1", "autograd==9.9"]):
        with pytest.raises(InstallationError, match=r"autograd==9\.9"):
            make_versions_that_install(parse_sides(texts))
