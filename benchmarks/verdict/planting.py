"""A plugin of evaluators that do real extra work, and of such that lie elsewhere in memory.

    graphgauge versus straightline straightline-plus-2 --plugin benchmarks/verdict/planting.py …

`EVALUATOR-plus-2` does 2 % of its work twice. For `straightline` that is 2 % of the statements of
the source that it generates; for an evaluator that walks a network it is 2 % of the nodes that
compute something, as further results of the network, which are dropped before the function
returns. What is done twice follows from the network alone: it is spread evenly over all statements
or nodes, sorted by operator and shape, so that every kind of work has its share. Its number is
exact, and counts a copy as `COST_OF_A_COPY`; `benchmarks.verdict.truth` measures what it costs.

`straightline-retold` runs the same instructions, from generated source with other names, comments
and functions around them. `EVALUATOR-moved` runs our own strategies from a copy of their files in
another folder. Neither does more work, and neither may be called changed.

The file stands alone, since a worker loads it without the other benchmarks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import evaluators.strategies
from evaluators import catalog
from evaluators.protocol import Evaluator, Function
from evaluators.strategies.straightline import Source, Straightline
from networks import Network, Node, topological_order
from networks.node import make
from networks.operators import MOVEMENT

LEVELS = (1, 2, 3, 5, 10)
"""Per cent of the work."""
WALKING = ("interpreter", "autograd-network")
"""Evaluators that take a network node by node."""
PLANTED = ("straightline", *WALKING)
COST_OF_A_COPY = {"straightline": 1.3, "interpreter": 1.0, "autograd-network": 1.25}
"""In statements or nodes of the same kind. A copy needs memory of its own, where the original takes
that of an operand, and its result is stored where it can be dropped."""
MOVED = ("straightline", "interpreter")

_PADDING_FUNCTIONS = 37
_MOVED_PACKAGE = "strategies_elsewhere"


Item = TypeVar("Item")


def spread(items: Sequence[Item], percent: float, evaluator: str) -> list[Item]:
    """What is `percent` of the items' work, to the nearest number, evenly spread over them."""
    count = round(len(items) * percent / 100 / COST_OF_A_COPY[evaluator])
    return [items[int((i + 0.5) * len(items) / count)] for i in range(count)]


# Nodes twice


def computing_nodes(network: Network) -> list[Node]:
    """The nodes that an output depends on and that compute something, sorted by kind of work.

    Inputs and constants cost nothing to have, and what only moves values is free for some
    evaluators and not for others.
    """
    nodes = [
        node
        for node in topological_order(network.outputs)
        if node.operands and node.operator.kind != MOVEMENT
    ]
    return sorted(nodes, key=_kind_of_work)


def planted_network(network: Network, percent: float, evaluator: str) -> Network:
    """The network with copies of nodes as further outputs."""
    copies = [
        make(node.operator, node.operands, node.attributes, node.shape, node.dtype, None)
        for node in spread(computing_nodes(network), percent, evaluator)
    ]
    return Network(
        weights=network.weights,
        data=network.data,
        outputs=(*network.outputs, *copies),
        loss=network.loss,
        is_gradient=network.is_gradient,
    )


def _kind_of_work(node: Node) -> tuple[Any, ...]:
    return node.operator.name, node.shape, [operand.shape for operand in node.operands]


class PlantedNodes:
    """An evaluator that is given a network with some per cent more to do."""

    def __init__(self, base: str, percent: int) -> None:
        self.name = f"{base}-plus-{percent}"
        self._base = base
        self._percent = percent

    def version(self) -> str:
        """The evaluator's own."""
        return self._evaluator.version()

    def refuse(self, network: Network, mode: str) -> str | None:
        """What the evaluator refuses."""
        return self._evaluator.refuse(network, mode)

    def lower(self, network: Network, mode: str) -> tuple[object, int]:
        """The planted network, lowered, and how many of its results are asked for."""
        given = planted_network(network, self._percent, self._base)
        return self._evaluator.lower(given, mode), len(network.outputs)

    def compile(self, lowered: tuple[object, int]) -> Function:
        """The evaluator's function, without the results of the copies."""
        planted_lowered, wanted = lowered
        function = self._evaluator.compile(planted_lowered)

        def without_copies(weights: Any, data: Any) -> Any:
            results = function(weights, data)
            del results[wanted:]
            return results

        return without_copies

    @property
    def _evaluator(self) -> Evaluator:
        return catalog.get(self._base)  # asked for late: its engine is imported by that


# Statements twice

_ASSIGNMENT = re.compile(r"    \w+ = (?!None$|passed\b)(.+)")
_WRITING_OVER = re.compile(r"    (\w+\(.*, (?:out=)?)\w+\)")
"""What `straightline` writes where a result takes an operand's memory: `    add(v0, v1, v0)`."""


class Statement(NamedTuple):
    """A statement of generated source that computes a value."""

    part: int
    line: int
    again: str
    """The statement that computes the value once more, and forgets it."""
    spare: str | None
    """The array that it writes to, where the value takes memory that is there already.

    It is allocated in the first call, when it is None.
    """

    @property
    def kind(self) -> str:
        """The function that is called, or the expression where there is none."""
        return re.split(r"[(\[]", self.again.partition(" = ")[2], maxsplit=1)[0]


def statements(source: Source) -> list[Statement]:
    """All of them, sorted by kind."""
    found = []
    for part, text in enumerate(source.functions):
        for number, line in enumerate(text.split("\n")):
            assignment, writing_over = _ASSIGNMENT.fullmatch(line), _WRITING_OVER.fullmatch(line)
            if assignment:
                found.append(Statement(part, number, f"    _ = {assignment[1]}", None))
            elif writing_over:
                spare = f"spare{len(found)}"
                again = f"    {spare} = {writing_over[1]}{spare})"
                found.append(Statement(part, number, again, spare))
    return sorted(found, key=lambda each: each.kind)


def planted_source(source: Source, percent: float) -> Source:
    """The source with statements before which the same is computed once more."""
    functions = [text.split("\n") for text in source.functions]
    chosen = spread(statements(source), percent, "straightline")
    for each in sorted(chosen, key=lambda each: -each.line):  # lines before it stay where they are
        functions[each.part].insert(each.line, each.again)
    spares = [each for each in chosen if each.spare is not None]
    for part in {each.part for each in spares}:
        names = [each.spare for each in spares if each.part == part]
        functions[part].insert(1, f"    global {', '.join(map(str, names))}")
    return replace(
        source,
        functions=["\n".join(lines) for lines in functions],
        namespace=source.namespace | {str(each.spare): None for each in spares},
    )


class PlantedStatements(Straightline):
    """`straightline` with some per cent of its statements twice."""

    def __init__(self, percent: int) -> None:
        super().__init__()
        self.name = f"straightline-plus-{percent}"
        self._percent = percent

    def lower(self, network: Network, mode: str) -> Source:
        """The source, planted."""
        return planted_source(super().lower(network, mode), self._percent)


# The same work elsewhere


class Retold(Straightline):
    """The same instructions from another text."""

    name = "straightline-retold"

    def lower(self, network: Network, mode: str) -> Source:
        """The source with other local names, a comment a line, and functions before it."""
        source = super().lower(network, mode)
        return replace(source, functions=[retold(text) for text in source.functions])


def retold(text: str) -> str:
    """Source that compiles to the same instructions, with another layout in memory."""
    padding = "".join(
        f"def padding_{i}(x, y={i}):\n    return [x * y + {i}, {'x, ' * (i % 7)}{i * i!r}]\n"
        for i in range(_PADDING_FUNCTIONS)
    )
    lines = [
        f"{line}  # statement {number} of this telling"
        for number, line in enumerate(text.split("\n"))
    ]
    renamed = re.sub(r"\bv(\d+)\b", r"another_local_name_\1", "\n\n".join(lines))
    return padding + renamed


class Moved:
    """One of our own strategies, from a copy of its file in another folder."""

    def __init__(self, base: str) -> None:
        self.name = f"{base}-moved"
        self._base = base
        self._found: Evaluator | None = None

    def version(self) -> str:
        """The strategy's own."""
        return self._strategy.version()

    def refuse(self, network: Network, mode: str) -> str | None:
        """What the strategy refuses."""
        return self._strategy.refuse(network, mode)

    def lower(self, network: Network, mode: str) -> object:
        """As the strategy does."""
        return self._strategy.lower(network, mode)

    def compile(self, lowered: object) -> Function:
        """As the strategy does."""
        return self._strategy.compile(lowered)

    @property
    def _strategy(self) -> Evaluator:
        if self._found is None:
            folder = str(moved_folder())
            if folder not in sys.path:
                sys.path.append(folder)
            self._found = import_module(f"{_MOVED_PACKAGE}.{self._base}").EVALUATORS[0]
        return self._found


def moved_folder() -> Path:
    """The folder that the copied package lies in; made if there is none of this content."""
    sources = sorted(Path(next(iter(evaluators.strategies.__path__))).glob("*.py"))
    texts = {
        path.name: path.read_text(encoding="utf-8").replace("evaluators.strategies", _MOVED_PACKAGE)
        for path in sources
    }
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:12]
    root = Path(__file__).resolve().parents[2] / "runs" / "verdict"
    folder = root / f"elsewhere-{digest}" / "a folder whose path is a good deal longer"
    if not folder.is_dir():
        _fill(folder, texts)
    return folder


def _fill(folder: Path, texts: dict[str, str]) -> None:
    """Write the files beside their place and move them there at once: two workers may do it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    (fresh / _MOVED_PACKAGE).mkdir()
    for name, text in texts.items():
        (fresh / _MOVED_PACKAGE / name).write_text(text, encoding="utf-8")
    try:
        os.rename(fresh, folder)
    except OSError:
        shutil.rmtree(fresh)
        if not folder.is_dir():
            raise


def amount(base: str, network: Network, percent: float) -> tuple[int, int]:
    """How many statements or nodes are done twice, and of how many.

    `network` is what the evaluator `base` is handed.
    """
    everything: Sequence[object]
    if base == "straightline":
        mode = "gradient" if network.is_gradient else "output"
        everything = statements(Straightline().lower(network, mode))
    else:
        everything = computing_nodes(network)
    return len(spread(everything, percent, base)), len(everything)


def planted_name(base: str, percent: float) -> str:
    """The evaluator that does `percent` more than `base`; `base` itself where that is 0."""
    return f"{base}-plus-{percent:g}" if percent else base


for _percent in LEVELS:
    catalog.register(PlantedStatements(_percent))
    for _base in WALKING:
        catalog.register(PlantedNodes(_base, _percent))
for _base in MOVED:
    catalog.register(Moved(_base))
catalog.register(Retold())
