"""The fitting engine against closed forms and independent fits: squares, counts, likelihoods, bounds, shared parameters."""

import math
import warnings

import numpy as np
import pytest

from lampyris.statistics.fitting import (
    FIT_FLAG_MEANING,
    DataSet,
    FitFlag,
    LogLikelihood,
    Parameter,
    derived,
    fit_least_squares,
    fit_likelihood,
    fit_poisson,
    profile_interval,
    profile_rise,
    with_profiles,
)

X = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 12.0])


def decay(p):
    return p[0] * np.exp(-X / p[1])


def line(p):
    return p[0] + p[1] * X


LINE = [Parameter("intercept", 1.0), Parameter("slope", 1.0)]
DECAY = [Parameter("height", 8, low=0.0), Parameter("life", 2, low=0.01, unit="ns")]
Y = np.array([10.4, 7.5, 4.6, 2.9, 0.9, 0.1])
COUNTS = np.array([104, 71, 55, 22, 9, 1])


@pytest.fixture(scope="module")
def sm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api

    return statsmodels.api


@pytest.mark.parametrize(("error", "covariance"), [("expected", "nonrobust"), ("sandwich", "HC0")])
def test_lines_agree_with_an_independent_fit(sm, error, covariance):
    other = sm.OLS(Y, np.stack([np.ones_like(X), X], axis=1)).fit(cov_type=covariance)
    fit = fit_least_squares(DataSet(line, Y), LINE, error=error)
    # numeric slopes of a line are exact but for rounding
    assert fit.values == pytest.approx(other.params, rel=1e-10)
    assert fit.covariance == pytest.approx(other.cov_params(), rel=1e-8)
    assert fit.goodness.log_likelihood == pytest.approx(other.llf, rel=1e-12)
    if error == "expected":
        low, high = np.array([(one.low, one.high) for one in fit.estimates]).T
        assert np.stack([low, high], axis=1) == pytest.approx(other.conf_int(), rel=1e-9)


@pytest.mark.parametrize("error", ["expected", "observed", "sandwich"])
def test_counts_agree_with_an_independent_generalised_linear_model(sm, error):
    design = np.stack([np.ones_like(X), X], axis=1)
    kind = {"expected": {}, "observed": {}, "sandwich": {"cov_type": "HC0"}}[error]
    other = sm.GLM(COUNTS, design, family=sm.families.Poisson()).fit(tol=1e-14, **kind)
    rates = DataSet(lambda p: np.exp(p[0] + p[1] * X), COUNTS)
    fit = fit_poisson(rates, [Parameter("log_rate", 3.0), Parameter("slope", -0.1)], error=error)
    assert fit.values == pytest.approx(other.params, rel=1e-9)
    # of the canonical link expected and observed information are the same
    assert fit.covariance == pytest.approx(other.cov_params(), rel=1e-7)
    assert fit.goodness.deviance == pytest.approx(other.deviance, rel=1e-10)
    assert fit.goodness.chi2 == pytest.approx(other.pearson_chi2, rel=1e-9)
    assert fit.goodness.log_likelihood == pytest.approx(other.llf, rel=1e-10)


def test_observed_and_expected_information_of_a_nonlinear_fit_differ_as_they_must():
    expected = fit_least_squares(DataSet(decay, Y), DECAY)
    observed = fit_least_squares(DataSet(decay, Y), DECAY, error="observed")
    height, life = expected.values
    off = decay((height, life)) - Y
    shape = np.exp(-X / life)
    slope = np.stack([shape, height * shape * X / life**2], axis=1)
    bend = np.zeros((2, 2, X.size))
    bend[0, 1] = bend[1, 0] = shape * X / life**2
    bend[1, 1] = height * shape * (X**2 / life**4 - 2 * X / life**3)
    variance = off @ off / (X.size - 2)
    assert expected.covariance == pytest.approx(variance * np.linalg.inv(slope.T @ slope), rel=1e-8)
    assert observed.covariance == pytest.approx(variance * np.linalg.inv(slope.T @ slope + bend @ off), rel=1e-6)
    assert "second derivatives" in observed["life"].method
    assert expected.residuals[0] == pytest.approx(-off, abs=1e-9)


# root length (cm) of ryegrass under ferulic acid (mM): Inderjit, Streibig & Olofsdotter 2002, Physiol Plant 114:422, as in R's drc;
# typed from memory, see tests/data/statistics/README.md
ACID = np.repeat([0.0, 0.94, 1.88, 3.75, 7.5, 15.0, 30.0], [6, 3, 3, 3, 3, 3, 3])
ROOTS = [
    7.58, 8.0, 8.3285714, 7.25, 7.375, 7.9625, 8.3555556, 6.9142857, 7.75, 6.8714286, 6.45, 5.9222222, 1.925, 2.8857143,
    4.2333333, 1.1875, 0.8571429, 1.0571429, 0.6875, 0.525, 0.825, 0.25, 0.22, 0.44,
]  # fmt: skip


def test_drc_prints_the_observed_kind_and_most_programs_the_expected():
    def log_logistic(p):
        return p[1] + (p[2] - p[1]) / (1.0 + (ACID / p[3]) ** p[0])

    start = [Parameter("slope", 1), Parameter("low", 0.1), Parameter("high", 8), Parameter("half", 2, low=0)]
    fit = fit_least_squares(DataSet(log_logistic, ROOTS), start, error="observed")
    # as printed by drc for this example: five decimals
    assert fit.values == pytest.approx([2.98222, 0.48141, 7.79296, 3.05796], abs=1e-5)
    assert fit.sds == pytest.approx([0.46506, 0.21219, 0.18857, 0.18573], abs=1e-5)
    assert fit.goodness.residual_sd == pytest.approx(0.5196256, abs=5e-8)
    other = fit_least_squares(DataSet(log_logistic, ROOTS), start)
    assert other["slope"].sd == pytest.approx(0.45843, abs=1e-5)


def test_known_standard_deviations_are_not_scaled_and_relative_ones_are():
    sd = np.array([1.0, 1.0, 0.5, 0.5, 0.2, 0.2])
    known = fit_least_squares(DataSet(line, Y, sd=sd), LINE)
    design = np.stack([np.ones_like(X), X], axis=1) / sd[:, None]
    assert known.covariance == pytest.approx(np.linalg.inv(design.T @ design), rel=1e-8)
    relative = fit_least_squares(DataSet(line, Y, sd=10 * sd), LINE, scatter="residual")
    assert relative.covariance == pytest.approx(known.covariance * known.goodness.reduced_chi2, rel=1e-8)
    assert 0 < known.goodness.p < 1
    assert math.isnan(relative.goodness.p)


def test_a_search_may_end_where_steps_gain_little():
    seen = []

    def watched(p):
        seen.append(p.copy())
        return decay(p)

    whole = fit_least_squares(DataSet(watched, Y, sd=np.full(6, 0.2)), DECAY)
    steps = len(seen)
    rough = fit_least_squares(DataSet(watched, Y, sd=np.full(6, 0.2)), DECAY, least_gain=1e-4)
    assert len(seen) - steps < steps
    # what is left to gain is of the order of the last step's gain
    assert rough.goodness.chi2 == pytest.approx(whole.goodness.chi2, rel=1e-3)


def test_units_do_not_matter():
    plain = fit_least_squares(DataSet(decay, Y), DECAY)
    other = fit_least_squares(
        DataSet(lambda p: p[0] * np.exp(-X / (1e9 * p[1])), 1e6 * Y),
        [Parameter("height", 8e6, low=0.0), Parameter("life", 2e-9, low=1e-11)],
    )
    assert other.values == pytest.approx(plain.values * [1e6, 1e-9], rel=1e-8)
    assert other.sds == pytest.approx(plain.sds * [1e6, 1e-9], rel=1e-7)


def test_analytic_slopes_give_the_same():
    def slopes(p):
        shape = np.exp(-X / p[1])
        return np.stack([shape, p[0] * shape * X / p[1] ** 2], axis=1)

    for error in ("expected", "observed", "sandwich"):
        numeric = fit_least_squares(DataSet(decay, Y), DECAY, error=error)
        analytic = fit_least_squares(DataSet(decay, Y, jacobian=slopes), DECAY, error=error)
        assert analytic.values == pytest.approx(numeric.values, rel=1e-9)
        assert analytic.covariance == pytest.approx(numeric.covariance, rel=1e-6)


def test_data_sets_share_the_parameters_that_they_name_alike():
    a = DataSet(decay, Y, parameters=("height_a", "life"), name="a")
    b = DataSet(decay, 3 * Y + 0.1, parameters=("height_b", "life"), name="b")
    fit = fit_least_squares([a, b], [Parameter("height_a", 8), Parameter("height_b", 8), Parameter("life", 2)])
    whole = fit_least_squares(
        DataSet(
            lambda p: np.concatenate([decay((p[0], p[2])), decay((p[1], p[2]))]),
            np.concatenate([Y, 3 * Y + 0.1]),
        ),
        [Parameter("height_a", 8), Parameter("height_b", 8), Parameter("life", 2)],
    )
    assert fit.values == pytest.approx(whole.values, rel=1e-9)
    assert fit.covariance == pytest.approx(whole.covariance, rel=1e-7)
    assert [part.size for part in fit.residuals] == [6, 6]


def test_counts_share_parameters_too():
    sets = [
        DataSet(decay, COUNTS, parameters=("height", "life")),
        DataSet(lambda p: p[0] * np.exp(-X / p[1]) + p[2], COUNTS + 5, parameters=("height", "life", "background")),
    ]
    fit = fit_poisson(sets, [*DECAY, Parameter("background", 1, low=0)])
    assert fit["background"].value == pytest.approx(5, abs=1.5)
    assert fit.flags == ()


def test_what_follows_from_parameters_has_their_covariance():
    fit = fit_least_squares(DataSet(line, Y), LINE)
    at_ten = derived(fit, lambda p: p[0] + 10 * p[1], unit="mm")
    along = np.array([1.0, 10.0])
    assert at_ten.value == pytest.approx(fit.values @ along, rel=1e-12)
    assert at_ten.sd == pytest.approx(math.sqrt(along @ fit.covariance @ along), rel=1e-9)
    assert at_ten.high - at_ten.value == pytest.approx(fit.quantile() * at_ten.sd, rel=1e-12)
    # the same number as a parameter of its own
    own = fit_least_squares(
        DataSet(lambda p: p[0] + p[1] * (X - 10), Y), [Parameter("at_ten", 1.0), Parameter("slope", 1.0)]
    )
    assert at_ten.sd == pytest.approx(own["at_ten"].sd, rel=1e-8)
    held = fit_least_squares(DataSet(line, Y), [Parameter("intercept", 9.0, fixed=True), LINE[1]])
    assert derived(held, lambda p: p[0]).sd == 0
    assert derived(held, lambda p: p[0] * p[1]).sd == pytest.approx(9.0 * held["slope"].sd, rel=1e-8)


def test_fixed_parameters_stay_and_cost_no_degree_of_freedom():
    fit = fit_least_squares(DataSet(line, Y), [LINE[0], Parameter("slope", -0.8, fixed=True)])
    assert fit["slope"].value == -0.8
    assert fit["slope"].sd == 0
    assert fit["intercept"].value == pytest.approx(float((Y + 0.8 * X).mean()), rel=1e-10)
    assert fit.goodness.degrees == 5


def test_profile_of_a_line_is_students_interval():
    fit = fit_least_squares(DataSet(line, Y), LINE)
    profiled = with_profiles(fit)
    for wald, profile in zip(fit.estimates, profiled.estimates, strict=True):
        assert [profile.low, profile.high] == pytest.approx([wald.low, wald.high], rel=1e-6)
        assert "profile" in profile.method


def test_profile_of_a_rate_is_where_its_likelihood_falls():
    fit = fit_poisson(DataSet(lambda p: p[0] * np.ones(3), [4, 2, 6]), [Parameter("rate", 1.0, low=0.0)])
    found = profile_interval(fit, "rate")

    def rise(rate):
        return 2 * (3 * rate - 12 - 12 * math.log(rate / 4.0))

    # 1.9599640 squared; the ends are found to 1e-7 of the quantile
    assert [rise(found.low), rise(found.high)] == pytest.approx([3.841458820694124] * 2, rel=1e-5)
    assert profile_rise(fit, "rate", [3.0, 5.0]) == pytest.approx([rise(3.0), rise(5.0)], rel=1e-9)
    narrow = profile_interval(fit, "rate", rise=1.0)
    assert rise(narrow.low) == pytest.approx(1.0, rel=1e-5)


def test_no_counts_end_at_the_bound_with_a_one_sided_interval():
    fit = fit_poisson(DataSet(lambda p: p[0] * np.ones(4), [0, 0, 0, 0]), [Parameter("rate", 1.0, low=0.0)])
    assert fit["rate"].value == 0
    assert math.isnan(fit["rate"].sd)
    assert fit.flags == (FitFlag.AT_BOUND,)
    assert fit.at_bound == ("rate",)
    assert fit.trusted
    found = profile_interval(fit, "rate")
    assert found.low == 0
    # minus twice the log likelihood is 8 times the rate
    assert found.high == pytest.approx(3.841458820694124 / 8, rel=1e-5)


def test_an_end_that_the_data_do_not_close_is_infinite():
    flat = DataSet(decay, [10.0, 9.6, 10.3, 9.9, 10.2, 9.4], sd=0.5)
    found = profile_interval(fit_least_squares(flat, DECAY), "life")
    assert found.high == math.inf
    assert 0.01 < found.low < found.value
    capped = profile_interval(
        fit_least_squares(flat, [DECAY[0], Parameter("life", 20.0, low=0.01, high=1000.0)]), "life"
    )
    assert capped.high == 1000.0
    assert capped.low == pytest.approx(found.low, rel=1e-5)


def test_a_profile_from_a_bound_is_found_on_any_scale():
    # no standard error says how far to look
    for scale in (1e-6, 1.0, 1e6):
        none = DataSet(lambda p, scale=scale: p[0] / scale * np.ones(4), [0, 0, 0, 0])
        found = profile_interval(fit_poisson(none, [Parameter("rate", scale, low=0.0)]), "rate")
        assert found.high == pytest.approx(scale * 3.841458820694124 / 8, rel=1e-5)


def test_at_a_bound_the_other_errors_are_those_of_a_fit_that_holds_it():
    bounded = fit_least_squares(DataSet(line, Y), [LINE[0], Parameter("slope", 1.0, low=0.0)])
    held = fit_least_squares(DataSet(line, Y), [LINE[0], Parameter("slope", 0.0, fixed=True)])
    assert bounded.at_bound == ("slope",)
    assert bounded["slope"].value == 0.0
    assert bounded["intercept"].value == pytest.approx(held["intercept"].value, rel=1e-9)
    assert bounded["slope"].high == math.inf
    assert "at a bound (slope)" in bounded.notes()[0]


def test_parameters_that_data_do_not_tell_apart_are_named_with_infinite_errors():
    same = DataSet(lambda p: p[0] * p[1] * np.exp(-X / p[2]), Y)
    fit = fit_least_squares(same, [Parameter("a", 2.0), Parameter("b", 3.0), Parameter("life", 2.0)])
    assert FitFlag.ILL_CONDITIONED in fit.flags
    assert fit["a"].sd == math.inf
    assert fit["b"].high == math.inf
    assert fit["life"].sd == pytest.approx(
        fit_least_squares(DataSet(decay, Y), DECAY)["life"].sd * math.sqrt(4 / 3), rel=1e-5
    )


def test_as_many_parameters_as_values_leave_the_scatter_unknown():
    two = DataSet(lambda p: p[0] + p[1] * np.array([0.0, 1.0]), [1.0, 3.0])
    fit = fit_least_squares(two, LINE, intervals="profile")
    assert fit.values == pytest.approx([1.0, 2.0], rel=1e-9)
    assert fit.flags == (FitFlag.NO_DEGREES,)
    assert fit["slope"].low == -math.inf


def test_a_likelihood_of_ones_own_meets_its_closed_form():
    times, ended = np.array([1.0, 2.0, 6.0, 7.0, 7.0]), np.array([1, 1, 1, 0, 0])
    life = LogLikelihood(lambda p: -ended * np.log(p[0]) - times / p[0])
    fit = fit_likelihood(life, [Parameter("life", 1.0, low=0.0, unit="d")])
    mean = times.sum() / 3
    # second differences keep about nine digits
    assert fit["life"].value == pytest.approx(mean, rel=1e-8)
    assert fit["life"].sd == pytest.approx(mean / math.sqrt(3), rel=1e-6)
    sandwich = fit_likelihood(life, [Parameter("life", 1.0, low=0.0)], error="sandwich")
    scores = (times / mean - ended) / mean
    assert sandwich["life"].sd == pytest.approx(math.sqrt((scores**2).sum()) * mean**2 / 3, rel=1e-6)
    assert fit.goodness.log_likelihood == pytest.approx(-3 * math.log(mean) - 3, rel=1e-12)


@pytest.mark.parametrize("height", [1e-9, 10.0, 1e6])
def test_data_without_scatter_are_met_to_rounding(height):
    exact = DataSet(decay, decay((height, 3.0)))
    fit = fit_least_squares(exact, [Parameter("height", 0.7 * height, low=0.0), DECAY[1]], intervals="profile")
    assert fit.values == pytest.approx([height, 3.0], rel=1e-9)
    assert fit.flags == ()
    assert fit["life"].high - fit["life"].low < 1e-8


def test_a_likelihood_that_does_not_see_a_parameter_says_so():
    flat = LogLikelihood(lambda p: np.full(3, -1.0) + 0.0 * p[0])
    fit = fit_likelihood(flat, [Parameter("nothing", 1.0, low=-5.0, high=5.0)], intervals="profile")
    assert not fit.trusted
    assert (fit["nothing"].low, fit["nothing"].high) == (-5.0, 5.0)


def test_grids_and_spread_starts_find_what_one_start_misses():
    wave = DataSet(lambda p: np.sin(p[0] * X), np.sin(2.3 * X))
    alone = fit_least_squares(wave, [Parameter("frequency", 0.3)])
    assert alone["frequency"].value != pytest.approx(2.3, rel=1e-3)
    grid = fit_least_squares(wave, [Parameter("frequency", 0.3, grid=(1.0, 2.2, 3.0))])
    assert grid["frequency"].value == pytest.approx(2.3, rel=1e-9)
    spread = [Parameter("frequency", 0.3, low=0.0, high=3.0)]
    first, again = (fit_least_squares(wave, spread, extra_starts=30) for _ in range(2))
    assert first["frequency"].value == pytest.approx(2.3, rel=1e-9)
    assert first["frequency"] == again["frequency"]


def test_a_profile_that_meets_a_lower_minimum_says_so():
    wave = DataSet(lambda p: np.sin(p[0] * X) + p[1], np.sin(2.3 * X), sd=2.0)
    fit = fit_least_squares(wave, [Parameter("frequency", 2.9), Parameter("level", 0.0)])
    assert fit["frequency"].value != pytest.approx(2.3, rel=1e-3)
    assert FitFlag.LOWER_FOUND in with_profiles(fit, "frequency").flags


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Parameter("a", math.nan), "a: starts must be finite"),
        (lambda: Parameter("a", 3.0, high=2.0), "within"),
        (lambda: Parameter("a", 1.0, low=2.0, high=1.0), "not below"),
        (lambda: Parameter("a", 1.0, scale=-1.0), "scale"),
        (lambda: DataSet(line, [1.0, math.nan, 3.0]), r"places \[1\] are not finite"),
        (lambda: DataSet(line, [1.0, 2.0], sd=[1.0, 0.0]), r"places \[1\] are not positive"),
        (lambda: DataSet(line, []), "one dimension"),
        (lambda: fit_least_squares(DataSet(line, Y), []), "no parameter"),
        (lambda: fit_least_squares([], LINE), "no data"),
        (lambda: fit_least_squares(DataSet(line, Y, parameters=("intercept", "tilt")), LINE), "takes tilt"),
        (lambda: fit_least_squares(DataSet(line, Y, parameters=("intercept",)), LINE), "no data set takes slope"),
        (lambda: fit_least_squares(DataSet(line, Y), [LINE[0], LINE[0]]), "named twice: intercept"),
        (lambda: fit_least_squares(DataSet(line, Y), LINE, scatter="known"), "without standard deviations"),
        (lambda: fit_least_squares(DataSet(line, Y[:3]), LINE), "gives shape"),
        (lambda: fit_least_squares(DataSet(line, Y), LINE, error="robust"), "expected, observed or sandwich"),
        (lambda: fit_poisson(DataSet(line, [1, -1, 2, 3, 4, 5]), LINE), "negative"),
        (lambda: fit_poisson(DataSet(line, COUNTS, sd=1.0), LINE), "leave sd out"),
        (lambda: fit_poisson(DataSet(line, COUNTS), [Parameter("a", -5.0), Parameter("b", 0.0)]), "start where"),
        (
            lambda: fit_likelihood(LogLikelihood(lambda p: -(p[0] ** 2)), [Parameter("a", 1.0)], error="expected"),
            "expected information of a likelihood",
        ),
        (
            lambda: fit_least_squares(
                DataSet(line, Y), [Parameter(one, 1.0, grid=tuple(range(40))) for one in ("a", "b")]
            ),
            "1000 are the most",
        ),
        (lambda: profile_interval(fit_least_squares(DataSet(line, Y), LINE), "tilt"), "no parameter 'tilt'"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(made, said):
    with pytest.raises((ValueError, KeyError), match=said):
        made()


def test_every_flag_has_its_meaning():
    assert set(FIT_FLAG_MEANING) == set(FitFlag)


def test_profile_intervals_cover_as_often_as_they_say():
    # few counts, where symmetric intervals cover too seldom; the accuracy table "fitting" has the long form
    rng = np.random.default_rng(11)
    truth = np.array([10.0, 3.0])
    held = 0
    draws = 250
    for _ in range(draws):
        fit = fit_poisson(DataSet(decay, rng.poisson(decay(truth))), DECAY)
        found = profile_interval(fit, "life")
        held += found.low <= truth[1] <= found.high
    # 250 draws of 0.95: 0.95 within three standard errors of 0.014
    assert 0.91 <= held / draws <= 0.99
