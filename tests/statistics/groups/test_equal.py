"""One-way analysis of variance, Tukey-Kramer and Dunnett against NIST, SAS, R and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.groups import (
    dunnett,
    dunnett_from_summary,
    dunnett_unequal,
    one_way_anova,
    one_way_anova_from_summary,
    tukey_kramer,
    tukey_kramer_from_summary,
)

DATA = Path(__file__).parents[2] / "data" / "statistics"


def nist(name):
    """Groups of an NIST file: after line 60 a number of the treatment and a value."""
    groups = {}
    for line in (DATA / f"{name}.dat").read_text("ascii").splitlines()[60:]:
        if line.strip():
            treatment, value = line.split()
            groups.setdefault(treatment, []).append(float(value))
    return list(groups.values())


def simon_lesage(number):
    """NIST SmLs01 to SmLs09, which follow a rule: 21, 201 or 2001 replicates on 0, 10^6 or 10^12."""
    replicates = (21, 201, 2001)[(number - 1) % 3]
    digits = (1, 1_000_000, 1_000_000_000_000)[(number - 1) // 3]
    # the text is read as the file is, so that the decimal fraction is rounded as there
    tenths = [
        [4, *([3, 5] * (replicates // 2))],
        [3, *([2, 4] * (replicates // 2))],
        [5, *([4, 6] * (replicates // 2))],
    ]
    order = (0, 1, 2, 1, 2, 1, 2, 1, 2)
    return [[float(f"{digits}.{tenth}") for tenth in tenths[k]] for k in order], float(replicates)


@pytest.mark.parametrize("name", ["AtmWtAg", "SiRstv", "SmLs01"])
def test_f_is_that_certified_by_nist(name, published):
    certified = published["nist_strd_anova"]["certified"][name]
    test = one_way_anova(nist(name))
    assert test.statistic == pytest.approx(float(certified["F"]), rel=1e-9)
    assert (test.df1, test.df2) == (certified["df_between"], certified["df_within"])


@pytest.mark.parametrize("number", range(1, 10))
def test_f_of_simon_and_lesage(number):
    groups, f = simon_lesage(number)
    if number == 1:
        assert groups == nist("SmLs01")
    # thirteen constant leading digits leave a double three of its sixteen for the variation
    digits = 1e-9 if number <= 6 else 1e-4
    assert one_way_anova(groups).statistic == pytest.approx(f, rel=digits)


@pytest.mark.parametrize(("name", "digits"), [("sas_same", 1e-8), ("R_warpbreaks_tension", 5e-6)])
def test_tukey_equals_sas_and_r(name, digits, published):
    case = published["tukey_hsd"][name]
    found = {(pair.a + 1, pair.b + 1): pair for pair in tukey_kramer(case["groups"])}
    for a, b, low, difference, high, p in case["answers"]:
        pair = found[a, b]
        expected = (low, difference, high) if (low < difference) else (high, difference, low)
        got = (pair.difference.low, pair.difference.value, pair.difference.high)
        # R prints seven digits; SAS integrates to about eight
        assert got == pytest.approx(expected, abs=max(digits, 1e-7))
        assert pair.p == pytest.approx(p, abs=max(digits * 0.1, 1e-7))


def test_dunnett_equals_r(published):
    (case,) = published["dunnett"]
    pairs = dunnett([case["control"], *case["samples"]])
    low, high = case["ci"]
    for pair, t, p, least, most in zip(pairs, case["t"], case["p_two"], low, high, strict=True):
        assert pair.b == 0
        assert pair.statistic == pytest.approx(t, abs=1e-5)
        # R integrates by random numbers: its own error is near 1e-5 in p
        assert pair.p == pytest.approx(p, abs=3e-5)
        assert (pair.difference.low, pair.difference.high) == pytest.approx((least, most), abs=1e-3)


def test_dunnett_gives_the_same_digits_every_time(published):
    (case,) = published["dunnett"]
    groups = [case["control"], *case["samples"]]
    assert dunnett(groups) == dunnett(groups)


def test_any_group_may_be_the_control(published):
    (case,) = published["dunnett"]
    groups = [case["control"], *case["samples"]]
    last = dunnett([*groups[1:], groups[0]], control=2)
    for one, other in zip(dunnett(groups), last, strict=True):
        assert (other.b, other.difference) == (2, one.difference)
        assert other.p == one.p


def test_two_groups_are_students_t():
    a, b = [1.0, 2.5, 2.0, 4.0], [4.0, 4.5, 7.0]
    t = stats.ttest_ind(a, b)
    assert one_way_anova([a, b]).p == pytest.approx(t.pvalue, rel=1e-12)
    interval = t.confidence_interval(0.95)
    for pair in (tukey_kramer([a, b])[0], dunnett([b, a])[0]):
        assert pair.p == pytest.approx(t.pvalue, rel=1e-12)
        assert (pair.difference.low, pair.difference.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert dunnett_unequal([b, a])[0].p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-12)


@pytest.mark.parametrize("name", ["sas_same", "R_warpbreaks_tension"])
def test_summary_equals_raw(name, published):
    groups = published["tukey_hsd"][name]["groups"]
    arrays = [np.asarray(group) for group in groups]
    summary = [a.mean() for a in arrays], [a.std(ddof=1) for a in arrays], [a.size for a in arrays]
    raw, printed = one_way_anova(groups), one_way_anova_from_summary(*summary)
    for field in ("statistic", "df1", "df2", "p"):
        assert getattr(printed, field) == pytest.approx(getattr(raw, field), rel=1e-12)
    for function, other in ((tukey_kramer, tukey_kramer_from_summary), (dunnett, dunnett_from_summary)):
        for one, two in zip(function(groups), other(*summary), strict=True):
            assert two.p == pytest.approx(one.p, rel=1e-12)
            assert two.difference.low == pytest.approx(one.difference.low, rel=1e-12)


def test_one_group_without_spread_is_taken_in():
    test = one_way_anova([[1, 1, 1], [2, 3, 5]])
    assert test.p == pytest.approx(stats.f_oneway([1.0, 1.0, 1.0], [2.0, 3.0, 5.0]).pvalue, rel=1e-12)
    with pytest.raises(ValueError, match="no group has any spread"):
        one_way_anova([[1, 1, 1], [2, 2]])
    with pytest.raises(ValueError, match="one of them above 0"):
        one_way_anova_from_summary([1, 2], [0, 0], [3, 3])
