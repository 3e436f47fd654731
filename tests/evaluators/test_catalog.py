"""The catalogue of evaluators, and what is known of engines without importing them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import evaluators
from evaluators import catalog
from evaluators.catalog import EvaluatorError
from evaluators.engines.table import ENGINES, Companion, Engine, matches
from evaluators.strategies.interpreter import Interpreter
from scenarios import scenario
from tests.evaluators.conftest import OWN

ROOT = Path(__file__).parents[2]


class Plugin(Interpreter):
    """Somebody else's evaluator."""

    name = "plugin"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten afterwards."""
    monkeypatch.setattr(catalog, "_registered", {})
    monkeypatch.setattr(catalog, "_places", {})


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_our_own_come_first() -> None:
    """All names are listed, ours before the engines', installed or not."""
    assert catalog.names()[:4] == OWN
    assert {name for engine in ENGINES for name in engine.evaluators} <= set(catalog.names())


@pytest.mark.parametrize("name", OWN)
def test_get_returns_the_evaluator_of_that_name(name: str) -> None:
    """Its name is the one that was asked for, and its version is ours."""
    assert catalog.get(name).name == name
    assert catalog.get(name).version() == evaluators.VERSION


def test_our_version_is_the_distributions() -> None:
    """The constant follows pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == evaluators.VERSION


def test_unknown_names_are_refused_with_close_ones() -> None:
    """A slip of the finger is named."""
    with pytest.raises(EvaluatorError, match=r"no evaluator 'straigtline'; did you mean straightl"):
        catalog.get("straigtline")


def test_names_like_no_other_are_refused_with_all() -> None:
    """Where nothing is close, everything is listed."""
    with pytest.raises(EvaluatorError, match="expected one of reference, interpreter"):
        catalog.get("q")


def test_plugins_are_registered() -> None:
    """A registered evaluator is found under its name; registering it again changes nothing."""
    plugin = Plugin()

    catalog.register(plugin)
    catalog.register(plugin)

    assert catalog.get("plugin") is plugin
    assert catalog.names()[-1] == "plugin"


def test_a_clash_of_plugins_names_both_places() -> None:
    """The error says where both come from."""
    catalog.register(Plugin())

    with pytest.raises(EvaluatorError) as caught:
        catalog.register(Plugin())

    assert str(caught.value).count("test_catalog.py:") == 2


def test_a_clash_with_ours_names_the_module() -> None:
    """Names of ours are taken, whether or not they have been imported."""
    with pytest.raises(EvaluatorError, match=r"'interpreter' already, from evaluators.strategies"):
        catalog.register(Interpreter())


def test_a_missing_engine_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names distribution, releases and the extra."""

    def absent(distribution: str) -> str:
        raise PackageNotFoundError(distribution)

    monkeypatch.setattr("importlib.metadata.version", absent)
    hide(monkeypatch, "jax")

    with pytest.raises(
        EvaluatorError, match=r"needs jax >=0.4.30.*pip install 'graphgauge\[jax\]'"
    ):
        catalog.get("jax")


def test_an_engine_that_does_not_import_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An old release beside a new NumPy fails in its own way; the error knows the way out."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.6.2")
    hide(monkeypatch, "autograd")

    with pytest.raises(EvaluatorError) as caught:
        catalog.get("autograd")

    assert "autograd 1.6.2 does not import here (ModuleNotFoundError" in str(caught.value)
    assert str(caught.value).endswith("beside it is needed: numpy<2")


def test_a_release_that_is_not_supported_refuses_rather_than_fails_to_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an unknown release does when it is imported is beside the point."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.3")
    hide(monkeypatch, "autograd")
    network = scenario.get("mlp").network({}, dtype="float32")

    evaluator = catalog.get("autograd")

    reason = evaluator.refuse(network, "output")
    assert evaluator.version() == "1.3"
    assert reason is not None
    assert "autograd 1.3 is outside the supported >=1.6.2,<2" in reason
    with pytest.raises(EvaluatorError, match="outside the supported"):
        evaluator.lower(network, "output")
    with pytest.raises(EvaluatorError, match="outside the supported"):
        evaluator.compile(None)


def hide(monkeypatch: pytest.MonkeyPatch, distribution: str) -> None:
    """Have the import of that engine, and so of its adapter, fail."""
    monkeypatch.setitem(sys.modules, distribution, None)
    monkeypatch.delitem(sys.modules, f"evaluators.engines.{distribution}", raising=False)


def test_engines_are_not_imported_before_they_are_asked_for() -> None:
    """Names, engines and an evaluator of ours cost no import of an engine."""
    code = (
        "import sys; from evaluators import catalog; catalog.names(); catalog.get('planned'); "
        "catalog.engine_of('jax'); print(*sys.modules)"
    )

    modules = set(python(code).split())

    assert not {engine.distribution for engine in ENGINES} & modules
    assert "evaluators.strategies.straightline" not in modules


def test_engine_of_and_evaluators_of_agree() -> None:
    """Each adapter's engine has the adapter; our own have no engine."""
    for engine in ENGINES:
        for name in engine.evaluators:
            assert catalog.engine_of(name) is engine
        assert catalog.evaluators_of(engine.distribution.upper()) == engine.evaluators
    assert catalog.engine_of("planned") is None
    assert catalog.evaluators_of("numpy") == ()


@pytest.mark.parametrize(
    ("release", "specifiers", "expected"),
    [
        ("1.6.2", ">=1.6.2,<2", True),
        ("1.10", ">=1.6.2", True),
        ("1.6", ">=1.6.2", False),
        ("2.0", "<2", False),
        ("1.0.0", "==1", True),
        ("0.4.30.dev1", ">0.4.29, <=0.4.30", True),
    ],
)
def test_releases_are_compared_as_numbers(release: str, specifiers: str, expected: bool) -> None:
    """1.10 is after 1.6, and trailing zeros mean nothing."""
    assert matches(release, specifiers) is expected


def test_a_bound_that_is_none_is_refused() -> None:
    """The error shows the form of a bound."""
    with pytest.raises(ValueError, match="found '~1'; expected a bound"):
        matches("1", "~1")


def test_an_engine_knows_companions_and_limits() -> None:
    """What a release needs beside it, and why another is refused."""
    engine = Engine(
        distribution="motor",
        evaluators=("motor",),
        module="motors",
        supported=">=2,<4",
        companions=(Companion(releases="<3", requirement="numpy<2"),),
    )

    assert engine.requirements("2.5") == ("numpy<2",)
    assert engine.requirements("3.0") == ()
    assert engine.unsupported("3.0") is None
    assert str(engine.unsupported("4.1")).startswith("motor 4.1 is outside the supported >=2,<4")
