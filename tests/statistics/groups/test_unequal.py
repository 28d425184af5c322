"""Group comparisons against R, SPSS and SciPy, from raw values and from printed tables."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.groups import (
    games_howell,
    games_howell_from_summary,
    holm,
    omega_squared,
    welch_anova,
    welch_anova_from_summary,
    why_no_test,
)

DATA = Path(__file__).parents[2] / "data" / "statistics"

# R oneway.test(var.equal = FALSE), from SciPy's TestFOneWay
R_ONEWAY = [
    [-50.42, 40.31, -18.09, 35.58, -6.8, 0.22],
    [23.44, 4.5, 15.1, 9.66],
    [11.94, 11.1, 9.87, 9.09, 3.33],
]
# SPSS ONEWAY /POSTHOC=GH
SPSS = [[24.0, 23.0, 31.0, 51.0], [34.0, 18.0, 18.0, 26.0], [17.0, 68.0, 59.0, 7.0]]
SPSS_ANSWERS = [
    (0, 1, 8.25, -16.5492749527311, 33.0492749527311, 0.558733632413559),
    (0, 2, -5.5, -63.6702454316458, 52.6702454316458, 0.941147750599221),
    (1, 2, -13.75, -74.3174374251372, 46.8174374251372, 0.682983914946841),
]


def _table(name: str, value: str, group: str) -> list[list[float]]:
    groups: dict[str, list[float]] = {}
    with (DATA / name).open(newline="") as stream:
        for row in csv.DictReader(stream):
            groups.setdefault(row[group], []).append(float(row[value]))
    return list(groups.values())


def _summary(samples):
    arrays = [np.asarray(sample, dtype=float) for sample in samples]
    return [a.mean() for a in arrays], [a.std(ddof=1) for a in arrays], [a.size for a in arrays]


SAMPLES = {
    "R oneway.test": R_ONEWAY,
    "SPSS": SPSS,
    "PlantGrowth": _table("r_PlantGrowth.csv", "weight", "group"),
    "InsectSprays": _table("r_InsectSprays.csv", "count", "spray"),
    "two groups": [[1.0, 2.5, 2.0], [4.0, 4.5, 7.0, 5.0]],
}


@pytest.mark.parametrize(
    ("name", "f", "df2", "p", "digits"),
    [
        ("R oneway.test", 0.609740409019517, None, 0.574838941286302, 1e-12),
        # as R prints them: rounded to the digits shown
        ("PlantGrowth", 5.181, 17.128, 0.01739, 3e-4),
        ("InsectSprays", 36.065, 30.043, 7.999e-12, 1e-4),
    ],
)
def test_welch_equals_r(name, f, df2, p, digits):
    test = welch_anova(SAMPLES[name])
    assert test.statistic == pytest.approx(f, rel=digits)
    assert test.p == pytest.approx(p, rel=digits)
    assert test.df1 == len(SAMPLES[name]) - 1
    if df2 is not None:
        assert test.df2 == pytest.approx(df2, rel=digits)


def test_welch_of_two_groups_is_welch_t():
    a, b = SAMPLES["two groups"]
    t = stats.ttest_ind(a, b, equal_var=False)
    test = welch_anova([a, b])
    assert test.statistic == pytest.approx(t.statistic**2, rel=1e-12)
    assert test.df2 == pytest.approx(t.df, rel=1e-12)
    assert test.p == pytest.approx(t.pvalue, rel=1e-12)


def test_games_howell_equals_spss():
    for pair, (a, b, difference, low, high, p) in zip(games_howell(SPSS), SPSS_ANSWERS, strict=True):
        assert (pair.a, pair.b) == (a, b)
        assert pair.difference.value == pytest.approx(difference, abs=1e-12)
        # SPSS and SciPy integrate the studentised range to about seven digits
        assert pair.difference.low == pytest.approx(low, rel=1e-6)
        assert pair.difference.high == pytest.approx(high, rel=1e-6)
        assert pair.p == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("name", SAMPLES)
def test_summary_equals_raw(name):
    samples = SAMPLES[name][:3]
    raw, printed = welch_anova(samples), welch_anova_from_summary(*_summary(samples))
    for field in ("statistic", "df1", "df2", "p"):
        assert getattr(printed, field) == pytest.approx(getattr(raw, field), rel=1e-12)
    pairs = zip(games_howell(samples), games_howell_from_summary(*_summary(samples)), strict=True)
    for one, other in pairs:
        assert (one.a, one.b) == (other.a, other.b)
        assert other.p == pytest.approx(one.p, rel=1e-12, abs=1e-12)
        for field in ("value", "sd"):
            assert getattr(other.difference, field) == pytest.approx(getattr(one.difference, field), rel=1e-12)
        for field in ("low", "high"):
            scale = one.difference.high - one.difference.low
            assert getattr(other.difference, field) == pytest.approx(getattr(one.difference, field), abs=1e-12 * scale)


def test_games_howell_interval_excludes_zero_as_p_says():
    for name in ("SPSS", "PlantGrowth"):
        for pair in games_howell(SAMPLES[name], level=0.95):
            holds_zero = pair.difference.low <= 0 <= pair.difference.high
            assert holds_zero == (pair.p >= 0.05)


def test_unit_does_not_change_the_test():
    scaled = [[1e9 * value for value in sample] for sample in SPSS]
    assert welch_anova(scaled).p == pytest.approx(welch_anova(SPSS).p, rel=1e-9)


@pytest.mark.parametrize("f", [0.2, 1.0, 4.846, 60.0])
def test_omega_squared_interval_inverts_noncentral_f(f):
    df1, df2, n, level = 2.0, 27.0, 30, 0.9
    e = omega_squared(f, df1, df2, n, level=level)
    assert 0 <= e.low <= e.value <= e.high < 1
    for end, tail in ((e.low, 0.95), (e.high, 0.05)):
        nc = end * n / (1 - end)
        reached = float(special.ncfdtr(df1, df2, nc, f))
        # an end at zero means that even no effect gives so small an F often enough
        assert reached == pytest.approx(tail, abs=1e-8) or (end == 0 and reached < tail)


def test_omega_squared_interval_covers():
    rng = np.random.default_rng(20260101)
    means, n = np.array([0.0, 0.5, 1.0]), 8
    nc = n * ((means - means.mean()) ** 2).sum()
    truth = nc / (nc + means.size * n)
    held = 0
    for _ in range(300):
        draws = rng.normal(means[:, None], 1.0, (means.size, n))
        f = stats.f_oneway(*draws).statistic
        e = omega_squared(float(f), 2, 21, 24, level=0.9)
        held += e.low <= truth <= e.high
    # binomial standard deviation 1.7 %: four of them
    assert abs(held / 300 - 0.9) < 0.07


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        # R p.adjust(method = "holm")
        ([0.01, 0.02, 0.03], [0.03, 0.04, 0.04]),
        ([0.04, 0.01, 0.03], [0.06, 0.03, 0.06]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([0.01, np.nan, 0.03], [0.02, np.nan, 0.03]),
        ([], []),
    ],
)
def test_holm(p, expected):
    np.testing.assert_allclose(holm(p), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([[1.0, 2.0]], "at least two groups"),
        ([[1.0, 2.0], [3.0]], "group 1 needs at least two values"),
        ([[1.0, np.nan], [3.0, 4.0]], "group 0 holds values that are not finite"),
        ([[0.1, 0.1, 0.1], [3.0, 4.0]], "group 0 has no spread"),
    ],
)
def test_faults_are_named(samples, message):
    for function in (welch_anova, games_howell):
        with pytest.raises(ValueError, match=message):
            function(samples)


@pytest.mark.parametrize(
    ("means", "sds", "ns"),
    [([1.0, 2.0], [1.0], [3, 3]), ([1.0, 2.0], [1.0, 0.0], [3, 3]), ([1.0, 2.0], [1.0, 1.0], [3, 1]), ([1], [1], [3])],
)
def test_summary_faults_are_named(means, sds, ns):
    for function in (welch_anova_from_summary, games_howell_from_summary):
        with pytest.raises(ValueError, match="at least"):
            function(means, sds, ns)


@pytest.mark.parametrize(
    ("samples", "clause"),
    [
        ([], "no group"),
        ([[1.0, 2.0, 3.0]], "needs two groups, and there is 1"),
        ([[1.0, 2.0, 3.0], [1.0]], "has 1 value, "),
        ([[1.0, 2.0, 3.0], []], "has 0 values"),
        ([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0]], "do not differ"),
    ],
)
def test_why_no_test(samples, clause):
    assert clause in why_no_test(samples)
    assert why_no_test(SPSS) == ""
