"""Suites: what is measured when nothing is named. Ours, and a user's own in pyproject.toml.

[tool.graphgauge.suites]
smoke = ["chain:depth=100", "mlp"]

[tool.graphgauge.suites.nightly]
scenarios = ["rnn:steps=10/100/500", "attention"]
evaluators = ["jax"]
quick = true
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from harness.cases import Spec, parse_specs
from harness.errors import UsageError
from scenarios import scenario as scenario_catalogue

EVALUATORS = ("interpreter", "planned", "straightline")
SETTINGS = Path("pyproject.toml")
"""Where users' suites are looked for: in the folder that graphgauge is called from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Scenarios at their sizes, and the evaluators they are measured with unless told."""

    name: str
    scenarios: tuple[str, ...]
    """As on the command line: `chain:depth=100`."""
    evaluators: tuple[str, ...] = EVALUATORS
    is_quick: bool = False
    """Whether it is measured with the effort of `--quick`."""

    def specs(self, *, sweep: bool = False) -> tuple[Spec, ...]:
        """The scenarios, read and checked; `UsageError` names the suite."""
        try:
            return tuple(spec for text in self.scenarios for spec in parse_specs(text, sweep=sweep))
        except UsageError as error:
            raise UsageError(f"suite {self.name}: {error}") from None


_QUICK = Suite(
    name="quick",
    scenarios=(
        "chain:depth=100",
        "double",
        "wide_sum:terms=75",
        "signed_products:terms=10",
        "rnn:steps=10",
        "gmm",
        "mlp",
        "steady",
    ),
    evaluators=("planned", "straightline"),
    is_quick=True,
)
"""A minute: does anything stand out?"""
_DEFAULT = Suite(
    name="default",
    scenarios=(
        "chain",
        "double",
        "nested_convolution",
        "wide_sum",
        "wide_fanout",
        "signed_products",
        "rnn",
        "lstm",
        "gmm",
        "ba",
        "mlp",
        "attention",
        "steady",
        "rebuild_drop",
    ),
)
"""Ten minutes: something of every family."""


def suite_named(name: str, settings: Path = SETTINGS) -> Suite:
    """The suite of that name; `UsageError` lists them when there is none."""
    found = {suite.name: suite for suite in suites(settings)}
    if name not in found:
        raise UsageError(f"no suite {name!r}; expected one of {', '.join(found)}")
    return found[name]


def suites(settings: Path = SETTINGS) -> tuple[Suite, ...]:
    """Every suite: ours, then those of the settings; `UsageError` for what is wrong with them."""
    ours = (_QUICK, _DEFAULT, Suite(name="full", scenarios=_every_form()))
    return (*ours, *_own(settings, {suite.name for suite in ours}))


def _every_form() -> tuple[str, ...]:
    """Every scenario at its default size, in each of the forms that it has."""
    texts = []
    for name in scenario_catalogue.names():
        sweep = scenario_catalogue.get(name).sweep
        forms = [[f"{key}={each}" for each in v] for key, v in sweep.items() if type(v[0]) is str]
        texts += [":".join(filter(None, (name, ",".join(chosen)))) for chosen in product(*forms)]
    return tuple(texts)


def _own(settings: Path, taken: set[str]) -> list[Suite]:
    """The suites of a settings file; none where there is no such file or table."""
    if not settings.is_file():
        return []
    try:
        content = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{settings}: {error}; expected TOML") from None
    found = content.get("tool", {}).get("graphgauge", {}).get("suites", {})
    where = f"{settings}: [tool.graphgauge.suites]"
    if isinstance(found, list):  # names of suites, for the gate
        return []
    if not isinstance(found, dict):
        raise UsageError(f"{where} is {found!r}; expected a table of suites")
    made = []
    for name, told in found.items():
        if name in taken:
            raise UsageError(f"{where}: {name!r} is one of our own suites; choose another name")
        made.append(_suite(f"{where} {name}", name, told))
    return made


def _suite(where: str, name: str, told: Any) -> Suite:
    """A suite as a list of scenarios, or as a table with more."""
    table = {"scenarios": told} if isinstance(told, list) else told
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {told!r}; expected a list of scenarios, or a table")
    unknown = [key for key in table if key not in ("scenarios", "evaluators", "quick")]
    if unknown:
        raise UsageError(f"{where}: found {unknown[0]!r}; expected scenarios, evaluators or quick")
    evaluators = _texts(where, "evaluators", table.get("evaluators", list(EVALUATORS)))
    is_quick = table.get("quick", False)
    if not isinstance(is_quick, bool):
        raise UsageError(f"{where}: quick is {is_quick!r}; expected true or false")
    return Suite(
        name=name,
        scenarios=_texts(where, "scenarios", table.get("scenarios", [])),
        evaluators=evaluators,
        is_quick=is_quick,
    )


def _texts(where: str, key: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or not all(isinstance(s, str) for s in found):
        raise UsageError(f'{where}: {key} is {found!r}; expected texts such as ["chain"]')
    return tuple(found)
