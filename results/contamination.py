"""Which blocks of a launch, or of launches alive together, something else has spoiled.

The system's own counters bear witness: time stolen by other machines on the same hardware, being
put off the CPU, page faults, a CPU that runs slower. A block whose witness lies beyond Tukey's
outer fence of all blocks, Q3 + 3 (Q3 - Q1) (J. W. Tukey, Exploratory Data Analysis, 1977), is set
aside. Blocks of all sides are pooled for the fences, and which side a block is of is not known
here; nor does the rule look at how long a block took, but for turning counts into rates, so that
slow blocks are not set aside for being slow.

What happens to more than MOST_SHARE of the blocks is how the machine is, or what the subject does,
and no exception: a witness that says so is not heard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.statistics import Floats

MOST_SHARE: Final = 0.15
"""Of all blocks: the most that are set aside."""

MOST_STOLEN: Final = 0.5
"""Of all blocks: where more have lost a tick, a block without one is the exception."""

LEAST_BLOCKS: Final = 8
"""With fewer blocks nothing is set aside."""

_FENCE: Final = 3.0
_RELEVANT_SLOWING: Final = 0.02
"""A frequency nearer to the median than this is no slower CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEvidence:
    """What the system told of one block; None for what it does not tell.

    Attributes:
        elapsed_ns: how long the block took, above 0.
        steal_ticks: clock ticks in which the hypervisor ran something else.
        involuntary_switches: times that the process was put off its CPU.
        minor_faults: page faults that needed no disk.
        major_faults: page faults that did.
        cpu_hz: the CPU's frequency.
        is_halted: whether the process was stopped meanwhile, or its machine suspended.
    """

    elapsed_ns: int
    steal_ticks: int | None = None
    involuntary_switches: int | None = None
    minor_faults: int | None = None
    major_faults: int | None = None
    cpu_hz: float | None = None
    is_halted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Which blocks are set aside, and on whose word.

    Attributes:
        is_set_aside: for each block, in the order given.
        blocks_by_witness: blocks that each witness speaks against, witnesses without any left
            out; one block may have several against it.
        unheard: witnesses that spoke against too many blocks, by name.
    """

    is_set_aside: tuple[bool, ...]
    blocks_by_witness: Mapping[str, int]
    unheard: tuple[str, ...]

    @property
    def count(self) -> int:
        """Blocks set aside."""
        return sum(self.is_set_aside)


def contaminated(blocks: Sequence[BlockEvidence]) -> Contamination:
    """Judge the blocks of all sides that were alive together.

    At most MOST_SHARE of the blocks are set aside. Where the witnesses together speak against
    more, those that speak against the most blocks are not heard. Blocks in which the process was
    halted are set aside beside them, however many they are, and so are blocks from which the
    hypervisor stole a tick, up to half of all: neither is ever the subject's doing.

    Args:
        blocks: of every side, in any order.

    Raises:
        ValueError: for a block that took no time.
    """
    if any(block.elapsed_ns <= 0 for block in blocks):
        message = "a block took no time; expected elapsed_ns above 0"
        raise ValueError(message)
    most = int(MOST_SHARE * len(blocks))
    spoken = (
        {name: witness(blocks) for name, witness in _WITNESSES.items()}
        if len(blocks) >= LEAST_BLOCKS
        else {}
    )
    heard = {name: marks for name, marks in spoken.items() if marks.any()}
    unheard = []
    while heard and np.any(list(heard.values()), axis=0).sum() > most:
        loudest = max(heard, key=lambda name: int(heard[name].sum()))
        unheard.append(loudest)
        del heard[loudest]
    halted = np.array([block.is_halted for block in blocks], dtype=bool)
    if halted.any():
        heard["halted"] = halted
    stolen = np.array([(block.steal_ticks or 0) > 0 for block in blocks], dtype=bool)
    if 0 < stolen.sum() <= MOST_STOLEN * len(blocks):
        heard["steal"] = stolen
        unheard = [name for name in unheard if name != "steal"]
    union = np.any(list(heard.values()), axis=0) if heard else np.zeros(len(blocks), dtype=bool)
    return Contamination(
        is_set_aside=tuple(union.tolist()),
        blocks_by_witness=MappingProxyType({name: int(x.sum()) for name, x in heard.items()}),
        unheard=tuple(unheard),
    )


def _above_fence(values: Floats) -> NDArray[np.bool_]:
    """Values above Tukey's outer fence; unknown ones (NaN) are not."""
    known = values[~np.isnan(values)]
    if len(known) < LEAST_BLOCKS:
        return np.zeros(len(values), dtype=bool)
    low, high = np.quantile(known, [0.25, 0.75])
    above: NDArray[np.bool_] = values > high + _FENCE * (high - low)
    return above


def _stolen(blocks: Sequence[BlockEvidence]) -> NDArray[np.bool_]:
    return _above_fence(_rates([block.steal_ticks for block in blocks], blocks))


def _put_off(blocks: Sequence[BlockEvidence]) -> NDArray[np.bool_]:
    return _above_fence(_rates([block.involuntary_switches for block in blocks], blocks))


def _minor_faults(blocks: Sequence[BlockEvidence]) -> NDArray[np.bool_]:
    return _above_fence(_numbers([block.minor_faults for block in blocks]))


def _major_faults(blocks: Sequence[BlockEvidence]) -> NDArray[np.bool_]:
    return _above_fence(_numbers([block.major_faults for block in blocks]))


def _slowed(blocks: Sequence[BlockEvidence]) -> NDArray[np.bool_]:
    """A frequency below the fence, and lower than the median by more than is relevant."""
    frequencies = _numbers([block.cpu_hz for block in blocks])
    if np.isnan(frequencies).all():
        return np.zeros(len(blocks), dtype=bool)
    is_lower = frequencies < (1 - _RELEVANT_SLOWING) * np.nanmedian(frequencies)
    return _above_fence(-frequencies) & is_lower


_WITNESSES: Final[Mapping[str, Callable[[Sequence[BlockEvidence]], NDArray[np.bool_]]]] = (
    MappingProxyType(
        {
            "steal": _stolen,
            "involuntary switches": _put_off,
            "minor faults": _minor_faults,
            "major faults": _major_faults,
            "frequency": _slowed,
        }
    )
)


def _numbers(values: Sequence[float | None]) -> Floats:
    found: Floats = np.array(values, dtype=np.float64)
    return found


def _rates(counts: Sequence[int | None], blocks: Sequence[BlockEvidence]) -> Floats:
    """Counts for each nanosecond: what strikes by the clock strikes long blocks more often."""
    return _numbers(counts) / np.array([block.elapsed_ns for block in blocks], dtype=np.float64)
