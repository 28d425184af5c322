"""Change points, levels and laws of stays."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import stdtrit, xlogy

from lampyris.bench.blinking import (
    beyond_photons,
    change_points,
    cluster_levels,
    infer_law,
    infer_stays,
    on_share,
    predict_trace,
    stay_counts,
    stays_by_threshold,
    variance_trace,
)
from lampyris.bench.blinking.laws import log_likelihood
from lampyris.probe.photophysics.blinking import SojournTimes, on_fraction
from lampyris.virtual.instruments.blinking import BlinkingTruth, virtual_trace


def cost(counts, starts, penalty):
    total = penalty * len(starts)
    for a, b in itertools.pairwise([*starts, counts.size]):
        own = counts[a:b]
        total += 2.0 * float(own.sum() - xlogy(own.sum(), own.mean()))
    return total


def test_change_points_are_the_best_of_all():
    rng = np.random.default_rng(1)
    for _ in range(5):
        counts = rng.poisson(np.repeat(rng.uniform(1.0, 30.0, 4), 3)).astype(float)
        penalty = 2.0 * math.log(counts.size)
        best = min(
            ((0, *cut) for number in range(5) for cut in itertools.combinations(range(1, counts.size), number)),
            key=lambda starts: cost(counts, starts, penalty),
        )
        assert change_points(counts).tolist() == list(best)


def test_no_change_is_found_where_there_is_none():
    rng = np.random.default_rng(2)
    found = [change_points(rng.poisson(20.0, 2000).astype(float)).size for _ in range(10)]
    # one false change in 10 traces is a chance of about a half at this penalty
    assert sum(found) <= 11


def test_levels_by_bic():
    rng = np.random.default_rng(3)
    bins = rng.integers(10, 200, 60).astype(float)
    rates = rng.choice([5.0, 30.0, 60.0], 60)
    found = cluster_levels(rng.poisson(rates * bins).astype(float), bins)
    # some 2000 bins of a level hold 10 000 photons or more: 1 %
    np.testing.assert_allclose(found.rates, [5.0, 30.0, 60.0], rtol=0.02)
    assert found.bic[2] == min(found.bic)


def test_stays_of_a_square_trace():
    rng = np.random.default_rng(4)
    lit = np.repeat([0, 1, 0, 1, 0, 1], [200, 30, 9, 400, 90, 60])
    expected = predict_trace(lit, on=50.0, off=5.0)
    np.testing.assert_array_equal(variance_trace(expected), expected)
    found = infer_stays(rng.poisson(expected).astype(float))
    assert found.bins.tolist() == [200, 30, 9, 400, 90, 60]
    assert found.on.tolist() == [False, True, False, True, False, True]
    assert found.of(on=True)[1].tolist() == [False, False, True]
    # the stay in which the record begins tells nothing of a whole one
    assert found.of(on=False)[0].tolist() == [9, 90]
    assert (found.on_level, found.off_level) == (pytest.approx(50.0, rel=0.02), pytest.approx(5.0, rel=0.05))


@pytest.mark.parametrize(
    ("exponent", "cutoff_s"),
    # a power law without cut-off has no area at exponents to 1
    [(m, t) for m in (0.3, 1.5, 4.0) for t in (0.05, 0.4, math.inf) if m > 1.0 or t < math.inf],
)
def test_chances_of_long_stays_are_those_of_their_bins(exponent, cutoff_s):
    bins = np.arange(4, 120)
    stays = stay_counts(bins, np.zeros(bins.size, bool), shortest=4)
    law = SojournTimes(exponent, 0.035, cutoff_s)
    exact = law.survival((bins - 0.5) * 0.01) - law.survival((bins + 0.5) * 0.01)
    # less than what differences of survivals lose
    clear = exact > 1e-8
    found = log_likelihood(exponent, 1.0 / cutoff_s, 4, 0.01, stays)
    np.testing.assert_allclose(found[clear], np.log(exact[clear]), atol=3e-7)


def test_a_bin_goes_to_the_state_that_it_was_in_for_longer():
    # 80 photons on, 8 off: by likelihood alone a bin is on from a third of it
    share = np.repeat([0.0, 0.4, 1.0, 0.4, 0.0, 0.6, 1.0, 0.6, 0.0], [60, 1, 30, 1, 40, 1, 30, 1, 60])
    found = infer_stays(np.round(predict_trace(share, on=80.0, off=8.0)))
    assert found.bins.tolist() == [61, 30, 41, 32, 60]
    assert (found.on_level, found.off_level) == pytest.approx((80.0, 8.0), rel=1e-3)


def test_levels_leave_out_stays_too_short_to_be_seen():
    rng = np.random.default_rng(13)
    # a dark bin in each forty, alone
    lit = np.tile(np.repeat([1, 0], [2000, 1000]), 4)
    lit[:11000:40] = np.where(lit[:11000:40] == 1, 0, lit[:11000:40])
    counts = rng.poisson(predict_trace(lit, on=30.0, off=3.0)).astype(float)
    found = infer_stays(counts, penalty=60.0)
    assert found.bins.size == 8
    assert counts[np.repeat(found.on, found.bins)].mean() < 29.5
    # 8000 bins: 0.06, and four of it
    assert found.on_level == pytest.approx(30.0, abs=4.0 * found.level_sds[0])
    assert found.level_sds[0] == pytest.approx(math.sqrt(30.0 / 7800), rel=0.05)


def test_likelihood_is_that_of_the_law():
    stays = stay_counts(np.array([5, 7, 7, 40, 100]), np.array([False, False, False, False, True]), shortest=5)
    law = SojournTimes(1.4, 0.045, 3.0)
    found = log_likelihood(1.4, 1.0 / 3.0, 5, 0.01, stays)
    s = law.survival
    expected = [
        math.log(1.0 - s(0.055)), 2.0 * math.log(s(0.065) - s(0.075)), math.log(s(0.395) - s(0.405)), math.log(s(1.0)),
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # lengths in whole bins, of a density that hardly changes within them: the law's own likelihood of lengths
    exact = law.log_likelihood(np.array([0.4]), cut_short=np.array([False]))
    assert found[2] - math.log(0.01) == pytest.approx(exact, rel=1e-3)


def drawn(rng, law, number):
    return np.maximum(np.round(law.quantile(rng.random(number)) / 0.01), 1).astype(int)


def test_law_comes_back():
    law = SojournTimes(1.5, 0.045, 5.0)
    rng = np.random.default_rng(5)
    one = stay_counts(drawn(rng, law, 1000), np.zeros(1000, bool), shortest=5)
    found = infer_law([one], shortest=5, bin_s=0.01)
    assert abs(found.exponent.value - 1.5) < 4.0 * found.exponent.sd
    # four times a standard error of about 0.18 in the logarithm
    assert abs(math.log(found.cutoff_s.value / 5.0)) < 0.8


def test_dots_that_differ_widen_the_interval():
    rng = np.random.default_rng(6)
    alike = [drawn(rng, SojournTimes(1.5, 0.045, 5.0), 300) for _ in range(5)]
    other = [drawn(rng, SojournTimes(m, 0.045, 5.0), 300) for m in np.linspace(1.1, 1.9, 5)]
    widths = []
    for dots in (alike, other):
        counted = [stay_counts(bins, np.zeros(bins.size, bool), shortest=5) for bins in dots]
        found = infer_law(counted, shortest=5, bin_s=0.01)
        widths.append(found.exponent.high - found.exponent.low)
    assert widths[1] > 2.0 * widths[0]


def test_dots_cannot_agree_better_than_their_stays_tell():
    rng = np.random.default_rng(7)
    bins = drawn(rng, SojournTimes(1.5, 0.045, 5.0), 300)
    one = stay_counts(bins, np.zeros(bins.size, bool), shortest=5)
    # copies of one dot: no spread among them at all
    found = infer_law([one] * 6, shortest=5, bin_s=0.01)
    # what the stays say is one of seven, so that six of its squares are none
    sd = found.fit["exponent"].sd / math.sqrt(6.0)
    half = float(stdtrit(6, 0.975)) * sd
    # searches that leave one copy out end within a ten-thousandth of it
    assert found.exponent.sd == pytest.approx(sd, rel=1e-4)
    assert found.exponent.high == pytest.approx(found.exponent.value + half, rel=1e-4)
    assert found.exponent.low == pytest.approx(found.exponent.value - half, rel=1e-4)


def test_too_few_stays_are_refused():
    with pytest.raises(ValueError, match="3 stays"):
        infer_law([stay_counts(np.array([5, 6, 7]), np.zeros(3, bool), shortest=4)], shortest=4, bin_s=0.01)


def test_a_threshold_cuts_stays_that_change_points_keep():
    rng = np.random.default_rng(7)
    counts = rng.poisson(predict_trace(np.repeat([0, 1, 0], 500), on=16.0, off=6.0)).astype(float)
    bins, _ = stays_by_threshold(counts, 11.0)
    assert infer_stays(counts).bins.size == 3
    assert bins.size > 30


def held(lengths, first_on):
    """Stays of given lengths, and those of either state without the first and the last."""
    lit = (np.arange(len(lengths)) + first_on) % 2
    stays = infer_stays(np.repeat(4.0 + 36.0 * lit, lengths))
    assert stays.bins.tolist() == list(lengths)
    return stays


def stationary(p, lengths, first_on, shortest=4):
    """Twice minus the log likelihood of a stationary record, by the laws' own functions."""
    laws = {on: SojournTimes(p[2 * k], shortest - 0.5, math.exp(p[2 * k + 1])) for k, on in enumerate((True, False))}
    total = -math.log(laws[True].mean_s() + laws[False].mean_s()) + math.log(laws[bool(first_on)].survival(lengths[0]))
    for k, bins in enumerate(lengths[1:-1], start=1):
        left = laws[bool((k + first_on) % 2)].survival([bins - 0.5, bins + 0.5])
        total += math.log(left[0] - left[1])
    return -2.0 * (total + math.log(laws[bool((len(lengths) - 1 + first_on) % 2)].survival(lengths[-1])))


def test_share_of_time_on_has_the_profile_of_a_stationary_record():
    rng = np.random.default_rng(12)
    lengths = np.maximum(np.round(SojournTimes(1.5, 4.0, 150.0).quantile(rng.random(40))), 4).astype(int).tolist()
    found = on_share(held(lengths, 1))
    bounds = [(0.05, 4.9), (0.5, 14.0)] * 2

    def least(share):
        odds = () if share is None else (math.log(share / (1.0 - share)),)

        def off(p):
            means = [SojournTimes(p[2 * k], 3.5, math.exp(p[2 * k + 1])).mean_s() for k in (0, 1)]
            return math.log(means[0] / means[1]) - odds[0]

        rules = [{"type": "eq", "fun": off}] if odds else []
        start = [1.5, math.log(150.0)] * 2
        return minimize(
            stationary,
            start,
            args=(lengths, 1),
            bounds=bounds,
            constraints=rules,
            method="SLSQP",
            options={"ftol": 1e-6},
        ).fun

    best = least(None)
    # drawn through a surface of points: a hundredth of the interval's width
    assert least(found.low) - best == pytest.approx(1.96**2, rel=0.04)
    assert least(found.high) - best == pytest.approx(1.96**2, rel=0.04)


def test_few_stays_tell_no_share_in_the_long_run():
    few = on_share(held([30] * 10, 1))
    assert (few.value, few.low, few.high) == (0.5, 0.0, 1.0)


def test_dark_after_bleaching_is_no_stay():
    lengths = [40, 20, 30, 25, 400]
    found = held(lengths, 0)
    assert found.bleached
    assert [own.tolist() for own in found.of(on=False)] == [[30], [False]]
    assert [own.tolist() for own in found.of(on=True)] == [[20, 25], [False, True]]


def test_switches_within_a_bin_scatter_beyond_photons():
    rng = np.random.default_rng(8)
    law = {short: SojournTimes(1.5, short, 1.0) for short in (0.04, 0.002)}
    clear = {}
    for short, one in law.items():
        counts = virtual_trace(BlinkingTruth(one, one), bins=3000, bin_s=0.01, rng=rng)
        clear[short] = max(z for _, z in beyond_photons(counts, infer_stays(counts)).values())
    assert clear[0.04] < 3.0
    assert clear[0.002] > 4.0


def test_a_record_begins_as_often_on_as_the_dot_is_on():
    rng = np.random.default_rng(9)
    on, off = SojournTimes(1.5, 0.05, 0.5), SojournTimes(1.5, 0.05, 50.0)
    truth = BlinkingTruth(on, off, on_rate_hz=1e6, off_rate_hz=0.0)
    share = [float((virtual_trace(truth, bins=5, bin_s=0.01, rng=rng) > 5e3).mean()) for _ in range(30)]
    known = on_fraction(on, off)
    # four standard errors; a coin for the first state would give a half
    assert np.mean(share) == pytest.approx(known, abs=4.0 * math.sqrt(known * (1.0 - known) / 30))
    assert known + 4.0 * math.sqrt(known * (1.0 - known) / 30) < 0.4
