"""Numbers for people."""

import math

import pytest
from hypothesis import given, strategies as st

from results.units import percent, plain_percent, quantity


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "s", "–"),
        (0.0, "s", "0 ns"),
        (2.5e-10, "s", "0.250 ns"),
        (1.234e-7, "s", "123.4 ns"),
        (250e-6, "s", "250 µs"),
        (0.0012345, "s", "1.234 ms"),
        (0.999999, "s", "1,000 ms"),
        (12.0, "s", "12 s"),
        (4321.0, "s", "4,321 s"),
        (0.0, "B", "0 B"),
        (512 * 1024.0, "B", "512 KiB"),
        (-3.5 * 1024**2, "B", "-3.500 MiB"),
        (80.06, "B/call", "80.06 B/call"),
        (65536.0, "B/call", "64 KiB/call"),
        (0.01, "1/kcall", "1.00 %/kcall"),
        (301.0, "1", "301"),
        (1e9, "1", "1.000e+09"),
    ],
)
def test_quantities_read_well(value: float | None, unit: str, expected: str) -> None:
    """In the size of the unit that leaves few digits; – where there is none."""
    assert quantity(value, unit) == expected


@pytest.mark.parametrize(
    ("share", "signed", "expected"),
    [
        (None, True, "–"),
        (0.021, True, "+2.10 %"),
        (-0.00001, True, "+0.00 %"),
        (0.1234, False, "12.3 %"),
        (12.0, False, "1,200 %"),
        (1e6, False, "1.00e+08 %"),
    ],
)
def test_shares_are_percentages(share: float | None, signed: bool, expected: str) -> None:
    """Two or three digits, no negative zero."""
    assert percent(share, signed=signed) == expected


def test_chosen_shares_stand_as_chosen() -> None:
    """1 % is not 1.00 %."""
    assert [plain_percent(share) for share in (0.01, 0.005, 1 - 0.01)] == ["1 %", "0.5 %", "99 %"]


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["s", "B", "1", "B/call", "1/kcall"]),
)
def test_any_number_can_be_told(value: float, unit: str) -> None:
    """Short, and without inf or nan, however large or small."""
    text = quantity(value, unit)

    assert len(text) < 30
    assert "nan" not in text
    assert ("inf" in text) <= math.isinf(value * 100)
