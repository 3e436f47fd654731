"""What happens around the calls: leaks per call, and what stays when all is dropped."""

from __future__ import annotations

from networks import Builder, functions as f
from scenarios.draws import scaled_by_fan_in
from scenarios.scenario import REBUILDS, scenario


def _layer(net: Builder, width: int) -> None:
    """One dense layer with a squared error: small, so that what surrounds it shows."""
    x = net.data("x", (width, width))
    target = net.data("target", (width, width))
    h = f.tanh(x @ net.weight("w", (width, width)) + net.weight("b", (width,)))
    net.output(h)
    error = h - target
    net.loss(f.mean(error * error))


@scenario(
    "steady",
    sweep={"calls": (1_000, 10_000, 100_000)},
    defaults={"calls": 10_000},
    small={"calls": 10, "width": 3},
    provenance="tensorflow#50765, pytorch#149834: +65,536 B a call, pytorch#174468",
    draw=scaled_by_fan_in,
)
def steady(net: Builder, *, calls: int, width: int = 16) -> None:
    """One layer, called with fresh data each time: leaks per call, which identical input hides."""
    del calls  # how often it is called is the harness's part
    _layer(net, width)


@scenario(
    "rebuild_drop",
    sweep={"rebuilds": (10, 100, 1_000)},
    defaults={"rebuilds": 100},
    small={"rebuilds": 2, "width": 3},
    provenance="jax#7930, jax#10828, pytensor#1660",
    draw=scaled_by_fan_in,
    lifecycle=REBUILDS,
)
def rebuild_drop(net: Builder, *, rebuilds: int, width: int = 16) -> None:
    """One layer, built, compiled, called and dropped again and again: caches that never let go."""
    del rebuilds  # how often it is rebuilt is the harness's part
    _layer(net, width)
