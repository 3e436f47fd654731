"""Curves of growth fitted to logs of costs, of many costs of the same sizes at once.

    fitted(sizes, logs, weights)[0].curves["linear"].misfit

Every curve is q + (1 - q)·shape, at the scale and the fixed share q that fit best. All of them but
the scale are tried out: the curves depend on the sizes only, and so serve all costs of these sizes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal[
    "constant", "logarithmic", "linear", "n log n", "quadratic", "cubic", "power", "exponential"
]
Floats = NDArray[np.float64]

LEAST_EXPONENT: Final = 0.04
MOST_EXPONENT: Final = 5.0
"""Exponents are looked for between these; an interval from one to the other says nothing."""

_EXPONENTS: Final = np.linspace(LEAST_EXPONENT, MOST_EXPONENT, 63)
_RATES_OVER_RANGE: Final = np.geomspace(0.5, 300.0, 63)
"""Logs of how much more the largest size costs than the smallest, by exponential growth."""
_FIXED_SHARES: Final = np.concatenate([[0.0], np.geomspace(1e-8, 1.0, 73)])
_REFINED: Final = 61
_REFINEMENTS: Final = np.linspace(0.0, 1.0, 17)
_SIMPLE: Final[tuple[Order, ...]] = ("logarithmic", "linear", "n log n", "quadratic", "cubic")
_Free = Literal["powers", "exponentials"]
_MOST_CURVES: Final = 128
"""Series of curves that are kept; each takes a third of a megabyte at ten sizes."""
_CHUNK: Final = 32
"""Costs that are worked on together, so that what they take stays near the processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One order, fitted.

    Attributes:
        misfit: weighted sum of squared distances, in logs.
        parameters: how many were fitted.
        fitted: logs of the curve at the sizes.
    """

    misfit: float
    parameters: int
    fitted: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A family of curves with a free exponent or rate.

    Attributes:
        tried: the exponents or rates, ascending, closer together near the best one.
        misfits: the misfit at each.
        curve: the best one.
    """

    tried: Floats
    misfits: Floats
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """All curves fitted to one cost.

    Attributes:
        curves: by order.
        exponents: the powers that were tried.
        rates: the exponential rates; the base is e to the rate.
    """

    curves: Mapping[Order, Curve]
    exponents: Tried
    rates: Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    """Costs whose sizes weigh alike.

    Attributes:
        logs: a row for each cost, a column for each size.
        weights: of the sizes, adding up to 1.
        scales: of each cost, what its weights were divided by.
    """

    logs: Floats
    weights: Floats
    scales: Floats

    def only(self, rows: NDArray[np.int64]) -> "_Costs":
        """Those of the rows."""
        return _Costs(logs=self.logs[rows], weights=self.weights, scales=self.scales[rows])

    def centred(self) -> Floats:
        """A matrix that takes logs to coordinates whose squares add up to their variance."""
        roots = np.sqrt(self.weights)
        basis = np.linalg.qr(roots[:, np.newaxis], mode="complete").Q
        found: Floats = basis[:, 1:].T * roots
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curves:
    """Curves to try, which depend on the sizes only.

    Attributes:
        tried: exponents or rates, one for each shape; 0 where nothing is free.
        shapes: a row for each, a column for each size.
        coarse: logs (shape, share, size) of the curves at all of `_FIXED_SHARES`.
    """

    tried: Floats
    shapes: Floats
    coarse: Floats


def fitted(sizes: Floats, logs: Floats, weights: Floats) -> list[Fitted]:
    """Every curve, fitted to every cost.

    Args:
        sizes: positive, ascending.
        logs: of the costs; a row for each, a column for each size.
        weights: one over the variance of each log.
    """
    found: dict[int, Fitted] = {}
    for rows, costs in _weighing_alike(logs, weights):
        found |= zip(rows.tolist(), _fitted(sizes, costs), strict=True)
    return [found[row] for row in range(len(logs))]


def _weighing_alike(logs: Floats, weights: Floats) -> Iterator[tuple[NDArray[np.int64], _Costs]]:
    scales = weights.sum(axis=1)
    shares = weights / scales[:, np.newaxis]
    _, kinds = np.unique(shares.round(14), axis=0, return_inverse=True)
    for kind in range(int(kinds.max(initial=-1)) + 1):
        rows = np.flatnonzero(kinds.ravel() == kind)
        yield rows, _Costs(logs=logs[rows], weights=shares[rows[0]], scales=scales[rows])


def _fitted(n: Floats, costs: _Costs) -> list[Fitted]:
    sizes = tuple(n.tolist())
    exponents, rates = (_refined(costs, sizes, name) for name in ("powers", "exponentials"))
    family = _Family(costs, _simple_curves(sizes))
    means = costs.logs @ costs.weights
    spreads = ((costs.logs - means[:, np.newaxis]) ** 2) @ costs.weights * costs.scales
    found = []
    for cost, (mean, spread) in enumerate(zip(means.tolist(), spreads.tolist(), strict=True)):
        curves: dict[Order, Curve] = {
            "constant": Curve(misfit=spread, parameters=1, fitted=np.full_like(n, mean))
        }
        for at, name in enumerate(_SIMPLE):
            curves[name] = family.curve(cost, at, parameters=2)
        curves["power"] = exponents[cost].curve
        curves["exponential"] = rates[cost].curve
        found.append(Fitted(curves=curves, exponents=exponents[cost], rates=rates[cost]))
    return found


class _Family:
    """Curves q + (1 - q)·shape for several shapes, each at the fixed share q that fits best."""

    def __init__(self, costs: _Costs, curves_tried: _Curves) -> None:
        self._costs = costs
        self._shapes = curves_tried.shapes
        centred = costs.centred()
        curves = np.ascontiguousarray(np.moveaxis(curves_tried.coarse @ centred.T, -1, 0))
        logs = costs.logs @ centred.T
        parts = [
            self._best_of(curves, logs[start : start + _CHUNK], costs.logs[start : start + _CHUNK])
            for start in range(0, len(logs), _CHUNK)
        ]
        self.misfits: Floats = costs.scales[:, np.newaxis] * np.concatenate(
            [misfits for misfits, _ in parts]
        )
        self._shares: Floats = np.concatenate([shares for _, shares in parts])

    def curve(self, cost: int, at: int, *, parameters: int) -> Curve:
        """The curve of one shape for one cost."""
        curve = _log_curves(self._shapes[at], self._shares[cost, at])
        shift = float((self._costs.logs[cost] - curve) @ self._costs.weights)
        return Curve(
            misfit=float(self.misfits[cost, at]), parameters=parameters, fitted=curve + shift
        )

    def _best_of(self, curves: Floats, centred: Floats, logs: Floats) -> tuple[Floats, Floats]:
        """Misfits and shares (cost, shape): the best of the coarse shares, then near it."""
        misfits = np.zeros((len(logs), *curves.shape[1:]))
        for of_size, target in zip(curves, centred.T, strict=True):
            off = target[:, np.newaxis, np.newaxis] - of_size
            misfits += np.square(off, out=off)
        at = np.argmin(misfits, axis=2)
        # Between the neighbours of the best one.
        lower = _FIXED_SHARES[np.maximum(at - 1, 0)]
        upper = _FIXED_SHARES[np.minimum(at + 1, len(_FIXED_SHARES) - 1)]
        fine = lower[..., np.newaxis] + (upper - lower)[..., np.newaxis] * _REFINEMENTS
        finest = self._misfits(fine, logs)
        best = np.argmin(finest, axis=2)[..., np.newaxis]
        return (
            np.take_along_axis(finest, best, axis=2)[..., 0],
            np.take_along_axis(fine, best, axis=2)[..., 0],
        )

    def _misfits(self, shares: Floats, logs: Floats) -> Floats:
        """For each cost, shape and share, at the scale that fits best."""
        off = [
            target[:, np.newaxis, np.newaxis] - _log_curves(shape[:, np.newaxis], shares)
            for shape, target in zip(self._shapes.T, logs.T, strict=True)
        ]
        mean = np.zeros_like(shares)
        for each, weight in zip(off, self._costs.weights, strict=True):
            mean += weight * each
        misfits = np.zeros_like(shares)
        for each, weight in zip(off, self._costs.weights, strict=True):
            misfits += weight * (each - mean) ** 2
        return misfits


def _refined(costs: _Costs, sizes: tuple[float, ...], name: _Free) -> list[Tried]:
    """For each cost, try a coarse series, then a fine one around the best of it."""
    coarse = _free_curves(sizes, name, None)
    first = _Family(costs, coarse)
    places = np.argmin(first.misfits, axis=1)
    found: dict[int, Tried] = {}
    for place in np.unique(places).tolist():
        rows = np.flatnonzero(places == place)
        fine = _free_curves(sizes, name, place)
        second = _Family(costs.only(rows), fine)
        tried = np.concatenate([coarse.tried, fine.tried])
        order = np.argsort(tried, kind="stable")
        for number, row in enumerate(rows.tolist()):
            misfits = np.concatenate([first.misfits[row], second.misfits[number]])
            best = int(np.argmin(second.misfits[number]))
            found[row] = Tried(
                tried=tried[order],
                misfits=misfits[order],
                curve=second.curve(number, best, parameters=3),
            )
    return [found[row] for row in range(len(places))]


def _simple_curves(sizes: tuple[float, ...]) -> _Curves:
    """The orders that have nothing free, as in `_SIMPLE`."""
    n = np.array(sizes)
    shapes = np.array(
        [np.log(n / n[0]), n, n * np.log(np.maximum(n, 1.0) + (n[0] < 1)), n**2, n**3]
    )
    return _curves(np.zeros(len(_SIMPLE)), shapes / shapes[:, -1:])


@lru_cache(maxsize=_MOST_CURVES)
def _free_curves(sizes: tuple[float, ...], name: _Free, place: int | None) -> _Curves:
    """Powers or exponentials: a coarse series, or the fine one around a place of the coarse."""
    n = np.array(sizes)
    tried = _EXPONENTS if name == "powers" else _RATES_OVER_RANGE / (n[-1] - n[0])
    if place is not None:
        ends = tried[max(place - 2, 0)], tried[min(place + 2, len(tried) - 1)]
        tried = np.linspace(*ends, _REFINED)
    if name == "powers":
        return _curves(tried, (n / n[-1]) ** tried[:, np.newaxis])
    return _curves(tried, np.exp(tried[:, np.newaxis] * (n - n[-1])))


def _curves(tried: Floats, shapes: Floats) -> _Curves:
    coarse = _log_curves(shapes[:, np.newaxis, :], _FIXED_SHARES[:, np.newaxis])
    return _Curves(tried=tried, shapes=shapes, coarse=coarse)


def _log_curves(shapes: Floats, shares: Floats) -> Floats:
    """Logs of the curves, of shapes and shares broadcast together."""
    curves = shares + (1 - shares) * shapes
    np.maximum(curves, np.finfo(np.float64).tiny, out=curves)
    return np.log(curves, out=curves)
