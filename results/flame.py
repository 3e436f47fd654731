"""Flame graphs of time or memory: one SVG that opens offline in any browser.

B. Gregg, "The Flame Graph", Communications of the ACM 59(6), 2016: width is time or bytes, height
is depth of the stack, and siblings stand in alphabetical order. A differential one is as wide as
one version and coloured by what the other has: red where that is less, blue where it is more.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final, Protocol

from results.units import quantity

_WIDTH: Final = 1_200
_ROW: Final = 18
_HEAD: Final = 44
_CHARACTER: Final = 6.5
_LEAST_WIDTH: Final = 0.5
"""Narrower boxes are not drawn."""
_COLOURS: Final = ("#f6c17a", "#f2a65a", "#eec08f", "#e8985e", "#f4d19b")


_UNCHANGED: Final = "#eeeeee"
_MORE: Final = (214, 39, 40)
_LESS: Final = (31, 90, 200)


class Weighed(Protocol):
    """A stack, and its weight in seconds or bytes."""

    @property
    def stack(self) -> tuple[str, ...]:
        """Frames, outermost first."""
        ...

    @property
    def weight(self) -> float:
        """What it has of the whole."""
        ...


@dataclass(slots=True)
class _Box:
    weight: float = 0.0
    other: float = 0.0
    """What the version has that this one is compared with."""
    inner: dict[str, "_Box"] = field(default_factory=dict)

    @property
    def change(self) -> float:
        """What this version has more."""
        return self.weight - self.other


def flame_graph(stacks: Iterable[Weighed], title: str, unit: str = "B") -> str:
    """The stacks as SVG; a box tells its frame, weight and share where one points at it.

    Args:
        stacks: what to draw.
        title: shown above, with the sum.
        unit: of the weights, "B" or "s".
    """
    root = _Box()
    for each in stacks:
        for box in _path(root, each.stack):
            box.weight += each.weight

    def painted(name: str, box: _Box) -> tuple[str, str]:
        share = box.weight / root.weight
        colour = _COLOURS[sum(map(ord, name)) % len(_COLOURS)]
        return f"{name}: {quantity(box.weight, unit)} ({share:.1%})", colour

    return _drawing(root, f"{title}: {quantity(root.weight, unit)}", painted)


def differential_flame_graph(
    drawn: Iterable[Weighed], other: Iterable[Weighed], title: str, unit: str = "s"
) -> str:
    """The first stacks as SVG, coloured by what they have more (red) or less (blue) than the other.

    Frames that only the other has are not in it; draw the two the other way round to see them.
    """
    root = _Box()
    for each in drawn:
        for box in _path(root, each.stack):
            box.weight += each.weight
    for each in other:
        for box in _path(root, each.stack):
            box.other += each.weight
    largest = max((abs(box.change) for box in _below(root)), default=0.0)

    def painted(name: str, box: _Box) -> tuple[str, str]:
        told = f"{name}: {quantity(box.weight, unit)}, {_signed(box.change, unit)}"
        return told, _by_change(box.change / largest if largest else 0.0)

    heading = f"{title}: {quantity(root.weight, unit)}, {_signed(root.change, unit)}"
    return _drawing(root, heading, painted)


def _path(root: _Box, stack: tuple[str, ...]) -> Iterator[_Box]:
    """The boxes of a stack, made where there are none yet."""
    yield root
    box = root
    for frame in stack:
        box = box.inner.setdefault(frame, _Box())
        yield box


def _below(root: _Box) -> Iterator[_Box]:
    waiting = [root]
    while waiting:
        box = waiting.pop()
        yield box
        waiting += box.inner.values()


def _signed(change: float, unit: str) -> str:
    sign = "+" if change >= 0 else "−"
    return f"{sign}{quantity(abs(change), unit)}"


def _by_change(strength: float) -> str:
    """From white to red for more, to blue for less."""
    towards = _MORE if strength > 0 else _LESS
    if round(abs(strength), 2) == 0:
        return _UNCHANGED
    mixed = (round(238 + (each - 238) * abs(strength) ** 0.5) for each in towards)
    return "#" + "".join(f"{each:02x}" for each in mixed)


def _drawing(root: _Box, heading: str, painted: Callable[[str, _Box], tuple[str, str]]) -> str:
    parts: list[str] = []
    depth = 0
    level = [("all", 0.0, root)]
    while level and root.weight:
        below = []
        for name, start, box in level:
            left = start
            width = _WIDTH * box.weight / root.weight
            told, colour = painted(name, box)
            parts.append(_drawn(name, left, depth, width, told, colour))
            for inner_name in sorted(box.inner):
                inner = box.inner[inner_name]
                inner_width = _WIDTH * inner.weight / root.weight
                if inner_width >= _LEAST_WIDTH:
                    below.append((inner_name, left, inner))
                left += inner_width
        level = below
        depth += 1
    height = _HEAD + _ROW * max(depth, 1) + 8
    heading_size = min(15.0, 1.6 * _WIDTH / len(heading))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="monospace" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<text x="8" y="26" font-size="{heading_size:.1f}">{escape(heading)}</text>\n'
        + "".join(parts)
        + "</svg>\n"
    )


def _drawn(name: str, left: float, depth: int, width: float, told: str, colour: str) -> str:
    top = _HEAD + depth * _ROW
    room = int((width - 6) / _CHARACTER) if width > 4 * _CHARACTER else 0
    # What tells frames apart is a function's name, or the end of `path:line`.
    shown = name[:room] if name.endswith(")") else name[max(0, len(name) - room) :]
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect x="{left:.2f}" y="{top}" width="{max(width - 0.4, 0.2):.2f}" height="{_ROW - 1}" '
        f'fill="{colour}"/>'
        f'<text x="{left + 3:.2f}" y="{top + 13}">{escape(shown)}</text></g>\n'
    )
