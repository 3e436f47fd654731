"""The text form of a network."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from networks import Builder, NetworkError, differentiate, from_text, functions as f, to_text
from tests.networks.drawing import LAW, random_inputs, random_network
from tests.networks.walker import evaluate

TEXT = """\
graphgauge network 1
%0 = weight "w" float32[3]
%1 = data "x" bool[2, 3]
%2 = constant -0.5 float32[]
%3 = multiply %0 %2 float32[3]
%4 = where %1 %0 %3 float32[2, 3]
%5 = sum %4 {"axes": [0, 1], "keepdims": false} float32[]
weights %0
data %1
outputs %4 %5
loss %5
"""


def test_a_network_reads_as_a_line_a_node() -> None:
    """The text is what the module's docstring shows."""
    net = Builder()
    w, x = net.weight("w", (3,)), net.data("x", (2, 3), dtype="bool")
    y = net.output(f.where(x, w, w * -0.5))
    net.loss(net.output(f.sum(y)))

    assert to_text(net.network()) == TEXT
    assert to_text(from_text(TEXT)) == TEXT


@LAW
@given(rng=st.randoms(use_true_random=False), gradient=st.booleans())
def test_writing_then_reading_is_the_identity(rng: Random, gradient: bool) -> None:
    """Reading gives a network of the same text and the same values, bit for bit."""
    network = random_network(rng, dtype="float32")
    if gradient:
        network = differentiate(network)

    again = from_text(to_text(network))

    assert to_text(again) == to_text(network)
    assert again.is_gradient == gradient
    inputs = random_inputs(network)
    for one, other in zip(evaluate(network, inputs), evaluate(again, inputs), strict=True):
        assert one.tobytes() == other.tobytes()


@LAW
@given(
    st.lists(st.floats(width=32), max_size=4),
    st.text(min_size=1, max_size=5),
    st.sampled_from(["float32", "float64"]),
)
def test_every_number_and_every_name_survives(values: list[float], name: str, dtype: str) -> None:
    """Infinities, NaN, -0, denormal numbers, and names of any characters come back as they were."""
    net = Builder(dtype=dtype)
    net.output(net.data(name, (len(values),)) + net.constant(np.array(values, dtype)))

    again = from_text(to_text(net.network()))

    assert again.names == (name,)
    assert again.outputs[0].operands[1].attributes.tobytes() == np.array(values, dtype).tobytes()


@pytest.mark.parametrize(
    ("line", "broken", "message"),
    [
        (1, "graphgauge network 2", "line 1: expected 'graphgauge network 1'"),
        (2, '%0 = weight "w"', r"line 2: .* expected '%N = operator"),
        (2, '%7 = weight "w" float32[3]', "line 2: .* expected node %0"),
        (2, "%0 = weight 3 float32[3]", "line 2: .* expected the input's name"),
        (2, '%0 = weight "w" int8[3]', "line 2: .* 'int8'"),
        (4, "%2 = constant [1, 2] float32[]", "line 4: .* cannot reshape"),
        (4, '%2 = constant "a" float32[]', "line 4: .* could not convert"),
        (5, "%3 = multiply %0 %9 float32[3]", "line 5: .* out of range"),
        (5, "%3 = multiply %0 float32[3]", "line 5: .* multiply takes 2 operands, found 1"),
        (5, "%3 = multiplied %0 %2 float32[3]", "line 5: .* 'multiplied'"),
        (5, '%3 = multiply %0 %2 {"axis": 0} float32[3]', "line 5: .* has no attributes"),
        (5, "%3 = multiply %0 %2 float32[4]", r"should be float32\[3\] by its operands"),
        (6, "%4 = concat float32[2, 3]", "line 6: .* concat takes one operand or more"),
        (7, "%5 = sum %4 float32[]", "line 7: .* sum needs its attributes"),
        (7, '%5 = sum %4 {"axis": 0} float32[]', "line 7: .* unexpected keyword"),
        (7, '%5 = sum %4 {"axes": [0], "keepdims": false} float32[]', "should be float32.3. by"),
        (8, "weights 0", "line 8: .* expected a node such as %0"),
        (8, "", "line 8: found ''"),
        (11, "loss %4", "the loss is .* expected a floating-point scalar"),
    ],
)
def test_a_bad_line_is_named(line: int, broken: str, message: str) -> None:
    """The error tells the line, what stands there, and what was expected."""
    lines = TEXT.splitlines()
    lines[line - 1] = broken

    with pytest.raises(NetworkError, match=message):
        from_text("\n".join(lines))


@pytest.mark.parametrize("text", ["", "hello", "\n"])
def test_what_is_no_text_form_is_refused(text: str) -> None:
    """A file of something else is told from a network by its first line."""
    with pytest.raises(NetworkError, match="this is no network's text form"):
        from_text(text)
