"""Regressions of an onset: closed forms, likelihoods by hand, separation, and profile intervals."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from lampyris.statistics.onset.cox import cox, cox_ratio, likelihood_ratio, proportional_hazards
from lampyris.statistics.onset.parametric import (
    LAWS,
    hazard_ratio,
    onset_regression,
    quantile,
    shape_estimate,
    time_ratio,
)
from lampyris.statistics.onset.times import OnsetTimes, times_of_events

INF = math.inf
DROP = 0.5 * stats.chi2.ppf(0.95, 1)


def mixed():
    """Exact days, intervals and animals without the event, in two groups."""
    low = [0, 0, 3, 3, 5, 7, 7, 9, 3, 7, 7, 14, 14, 12, 14, 21]
    high = [3, 3, 7, 7, 5, 14, INF, 9, 7, 14, 14, 21, INF, 12, 21, INF]
    return OnsetTimes(low, high), np.repeat([0.0, 1.0], 8)[:, None]


def by_hand(times, x, law, a, g):
    """Log likelihood from SciPy's own laws of the logarithm of time."""
    family = {
        "weibull": stats.gumbel_l,
        "exponential": stats.gumbel_l,
        "log-normal": stats.norm,
        "log-logistic": stats.logistic,
    }
    z = family[law](loc=0, scale=1)
    total = 0.0
    for low, high, row in zip(times.low, times.high, x, strict=True):
        at = float(np.concatenate([[1.0], row]) @ g)
        if low == high:
            total += z.logpdf(a * math.log(high) - at) + math.log(a / high)
        else:
            upper = z.cdf(a * math.log(high) - at) if math.isfinite(high) else 1.0
            total += math.log(upper - (z.cdf(a * math.log(low) - at) if low > 0 else 0.0))
    return total


@pytest.mark.parametrize("law", LAWS)
def test_likelihood_is_scipys_and_nothing_near_is_higher(law):
    times, x = mixed()
    fit = onset_regression(times, x, law=law)
    assert fit.log_likelihood == pytest.approx(by_hand(times, x, law, fit.shape, fit.coefficients), abs=1e-9)
    assert fit.lost == ""
    rng = np.random.default_rng(0)
    for _ in range(10):
        a = fit.shape if law == "exponential" else fit.shape + 0.05 * rng.normal()
        assert by_hand(times, x, law, a, fit.coefficients + 0.05 * rng.normal(size=2)) <= fit.log_likelihood


def test_exponential_law_without_intervals_is_events_over_time():
    time, event = np.array([2.0, 5, 6, 9, 11]), np.array([1, 1, 0, 1, 0])
    fit = onset_regression(times_of_events(time, event), law="exponential")
    rate = event.sum() / time.sum()
    assert quantile(fit, 0.5).value == pytest.approx(math.log(2) / rate)

    # its profile is that of the rate
    def excess(log_rate):
        return 3 * math.log(rate) - 3 - DROP - (3 * log_rate - math.exp(log_rate) * time.sum())

    high = math.log(2) / math.exp(optimize.brentq(excess, math.log(rate) - 3, math.log(rate)))
    assert quantile(fit, 0.5).high == pytest.approx(high, rel=1e-5)


@pytest.mark.parametrize("law", ["weibull", "exponential"])
def test_hazard_and_time_ratio_are_one_law(law):
    times, x = mixed()
    fit = onset_regression(times, x, law=law)
    ratio, p = hazard_ratio(fit, 0)
    time, p_time = time_ratio(fit, 0)
    assert time.value == pytest.approx(ratio.value ** (-1 / fit.shape), rel=1e-8)
    assert p == pytest.approx(p_time, abs=1e-8)
    assert (ratio.high < 1) == (p < 0.05)
    # p of the likelihood ratio against the fit without the group
    drop = 2 * (fit.log_likelihood - onset_regression(times, law=law).log_likelihood)
    assert p == pytest.approx(stats.chi2.sf(drop, 1), rel=1e-6)
    # at an end the likelihood has fallen by half the quantile: found by a search of its own
    constant = fit.coefficients[0]
    worst = optimize.minimize(
        lambda v: -by_hand(times, x, law, v[1] if law == "weibull" else 1.0, np.array([v[0], -math.log(ratio.low)])),
        [constant, fit.shape],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000},
    )
    assert -worst.fun == pytest.approx(fit.log_likelihood - DROP, abs=1e-5)


def test_laws_without_one_hazard_ratio_say_so():
    times, x = mixed()
    with pytest.raises(ValueError, match="time ratio"):
        hazard_ratio(onset_regression(times, x, law="log-normal"), 0)


def test_quantile_of_a_group_holds_its_covariates():
    times, x = mixed()
    fit = onset_regression(times, x)
    second = quantile(fit, 0.5, [1.0])
    assert second.value == pytest.approx(quantile(fit, 0.5, [0.0]).value * time_ratio(fit, 0)[0].value)
    assert second.low < second.value < second.high
    turned = quantile(onset_regression(times, 1 - x), 0.5, [0.0])
    assert (turned.low, turned.high) == pytest.approx((second.low, second.high), rel=1e-5)


def test_unit_of_time_moves_times_alone():
    times, x = mixed()
    hours = OnsetTimes(24 * times.low, 24 * times.high)
    one, other = onset_regression(times, x), onset_regression(hours, x)
    assert other.shape == pytest.approx(one.shape, rel=1e-6)
    assert hazard_ratio(other, 0)[0].high == pytest.approx(hazard_ratio(one, 0)[0].high, rel=1e-5)
    assert quantile(other, 0.5, [0.0]).low == pytest.approx(24 * quantile(one, 0.5, [0.0]).low, rel=1e-5)


def test_a_group_without_events_has_one_finite_end():
    times = OnsetTimes([0, 0, 3, 7, 14, 14, 14, 14], [3, 7, 7, 14, INF, INF, INF, INF])
    fit = onset_regression(times, np.repeat([0.0, 1.0], 4)[:, None])
    assert fit.lost == "term"
    ratio, p = hazard_ratio(fit, 0)
    assert ratio.value == ratio.low == 0 and 0 < ratio.high < 1
    later, _ = time_ratio(fit, 0)
    assert later.value == later.high == INF and 1 < later.low < INF
    assert p < 0.05


def test_days_that_say_nothing_of_the_shape():
    assert onset_regression(OnsetTimes([0] * 5, [7] * 5)).lost == "law"
    assert shape_estimate(onset_regression(mixed()[0])).low > 0
    with pytest.raises(ValueError, match="no animal had the event"):
        onset_regression(OnsetTimes([7, 7], [INF, INF]))


@pytest.mark.parametrize("fit", [cox, onset_regression])
@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1.0], [1.0], [1.0]], "constant"),
        ([[1.0], [math.nan], [2.0]], "finite"),
        ([[1.0], [2.0]], "each of 3 animals"),
    ],
)
def test_faults_of_covariates(fit, x, said):
    with pytest.raises(ValueError, match=said):
        fit(times_of_events([3, 5, 7], [1, 1, 0]), x)


def test_cox_of_two_animals_by_hand():
    # b dies first of a and b, then c: 1/(e^b + 2) and 1/2, without ties
    fit = cox(times_of_events([3, 5, 7], [1, 1, 1]), [[1.0], [0.0], [1.0]])
    b = float(fit.coefficients[0])

    def minus(b):
        e = math.exp(b)
        return -(math.log(e / (2 * e + 1)) + math.log(1 / (1 + e)))

    assert b == pytest.approx(optimize.minimize_scalar(minus).x, abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-minus(b))


def test_profile_of_cox_ends_where_the_likelihood_has_fallen():
    times = times_of_events([3, 4, 6, 8, 9, 11, 14, 15, 17, 20], [1, 1, 1, 0, 1, 1, 1, 0, 1, 0])
    x = np.array([[1, 1, 1, 1, 0, 1, 0, 0, 0, 0]]).T.astype(float)
    fit = cox(times, x)
    ratio, p = cox_ratio(fit, 0)
    assert likelihood_ratio(fit).p == pytest.approx(p, rel=1e-6)
    for end in (ratio.low, ratio.high):
        risk = np.exp(math.log(end) * x[:, 0])
        days = np.where(times.seen, times.high, times.low)
        value = sum(math.log(risk[k] / risk[days >= days[k]].sum()) for k in np.flatnonzero(times.seen))
        assert value == pytest.approx(fit.log_likelihood - DROP, abs=1e-6)


def test_separation_is_penalised_and_finite():
    times = times_of_events([3, 4, 6, 20, 20, 20], [1, 1, 1, 0, 0, 0])
    fit = cox(times, [[1.0], [1.0], [1.0], [0.0], [0.0], [0.0]])
    ratio, _ = cox_ratio(fit, 0)
    assert fit.penalised and 1 < ratio.value < 100 and 0 < ratio.low < ratio.value < ratio.high
    assert "Firth" in ratio.method
    # asked for, the penalty is taken where it is not needed too, and draws towards 1
    plain = times_of_events([3, 4, 6, 8, 9, 11], [1, 1, 1, 1, 1, 1])
    x = [[1.0], [0.0], [1.0], [1.0], [0.0], [0.0]]
    assert 0 < cox(plain, x, firth=True).coefficients[0] < cox(plain, x).coefficients[0]


def test_cox_refuses_what_it_cannot_take():
    with pytest.raises(ValueError, match="onset_regression"):
        cox(OnsetTimes([0, 3], [3, 7]), [[0.0], [1.0]])
    with pytest.raises(ValueError, match="no animal had the event"):
        cox(times_of_events([3, 5], [0, 0]), [[0.0], [1.0]])


def test_crossing_hazards_are_seen():
    rng = np.random.default_rng(4)
    late = 10 + rng.exponential(1, 60)
    early = rng.exponential(1, 30)
    even = rng.exponential(12, 90)
    times = times_of_events(np.concatenate([late, early, even]), np.ones(180))
    fit = cox(times, np.repeat([0.0, 1.0], 90)[:, None])
    assert proportional_hazards(fit)[0].p < 0.01
    few = proportional_hazards(cox(times_of_events([3, 3, 9, 9], [1, 1, 0, 0]), [[1.0], [0.0], [1.0], [0.0]]))
    assert math.isnan(few[0].p) and "too few" in few[0].note


@pytest.mark.parametrize("one", range(9))
def test_a_group_of_one_without_the_event_has_no_endless_ratio(one):
    """A likelihood that rises for ever may look flat to its rounding before the coefficient is large."""
    seen = [0, 1, 0, 0, 1, 0, 0, 1, 1]
    times = times_of_events([3, 7, 8, 6, 3, 6, 5, 8, 5], seen)
    x = np.zeros((9, 1))
    x[one] = 1
    try:
        fit = cox(times, x)
    except ValueError as error:
        assert "leave it out" in str(error)
        return
    assert abs(fit.coefficients[0]) < 5
    assert fit.covariance[0, 0] > 0.1
    assert fit.penalised or seen[one]
    proportional_hazards(fit)
