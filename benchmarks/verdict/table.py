"""What the trials came to, as markdown: `python -m benchmarks.verdict.table`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence

from scipy.stats import binomtest

from benchmarks.verdict.findings import IMPROVED, REGRESSED, UNCHANGED, Finding
from benchmarks.verdict.ours import STARTING_S
from benchmarks.verdict.places import TRIALS
from benchmarks.verdict.planting import LEVELS
from benchmarks.verdict.records import IDENTICAL, OURS, PLANTED, Record, of_tool, read_records
from benchmarks.verdict.replay import (
    SUITE_ROWS,
    SUITES,
    covered,
    replayed,
    share_saved,
    suites_called,
    true_ratio,
    with_pairs,
    within,
)
from benchmarks.verdict.trial import BUDGET_S, LONG_BUDGET_S
from benchmarks.verdict.truth import Truth, truths

_NONE = "not measured"


# Counting


def counted(hits: int, of: int) -> str:
    """`3 of 40 (1.6–20 %)`: with the exact 95 % interval of Clopper and Pearson."""
    if not of:
        return _NONE
    interval = binomtest(hits, of).proportion_ci(0.95, method="exact")
    return f"{hits} of {of} ({100 * interval.low:.2g}–{100 * interval.high:.3g} %)"


def right_verdict(record: Record) -> str:
    """What a tool that sees everything says."""
    if record.trial.kind in IDENTICAL:
        return UNCHANGED
    return IMPROVED if record.trial.swapped else REGRESSED


def is_found(record: Record, finding: Finding) -> bool:
    """Whether planted work was called, in its own direction."""
    return finding.verdict == right_verdict(record)


def is_backwards(record: Record, finding: Finding) -> bool:
    """Whether planted work was called in the other direction."""
    return finding.is_call and not is_found(record, finding)


def _at(records: Iterable[Record], percent: float, budget_s: float) -> list[Record]:
    return [
        each
        for each in records
        if each.trial.percent == percent and each.trial.budget_s == budget_s
    ]


# graphgauge


def target_lines(
    records: Sequence[Record], known: dict[tuple[str, float], Truth]
) -> Iterator[tuple[str, str, str]]:
    """(what, target, found) of each line of the table of targets."""
    identical, planted = with_pairs(records, *IDENTICAL), with_pairs(records, PLANTED)
    called = sum(each.findings[0].is_call for each in identical)
    alone = sum(replayed(each.pairs, threshold=0.0).is_call for each in identical)
    yield (
        "identical work, 7 s, called changed at the 1 % level",
        "≤ 1 %",
        f"{counted(called, len(identical))}; by the row alone {alone}",
    )
    for kind in IDENTICAL:
        of_kind = [each for each in identical if each.trial.kind == kind]
        calls = sum(each.findings[0].is_call for each in of_kind)
        yield f"… {kind}", "", counted(calls, len(of_kind))
    yield from _suite_lines(identical)
    yield _found_line(_at(planted, 2, BUDGET_S), 2, BUDGET_S, "≥ 95 %")
    yield _found_line(_at(planted, 1, LONG_BUDGET_S), 1, BUDGET_S, "≥ 80 %")
    yield _found_line(_at(planted, 1, LONG_BUDGET_S), 1, LONG_BUDGET_S, "≥ 95 %")
    for percent in (3, 5, 10):
        yield _found_line(_at(planted, percent, BUDGET_S), percent, BUDGET_S, "")
    backwards = sum(is_backwards(each, each.findings[0]) for each in planted)
    yield "planted, called in the wrong direction", "never", counted(backwards, len(planted))
    yield from _coverage_lines(identical, planted, known)
    yield from _saving_lines(identical, planted)


def _suite_lines(identical: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    for threshold in (0.0, 0.01):
        what = (
            f"suites of {SUITE_ROWS} identical rows called, replayed at threshold {threshold:.0%}"
        )
        if len(identical) < SUITE_ROWS:
            yield what, "≤ 1 in 30", _NONE
            continue
        flagged = suites_called(identical, threshold=threshold)
        yield what, "≤ 1 in 30", f"{flagged} of {SUITES} drawn from {len(identical)} rows"


def _found_line(
    records: Sequence[Record], percent: int, budget_s: float, target: str
) -> tuple[str, str, str]:
    """Planted work that was found, as printed, or replayed where the budget is a smaller one."""
    alone = 0
    for each in records:
        outcome = replayed(within(each, budget_s), threshold=0.0)
        alone += outcome.decision.verdict == right_verdict(each)
    what = f"planted {percent} %, found in {budget_s:g} s"
    if any(each.trial.budget_s > budget_s for each in records):
        what += f", replayed from {LONG_BUDGET_S:g} s"
        return what, target, counted(alone, len(records))
    found = sum(is_found(each, each.findings[0]) for each in records)
    told = counted(found, len(records))
    return what, target, told if not records else f"{told}; by the row alone {alone}"


def _coverage_lines(
    identical: Sequence[Record],
    planted: Sequence[Record],
    known: dict[tuple[str, float], Truth],
) -> Iterator[tuple[str, str, str]]:
    hits = sum(covered(each, 1.0) for each in identical)
    yield "99 % interval holds the truth: identical", "97–100 %", counted(hits, len(identical))
    pairs = [(each, truth) for each in planted if (truth := true_ratio(each, known)) is not None]
    hits = sum(covered(each, truth) for each, truth in pairs)
    yield "… planted (the truth is measured too)", "", counted(hits, len(pairs))


def _saving_lines(
    identical: Sequence[Record], planted: Sequence[Record]
) -> Iterator[tuple[str, str, str]]:
    whole = [each for each in identical if not each.findings[0].is_call]
    large = [each for each in planted if each.trial.percent >= 3]
    what = "time saved by stopping early: planted ≥ 3 %"
    if whole and large:
        usual_s = statistics.fmean(each.wall_s for each in whole)
        stopped_s = statistics.fmean(each.wall_s for each in large)
        told = _saving(1 - stopped_s / usual_s, usual_s)
        yield what, "≥ 40 %", f"{told} ({stopped_s:.1f} of {usual_s:.1f} s)"
    else:
        yield what, "≥ 40 %", _NONE
    what = "… identical at threshold 2 %, replayed"
    if whole:
        usual_s = statistics.fmean(each.wall_s for each in whole)
        yield what, "≥ 40 %", _saving(share_saved(whole, threshold=0.02), usual_s)
    else:
        yield what, "≥ 40 %", _NONE


def _saving(share: float, usual_s: float) -> str:
    """Of the whole command's time, and of what it spends on pairs."""
    of_pairs = share * usual_s / (usual_s - STARTING_S)
    return f"{share:.0%}, of the pairs' time {of_pairs:.0%}"


# Everybody


def peer_lines(
    records: Sequence[Record], known: dict[tuple[str, float], Truth]
) -> Iterator[tuple[str, ...]]:
    """A line for each rule of each tool; graphgauge's trials of the same budget are the last."""
    rules: dict[str, list[tuple[Record, Finding]]] = {}
    tools = sorted({each.trial.tool for each in records}, key=lambda tool: tool == OURS)
    for tool in tools:
        for record in of_tool(records, tool, "same", PLANTED):
            for finding in record.findings:
                rule = f"{finding.rule}, {record.trial.budget_s:g} s"
                rules.setdefault(rule, []).append((record, finding))
    for rule, answers in rules.items():
        identical = [finding for record, finding in answers if record.trial.kind != PLANTED]
        cells = [f"{sum(each.is_call for each in identical)} of {len(identical)}"]
        cells += [_level_cell(answers, percent) for percent in LEVELS]
        wall_s = statistics.fmean(record.wall_s for record, _ in answers)
        yield rule, *cells, _error_cell(answers, known), f"{wall_s:.1f}"


def _level_cell(answers: Sequence[tuple[Record, Finding]], percent: float) -> str:
    at_level = [
        (record, finding)
        for record, finding in answers
        if record.trial.kind == PLANTED and record.trial.percent == percent
    ]
    if not at_level:
        return "–"
    found = sum(is_found(*each) for each in at_level)
    backwards = sum(is_backwards(*each) for each in at_level)
    wrong = f", {backwards} backwards" if backwards else ""
    return f"{found} of {len(at_level)}{wrong}"


def _error_cell(
    answers: Sequence[tuple[Record, Finding]], known: dict[tuple[str, float], Truth]
) -> str:
    """How far the ratio was from the truth, in %: the median and the largest."""
    errors = [
        100 * abs(finding.ratio / truth - 1)
        for record, finding in answers
        if (truth := true_ratio(record, known)) is not None
    ]
    return f"{statistics.median(errors):.2f} / {max(errors):.1f}" if errors else "–"


def failed_lines(records: Sequence[Record]) -> Iterator[str]:
    """Trials without a finding: they are missing above."""
    for each in records:
        if each.error:
            yield f"- {each.trial.key}: {each.error[:200]}"


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table."""
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main() -> None:
    """Print everything."""
    records, known = read_records(TRIALS), truths()
    print(markdown(("graphgauge versus", "target", "found"), target_lines(records, known)))
    levels = [f"{percent} %" for percent in LEVELS]
    header = ("tool, rule", "false alarms", *levels, "error %: median / max", "s")
    print("\n" + markdown(header, peer_lines(records, known)))
    truth_lines: Callable[[Truth], tuple[str, ...]] = lambda each: (  # noqa: E731
        each.workload,
        f"{each.percent:g} %",
        f"{each.twice} of {each.of}",
        f"{100 * (each.ratio - 1):+.2f} ± {100 * each.standard_error:.2f} %",
    )
    header = ("workload", "planted", "done twice", "takes longer by")
    print("\n" + markdown(header, map(truth_lines, known.values())))
    failed = list(failed_lines(records))
    if failed:
        print(f"\n{len(failed)} trials failed and are not counted:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
