"""Orders of growth of tables' sweeps, an engine a line: `python -m benchmarks.growth TABLE.csv…`.

Prints Markdown: for each scenario, the order of `prepare` (construct, differentiate, lower and
compile, the first time in a process), of `first_call`, where some engines do the same work, and
of `evaluate`; the fewest and the most launches of a size; and below the table which sweeps ended
early. Tables of the same engine are read as one.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import pandas as pd

from results.growth import PREPARE, Growth, growths, order_text
from results.schema import OK
from results.tables import read_many

_HEAD = """\
| evaluator | sizes | launches | prepare | first call | evaluate |
|---|---|---|---|---|---|"""
_SHOWN = {PREPARE: "first_time", "first_call": "first_time", "evaluate": "time"}


def main(paths: list[Path]) -> None:
    """Print a table for each scenario."""
    by_scenario: dict[str, dict[str, dict[str, Growth]]] = defaultdict(lambda: defaultdict(dict))
    frame = read_many(paths)
    for growth in growths(frame):
        if _SHOWN.get(growth.phase) == growth.metric:
            evaluator = growth.sweep.evaluator
            by_scenario[growth.sweep.scenario][evaluator][growth.phase] = growth
    launches = _launches(frame)
    for scenario, by_evaluator in sorted(by_scenario.items()):
        print(f"### `{scenario}`\n")
        print(_HEAD)
        for evaluator, by_phase in sorted(by_evaluator.items()):
            print(_line(evaluator, launches[scenario, evaluator], by_phase))
        print()
        ended = {
            name: next(iter(by_phase.values())).stopped
            for name, by_phase in sorted(by_evaluator.items())
        }
        if any(ended.values()):
            print("; ".join(f"`{name}`: {told}" for name, told in ended.items() if told) + ".\n")


def _launches(frame: pd.DataFrame) -> dict[tuple[str, str], str]:
    """By scenario and evaluator, how many launches its sizes have: `2 – 3`, or `3` if all alike."""
    called = frame[(frame["phase"] == "first_call") & (frame["status"] == OK)]
    sweep = ["scenario", "evaluator"]
    launched = called.drop_duplicates([*sweep, "params", "session", "launch"])
    counts = launched.groupby([*sweep, "params"], observed=True).size()
    return {
        (str(scenario), str(evaluator)): " – ".join(map(str, sorted({of.min(), of.max()})))
        for (scenario, evaluator), of in counts.groupby(sweep, observed=True)
    }


def _line(evaluator: str, launches: str, by_phase: dict[str, Growth]) -> str:
    some = next(iter(by_phase.values()))
    sizes = f"{some.sweep.parameter} {some.sizes[0]:,} – {some.sizes[-1]:,}"
    orders = [order_text(by_phase[p].fit) if p in by_phase else "–" for p in _SHOWN]
    return f"| `{evaluator}` | {sizes} | {launches} | {' | '.join(orders)} |"


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
