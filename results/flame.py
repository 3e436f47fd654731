"""Flame graphs of allocation sites: one SVG that opens offline in any browser.

B. Gregg, "The Flame Graph", Communications of the ACM 59(6), 2016: width is bytes, height is depth
of the stack, and siblings stand in alphabetical order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Final

from results.sites import Site
from results.units import quantity

_WIDTH: Final = 1_200
_ROW: Final = 18
_HEAD: Final = 44
_CHARACTER: Final = 6.5
_LEAST_WIDTH: Final = 0.5
"""Narrower boxes are not drawn."""
_COLOURS: Final = ("#f6c17a", "#f2a65a", "#eec08f", "#e8985e", "#f4d19b")


@dataclass(slots=True)
class _Box:
    size_bytes: int = 0
    inner: dict[str, "_Box"] = field(default_factory=dict)


def flame_graph(sites: Iterable[Site], title: str) -> str:
    """The sites as SVG; a box tells its frame, bytes and share where one points at it."""
    root = _Box()
    for site in sites:
        root.size_bytes += site.size_bytes
        box = root
        for frame in site.stack:
            box = box.inner.setdefault(frame, _Box())
            box.size_bytes += site.size_bytes
    parts: list[str] = []
    depth = 0
    level = [("all", 0.0, root)]
    while level and root.size_bytes:
        below = []
        for name, start, box in level:
            left = start
            width = _WIDTH * box.size_bytes / root.size_bytes
            parts.append(_drawn(name, left, depth, width, box, root))
            for inner_name in sorted(box.inner):
                inner = box.inner[inner_name]
                inner_width = _WIDTH * inner.size_bytes / root.size_bytes
                if inner_width >= _LEAST_WIDTH:
                    below.append((inner_name, left, inner))
                left += inner_width
        level = below
        depth += 1
    height = _HEAD + _ROW * max(depth, 1) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="monospace" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<text x="8" y="26" font-size="15">{escape(title)}: '
        f"{escape(quantity(float(root.size_bytes), 'B'))}</text>\n" + "".join(parts) + "</svg>\n"
    )


def _drawn(name: str, left: float, depth: int, width: float, box: _Box, root: _Box) -> str:
    top = _HEAD + depth * _ROW
    share = box.size_bytes / root.size_bytes
    told = f"{name}: {quantity(float(box.size_bytes), 'B')} ({share:.1%})"
    shown = name[-max(0, int((width - 6) / _CHARACTER)) :] if width > 4 * _CHARACTER else ""
    colour = _COLOURS[sum(map(ord, name)) % len(_COLOURS)]
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect x="{left:.2f}" y="{top}" width="{max(width - 0.4, 0.2):.2f}" height="{_ROW - 1}" '
        f'fill="{colour}"/>'
        f'<text x="{left + 3:.2f}" y="{top + 13}">{escape(shown)}</text></g>\n'
    )
