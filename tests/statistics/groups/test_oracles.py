"""Every kind of test beside statsmodels, SciPy, pingouin and scikit-posthocs over 500 random data sets."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def figures():
    sys.path.insert(0, str(ROOT))
    try:
        from accuracy import oracles

        # the packages that take a tenth of a second per set see every 40th; python -m accuracy oracles asks them for all
        return {one.measure: one for one in oracles.figures_of(slow_every=oracles.QUICK_EVERY)}, oracles
    finally:
        sys.path.remove(str(ROOT))


def test_answers_agree(figures):
    found, oracles = figures
    assert found.keys() == oracles.BOUNDS.keys()
    assert {name: one.value for name, one in found.items() if not one.held} == {}


def test_enough_sets_were_asked(figures):
    found, _ = figures
    for name in (
        "anova_statsmodels",
        "welch_statsmodels",
        "kruskal_wallis_scipy",
        "bartlett_scipy",
        "shapiro_wilk_scipy",
    ):
        assert found[name].n == 500
    assert all(one.n >= 10 for one in found.values())
