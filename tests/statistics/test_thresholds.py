"""False alarms of smooth fields against drawn ones, thresholds, robust spread."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label
from scipy.special import ndtr, ndtri
from scipy.stats import norm, poisson

from lampyris.statistics.thresholds import expected_false_alarms, peak_threshold, power_margin, robust_sd

REGION = {"area_mm2": 2000.0, "perimeter_mm": 200.0, "fwhm_mm": 4.0}


@pytest.fixture(scope="module")
def fields():
    """Smooth unit Gaussian fields of 64 x 64 mm at 1 mm, FWHM 6 mm; dims (field, y, x)."""
    rng = np.random.default_rng(11)
    sigma = 6.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
    smooth = gaussian_filter(rng.standard_normal((1500, 88, 88)).astype(np.float32), (0, sigma, sigma))
    # the standard deviation of white noise after a Gaussian kernel, 1 / (2 sigma sqrt(pi)), far from the edges
    return smooth[:, 12:-12, 12:-12] * (2.0 * sigma * np.sqrt(np.pi))


@pytest.mark.parametrize("z", [2.5, 3.0, 3.5])
def test_expected_number_of_excursions_is_that_of_drawn_fields(fields, z):
    eight = np.ones((1, 3, 3), int)
    structure = np.zeros((3, 3, 3), int)
    structure[1] = eight
    seen = label(fields > z, structure)[1]
    side = fields.shape[1] - 1.0
    expected = len(fields) * expected_false_alarms(z, area_mm2=side**2, perimeter_mm=4 * side, fwhm_mm=6.0)
    # Poisson at four standard deviations; besides, at these heights clusters outnumber the Euler characteristic by up to
    # 3 % (peaks within a cluster's hole count minus) and a 1 mm grid misses 2 % of the narrow ones
    margin = 4.0 * np.sqrt(expected) + 0.05 * expected
    assert abs(seen - expected) < margin


def test_a_region_of_no_extent_has_a_point_s_tail():
    for z in (1.0, 4.0, 12.0):
        found = expected_false_alarms(z, area_mm2=0.0, perimeter_mm=0.0, fwhm_mm=3.0)
        assert found == pytest.approx(norm.sf(z), rel=1e-12)


def test_only_the_ratio_of_lengths_matters():
    a = expected_false_alarms(3.3, **REGION)
    b = expected_false_alarms(3.3, area_mm2=2000.0 * 49, perimeter_mm=200.0 * 7, fwhm_mm=28.0)
    assert a == pytest.approx(b, rel=1e-12)


def test_false_alarms_are_monotone():
    heights = np.linspace(2.0, 9.0, 50)
    found = [expected_false_alarms(z, **REGION) for z in heights]
    assert all(a > b for a, b in pairwise(found))
    assert expected_false_alarms(4.0, **{**REGION, "area_mm2": 4000.0}) > expected_false_alarms(4.0, **REGION)
    assert expected_false_alarms(4.0, **{**REGION, "fwhm_mm": 2.0}) > expected_false_alarms(4.0, **REGION)


@pytest.mark.parametrize("allowed", [1e-6, 1e-3, 0.02, 0.5])
def test_threshold_inverts_the_expectation(allowed):
    z = peak_threshold(allowed, **REGION, degrees_of_freedom=1e9)
    assert expected_false_alarms(z, **REGION) == pytest.approx(allowed, rel=1e-4)


def test_threshold_is_monotone():
    base = peak_threshold(0.01, **REGION, degrees_of_freedom=30)
    assert peak_threshold(0.02, **REGION, degrees_of_freedom=30) < base
    assert peak_threshold(0.01, **{**REGION, "area_mm2": 4000.0}, degrees_of_freedom=30) > base
    assert peak_threshold(0.01, **{**REGION, "fwhm_mm": 8.0}, degrees_of_freedom=30) < base
    widths = [peak_threshold(0.01, **REGION, degrees_of_freedom=nu) for nu in (5, 10, 30, 1000)]
    assert widths == sorted(widths, reverse=True)


def test_widening_holds_the_rate_when_the_spread_is_estimated():
    # one place, its standard deviation from nu others: the rate must be the allowed one, where z alone exceeds it
    rng = np.random.default_rng(5)
    nu, allowed, draws = 8, 0.01, 400_000
    estimate = np.sqrt(rng.chisquare(nu, draws) / nu)
    ratio = rng.standard_normal(draws) / estimate
    place = {"area_mm2": 0.0, "perimeter_mm": 0.0, "fwhm_mm": 1.0}
    widened = peak_threshold(allowed, **place, degrees_of_freedom=nu)
    low, high = poisson.interval(0.9999, allowed * draws)
    assert low <= (ratio > widened).sum() <= high
    assert (ratio > ndtri(1.0 - allowed)).sum() > high


def test_many_alarms_allowed_never_gives_less_than_one_sigma():
    assert peak_threshold(1e4, **REGION, degrees_of_freedom=1e9) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(("allowed", "nu"), [(0.0, 10.0), (-1.0, 10.0), (0.1, 0.0), (0.1, -3.0)])
def test_what_makes_no_sense_is_refused(allowed, nu):
    with pytest.raises(ValueError, match="must be positive"):
        peak_threshold(allowed, **REGION, degrees_of_freedom=nu)


def test_robust_spread_of_a_gaussian_and_against_outliers():
    rng = np.random.default_rng(8)
    values = rng.normal(3.0, 2.0, 20_000)
    # the estimator has 37 % efficiency: sd = 1.17 / sqrt(n) relative, here 0.8 %; four of them
    assert robust_sd(values) == pytest.approx(2.0, rel=0.034)
    spoiled = values.copy()
    spoiled[:1000] = 1e9
    # 5 % of outliers shift the median deviation by about 6.5 %
    assert robust_sd(spoiled) == pytest.approx(2.0, rel=0.12)
    assert robust_sd(values * 7.0 + 100.0) == pytest.approx(7.0 * robust_sd(values), rel=1e-12)


def test_robust_spread_of_too_little():
    assert np.isnan(robust_sd(np.array([])))
    assert np.isnan(robust_sd(np.array([4.0])))
    assert robust_sd(np.zeros(5)) == 0.0


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_power_margin_gives_the_power(power):
    assert ndtr(power_margin(power)) == pytest.approx(power, rel=1e-12)
