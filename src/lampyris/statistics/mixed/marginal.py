"""Marginal means and families of contrasts of a mixed model."""

import itertools
import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from lampyris.core.estimate import Estimate
from lampyris.statistics.mixed.model import MixedModel
from lampyris.statistics.mixed.results import CoefficientTest
from lampyris.statistics.mixed.small_samples import MANY
from lampyris.statistics.multiplicity import holm

Array = NDArray[np.float64]

ADJUSTMENTS = ("holm", "multivariate t", "none")
# the integral of the multivariate t is known to about 1e-5; below this p the sum of the single p values is closer
FINE = 1e-3
# lattice points of that integral; a fixed seed keeps its digits
SEED = 20


def pairs_of(groups: Sequence[str], control: str = "", /) -> list[tuple[str, str]]:
    """Pairs to compare: all, first named first, or each against a control.

    Examples
    --------
    >>> pairs_of(["a", "b", "c"])
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    >>> pairs_of(["a", "b", "c"], "b")
    [('a', 'b'), ('c', 'b')]
    """
    if control:
        return [(group, control) for group in groups if group != control]
    return list(itertools.combinations(groups, 2))


def adjusted_p(model: MixedModel, tests: Sequence[CoefficientTest], rows: Array, how: str, /) -> Array:
    """p of a family of contrasts, adjusted for their number.

    Parameters
    ----------
    model : MixedModel
        Fitted model.
    tests : sequence of CoefficientTest
        The contrasts; NaN for those the data do not determine.
    rows : ndarray, dims (contrast, column)
        Their coefficients.
    how : str
        "holm", "multivariate t" (single step, correlations of the contrasts used) or "none".

    Returns
    -------
    ndarray, dims (contrast,)

    Raises
    ------
    ValueError
        If the adjustment is unknown.
    """
    alone = np.array([test.p for test in tests])
    if how == "none" or len(tests) < 2:
        return alone
    if how == "holm":
        return holm(alone)
    if how != "multivariate t":
        raise ValueError(f"adjustment is one of {', '.join(ADJUSTMENTS)}, got {how!r}")
    able = np.flatnonzero(np.isfinite(alone)).tolist()
    correlation = contrast_correlation(model, rows[able])
    df = min(tests[k].df for k in able)
    found = alone.copy()
    for k in able:
        found[k] = single_step_p(abs(tests[k].statistic), correlation, df, alone[k])
    return found


def contrast_correlation(model: MixedModel, rows: Array, /) -> Array:
    """Correlation matrix of contrasts."""
    kept = rows[:, list(model.fixed.kept)]
    covariance = kept @ model.inference.adjusted @ kept.T
    sds = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sds, sds)


def single_step_p(t: float, correlation: Array, df: float, alone: float, /) -> float:
    """Probability that the largest |t| of a family reaches `t`.

    Parameters
    ----------
    t : float
        Absolute value of the statistic.
    correlation : ndarray, dims (contrast, contrast)
        Of the contrasts; may be singular, as of all pairs.
    df : float
        Degrees of freedom, of the contrast with the fewest.
    alone : float
        p of this contrast alone.

    Returns
    -------
    float
        Between `alone` and Bonferroni's bound.
    """
    bound = min(1.0, alone * len(correlation))
    if bound < FINE:
        return bound
    return float(min(max(1.0 - _inside(t, correlation, df), alone), bound))


def simultaneous_factor(correlation: Array, df: float, level: float, /) -> float:
    """Multiple of the standard errors that covers all contrasts at once, by the multivariate t distribution."""
    low = float(special.stdtrit(df, 0.5 * (1 + level)))
    if len(correlation) == 1:
        return low
    high = float(special.stdtrit(df, 1 - 0.5 * (1 - level) / len(correlation)))
    return float(optimize.brentq(lambda t: _inside(t, correlation, df) - level, low, high + 0.02, xtol=1e-4))


def _inside(t: float, correlation: Array, df: float) -> float:
    from scipy import stats  # takes more than half a second to import

    ends = np.full(len(correlation), t)
    if df >= MANY:
        normal = stats.multivariate_normal(np.zeros(len(ends)), correlation, allow_singular=True, seed=SEED)
        return float(normal.cdf(ends, lower_limit=-ends, rng=np.random.default_rng(SEED)))
    student = stats.multivariate_t(shape=correlation, df=df, allow_singular=True)
    return float(student.cdf(ends, lower_limit=-ends, random_state=np.random.default_rng(SEED)))


def tukey_pair(test: CoefficientTest, count: int, level: float, /) -> tuple[Estimate, float]:
    """Simultaneous interval and p of one of all pairs of means, by the studentized range.

    Parameters
    ----------
    test : CoefficientTest
        The difference.
    count : int
        Number of means.
    level : float
        Coverage.

    Returns
    -------
    tuple of Estimate and float

    References
    ----------
    Kramer 1956, Biometrics 12:307, doi:10.2307/3001469.
    """
    if count == 2 or math.isnan(test.p):
        return test.estimate, test.p
    from scipy import integrate, stats  # takes more than half a second to import

    df = min(test.df, 1e5)
    found = test.estimate
    with warnings.catch_warnings():
        # the integrand is rounding where p is; the integral is good to more digits than are printed
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        p = float(stats.studentized_range.sf(abs(test.statistic) * math.sqrt(2), count, df))
        half = float(stats.studentized_range.ppf(level, count, df)) * found.sd / math.sqrt(2)
    value = found.value
    return Estimate(value, found.sd, value - half, value + half, level, found.unit, "Tukey-Kramer, Kenward-Roger"), p
