"""Rank tests against R, exact counts and closed forms."""

import itertools

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.groups import dunn, kruskal_wallis, mann_whitney, wilcoxon_signed_rank


def test_kruskal_wallis_equals_r(insect_sprays, published):
    case = published["kruskal_dunn"]["InsectSprays"]
    test = kruskal_wallis(insect_sprays)
    # as R prints them
    assert test.statistic == pytest.approx(case["H"], abs=5e-4)
    assert test.df1 == case["df"]
    assert test.p == pytest.approx(case["p"], rel=5e-4)
    assert test.effect_size.value == pytest.approx(test.statistic / 71, rel=1e-12)


def test_dunn_holm_of_insect_sprays(insect_sprays):
    # A, B, F kill alike; C, D, E alike
    alike = {(0, 1), (0, 5), (1, 5), (2, 3), (2, 4), (3, 4)}
    for pair in dunn(insect_sprays):
        assert (pair.p > 0.05) == ((pair.a, pair.b) in alike)


def test_dunn_corrects_for_ties(insect_sprays):
    """The variance of tied ranks is that of the ranks themselves."""
    samples = [*insect_sprays[:2], [9, 9, 12, 13]]
    ranks = stats.rankdata(np.concatenate(samples))
    parts = np.split(ranks, np.cumsum([len(one) for one in samples])[:-1])
    for pair in dunn(samples):
        a, b = parts[pair.a], parts[pair.b]
        error = ranks.std(ddof=1) * np.sqrt(1 / a.size + 1 / b.size)
        assert pair.statistic == pytest.approx((a.mean() - b.mean()) / error, rel=1e-12)


def test_dunn_against_a_control_makes_those_pairs_only(insect_sprays):
    pairs = dunn(insect_sprays, control=2)
    assert [(pair.a, pair.b) for pair in pairs] == [(k, 2) for k in (0, 1, 3, 4, 5)]
    every = {(pair.a, pair.b): pair for pair in dunn(insect_sprays)}
    assert pairs[0].statistic == every[0, 2].statistic
    # fewer tests are adjusted for
    assert pairs[0].p < every[0, 2].p


def enumerated(ranks, m):
    """p by listing every choice."""
    ranks = np.asarray(ranks)
    sums = np.array([sum(choice) for choice in itertools.combinations(ranks, m)])
    return float((np.abs(sums - sums.mean()) >= abs(ranks[:m].sum() - sums.mean()) - 1e-9).mean())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.1, 2.2, 3.3, 5.5], [4.4, 6.6, 7.7, 8.8]),
        ([1, 1, 2, 5], [2, 3, 3, 3, 9]),
        ([0, 0, 0], [0, 0, 4, 5]),
    ],
)
def test_mann_whitney_counts_every_choice(a, b):
    test = mann_whitney(a, b)
    assert test.name == "Mann-Whitney (exact)"
    assert test.p == pytest.approx(enumerated(stats.rankdata([*a, *b]), len(a)), rel=1e-12)
    assert bool(test.note) == (len({*a, *b}) < len(a) + len(b))


def test_mann_whitney_equals_scipy_without_ties():
    rng = np.random.default_rng(3)
    for m, n in ((3, 4), (8, 15), (30, 28)):
        a, b = rng.normal(0.4, 1, m), rng.normal(0, 2, n)
        assert mann_whitney(a, b).p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue, rel=1e-10)


def test_large_samples_take_the_normal_approximation_and_say_so():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, 40), rng.normal(0.3, 1, 40)
    test = mann_whitney(a, b)
    assert "normal approximation" in test.name
    # within what the approximation is good for
    assert test.p == pytest.approx(mann_whitney(a, b, method="exact").p, abs=2e-3)


@pytest.mark.parametrize("d", [[1.1, -0.2, 3.0, 0.5, -4.0], [1, 1, -2, 3, 3, 3], [0, 0, 1, 2, -3, 4]])
def test_wilcoxon_counts_every_sign(d):
    test = wilcoxon_signed_rank(d, np.zeros(len(d)))
    left = np.array([one for one in d if one != 0], dtype=float)
    ranks = stats.rankdata(np.abs(left))
    sums = np.array(
        [
            sum(r for r, sign in zip(ranks, signs, strict=True) if sign)
            for signs in itertools.product((0, 1), repeat=left.size)
        ]
    )
    observed = ranks[left > 0].sum()
    expected = (np.abs(sums - sums.mean()) >= abs(observed - sums.mean()) - 1e-9).mean()
    assert test.p == pytest.approx(expected, rel=1e-12)
    assert test.statistic == observed
    assert ("2 differences of 0 left out" in test.note) == (0 in d)


def test_ranks_do_not_change_with_a_monotone_scale(insect_sprays):
    grown = [np.exp(np.asarray(group) / 3.0) for group in insect_sprays]
    assert kruskal_wallis(grown).statistic == pytest.approx(kruskal_wallis(insect_sprays).statistic, rel=1e-12)
    assert [pair.p for pair in dunn(grown)] == pytest.approx([pair.p for pair in dunn(insect_sprays)], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kruskal_wallis([[1, 1], [1, 1]]), "all values are 1"),
        (lambda: kruskal_wallis([[1, 2]]), "at least two groups"),
        (lambda: kruskal_wallis([[1, 2], []]), "needs at least one value"),
        (lambda: dunn([[1, np.inf], [2, 3]]), "not finite"),
        (lambda: mann_whitney([1, 2], [3, 4], method="fast"), "auto, exact or normal"),
        (lambda: wilcoxon_signed_rank([1, 2], [1, 2]), "all differences are 0"),
        (lambda: wilcoxon_signed_rank([1, 2], [1, 2, 3]), "one length"),
        (lambda: wilcoxon_signed_rank([1, 2], [2, 1], method="fast"), "auto, exact or normal"),
    ],
)
def test_faults_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
