"""Orders of growth: which curve a cost follows as its size grows, and with what exponent.

    profile(sizes, values).fit() -> Fit(order="linear", exponent=1.02, low=0.98, high=1.06, …)

Every curve is c + b·g(n) with neither part negative: a fixed cost, and one that grows. So a call's
overhead does not pass for a smaller exponent. Curves are fitted to logs, since what a machine does
to a time is relative, of where each size's launches lie (`locations`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy

from results.curves import Curve, Floats, Order, fitted
from results.locations import located

LEAST_SIZES: Final = 4
"""Below it, a fixed cost and an exponent fit whatever was measured."""

LEAST_FACTOR: Final = 1.25
"""A cost that grows by less from the smallest to the largest size is called constant."""

_UNEVEN: Final = 0.02
"""Caches and allocators bend every curve a little: relative, added to the noise of launches."""
_POOR: Final = 0.15
"""A fit is poor where sizes lie further off the curve than this, and than noise explains."""
_RIVAL: Final = 2.0
"""Curves within so much of the best by BIC fit about as well (Kass and Raftery, JASA 90, 1995)."""
_CLEARLY: Final = 10.0
"""A curve this much better by BIC is preferred very strongly (ibid.)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The curve that a cost follows.

    Attributes:
        order: the simplest curve that fits; "power" where none of the others does.
        exponent: of n, once the fixed cost is taken off; 0 where the order is constant, None where
            it is exponential.
        base: cost multiplies by it when n grows by 1; None unless the order is exponential.
        low: lower end of the interval of the exponent, or of the base.
        high: upper end.
        factor: how many times the largest size costs what the smallest one does, on the curve.
        residual: root mean square distance of the sizes from the curve, relative.
        is_poor: whether that is more than noise explains; the order is then a rough one.
        rivals: other orders that fit about as well.
    """

    order: Order
    exponent: float | None
    base: float | None
    low: float
    high: float
    factor: float
    residual: float
    is_poor: bool
    rivals: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Sizes and what they cost, with every curve fitted; `fit` chooses among them.

    Attributes:
        curves: by order.
        logs: of each size, where its launches lie.
        exponents: the exponents that were tried.
        by_exponent: the misfit at each.
        rates: the exponential rates that were tried; the base is e to the rate.
        by_rate: the misfit at each.
        launch_degrees: degrees of freedom that launches give to the noise; 0 for single launches.
    """

    curves: Mapping[Order, Curve]
    logs: Floats
    exponents: Floats
    by_exponent: Floats
    rates: Floats
    by_rate: Floats
    launch_degrees: int

    def fit(self, level: float = 0.01) -> Fit:
        """The simplest curve that fits, its interval missing the truth with chance `level`."""
        scores = self._scores()
        order = min(scores, key=lambda each: scores[each])
        curve = self.curves[order]
        factor = math.exp(float(curve.fitted.max() - curve.fitted.min()))
        if factor < LEAST_FACTOR:
            order, factor = "constant", 1.0
            curve = self.curves[order]
        residual = float(np.sqrt(np.mean((self.logs - curve.fitted) ** 2)))
        rivals = [
            other
            for other, score in scores.items()
            if other not in (order, "power") and score < scores[order] + _RIVAL
        ]
        exponent, base, low, high = self._interval(order, level)
        return Fit(
            order=order,
            exponent=exponent,
            base=base,
            low=low,
            high=high,
            factor=factor,
            residual=residual,
            is_poor=residual > _POOR and self._is_lacking(curve),
            rivals=() if order == "constant" else tuple(rivals),
        )

    @property
    def is_clearly_exponential(self) -> bool:
        """Whether no polynomial comes near."""
        scores = self._scores()
        exponential = scores.pop("exponential", math.inf)
        return exponential + _CLEARLY < min(scores.values())

    def _scores(self) -> dict[Order, float]:
        """The Bayesian information criterion of each curve; smaller is better.

        Misfits are divided by what the best curve leaves over, where that exceeds the noise. A free
        exponent must earn its place: it is preferred only where that is clear.
        """
        sizes = len(self.logs)
        over = max(1.0, min(self._left_over(curve) for curve in self.curves.values()))
        scores: dict[Order, float] = {
            order: curve.misfit / over + curve.parameters * math.log(sizes)
            for order, curve in self.curves.items()
        }
        scores["power"] += _CLEARLY
        return scores

    def _left_over(self, curve: Curve) -> float:
        return curve.misfit / max(1, len(self.logs) - curve.parameters)

    def _is_lacking(self, curve: Curve) -> bool:
        """Whether the curve lies further off than the launches' noise lets it (an F-test)."""
        if not self.launch_degrees:
            return True
        degrees = max(1, len(self.logs) - curve.parameters)
        return bool(
            scipy.special.fdtrc(degrees, self.launch_degrees, curve.misfit / degrees) < 0.01
        )

    def _interval(
        self, order: Order, level: float
    ) -> tuple[float | None, float | None, float, float]:
        """Exponent, base, and the ends of the interval of what there is of them."""
        if order == "constant":
            return 0.0, None, 0.0, 0.0
        if order == "exponential":
            rate, low, high = self._profiled(self.rates, self.by_rate, self.curves[order], level)
            return None, math.exp(rate), math.exp(low), math.exp(high)
        exponent, low, high = self._profiled(
            self.exponents, self.by_exponent, self.curves["power"], level
        )
        return exponent, None, low, high

    def _profiled(
        self, tried: Floats, misfits: Floats, curve: Curve, level: float
    ) -> tuple[float, float, float]:
        """Where the misfit is least, and where it exceeds that by what chance allows.

        The interval by profile likelihood; degrees of freedom are those of launches and sizes
        together where the curve fits, else of the sizes alone.
        """
        at = int(np.argmin(misfits))
        degrees = max(1, len(self.logs) - curve.parameters)
        if self._is_lacking(curve):
            allowed = self._left_over(curve) * scipy.special.fdtri(1, degrees, 1 - level)
        else:
            allowed = scipy.special.fdtri(1, degrees + self.launch_degrees, 1 - level)
        excess = misfits - misfits[at] - allowed
        within = np.flatnonzero(excess <= 0)
        low, high = int(within[0]), int(within[-1])
        return _vertex(tried, misfits, at), _root(tried, excess, low, -1), _root(
            tried, excess, high, 1
        )  # fmt: skip


def profile(sizes: Sequence[float], values: Sequence[Sequence[float]]) -> Profile:
    """Fit every curve to what the sizes cost.

    Args:
        sizes: distinct, positive, at least `LEAST_SIZES` of them.
        values: for each size the launches' values, positive.

    Raises:
        ValueError: for too few sizes, or numbers that are not positive.
    """
    return profiles(sizes, [values])[0]


def profiles(sizes: Sequence[float], costs: Sequence[Sequence[Sequence[float]]]) -> list[Profile]:
    """`profile` of several costs of the same sizes, which share most of the work.

    Args:
        sizes: as `profile` takes them.
        costs: of each cost what `profile` takes as values.

    Raises:
        ValueError: as `profile`.
    """
    n = np.asarray(sizes, dtype=np.float64)
    if len(np.unique(n)) != len(n) or len(n) < LEAST_SIZES or {len(n)} != set(map(len, costs)):
        message = f"{len(n)} sizes; an order takes {LEAST_SIZES} different ones, and values of each"
        raise ValueError(message)
    order = np.argsort(n)
    n = n[order]
    logs, weights, degrees = [], [], []
    for values in costs:
        by_size = [np.log(np.asarray(values[i], dtype=np.float64)) for i in order]
        if not (n > 0).all() or not all(len(each) and np.isfinite(each).all() for each in by_size):
            message = "a size or a value is not positive; an order is fitted to logs"
            raise ValueError(message)
        of_launches = located(by_size)
        logs.append(of_launches.logs)
        weights.append(1 / (of_launches.variances + _UNEVEN**2))
        degrees.append(of_launches.degrees)
    found = fitted(n, np.array(logs), np.array(weights))
    return [
        Profile(
            curves=each.curves,
            logs=of_cost,
            exponents=each.exponents.tried,
            by_exponent=each.exponents.misfits,
            rates=each.rates.tried,
            by_rate=each.rates.misfits,
            launch_degrees=launch_degrees,
        )
        for each, of_cost, launch_degrees in zip(found, logs, degrees, strict=True)
    ]


def _vertex(tried: Floats, misfits: Floats, at: int) -> float:
    """The least point of the parabola through the least misfit and its neighbours."""
    if not 0 < at < len(tried) - 1 or not tried[at - 1] < tried[at] < tried[at + 1]:
        return float(tried[at])
    x, y = tried[at - 1 : at + 2], misfits[at - 1 : at + 2]
    slopes = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    curvature = (slopes[1] - slopes[0]) / (x[2] - x[0])
    if curvature <= 0:
        return float(x[1])
    slope = slopes[0] + curvature * (x[1] - x[0])
    return float(np.clip(x[1] - slope / (2 * curvature), x[0], x[2]))


def _root(tried: Floats, excess: Floats, inside: int, step: int) -> float:
    """Where the excess crosses zero, between the last point inside and its neighbour."""
    outside = inside + step
    if not 0 <= outside < len(tried):
        return float(tried[inside])
    share = excess[inside] / (excess[inside] - excess[outside])
    return float(tried[inside] + share * (tried[outside] - tried[inside]))
