"""What the statistics of a verdict promise, simulated; the tables of docs/verdict.md and decisions.

    python -m benchmarks.verdict_simulation            every table, about four minutes
    python -m benchmarks.verdict_simulation looks      one of: looks, promise, family, moderated,
                                                       steady, power
    python -m benchmarks.verdict_simulation sessions A.csv B.csv …
                                                       tables of identical code, one a session

Seeds are fixed: the same tables come out every time, but for `sessions`, which reads measurements.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from results.contrasts import contrast, measured
from results.family import case_level, weights
from results.frames import merged
from results.sequential import level_at, looks, shares
from results.statistics import (
    Estimate,
    holm,
    moments,
    p_beyond,
    p_within,
    paired,
    smallest_detectable,
    welch,
)
from results.steady import classify
from results.tables import read

Floats = NDArray[np.float64]
Levels = Callable[[int], float]

LEVEL: Final = 0.01
PAIR_SD: Final = 0.0105
RUNS: Final = 20_000


def estimates(pairs: Floats) -> Estimate:
    """The estimate of each row of a matrix of log ratios."""
    rows, count = pairs.shape
    return paired(moments(pairs.ravel(), np.repeat(np.arange(rows), count), rows))


def stopped(
    pairs: Floats, threshold: float, at: Sequence[int], level_of: Levels
) -> tuple[Floats, Floats]:
    """The verdict of each run (1 worse, -1 better, 2 unchanged, 0 none) and the pairs it took."""
    band = math.log1p(threshold)
    verdicts = np.zeros(len(pairs))
    taken = np.full(len(pairs), float(pairs.shape[1]))
    for look in at:
        estimate = estimates(pairs[:, :look])
        running = verdicts == 0
        beyond = running & (p_beyond(estimate, band) < level_of(look))
        within = running & ~beyond & (p_within(estimate, band) < level_of(look))
        verdicts[beyond] = np.sign(estimate.value[beyond])
        verdicts[within] = 2
        taken[beyond | within] = look
    return verdicts, taken


def ours(most: int, level: float = LEVEL) -> Levels:
    """What each look may spend in a run whose last pair is declared to be `most`."""
    return lambda count: level_at(count, level, is_last=count == most)


def anytime_level(count: int, level: float, scale: float = 1.0) -> float:
    """The level at which a t test may be made at any n.

    T. L. Lai's mixture (1976) over effects with a standard deviation of sqrt(scale) pair spreads,
    as H. Wang and A. Ramdas have it ("Anytime-valid t-tests", 2024).
    """
    degrees = count - 1

    def excess(t: float) -> float:
        shrunk = t * t / (degrees * (1 + count * scale))
        evidence = math.log1p(t * t / degrees) - math.log1p(shrunk)
        return count / 2 * evidence - math.log1p(count * scale) / 2 + math.log(level)

    if excess(1e6) < 0:
        return 0.0
    return float(2 * special.stdtr(degrees, -optimize.brentq(excess, 0.0, 1e6)))


def looks_table() -> None:
    """Schedules side by side."""
    print(f"looks: level {LEVEL:.0%}, pair sd {PAIR_SD:.2%}, {RUNS:,} runs each, 24 pairs (7 s)")
    print("| schedule | A/A called | 1 % found | 2 % found | pairs: +3 % | pairs: A/A within 2 % |")
    print("|---|---|---|---|---|---|")
    planned = looks(24)
    every = list(range(5, 25))
    schedules: list[tuple[str, Sequence[int], Levels]] = [
        ("one look at 24", [24], lambda _: LEVEL),
        ("every look at the full level (wrong)", planned, lambda _: LEVEL),
        ("0.1 + 0.9 n³ / (n³ + 17³)", planned, lambda n: level_at(n, LEVEL)),
        ("ours: the last look finds all that is left", planned, ours(24)),
        ("the same for 80 % of the level (one case)", planned, ours(24, 0.8 * LEVEL)),
        ("equal parts of six looks", planned, lambda _: LEVEL / 6),
        ("anytime-valid t, every pair", every, lambda n: anytime_level(n, LEVEL)),
    ]
    for name, at, level_of in schedules:
        rng = np.random.default_rng(2)
        cells = []
        for truth, threshold in ((0.0, 0.0), (0.01, 0.0), (0.02, 0.0), (0.03, 0.01), (0.0, 0.02)):
            pairs = rng.normal(math.log1p(truth), PAIR_SD, (RUNS, 24))
            verdicts, taken = stopped(pairs, threshold, at, level_of)
            called = np.mean(np.abs(verdicts) == 1) if truth == 0 else np.mean(verdicts == 1)
            cells.append((called, taken.mean()))
        print(
            f"| {name} | {cells[0][0]:.2%} | {cells[1][0]:.1%} | {cells[2][0]:.1%} "
            f"| {cells[3][1]:.1f} | {cells[4][1]:.1f} |"
        )
    print()


def power_table() -> None:
    """What is found, by pairs and threshold, at the level of a single case."""
    level = case_level(LEVEL, 1)
    print(f"power: one case, level {level:.1%} over all looks, pair sd {PAIR_SD:.2%}")
    print("| pairs | threshold | 0.5 % | 1 % | 2 % | 3 % | wrong direction |")
    print("|---|---|---|---|---|---|---|")
    for most in (10, 24, 70):
        for threshold in (0.0, 0.01):
            rng = np.random.default_rng(2)
            found, wrong = [], 0
            for truth in (0.005, 0.01, 0.02, 0.03):
                pairs = rng.normal(math.log1p(truth), PAIR_SD, (RUNS, most))
                verdicts, _ = stopped(pairs, threshold, looks(most), ours(most, level))
                found.append(f"{np.mean(verdicts == 1):.1%}")
                wrong += int(np.sum(verdicts == -1))
            print(f"| {most} | {threshold:.0%} | {' | '.join(found)} | {wrong} |")
    print()


def component_pairs(
    rng: np.random.Generator, runs: int, count: int, launch_share: float, tails: str
) -> Floats:
    """Log ratios of pairs, each the median of 12 ABBA quads over a drifting machine."""
    quads = 12
    launch_sd = PAIR_SD * math.sqrt(launch_share)
    block_sd = PAIR_SD * math.sqrt(1 - launch_share) * math.sqrt(quads)
    shape = (runs, count)
    own = rng.normal(size=shape) if tails == "normal" else rng.standard_t(4, shape) / math.sqrt(2)
    blocks = rng.normal(0, block_sd, (*shape, quads, 4))
    drift = np.cumsum(rng.normal(0, 0.002, (*shape, quads * 4)), axis=-1)
    sides = blocks + drift.reshape(*shape, quads, 4)
    first, second, third, fourth = (sides[..., k] for k in range(4))
    ratios = (second + third - first - fourth) / 2
    found: Floats = launch_sd * own + np.median(ratios, axis=-1)
    return found


def promise_table() -> None:
    """False alarms and coverage over all looks, by what the noise is made of."""
    runs = 4_000
    print(f"promise: level {LEVEL:.0%} over all looks to 24 pairs, {runs:,} runs each")
    print(
        "| launch share | tails | A/A called | called at the band's edge | last interval misses |"
    )
    print("|---|---|---|---|---|")
    for launch_share in (0.0, 0.5, 0.9):
        for tails in ("normal", "t, 4 degrees"):
            rng = np.random.default_rng(3)
            pairs = component_pairs(rng, runs, 24, launch_share, tails)
            none, _ = stopped(pairs, 0.0, looks(24), ours(24))
            edge, taken = stopped(pairs + math.log1p(0.01), 0.01, looks(24), ours(24))
            missed = _missed_where_stopped(pairs, taken)
            print(
                f"| {launch_share} | {tails} | {np.mean(np.abs(none) == 1):.2%} "
                f"| {np.mean(edge != 0):.2%} | {missed:.2%} |"
            )
    print()


def _missed_where_stopped(pairs: Floats, taken: Floats) -> float:
    """How often the interval at the look where a run ended misses the truth, 0."""
    missed = 0
    for count in np.unique(taken).astype(int).tolist():
        estimate = estimates(pairs[taken == count, :count])
        missed += int(np.sum(p_beyond(estimate, 0.0) < ours(24)(count)))
    return missed / len(pairs)


def family_table() -> None:
    """The smallest detectable change of evaluate's time in a suite, before and now."""
    cases, others = 22, 28
    rows = cases * (others + 1)
    print(f"family: {cases} cases, {rows} rows, pair sd {PAIR_SD:.2%}, threshold 1 %")
    print("| pairs | equal shares, one look | equal shares, all looks | ours | one case alone |")
    print("|---|---|---|---|---|")
    for count in (6, 10, 20, 24, 40, 70):
        known = Estimate(
            value=np.zeros(1),
            standard_error=np.array([PAIR_SD / math.sqrt(count)]),
            degrees=np.array([count - 1.0]),
        )
        share = level_at(count, 1.0, is_last=True)
        cells = [
            math.expm1(float(smallest_detectable(known, math.log1p(0.01), level)[0]))
            for level in (
                LEVEL / rows,
                share * LEVEL / rows,
                share * case_level(LEVEL, cases),
                share * case_level(LEVEL, 1),
            )
        ]
        print(f"| {count} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |")
    print()
    _family_wise_table(8, 6)


def _family_wise_table(cases: int, others: int) -> None:
    suites = 4_000
    print(f"family-wise rate: {suites:,} suites of {cases} cases with {others} more rows each, A/A")
    print("| spreads of the cases | suites with a false alarm |")
    print("|---|---|")
    primary = np.arange(cases * (others + 1)) < cases
    share_of = weights(primary, np.ones(len(primary), dtype=bool))
    for name, draw in _SPREADS.items():
        rng = np.random.default_rng(4)
        alarms = 0
        for _ in range(suites):
            noise = PAIR_SD * draw(rng, len(primary))[:, np.newaxis]
            pairs = noise * _innovations(rng, name, (len(primary), 24))
            _, taken = stopped(pairs[:cases], 0.0, looks(24), ours(24, case_level(LEVEL, cases)))
            ends = np.concatenate([taken, np.repeat(taken, others)]).astype(np.int64)
            p_values = np.empty(len(primary))
            for count in np.unique(ends).tolist():
                at = ends == count
                p_values[at] = p_beyond(estimates(pairs[at, :count]), 0.0)
            adjusted = holm(np.minimum(p_values / shares(ends, ends == 24), 1.0), share_of)
            alarms += bool((adjusted < LEVEL).any())
        print(f"| {name} | {alarms / suites:.2%} |")
    print()


def _innovations(rng: np.random.Generator, name: str, shape: tuple[int, int]) -> Floats:
    if "heavy" in name:
        return np.asarray(rng.standard_t(4, shape) / math.sqrt(2))
    return rng.normal(size=shape)


_SPREADS: Final[dict[str, Callable[[np.random.Generator, int], Floats]]] = {
    "equal": lambda _, size: np.ones(size),
    "log-normal, 0.3": lambda rng, size: np.exp(rng.normal(0, 0.3, size)),
    "log-normal, 0.7": lambda rng, size: np.exp(rng.normal(0, 0.7, size)),
    "two of three times the others": lambda _, size: np.where(np.arange(size) < 2, 3.0, 1.0),
    "log-normal, 0.3, heavy tails": lambda rng, size: np.exp(rng.normal(0, 0.3, size)),
}


def moderated_table() -> None:
    """Variances shrunk to those of the other cases (Smyth 2004), against Student's own t."""
    suites, cases = 40_000, 22
    print(f"moderated t: {suites:,} suites of {cases} cases, A/A; suites called, over the level")
    print(
        "| spreads | pairs | Student: 1 % | 0.1 % | moderated: 1 % | 0.1 % | upward: 1 % | 0.1 % |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, draw in list(_SPREADS.items())[:4]:
        for count in (5, 7, 10, 20):
            rng = np.random.default_rng(5)
            noise = np.array([draw(rng, cases) for _ in range(suites)])
            pairs = noise[..., np.newaxis] * rng.normal(size=(suites, cases, count))
            kinds = _moderated(pairs)
            cells = [
                np.mean(p_values.min(axis=1) * cases < level) / level
                for p_values in kinds
                for level in (0.01, 0.001)
            ]
            print(f"| {name} | {count} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
    print()


def _moderated(pairs: Floats) -> tuple[Floats, Floats, Floats]:
    """p-values by Student, by Smyth, and by Smyth where that makes a variance larger."""
    count = pairs.shape[-1]
    degrees = count - 1
    mean, variance = pairs.mean(axis=2), pairs.var(axis=2, ddof=1)
    logs = np.log(variance) - special.digamma(degrees / 2) + math.log(degrees / 2)
    spread = logs.var(axis=1, ddof=1, keepdims=True) - special.polygamma(1, degrees / 2)
    prior = np.minimum(2 * _inverse_trigamma(np.maximum(spread, 1e-3)), 1e4)
    centre = np.exp(logs.mean(axis=1, keepdims=True) + special.digamma(prior / 2)) / (prior / 2)
    shrunk = (prior * centre + degrees * variance) / (prior + degrees)
    student = 2 * special.stdtr(degrees, -np.abs(mean) / np.sqrt(variance / count))
    moderated = 2 * special.stdtr(prior + degrees, -np.abs(mean) / np.sqrt(shrunk / count))
    return student, moderated, np.where(variance > centre, student, moderated)


def _inverse_trigamma(values: Floats) -> Floats:
    """Newton's steps of Smyth's appendix."""
    found = 0.5 + 1 / values
    for _ in range(20):
        trigamma = special.polygamma(1, found)
        found = found + trigamma * (1 - trigamma / values) / special.polygamma(2, found)
    return found


def steady_table() -> None:
    """How launches are classed that are flat, and some that are not."""
    launches = 400
    print(f"steady state: {launches} launches each of 100 blocks, 5 % of them struck by pauses")
    print("| series | block sd | correlation | flat | warm-up | slowdown | no steady state |")
    print("|---|---|---|---|---|---|---|")
    place = np.arange(100)
    shapes = {
        "flat": 0.0 * place,
        "5 % slower for 20 blocks": np.where(place < 20, 0.05, 0.0),
        "30 % slower, fading over 8 blocks": 0.3 * np.exp(-place / 8),
        "5 % slower from the middle": np.where(place >= 50, 0.05, 0.0),
        "5 % slower for the last 15": np.where(place >= 85, 0.05, 0.0),
        "10 % slower for 15 in between": np.where((place >= 40) & (place < 55), 0.1, 0.0),
    }
    settings = [(name, sd, 0.3) for name in shapes for sd in (0.005, 0.02)]
    settings += [("flat", sd, phi) for phi in (0.0, 0.6, 0.8) for sd in (0.005, 0.03)]
    for name, sd, correlation in settings:
        rng = np.random.default_rng(6)
        kinds = [
            classify(np.exp(shapes[name] + _wandering(rng, correlation, sd)).tolist()).kind
            for _ in range(launches)
        ]
        cells = [
            f"{kinds.count(kind) / launches:.1%}"
            for kind in ("flat", "warm-up", "slowdown", "no steady state")
        ]
        print(f"| {name} | {sd:.1%} | {correlation} | " + " | ".join(cells) + " |")
    print()


def _wandering(rng: np.random.Generator, correlation: float, sd: float) -> Floats:
    found = np.empty(100)
    found[0] = rng.normal(0, sd)
    innovations = rng.normal(0, sd * math.sqrt(1 - correlation**2), 100)
    for i in range(1, 100):
        found[i] = correlation * found[i - 1] + innovations[i]
    return found + (rng.random(100) < 0.05) * rng.exponential(0.3, 100)


def sessions_table(paths: Sequence[str]) -> None:
    """How far sessions of identical code lie apart, as they are and corrected for speed."""
    frame = _labelled_by_session(merged([read(path) for path in paths]))
    values = measured(frame)
    labels = list(dict.fromkeys(frame["label"].tolist()))
    print(f"sessions: {len(labels)} of identical code, every two compared; times of evaluate")
    print("| case | launches | as they are | corrected for speed |")
    print("|---|---|---|---|")
    wanted = [
        i for i, one in enumerate(values.series) if (one.phase, one.metric) == ("evaluate", "time")
    ]
    plain: dict[int, list[float]] = {i: [] for i in wanted}
    ours: dict[int, list[float]] = {i: [] for i in wanted}
    launches = dict.fromkeys(wanted, 0)
    for place, one in enumerate(labels):
        for other in labels[place + 1 :]:
            found = contrast(values.side(one), values.side(other), len(values.series))
            raw = welch(found.log_baseline, found.log_candidate)
            for i in wanted:
                plain[i].append(float(raw.value[i]))
                ours[i].append(float(found.log_ratio.value[i]))
                launches[i] = int(found.baseline.count[i])
    for i in wanted:
        # Two sessions differ by sqrt(2) of what one lies from the mean of all.
        apart = [math.sqrt(np.mean(np.square(each)) / 2) for each in (plain[i], ours[i])]
        name = " ".join(values.series[i].case)
        print(f"| {name} | {launches[i]} | {apart[0]:.1%} | {apart[1]:.1%} |")
    print()


def _labelled_by_session(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(label=frame["session"])


TABLES: Final = {
    "looks": looks_table,
    "power": power_table,
    "promise": promise_table,
    "family": family_table,
    "moderated": moderated_table,
    "steady": steady_table,
}


def main(arguments: Sequence[str]) -> None:
    """Print the tables asked for."""
    if arguments[:1] == ["sessions"]:
        sessions_table(arguments[1:])
        return
    unknown = [name for name in arguments if name not in TABLES]
    if unknown:
        sys.exit(f"no table {', '.join(unknown)}; expected some of {', '.join(TABLES)}, sessions")
    for name in arguments or TABLES:
        TABLES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
