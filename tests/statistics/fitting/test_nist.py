"""The nonlinear reference sets of NIST: certified parameters, standard deviations and residual standard deviation."""

from pathlib import Path

import numpy as np
import pytest
from nist_cases import MODELS, NistCase, read_nist

from lampyris.statistics.fitting import DataSet, Fit, FitFlag, Parameter, fit_least_squares

NORRIS = Path(__file__).parents[2] / "data" / "statistics" / "nist_norris.csv"
# digits that parameters and standard deviations must agree to; certified are eleven
DIGITS = 6.0
# sets that one search from the first start does not solve, and how many spread starts do
FIRST_START_FAILS = {"BoxBOD": 20}


def fitted(case: NistCase, start: int, **options) -> Fit:
    names = [f"b{number + 1}" for number in range(case.values.size)]
    parameters = [Parameter(name, value) for name, value in zip(names, case.starts[start], strict=True)]
    return fit_least_squares(DataSet(case.model, case.y, name=case.name), parameters, **options)


def digits(found, certified) -> float:
    # twelve digits stand for agreement to the last certified one
    return float(-np.log10(np.maximum(np.abs(np.asarray(found) / certified - 1.0), 1e-12)).min())


def least_digits(fit: Fit, case: NistCase) -> float:
    goodness = fit.goodness
    return min(
        digits(fit.values, case.values),
        digits(fit.sds, case.sds),
        digits(goodness.residual_sd, case.residual_sd),
        digits(goodness.chi2, case.residual_sum),
    )


@pytest.mark.parametrize("name", MODELS)
def test_second_start_gives_the_certified_values(name):
    case = read_nist(name)
    fit = fitted(case, 1)
    assert least_digits(fit, case) >= DIGITS
    assert fit.flags == ()
    assert "expected information" in fit.estimates[0].method


@pytest.mark.parametrize("name", [name for name in MODELS if name not in FIRST_START_FAILS])
def test_first_start_gives_them_too(name):
    case = read_nist(name)
    fit = fitted(case, 0)
    assert least_digits(fit, case) >= DIGITS
    assert fit.flags == ()


@pytest.mark.parametrize("name", FIRST_START_FAILS)
def test_where_the_first_start_fails_it_is_said_and_spread_starts_mend_it(name):
    case = read_nist(name)
    alone = fitted(case, 0)
    assert digits(alone.values, case.values) < DIGITS
    assert FitFlag.ILL_CONDITIONED in alone.flags
    assert not alone.trusted
    spread = fitted(case, 0, extra_starts=FIRST_START_FAILS[name])
    assert least_digits(spread, case) >= DIGITS
    assert spread.trusted


def test_norris_line():
    y, x = np.loadtxt(NORRIS, delimiter=",", skiprows=1, unpack=True)
    fit = fit_least_squares(DataSet(lambda p: p[0] + p[1] * x, y), [Parameter("b0", 1.0), Parameter("b1", 0.5)])
    assert digits(fit.values, np.array([-0.262323073774029, 1.00211681802045])) >= 9
    assert digits(fit.sds, np.array([0.232818234301152, 0.429796848199937e-03])) >= 9
    assert digits(fit.goodness.residual_sd, 0.884796396144373) >= 9
