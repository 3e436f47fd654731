"""Evaluators and scenarios of other people: files named by the user, and installed entry points."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import util

from evaluators import catalog
from harness.worker.exceptions import one_line
from scenarios import scenario as scenario_catalogue


class PluginError(ValueError):
    """A plugin cannot be loaded."""


def load_plugins(paths: Sequence[str]) -> None:
    """Run each plugin file, which registers what it brings; each file once a process."""
    for path in paths:
        _load(os.path.abspath(path))


def load_installed() -> None:
    """Register what installed packages bring that is not known yet.

    The entry points `graphgauge.evaluators` and `graphgauge.scenarios` each name an object.
    """
    from importlib import metadata  # noqa: PLC0415 - slow to import, and seldom needed

    for group, register, known in (
        ("graphgauge.evaluators", catalog.register, catalog.names),
        ("graphgauge.scenarios", scenario_catalogue.register, scenario_catalogue.names),
    ):
        for entry in metadata.entry_points(group=group):
            if entry.name not in known():
                register(entry.load())


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
