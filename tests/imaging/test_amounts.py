"""Doses from weights, shares of a dose, and the brightness of label in wells: closed forms and Monte Carlo."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.amounts import CalibrationLine
from lampyris.core.estimate import Estimate
from lampyris.core.settings import Band, Instrument
from lampyris.imaging.amounts import (
    PMOL,
    Injection,
    brightness_in_wells,
    dose_concentration,
    injected_dose,
    mean_of,
    percent_injected_dose,
    product,
    with_other_spread,
)
from lampyris.probe.probe import Probe, band_fractions, photon_irradiance_per_mm2


def normal(value, sd, unit):
    return Estimate(value, sd, value - 1.959964 * sd, value + 1.959964 * sd, 0.95, unit, "given")


def shares_drawn(sample, dose, rng, *, mass_g=None, draws):
    """The same share by Monte Carlo from normal sample, dose and mass, dims (draw,)."""
    mass = 1.0 if mass_g is None else rng.normal(mass_g.value, mass_g.sd, draws)
    return 100.0 * rng.normal(sample.value, sample.sd, draws) / (rng.normal(dose.value, dose.sd, draws) * mass)


def test_dose_by_hand():
    """0.2 g of density 1.05 at 900 pmol per ml, 8 % left in the tail."""
    injection = Injection(1.4, 1.2, density_g_per_ml=1.05, tail_percent=8.0, tail_sd_percent=1.0)
    dose = injected_dose("m", injection, normal(900, 45, "pmol ml-1"))
    assert dose.volume_ml.value == pytest.approx(0.2 / 1.05)
    assert dose.amount.value == pytest.approx(0.2 / 1.05 * 900 * 0.92)
    relative = math.sqrt((math.sqrt(2) * 0.0002 / 0.2) ** 2 + 0.05**2 + (0.01 / 0.92) ** 2)
    # products of small relative errors agree with the exact moments to second order
    assert dose.amount.sd / dose.amount.value == pytest.approx(relative, rel=1e-3)


@pytest.mark.parametrize("wrong", [{"empty_g": 1.5}, {"density_g_per_ml": 0.0}, {"tail_percent": 100.0}])
def test_impossible_doses_are_refused(wrong):
    injection = replace(Injection(1.4, 1.2), **wrong)
    with pytest.raises(ValueError, match="m"):
        injected_dose("m", injection, normal(900, 45, "pmol ml-1"))


def test_product_of_normals_by_monte_carlo():
    rng = np.random.default_rng(3)
    draws = rng.normal(2, 0.5, 400_000) * rng.normal(3, 0.6, 400_000)
    mean, sd = product((2, 0.5), (3, 0.6))
    # 400 000 draws tell a standard deviation to 0.1 %
    assert (mean, sd) == (pytest.approx(draws.mean(), rel=5e-3), pytest.approx(draws.std(), rel=5e-3))


@pytest.mark.parametrize(
    "cv", [(0.02, 0.03, 0.01), (0.1, 0.05, 0.02), (0.3, 0.05, 0.0)], ids=["precise", "usual", "poor sample"]
)
def test_percent_injected_dose_against_monte_carlo(cv):
    sample, dose, mass = normal(5, 5 * cv[0], "pmol"), normal(200, 200 * cv[1], "pmol"), normal(1.2, 1.2 * cv[2], "g")
    found = percent_injected_dose(sample, dose, mass_g=mass)
    draws = shares_drawn(sample, dose, np.random.default_rng(4), mass_g=mass, draws=200_000)
    assert found.unit == "%ID/g"
    assert found.value == pytest.approx(100 * 5 / 200 / 1.2)
    assert found.sd == pytest.approx(draws.std(), rel=0.02 + cv[1])
    inside = np.mean((draws >= found.low) & (draws <= found.high))
    # intervals on logarithms are skewed where the draws are not: 2 % of coverage at 30 % error
    assert 0.93 < inside < 0.97


def test_a_sample_near_zero_has_fiellers_interval():
    found = percent_injected_dose(normal(0.5, 1.0, "pmol"), normal(200, 10, "pmol"))
    assert found.low < 0 < found.value < found.high
    draws = shares_drawn(normal(0.5, 1.0, "pmol"), normal(200, 10, "pmol"), np.random.default_rng(1), draws=200_000)
    assert np.mean((draws >= found.low) & (draws <= found.high)) == pytest.approx(0.95, abs=0.005)


def test_bounds_stay_bounds():
    nan = math.nan
    found = percent_injected_dose(Estimate(nan, nan, 0.0, 2.0, 0.95, "pmol", "below"), normal(200, 10, "pmol"))
    assert (math.isnan(found.value), found.low) == (True, 0.0)
    assert found.high == pytest.approx(1.0 * math.exp(1.959964 * 0.05))
    above = percent_injected_dose(Estimate(nan, nan, 50.0, math.inf, 0.95, "pmol", "above"), normal(200, 0, "pmol"))
    assert (above.low, above.high) == (25.0, math.inf)


@pytest.mark.parametrize(
    ("dose", "mass", "said"),
    [(normal(200, 1, "ng"), None, "differ in unit"), (normal(0, 1, "pmol"), None, "above 0"),
     (normal(200, 1, "pmol"), normal(0.0, 0.1, "g"), "above 0")],
)  # fmt: skip
def test_shares_of_nothing_are_refused(dose, mass, said):
    with pytest.raises(ValueError, match=said):
        percent_injected_dose(normal(1, 0.1, "pmol"), dose, mass_g=mass)


def test_signals_are_shared_out_like_amounts():
    """A dose standard of 1:1000, half a gram, against a syringe of 0.2 g: no concentration is needed."""
    counts = normal(4000.0, 40.0, "counts s-1")
    whole = normal(4000.0 * 1000 * 0.2 / 0.5, 0.0, "counts s-1")
    assert percent_injected_dose(counts, whole).value == pytest.approx(100 * 0.5 / (1000 * 0.2))


def test_concentration_from_dose_standards():
    found = mean_of([dose_concentration(normal(v, 0.05, "pmol"), dilution=1000, weight_g=0.5) for v in (0.48, 0.52)])
    assert found.value == pytest.approx(1000.0)
    # the line's own uncertainty is in both and stays
    assert found.sd == pytest.approx(1000 * np.mean([0.05 / 0.48, 0.05 / 0.52]))
    with pytest.raises(ValueError, match="weight and dilution"):
        dose_concentration(normal(1, 0.1, "pmol"), dilution=0.0, weight_g=1.0)


INSTRUMENT = Instrument(
    name="box", pixel_mm=0.2, gain_e_per_count=1, read_noise_e=1, radiance_per_rate=1, excitation_nm=700,
    excitation_mw_per_cm2=1.0, bands=(Band(channel="b", centre_nm=800, width_nm=40),),
)  # fmt: skip
PROBE = Probe("qd", 800, 40, 1e-13, 0.5, 1e5, 0.2)


def line_of(unit, slope):
    nan = math.nan
    one = Estimate(nan, nan, nan, nan, 0.95, "1", "")
    return CalibrationLine(
        "well plate", "qd", "box", unit, nan, 9, 5, normal(slope, 0.0, ""), one, 0.0, 7, 0.0, 0.0, 0.0, 0.0, 1, 9, 1, 1,
        nan, nan, one,
    )  # fmt: skip


@pytest.mark.parametrize(("unit", "count"), [("labelled cells", 1e5), ("pmol", PMOL)])
def test_brightness_of_a_well_that_is_as_assumed(unit, count):
    """A thin layer under water that emits what study.toml says gives T / (4 n^2) of it as Lambertian flux."""
    emitted = (
        photon_irradiance_per_mm2(1.0, 700) * 1e-13 * 0.5 * count * float(band_fractions(PROBE, INSTRUMENT.bands)[0])
    )
    out = (1 - (0.33 / 2.33) ** 2) / (4 * 1.33**2)
    found = brightness_in_wells(line_of(unit, emitted * out), PROBE, INSTRUMENT)
    assert found.assumed_photons == pytest.approx(emitted, rel=1e-12)
    assert found.ratio.value == pytest.approx(1.0, rel=1e-12)
    assert found.ratio.sd == pytest.approx(0.15)
    with pytest.raises(ValueError, match="wells of labelled cells or pmol"):
        brightness_in_wells(line_of("ng", 1.0), PROBE, INSTRUMENT)


def test_one_spread_for_another():
    log = Estimate(100.0, math.nan, 100 * math.exp(-0.8), 100 * math.exp(0.8), 0.95, "cells", "")
    swapped = with_other_spread(log, factor=0.5, without=0.3, with_=0.1, unit="pmol")
    z = 1.959964
    assert math.log(swapped.high / swapped.value) == pytest.approx(
        math.sqrt(0.8**2 + z**2 * (0.1**2 - 0.3**2)), rel=1e-6
    )
    assert (swapped.value, swapped.unit) == (50.0, "pmol")
    back = with_other_spread(swapped, factor=2.0, without=0.1, with_=0.3, unit="cells")
    assert (back.low, back.high) == pytest.approx((log.low, log.high))
