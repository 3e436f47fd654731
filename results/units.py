"""Numbers for people: 1.23 ms, 4.5 MiB, +2.1 %."""

from typing import Final

MISSING: Final = "–"

_TIMES: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))
_BYTES: Final = ((1024.0**3, "GiB"), (1024.0**2, "MiB"), (1024.0, "KiB"), (0.0, "B"))
_SMALLEST_TIME: Final = 1e-9


def quantity(value: float | None, unit: str) -> str:
    """`value` in the size of its unit that reads best, three or four digits; – for None.

    Args:
        value: in `unit`.
        unit: as in a table: s, B, 1, 1/kcall or B/call.
    """
    if value is None:
        return MISSING
    if unit == "s":
        scale, name = _scale(value, _TIMES)
        return f"{_digits(value / (scale or _SMALLEST_TIME))} {name}"
    if unit in {"B", "B/call"}:
        scale, name = _scale(value, _BYTES)
        return f"{_digits(value / (scale or 1.0))} {name}{unit[1:]}"
    if unit == "1/kcall":
        return f"{percent(value)}/kcall"
    return _digits(float(value))


def percent(share: float | None, *, signed: bool = False, digits: int = 3) -> str:
    """A share as a percentage, with about so many digits; – for None."""
    if share is None:
        return MISSING
    size = abs(share) * 100
    if size >= 1e6:
        return f"{share * 100:.2e} %"
    decimals = max(0, digits - (3 if size >= 100 else 2 if size >= 10 else 1))
    without_negative_zero = round(share * 100, decimals) + 0.0
    return f"{without_negative_zero:{'+' if signed else ''},.{decimals}f} %"


def plain_percent(share: float) -> str:
    """A share that a person chose, without digits it does not need: 1 %, 0.5 %."""
    return f"{share * 100:.6g} %"


def _scale(value: float, scales: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """The largest scale that `value` reaches, a hair of rounding allowed."""
    return next(scale for scale in scales if abs(value) * (1 + 1e-9) >= scale[0])


def _digits(value: float) -> str:
    """Four significant digits, whole numbers whole, thousands apart."""
    value = float(f"{value:.12g}")
    size = abs(value)
    if size < 1e6 and value.is_integer():
        return f"{int(value):,}"
    if size >= 1e6:
        return f"{value:.3e}"
    if size < 1e-3:
        return f"{value:.3g}"
    decimals = 0 if size >= 999.95 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:,.{decimals}f}"
