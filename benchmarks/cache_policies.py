"""A scenario that builds the same nodes under each cache policy: a plugin file.

A scenario's own builder has no cache, so this one makes another within its loop.
"""

from __future__ import annotations

from typing import Any

from networks import Builder, Node, functions as f
from scenarios.scenario import roundings, scenario

_CONSTANTS = 4


@scenario(
    "cached",
    sweep={"policy": ("none", "strong", "weak"), "form": ("distinct", "shared")},
    defaults={"nodes": 100_000, "policy": "none", "form": "distinct"},
    small={"nodes": 20},
    provenance="issue 4",
    tolerance=lambda parameters: roundings(int(parameters["nodes"])),
)
def cached(net: Builder, *, nodes: int, policy: str, form: str) -> None:
    """A chain of additions; `shared` asks for each of them twice and takes the larger."""
    kind = Builder(dtype=str(net.dtype), cache=policy)
    _adopt(net, kind)
    x = kind.data("x", (8,))
    steps = [kind.data(f"s{at}", (8,)) for at in range(_CONSTANTS)]
    h: Node = x
    if form == "distinct":
        for at in range(nodes):
            h = h + steps[at % _CONSTANTS]
    else:
        for at in range(nodes // 3):
            step = steps[at % _CONSTANTS]
            h = f.maximum(h + step, h + step)  # both sums are one node where there is a cache
    net.output(h)


def _adopt(net: Builder, other: Builder) -> None:
    """Let `net`, the builder that the catalogue made, be `other` with its inputs and cache."""
    mine: dict[str, Any] = vars(net)
    mine.update(vars(other))
