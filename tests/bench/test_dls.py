"""Physics of light scattering against closed forms, published numbers and simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import nnls

from lampyris.bench.dls import (
    Optics,
    covariance_correlogram,
    field_correlation,
    infer_cumulants,
    infer_distribution,
    predict_correlogram,
    scattered_intensity,
    sd_meaning,
    water_viscosity,
)
from lampyris.bench.dls.cumulants import lognormal_size, lognormal_width, over_runs
from lampyris.bench.dls.inversion import bending, candidates, peak_ranges, posed, solved, unimodal
from lampyris.bench.dls.prediction import intensity_weights
from lampyris.bench.dls.recording import prepared
from lampyris.bench.dls.scattering import mie_coefficients
from lampyris.bench.dls.weights import Part, lone_part, weighted_mean
from lampyris.virtual.instruments.dls import (
    WATER_AT_25C,
    CorrelogramTruth,
    Population,
    multi_tau_lags,
    size_shares,
    virtual_correlogram,
)

WATER = Optics(90.0, 632.8, 1.332, 298.15, 0.89)
LAG = multi_tau_lags(2e-7, 0.5)


def expected(*populations, optics=WATER):
    return predict_correlogram(LAG, *size_shares(populations), optics, intercept=0.93)


# IAPWS 2008 release, table of check values at 298.15 K: 889.735 uPa s; at 293.15 K the long known 1.0016 mPa s
@pytest.mark.parametrize(("kelvin", "mpa_s"), [(298.15, 0.8897), (293.15, 1.0016), (373.15, 0.2818)])
def test_viscosity_of_water(kelvin, mpa_s):
    assert water_viscosity(kelvin).value == pytest.approx(mpa_s, rel=2e-3)


def test_viscosity_is_not_extrapolated():
    with pytest.raises(ValueError, match="253"):
        water_viscosity(450.0)


def test_optics_that_cannot_be_are_all_named():
    with pytest.raises(ValueError, match=r"angle_deg.*wavelength_nm"):
        Optics(0.0, 20.0, 1.33, 298.0, 0.9)


def test_mie_agrees_with_the_published_sphere():
    # Bohren and Huffman, appendix A: index 1.55, radius 0.525 um, 0.6328 um: scattering efficiency 3.10543
    x = 2.0 * math.pi * 0.525 / 0.6328
    a, b = mie_coefficients(x, 1.55 + 0j)
    n = np.arange(1, a.size + 1)
    assert 2.0 / x**2 * float(((2 * n + 1) * (abs(a) ** 2 + abs(b) ** 2)).sum()) == pytest.approx(3.10543, abs=1e-5)
    # and without absorption extinction equals scattering
    assert 2.0 / x**2 * float(((2 * n + 1) * (a + b).real).sum()) == pytest.approx(3.10543, abs=1e-5)


def test_mie_goes_to_the_sixth_power():
    small = scattered_intensity([2.0, 4.0], WATER, particle_index=2.5)
    assert small[1] / small[0] == pytest.approx(64.0, rel=1e-3)
    # the bound up to which the sixth power is taken: a tenth off at most
    at = scattered_intensity([20.0, 60.0], WATER, particle_index=1.6)
    assert at[1] / at[0] == pytest.approx(3.0**6, rel=0.1)


def test_weights_by_number_volume_and_light():
    number = intensity_weights([10.0, 20.0], [64.0, 1.0], WATER, weighting="number")
    np.testing.assert_allclose(number, [0.5, 0.5])
    volume = intensity_weights([10.0, 20.0], [8.0, 1.0], WATER, weighting="volume")
    np.testing.assert_allclose(volume, [0.5, 0.5])


def test_noise_agrees_with_simulation():
    # speckles of a known field, 120 runs of 0.1 s: their scatter against the sum over pairings
    truth = CorrelogramTruth((Population(18.4, 0.0),), duration_s=0.1, count_rate_kcps=1e9)
    lag = np.array([1e-6, 2e-5, 6e-5, 2e-4])
    rng = np.random.default_rng(5)
    runs = np.array([virtual_correlogram(truth, lag, rng=rng)[0] for _ in range(120)])
    grid = multi_tau_lags(1e-6, 0.01)
    field = field_correlation(grid, [18.4], [1.0], truth.optics)
    places = [int(np.argmin(abs(grid - one))) for one in lag]
    own = covariance_correlogram(grid, field, intercept=0.93, duration_s=0.1, count_rate_per_s=1e12)
    sd = np.sqrt(np.diag(own))[places]
    # 120 runs tell a standard deviation to 6.5 %: three of these
    np.testing.assert_allclose(runs.std(axis=0, ddof=1) / sd, 1.0, atol=0.2)
    seen = np.corrcoef(runs.T)[0, 1]
    assert seen == pytest.approx(own[places[0], places[1]] / sd[0] / sd[1], abs=0.15)


@pytest.mark.parametrize(("size", "spread"), [(10.0, 0.02), (18.4, 0.1), (120.0, 0.05)])
def test_without_noise_the_mean_size_comes_back(size, spread):
    recording = prepared(LAG, expected(Population(size, spread)), duration_s=10.0, count_rate_per_s=2e5)
    found = infer_cumulants(recording, WATER)
    # what the quadratic leaves out grows with the square of the polydispersity
    assert found.z_average_nm.value == pytest.approx(size, rel=0.15 * spread**2 + 1e-3)
    assert found.pdi.value == pytest.approx(spread, abs=1.2 * spread**2 + 2e-3)
    assert found.intercept.value**2 == pytest.approx(0.93, rel=2e-3)


def test_the_active_set_agrees_with_scipy():
    rng = np.random.default_rng(3)
    truth = CorrelogramTruth(duration_s=10.0)
    noisy = expected(Population(18.4, 0.1)) + 1e-3 * rng.standard_normal(LAG.size)
    problem = posed(prepared(LAG, noisy, duration_s=10.0, count_rate_per_s=2e5), truth.optics)
    (*_, one), _ = candidates(problem)
    stacked = np.vstack([problem.triangle, math.sqrt(one.alpha) * bending(problem.diameters_nm.size)])
    peer, _ = nnls(stacked, np.concatenate([problem.target, np.zeros(stacked.shape[0] - problem.target.size)]))
    np.testing.assert_allclose(one.values, peer, atol=1e-6 * peer.max())


def test_a_warm_start_ends_at_the_same_place():
    rng = np.random.default_rng(9)
    design = rng.random((40, 25))
    gram, target = design.T @ design + 1e-3 * np.eye(25), design.T @ rng.standard_normal(40)
    cold = solved(gram, target)
    np.testing.assert_allclose(solved(gram, target, start=rng.random(25) > 0.5), cold, atol=1e-9)
    np.testing.assert_array_less(-1e-9, -(target - gram @ cold)[cold == 0])


def test_one_top_is_one_top():
    rng = np.random.default_rng(2)
    design = rng.random((60, 30))
    gram = design.T @ design + 0.1 * np.eye(30)
    target = design.T @ (design @ np.r_[np.zeros(5), np.ones(5), np.zeros(10), 2 * np.ones(5), np.zeros(5)])
    values = unimodal(gram, target, solved(gram, target))
    steps = np.diff(values)
    top = int(np.argmax(values))
    assert (steps[:top] >= -1e-9).all()
    assert (steps[top:] <= 1e-9).all()


def test_peaks_are_parted_at_valleys():
    shares = np.array([0, 1, 3, 1, 0.1, 1, 4, 1, 0, 0, 0.001, 0], float)
    ranges = peak_ranges(shares)
    assert len(ranges) == 2
    assert ranges[0][0] <= 1 < 6 <= ranges[1][1]
    assert len(peak_ranges(np.array([0, 1, 3, 2.9, 3.05, 1, 0.0]))) == 1


def noisy(populations, duration_s, seed):
    """Correlogram with speckle and photon noise drawn from their covariance: runs too long to simulate."""
    sizes, shares = size_shares(populations)
    field = field_correlation(LAG, sizes, shares, WATER)
    own = covariance_correlogram(LAG, field, intercept=0.93, duration_s=duration_s, count_rate_per_s=3e5)
    values, vectors = np.linalg.eigh(own)
    drawn = np.random.default_rng(seed).standard_normal(LAG.size)
    return 0.93 * field**2 + vectors @ (np.sqrt(np.maximum(values, 0.0)) * drawn)


def distribution(populations, duration_s, seed):
    recording = prepared(LAG, noisy(populations, duration_s, seed), duration_s=duration_s, count_rate_per_s=3e5)
    return infer_distribution(recording, WATER, rng=np.random.default_rng(seed), resamples=20)


def test_two_populations_are_told_from_one_broad_one():
    two = (Population(20.0, 0.02), Population(80.0, 0.02))
    broad = CorrelogramTruth(two)
    found = distribution(two, 3000.0, 1)
    assert len(found.peaks) == 2
    sizes = sorted(one.mean_nm.value for one in found.peaks)
    np.testing.assert_allclose(sizes, [20.0, 80.0], rtol=0.06)
    assert len(distribution((Population(broad.z_average_nm, broad.polydispersity),), 3000.0, 1).peaks) == 1
    # at a tenth of a thousandth of the light's time nothing tells them apart
    assert len(distribution(two, 3.0, 1).peaks) == 1


def test_what_a_deviation_means():
    assert "0.013" in sd_meaning(18.4, 2.1)
    assert sd_meaning(18.4, 4.0) == ""
    with pytest.raises(ValueError, match="above 0"):
        sd_meaning(0.0, 1.0)


FAULTY = {
    "nothing correlates": np.full(LAG.size, -0.001),
    "flat": np.full(LAG.size, 0.5),
}


@pytest.mark.parametrize("level", FAULTY.values(), ids=FAULTY.keys())
def test_what_gives_no_size_is_refused(level):
    with pytest.raises(ValueError, match=r"correlation|decay|lags"):
        infer_cumulants(prepared(LAG, level, duration_s=1.0, count_rate_per_s=1e5), WATER)


def test_the_interval_of_a_narrow_spread_holds_its_level_and_is_never_empty():
    """Near 0 an interval of two ends would hold a narrow spread in 97.5 %, and be empty where noise makes the value negative."""
    recording = prepared(LAG, expected(Population(60.0, 0.02)), duration_s=2.0, count_rate_per_s=1e5)
    values, vectors = np.linalg.eigh(recording.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(5)
    found = [
        infer_cumulants(replace(recording, level=recording.level + root @ rng.standard_normal(values.size)), WATER)
        for _ in range(120)
    ]
    assert min(one.pdi.value for one in found) < -0.1
    assert all(one.pdi.high > 0.02 * (one.pdi.value > 0.0) and one.pdi.low <= one.pdi.high for one in found)
    # 120 draws: three standard errors about 0.95 are 0.06
    for held in (
        [one.pdi.low <= 0.02 <= one.pdi.high for one in found],
        [one.z_average_nm.low <= 60.0 <= one.z_average_nm.high for one in found],
    ):
        assert np.mean(held) >= 0.89


@pytest.mark.parametrize(("weighting", "shifts"), [("volume", 2.0), ("number", 5.0)])
def test_means_of_a_lognormal_law_in_other_weights(weighting, shifts):
    # of Rayleigh's sixth power: each power of the size moves a lognormal law by the variance of its logarithm
    found = weighted_mean([Part(50.0, 49.0, 51.0, 0.2, 0.1, 0.3)], WATER, weighting)
    ends = [50.0 * math.exp(-shifts * spread**2) for spread in (0.3, 0.2, 0.1)]
    assert found.value == pytest.approx(ends[1], rel=1e-3)
    # about the ends of the spread: another shape of as much odds moves them by less than a twentieth
    assert 0.95 * ends[0] < found.low < 1.05 * ends[0] and 0.95 * ends[2] < found.high < 1.05 * ends[2]


def test_the_shape_that_a_run_does_not_tell_is_in_the_interval_of_a_mean():
    # all else known: from the mean of lognormal sizes to that of sizes even in the logarithm over a span of 2 h
    sharp = Part(50.0, 50.0, 50.0, 0.3, 0.3, 0.3)
    found = weighted_mean([sharp], WATER, "number")
    grid = np.linspace(1e-3, 2.0, 20001)
    h = float(np.interp(math.expm1(0.09), grid / np.tanh(grid) - 1.0, grid))
    even = 50.0 * math.sinh(h) / h * 1.2 * math.sinh(5.0 * h) / math.sinh(6.0 * h)
    # the grid of sizes is good to some thousandths
    assert found.low == pytest.approx(found.value, rel=1e-6) and found.high == pytest.approx(even, rel=5e-3)


def test_the_law_behind_a_quadratic_fit_comes_back():
    found = infer_cumulants(
        prepared(LAG, expected(Population(60.0, 0.2)), duration_s=3000.0, count_rate_per_s=3e5), WATER
    )
    # the fit makes 0.16 of a polydispersity of 0.2; what is left is the step of the law's table
    assert found.pdi.value == pytest.approx(0.16, abs=0.005)
    assert found.lognormal_pdi == pytest.approx(0.2, abs=0.003)
    assert found.lognormal_nm == pytest.approx(60.0, rel=2e-3)
    size = lognormal_size(found)
    assert size.value == found.lognormal_nm and size.low < 60.0 < size.high
    width = lognormal_width(found)
    sizes, shares = size_shares((Population(60.0, 0.2),))
    mean = float(np.average(sizes, weights=shares))
    # the drawn law is cut at four standard deviations
    assert width.value == pytest.approx(math.sqrt(np.average((sizes - mean) ** 2, weights=shares)), rel=0.02)
    assert width.low < width.value < width.high


def test_even_sizes_behind_a_quadratic_fit_come_back():
    # they have no slow tail, so that a fit sees more of their spread than of a lognormal law's
    rates = np.exp(np.linspace(-0.75, 0.75, 25))
    spread = float(rates.var() / rates.mean() ** 2)
    sizes = 60.0 * rates.mean() / rates
    truth = expected(*(Population(float(one), 0.0) for one in sizes))
    one = lone_part(infer_cumulants(prepared(LAG, truth, duration_s=3000.0, count_rate_per_s=3e5), WATER))
    assert one.evened.mean_nm == pytest.approx(60.0, rel=5e-3)
    assert math.expm1(one.evened.spread**2) == pytest.approx(spread, rel=0.03)
    assert math.expm1(one.spread**2) > 1.1 * spread


def test_runs_together_keep_what_all_of_them_leave_out():
    recording = prepared(LAG, expected(Population(60.0, 0.2)), duration_s=100.0, count_rate_per_s=3e5)
    # hardly a scatter: only the order of the fit keeps the truth within
    runs = [infer_cumulants(replace(recording, level=recording.level * one), WATER) for one in (0.999, 1.0, 1.001)]
    both = over_runs(runs)
    assert both.pdi.value == pytest.approx(0.16, abs=0.005) and both.pdi.high == pytest.approx(0.2, abs=0.005)
    assert both.z_average_nm.low < 60.0 < both.z_average_nm.high


def test_a_spread_and_a_size_that_err_together_widen_means():
    part = Part(50.0, 45.0, 55.0, 0.2, 0.1, 0.3)
    apart, together = (weighted_mean([replace(part, correlation=one)], WATER, "number") for one in (0.0, -0.9))
    assert together.low < apart.low and together.high > apart.high


def test_a_mean_by_number_that_a_doubtful_population_decides_is_withheld():
    dots = Part(18.0, 17.5, 18.5, 0.2, 0.15, 0.25, area=0.95, area_sd=0.03)
    speck = Part(0.33, 0.3, 0.4, 0.1, 0.0, 0.2, area=0.05, area_sd=0.029)
    one = weighted_mean([dots, speck], WATER_AT_25C, "number")
    # with the second population 0.3 nm, without it 13 nm: the run tells neither
    assert math.isnan(one.value) and one.low < 0.33 and one.high > 13.0 and "withheld" in one.method
    sure = weighted_mean([dots, replace(speck, area_sd=0.01)], WATER_AT_25C, "number")
    assert sure.value == pytest.approx(0.33, rel=0.1)
    assert math.isnan(weighted_mean([replace(dots, spread=0.9)], WATER_AT_25C, "number").value)
