"""The evaluators by name: ours and the engines', imported when asked for, and plugins'."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from evaluators.engines.table import ENGINES, Engine, normalised
from evaluators.protocol import Evaluator, EvaluatorError
from evaluators.unsupported import Unsupported

_MODULES = {
    "reference": "evaluators.reference",
    "interpreter": "evaluators.strategies.interpreter",
    "planned": "evaluators.strategies.planned",
    "straightline": "evaluators.strategies.straightline",
    **{name: engine.module for engine in ENGINES for name in engine.evaluators},
}
_registered: dict[str, Evaluator] = {}
_places: dict[str, str] = {}
_announced: dict[str, Callable[[], None]] = {}
"""What registers an evaluator that is not asked for yet, by the evaluator's name."""


def register(evaluator: Evaluator) -> None:
    """Make an evaluator known by its name, which must be new; once more is no harm."""
    name = evaluator.name
    caller = sys._getframe(1)
    place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    if _registered.get(name) is evaluator:
        return
    known = _places.get(name, _MODULES.get(name))
    if known is not None:
        raise EvaluatorError(
            f"{place}: there is an evaluator {name!r} already, from {known}; choose another name"
        )
    _registered[name] = evaluator
    _places[name] = place


def announce(name: str, load: Callable[[], None]) -> None:
    """Make a name known whose evaluator `load` registers, once it is asked for by that name."""
    if name not in names():
        _announced[name] = load


def announced() -> tuple[str, ...]:
    """The names that nobody has asked for yet."""
    return tuple(_announced)


def names() -> tuple[str, ...]:
    """Every known name, installed or not: ours, then the engines', then plugins'."""
    return (*_MODULES, *_registered, *_announced)


def get(name: str) -> Evaluator:
    """The evaluator of that name, its engine imported.

    An engine of a release that its adapter does not know gives one that refuses every network.
    `EvaluatorError` when the name is unknown or its engine is not installed.
    """
    if name in _announced:
        _announced.pop(name)()
    if name in _registered:
        return _registered[name]
    if name not in _MODULES:
        raise EvaluatorError(f"there is no evaluator {name!r}{_suggestion(name)}")
    module = _import(name)
    if isinstance(module, Unsupported):
        return module
    evaluators: tuple[Evaluator, ...] = module.EVALUATORS
    return next(each for each in evaluators if each.name == name)


def engine_of(name: str) -> Engine | None:
    """The engine behind an evaluator; None for our own and for plugins."""
    return next((engine for engine in ENGINES if name in engine.evaluators), None)


def evaluators_of(distribution: str) -> tuple[str, ...]:
    """The names of the adapters to that distribution; none when we know no adapter."""
    wanted = normalised(distribution)
    return next(
        (each.evaluators for each in ENGINES if normalised(each.distribution) == wanted), ()
    )


def _import(name: str) -> ModuleType | Unsupported:
    try:
        return import_module(_MODULES[name])
    except Exception as error:  # whatever an engine does where it does not fit in
        engine = engine_of(name)
        if engine is None:
            raise
        release = _installed(engine)
        reason = engine.unsupported(release) if release is not None else None
        if release is not None and reason is not None:
            return Unsupported(name, release, reason)
        raise EvaluatorError(_not_importable(name, engine, release, error)) from error


def _installed(engine: Engine) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - for this alone

    try:
        return version(engine.distribution)
    except PackageNotFoundError:
        return None


def _not_importable(name: str, engine: Engine, release: str | None, error: Exception) -> str:
    if release is None:
        return (
            f"evaluator {name!r} needs {engine.distribution} {engine.supported}; "
            f"install it: pip install '{engine.extra}'"
        )
    needed = ", ".join(engine.requirements(release))
    return (
        f"evaluator {name!r}: {engine.distribution} {release} does not import here "
        f"({type(error).__name__}: {error})"
        + (f"; beside it is needed: {needed}" if needed else "")
    )


def _suggestion(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for this message alone

    close = get_close_matches(name, names(), n=3)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; expected one of {', '.join(names())}"
