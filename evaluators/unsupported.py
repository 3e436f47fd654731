"""What stands for an evaluator whose engine is of a release that its adapter does not know."""

from __future__ import annotations

from typing import Any, NoReturn

from evaluators.protocol import EvaluatorError
from networks import Network


class Unsupported:
    """Refuses every network: such a release need not even import."""

    def __init__(self, name: str, release: str, reason: str) -> None:
        self.name = name
        self._release = release
        self._reason = reason

    def version(self) -> str:
        """The release of the engine that is installed."""
        return self._release

    def refuse(self, _network: Network, _mode: str) -> str:
        """Which releases the adapter knows."""
        return self._reason

    def lower(self, _network: Network, _mode: str) -> NoReturn:
        """`EvaluatorError`."""
        raise EvaluatorError(self._reason)

    def compile(self, _lowered: Any) -> NoReturn:
        """`EvaluatorError`."""
        raise EvaluatorError(self._reason)
