"""Orders of growth of tables' sweeps, an engine a line: `python -m benchmarks.growth TABLE.csv…`.

Prints Markdown: for each scenario, the order of `prepare` (construct, differentiate, lower and
compile, the first time in a process), of `first_call`, where some engines do the same work, and
of `evaluate`; and below the table which sweeps ended early.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from results.growth import PREPARE, Growth, growths, order_text
from results.tables import read

_SHOWN = {PREPARE: "first_time", "first_call": "first_time", "evaluate": "time"}


def main(paths: list[Path]) -> None:
    """Print a table for each scenario."""
    by_scenario: dict[str, dict[str, dict[str, Growth]]] = defaultdict(lambda: defaultdict(dict))
    for path in paths:
        for growth in growths(read(path)):
            if _SHOWN.get(growth.phase) == growth.metric:
                evaluator = growth.sweep.evaluator
                by_scenario[growth.sweep.scenario][evaluator][growth.phase] = growth
    for scenario, by_evaluator in sorted(by_scenario.items()):
        print(f"### `{scenario}`\n")
        print("| evaluator | sizes | prepare | first call | evaluate |\n|---|---|---|---|---|")
        for evaluator, by_phase in sorted(by_evaluator.items()):
            print(_line(evaluator, by_phase))
        print()
        ended = {
            name: next(iter(by_phase.values())).stopped
            for name, by_phase in sorted(by_evaluator.items())
        }
        if any(ended.values()):
            print("; ".join(f"`{name}`: {told}" for name, told in ended.items() if told) + ".\n")


def _line(evaluator: str, by_phase: dict[str, Growth]) -> str:
    some = next(iter(by_phase.values()))
    sizes = f"{some.sweep.parameter} {some.sizes[0]:,} – {some.sizes[-1]:,}"
    orders = [order_text(by_phase[p].fit) if p in by_phase else "–" for p in _SHOWN]
    return f"| `{evaluator}` | {sizes} | {' | '.join(orders)} |"


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
