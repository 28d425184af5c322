"""Adjustments over tests and endpoints, and letters."""

import math
from itertools import combinations

import numpy as np
import pytest

from lampyris.core.comparison import Comparison
from lampyris.statistics.groups import adjust_endpoints, benjamini_hochberg, compact_letters, hochberg, holm


@pytest.mark.parametrize(
    ("function", "expected"),
    # R p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), method)
    [(holm, [0.05, 0.08, 0.09, 0.09, 0.09]), (hochberg, [0.05] * 5), (benjamini_hochberg, [0.05] * 5)],
)
def test_adjustments_equal_r(function, expected):
    p = [0.01, 0.02, 0.03, 0.04, 0.05]
    np.testing.assert_allclose(function(p), expected, rtol=1e-14)
    # the order of the tests does not matter, and a test that was not made is passed over
    shuffled = [p[3], math.nan, p[0], p[4], p[1], p[2]]
    found = function(shuffled)
    assert math.isnan(found[1])
    np.testing.assert_allclose(found[[2, 4, 5, 0, 3]], expected, rtol=1e-14)


def endpoint(name, p):
    return Comparison(name, "1", "animal", "", 1.0, 1.0, 8.0, p, (), (), "")


def test_endpoints_are_counted_together():
    found = adjust_endpoints([endpoint("flux", 0.01), endpoint("count", math.nan), endpoint("weight", 0.04)])
    assert [one.p_adjusted for one in found][::2] == pytest.approx([0.02, 0.04])
    assert found[0].adjustment == "Holm over 2 endpoints"
    assert math.isnan(found[1].p_adjusted)
    assert found[1].adjustment == ""
    alone = (endpoint("flux", 0.01),)
    assert adjust_endpoints(alone) == alone
    with pytest.raises(ValueError, match="holm, hochberg, benjamini-hochberg"):
        adjust_endpoints(alone, method="none")


@pytest.mark.parametrize(
    ("count", "apart", "expected"),
    [
        (3, [], ("a", "a", "a")),
        (3, [(0, 1), (0, 2), (1, 2)], ("a", "b", "c")),
        (4, [(0, 2), (0, 3), (1, 3)], ("a", "ab", "bc", "c")),
        # a group in the middle that differs from none
        (3, [(0, 2)], ("a", "ab", "b")),
    ],
)
def test_letters(count, apart, expected):
    assert compact_letters(count, apart) == expected


def test_letters_are_shared_if_and_only_if_groups_do_not_differ():
    rng = np.random.default_rng(6)
    for _ in range(300):
        count = int(rng.integers(2, 8))
        apart = {pair for pair in combinations(range(count), 2) if rng.random() < 0.4}
        letters = compact_letters(count, sorted(apart))
        assert all(letters)
        for a, b in combinations(range(count), 2):
            assert bool(set(letters[a]) & set(letters[b])) == ((a, b) not in apart)
