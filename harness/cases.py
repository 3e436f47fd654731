"""What is measured: cases, and how they are written on a command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

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


def parse_specs(text: str, *, sweep: bool = False) -> tuple[Spec, ...]:
    """Read a scenario at one size or at several, such as `chain:depth=100/1000,width=8`.

    With `sweep`, a size that is not given goes through the scenario's own sweep: the first one.
    """
    name, _, rest = text.partition(":")
    parts = rest.split(",") if rest else []
    if sweep:
        parts.append(_own_sweep(text, name.strip(), parts))
    choices = [
        [f"{key}{equals}{value}" for value in values.split("/")]
        for key, equals, values in (part.partition("=") for part in parts)
    ]
    return tuple(
        parse_spec(":".join(filter(None, (name, ",".join(chosen))))) for chosen in product(*choices)
    )


def _own_sweep(text: str, name: str, parts: Sequence[str]) -> str:
    """The first size of the scenario's sweep that is not given, at all its values."""
    try:
        sweep = scenario_catalogue.get(name).sweep
    except ScenarioError as error:
        raise UsageError(f"--scenario {text}: {error}") from None
    given = {part.partition("=")[0].strip() for part in parts}
    for key, values in sweep.items():
        if key not in given and type(values[0]) is int:
            return f"{key}={'/'.join(map(str, values))}"
    raise UsageError(
        f"--scenario {text} --sweep: no size is left to sweep; "
        f"name one with its sizes: {name}:NAME=10/100/1000"
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
