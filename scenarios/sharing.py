"""Wide networks and shared values: fan-in, fan-out, and what a deduplicating cache may confuse."""

from __future__ import annotations

from networks import Builder, Node, functions as f
from scenarios.scenario import Parameters, roundings, scenario


def _tolerance_of_terms(parameters: Parameters) -> dict[str, float]:
    # A left fold rounds once a term, and the square of the sum twice that.
    return roundings(4 * int(parameters["terms"]))


def _tree(terms: list[Node]) -> Node:
    """The sum of neighbours, of their sums, and so on."""
    while len(terms) > 1:
        odd = terms[-1:] if len(terms) % 2 else []
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + odd
    return terms[0]


def _fold(terms: list[Node]) -> Node:
    """One term added after the other."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _nary(terms: list[Node]) -> Node:
    """All terms stacked, and one reduction."""
    return f.sum(f.stack(terms), axis=0)


_SUMS = {"fold": _fold, "nary": _nary, "tree": _tree}


@scenario(
    "wide_sum",
    sweep={"terms": (75, 300, 1_000, 10_000), "form": tuple(_SUMS)},
    defaults={"terms": 1_000},
    small={"terms": 5, "width": 3},
    provenance="jax#3596: add_n",
    tolerance=_tolerance_of_terms,
)
def wide_sum(net: Builder, *, terms: int, width: int = 64, form: str = "fold") -> None:
    """The sum of w_i·x_i as a left fold, one n-ary reduction, or a tree: fan-in."""
    total = _SUMS[form](
        [net.weight(f"w{i}", (width,)) * net.data(f"x{i}", (width,)) for i in range(terms)]
    )
    net.output(total)
    net.loss(f.mean(total * total))


@scenario(
    "wide_fanout",
    sweep={"terms": (10, 100, 1_000, 10_000)},
    defaults={"terms": 1_000},
    small={"terms": 5, "width": 3},
    provenance="tvm#5959",
    tolerance=_tolerance_of_terms,
)
def wide_fanout(net: Builder, *, terms: int, width: int = 64) -> None:
    """The sum of w·x_i with a single w: its gradient is accumulated from every user."""
    w = net.weight("w", (width,))
    total = _fold([w * net.data(f"x{i}", (width,)) for i in range(terms)])
    net.output(total)
    net.loss(f.mean(total * total))


@scenario(
    "signed_products",
    sweep={"terms": (10, 100, 1_000)},
    defaults={"terms": 100},
    small={"terms": 3, "width": 3},
    provenance="a node cache that took x·w and (-x)·w for the same node",
    # Ten terms of both signs a step; their exact parts cancel to no less than a tenth.
    tolerance=lambda parameters: roundings(100 * int(parameters["terms"])),
)
def signed_products(net: Builder, *, terms: int, width: int = 16) -> None:
    """Products and differences that differ in a sign only: a cache that drops it is wrong.

    Each has a coefficient of its own, all of them different powers of two. So no set of sign errors
    leaves the sum as it was.
    """
    x = net.data("x", (width,))
    total = x
    for i in range(terms):
        w = net.weight(f"w{i}", (width,))
        alike = (
            x * w, -x * w, x * -w, -x * -w,
            x - w, w - x, x + w, -x - w,
            0.75 * w, -0.75 * w,
        )  # fmt: skip
        for power, each in enumerate(alike):
            scaled = each * 0.5**power
            total = total - scaled if power % 2 else total + scaled
    net.output(total)
    net.loss(f.mean(total * total))
