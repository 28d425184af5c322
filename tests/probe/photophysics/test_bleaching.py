"""Bleaching: the study's number, the laws, and beams that are not even."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics import (
    Bleaching,
    dose_j_per_cm2,
    gaussian_beam_retained,
    rate_from_retained,
    uneven_retained,
)

LAWS = {
    "single": Bleaching("single", 100.0),
    "double": Bleaching("double", 30.0, dose_2=300.0, share=0.4),
    "stretched": Bleaching("stretched", 100.0, shape=0.5),
    "power": Bleaching("power", 100.0, shape=2.0),
}


def number(value, sd):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, "1", "given")


def test_the_studys_bleaching():
    # 91.8 +- 3.7 % after 60 min
    found = rate_from_retained(number(0.918, 0.037), 60.0)
    assert found.rate.value == pytest.approx(1.43e-3, abs=5e-6)
    assert found.half.value / 60.0 == pytest.approx(8.1, abs=0.05)
    day = found.retained_after(24 * 60.0)
    assert day.value == pytest.approx(0.13, abs=0.005)
    # 3.7 % of what is left is half of what was lost: little is known of a day
    assert found.rate.sd == pytest.approx(0.037 / 0.918 / 60.0, rel=1e-3)
    assert day.low < 0.03
    assert day.high > 0.8


def test_no_loss_has_no_half_life():
    found = rate_from_retained(number(1.0, 0.02), 60.0)
    assert (found.rate.value, found.half.value, found.half.high) == (0.0, math.inf, math.inf)
    assert found.half.low < math.inf


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_laws_start_at_one_and_fall(law):
    left = law.retained(np.linspace(0.0, 2000.0, 200))
    assert left[0] == 1.0
    assert (np.diff(left) < 0).all()
    assert law.retained(0.0).shape == ()


def test_laws_meet_the_single_exponential_at_their_limits():
    dose = np.array([0.0, 10.0, 100.0, 400.0])
    single = LAWS["single"].retained(dose)
    assert Bleaching("stretched", 100.0, shape=1.0).retained(dose) == pytest.approx(single, rel=1e-14)
    assert Bleaching("double", 100.0, dose_2=5.0, share=1.0).retained(dose) == pytest.approx(single, rel=1e-14)
    # (1 + x/p)^-p tends to exp(-x) as 1/p
    assert Bleaching("power", 100.0, shape=1e5).retained(dose) == pytest.approx(single, rel=1e-3)


def test_dose_is_irradiance_times_time():
    found = dose_j_per_cm2(number(50.0, 5.0), 3600.0)
    assert (found.value, found.sd, found.unit) == (pytest.approx(180.0), pytest.approx(18.0), "J/cm2")


def test_gaussian_beam_in_closed_form_and_by_its_radius():
    x = 3.0
    found = float(gaussian_beam_retained(LAWS["single"], 300.0))
    assert found == pytest.approx((1 - math.exp(-x)) / x, rel=1e-13)

    # over radii: intensity exp(-2 r^2), dots even in area
    def bright(r):
        return math.exp(-2 * r * r) * r

    left = quad(lambda r: bright(r) * math.exp(-x * math.exp(-2 * r * r)), 0, 8)[0]
    assert found == pytest.approx(left / quad(bright, 0, 8)[0], rel=1e-9)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("aperture", [math.inf, 0.7])
def test_beams_average_every_law(law, aperture):
    least = math.exp(-2 * aperture**2)
    expected = quad(lambda u: float(law.retained(200.0 * u)), least, 1.0, epsabs=1e-12)[0] / (1 - least)
    # 64 nodes; the root of the stretched law's slope at no dose is taken away
    assert float(gaussian_beam_retained(law, 200.0, aperture=aperture)) == pytest.approx(expected, rel=1e-8)


def test_a_narrow_aperture_sees_even_light():
    assert float(gaussian_beam_retained(LAWS["single"], 100.0, aperture=1e-4)) == pytest.approx(
        math.exp(-1.0), rel=1e-6
    )


def test_an_uneven_beam_never_bleaches_exponentially():
    doses = np.linspace(0.0, 1000.0, 50)
    logs = np.log(gaussian_beam_retained(LAWS["single"], doses))
    slopes = np.diff(logs)
    # an exponential has one slope; here the loss slows down all the way
    assert (np.diff(slopes) > 0).all()
    assert slopes[0] < 3 * slopes[-1]


def test_uneven_doses_are_weighted_as_they_are_lit():
    doses = np.array([0.0, 100.0, 300.0])
    left = np.exp(-doses / 100.0)
    assert uneven_retained(LAWS["single"], doses) == pytest.approx((doses @ left) / doses.sum())
    assert uneven_retained(LAWS["single"], doses, weights=[1, 1, 1]) == pytest.approx(left.mean())
    assert uneven_retained(LAWS["single"], [0.0, 0.0]) == 1.0
    even = np.arange(0.5, 1000.0) / 1000.0 * 300.0
    # an even spread of doses, each dot counted once, is what a Gaussian beam gives
    assert uneven_retained(LAWS["single"], even, weights=np.ones(1000)) == pytest.approx(
        float(gaussian_beam_retained(LAWS["single"], 300.0)), rel=1e-5
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: Bleaching("magic", 100.0),
        lambda: Bleaching("single", 0.0),
        lambda: Bleaching("single", math.nan),
        lambda: Bleaching("double", 100.0),
        lambda: Bleaching("double", 100.0, dose_2=30.0, share=1.5),
        lambda: Bleaching("stretched", 100.0, shape=1.5),
        lambda: Bleaching("power", 100.0, shape=0.0),
        lambda: LAWS["single"].retained([]),
        lambda: LAWS["single"].retained([1.0, -1.0]),
        lambda: LAWS["single"].retained(math.nan),
        lambda: rate_from_retained(0.0, 60.0),
        lambda: rate_from_retained(1.1, 60.0),
        lambda: rate_from_retained(91.8, 60.0),
        lambda: rate_from_retained(math.nan, 60.0),
        lambda: rate_from_retained(0.9, 0.0),
        lambda: rate_from_retained(0.9, 60.0).retained_after(-1.0),
        lambda: dose_j_per_cm2(-1.0, 10.0),
        lambda: gaussian_beam_retained(LAWS["single"], [-1.0]),
        lambda: gaussian_beam_retained(LAWS["single"], 1.0, aperture=0.0),
        lambda: uneven_retained(LAWS["single"], []),
        lambda: uneven_retained(LAWS["single"], [1.0], weights=[1.0, 2.0]),
        lambda: uneven_retained(LAWS["single"], [1.0], weights=[0.0]),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(InputError):
        call()
