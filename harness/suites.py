"""Suites: what is measured when nothing is named."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cases import Spec, parse_specs
from harness.errors import UsageError

EVALUATORS = ("interpreter", "planned", "straightline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Scenarios at their sizes, and the evaluators they are measured with unless told."""

    name: str
    scenarios: tuple[str, ...]
    """As on the command line: `chain:depth=100`."""
    evaluators: tuple[str, ...] = EVALUATORS

    def specs(self) -> tuple[Spec, ...]:
        """The scenarios, read and checked."""
        return tuple(spec for text in self.scenarios for spec in parse_specs(text))


_SUITES = {
    each.name: each
    for each in (
        Suite(
            name="quick",
            scenarios=("chain:depth=100", "mlp", "wide_sum:terms=75", "rnn:steps=10"),
            evaluators=("planned", "straightline"),
        ),
        Suite(
            name="default",
            scenarios=(
                "chain",
                "double",
                "wide_sum",
                "wide_fanout",
                "mlp",
                "rnn",
                "gmm",
                "higher_order",
                "signed_products",
                "steady",
                "rebuild_drop",
            ),
        ),
    )
}


def suite_named(name: str) -> Suite:
    """The suite of that name; `UsageError` lists them when there is none."""
    found = _SUITES.get(name)
    if found is None:
        raise UsageError(f"no suite {name!r}; expected one of {', '.join(_SUITES)}")
    return found


def suites() -> tuple[Suite, ...]:
    """Every suite."""
    return tuple(_SUITES.values())
