"""How much is measured: launches, blocks and budgets."""

from __future__ import annotations

from dataclasses import dataclass, replace

MILLISECOND_NS = 1_000_000
LEAST_LAUNCHES = 3
"""Below it, an interval over launches is too wide to say anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What one launch may spend on each thing it measures."""

    launches: int
    """Launches that measure time, for each case and side."""
    least_launches: int
    """So many of them are made even where that exceeds the budget."""
    memory_launches: int
    """Launches that measure memory; 0 with `--no-memory`."""
    block_ns: int
    """A block is long against the clock (about 60 ns a read, see benchmarks/overhead.py) and short
    against drift."""
    instances: int
    """How often the function is prepared for its blocks, each at another place in memory…"""
    instances_budget_ns: int
    """…as far as preparing all but the first takes no longer."""
    warm_up_blocks: int
    """Recorded, but not estimated from."""
    blocks: int
    evaluate_budget_ns: int
    """Stop after the block that exceeds this."""
    repeats: int
    repeat_budget_ns: int
    """Preparing is repeated once at least, unless it takes a hundred times this."""
    follow_calls: int
    """Calls over which memory is followed at least, if one takes less than a millisecond."""
    follow_samples: int
    follow_budget_ns: int
    """Memory is followed over as many calls as fit."""
    follow_more: int
    """How often as many calls again are followed where the class is a leak, or not clear."""
    rounds: int
    """How often preparing is repeated to see what it leaves behind each time."""
    rounds_budget_ns: int
    timeout_s: float
    """For one launch, from its start to its last answer."""
    drift_alone: bool = False
    """Whether memory launches follow the calls and do nothing else: every phase is run once."""
    phases: frozenset[str] | None = None
    """Whose times are wanted; None for all."""

    def wants(self, phase: str) -> bool:
        """Whether the phase's times are wanted."""
        return self.phases is None or phase in self.phases


def usual_effort(*, launches: int, timeout_s: float, memory: bool) -> Effort:
    """About a third of a second of measuring a launch."""
    return Effort(
        launches=launches,
        least_launches=min(LEAST_LAUNCHES, launches),
        memory_launches=2 if memory else 0,
        block_ns=5 * MILLISECOND_NS,
        instances=1,
        instances_budget_ns=0,
        warm_up_blocks=6,
        blocks=40,
        evaluate_budget_ns=1_000 * MILLISECOND_NS,
        repeats=10,
        repeat_budget_ns=100 * MILLISECOND_NS,
        follow_calls=1_000,
        follow_samples=64,
        follow_budget_ns=500 * MILLISECOND_NS,
        follow_more=3,
        rounds=5,
        rounds_budget_ns=500 * MILLISECOND_NS,
        timeout_s=timeout_s,
    )


def paired_effort(*, launches: int, least_launches: int, timeout_s: float, memory: bool) -> Effort:
    """About a third of a second of measuring a pair.

    Pairs count, not blocks, and a handful of pairs can prove little (docs/decisions/0006-looks.md);
    but what pairs differ by is for the most part what their own blocks differ by, so a pair takes
    longer to measure than to start (docs/decisions/0045-blocks-of-a-pair.md).
    """
    return replace(
        usual_effort(launches=launches, timeout_s=timeout_s, memory=memory),
        least_launches=min(least_launches, launches),
        block_ns=MILLISECOND_NS,
        instances=4,
        instances_budget_ns=25 * MILLISECOND_NS,
        warm_up_blocks=4,
        blocks=88,
        evaluate_budget_ns=160 * MILLISECOND_NS,
        repeats=2,
        repeat_budget_ns=20 * MILLISECOND_NS,
    )


def quick_effort(*, launches: int, timeout_s: float, memory: bool) -> Effort:
    """About a tenth of a second of measuring a launch: enough to see that everything works."""
    return replace(
        usual_effort(launches=launches, timeout_s=timeout_s, memory=memory),
        memory_launches=1 if memory else 0,
        block_ns=2 * MILLISECOND_NS,
        warm_up_blocks=3,
        blocks=12,
        evaluate_budget_ns=100 * MILLISECOND_NS,
        repeats=3,
        repeat_budget_ns=30 * MILLISECOND_NS,
        follow_budget_ns=300 * MILLISECOND_NS,
        rounds=3,
        rounds_budget_ns=100 * MILLISECOND_NS,
    )
