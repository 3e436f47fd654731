"""What construction and differentiation cost a node, and how that grows.

    python -m benchmarks.construction

Times are medians over rounds, in ns a node of the network. In each round every size is taken once,
and at each size everything is timed in a new order; ratios and growth exponents are formed within a
round, so that a slow spell of the machine falls on all alike. The floor is `bare`: as many slotted
Python objects with two references each. The cyclic collector is paused as
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


ORIGINS = "origins"
"""In the place of a cache: the line that makes each node is recorded."""


def _builder(cache: str) -> Builder:
    return Builder(origins=True) if cache == ORIGINS else Builder(cache=cache)


def adding(nodes: int, cache: str = "none") -> Network:
    """h = h + x."""
    net = _builder(cache)
    h, x = net.weight("h", (WIDTH,)), net.data("x", (WIDTH,))
    for _ in range(nodes):
        h = h + x
    return _finished(net, h)


def layers(nodes: int, cache: str = "none") -> Network:
    """h = tanh(h·w_i + b_i): the scenario `chain`, five nodes a layer, two of them inputs."""
    net = _builder(cache)
    h = net.data("x", (WIDTH,))
    for i in range(nodes // 5):
        w, b = net.weight(f"w{i}", (WIDTH,)), net.weight(f"b{i}", (WIDTH,))
        h = f.tanh(h * w + b)
    return _finished(net, h)


def shared(nodes: int, cache: str = "none") -> Network:
    """h = tanh(h·w + b) with one w and one b: seven gradient nodes for three of the network."""
    net = _builder(cache)
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


Times = dict[str, list[float]]
"""For each task, ns a node in each round."""

COMPARED = (
    ("none", "bare"),
    ("weak", "none"),
    ("strong", "none"),
    (ORIGINS, "none"),
    ("differentiate", "none"),
)
REPEATED_NODES = 20_000
"""A smaller network is built so often in a round, and the least time is kept."""


def tasks_of(build: Callable[..., Network], nodes: int) -> tuple[int, dict[str, Task]]:
    """The number of nodes of a network, and what is timed on it."""
    network = build(nodes)
    count = len(network.nodes)
    return count, {
        "bare": Task(run=lambda: bare(count)),
        "none": Task(run=lambda: build(nodes)),
        "gc on": Task(run=lambda: build(nodes), collector=True),
        "weak": Task(run=lambda: build(nodes, "weak")),
        "strong": Task(run=lambda: build(nodes, "strong")),
        ORIGINS: Task(run=lambda: build(nodes, ORIGINS)),
        "differentiate": Task(run=lambda: differentiate(network)),
    }


def time_round(count: int, tasks: dict[str, Task]) -> dict[str, float]:
    """Each task once, or the least of several times, in random order; ns a node."""
    repeats = max(1, REPEATED_NODES // count)
    names = random.sample(list(tasks), len(tasks))
    return {name: min(_time(tasks[name]) for _ in range(repeats)) / count for name in names}


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


def measure(build: Callable[..., Network], sizes: list[int], rounds: int) -> dict[int, Times]:
    """All times of one network, by its number of nodes; every round has every size once."""
    subjects = [tasks_of(build, nodes) for nodes in sizes]
    gc.freeze()  # what waits to be differentiated must not be walked by every collection
    found: dict[int, Times] = {count: {name: [] for name in tasks} for count, tasks in subjects}
    for _ in range(rounds):
        for count, tasks in random.sample(subjects, len(subjects)):
            for name, time in time_round(count, tasks).items():
                found[count][name].append(time)
    gc.unfreeze()
    return found


def exponent(found: dict[int, Times], name: str) -> float:
    """The slope of log total time against log size, median over rounds."""
    sizes = np.array(list(found))
    by_round = np.array([found[size][name] for size in found]).T * sizes
    return float(np.median([np.polyfit(np.log(sizes), np.log(each), 1)[0] for each in by_round]))


def line(network: str, nodes: int, times: Times) -> str:
    """A line of the table."""
    cells = [f"{network:8} {nodes:9,} |"]
    cells += [f"{name} {np.median(values):5.0f}" for name, values in times.items()]
    cells.append("|")
    for name, other in COMPARED:
        ratios = np.array(times[name]) / np.array(times[other])
        cells.append(f"{name}/{other} {np.median(ratios):.2f}")
    return " ".join(cells)


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
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)d")
    arguments = parser.parse_args()
    for build in (adding, layers, shared):
        found = measure(build, arguments.sizes, arguments.rounds)
        for nodes, times in found.items():
            print(line(build.__name__, nodes, times))
        if len(found) > 1:
            names = next(iter(found.values()))
            shown = ", ".join(f"{name} {exponent(found, name):.3f}" for name in names)
            print(f"{'':8} growth exponents: {shown}", flush=True)


if __name__ == "__main__":
    main()
