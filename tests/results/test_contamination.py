"""Blocks set aside: on the system's word, blind to the side, and never too many."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from results.contamination import MOST_SHARE, BlockEvidence, contaminated

QUIET = BlockEvidence(
    elapsed_ns=4_000_000,
    steal_ticks=0,
    involuntary_switches=0,
    minor_faults=10,
    major_faults=0,
    cpu_hz=3e9,
)


def set_aside(blocks: list[BlockEvidence]) -> list[int]:
    """The places of the blocks set aside."""
    return [i for i, spoiled in enumerate(contaminated(blocks).is_set_aside) if spoiled]


@pytest.mark.parametrize(
    ("change", "witness"),
    [
        ({"steal_ticks": 1}, "steal"),
        ({"involuntary_switches": 2}, "involuntary switches"),
        ({"minor_faults": 500}, "minor faults"),
        ({"major_faults": 1}, "major faults"),
        ({"cpu_hz": 2e9}, "frequency"),
    ],
)
def test_each_witness_is_heard(change: dict[str, int], witness: str) -> None:
    """One block of 20 that something happened to is set aside, and it is told why."""
    blocks = [QUIET] * 20
    blocks[7] = replace(QUIET, **change)  # type: ignore[arg-type]

    found = contaminated(blocks)

    assert [i for i, spoiled in enumerate(found.is_set_aside) if spoiled] == [7]
    assert dict(found.blocks_by_witness) == {witness: 1}
    assert (found.count, found.unheard) == (1, ())


def test_a_slow_block_is_not_set_aside_for_being_slow() -> None:
    """The rule has no eye for the result."""
    blocks = [QUIET] * 20
    blocks[3] = replace(QUIET, elapsed_ns=40_000_000)

    assert set_aside(blocks) == []


def test_a_side_that_faults_by_nature_is_not_set_aside() -> None:
    """Half of the blocks have 40 faults each, for that side's engine asks for memory."""
    blocks = [QUIET, replace(QUIET, minor_faults=40)] * 10

    assert set_aside(blocks) == []


def test_what_happens_often_is_no_exception() -> None:
    """Faults in 4 blocks of 20 are what the subject does; the one major fault still counts."""
    blocks = [replace(QUIET, minor_faults=500)] * 4 + [QUIET] * 16
    blocks[9] = replace(QUIET, major_faults=3)

    found = contaminated(blocks)

    assert found.unheard == ("minor faults",)
    assert found.count == 1
    assert found.is_set_aside[9]


def test_long_blocks_may_be_interrupted_more_often() -> None:
    """A rate, not a count, is compared: the same for blocks of 4 and of 12 ms."""
    short = replace(QUIET, involuntary_switches=1)
    long = replace(QUIET, elapsed_ns=12_000_000, involuntary_switches=3)

    assert set_aside([short] * 18 + [long] * 2) == []


def test_a_slightly_lower_frequency_is_nothing() -> None:
    """1 % below all others is beyond the fence and does not matter."""
    assert set_aside([*[QUIET] * 19, replace(QUIET, cpu_hz=2.97e9)]) == []


def test_a_system_that_tells_nothing_spoils_nothing() -> None:
    """Nor do too few blocks."""
    assert set_aside([BlockEvidence(elapsed_ns=1)] * 20) == []
    assert set_aside([QUIET] * 6 + [replace(QUIET, minor_faults=900)]) == []
    assert contaminated([]).is_set_aside == ()


@pytest.mark.parametrize(("stolen", "spoiled"), [(1, 1), (10, 10), (11, 0)])
def test_stolen_blocks_are_set_aside_up_to_half_of_all(stolen: int, spoiled: int) -> None:
    """A tick is longer than most blocks; where most have lost one, that is how the machine is."""
    blocks = [replace(QUIET, steal_ticks=1)] * stolen + [QUIET] * (20 - stolen)

    assert set_aside(blocks) == list(range(spoiled))


@given(st.lists(st.booleans(), max_size=30))
def test_every_halted_block_is_set_aside_and_no_other(halted: list[bool]) -> None:
    """However many they are: a process that is stopped is not the subject's doing."""
    blocks = [replace(QUIET, is_halted=each) for each in halted]

    assert set_aside(blocks) == [place for place, was in enumerate(halted) if was]


def test_a_block_without_time_is_refused() -> None:
    """It has no rates."""
    with pytest.raises(ValueError, match="took no time"):
        contaminated([replace(QUIET, elapsed_ns=0)])


COUNTS = st.none() | st.integers(0, 5)
BLOCKS = st.builds(
    BlockEvidence,
    elapsed_ns=st.integers(1, 10**8),
    steal_ticks=COUNTS,
    involuntary_switches=COUNTS,
    minor_faults=COUNTS,
    major_faults=COUNTS,
    cpu_hz=st.none() | st.floats(1e8, 5e9),
)


@given(st.lists(BLOCKS, max_size=60))
def test_never_more_than_the_stated_share(blocks: list[BlockEvidence]) -> None:
    """Whatever the witnesses say, but for blocks from which a tick was stolen."""
    stolen = sum((block.steal_ticks or 0) > 0 for block in blocks)

    assert contaminated(blocks).count - stolen <= MOST_SHARE * len(blocks)


@given(st.lists(BLOCKS, max_size=40), st.randoms())
def test_the_order_of_blocks_does_not_matter(
    blocks: list[BlockEvidence], rng: random.Random
) -> None:
    """So the side, which the order might tell, does not either."""
    order = rng.sample(range(len(blocks)), len(blocks))

    before = contaminated(blocks).is_set_aside
    after = contaminated([blocks[i] for i in order]).is_set_aside

    assert [before[i] for i in order] == list(after)
