"""Half-lives: closed forms, coverage on simulated truth, and what is said where nothing can be said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampyris.metastasis.kinetics import half_life, log_sd, share_left

DAYS = np.array([0.0, 3.0, 7.0, 14.0, 21.0])


def fall(half, days=DAYS, start=1e5):
    return start * 0.5 ** (days / half)


@pytest.mark.parametrize("half", [0.7, 5.0, 14.0])
def test_an_exponential_gives_its_half_life(half):
    found = half_life(DAYS, fall(half), np.full(5, 0.05))
    # exact but for rounding
    assert found.value == pytest.approx(half, rel=1e-9)
    assert found.low < half < found.high
    assert found.unit == "days"


def test_the_interval_of_equal_uncertainties_is_that_of_the_textbook():
    found = half_life([0.0, 10.0, 20.0], [8.0, 4.0, 2.0], [0.1] * 3)
    # sum of squared distances from the middle is 200; slope ln 2 / 10
    se = log_sd(0.1) / math.sqrt(200.0)
    assert math.log(2) / found.low == pytest.approx(math.log(2) / 10 + 1.959963984540054 * se)
    assert math.log(2) / found.high == pytest.approx(math.log(2) / 10 - 1.959963984540054 * se)


@given(factor=st.floats(1e-6, 1e9), shift=st.floats(-50, 50))
def test_neither_the_unit_nor_the_first_day_matters(factor, shift):
    one = half_life(DAYS, fall(5.0), np.full(5, 0.2))
    other = half_life(DAYS + shift, fall(5.0) * factor, np.full(5, 0.2))
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high), rel=1e-6)


@pytest.mark.parametrize(
    ("days", "values", "sds", "words"),
    [
        ([], [], [], "has 0"),
        ([0, 3], [2, 1], [0.1, 0.1], "has 2"),
        ([7, 7, 7], [4, 2, 1], [0.1] * 3, "two days"),
        ([0, 3, 7, 14], [4, math.nan, 0.0, -2.0], [0.1] * 4, "has 1"),
        ([0, 3, 7], [4, 2, 1], [0.1, math.nan, 0.1], "has 2"),
        ([0, 7, 14], [1, 4, 16], [0.1] * 3, "rises"),
    ],
    ids=["nothing", "two", "one day", "no logarithm", "no uncertainty", "a rise"],
)
def test_what_says_nothing_gives_no_number(days, values, sds, words):
    found = half_life(days, values, sds)
    assert words in found.method
    assert all(math.isnan(one) for one in (found.value, found.sd, found.low, found.high))


@pytest.mark.parametrize(
    "values", [[5.0, 5.0, 5.0], [5.0, 5.2, 4.8], [4.9, 5.0, 5.1]], ids=["flat", "little", "up a little"]
)
def test_a_fall_that_is_not_significant_is_a_lower_limit(values):
    found = half_life([0.0, 7.0, 14.0], values, [0.3] * 3)
    assert math.isnan(found.value)
    assert 0 < found.low < 100.0
    assert found.high == math.inf
    assert "lower limit" in found.method


@pytest.mark.parametrize(
    ("days", "values", "sds", "words"),
    [([0, 1], [1, 2, 3], [0.1] * 3, "one length"), ([0, 1, 2], [1, 2, 3], [0.1, -0.1, 0.1], "negative")],
)
def test_misfits_are_refused(days, values, sds, words):
    with pytest.raises(ValueError, match=words):
        half_life(days, values, sds)


def coverage(sd, stated, shared, draws=2000, half=8.0):
    """Share of intervals that hold the true half-life."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(draws):
        common = rng.normal(0.0, 0.6)
        values = fall(half) * np.exp(common + rng.normal(0.0, sd, 5))
        found = half_life(DAYS, values, np.full(5, stated), shared_relative_sd=shared)
        held += found.low <= half <= found.high
    return held / draws


# 2000 draws know a share of 0.95 to 0.005: four of those; a test of the scatter only ever widens, so the upper side is open
@pytest.mark.parametrize(
    ("sd", "stated", "shared", "least"),
    [
        (0.15, math.sqrt(math.expm1(0.15**2)), 0.0, 0.93),
        (0.15, math.hypot(math.sqrt(math.expm1(0.15**2)), 0.6), 0.6, 0.93),
        (1.0, math.sqrt(math.expm1(1.0)), 0.0, 0.93),
        # stated at a third: a scatter that goes unnoticed by chance leaves the interval too narrow
        (0.15, 0.05, 0.0, 0.85),
    ],
    ids=["own", "with a shared part", "large", "understated"],
)
def test_intervals_cover_the_truth(sd, stated, shared, least):
    assert coverage(sd, stated, shared) >= least


def test_a_fall_that_is_no_exponential_is_told_by_its_interval():
    # half is lost within a day, the rest hardly: the mean rate of fall is no better known than the scatter says
    values = 0.5 * 0.5**DAYS + 0.5 * 0.5 ** (DAYS / 60.0)
    found = half_life(DAYS, values, np.full(5, 0.05))
    assert "scatter" in found.method
    assert found.high == math.inf or found.high > 2.0 * found.low


def test_share_left():
    # equal errors of 0.2 make sqrt(2) of it in the logarithm
    left = share_left((200.0, 0.2), (50.0, 0.2))
    factor = math.exp(1.959963984540054 * math.sqrt(2) * log_sd(0.2))
    assert (left.value, left.low, left.high) == pytest.approx((0.25, 0.25 / factor, 0.25 * factor))


@pytest.mark.parametrize(
    "pair", [((0.0, 0.1), (1.0, 0.1)), ((1.0, 0.1), (math.nan, 0.1)), ((1.0, math.nan), (1.0, 0.1))]
)
def test_no_share_without_a_signal(pair):
    assert math.isnan(share_left(*pair).value)
