"""What construction and differentiation cost a node, and how that grows.

    python -m benchmarks.construction

Times are the least over rounds, in ns a node of the network; in each round, everything is timed
once and in a new order, so that a slow spell of the machine falls on all alike. The floor is
`bare`: as many slotted Python objects with two references each. The cyclic collector is paused as
scenarios pause it (see `networks.collector`), except where the column says otherwise.
"""

from __future__ import annotations

import argparse
import gc
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np

from networks import Builder, Network, Node, differentiate, functions as f
from networks.collector import collector_paused

WIDTH = 8


class Bare:
    """The floor: an object with two references."""

    __slots__ = ("left", "right")

    def __init__(self, left: Bare | None, right: Bare | None) -> None:
        self.left = left
        self.right = right


def bare(nodes: int) -> Bare:
    """A chain of that many bare objects."""
    h = x = Bare(None, None)
    for _ in range(nodes):
        h = Bare(h, x)
    return h


def adding(nodes: int, cache: str = "none") -> Network:
    """h = h + x."""
    net = Builder(cache=cache)
    h, x = net.weight("h", (WIDTH,)), net.data("x", (WIDTH,))
    for _ in range(nodes):
        h = h + x
    return _finished(net, h)


def layers(nodes: int, cache: str = "none") -> Network:
    """h = tanh(h·w_i + b_i): the scenario `chain`, five nodes a layer, two of them inputs."""
    net = Builder(cache=cache)
    h = net.data("x", (WIDTH,))
    for i in range(nodes // 5):
        w, b = net.weight(f"w{i}", (WIDTH,)), net.weight(f"b{i}", (WIDTH,))
        h = f.tanh(h * w + b)
    return _finished(net, h)


def shared(nodes: int, cache: str = "none") -> Network:
    """h = tanh(h·w + b) with one w and one b: seven gradient nodes for three of the network."""
    net = Builder(cache=cache)
    h = net.data("x", (WIDTH,))
    w, b = net.weight("w", (WIDTH,)), net.weight("b", (WIDTH,))
    for _ in range(nodes // 3):
        h = f.tanh(h * w + b)
    return _finished(net, h)


def _finished(net: Builder, h: Node) -> Network:
    net.output(h)
    net.loss(f.sum(h))
    return net.network()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be timed.

    Attributes
    ----------
    run: what is timed; what it returns is dropped after the clock has stopped.
    collector: whether the cyclic collector runs meanwhile.
    """

    run: Callable[[], object]
    collector: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Times of one network at one size, in ns a node; the floor's are those of the same rounds."""

    network: str
    nodes: int
    bare_ns: float
    construct_ns: float
    collected_ns: float
    weak_ns: float
    strong_ns: float
    differentiate_ns: float


def time_rounds(tasks: dict[str, Task], rounds: int) -> dict[str, int]:
    """The least elapsed ns of each task."""
    least: dict[str, int] = {}
    names = list(tasks)
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            elapsed_ns = _time(tasks[name])
            least[name] = min(least.get(name, elapsed_ns), elapsed_ns)
    return least


def _time(task: Task) -> int:
    gc.collect()
    collector: AbstractContextManager[None] = (
        nullcontext() if task.collector else collector_paused()
    )
    with collector:
        start = perf_counter_ns()
        product = task.run()
        elapsed_ns = perf_counter_ns() - start
        del product
    return elapsed_ns


def measure(build: Callable[..., Network], nodes: int, rounds: int) -> Row:
    """All times of one network at one size."""
    network = build(nodes)
    count = len(network.nodes)
    least = time_rounds(
        {
            "bare": Task(run=lambda: bare(count)),
            "none": Task(run=lambda: build(nodes)),
            "collected": Task(run=lambda: build(nodes), collector=True),
            "weak": Task(run=lambda: build(nodes, "weak")),
            "strong": Task(run=lambda: build(nodes, "strong")),
            "differentiate": Task(run=lambda: differentiate(network)),
        },
        rounds,
    )
    return Row(
        network=build.__name__,
        nodes=count,
        bare_ns=least["bare"] / count,
        construct_ns=least["none"] / count,
        collected_ns=least["collected"] / count,
        weak_ns=least["weak"] / count,
        strong_ns=least["strong"] / count,
        differentiate_ns=least["differentiate"] / count,
    )


def exponent(sizes: list[int], times: list[float]) -> float:
    """The slope of log total time against log size."""
    totals = [size * time for size, time in zip(sizes, times, strict=True)]
    return float(np.polyfit(np.log(sizes), np.log(totals), 1)[0])


HEADER = (
    f"{'network':8} {'nodes':>9} | {'bare':>5} {'none':>5} {'/bare':>5} {'gc on':>6} |"
    f" {'weak':>5} {'/none':>5} {'strong':>6} {'/none':>5} | {'differentiate':>13} {'/none':>5}"
)


def line(row: Row) -> str:
    """A line of the table."""
    none = row.construct_ns
    return (
        f"{row.network:8} {row.nodes:9,} | {row.bare_ns:5.0f} {none:5.0f}"
        f" {none / row.bare_ns:5.2f} {row.collected_ns:6.0f} |"
        f" {row.weak_ns:5.0f} {row.weak_ns / none:5.2f}"
        f" {row.strong_ns:6.0f} {row.strong_ns / none:5.2f} |"
        f" {row.differentiate_ns:13.0f} {row.differentiate_ns / none:5.2f}"
    )


def growth_line(rows: list[Row]) -> str:
    """The growth exponents below a network's lines."""
    sizes = [row.nodes for row in rows]
    shown = {
        "bare": [row.bare_ns for row in rows],
        "none": [row.construct_ns for row in rows],
        "gc on": [row.collected_ns for row in rows],
        "weak": [row.weak_ns for row in rows],
        "strong": [row.strong_ns for row in rows],
        "differentiate": [row.differentiate_ns for row in rows],
    }
    exponents = ", ".join(f"{name} {exponent(sizes, times):.3f}" for name, times in shown.items())
    return f"{'':8} growth exponents: {exponents}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[1_000, 10_000, 100_000, 1_000_000],
        help="nodes of each network (default: 1000 to 1000000)",
    )
    parser.add_argument("--rounds", type=int, help="rounds for each size (default: 3 to 40)")
    arguments = parser.parse_args()
    print(HEADER)
    for build in (adding, layers, shared):
        rows = []
        for nodes in arguments.sizes:
            rounds = arguments.rounds or min(40, max(3, 400_000 // nodes))
            rows.append(measure(build, nodes, rounds))
            print(line(rows[-1]), flush=True)
        if len(rows) > 1:
            print(growth_line(rows), flush=True)


if __name__ == "__main__":
    main()
