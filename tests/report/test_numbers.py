"""Numbers in print: digits, powers, intervals, units."""

import math

import pytest

from lampyris.core.estimate import Estimate
from lampyris.report.numbers import day_text, estimate_text, number, p_text, unit_text, value_interval


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


NUMBERS = [
    (0.0, "0"),
    (0.0996, "0.10"),
    (0.99, "0.99"),
    (9.96, "10"),
    (123.4, "120"),
    (-3.21, "−3.2"),
    (9999.0, "1.0 × 10⁴"),
    (213456.0, "2.1 × 10⁵"),
    (-4.5e-7, "−4.5 × 10⁻⁷"),
    (math.inf, "∞"),
    (-math.inf, "−∞"),
    (math.nan, "n/a"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_number_keeps_two_digits(value: float, text: str) -> None:
    assert plain(number(value)) == text


INTERVALS = [
    ((2.13e5, 1.4e5, 3.2e5), "2.1 (1.4–3.2) × 10⁵"),
    ((2.134e5, 2.10e5, 2.17e5), "2.13 (2.10–2.17) × 10⁵"),
    ((0.8, 0.3, 1.3), "0.80 (0.30–1.30)"),
    ((0.2, -0.3, 0.7), "0.20 (−0.30 to 0.70)"),
    ((5.0, -math.inf, math.inf), "5.0 (−∞ to ∞)"),
    ((0.0, 0.0, 2.0e6), "0.0 (0.0–2.0) × 10⁶"),
    ((math.nan, math.nan, math.nan), "n/a"),
    ((0.0, 0.0, 0.0), "0 (0–0)"),
]


@pytest.mark.parametrize(("ends", "text"), INTERVALS)
def test_interval_shares_the_power(ends: tuple[float, float, float], text: str) -> None:
    assert plain(value_interval(*ends)) == text


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("ph s-1 cm-2 sr-1", "ph s⁻¹ cm⁻² sr⁻¹"),
        ("mm2", "mm²"),
        ("log10 ph s-1", "log₁₀ ph s⁻¹"),
        ("1", ""),
        ("<b>", "<b>"),
    ],
)
def test_units_are_raised(unit: str, text: str) -> None:
    assert plain(unit_text(unit)) == text


def test_estimate_carries_its_unit() -> None:
    estimate = Estimate(2.13e5, 1e4, 1.4e5, 3.2e5, 0.95, "ph s-1", "test")
    assert plain(estimate_text(estimate)) == "2.1 (1.4–3.2) × 10⁵ ph s⁻¹"
    assert plain(estimate_text(estimate, unit=False)) == "2.1 (1.4–3.2) × 10⁵"


def test_p_is_exact_however_small() -> None:
    assert plain(p_text(3.2e-9)) == "p = 3.2 × 10⁻⁹"


def test_days_lose_needless_decimals() -> None:
    assert [day_text(day) for day in (0.0, 7.0, 2.5)] == ["0", "7", "2.5"]
