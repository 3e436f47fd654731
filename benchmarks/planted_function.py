"""A plugin: `straightline`, all of it in `compile`, with extra work in one of its functions.

What is planted stands in the environment variable PLANTED: `module:qualified.name:iterations`, the
turns of an empty loop at the beginning of each call; nothing where it is not set.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
from types import ModuleType

from evaluators import catalog
from evaluators.protocol import Function
from networks import Network

VARIABLE = "PLANTED"


def plant(text: str) -> None:
    """Give a function of a module that loop, before anybody has imported it from there."""
    module_name, name, iterations = text.split(":")
    module = importlib.import_module(module_name)
    tree = ast.parse(inspect.getsource(module))
    _insert(_found(tree, name.split(".")), int(iterations))
    exec(compile(tree, str(module.__file__), "exec"), module.__dict__)
    _renew(module)


def _found(tree: ast.Module, path: list[str]) -> ast.FunctionDef:
    inside: ast.AST = tree
    for name in path:
        inside = next(
            each
            for each in ast.iter_child_nodes(inside)
            if isinstance(each, (ast.ClassDef, ast.FunctionDef)) and each.name == name
        )
    assert isinstance(inside, ast.FunctionDef)
    return inside


def _insert(function: ast.FunctionDef, iterations: int) -> None:
    loop = ast.parse(f"for _planted in range({iterations}): pass").body[0]
    first = function.body[0]
    for node in ast.walk(loop):
        ast.copy_location(node, first)
    at = 1 if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else 0
    function.body.insert(at, loop)


def _renew(changed: ModuleType) -> None:
    """Bind what the strategies imported from the changed module to what it has now."""
    for module_name in ("networks", "networks.network", *_STRATEGIES):
        module = importlib.import_module(module_name)
        for name, value in list(vars(module).items()):
            is_its_own = getattr(value, "__module__", None) == changed.__name__
            if module is not changed and is_its_own and name in vars(changed):
                setattr(module, name, vars(changed)[name])


_STRATEGIES = (
    "evaluators.strategies.liveness",
    "evaluators.strategies.lowering",
    "evaluators.strategies.straightline",
)


class WholeCompile:
    """Rewrites, orders, writes and compiles in one phase."""

    name = "whole-compile"

    def __init__(self) -> None:
        straightline = importlib.import_module("evaluators.strategies.straightline")
        self._evaluator = straightline.Straightline()

    def version(self) -> str:
        """That of `straightline`."""
        return str(self._evaluator.version())

    def refuse(self, network: Network, mode: str) -> str | None:
        """As `straightline` does."""
        reason: str | None = self._evaluator.refuse(network, mode)
        return reason

    def lower(self, network: Network, mode: str) -> tuple[Network, str]:
        """Nothing yet."""
        return network, mode

    def compile(self, lowered: tuple[Network, str]) -> Function:
        """All that `straightline` does before a call."""
        function: Function = self._evaluator.compile(self._evaluator.lower(*lowered))
        return function


if os.environ.get(VARIABLE):
    plant(os.environ[VARIABLE])
catalog.register(WholeCompile())
