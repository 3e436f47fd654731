"""What every evaluator refuses, and which network a mode means."""

from __future__ import annotations

import pytest

from evaluators.protocol import Evaluator, EvaluatorError, gradient_by, network_for
from networks import Builder, Network, differentiate, functions as f


def network(*, loss: bool = True) -> Network:
    """The sum of w·x."""
    net = Builder()
    w, x = net.weight("w", (3,)), net.data("x", (3,))
    y = net.output(f.sum(w * x))
    if loss:
        net.loss(y)
    return net.network()


def test_a_missing_loss_is_refused(own: Evaluator) -> None:
    """The refusal says what to call."""
    reason = own.refuse(network(loss=False), "gradient")

    assert reason == "the network has no loss to differentiate; call net.loss(y) where it is built"
    assert own.refuse(network(loss=False), "output") is None


def test_a_gradient_network_has_no_output_mode(own: Evaluator) -> None:
    """Its outputs are loss and derivatives, which is what gradient mode returns."""
    gradient = differentiate(network())

    assert "has no output mode" in str(own.refuse(gradient, "output"))
    assert own.refuse(gradient, "gradient") is None


def test_an_unknown_mode_is_refused(own: Evaluator) -> None:
    """The modes are listed."""
    assert own.refuse(network(), "grad") == "found mode 'grad'; expected one of output, gradient"


def test_lowering_what_is_refused_raises(own: Evaluator) -> None:
    """Who does not ask is told the same."""
    with pytest.raises(EvaluatorError, match="no loss"):
        own.lower(network(loss=False), "gradient")


def test_engines_refuse_alike(engine: Evaluator) -> None:
    """A missing loss, and lowering in spite of it, as with ours."""
    assert "no loss" in str(engine.refuse(network(loss=False), "gradient"))
    with pytest.raises(EvaluatorError, match="no loss"):
        engine.lower(network(loss=False), "gradient")


def test_engines_of_their_own_gradient_refuse_ours(engine: Evaluator) -> None:
    """A gradient network leaves them nothing to do; the refusal names who takes it."""
    reason = engine.refuse(differentiate(network()), "gradient")

    if gradient_by(engine) == "native":
        assert f"'{engine.name}-network'" in str(reason)
    else:
        assert reason is None


def test_ours_are_given_the_gradient_network(own: Evaluator) -> None:
    """Who says nothing about it has the network differentiated for him."""
    assert gradient_by(own) == "network"


def test_the_network_of_a_mode() -> None:
    """Output: itself. Gradient: the derivative, made here unless it is one already."""
    built = network()
    gradient = differentiate(built)

    assert network_for(built, "output") is built
    assert network_for(gradient, "gradient") is gradient
    assert network_for(built, "gradient").is_gradient
