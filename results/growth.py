"""Growth: the order in which each phase's time and peak memory grow with a scenario's size.

    growths(frame)                               of every sweep in the readings
    compare_growths(frame, "old", ("new",))      and how orders differ between versions

A worse order is a regression whatever single sizes say: it is seen across machines, and no size
that was measured shows what a larger one will cost.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from results.frames import row_ids
from results.judgement import GrowthRow, Verdict, case_name, swept_params
from results.orders import LEAST_SIZES, Fit, Profile, profile
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

    def profile(self, sizes: Collection[int]) -> Profile:
        """Curves fitted to those of its sizes."""
        chosen = sorted(sizes)
        floor = _MEMORY_FLOOR_BYTES if self.metric == "peak_memory" else 0
        return profile(chosen, [[value + floor for value in self.values[size]] for size in chosen])

    def growth(self, level: float) -> Growth:
        """Of all its sizes."""
        return Growth(
            sweep=self.sweep,
            phase=self.phase,
            metric=self.metric,
            sizes=tuple(sorted(self.values)),
            fit=self.profile(self.values).fit(level),
            stopped=self.stopped,
        )


def growths(frame: pd.DataFrame, level: float = 0.01) -> tuple[Growth, ...]:
    """The order of every sweep of at least four sizes, by version, phase and metric.

    Args:
        frame: readings as `tables.read` gives them.
        level: what the intervals miss.
    """
    return tuple(series.growth(level) for series in _series(frame))


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
    return tuple(_row(old, new, level, level / len(pairs)) for old, new in pairs)


def order_text(fit: Fit) -> str:
    """An order in words and figures: `linear, 1.02 [0.98, 1.06]`."""
    words = [fit.order if fit.order != "power" else "a power", _figures(fit)]
    text = ", ".join(filter(None, words))
    if fit.rivals:
        text += f" (or {' or '.join(fit.rivals)})"
    if fit.is_poor:
        text += f", poor fit: sizes are {fit.residual:.0%} off"
    return text


def _figures(fit: Fit) -> str:
    """The exponent or the base with its interval: `1.02 [0.98, 1.06]`, `1.99^n [1.97, 2.01]`."""
    if fit.base is not None:
        return f"{fit.base:.3g}^n [{fit.low:.3g}, {fit.high:.3g}]"
    if fit.order == "constant":
        return ""
    return f"{fit.exponent:.2f} [{fit.low:.2f}, {fit.high:.2f}]"


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
    for *names, text, phase, metric, value in _costs(good):
        for sweep, size in sweeps.get((names[0], tuple(names[1:]), text), ()):
            of_size = values.setdefault((sweep, phase, metric), {})
            of_size.setdefault(size, []).append(value)
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


def _costs(good: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    """(label, evaluator, scenario, mode, params, phase, metric, value) of every launch.

    Times of the phases are the repeated ones; first times are those of `prepare` and `first_call`,
    which happen once.
    """
    names = ["label", *_SWEPT, "params", "phase", "metric"]
    first = good["metric"] == "first_time"
    repeated = good["metric"].isin(["time", "peak_memory"]) | (
        first & (good["phase"] == "first_call")
    )
    chosen = good[repeated]
    yield from zip(
        *(chosen[name].astype("str").tolist() for name in names),
        chosen["value"].tolist(),
        strict=True,
    )
    of_prepare = good[first & good["phase"].isin(PREPARE_PHASES)]
    ids = row_ids(of_prepare, _OF_LAUNCH)
    totals = of_prepare["value"].groupby(ids).transform("sum")
    at_compile = (of_prepare["phase"] == "compile").to_numpy()  # where it was reached, once
    launches = of_prepare[at_compile]
    names = ["label", *_SWEPT, "params"]
    for *case, value in zip(
        *(launches[name].astype("str").tolist() for name in names),
        totals[at_compile].tolist(),
        strict=True,
    ):
        yield *case, PREPARE, "first_time", value


def _stopped(failures: pd.DataFrame, sweeps: _Sweeps) -> dict[Sweep, str]:
    """The smallest size of each sweep that failed, and how."""
    columns = ["label", *_SWEPT, "params", "status", "phase"]
    smallest: dict[Sweep, tuple[int, str]] = {}
    for label, *names, params, status, phase in _distinct(failures, columns):
        for sweep, size in sweeps.get((label, tuple(names), params), ()):
            told = f"{sweep.parameter}={size} ended with {status} in {phase}"
            smallest[sweep] = min(smallest.get(sweep, (size, told)), (size, told))
    return {sweep: told for sweep, (_, told) in smallest.items()}


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


def _row(old: _Series, new: _Series, level: float, strict_level: float) -> GrowthRow:
    """One sweep's order in two versions, at the sizes that both have."""
    shared = old.values.keys() & new.values.keys()
    was, now = old.profile(shared), new.profile(shared)
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
