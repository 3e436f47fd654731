"""What other people add: files named by the user, and installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evaluators import catalog
from harness.worker.plugins import PluginError, announce_installed, load_plugins
from scenarios import scenario as scenario_catalogue

_EVALUATOR = """
from evaluators import catalog

class Mine:
    name = {name!r}
    def version(self): return "1"
    def refuse(self, network, mode): return None
    def lower(self, network, mode): return network
    def compile(self, lowered): return lambda weights, data: []

MINE = Mine()
"""


def test_a_file_registers_what_it_brings_once(tmp_path: Path) -> None:
    """A plugin named twice is run once, and its evaluator is then known by its name."""
    path = tmp_path / "mine.py"
    path.write_text(_EVALUATOR.format(name="from-a-file") + "catalog.register(MINE)\n")

    load_plugins([str(path), str(path)])

    assert catalog.get("from-a-file").version() == "1"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        ("raise KeyError('x')", "KeyError"),
        ("def f(:", "SyntaxError"),
        (_EVALUATOR.format(name="interpreter") + "catalog.register(MINE)", "already"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_says_why(
    content: str | None, words: str, tmp_path: Path
) -> None:
    """No file, an exception, bad syntax and a name that is taken are told with the file's path."""
    path = tmp_path / "bad.py"
    if content is not None:
        path.write_text(content)

    with pytest.raises(PluginError) as raised:
        load_plugins([str(path)])

    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def _install(folder: Path, name: str, content: str, entry_points: str) -> None:
    """A distribution as pip leaves it: a module, and what it says of itself."""
    (folder / f"{name}.py").write_text(content)
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(entry_points)


def test_installed_packages_run_when_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known by their entry points, their code runs at the first use of the name, not before."""
    scenario = (
        "\nfrom scenarios.scenario import Scenario, get\nfrom dataclasses import replace\n"
        "LOOP = replace(get('mlp'), name='from_a_package')\n"
    )
    content = _EVALUATOR.format(name="from-a-package") + scenario
    entry_points = (
        "[graphgauge.evaluators]\nfrom-a-package = brought:MINE\n"
        "[graphgauge.scenarios]\nfrom_a_package = brought:LOOP\n"
    )
    _install(tmp_path, "brought", content, entry_points)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    announce_installed()

    assert "from-a-package" in catalog.names()
    assert "from_a_package" in scenario_catalogue.announced()
    assert "brought" not in sys.modules
    assert catalog.get("from-a-package").name == "from-a-package"
    assert scenario_catalogue.get("from_a_package").name == "from_a_package"


@pytest.mark.parametrize(
    ("content", "words"), [("1 / 0", "ZeroDivisionError"), ("MINE = object()", "named None")]
)
def test_a_package_that_cannot_be_loaded_says_why(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It harms nobody until it is named; then its entry point is told."""
    name = f"broken_{len(words)}"
    _install(tmp_path, name, content, f"[graphgauge.evaluators]\n{name} = {name}:MINE\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    announce_installed()

    with pytest.raises(PluginError, match=words):
        catalog.get(name)
