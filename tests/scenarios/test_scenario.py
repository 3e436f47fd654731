"""What a scenario is, how it is found, and what it makes of its parameters."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from networks import Builder, NetworkError, functions as f
from scenarios import scenario as catalogue
from scenarios.scenario import CALLS, Scenario, ScenarioError, get, names, register, scenario


@pytest.fixture(autouse=True)
def own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    names()
    monkeypatch.setattr(catalogue, "_catalogue", dict(catalogue._catalogue))


def _line(net: Builder, *, depth: int, width: int = 8, rate: float = 0.5, form: str = "a") -> None:
    """A line. And more."""
    h = net.weight("w", (width,))
    for _ in range(depth):
        h = h * rate
    net.output(h)


def _declared(**given: Any) -> Scenario:
    options: dict[str, Any] = {
        "sweep": {"depth": (1, 10, 100), "form": ("a", "b")},
        "provenance": "a test",
    } | given
    return scenario("line", **options)(_line)


def test_the_decorator_returns_what_the_catalogue_knows() -> None:
    """The decorated name stands for the scenario, which `get` and `names` know as well."""
    line = _declared()

    assert get("line") is line
    assert names()[-1] == "line"
    assert line.location == f"tests/scenarios/test_scenario.py:{_line.__code__.co_firstlineno}"
    assert line.description == "A line. And more."
    assert (line.provenance, line.lifecycle) == ("a test", CALLS)


def test_defaults_come_from_the_declaration_the_signature_or_the_sweep() -> None:
    """In this order; the middle of the sweep stands in where there is no other."""
    assert _declared(defaults={"width": 3}).parameters() == {
        "depth": 10,
        "width": 3,
        "rate": 0.5,
        "form": "a",
    }


def test_the_smallest_size_falls_back_on_the_sweep() -> None:
    """`small` has the first value of each sweep unless it says otherwise."""
    assert dict(_declared(small={"width": 2}).small) == {"depth": 1, "form": "a", "width": 2}


def test_a_text_is_read_as_the_defaults_type() -> None:
    """What a command line gives is text; what a loop gets has its own type."""
    given = {"depth": "7", "rate": "1e-3", "form": "b"}

    assert _declared().parameters(given) == {"depth": 7, "width": 8, "rate": 0.001, "form": "b"}
    assert _declared_flag().parameters({"on": "Yes"}) == {"on": True}
    assert _declared_flag().parameters({"on": False}) == {"on": False}


def _declared_flag() -> Scenario:
    catalogue._catalogue.pop("flag", None)

    def flag(net: Builder, *, on: bool = False) -> None: ...

    return scenario("flag", provenance="a test")(flag)


@pytest.fixture
def line() -> Scenario:
    """A scenario of four parameters."""
    return _declared()


def test_an_integer_is_a_float_too(line: Scenario) -> None:
    """Where the default is a float, an int will do."""
    assert line.parameters({"rate": 2})["rate"] == 2.0
    assert isinstance(line.parameters({"rate": 2})["rate"], float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dept": 3}, r"line: no parameter 'dept'; it takes depth=10, .*; did you mean depth\?"),
        ({"depth": "ten"}, "line: depth is 'ten'; expected int such as 10"),
        ({"depth": 1.5}, "depth is 1.5; expected int"),
        ({"depth": True}, "depth is True; expected int"),
        ({"depth": -1}, "depth is -1; expected int"),
        ({"depth": None}, "depth is None; expected int"),
        ({"rate": "fast"}, "rate is 'fast'; expected float such as 0.5"),
        ({"form": "c"}, "form is 'c'; expected 'a' or 'b'"),
        ({"form": 1}, "form is 1; expected 'a' or 'b'"),
    ],
)
def test_a_wrong_parameter_is_named(line: Scenario, given: dict[str, Any], message: str) -> None:
    """The message tells scenario, parameter, what was found and what was expected."""
    with pytest.raises(ScenarioError, match=message):
        line.network(given)


def test_a_name_is_used_once(line: Scenario) -> None:
    """A clash names both places."""
    with pytest.raises(ScenarioError) as caught:
        register(line)

    assert str(caught.value).count(line.location) == 2
    assert "there is a scenario 'line' at" in str(caught.value)


def test_an_unknown_name_brings_close_ones() -> None:
    """A typing mistake is answered with the names it may have been meant for."""
    with pytest.raises(ScenarioError, match=r"no scenario 'chian'; did you mean chain or .*\?"):
        get("chian")


def _positional(net: Builder, depth: int = 3) -> None: ...


def _undetermined(net: Builder, *, depth: int) -> None: ...


def _reserved(net: Builder, *, dtype: str = "float32") -> None: ...


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (_positional, {}, "found parameter 'depth'; expected .* keyword-only"),
        (_undetermined, {}, "parameter 'depth' has no default"),
        (_reserved, {}, "found parameter 'dtype'; expected .* none of them dtype"),
        (_line, {"sweep": {"deep": (1,)}}, "takes no parameter 'deep'"),
        (
            _line,
            {"defaults": {"depth": "x"}, "small": {"depth": 3}},
            "depth is 3; expected str such as x",
        ),
        (_line, {"sweep": {"depth": (1, "x")}}, "depth is 1; expected 1 or 'x'"),
        (_line, {"sweep": {"depth": (1, 2, 0.5)}}, "depth is 0.5; expected int"),
        (_line, {"sweep": {"depth": (1,)}, "small": {"deep": 1}}, "no parameter 'deep'"),
        (_line, {"sweep": {"depth": (1,)}, "lifecycle": "once"}, "lifecycle is 'once'; expected"),
    ],
)
def test_a_wrong_declaration_is_an_error_at_once(
    build: Any, options: dict[str, Any], message: str
) -> None:
    """It names the place, and what is wrong there; nothing waits until the scenario is run."""
    place = re.escape(f"test_scenario.py:{build.__code__.co_firstlineno}: ")

    with pytest.raises(ScenarioError, match=place + f"scenario wrong.*{message}"):
        scenario("wrong", provenance="a test", **options)(build)
    with pytest.raises(ScenarioError):
        get("wrong")


def test_a_name_fits_into_a_case_and_a_table() -> None:
    """Colons, commas and spaces have a meaning on the command line, so names have none."""
    with pytest.raises(ScenarioError, match="expected a name of letters"):
        scenario("a:b", provenance="a test", sweep={"depth": (1,)})(_line)


def _broken(net: Builder) -> None:
    net.output(net.data("x", (2,)) + net.data("y", (3,)))


def _empty(net: Builder) -> None:
    net.data("x")


def _hungry(net: Builder) -> None:
    raise MemoryError


def test_an_error_of_the_loop_names_the_scenario() -> None:
    """The message has the scenario with its parameters, and the line that failed."""
    line = _broken.__code__.co_firstlineno + 1
    message = (
        r"scenario broken \(no parameters\) does not build: NetworkError: "
        rf"{__file__}:{line}: add of float32\[2\] and float32\[3\]"
    )

    with pytest.raises(ScenarioError, match=message) as caught:
        scenario("broken", provenance="a test")(_broken).network({})

    assert isinstance(caught.value.__cause__, NetworkError)


def test_a_loop_without_an_output_is_an_error_of_the_scenario() -> None:
    """A loop that marks nothing is told to call net.output."""
    with pytest.raises(ScenarioError, match=r"scenario empty .* call net\.output"):
        scenario("empty", provenance="a test")(_empty).network({})


def test_running_out_of_memory_stays_what_it_is() -> None:
    """Result tables have a status of their own for that."""
    with pytest.raises(MemoryError):
        scenario("hungry", provenance="a test")(_hungry).network({})


def test_dtype_and_cache_are_the_networks() -> None:
    """The same loop builds in either precision, and with any cache."""
    line = _declared()

    network = line.network({"depth": 3}, dtype="float64")
    net = line.built({"depth": 3}, cache="strong")

    assert {node.dtype.name for node in network.nodes} == {"float64"}
    assert net.cache_entries == 3 + 1  # products, and one constant


def test_the_collector_is_paused_while_a_network_is_built() -> None:
    """Otherwise it would walk all nodes again and again; afterwards it is as before."""
    during = []

    def watched(net: Builder) -> None:
        during.append(gc.isenabled())
        net.output(net.data("x"))

    scenario("watched", provenance="a test")(watched).network({})

    assert during == [False]
    assert gc.isenabled()


def test_inputs_are_drawn_from_a_seed() -> None:
    """Same seed, same values, in both precisions; drawing again gives fresh ones."""

    def inputs(net: Builder) -> None:
        w, x = net.weight("w", (100,)), net.data("x", (100,))
        mask = net.data("mask", (1_000,), dtype="bool")
        net.output(w + x)
        net.output(mask)

    found = scenario("inputs", provenance="a test")(inputs)
    single, double = found.network({}), found.network({}, dtype="float64")
    rng = np.random.default_rng(3)
    weights, data = found.draw_weights(single, rng), found.draw_data(single, rng)
    again = found.draw_data(single, rng)

    assert (list(weights), list(data)) == (["w"], ["x", "mask"])
    assert [data[name].dtype.name for name in data] == ["float32", "bool"]
    assert 400 < data["mask"].sum() < 600
    assert not np.array_equal(data["x"], again["x"])
    wide = found.draw_weights(double, np.random.default_rng(3))["w"]
    np.testing.assert_array_equal(wide.astype("float32"), weights["w"])


def test_a_scenario_may_draw_as_it_likes() -> None:
    """`draw` is given the generator, the input's name and its shape."""
    line = _declared(draw=lambda rng, name, shape: np.full(shape, len(name)))
    network = line.network({"width": 2})

    assert line.draw_weights(network, np.random.default_rng(0))["w"].tolist() == [1.0, 1.0]


def test_a_tolerance_may_depend_on_the_size() -> None:
    """By dtype, for all sizes or as a function of the parameters."""
    fixed = _declared(tolerance={"float32": 1e-3, "float64": 1e-9})
    assert fixed.tolerance_at(fixed.parameters(), "float32") == 1e-3
    catalogue._catalogue.pop("line")
    growing = _declared(tolerance=lambda p: {"float32": p["depth"] * 1e-6, "float64": 0.0})
    assert growing.tolerance_at(growing.parameters({"depth": 50}), "float32") == 50 * 1e-6


def test_a_workers_start_imports_no_family_and_no_generator() -> None:
    """Families and numpy.random are imported when they are asked for."""
    script = (
        "import sys, numpy; before = set(sys.modules); import scenarios.scenario; "
        "new = set(sys.modules) - before; "
        "print([m for m in new if m.startswith(('numpy.random', 'difflib', 'scenarios.'))])"
    )

    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "['scenarios.scenario']"


def test_the_docstrings_example_works() -> None:
    """The example at the top of the module is a scenario."""

    def double(net: Builder, *, depth: int, width: int = 8) -> None:
        """h = h + h, depth times."""
        h = net.data("x", shape=(width,))
        for _ in range(depth):
            h = h + h
        net.loss(f.sum(net.output(h)))

    found = scenario("doubled", sweep={"depth": (10, 100, 1_000)}, provenance="2**depth")(double)

    assert found.parameters() == {"depth": 100, "width": 8}
    assert len(found.network({}).nodes) == 102
