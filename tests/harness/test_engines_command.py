"""`graphgauge engines`: which engines, and what becomes of one that does not install."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.engines.table import ENGINES
from harness.commands import engines as command
from harness.errors import UsageError
from harness.installations import InstallationError


def test_engines_are_named_by_distribution_or_evaluator() -> None:
    """Each is taken once; all of them where none is named."""
    chosen = command.chosen_engines(["torch-compile", "torch", "jax"])

    assert [engine.distribution for engine in chosen] == ["torch", "jax"]
    assert command.chosen_engines([]) == ENGINES


def test_unknown_engines_are_named_with_the_known() -> None:
    """A user sees what there is."""
    with pytest.raises(UsageError, match="found no such engine; expected one of autograd, jax"):
        command.chosen_engines(["abacus"])


def test_a_failed_installation_is_a_line_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It repeats the installer's words; an engine that installs has an interpreter."""

    def fake(requirements: tuple[str, ...], *, what: str) -> Path:
        if what == "torch":
            raise InstallationError("torch: torch>=2.4,<3 cannot be installed; no space left")
        return Path("/somewhere/bin/python")

    monkeypatch.setattr(command, "installed", fake)
    versions = [
        command._version(engine, "x") for engine in command.chosen_engines(["torch", "jax"])
    ]

    assert [version and version.interpreter for version in versions] == [
        None,
        "/somewhere/bin/python",
    ]
    assert "torch>=2.4,<3 cannot be installed; no space left" in capsys.readouterr().err
