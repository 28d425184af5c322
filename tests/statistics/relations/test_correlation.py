"""Correlation against R, SciPy and pingouin; what it refuses; what single units and repeated rows do."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.relations.coefficient import PseudoReplicationError, needed_units
from lampyris.statistics.relations.correlation import (
    correlate,
    correlation_from_summary,
    kendall,
    partial_correlation,
    pearson,
    spearman,
)
from lampyris.statistics.relations.repeated import repeated_correlation


def repeated_rows(rng, *, subjects=6, most=6, slope=0.5):
    count = rng.integers(2, most + 1, subjects)
    subject = np.repeat(np.arange(subjects), count)
    x = rng.normal(0, 3, subjects)[subject] + rng.normal(0, 1, subject.size)
    y = rng.normal(0, 3, subjects)[subject] + slope * x + rng.normal(0, 1, subject.size)
    return x, y, subject


def test_r_cor_test(published):
    case = published["pearson_ci"][0]
    found = pearson(case["x"], case["y"])
    assert found.r.value == pytest.approx(case["r"], abs=1e-14)
    assert found.p == pytest.approx(case["p"], abs=1e-12)
    assert [found.r.low, found.r.high] == pytest.approx(case["ci95"], abs=1e-10)
    assert (found.n, found.design.experimental_unit) == (4, "animal")


def test_a_hundred_random_sets_agree_with_scipy():
    rng = np.random.default_rng(11)
    for k in range(100):
        n = int(rng.integers(4, 40))
        x, y = rng.integers(0, 12, (2, n)) if k % 2 else rng.normal(size=(2, n))
        x, y = x + np.arange(n) % 2, y + np.arange(n) % 3
        expected = stats.pearsonr(x, y)
        found = pearson(x, y)
        assert found.r.value == pytest.approx(expected.statistic, abs=1e-12)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)
        assert [found.r.low, found.r.high] == pytest.approx(list(expected.confidence_interval()), abs=1e-10)
        ranked = spearman(x, y)
        expected = stats.spearmanr(x, y)
        assert ranked.r.value == pytest.approx(expected.statistic, abs=1e-12)
        if n > 8:
            assert ranked.p == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)
        if n > 4:
            assert kendall(x, y).r.value == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_sixty_repeated_sets_agree_with_pingouin(pingouin, pandas):
    rng = np.random.default_rng(12)
    for _ in range(60):
        x, y, subject = repeated_rows(rng)
        expected = pingouin.rm_corr(pandas.DataFrame({"x": x, "y": y, "s": subject}), x="x", y="y", subject="s")
        found = repeated_correlation(x, y, subject)
        assert found.r.value == pytest.approx(expected["r"].iloc[0], abs=1e-9)
        assert found.tests[0].df == (expected["dof"].iloc[0],)
        assert found.p == pytest.approx(expected["pval"].iloc[0], rel=1e-6, abs=1e-12)
        # its interval is printed to two digits
        assert [found.r.low, found.r.high] == pytest.approx(list(expected["CI95"].iloc[0]), abs=0.00501)


def test_forty_partial_sets_agree_with_pingouin(pingouin, pandas):
    rng = np.random.default_rng(13)
    for _ in range(40):
        z = rng.normal(size=(15, 2))
        x, y = z @ [1.0, 0.5] + rng.normal(size=15), z @ [0.5, -1.0] + rng.normal(size=15)
        table = pandas.DataFrame({"x": x, "y": y, "a": z[:, 0], "b": z[:, 1]})
        expected = pingouin.partial_corr(table, "x", "y", ["a", "b"])
        found = partial_correlation(x, y, z)
        assert found.r.value == pytest.approx(expected["r"].iloc[0], abs=1e-10)
        assert found.p == pytest.approx(expected.filter(like="p").iloc[0, -1], rel=1e-6)
        assert [found.r.low, found.r.high] == pytest.approx(list(expected["CI95"].iloc[0]), abs=0.00501)


def test_raw_and_summary_agree():
    rng = np.random.default_rng(14)
    for n in (4, 7, 30):
        x, y = rng.normal(size=(2, n))
        raw = pearson(x, y)
        summary = correlation_from_summary(raw.r.value, n)
        assert (summary.r, summary.tests[0], summary.needed) == (raw.r, raw.tests[0], raw.needed)


def test_permutation_p_counts_every_order():
    x, y = np.array([1.0, 2.0, 2.0, 5.0, 9.0]), np.array([0.5, 3.0, 1.0, 1.0, 4.0])
    rx, ry = stats.rankdata(x), stats.rankdata(y)
    seen = abs(np.corrcoef(rx, ry)[0, 1])
    orders = [abs(np.corrcoef(rx, order)[0, 1]) >= seen - 1e-12 for order in itertools.permutations(ry)]
    assert spearman(x, y).p == pytest.approx(np.mean(orders), abs=1e-12)
    assert "share their mean rank" in " ".join(spearman(x, y).notes)


def test_exact_spearman_p_of_tables():
    """n = 8 without ties: printed tables give 0.738 as the least coefficient with a two-sided p of 0.05."""
    below, reached = [0, 1, 2, 6, 3, 7, 5, 4], [0, 1, 2, 6, 4, 3, 7, 5]
    assert spearman(range(8), below).r.value == pytest.approx(0.714, abs=5e-4)
    assert spearman(range(8), below).p > 0.05
    assert spearman(range(8), reached).r.value >= 0.738
    assert spearman(range(8), reached).p < 0.05


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([1, 2, 3], [1, 2, 3], "at least 4 independent units, got 3"),
        ([1, 2, 3, 4], [5, 5, 5, 5], "all values of y are equal"),
        ([0.1 + 0.2, 0.3, 0.3, 0.3], [1, 2, 3, 4], "all values of x are equal"),
        ([1, 2, 3, math.nan], [1, 2, 3, 4], "must be finite"),
        ([1, 2, 3, math.inf], [1, 2, 3, 4], "must be finite"),
        ([1, 2, 3, 4], [1, 2, 3], "one value per row"),
        ([1, 2, 3, 1e200], [1, 2, 3, 4], "beyond any measurement"),
    ],
)
def test_what_makes_no_correlation_is_refused(x, y, said):
    for form in (pearson, spearman, correlate):
        with pytest.raises(ValueError, match=said):
            form(x, y)


def test_an_exact_line_has_no_interval():
    found = pearson([1, 2, 3, 4, 5], [2, 4, 6, 8, 10])
    assert (found.r.value, found.r.low, found.r.high, found.p, found.needed) == (1.0, 1.0, 1.0, 0.0, None)
    assert "no interval" in found.r.method


def test_units_of_the_columns_do_not_matter():
    rng = np.random.default_rng(15)
    x, y = rng.normal(size=(2, 12))
    assert pearson(1e-50 * x, 1e50 * y).r.value == pytest.approx(pearson(x, y).r.value, abs=1e-14)


def test_repeated_rows_are_refused_with_both_right_questions():
    x, y, subject = repeated_rows(np.random.default_rng(16))
    with pytest.raises(PseudoReplicationError) as refused:
        correlate(x, y, subject=subject, method="pearson")
    for words in (
        f"{x.size} rows come from 6 subjects (animal)",
        "pseudo-replication",
        "method repeated",
        "between them (means)",
    ):
        assert words in str(refused.value)
    within = correlate(x, y, subject=subject)
    assert (within.method, within.n, within.design.rows, within.design.within) == ("repeated", 6, x.size, ("row",))
    between = correlate(x, y, subject=subject, of_means=True)
    means = [[values[subject == k].mean() for k in range(6)] for values in (x, y)]
    assert between.r.value == pytest.approx(np.corrcoef(means)[0, 1], abs=1e-12)
    assert (between.n, between.design.rows) == (6, x.size)


def test_subjects_with_a_row_each_are_plain():
    rng = np.random.default_rng(17)
    x, y = rng.normal(size=(2, 9))
    found = correlate(x, y, subject=list("hgfedcbai"))
    assert (found.method, found.design.experimental_unit) == ("pearson", "animal")
    assert found.r.value == pytest.approx(pearson(x, y).r.value, abs=1e-14)


def test_a_shared_trend_is_taken_off():
    """Both grow over days and have nothing else in common; by regression on dummies of subjects and the day."""
    rng = np.random.default_rng(23)
    subject, day = np.repeat(np.arange(6), 5), np.tile(np.arange(5.0), 6)
    x, y = day + rng.normal(0, 0.3, 30), day + rng.normal(0, 0.3, 30)
    found = repeated_correlation(x, y, subject, covariates=day)
    assert repeated_correlation(x, y, subject).r.value > 0.8
    assert abs(found.r.value) < 0.5
    design = np.column_stack([np.eye(6)[subject], day])
    rest = np.column_stack([x, y]) - design @ np.linalg.lstsq(design, np.column_stack([x, y]), rcond=None)[0]
    assert found.r.value == pytest.approx(np.corrcoef(rest.T)[0, 1], abs=1e-12)
    assert found.tests[0].df == (30 - 6 - 1 - 1,)


def test_columns_that_stay_the_same_within_subjects():
    weight, flux = np.repeat([20.1, 22.3, 25.7], 3), np.arange(9.0)
    with pytest.raises(ValueError, match="x does not change within subjects"):
        repeated_correlation(weight, flux, np.repeat([0, 1, 2], 3))
    with pytest.raises(ValueError, match="covariate does not change within"):
        repeated_correlation(flux**2, flux, np.repeat([0, 1, 2], 3), covariates=weight)
    with pytest.raises(ValueError, match="y does not change within subjects beyond the covariates"):
        repeated_correlation(flux**2, flux, np.repeat([0, 1, 2], 3), covariates=2 * flux)


def test_within_and_between_may_differ_in_sign():
    """Each animal falls while animals rise: Simpson's paradox, which rows pooled would hide."""
    subject = np.repeat(np.arange(6), 5)
    step = np.tile(np.arange(5.0), 6)
    rng = np.random.default_rng(18)
    x, y = 10 * subject + step, 10 * subject - step + rng.normal(0, 0.1, 30)
    assert correlate(x, y, subject=subject).r.value < -0.9
    assert correlate(x, y, subject=subject, of_means=True).r.value > 0.9


def test_a_subject_with_one_row_is_left_out_and_named():
    x, y, subject = repeated_rows(np.random.default_rng(19))
    found = repeated_correlation([*x, 1.0], [*y, 2.0], [*subject, "single"])
    assert [entry.unit for entry in found.design.exclusions] == ["single"]
    assert found.r.value == pytest.approx(repeated_correlation(x, y, subject).r.value, abs=1e-14)


@pytest.mark.parametrize(
    ("subject", "said"),
    [(["a"] * 6, "at least two subjects"), (list("abcdef"), "got 0 subjects"), (list("aabbcd"), "5 such rows")],
)
def test_too_few_repeats_are_refused(subject, said):
    with pytest.raises(ValueError, match=said):
        repeated_correlation([1, 2, 3, 5, 4, 6], [1, 3, 2, 4, 5, 6], subject)


def test_leaving_out_equals_doing_it():
    rng = np.random.default_rng(20)
    for form in (pearson, spearman):
        x, y = rng.normal(size=(2, 14))
        found = form(x, y)
        rs = [form(np.delete(x, k), np.delete(y, k)).r.value for k in range(14)]
        most = int(np.argmax(np.abs(np.array(rs) - found.r.value)))
        assert found.influence.unit == str(most + 1)
        assert found.influence.r == pytest.approx(rs[most], abs=1e-12)
    x, y, subject = repeated_rows(rng)
    found = repeated_correlation(x, y, subject)
    rs = [repeated_correlation(x[subject != k], y[subject != k], subject[subject != k]).r.value for k in range(6)]
    assert found.influence.r in (pytest.approx(value, abs=1e-12) for value in rs)


def test_one_point_that_makes_the_correlation_is_named():
    found = pearson([1, 2, 3, 4, 5, 30], [3, 2, 3, 2.2, 2.8, 20])
    assert found.p < 0.001
    assert found.influence.unit == "6"
    assert found.influence.sign_flips == found.influence.significance_flips == ("6",)
    assert "changes its sign" in found.warnings[0]
    assert "no longer below 0.05" in found.warnings[1]


def test_a_column_that_only_one_point_varies_is_survived():
    found = pearson([1, 1, 1, 1, 1, 30], [3, 2, 3, 2.2, 2.8, 20])
    assert found.influence.unit != "6"


def test_units_needed():
    # tables of power analysis: 85 for r = 0.3 and 29 for 0.5 with the exact distribution; Fisher's z gives one more
    assert [needed_units(r) for r in (0.3, 0.5, -0.5, 0.99, 0.0, 1.0)] == [85, 30, 30, 5, None, None]
    assert "would take n =" in " ".join(pearson([1, 2, 3, 4, 5, 6], [1, 0, 2, 1, 3, 0]).notes)


@pytest.mark.parametrize(("r", "n"), [(1.5, 10), (0.5, 3), (math.nan, 9)])
def test_an_impossible_summary_is_refused(r, n):
    with pytest.raises(ValueError, match="correlation"):
        correlation_from_summary(r, n)


def covered(draw, truth, *, sets, seed):
    rng = np.random.default_rng(seed)
    estimates = [draw(rng) for _ in range(sets)]
    return np.mean([estimate.low <= truth <= estimate.high for estimate in estimates])


def test_intervals_hold_the_truth():
    """400 sets: the share of a 95 % interval has a standard error of 0.011, so 0.92 to 0.98 is what chance allows."""

    def plain(rng):
        x = rng.normal(size=12)
        return pearson(x, 0.6 * x + 0.8 * rng.normal(size=12)).r

    def within(rng):
        subject = np.repeat(np.arange(8), 4)
        u = rng.normal(size=32)
        x, y = rng.normal(0, 5, 8)[subject] + u, rng.normal(0, 5, 8)[subject] + 0.6 * u + 0.8 * rng.normal(size=32)
        return repeated_correlation(x, y, subject).r

    assert 0.92 <= covered(plain, 0.6, sets=400, seed=21) <= 0.98
    assert 0.92 <= covered(within, 0.6, sets=400, seed=22) <= 0.98
