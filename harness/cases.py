"""What is measured: cases, and how they are written on a command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluators.protocol import MODES
from harness.errors import UsageError
from scenarios import scenario as scenario_catalogue
from scenarios.scenario import Scenario, ScenarioError, Value

_DTYPES = ("float32", "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario at a size, an evaluator and a mode: one line of a summary."""

    scenario: str
    params: tuple[tuple[str, Value], ...]
    """Every parameter of the scenario, by name; the order is that of the names."""
    evaluator: str
    mode: str
    dtype: str | None = None
    """Of the network; None leaves it to the evaluator, which means float32 unless it differs."""

    @property
    def params_text(self) -> str:
        """As in a result table: `depth=100;width=64`, keys sorted."""
        shown = dict(self.params)
        if self.dtype is not None:
            shown["dtype"] = self.dtype
        return ";".join(f"{key}={_text(shown[key])}" for key in sorted(shown))

    def __str__(self) -> str:
        return f"{self.evaluator} {self.scenario}[{self.params_text}] {self.mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A scenario as a user names it: `mlp`, or `chain:depth=100,width=8`."""

    scenario: Scenario
    params: tuple[tuple[str, Value], ...]
    dtype: str | None

    def case(self, evaluator: str, mode: str) -> Case:
        """The case that this makes with an evaluator and a mode."""
        return Case(
            scenario=self.scenario.name,
            params=self.params,
            evaluator=evaluator,
            mode=mode,
            dtype=self.dtype,
        )


def parse_spec(text: str) -> Spec:
    """Read `NAME[:key=value,key=value]`; `UsageError` says what is wrong with it."""
    name, _, rest = text.partition(":")
    given: dict[str, object] = {}
    for part in rest.split(",") if rest else ():
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"--scenario {text}: found {part!r}; expected NAME:key=value,key=value"
            )
        if key.strip() in given:
            raise UsageError(f"--scenario {text}: {key.strip()} is given twice")
        given[key.strip()] = value.strip()
    dtype = given.pop("dtype", None)
    if dtype is not None and dtype not in _DTYPES:
        raise UsageError(
            f"--scenario {text}: found dtype {dtype}; expected one of {', '.join(_DTYPES)}"
        )
    try:
        scenario = scenario_catalogue.get(name.strip())
        params = scenario.parameters(given)
    except ScenarioError as error:
        raise UsageError(f"--scenario {text}: {error}") from None
    return Spec(
        scenario=scenario,
        params=tuple(sorted(params.items())),
        dtype=None if dtype is None else str(dtype),
    )


def make_cases(
    specs: Sequence[Spec], evaluators: Sequence[str], modes: Iterable[str]
) -> tuple[Case, ...]:
    """Every combination, scenario by scenario; a combination that is named twice is made once."""
    chosen = tuple(modes)
    for mode in chosen:
        if mode not in MODES:
            raise UsageError(f"--mode {mode}: expected one of {', '.join(MODES)}")
    cases = (
        spec.case(evaluator, mode) for spec in specs for mode in chosen for evaluator in evaluators
    )
    return tuple(dict.fromkeys(cases))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
