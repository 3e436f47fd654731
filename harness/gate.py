"""`[tool.graphgauge]` of a pyproject.toml: what a project's gate measures and asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from results.gate import FAILURES, Tolerance
from results.schema import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The settings; what is absent is None or empty."""

    baseline: str | None = None
    """A table, relative to the settings, or a side of `versus`."""
    candidate: str | None = None
    suites: tuple[str, ...] = ()
    """A table of suites defines a project's own instead (see `harness.suites`)."""
    suite: tuple[str, ...] = ()
    """The suites that the gate measures, where `suites` is such a table."""
    scenarios: tuple[str, ...] = ()
    evaluators: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()
    """Further arguments for `run` or `versus`, such as `--launches 10`."""
    out: str | None = None
    """Where what is measured goes."""
    threshold: float | None = None
    thresholds: Mapping[str, float] | None = None
    metrics: tuple[str, ...] | None = None
    fail_on: frozenset[str] | None = None
    other_machine: bool = False
    exceptions: tuple[Tolerance, ...] = ()


def is_table(name: str) -> bool:
    """Whether a baseline or candidate names a table; else it is a side of `versus`."""
    return name.endswith((".csv", ".csv.gz"))


def read_gate(path: Path) -> Gate:
    """The settings of a file; all are absent where there is no such file or table.

    `UsageError` names the first key that cannot be used.
    """
    if not path.is_file():
        return Gate()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}; expected TOML") from None
    found = content.get("tool", {}).get("graphgauge", {})
    settings: dict[str, Any] = {}
    for key, value in found.items():
        reader = _READERS.get(key)
        if reader is None:
            raise UsageError(
                f"{path}: [tool.graphgauge] has {key!r}; expected one of {', '.join(_READERS)}"
            )
        try:
            settings[key] = reader(value, path.parent)
        except _UnusableError as error:
            raise UsageError(
                f"{path}: [tool.graphgauge] {key} is {error.found!r}; expected {error.expected}"
            ) from None
    return Gate(**settings)


class _UnusableError(Exception):
    def __init__(self, found: object, expected: str) -> None:
        super().__init__(expected)
        self.found = found
        self.expected = expected


def _text(value: object, _: Path) -> str:
    if not isinstance(value, str) or not value:
        raise _UnusableError(value, "some text")
    return value


def _version(value: object, folder: Path) -> str:
    name = _text(value, folder)
    return str(folder / name) if is_table(name) else name


def _texts(value: object, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _UnusableError(value, "a list of texts")
    return tuple(_text(each, folder) for each in value)


def _files(value: object, folder: Path) -> tuple[str, ...]:
    return tuple(str(folder / name) for name in _texts(value, folder))


def _share(value: object, _: Path) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise _UnusableError(value, "a share such as 0.01 for 1 %")
    return float(value)


def _metrics(value: object, folder: Path) -> tuple[str, ...]:
    for name in _texts(value, folder):
        if name not in METRICS:
            raise _UnusableError(name, f"some of {', '.join(METRICS)}")
    return _texts(value, folder)


def _thresholds(value: object, folder: Path) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _UnusableError(value, "a share for each metric: { time = 0.02 }")
    _metrics(list(value), folder)
    return {name: _share(share, folder) for name, share in value.items()}


def _fail_on(value: object, folder: Path) -> frozenset[str]:
    """A list says all of it; "inconclusive" alone comes on top of what a gate fails on anyway."""
    if value == "inconclusive":
        return frozenset(FAILURES)
    names = _texts(value, folder)
    for name in names:
        if name not in FAILURES:
            raise _UnusableError(name, f"some of {', '.join(FAILURES)}")
    return frozenset(names)


def _flag(value: object, _: Path) -> bool:
    if not isinstance(value, bool):
        raise _UnusableError(value, "true or false")
    return value


def _suites(value: object, folder: Path) -> tuple[str, ...]:
    return () if isinstance(value, dict) else _texts(value, folder)


def _suite(value: object, folder: Path) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else _texts(value, folder)


_SELECTORS = ("evaluator", "scenario", "params", "mode", "phase", "metric")
_EXCEPTION = (
    "{ scenario = …, reason = …, expires = 2027-01-31 }, with any of "
    f"{', '.join(_SELECTORS)} and up_to"
)


def _exceptions(value: object, folder: Path) -> tuple[Tolerance, ...]:
    if not isinstance(value, list):
        raise _UnusableError(value, f"a list of {_EXCEPTION}")
    return tuple(_exception(each, folder) for each in value)


def _exception(value: object, folder: Path) -> Tolerance:
    if not isinstance(value, dict) or not value.keys() <= {
        *_SELECTORS,
        "reason",
        "expires",
        "up_to",
    }:
        raise _UnusableError(value, _EXCEPTION)
    expires, up_to = value.get("expires"), value.get("up_to")
    chosen = {name: _text(value[name], folder) for name in _SELECTORS if name in value}
    if not chosen:
        raise _UnusableError(value, f"what it is about: one of {', '.join(_SELECTORS)} at least")
    if not isinstance(value.get("reason"), str) or not value["reason"].strip():
        raise _UnusableError(value, "a reason")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise _UnusableError(value, "the last day it holds: expires = 2027-01-31")
    if up_to is not None and (not isinstance(up_to, int | float) or not up_to > 1):
        raise _UnusableError(value, "a ratio above 1 as up_to, such as 1.2")
    return Tolerance(reason=value["reason"], expires=expires, up_to=up_to, **chosen)


_READERS: Mapping[str, Callable[[object, Path], object]] = {
    "baseline": _version,
    "candidate": _version,
    "suites": _suites,
    "suite": _suite,
    "scenarios": _texts,
    "evaluators": _texts,
    "modes": _texts,
    "plugins": _files,
    "measure": _texts,
    "out": _text,
    "threshold": _share,
    "thresholds": _thresholds,
    "metrics": _metrics,
    "fail_on": _fail_on,
    "other_machine": _flag,
    "exceptions": _exceptions,
}
