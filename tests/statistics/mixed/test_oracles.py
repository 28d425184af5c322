"""Mixed models and repeated measures beside statsmodels and pingouin, and simulated nulls, in their short form.

The long forms are `python -m accuracy mixed`.
"""

import warnings
from pathlib import Path

import numpy as np
import pytest

from lampyris.statistics.mixed import repeated_measures


@pytest.fixture
def campaign(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))
    from accuracy.statistics import mixed

    return mixed


def test_fits_of_random_tables_are_those_of_statsmodels(campaign):
    pytest.importorskip("statsmodels")
    from accuracy.statistics.mixed_oracle import compared_with_statsmodels

    rng = np.random.default_rng(3)
    found = [compared_with_statsmodels(rng) for _ in range(20)]
    made = [one for one in found if one.converged]
    assert len(made) >= 16
    assert all(one.agrees for one in made)


@pytest.fixture(scope="module")
def pingouin():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pingouin")


def test_repeated_measures_of_random_tables_are_those_of_pingouin(pingouin):
    import pandas as pd

    rng = np.random.default_rng(4)
    for _ in range(15):
        n, k = int(rng.integers(6, 12)), int(rng.integers(3, 6))
        y = (rng.standard_normal((n, 1)) + rng.standard_normal((n, k)) * np.arange(1, k + 1)).ravel()
        subject, day = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
        group = np.where(subject < n // 2, "a", "b")
        data = pd.DataFrame({"y": y, "s": subject, "d": day, "g": group})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one = pingouin.rm_anova(data, "y", "d", "s", correction=True, effsize="ng2").iloc[0]
            two = pingouin.mixed_anova(data, "y", "d", "s", "g", correction=True, effsize="np2")
        labels = [f"s{s}" for s in subject]
        effect = repeated_measures(y, labels, {"day": list(map(str, day))}).effects[0]
        ours = (effect.statistic, effect.p, effect.p_greenhouse_geisser, effect.greenhouse_geisser, effect.mauchly)
        assert ours == pytest.approx((one["F"], one["p_unc"], one["p_GG_corr"], one["eps"], one["W_spher"]), rel=1e-8)
        # the peer follows R, whose second-order term counts conditions in place of contrasts
        assert effect.mauchly_p == pytest.approx(one["p_spher"], abs=5e-3)
        assert effect.generalised_eta_squared == pytest.approx(one["ng2"], rel=1e-8)
        found = repeated_measures(y, labels, {"day": list(map(str, day))}, between=list(group)).effects
        for own, (_, row) in zip(found, two.iterrows(), strict=True):
            assert (own.statistic, own.df1, own.df2) == pytest.approx((row["F"], row["DF1"], row["DF2"]), rel=1e-8)
            assert own.partial_eta_squared == pytest.approx(row["np2"], rel=1e-8)


@pytest.mark.parametrize("arm", ["regions, 4 of wide and 8 of narrow spread", "days, 6 and 6"])
def test_simulated_nulls_are_called_as_often_as_said(campaign, arm):
    found = campaign.nulls(arm, 120)
    rate = np.mean([one.p < 0.05 for one in found])
    # four standard errors of 120 tables
    assert rate <= 0.05 + 0.08
    assert np.mean([one.covered for one in found]) >= 0.95 - 0.08
    # what rows as replicates do
    assert np.mean([one.naive_p < 0.05 for one in found]) > 0.2
    assert all(one.converged for one in found)
