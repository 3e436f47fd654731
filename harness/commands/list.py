"""`graphgauge list`: what there is to measure."""

from __future__ import annotations

import argparse

from rich.table import Table

from evaluators import catalog
from harness.commands.options import load_all_plugins
from harness.exits import OK
from harness.suites import suites
from networks import differentiate
from results.formats.terminal import console
from scenarios import scenario as scenario_catalogue

_BROUGHT = "of an installed package, which is loaded when it is named"


class List:
    """Show scenarios, evaluators and suites."""

    name = "list"
    summary = "show scenarios, evaluators and suites"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `list` takes."""
        parser.add_argument("--plugin", action="extend", nargs="+", default=[], metavar="FILE.py")

    def run(self, arguments: argparse.Namespace) -> int:
        """Print three tables."""
        load_all_plugins(arguments)
        console().print(_scenarios(), _evaluators(), _suites())
        return OK


def _scenarios() -> Table:
    table = Table(
        "scenario", "what it does", "defaults", "sweep", "nodes", "gradient nodes", "provenance"
    )
    table.title = "Scenarios"
    for name in scenario_catalogue.names():
        each = scenario_catalogue.get(name)
        network = each.network({})
        table.add_row(
            name,
            each.description,
            " ".join(f"{key}={value}" for key, value in each.defaults.items()),
            " ".join(f"{key}={','.join(map(str, v))}" for key, v in each.sweep.items()),
            f"{len(network.nodes):,}",
            f"{len(differentiate(network).nodes):,}" if network.loss is not None else "",
            each.provenance,
        )
    for name in scenario_catalogue.announced():
        table.add_row(name, _BROUGHT, "", "", "", "", "")
    return table


def _evaluators() -> Table:
    table = Table("evaluator", "engine", "needs", title="Evaluators")
    for name in catalog.names():
        engine = catalog.engine_of(name)
        if engine is None:
            table.add_row(name, "", _BROUGHT if name in catalog.announced() else "")
        else:
            needs = f"{engine.distribution} {engine.supported}: pip install '{engine.extra}'"
            table.add_row(name, engine.distribution, needs)
    return table


def _suites() -> Table:
    table = Table("suite", "scenarios", "evaluators", title="Suites")
    for suite in suites():
        table.add_row(suite.name, " ".join(suite.scenarios), " ".join(suite.evaluators))
    return table
