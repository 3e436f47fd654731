"""Evaluators and scenarios of other people: files named by the user, and installed entry points."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import util
from typing import TYPE_CHECKING, Any

from evaluators import catalog
from harness.worker.exceptions import one_line
from scenarios import scenario as scenario_catalogue

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class PluginError(ValueError):
    """A plugin cannot be loaded."""


def load_plugins(paths: Sequence[str]) -> None:
    """Run each plugin file, which registers what it brings; each file once a process."""
    for path in paths:
        _load(os.path.abspath(path))


def announce_installed() -> None:
    """Make the names known that installed packages bring; their code runs when it is asked for.

    The entry points `graphgauge.evaluators` and `graphgauge.scenarios` each name an object, under
    the name that it has itself.
    """
    from importlib import metadata  # noqa: PLC0415 - slow to import, and seldom needed

    for group, catalogue in (
        ("graphgauge.evaluators", catalog),
        ("graphgauge.scenarios", scenario_catalogue),
    ):
        for entry in metadata.entry_points(group=group):
            catalogue.announce(entry.name, partial(_load_entry, entry, catalogue.register))


def _load_entry(entry: EntryPoint, register: Callable[[Any], object]) -> None:
    where = f"entry point {entry.group}, {entry.name} = {entry.value}"
    try:
        found = entry.load()
    except Exception as error:
        raise PluginError(f"{where}: {type(error).__name__}: {error}") from error
    name = getattr(found, "name", None)
    if name != entry.name:
        raise PluginError(f"{where}: found an object named {name!r}; expected {entry.name!r}")
    register(found)


def _load(path: str) -> None:
    name = "graphgauge_plugin_" + "".join(c if c.isalnum() else "_" for c in path)
    if name in sys.modules:
        return
    if not os.path.isfile(path):
        raise PluginError(f"plugin {path}: there is no such file")
    specification = util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise PluginError(f"plugin {path}: expected a Python file, *.py")
    module = util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.modules.pop(name, None)
        raise PluginError(f"plugin {path}: {one_line(error)}") from error
