"""One pass through the phases that lead from a scenario to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evaluators.protocol import Evaluator, Function, gradient_by
from networks import Network, differentiate, simplify
from scenarios.scenario import Scenario


class Refusal(Exception):  # noqa: N818 - no error: the evaluator says what it does not do
    """The evaluator refuses this network and mode."""


class Preparation:
    """Runs construct, differentiate, lower and compile once, and holds what each gives.

    `differentiate` is a phase only where the gradient is taken from our network. An engine with
    native derivatives does it while it lowers or compiles.
    """

    def __init__(
        self,
        scenario: Scenario,
        params: dict[str, Any],
        evaluator: Evaluator,
        mode: str,
        dtype: str,
        *,
        origins: bool = False,
    ) -> None:
        self._scenario = scenario
        self._params = params
        self._evaluator = evaluator
        self._mode = mode
        self._dtype = dtype
        self._origins = origins
        self._products: dict[str, Any] = {}
        self._steps: dict[str, Callable[[], Any]] = {"construct": self._construct}
        if mode == "gradient" and gradient_by(evaluator) == "network":
            self._steps["differentiate"] = self._differentiate
        self._steps |= {"lower": self._lower, "compile": self._compile}

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases of this preparation, in order."""
        return tuple(self._steps)

    @property
    def network(self) -> Network:
        """The network that the scenario built."""
        network: Network = self._products["construct"]
        return network

    @property
    def gradient_network(self) -> Network | None:
        """The differentiated network, where there is one."""
        return self._products.get("differentiate")

    @property
    def lowered(self) -> Any:
        """What the evaluator lowered."""
        return self._products["lower"]

    @property
    def mode(self) -> str:
        """Output or gradient."""
        return self._mode

    @property
    def lowered_network(self) -> Network:
        """What is handed to the evaluator."""
        return self.gradient_network or self.network

    @property
    def function(self) -> Function:
        """What the evaluator compiled."""
        function: Function = self._products["compile"]
        return function

    def step(self, phase: str) -> Callable[[], Any]:
        """What runs that phase and returns its product; keep it with `keep`."""
        return self._steps[phase]

    def keep(self, phase: str, product: object) -> None:
        """Hold the product of a phase, for the phases after it."""
        self._products[phase] = product

    def drop(self) -> None:
        """Let every product go, the last made first."""
        while self._products:
            self._products.popitem()

    def check_refusal(self) -> None:
        """Raise `Refusal` when the evaluator does not do this network in this mode."""
        if self._mode == "gradient" and self.network.loss is None:
            raise Refusal("the scenario has no loss to differentiate")
        reason = self._evaluator.refuse(self.network, self._mode)
        if reason is not None:
            raise Refusal(reason)

    def _construct(self) -> Network:
        return self._scenario.network(self._params, dtype=self._dtype, origins=self._origins)

    def _differentiate(self) -> Network:
        return simplify(differentiate(self.network))

    def _lower(self) -> object:
        return self._evaluator.lower(self.lowered_network, self._mode)

    def _compile(self) -> Function:
        return self._evaluator.compile(self._products["lower"])
