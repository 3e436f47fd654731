"""The builder's cache policies: time, peak and retained memory of each, as the tool tells them.

    python -m benchmarks.caches [--nodes N] [--launches N]

Each policy is a case of the scenario in `benchmarks/cache_policies.py`, which asks for N nodes in
`construct`, with and without sharing. Rounds interleave the policies.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness.cases import parse_spec
from harness.effort import usual_effort
from harness.plan import Contender, Version
from harness.session import Session
from harness.settings import Settings
from harness.worker.plugins import load_plugins
from networks.caches import POLICIES
from results.notes import parse_notes
from results.schema import Reading
from results.tables import read, readings

_PLUGIN = str(Path(__file__).with_name("cache_policies.py"))
_COLUMNS = (
    ("time", "time ms", 1e3, "{:.1f}"),
    ("peak_memory", "peak MiB", 2**-20, "{:.1f}"),
    ("held_memory", "held MiB", 2**-20, "{:.1f}"),
    ("retained_memory", "retained MiB", 2**-20, "{:.2f}"),
)


def main() -> None:
    """Print a line for each policy, with and without sharing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--launches", type=int, default=3)
    arguments = parser.parse_args()
    load_plugins([_PLUGIN])
    rows = _measured(arguments.nodes, arguments.launches)
    heads = "".join(f"{head:>14}" for _, head, _, _ in _COLUMNS)
    print(f"{arguments.nodes:,} nodes asked for    policy{heads}   heap left each round   nodes")
    for form in ("distinct", "shared"):
        for policy in POLICIES:
            print(_line(form, policy, rows))


def _measured(nodes: int, launches: int) -> list[Reading]:
    effort = replace(
        usual_effort(launches=launches, timeout_s=300, memory=True), memory_launches=launches
    )
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "caches.csv"
        version = Version(label="caches", interpreter=sys.executable)
        cases = [
            parse_spec(f"cached:nodes={nodes},policy={policy},form={form}").case(
                "interpreter", "output"
            )
            for form in ("distinct", "shared")
            for policy in POLICIES
        ]
        session = Session(Settings(out=out, effort=effort, seed=1, plugins=(_PLUGIN,)))
        session.run([(Contender(version=version, case=case),) for case in cases])
        return list(readings(read(out)))


def _line(form: str, policy: str, rows: list[Reading]) -> str:
    own = [
        row
        for row in rows
        if row.phase == "construct" and f"policy={policy}" in row.params and form in row.params
    ]
    cells = [
        shape.format(_median(own, metric) * scale).rjust(14) for metric, _, scale, shape in _COLUMNS
    ]
    left = [int(parse_notes(row.detail)["each"]) for row in own if row.metric == "retained_memory"]
    nodes = _median(own, "nodes")
    return f"{form:<22} {policy:>10}{''.join(cells)} {max(left):>18,} B {nodes:>9,.0f}"


def _median(rows: list[Reading], metric: str) -> float:
    return statistics.median(row.value or 0.0 for row in rows if row.metric == metric)


if __name__ == "__main__":
    main()
