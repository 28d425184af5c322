"""Every kind of test beside statsmodels, SciPy, pingouin and scikit-posthocs over 500 random data sets."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lampyris.statistics import groups as ours

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def oracles():
    sys.path.insert(0, str(ROOT))
    try:
        from accuracy.statistics import oracles as table
    finally:
        sys.path.remove(str(ROOT))
    return table


# in two halves, so that two workers share them
@pytest.fixture(scope="module", params=(0, 1), ids=("first half", "second half"))
def figures(request, oracles):
    half = oracles.SETS // 2
    part = slice(request.param * half, (request.param + 1) * half)
    return {one.measure: one for one in oracles.figures_of(quick=True, part=part)}


def test_answers_agree(figures, oracles):
    found = figures
    assert found.keys() == oracles.BOUNDS.keys()
    assert {name: one.value for name, one in found.items() if not one.held} == {}


def test_enough_sets_were_asked(figures):
    found = figures
    for name in (
        "anova_statsmodels",
        "welch_statsmodels",
        "kruskal_wallis_scipy",
        "bartlett_scipy",
        "shapiro_wilk_scipy",
        "games_howell_pingouin",
        "tukey_kramer_pingouin",
        "dunnett_scipy",
        "dunn_scikit_posthocs",
    ):
        assert found[name].n == 250
    assert all(one.n >= 25 for one in found.values())


def test_summary_equals_raw_on_every_set(oracles):
    count = 0
    for samples in oracles.random_sets():
        arrays = [x.astype(float) for x in samples]
        summary = [x.mean() for x in arrays], [x.std(ddof=1) for x in arrays], [x.size for x in arrays]
        # a mean of 1e4 is known to 1e-12, and so are differences of means
        digits = 1e-12 if abs(summary[0][0]) < 1e3 else 1e-9
        first = tuple(column[:2] for column in summary)
        for raw, printed in (
            (ours.welch_anova(samples), ours.welch_anova_from_summary(*summary)),
            (ours.one_way_anova(samples), ours.one_way_anova_from_summary(*summary)),
            (ours.bartlett(samples), ours.bartlett_from_summary(*summary[1:])),
        ):
            assert (printed.statistic, printed.p) == pytest.approx((raw.statistic, raw.p), rel=digits, abs=digits)
        for raw, printed in (
            (ours.hedges_g(*samples[:2]), ours.hedges_g_from_summary(*first)),
            (ours.mean_difference(*samples[:2]), ours.mean_difference_from_summary(*first)),
        ):
            ends = (printed.value, printed.low, printed.high)
            assert ends == pytest.approx((raw.value, raw.low, raw.high), rel=digits, abs=digits)
        count += 1
    assert count == 500
    assert np.isfinite(raw.value)
