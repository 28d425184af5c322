"""Studentised range and many-to-one t against closed forms, SciPy and each other."""

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.groups.simultaneous import (
    many_to_one_quantile,
    many_to_one_sf,
    studentised_range_quantile,
    studentised_range_sf,
)


@pytest.mark.parametrize("df", [1.0, 3.47, 27.0, 180.0, 5000.0])
def test_two_means_or_one_comparison_are_students_t(df):
    t = np.array([0.2, 1.0, 2.5, 8.0, 30.0])
    expected = 2 * special.stdtr(df, -t)
    kept = expected > 1e-250
    # the relative error holds far into the tail
    np.testing.assert_allclose(studentised_range_sf(np.sqrt(2) * t, 2, df)[kept], expected[kept], rtol=2e-9)
    for loading in (0.0, 0.7, 0.97):
        near = expected > 1e-12
        np.testing.assert_allclose(many_to_one_sf(t, [loading], df)[near], expected[near], rtol=2e-9)


@pytest.mark.parametrize(("groups", "df"), [(3, 3.47), (4, 12.0), (8, 60.0)])
def test_range_equals_scipy(groups, df):
    for q in (1.0, 3.5, 6.0):
        # SciPy integrates to about seven digits
        assert float(studentised_range_sf(q, groups, df)) == pytest.approx(
            float(stats.studentized_range.sf(q, groups, df)), rel=1e-6, abs=1e-12
        )


def test_independent_comparisons_multiply():
    # many degrees of freedom: normal, and without a common control independent
    t = 2.1
    alone = 1 - 2 * special.ndtr(-t)
    assert float(many_to_one_sf(t, [0.0, 0.0, 0.0], 1e7)) == pytest.approx(1 - alone**3, rel=1e-6)


def test_many_to_one_equals_the_multivariate_t():
    loadings = np.array([0.6, 0.7, 0.5])
    shape = np.outer(loadings, loadings)
    np.fill_diagonal(shape, 1.0)
    inside = stats.multivariate_t.cdf(
        [2.4] * 3, shape=shape, df=11, lower_limit=[-2.4] * 3, maxpts=200_000, random_state=1
    )
    # SciPy's integration is random: 2e-6 or so
    assert float(many_to_one_sf(2.4, loadings, 11)) == pytest.approx(1 - inside, abs=2e-5)


@pytest.mark.parametrize(
    ("comparisons", "df", "printed"),
    # Dunnett 1955, two-sided 5 % points, equal numbers
    [(2, 10, 2.57), (3, 20, 2.54), (5, 30, 2.66)],
)
def test_quantiles_are_dunnetts(comparisons, df, printed):
    found = float(many_to_one_quantile(0.95, [0.5**0.5] * comparisons, df))
    assert found == pytest.approx(stats_table(comparisons, df), rel=1e-6)
    assert abs(found - printed) < 0.06


def stats_table(comparisons, df):
    """The same point by another route: a common correlation of one half, by a fixed rule of many nodes."""
    s, weight = np.polynomial.legendre.leggauss(100)
    s, weight = 1.5 * (s + 1), 1.5 * weight
    density = np.exp(np.log(2) + 0.5 * df * np.log(0.5 * df) - special.gammaln(0.5 * df)) * s ** (df - 1)
    density *= np.exp(-0.5 * df * s * s) * weight
    z = np.linspace(-8, 8, 129)
    normal = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * (z[1] - z[0])

    def inside(c):
        high = special.ndtr(np.sqrt(2) * c * s[:, None] + z)
        low = special.ndtr(-np.sqrt(2) * c * s[:, None] + z)
        return density @ ((high - low) ** comparisons @ normal)

    low, high = 1.0, 5.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return low


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_quantiles_invert(level):
    df = np.array([2.5, 9.0, 400.0])
    assert studentised_range_sf(studentised_range_quantile(level, 5, df), 5, df) == pytest.approx(1 - level, rel=1e-10)
    load = [0.3, 0.8, 0.9]
    assert many_to_one_sf(many_to_one_quantile(level, load, df), load, df) == pytest.approx(1 - level, rel=1e-10)


def test_answers_do_not_depend_on_company():
    df = np.array([1.5, 7.0, 33.0, 5000.0])
    together = studentised_range_sf(3.0, 4, df)
    alone = [float(studentised_range_sf(3.0, 4, one)) for one in df]
    # other nodes, the same integral
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least 2 means"):
        studentised_range_sf(3.0, 1, 5)
    with pytest.raises(ValueError, match="above 0"):
        studentised_range_sf(3.0, 3, [5.0, 0.0])
    with pytest.raises(ValueError, match="below 1"):
        many_to_one_sf(3.0, [1.0], 5)
