"""What a scenario is, and the catalogue of them.

    @scenario("double", sweep={"depth": (10, 100, 1_000)}, provenance="2**depth paths")
    def double(net: Builder, *, depth: int, width: int = 8) -> None:
        \"\"\"h = h + h, depth times.\"\"\"
        ...

The name then stands for the `Scenario`, which the catalogue knows as well: `get("double")`.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from networks import Builder, Network, Node
from networks.collector import collector_paused

if TYPE_CHECKING:
    from numpy.random import Generator

Value: TypeAlias = int | float | str | bool
Parameters: TypeAlias = dict[str, Value]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Draw: TypeAlias = "Callable[[Generator, str, tuple[int, ...]], Array]"
Tolerance: TypeAlias = Mapping[str, float] | Callable[[Parameters], Mapping[str, float]]

CALLS, REBUILDS, SHAPES, KEPT, CYCLES = LIFECYCLES = (
    "calls",
    "rebuilds",
    "shapes",
    "kept",
    "cycles",
)
"""What is done again and again; a parameter of that name says how often."""
COUNTED_UP, COLLECTOR = "batch", "collector"
"""Parameters that the harness sets or obeys, in the life cycles `shapes` and `cycles`."""


def roundings(count: int) -> dict[str, float]:
    """The tolerance of that many roundings, all of them in the same direction.

    Never fewer than 1,000: engines sum in orders of their own, and their float32 transcendental
    functions are off by several units in the last place.
    """
    count = max(count, 1_000)
    return {"float32": count * 2.0**-24, "float64": count * 2.0**-53}


TOLERANCE: Mapping[str, float] = MappingProxyType(roundings(1_000))
"""For a scenario that says nothing."""

_FAMILIES = ("depth", "sharing", "recurrent", "classics", "layers", "lifecycle")
_RESERVED = frozenset({"dtype"})
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ScenarioError(ValueError):
    """A scenario is unknown, clashes with another, takes no such parameter, or does not build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A loop that builds a network, with everything needed to run it.

    Attributes
    ----------
    name: what the catalogue and result tables call it.
    build: the loop; it is given a builder and the parameters by name.
    defaults: a value for every parameter, in the order of the loop's signature.
    sweep: the values worth measuring, for parameters that set a size or choose a form.
    small: parameters that differ from `defaults` where the smallest telling size is wanted.
    provenance: whom this loop hurt, or where it is defined.
    tolerance: by dtype, the error allowed against the golden evaluator, relative to the largest
        magnitude of the array it is in; or a function of the parameters that gives this.
    draw: (generator, input name, shape) -> values of an input; standard normal when None.
    lifecycle: what `evaluate` does again and again. "calls": one compiled function is called.
        "rebuilds": the whole road from `construct` to `teardown` is gone. "shapes": the same, the
        parameter `batch` being 1, 2, 3 …. "kept": one more function is constructed, compiled and
        called, and kept alive. "cycles": as "rebuilds", but without collecting garbage where the
        parameter `collector` is "off".
    location: file and line of the loop.
    description: the first line of the loop's docstring.
    """

    name: str
    build: Callable[..., None]
    defaults: Mapping[str, Value]
    sweep: Mapping[str, tuple[Value, ...]]
    small: Mapping[str, Value]
    provenance: str
    tolerance: Tolerance
    draw: Draw | None
    lifecycle: str
    location: str
    description: str

    def parameters(self, given: Mapping[str, object] = MappingProxyType({})) -> Parameters:
        """The defaults with those given in their place, in the order of the loop's signature.

        A text is read as the type of the parameter's default. `ScenarioError` for a parameter that
        the loop does not take, a value of another type, a negative number where the default is an
        int, and a text that is not one of those in the sweep.
        """
        unknown = [name for name in given if name not in self.defaults]
        if unknown:
            raise ScenarioError(
                f"scenario {self.name}: no parameter {unknown[0]!r}; "
                f"it takes {_listed(self.defaults)}{_close(unknown[0], self.defaults)}"
            )
        return {
            name: self._value(name, given[name]) if name in given else default
            for name, default in self.defaults.items()
        }

    def built(
        self,
        given: Mapping[str, object],
        *,
        dtype: str = "float32",
        cache: str = "none",
        origins: bool = False,
    ) -> Builder:
        """The builder after the loop, for who wants its cache alive beside the network.

        The cyclic collector is paused meanwhile (see `networks.collector`).
        """
        parameters = self.parameters(given)
        net = Builder(dtype=dtype, cache=cache, origins=origins)
        with self._naming_itself(parameters), collector_paused():
            self.build(net, **parameters)
            net.network()  # so that a missing output is the loop's error too
        return net

    def network(
        self,
        given: Mapping[str, object],
        *,
        dtype: str = "float32",
        cache: str = "none",
        origins: bool = False,
    ) -> Network:
        """The network that the loop builds with those parameters, and defaults for the others."""
        return self.built(given, dtype=dtype, cache=cache, origins=origins).network()

    def draw_weights(self, network: Network, rng: Generator) -> dict[str, Array]:
        """A value for each weight, of its shape and dtype."""
        return self._drawn(network.weights, rng)

    def draw_data(self, network: Network, rng: Generator) -> dict[str, Array]:
        """A value for each data input, of its shape and dtype; fresh ones at every call."""
        return self._drawn(network.data, rng)

    def tolerance_at(self, parameters: Parameters, dtype: str) -> float:
        """The relative error allowed at that size; see `tolerance`."""
        by_dtype = self.tolerance(parameters) if callable(self.tolerance) else self.tolerance
        return by_dtype[dtype]

    @contextmanager
    def _naming_itself(self, parameters: Parameters) -> Iterator[None]:
        try:
            yield
        except (MemoryError, RecursionError):
            raise  # result tables have a status of their own for these
        except Exception as error:
            raise ScenarioError(
                f"scenario {self.name} ({_listed(parameters)}) does not build: "
                f"{type(error).__name__}: {_message(error)}"
            ) from error

    def _value(self, name: str, found: object) -> Value:
        default = self.defaults[name]
        value = _read(found, type(default)) if isinstance(found, str) else found
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        choices = self.sweep.get(name, ())
        if (
            type(value) is not type(default)
            or (type(value) is int and value < 0)
            or (isinstance(value, str) and choices and value not in choices)
        ):
            expected = (
                " or ".join(map(repr, choices)) if choices and isinstance(default, str)
                else f"{type(default).__name__} such as {default}"
            )  # fmt: skip
            raise ScenarioError(f"scenario {self.name}: {name} is {found!r}; expected {expected}")
        return value

    def _drawn(self, inputs: Iterable[Node], rng: Generator) -> dict[str, Array]:
        drawn = {}
        for node in inputs:
            if self.draw is not None:
                values = self.draw(rng, node.attributes, node.shape)
            elif node.dtype.kind == "b":
                values = rng.random(node.shape) < 0.5
            else:
                values = rng.standard_normal(node.shape)
            # Drawn in float64 whatever the dtype, so that a seed means the same values in both.
            drawn[node.attributes] = np.asarray(values, dtype=node.dtype)
        return drawn


def scenario(
    name: str,
    *,
    sweep: Mapping[str, Sequence[Value]] = MappingProxyType({}),
    defaults: Mapping[str, Value] = MappingProxyType({}),
    provenance: str,
    small: Mapping[str, Value] = MappingProxyType({}),
    tolerance: Tolerance = TOLERANCE,
    draw: Draw | None = None,
    lifecycle: str = CALLS,
) -> Callable[[Callable[..., None]], Scenario]:
    """Turn a loop into a `Scenario` and put it into the catalogue; the `Scenario` is returned.

    A parameter's default is the one in `defaults`, else that of the loop's signature, else the
    middle of its sweep. `small` falls back on the first value of each sweep.
    """

    def decorate(build: Callable[..., None]) -> Scenario:
        location = _location(build)
        swept = {key: tuple(values) for key, values in sweep.items()}
        found = Scenario(
            name=name,
            build=build,
            defaults=MappingProxyType(_defaults(name, location, build, defaults, swept)),
            sweep=MappingProxyType(swept),
            small=MappingProxyType({key: values[0] for key, values in swept.items()} | dict(small)),
            provenance=provenance,
            tolerance=tolerance,
            draw=draw,
            lifecycle=lifecycle,
            location=location,
            description=(inspect.getdoc(build) or "").partition("\n")[0],
        )
        _check(found)
        return register(found)

    return decorate


_catalogue: dict[str, Scenario] = {}
_announced: dict[str, Callable[[], None]] = {}
"""What registers a scenario that is not asked for yet, by the scenario's name."""


def register(scenario: Scenario) -> Scenario:
    """Put a scenario into the catalogue; `ScenarioError` names both places if its name is taken."""
    taken = _catalogue.get(scenario.name)
    if taken is not None:
        raise ScenarioError(
            f"{scenario.location}: there is a scenario {scenario.name!r} at {taken.location} "
            "already; rename one of them"
        )
    _catalogue[scenario.name] = scenario
    return scenario


def announce(name: str, load: Callable[[], None]) -> None:
    """Make a name known whose scenario `load` registers, once it is asked for by that name."""
    if name not in names():
        _announced[name] = load


def announced() -> tuple[str, ...]:
    """The names that nobody has asked for yet; `names` has them once they are loaded."""
    return tuple(_announced)


def get(name: str) -> Scenario:
    """The scenario of that name; `ScenarioError` with close names when there is none."""
    _load_families()
    if name in _announced:
        _announced.pop(name)()
    found = _catalogue.get(name)
    if found is None:
        raise ScenarioError(
            f"no scenario {name!r}{_close(name, _catalogue)}; `graphgauge list` shows all of them"
        )
    return found


def names() -> tuple[str, ...]:
    """The names of all scenarios: ours, family by family, and those of plugins loaded so far."""
    _load_families()
    return tuple(_catalogue)


@cache
def _load_families() -> None:
    """Import the families when first asked for, since a worker's start-up counts."""
    for family in _FAMILIES:
        import_module(f"scenarios.{family}")


def _message(error: Exception) -> str:
    try:
        return str(error)
    except BaseException:  # the loop is a user's own, and so is what it raises
        return "its message cannot be printed"


def _defaults(
    name: str,
    location: str,
    build: Callable[..., None],
    given: Mapping[str, Value],
    sweep: Mapping[str, tuple[Value, ...]],
) -> Parameters:
    """A value for each parameter of the loop."""
    builder_and_others = list(inspect.signature(build).parameters.values())
    taken = {each.name: each for each in builder_and_others[1:]}
    for key in (*given, *sweep):
        if key not in taken:
            raise ScenarioError(f"{location}: scenario {name} takes no parameter {key!r}")
    found: Parameters = {}
    for key, parameter in taken.items():
        if key in _RESERVED or parameter.kind is not parameter.KEYWORD_ONLY:
            raise ScenarioError(
                f"{location}: scenario {name}: found parameter {key!r}; expected the builder and "
                f"then keyword-only ones (after *), none of them {', '.join(_RESERVED)}"
            )
        if key in given:
            found[key] = given[key]
        elif parameter.default is not parameter.empty:
            found[key] = parameter.default
        elif sweep.get(key):
            found[key] = sweep[key][len(sweep[key]) // 2]
        else:
            raise ScenarioError(
                f"{location}: scenario {name}: parameter {key!r} has no default; give it one, or "
                "a sweep"
            )
    return found


def _check(found: Scenario) -> None:
    """Raise `ScenarioError` for what would only show when the scenario is run."""
    where = f"{found.location}: scenario {found.name}"
    if not re.fullmatch(r"[\w.-]+", found.name):
        raise ScenarioError(f"{where}: expected a name of letters, digits, '_', '-' and '.'")
    if found.lifecycle not in LIFECYCLES:
        raise ScenarioError(
            f"{where}: lifecycle is {found.lifecycle!r}; expected {' or '.join(LIFECYCLES)}"
        )
    of_harness = {SHAPES: COUNTED_UP, CYCLES: COLLECTOR}.get(found.lifecycle, found.lifecycle)
    for key in (found.lifecycle, of_harness) if found.lifecycle != CALLS else ():
        if key not in found.defaults:
            raise ScenarioError(
                f"{where}: lifecycle is {found.lifecycle!r}; expected a parameter {key!r}, "
                "which the harness reads"
            )
    try:
        found.parameters(found.small)
        for key, values in found.sweep.items():
            for value in values:
                found.parameters({key: value})
    except ScenarioError as error:
        raise ScenarioError(f"{found.location}: {error}") from None


def _read(text: str, kind: type) -> Value | None:
    """The value that a text stands for, or None if it stands for none of that type."""
    if kind is bool:
        return _TRUTH.get(text.lower())
    try:
        read: Value = kind(text)
    except ValueError:
        return None
    return read


def _location(build: Callable[..., None]) -> str:
    """`file:line` of a function, the file relative to the folder our packages are in."""
    code = build.__code__
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    return f"{code.co_filename.removeprefix(root)}:{code.co_firstlineno}"


def _listed(parameters: Mapping[str, Value]) -> str:
    return ", ".join(f"{key}={value}" for key, value in parameters.items()) or "no parameters"


def _close(name: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only an error needs it, and a worker's start-up counts

    near = difflib.get_close_matches(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""
