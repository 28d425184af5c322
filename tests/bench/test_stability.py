"""Lines over storage: slopes with intervals, and a verdict that needs evidence."""

import numpy as np
import pytest

from lampyris.bench.stability import aggregates, infer_trend

DAYS = np.array([0.0, 7.0, 14.0, 21.0, 28.0])

VERDICTS = {
    "steady": ([18.4, 18.5, 18.4, 18.6, 18.5], "yes"),
    "grows": ([18.4, 20.0, 21.9, 23.8, 25.6], "no"),
    "too noisy to say": ([18.4, 14.0, 24.0, 15.0, 22.0], "undecided"),
}


@pytest.mark.parametrize(("sizes", "verdict"), VERDICTS.values(), ids=VERDICTS.keys())
def test_a_verdict_needs_evidence(sizes, verdict):
    assert infer_trend(DAYS, sizes, margin=1.84).stable == verdict


def test_slopes_agree_with_the_textbook():
    rng = np.random.default_rng(4)
    values = 18.0 + 0.02 * DAYS + rng.normal(0, 0.1, 5)
    found = infer_trend(DAYS, values, margin=1.0)
    slope, sd = (one for one in (np.polyfit(DAYS, values, 1)[0], None))
    residual = values - np.polyval(np.polyfit(DAYS, values, 1), DAYS)
    sd = np.sqrt((residual**2).sum() / 3 / ((DAYS - DAYS.mean()) ** 2).sum())
    assert found.slope.value == pytest.approx(slope, rel=1e-8)
    assert found.slope.sd == pytest.approx(sd, rel=1e-6)
    assert found.slope.high - found.slope.value == pytest.approx(3.182446 * sd, rel=1e-5)


def test_readings_of_a_day_share_it():
    twice = infer_trend(np.repeat(DAYS, 3), np.repeat([18.4, 18.5, 18.4, 18.6, 18.5], 3), margin=1.0)
    once = infer_trend(DAYS, [18.4, 18.5, 18.4, 18.6, 18.5], margin=1.0)
    assert twice.slope.sd == pytest.approx(once.slope.sd)


def test_clumps_and_bends_are_seen():
    sizes = [18.4, 18.5, 18.4, 18.6, 60.0]
    trend = infer_trend(DAYS, sizes, margin=1.84)
    assert aggregates(DAYS, sizes, trend)
    days = np.arange(0.0, 60.0, 6.0)
    assert infer_trend(days, 18.0 + 0.01 * days**2 + np.tile([0.1, -0.1], 5), margin=1.0).bends
    assert not infer_trend(DAYS, [18.4, 18.5, 18.4, 18.6, 18.5], margin=1.0).bends


def test_two_days_are_too_few():
    with pytest.raises(ValueError, match="2 days"):
        infer_trend([0, 7], [18, 19], margin=1.0)
