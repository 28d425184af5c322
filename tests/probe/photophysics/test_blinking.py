"""Blinking: the truncated power law's integrals, quantiles, means and likelihood."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from lampyris.core.errors import InputError
from lampyris.probe.photophysics import SojournTimes, on_fraction
from lampyris.probe.photophysics.blinking import upper_gamma

CUT = SojournTimes(1.5, 0.01, 7.0)
LAWS = {
    "usual": CUT,
    "shallow": SojournTimes(0.8, 0.01, 3.0),
    "exponential": SojournTimes(0.0, 0.01, 3.0),
    "order 1": SojournTimes(1.0, 0.01, 3.0),
    "order 2": SojournTimes(2.0, 0.01, 3.0),
    "steep": SojournTimes(2.7, 0.01, 3.0),
    "no cut-off": SojournTimes(2.5, 0.01),
}


@pytest.mark.parametrize("order", [-2.5, -1.0, -0.5, 0.0, 0.4, 2.0])
@pytest.mark.parametrize("start", [1e-3, 0.3, 4.0])
def test_incomplete_gamma_is_its_integral(order, start):
    expected, _ = quad(lambda u: np.exp(order * u - np.exp(u)), math.log(start), math.log(start + 700.0), limit=200)
    assert float(upper_gamma(order, start)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_density_integrates_to_one_and_gives_the_mean(law):
    # in the logarithm of time, where a power law is smooth
    def integral(power):
        return quad(
            lambda u: float(law.density_per_s(np.exp(u))) * np.exp((power + 1) * u),
            math.log(0.01),
            math.log(1e6),
            limit=400,
        )[0]

    assert integral(0) == pytest.approx(1.0, rel=1e-6)
    assert law.mean_s() == pytest.approx(integral(1), rel=1e-3 if law.cutoff_s == math.inf else 1e-6)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_quantiles_are_inverse_to_the_survival(law):
    share = np.array([0.0, 0.01, 0.3, 0.5, 0.9, 0.999])
    assert 1.0 - law.survival(law.quantile(share)) == pytest.approx(share, abs=1e-9)
    assert law.quantile(0.0) == pytest.approx(law.shortest_s)


def test_exponential_limit():
    law = SojournTimes(0.0, 0.01, 3.0)
    assert law.mean_s() == pytest.approx(3.01, rel=1e-9)
    assert law.quantile(0.5) == pytest.approx(0.01 + 3.0 * math.log(2.0), rel=1e-9)


def test_pareto_limit():
    far = SojournTimes(2.5, 0.01, 1e6)
    # a cut-off a hundred million times the shortest time changes nothing below a second
    assert far.survival([0.02, 1.0]) == pytest.approx(SojournTimes(2.5, 0.01).survival([0.02, 1.0]), rel=1e-4)


@pytest.mark.parametrize("law", [CUT, SojournTimes(1.5, 0.01), SojournTimes(2.0, 0.01)], ids=["cut-off", "1.5", "2"])
def test_means_of_stays_that_the_record_cuts(law):
    # the integral of the survival function, plus the shortest time
    expected = 0.01 + quad(lambda u: float(law.survival(np.exp(u))) * np.exp(u), math.log(0.01), math.log(50.0))[0]
    assert law.mean_s(within_s=50.0) == pytest.approx(expected, rel=1e-6)


def test_on_fraction_by_renewal():
    off = SojournTimes(1.5, 0.01, 70.0)
    share = on_fraction(CUT, off)
    assert share == pytest.approx(CUT.mean_s() / (CUT.mean_s() + off.mean_s()))
    # long stays: means go as the root of the cut-off
    assert share == pytest.approx(1 / (1 + math.sqrt(10.0)), rel=0.05)


def test_on_fraction_without_a_mean_depends_on_the_record():
    endless = SojournTimes(1.5, 0.01)
    with pytest.raises(InputError, match="has no mean"):
        on_fraction(CUT, endless)
    shares = [on_fraction(CUT, endless, duration_s=one) for one in (10.0, 1000.0, 1e5)]
    assert shares == sorted(shares, reverse=True)


def test_likelihood_is_highest_near_the_truth():
    share = (np.arange(4000) + 0.5) / 4000
    durations = CUT.quantile(share)
    best = CUT.log_likelihood(durations)
    assert best > SojournTimes(1.4, 0.01, 7.0).log_likelihood(durations)
    assert best > SojournTimes(1.6, 0.01, 7.0).log_likelihood(durations)
    assert best > SojournTimes(1.5, 0.01, 4.0).log_likelihood(durations)
    assert best > SojournTimes(1.5, 0.01, 12.0).log_likelihood(durations)


def test_durations_that_the_end_cut_count_as_longer():
    cut = np.array([False, True])
    expected = math.log(float(CUT.density_per_s(0.5))) + math.log(float(CUT.survival(3.0)))
    assert CUT.log_likelihood([0.5, 3.0], cut_short=cut) == pytest.approx(expected, rel=1e-12)


def test_nan_stays_nan_and_short_times_have_no_density():
    assert np.isnan(CUT.density_per_s(np.nan))
    assert CUT.density_per_s(0.001) == 0.0
    assert CUT.survival(0.001) == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: SojournTimes(1.0, 0.01),
        lambda: SojournTimes(-1.0, 0.01, 3.0),
        lambda: SojournTimes(1.5, 0.0, 3.0),
        lambda: SojournTimes(1.5, 0.01, math.nan),
        lambda: SojournTimes(1.5, 0.01, -3.0),
        lambda: CUT.quantile(1.0),
        lambda: CUT.quantile([0.5, np.nan]),
        lambda: CUT.log_likelihood([]),
        lambda: CUT.log_likelihood([0.001]),
        lambda: CUT.log_likelihood([np.nan]),
        lambda: CUT.log_likelihood([1.0, 2.0], cut_short=[True]),
        lambda: on_fraction(CUT, CUT, duration_s=0.0),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(InputError):
        call()
