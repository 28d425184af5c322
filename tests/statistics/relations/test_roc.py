"""Calls and scores against a truth: by definition, by SciPy, by hand, and with organs inside animals."""

import math

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.intervals import clopper_pearson_interval, wilson_interval
from lampyris.statistics.relations.calls import clustered_share, sensitivity_specificity
from lampyris.statistics.relations.roc import at_threshold, compare_auc, roc


def scored(rng, rows=30, digits=1):
    truth = np.r_[1, 0, rng.random(rows - 2) < 0.4].astype(bool)
    return np.round(rng.normal(size=rows) + truth, digits), truth


def delong(scores, truth):
    """Areas and covariance by their definition: every positive against every negative."""
    parts = []
    for score in scores:
        positive, negative = score[truth][:, None], score[~truth][None, :]
        parts.append((positive > negative) + 0.5 * (positive == negative))
    s10 = np.cov([part.mean(axis=1) for part in parts])
    s01 = np.cov([part.mean(axis=0) for part in parts])
    m, n = parts[0].shape
    return [part.mean() for part in parts], np.atleast_2d(s10 / m + s01 / n)


# ---- calls -------------------------------------------------------------------------------------------------------


def test_calls_are_counted():
    called = [1, 1, 1, 0, 0, 0, 0, 1, 0, 0]
    truth = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0]
    found = sensitivity_specificity(called, truth)
    assert (found.true_positive, found.false_positive, found.true_negative, found.false_negative) == (3, 1, 5, 1)
    assert found.sensitivity == wilson_interval(3, 4)
    assert found.specificity == wilson_interval(5, 6)
    assert found.positive_predictive == wilson_interval(3, 4)
    assert found.likelihood_positive.value == pytest.approx(0.75 / (1 / 6))
    assert found.likelihood_negative.value == pytest.approx(0.25 / (5 / 6))
    assert found.youden.value == pytest.approx(0.75 + 5 / 6 - 1)
    exact = sensitivity_specificity(called, truth, interval="clopper-pearson")
    assert exact.specificity == clopper_pearson_interval(5, 6)
    assert "taken for independent" in " ".join(found.notes)


def test_newcombes_interval_of_a_difference():
    """Newcombe 1998, Stat Med 17:873, table II: 56/70 - 48/80 by method 10 is 0.0524 to 0.3339."""
    truth = np.r_[np.ones(70), np.zeros(80)]
    called = np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)]
    youden = sensitivity_specificity(called, truth).youden
    assert [youden.low, youden.high] == pytest.approx([0.0524, 0.3339], abs=5.1e-5)


def test_likelihood_ratios_hold_the_truth():
    """400 sets: standard error 0.011."""
    rng = np.random.default_rng(1)
    inside = np.zeros(2)
    for _ in range(400):
        truth = np.r_[np.ones(30, bool), np.zeros(40, bool)]
        found = sensitivity_specificity(rng.random(70) < np.where(truth, 0.8, 0.15), truth)
        for k, (estimate, value) in enumerate(
            ((found.likelihood_positive, 0.8 / 0.15), (found.likelihood_negative, 0.2 / 0.85))
        ):
            inside[k] += estimate.low <= value <= estimate.high
    assert inside / 400 == pytest.approx(0.95, abs=0.03)


def test_nothing_called_falsely_has_no_upper_ratio():
    found = sensitivity_specificity([1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0])
    assert found.likelihood_positive.value == found.likelihood_positive.high == math.inf
    assert 0 < found.likelihood_positive.low < 10


def test_no_positive_leaves_sensitivity_unknown():
    found = sensitivity_specificity([1, 0, 0], [0, 0, 0])
    assert math.isnan(found.sensitivity.value)
    assert (found.sensitivity.low, found.sensitivity.high) == (0.0, 1.0)
    assert math.isnan(found.youden.value)
    assert "No row is truly positive" in " ".join(found.notes)


def test_organs_of_an_animal_widen_the_interval():
    animal = np.repeat(np.arange(10), 6)
    called = np.isin(animal, [0, 1, 2, 3, 4, 5, 6])
    truth = np.ones(60, bool)
    truth[::6] = False
    plain = sensitivity_specificity(called, truth)
    right = sensitivity_specificity(called, truth, cluster=animal)
    assert right.sensitivity.value == plain.sensitivity.value
    assert right.sensitivity.high - right.sensitivity.low > 1.8 * (plain.sensitivity.high - plain.sensitivity.low)
    assert (right.design.experimental_unit, right.design.n, right.design.nested) == ("animal", (10,), ("organ",))
    words = [f"m{k:02}" for k in animal]
    assert sensitivity_specificity(called, truth, cluster=words).sensitivity == right.sensitivity


def test_the_variance_between_clusters_is_that_of_its_formula():
    """Rao and Scott: residual sums per cluster, by hand."""
    hit, cluster = np.array([1, 1, 1, 0, 0, 0, 1, 1]), np.repeat(np.arange(4), 2)
    rest = np.array([hit[cluster == k].sum() - 2 * 0.625 for k in range(4)])
    assert clustered_share(hit, cluster).sd == pytest.approx(math.sqrt(4 / 3 * (rest**2).sum() / 64), rel=1e-12)


@pytest.mark.parametrize(
    ("called", "truth", "options", "said"),
    [
        ([], [], {}, "at least 1"),
        ([1, 0], [1], {}, "same number of rows"),
        ([1, 2], [1, 0], {}, "true or false"),
        ([1, math.nan], [1, 0], {}, "true or false"),
        (["yes", "no"], [1, 0], {}, "true or false"),
        ([1, 0], [1, 0], {"cluster": ["a", "a"]}, "at least two clusters"),
        ([1, 0], [1, 0], {"cluster": ["a"]}, "same number of rows"),
        ([1, 0], [1, 0], {"interval": "wald"}, "interval is one of"),
    ],
)
def test_what_is_no_call_is_refused(called, truth, options, said):
    with pytest.raises(ValueError, match=said):
        sensitivity_specificity(called, truth, **options)


def alike(rng, animals, organs, rho):
    """Normal numbers of variance 1 that share a part within an animal."""
    shared = rng.normal(size=(animals, 1))
    return (math.sqrt(rho) * shared + math.sqrt(1 - rho) * rng.normal(size=(animals, organs))).ravel()


def test_clustered_shares_hold_the_truth_and_plain_ones_do_not():
    """600 sets: standard error 0.009."""
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(20), 6)
    inside = np.zeros(2)
    for _ in range(600):
        hit = alike(rng, 20, 6, 0.4) < special.ndtri(0.8)
        for k, e in enumerate((clustered_share(hit, cluster), wilson_interval(int(hit.sum()), 120))):
            inside[k] += e.low <= 0.8 <= e.high
    assert 0.92 <= inside[0] / 600 <= 0.98
    assert inside[1] / 600 < 0.9


# ---- curves ------------------------------------------------------------------------------------------------------


def test_sixty_random_curves_by_definition_and_by_scipy():
    rng = np.random.default_rng(3)
    for k in range(60):
        score, truth = scored(rng, rows=12 + k, digits=k % 3)
        found = roc(score, truth)
        u = stats.mannwhitneyu(score[truth], score[~truth]).statistic
        assert found.auc.value == pytest.approx(u / (truth.sum() * (~truth).sum()), abs=1e-12)
        # the area under the drawn curve is the same number
        drawn = np.trapezoid(found.sensitivity, found.false_positive_rate)
        assert drawn == pytest.approx(found.auc.value, abs=1e-12)
        if truth.sum() > 1 and (~truth).sum() > 1 and 0 < found.auc.value < 1:
            covariance = delong([score], truth)[1]
            assert found.auc.sd == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-10)


def test_forty_pairs_of_areas_by_definition():
    rng = np.random.default_rng(4)
    for _ in range(40):
        score, truth = scored(rng, rows=40)
        truth[:4] = [1, 1, 0, 0]
        other = np.round(score + rng.normal(0, 1, 40), 1)
        (a, b), covariance = delong([score, other], truth)
        found = compare_auc(score, other, truth)
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        assert found.difference.value == pytest.approx(a - b, abs=1e-12)
        assert found.difference.sd == pytest.approx(math.sqrt(variance), rel=1e-9)
        assert found.test.p == pytest.approx(2 * stats.norm.sf(abs(a - b) / math.sqrt(variance)), rel=1e-9)
        assert [found.a.value, found.a.low] == pytest.approx([roc(score, truth).auc.value, roc(score, truth).auc.low])


def test_clusters_of_one_row_are_delong():
    rng = np.random.default_rng(5)
    score, truth = scored(rng, rows=50)
    plain, alone = roc(score, truth), roc(score, truth, cluster=np.arange(50))
    # no animal has both a positive and a negative, so nothing is shared
    assert alone.auc.sd == pytest.approx(plain.auc.sd, rel=1e-12)


def test_obuchowski_by_hand():
    rng = np.random.default_rng(6)
    animal = np.repeat(np.arange(8), 5)
    truth = rng.random(40) < 0.5
    score = alike(rng, 8, 5, 0.5) + truth
    above = (score[truth][:, None] > score[~truth][None, :]).astype(float)
    area, m, n = above.mean(), truth.sum(), (~truth).sum()
    p = [(above.mean(axis=1) - area)[animal[truth] == k].sum() for k in range(8)]
    q = [(above.mean(axis=0) - area)[animal[~truth] == k].sum() for k in range(8)]
    i10, i01 = len(set(animal[truth])), len(set(animal[~truth]))
    s10 = i10 / ((i10 - 1) * m) * np.square(p).sum()
    s01 = i01 / ((i01 - 1) * n) * np.square(q).sum()
    s11 = 8 / 7 * np.dot(p, q)
    expected = s10 / m + s01 / n + 2 * s11 / (m * n)
    found = roc(score, truth, cluster=animal)
    assert found.auc.sd == pytest.approx(math.sqrt(expected), rel=1e-12)
    assert (found.design.n, found.design.rows, found.design.nested) == ((8,), 40, ("organ",))


def test_scores_that_part_all_rows_still_have_an_interval():
    found = roc([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1])
    assert (found.auc.value, found.auc.high) == (1.0, 1.0)
    # Newcombe's method 5 solves (1 - t)^2 = z^2 V(t)
    t, z = found.auc.low, special.ndtri(0.975)
    variance = t * (1 - t) * (1 + 3 * (1 - t) / (2 - t) + 3 * t / (1 + t)) / 16
    assert (1 - t) ** 2 == pytest.approx(z * z * variance, rel=1e-6)
    assert 0.5 < t < 0.9
    mirrored = roc([8, 7, 6, 5, 4, 3, 2, 1], [0, 0, 0, 0, 1, 1, 1, 1]).auc
    assert [mirrored.low, mirrored.high] == pytest.approx([0.0, 1 - t], abs=1e-9)


def test_the_best_threshold_is_the_highest_youden_index():
    rng = np.random.default_rng(7)
    score, truth = scored(rng, rows=60)
    found = roc(score, truth)
    indices = [at_threshold(score, truth, t).youden.value for t in np.unique(score)]
    assert found.best.youden.value == pytest.approx(max(indices))
    assert found.best == at_threshold(score, truth, found.best_threshold)
    assert "flatter" in found.notes[0]


def test_intervals_stay_within_0_and_1():
    rng = np.random.default_rng(8)
    for interval in ("logit", "plain"):
        for _ in range(50):
            score, truth = scored(rng, rows=9)
            e = roc(score + 1.5 * truth, truth, interval=interval).auc
            assert 0 <= e.low <= e.value <= e.high <= 1


@pytest.mark.parametrize(
    ("score", "truth", "options", "said"),
    [
        ([1, 2], [1, 1], {}, "positives and negatives"),
        ([1, math.nan], [1, 0], {}, "finite"),
        ([1, 2, 3], [1, 0], {}, "same number of rows"),
        ([1, 2], [1, 0], {"cluster": ["a", "a"]}, "two clusters"),
        ([1, 2], [1, 3], {}, "true or false"),
        ([1, 2], [1, 0], {"interval": "exact"}, "interval is one of"),
    ],
)
def test_what_has_no_curve_is_refused(score, truth, options, said):
    with pytest.raises(ValueError, match=said):
        roc(score, truth, **options)


@pytest.mark.parametrize("clustered", [False, True])
def test_areas_hold_the_truth(clustered):
    """400 sets: standard error 0.011."""
    rng = np.random.default_rng(9)
    animals, organs = (15, 6) if clustered else (60, 1)
    cluster = np.repeat(np.arange(animals), organs)
    area, inside = special.ndtr(1.2 / math.sqrt(2)), 0
    for _ in range(400):
        truth = rng.random(cluster.size) < 0.4
        score = alike(rng, animals, organs, 0.4) + 1.2 * truth
        e = roc(score, truth, cluster=cluster if clustered else None).auc
        inside += e.low <= area <= e.high
    assert 0.92 <= inside / 400 <= 0.98
