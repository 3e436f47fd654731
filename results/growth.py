"""Growth: the order in which each phase's time and peak memory grow with a scenario's size.

    growths(frame)                               of every sweep in the readings
    compare_growths(frame, "old", ("new",))      and how orders differ between versions

A worse order is a regression whatever single sizes say: it is seen across machines, and no size
that was measured shows what a larger one will cost.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from results.curves import LEAST_EXPONENT, MOST_EXPONENT
from results.frames import row_ids
from results.judgement import GrowthRow, Verdict, case_name, swept_params
from results.orders import LEAST_SIZES, Fit, Profile, profiles
from results.schema import OK, PREPARE_PHASES

PREPARE: Final = "prepare"
"""Construct, differentiate, lower and compile together, the first time in a process."""

_MEMORY_FLOOR_BYTES: Final = 512 * 1024
"""Added to all memory: the kernel's mark lags by as much, and logs need something above zero."""

_EXPONENT_MARGIN: Final = 0.1
"""Exponents nearer than this do not differ: caches alone bend a line by as much."""
_BASE_MARGIN: Final = 0.02
"""The same of exponential bases, relative."""
_SAME_WITHIN: Final = 3.0
"""Orders are called unchanged where no difference beyond so many margins is possible."""
_FACTOR_MARGIN: Final = 1.25
"""A worse order costs at least so much more, from the smallest to the largest size."""

_MANY_RIVALS: Final = 4
"""Where so many other orders fit about as well, none is named."""

_SWEPT: Final = ("evaluator", "scenario", "mode")
_OF_LAUNCH: Final = ("label", *_SWEPT, "params", "session", "launch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What names a series of sizes.

    Attributes:
        label: the version.
        evaluator: the evaluator.
        scenario: the scenario.
        mode: output or gradient.
        others: the parameters that stay the same, `form=tanh;width=64`.
        parameter: the one that grows.
    """

    label: str
    evaluator: str
    scenario: str
    mode: str
    others: str
    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How one metric of one phase grows along a sweep.

    Attributes:
        sweep: what grows.
        phase: the phase, or `prepare` for construct, differentiate, lower and compile together.
        metric: time, first_time or peak_memory.
        sizes: that were measured, ascending.
        fit: the curve they follow.
        stopped: where and how the sweep ended early; empty if it did not.
    """

    sweep: Sweep
    phase: str
    metric: str
    sizes: tuple[int, ...]
    fit: Fit
    stopped: str

    @property
    def case(self) -> str:
        """The sweep in one line, such as `planned chain depth=10…1000;width=64 gradient`."""
        sweep = self.sweep
        params = swept_params(sweep.others, sweep.parameter, self.sizes[0], self.sizes[-1])
        return case_name(sweep.evaluator, sweep.scenario, params, sweep.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """The launches' values at each size, and where the sweep ended."""

    sweep: Sweep
    phase: str
    metric: str
    values: dict[int, list[float]]
    stopped: str

    def costs(self, sizes: Sequence[int]) -> list[list[float]]:
        """The launches' values at those of its sizes, as orders are fitted to them."""
        floor = _MEMORY_FLOOR_BYTES if self.metric == "peak_memory" else 0
        return [[value + floor for value in self.values[size]] for size in sizes]

    def growth(self, fit: Fit) -> Growth:
        """Of all its sizes, that being the curve they follow."""
        return Growth(
            sweep=self.sweep,
            phase=self.phase,
            metric=self.metric,
            sizes=tuple(sorted(self.values)),
            fit=fit,
            stopped=self.stopped,
        )


def growths(frame: pd.DataFrame, level: float = 0.01) -> tuple[Growth, ...]:
    """The order of every sweep of at least four sizes, by version, phase and metric.

    Args:
        frame: readings as `tables.read` gives them.
        level: what the intervals miss.
    """
    series = _series(frame)
    found = _profiles([(each, tuple(sorted(each.values))) for each in series])
    return tuple(each.growth(of_one.fit(level)) for each, of_one in zip(series, found, strict=True))


def compare_growths(
    frame: pd.DataFrame,
    baseline: str,
    candidates: Sequence[str],
    *,
    level: float = 0.01,
    metrics: Collection[str] | None = None,
) -> tuple[GrowthRow, ...]:
    """How orders differ, in every sweep of which both versions have four sizes in common.

    Args:
        frame: readings of all those versions.
        baseline: the baseline's label.
        candidates: the candidates' labels.
        level: chance that any order is called worse or better wrongly (after Bonferroni); what
            the intervals shown miss.
        metrics: names of the metrics to compare; all if None.
    """
    chosen = frame if metrics is None else frame[frame["metric"].isin(metrics)]
    found = {_identity(each): each for each in _series(chosen)}
    pairs = [
        (series, other)
        for (label, *rest), series in found.items()
        if label == baseline
        for candidate in candidates
        if (other := found.get((candidate, *rest))) is not None
        and len(series.values.keys() & other.values.keys()) >= LEAST_SIZES
    ]
    shared = [tuple(sorted(old.values.keys() & new.values.keys())) for old, new in pairs]
    was = _profiles([(old, sizes) for (old, _), sizes in zip(pairs, shared, strict=True)])
    now = _profiles([(new, sizes) for (_, new), sizes in zip(pairs, shared, strict=True)])
    return tuple(
        _row(old, new, sizes, before, after, level, level / len(pairs))
        for (old, new), sizes, before, after in zip(pairs, shared, was, now, strict=True)
    )


def order_text(fit: Fit) -> str:
    """An order in words and figures: `linear, 1.02 [0.98, 1.06]`."""
    is_told = len(fit.rivals) < _MANY_RIVALS
    name = fit.order if fit.order != "power" else "a power"
    text = ", ".join(filter(None, [name if is_told else "undetermined", _figures(fit)]))
    if fit.rivals and is_told:
        text += f" (or {' or '.join(fit.rivals)})"
    if fit.is_poor:
        text += f", poor fit: sizes are {fit.residual:.0%} off"
    return text


def _figures(fit: Fit) -> str:
    """The exponent or the base with its interval: `1.02 [0.98, 1.06]`, `1.99^n [1.97, 2.01]`."""
    if fit.base is not None:
        return f"{_base(fit.base)}^n [{_base(fit.low)}, {_base(fit.high)}]"
    if fit.order == "constant":
        return ""
    if fit.low <= LEAST_EXPONENT and fit.high >= MOST_EXPONENT:
        return "any exponent"
    return f"{fit.exponent:.2f} [{fit.low:.2f}, {fit.high:.2f}]"


def _base(value: float) -> str:
    return f"{value:.3g}" if value >= 1.1 else f"{value:.4f}"


# Sweeps


def _series(frame: pd.DataFrame) -> list[_Series]:
    """Every metric of every sweep that has the sizes which an order takes."""
    sweeps = _sweeps(frame)
    if not sweeps:
        return []
    params = {text for _, _, text in sweeps}
    swept = frame[frame["params"].isin(params)]
    good = swept[swept["status"] == OK]
    values: dict[tuple[Sweep, str, str], dict[int, list[float]]] = {}
    for (label, *names, text, phase, metric), of_launches in _costs(good):
        for sweep, size in sweeps.get((label, tuple(names), text), ()):
            of_size = values.setdefault((sweep, phase, metric), {})
            of_size.setdefault(size, []).extend(of_launches)
    stopped = _stopped(swept[swept["status"] != OK], sweeps)
    return [
        _Series(
            sweep=sweep,
            phase=phase,
            metric=metric,
            values=by_size,
            stopped=stopped.get(sweep, ""),
        )
        for (sweep, phase, metric), by_size in values.items()
        if len(by_size) >= LEAST_SIZES
    ]


_Sweeps = dict[tuple[str, tuple[str, ...], str], list[tuple[Sweep, int]]]
"""(label, evaluator and scenario and mode, params) -> the sweeps it is a size of."""


def _sweeps(frame: pd.DataFrame) -> _Sweeps:
    """Cases that differ in one whole number."""
    columns = ["label", *_SWEPT, "params"]
    members: dict[Sweep, dict[int, str]] = defaultdict(dict)
    for label, evaluator, scenario, mode, params in _distinct(frame, columns):
        pairs = [item.partition("=") for item in params.split(";") if item]
        for parameter, _, number in pairs:
            if not number.isascii() or not number.isdigit() or int(number) == 0:
                continue
            others = ";".join(f"{key}={value}" for key, _, value in pairs if key != parameter)
            sweep = Sweep(
                label=label,
                evaluator=evaluator,
                scenario=scenario,
                mode=mode,
                others=others,
                parameter=parameter,
            )
            members[sweep][int(number)] = params
    found: _Sweeps = defaultdict(list)
    for sweep, by_size in members.items():
        if len(by_size) >= LEAST_SIZES:
            names = (sweep.evaluator, sweep.scenario, sweep.mode)
            for size, text in by_size.items():
                found[sweep.label, names, text].append((sweep, size))
    return found


def _distinct(frame: pd.DataFrame, columns: list[str]) -> Iterable[tuple[str, ...]]:
    rows = frame[columns].drop_duplicates()
    return zip(*(rows[name].astype("str").tolist() for name in columns), strict=True)


def _costs(good: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """(label, evaluator, scenario, mode, params, phase, metric), and the values of its launches.

    Times of the phases are the repeated ones; first times are those of `prepare` and `first_call`,
    which happen once.
    """
    names = ["label", *_SWEPT, "params"]
    first = good["metric"] == "first_time"
    repeated = good["metric"].isin(["time", "peak_memory"]) | (
        first & (good["phase"] == "first_call")
    )
    yield from _grouped(good[repeated], [*names, "phase", "metric"])
    of_prepare = good[first & good["phase"].isin(PREPARE_PHASES)]
    totals = of_prepare["value"].groupby(row_ids(of_prepare, _OF_LAUNCH)).transform("sum")
    at_compile = of_prepare["phase"] == "compile"  # where it was reached, once
    for case, values in _grouped(of_prepare.assign(value=totals)[at_compile], names):
        yield (*case, PREPARE, "first_time"), values


def _grouped(
    rows: pd.DataFrame, columns: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """The values of the rows that are alike in the columns, by first appearance."""
    ids = row_ids(rows, columns)
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    heads = rows.iloc[order[starts]]
    values = np.split(rows["value"].to_numpy(np.float64)[order], starts[1:])
    names = zip(*(heads[name].astype("str").tolist() for name in columns), strict=True)
    for name, part in zip(names, values[: len(starts)], strict=True):
        yield name, part.tolist()


def _stopped(failures: pd.DataFrame, sweeps: _Sweeps) -> dict[Sweep, str]:
    """The smallest size of each sweep that failed, and how."""
    columns = ["label", *_SWEPT, "params", "status", "phase"]
    smallest: dict[Sweep, tuple[int, str]] = {}
    for label, *names, params, status, phase in _distinct(failures, columns):
        for sweep, size in sweeps.get((label, tuple(names), params), ()):
            told = f"{sweep.parameter}={size} ended with {status} in {phase}"
            smallest[sweep] = min(smallest.get(sweep, (size, told)), (size, told))
    return {sweep: told for sweep, (_, told) in smallest.items()}


def _profiles(wanted: Sequence[tuple[_Series, tuple[int, ...]]]) -> list[Profile]:
    """Curves fitted to some sizes of each series; those of the same sizes together."""
    by_sizes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for at, (_, sizes) in enumerate(wanted):
        by_sizes[sizes].append(at)
    found: dict[int, Profile] = {}
    for sizes, places in by_sizes.items():
        costs = [wanted[at][0].costs(sizes) for at in places]
        found |= zip(places, profiles(sizes, costs), strict=True)
    return [found[at] for at in range(len(wanted))]


# Versions


def _identity(series: _Series) -> tuple[str, ...]:
    sweep = series.sweep
    return (
        sweep.label,
        sweep.evaluator,
        sweep.scenario,
        sweep.mode,
        sweep.others,
        sweep.parameter,
        series.phase,
        series.metric,
    )


def _row(
    old: _Series,
    new: _Series,
    shared: Sequence[int],
    was: Profile,
    now: Profile,
    level: float,
    strict_level: float,
) -> GrowthRow:
    """One sweep's order in two versions, at the sizes that both have."""
    verdict = _verdict(was, now, strict_level)
    shown_was, shown_now = was.fit(level), now.fit(level)
    sweep = old.sweep
    return GrowthRow(
        evaluator=sweep.evaluator,
        scenario=sweep.scenario,
        params=sweep.others,
        parameter=sweep.parameter,
        smallest=min(shared),
        largest=max(shared),
        mode=sweep.mode,
        phase=old.phase,
        metric=old.metric,
        baseline_label=sweep.label,
        candidate_label=new.sweep.label,
        baseline=order_text(shown_was),
        candidate=order_text(shown_now),
        baseline_exponent=shown_was.exponent,
        candidate_exponent=shown_now.exponent,
        baseline_launches=sum(len(old.values[size]) for size in shared),
        candidate_launches=sum(len(new.values[size]) for size in shared),
        verdict=verdict,
        reason=_reason(shown_was, shown_now, verdict),
    )


def _verdict(was: Profile, now: Profile, level: float) -> Verdict:
    before, after = was.fit(level), now.fit(level)
    if before.order == after.order == "constant":
        return "unchanged"
    if _is_worse(before, now, after):
        return "regressed"
    if _is_worse(after, was, before):
        return "improved"
    if _is_exponential(before) != _is_exponential(after):
        return "inconclusive"
    margin = _BASE_MARGIN * before.high if _is_exponential(before) else _EXPONENT_MARGIN
    furthest = max(after.high - before.low, before.high - after.low)
    return "unchanged" if furthest <= _SAME_WITHIN * margin else "inconclusive"


def _is_worse(before: Fit, now: Profile, after: Fit) -> bool:
    """Whether the second order is worse for sure: its interval lies above the first one's.

    Exponential against polynomial growth is no matter of intervals: no polynomial may come near.
    """
    if after.factor < _FACTOR_MARGIN * before.factor:
        return False
    if _is_exponential(before) and _is_exponential(after):
        return after.low > before.high * (1 + _BASE_MARGIN)
    if _is_exponential(after):
        return now.is_clearly_exponential
    if _is_exponential(before):
        return False
    return after.low > before.high + _EXPONENT_MARGIN


def _is_exponential(fit: Fit) -> bool:
    return fit.order == "exponential"


def _reason(was: Fit, now: Fit, verdict: Verdict) -> str:
    """Such as `was 1.02 [0.98, 1.06], now 1.97 [1.90, 2.05]: worse order`."""
    words: dict[Verdict, str] = {
        "regressed": "worse order",
        "improved": "better order",
        "unchanged": "the same order",
        "inconclusive": "orders cannot be told apart",
    }
    same_kind = _is_exponential(was) == _is_exponential(now)
    figures = [
        _figures(each) if same_kind and _figures(each) and not each.is_poor else order_text(each)
        for each in (was, now)
    ]
    return f"was {figures[0]}, now {figures[1]}: {words[verdict]}"
