"""Origins: the line that made a node, through differentiation and simplification."""

import inspect
import weakref

import pytest

from networks import Builder, Network, Node, differentiate, functions as f, simplify
from networks.caches import POLICIES
from networks.origins import Origins


def _here() -> int:
    """The line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def _built(cache: str = "none") -> tuple[Network, dict[str, int]]:
    """A small network, and the lines that made its parts."""
    lines = {}
    net = Builder(cache=cache, origins=True)
    w, lines["w"] = net.weight("w", (3,)), _here()
    x, lines["x"] = net.data("x", (3,)), _here()
    h, lines["h"] = f.tanh(w * x), _here()
    y, lines["y"] = h + h * 2.0, _here()
    net.output(y)
    net.loss(f.sum(y))
    lines["loss"] = _here() - 1
    return net.network(), lines


def _origins(network: Network) -> Origins:
    assert network.origins is not None
    return network.origins


def _lines(network: Network, operator: str) -> set[int]:
    found = [_origins(network).of(node) for node in network.nodes if node.operator.name == operator]
    return {each.line for each in found if each is not None}


@pytest.mark.parametrize("cache", POLICIES)
def test_every_node_has_the_line_that_made_it(cache: str) -> None:
    """Inputs, operators and constants, whatever cache is asked for beside."""
    network, lines = _built(cache)

    assert _lines(network, "weight") == {lines["w"]}
    assert _lines(network, "data") == {lines["x"]}
    assert _lines(network, "tanh") == {lines["h"]}
    assert _lines(network, "add") == {lines["y"]}
    assert _lines(network, "multiply") == {lines["h"], lines["y"]}
    assert _lines(network, "constant") == {lines["y"]}
    files = {_origins(network).of(node) for node in network.nodes}
    assert {origin.file for origin in files if origin} == {__file__}


def test_a_derivative_has_the_line_of_what_it_is_the_derivative_of() -> None:
    """No node of a simplified gradient network comes from differentiation's own lines."""
    network, lines = _built()

    gradient = simplify(differentiate(network))

    found = {_origins(gradient).of(node) for node in gradient.nodes}
    assert None not in found
    assert {each.file for each in found if each} <= {__file__}
    of_tanh = [n for n in gradient.nodes if n.operator.name == "subtract"]  # 1 - tanh²
    assert of_tanh
    assert {_origins(gradient).of(node) for node in of_tanh} == {(__file__, lines["h"])}


def test_caches_deduplicate_under_origins_too() -> None:
    """The same node made twice is one node, which has its first line."""
    net = Builder(cache="strong", origins=True)
    x = net.data("x", (3,))

    first, line = f.tanh(x), _here()
    second = f.tanh(x)

    assert first is second
    net.output(second)
    assert _origins(net.network()).of(first) == (__file__, line)
    assert net.cache_entries == 1


def test_nothing_is_recorded_unless_asked_for() -> None:
    """A builder as scenarios usually have it gives a network without origins."""
    net = Builder()
    node = net.output(f.tanh(net.data("x", (3,))))

    assert net.network().origins is None
    assert node.cache is None


def test_origins_hold_nodes_no_longer_than_themselves() -> None:
    """With builder, network and nodes gone, the collector frees the nodes."""
    import gc  # noqa: PLC0415 - this test alone collects

    network, _ = _built()
    watched: weakref.ref[Node] = weakref.ref(network.outputs[0])

    del network
    gc.collect()

    assert watched() is None
