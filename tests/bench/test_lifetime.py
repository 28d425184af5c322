"""Decay laws: closed forms, exact slopes, the response's noise, and an independent fit."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.bench.lifetime import (
    DecayLaw,
    Response,
    Window,
    background_over,
    beside_of,
    fit_decay,
    infer_decay,
    mean_over,
    phasor_of,
    predict_decay,
    range_of,
    response_from_counts,
    shift_over,
    variance_decay,
)
from lampyris.bench.lifetime.model import Decay
from lampyris.bench.lifetime.noise import drawn_residuals
from lampyris.bench.lifetime.prediction import Exponential
from lampyris.bench.lifetime.response import sharpened, shifted
from lampyris.bench.lifetime.stretched import Stretched, exact_shares, shares
from lampyris.statistics.counting import counted_interval
from lampyris.virtual.instruments.lifetime import Counter, LifetimeTruth, virtual_decay

SIZE = 300
PULSE = np.exp(-0.5 * ((np.arange(SIZE) - 50.0) / 3.0) ** 2)
PULSE /= PULSE.sum()
KNOWN = Response(PULSE, np.zeros(SIZE))


@pytest.mark.parametrize("period", [math.inf, 320.7, 250.3])
def test_recursion_is_the_convolution(period):
    # light spread evenly over each channel, in 16 parts
    parts = 16
    t = np.arange(SIZE * parts) / parts
    sources = np.repeat(PULSE / parts, parts)
    decay = np.exp(-t / 70.0) / 70.0 / parts
    half = np.concatenate([[0.5 * decay[0]], decay[1:]])
    fine = np.convolve(sources, half)[: SIZE * parts]
    if math.isfinite(period):
        # of all earlier pulses
        weight = float((sources[: int(period) * parts] * np.exp(t[: int(period) * parts] / 70.0)).sum())
        fine = fine + weight * decay * math.exp(-period / 70.0) / -math.expm1(-period / 70.0)
    whole = fine.reshape(SIZE, parts).sum(axis=1)
    law = Exponential(70.0, period, SIZE)
    # a trapezoid rule within a channel: its error falls with the square of the parts
    np.testing.assert_allclose(law.through(PULSE), whole, rtol=1e-4, atol=1e-5 * whole.max())


def test_channels_of_a_smooth_response_are_met():
    stats = pytest.importorskip("scipy.stats")
    edges = np.arange(SIZE + 1.0)
    response = Response(np.diff(stats.norm.cdf(edges, 50.0, 3.0)), np.zeros(SIZE))
    exact = np.diff(stats.exponnorm.cdf(edges, 10.0, loc=50.0, scale=3.0))
    found = predict_decay(DecayLaw((30.0,), (1.0,)), response, channel_ns=1.0)
    # straight lines from channel to channel alone are off by 2e-3; what is left goes as the fourth power of a channel's width
    np.testing.assert_allclose(found, exact, atol=2e-4 * exact.max())


@pytest.mark.parametrize("period", [math.inf, 320.7])
def test_stretched_law_becomes_the_exponential(period):
    found = Stretched(70.0, 1.0 - 1e-9, period, SIZE).through(PULSE)
    expected = Exponential(70.0, period, SIZE).through(PULSE)
    # what is left of pulses that are not folded
    np.testing.assert_allclose(found, expected, atol=3e-5 * expected.max())


@pytest.mark.parametrize("stretch", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("lifetime", [0.3, 7.0, 400.0])
def test_the_series_of_a_stretched_law_is_its_integral(lifetime, stretch):
    lag = np.arange(400.0)
    found, by_lifetime, by_stretch = shares(lag, lifetime, stretch, slopes=True)
    exact, _ = exact_shares(lag, lifetime, stretch)
    # differences of integrals that are large beside them lose that many digits
    np.testing.assert_allclose(found, exact, atol=1e-8 * exact.max())
    step = 1e-4
    for slope, moved in ((by_lifetime * lifetime, (1.0, 0.0)), (by_stretch * stretch, (0.0, 1.0))):
        up, down = (
            exact_shares(lag, lifetime * (1.0 + sign * moved[0]), stretch * (1.0 + sign * moved[1]))[0]
            for sign in (step, -step)
        )
        np.testing.assert_allclose(slope, (up - down) / (2.0 * step), atol=1e-4 * np.abs(slope).max())


@pytest.mark.parametrize(("components", "stretched"), [(1, False), (3, False), (1, True)])
@pytest.mark.parametrize("period", [math.inf, 320.7])
def test_slopes_and_their_transpose(components, stretched, period):
    rng = np.random.default_rng(0)
    window = Window(rng.poisson(50.0, SIZE).astype(float), KNOWN, 20, 280, period)
    model = Decay(window, components, stretched, scatter=True)
    lifetimes = [8.0, 30.0, 90.0][:components]
    values = np.array([*lifetimes, *([0.7] if stretched else []), *[900.0] * components, 3.0, 1.3, 40.0])
    slopes = model.jacobian(values)
    for k, value in enumerate(values):
        step = 1e-5 * max(abs(value), 1.0)
        up, down = values.copy(), values.copy()
        up[k] += step
        down[k] -= step
        numeric = (model.expected(up) - model.expected(down)) / (2.0 * step)
        # differences of numbers of about 1e3 by steps of 1e-5
        np.testing.assert_allclose(
            slopes[:, k], numeric, atol=2e-4 * max(abs(numeric).max(), 1e-2), err_msg=model.names[k]
        )
    weights = rng.normal(size=260)
    other = KNOWN.shape * np.cos(np.arange(SIZE) / 3.0)
    # what moves between channels is limited by the shape itself, so that the step is linear near it alone
    step = 1e-4
    ends = [
        Decay(
            Window(window.counts, Response(KNOWN.shape + sign * step * other, np.zeros(SIZE)), 20, 280, period),
            components, stretched, scatter=True,
        ).expected(values)
        for sign in (1.0, -1.0)
    ]  # fmt: skip
    forward = float(weights @ (ends[0] - ends[1])) / (2.0 * step)
    # the transpose, of a shift by cubic convolution forth and back
    assert model.back(values, weights) @ other == pytest.approx(forward, rel=1e-6, abs=1e-6 * abs(weights).sum())


def test_a_steep_response_expects_no_negative_light():
    for fwhm in (1.0, 3.0, 7.0):
        shape = np.exp(-0.5 * ((np.arange(200) - 50.0) / (fwhm / 2.355)) ** 2)
        shape[shape < 1e-12] = 0.0
        sharp = sharpened(shape)
        assert sharp.min() >= 0.0
        assert sharp.sum() == pytest.approx(shape.sum(), rel=1e-12)
    # without background, a count where less than nothing is expected stopped the search at 2.5 % too long
    narrow = np.exp(-0.5 * ((np.arange(400) - 50.0) / 1.27) ** 2)
    narrow[narrow < 1e-12] = 0.0
    response = Response(narrow / narrow.sum(), np.zeros(400))
    expected = predict_decay(DecayLaw((1.0,), (1e5,)), response, channel_ns=0.1)
    seen = np.random.default_rng(1).poisson(expected).astype(float)
    found = infer_decay(Window(seen, response, 0, 400, math.inf), channel_ns=0.1)[0]
    assert found.fit.trusted
    (lifetime,) = found.lifetimes()
    # four standard errors of 1e5 photons
    assert lifetime.value == pytest.approx(1.0, abs=0.0127)


def test_shift_moves_the_centre():
    moved, slope = shifted(PULSE, 2.3)
    assert moved @ np.arange(SIZE) - PULSE @ np.arange(SIZE) == pytest.approx(2.3, abs=1e-12)
    numeric = (shifted(PULSE, 2.3 + 1e-6)[0] - shifted(PULSE, 2.3 - 1e-6)[0]) / 2e-6
    np.testing.assert_allclose(slope, numeric, atol=1e-8)


def test_means_of_a_law():
    law = DecayLaw((1.01, 3.89), (0.29 * 1.01, 0.71 * 3.89))
    assert law.amplitudes == pytest.approx((0.29, 0.71))
    assert law.amplitude_mean_ns == pytest.approx(0.29 * 1.01 + 0.71 * 3.89)
    # as published for these numbers
    assert law.intensity_mean_ns == pytest.approx(3.61, abs=0.005)
    stretched = DecayLaw((5.0,), (1.0,), 0.5)
    assert (stretched.amplitude_mean_ns, stretched.intensity_mean_ns) == pytest.approx((10.0, 30.0))


def test_variance_is_the_mean():
    expected = predict_decay(DecayLaw((20.0,), (1e4,), background=2.0), KNOWN, channel_ns=1.0)
    np.testing.assert_array_equal(variance_decay(expected), expected)


FAULTY = {"lifetimes": ((0.0,), (1.0,)), "photons": ((1.0,), (-1.0,)), "as many": ((1.0, 2.0), (1.0,))}


@pytest.mark.parametrize(("lifetimes", "photons"), FAULTY.values(), ids=FAULTY.keys())
def test_laws_that_cannot_be(lifetimes, photons):
    with pytest.raises(ValueError, match="decay law"):
        DecayLaw(lifetimes, photons)


USUAL = Counter(channels=1024, channel_ns=0.1, fwhm_ns=0.7)


def recorded(seed, truth, counter=USUAL):
    decay, response = virtual_decay(truth, counter, rng=np.random.default_rng(seed))
    found = range_of(decay)
    period = counter.period_ns / counter.channel_ns
    return Window(decay, response_from_counts(response), found.start, found.end, period), counter.channel_ns


def test_as_lmfit_fits_it():
    lmfit = pytest.importorskip("lmfit")
    window, width = recorded(3, LifetimeTruth((1.5, 6.0), (0.4, 0.6), photons=3e6))
    ours = fit_decay(window, channel_ns=width, components=2)
    shape = window.response.shape
    seen = window.seen
    parameters = lmfit.Parameters()
    for name, value in (("t1", 10.0), ("t2", 80.0), ("n1", 5e5), ("n2", 2e6), ("b", 3.0), ("s", 0.3)):
        parameters.add(name, value=value, min=0.0)

    def expected(p):
        moved = np.convolve(shifted(shape, p["s"].value)[0], [-1 / 12, 7 / 6, -1 / 12], mode="same")
        total = np.full(shape.size, p["b"].value)
        for k in "12":
            x = 1.0 / p[f"t{k}"].value
            lags = np.arange(shape.size)
            kernel = (1 - math.exp(-x)) ** 2 / x * np.exp(-(lags - 1.0) * x)
            kernel[0] = 1 - (1 - math.exp(-x)) / x
            total = total + p[f"n{k}"].value * np.convolve(moved, kernel)[: shape.size]
        return total[window.start : window.end]

    sd = np.sqrt(ours.fit.fitted[0])
    theirs = lmfit.minimize(lambda p: (expected(p) - seen) / sd, parameters)
    found = sorted(theirs.params[name].value * width for name in ("t1", "t2"))
    # weighted by the same expected counts, likelihood and least squares differ by less than a twentieth of an error
    for one, other in zip(ours.lifetimes(profile=False), found, strict=True):
        assert abs(one.value - other) < 0.05 * one.sd


def test_number_of_components_and_their_intervals():
    for truth in (LifetimeTruth((6.0,), (1.0,)), LifetimeTruth((1.5, 6.0), (0.4, 0.6))):
        window, width = recorded(5, truth)
        best = infer_decay(window, channel_ns=width)[0]
        assert best.model.components == len(truth.lifetimes_ns)
        assert not best.model.stretched
        for one, true in zip(best.lifetimes(), truth.lifetimes_ns, strict=True):
            assert one.low < one.value < one.high
            # one seed: four standard errors
            assert abs(one.value - true) < 4.0 * one.sd
        assert best.reduced_chi2().value == pytest.approx(1.0, abs=0.3)


def test_a_background_that_ends_at_none_is_a_limit():
    counter = replace(USUAL, repetition_mhz=9.0)
    window, width = recorded(0, LifetimeTruth((20.0,), (1.0,), photons=3e4, background=0.0), counter)
    found = fit_decay(window, channel_ns=width, components=1)
    background = found.supported("background")
    assert found.fit.at_bound == ("background",)
    assert (background.value, background.low) == (0.0, 0.0)
    assert 0.0 < background.sd < background.high < 0.2
    # held at none it would have been 1.3, in channels
    assert found.fit["lifetime 1"].sd > 1.8
    assert mean_over([found], "intensity") == found.mean("intensity")


def test_empty_channels_allow_what_counting_allows():
    rng, channels = np.random.default_rng(5), 1024
    response = response_from_counts(
        rng.poisson(2e4 * np.exp(-0.5 * ((np.arange(channels) - 100) / 3) ** 2)).astype(float)
    )
    arrivals = rng.normal(100.5, 3.0, 40_000) + rng.exponential(10.0, 40_000)
    counts = np.histogram(arrivals, bins=np.arange(channels + 1))[0].astype(float)
    found = fit_decay(Window(counts, response, 0, channels, math.inf), channel_ns=0.1, components=1)
    background = found.supported("background")
    assert (background.value, background.low) == (0.0, 0.0)
    # the highest mean of a Poisson number of which none came, after the last count, in so many channels
    allowed, empty = counted_interval(0)[1], channels - 1 - int(np.flatnonzero(counts)[-1])
    assert allowed / channels < background.high < allowed / empty


def test_a_background_is_as_uncertain_as_what_few_counts_of_it_tell():
    # none and two counts in 90 empty channels before the pulse, and nothing later
    response = response_from_counts(np.round(1e6 * np.exp(-0.5 * ((np.arange(300) - 100) / 3) ** 2)))
    light = predict_decay(DecayLaw((10.0,), (1e5,)), response, channel_ns=1.0)
    for number in (0, 2):
        counts = np.round(light)
        counts[:90] = 0.0
        counts[[20, 60][:number]] = 1.0
        background = fit_decay(Window(counts, response, 0, 130, math.inf), channel_ns=1.0, components=1).supported(
            "background"
        )
        # channels beside the pulse, where light is weak, tell a little as well
        assert background.high == pytest.approx(counted_interval(number)[1] / 90, rel=0.1)


def test_noise_of_the_response_widens_intervals():
    few = replace(USUAL, response_photons=3e3)
    truth = LifetimeTruth((1.5, 6.0), (0.4, 0.6), photons=3e6)
    noisy, clean = (
        fit_decay(recorded(1, truth, one)[0], channel_ns=0.1, components=2)
        for one in (few, replace(USUAL, response_photons=1e8))
    )
    assert noisy.fit["lifetime 1"].sd > 1.5 * clean.fit["lifetime 1"].sd


def test_uneven_channels_are_seen_and_widen_intervals():
    truth = LifetimeTruth((6.0,), (1.0,), photons=3e6)
    even, uneven = (
        fit_decay(
            recorded(1, truth, replace(USUAL, response_photons=1e6, unevenness=u))[0], channel_ns=0.1, components=1
        )
        for u in (0.0, 0.01)
    )
    # of some 300 channels with 10,000 photons and more: a standard error of about 5 %
    assert uneven.unevenness == pytest.approx(0.01, rel=0.2)
    assert even.unevenness < 0.004
    assert uneven.fit["shift"].sd > 1.2 * even.fit["shift"].sd


def test_what_all_laws_have_is_averaged_over_them():
    window, width = recorded(3, LifetimeTruth((6.0,), (1.0,)))
    one = fit_decay(window, channel_ns=width, components=1)
    other = fit_decay(window, channel_ns=width, components=1, stretched=True)
    alone = shift_over([one])
    assert (alone.value, alone.high) == (one.fit["shift"].value * width, one.fit["shift"].high * width)
    assert background_over([one]) == one.supported("background")
    both = [replace(one, criterion=0.0), replace(other, criterion=0.0)]
    assert all(law.borne for law in both) == (shift_over(both).method != alone.method)


def test_a_mean_of_a_stretched_law_ends_where_no_exponent_is_above_one():
    window, width = recorded(14, LifetimeTruth((6.0,), (1.0,), photons=3e5))
    fit = fit_decay(window, channel_ns=width, components=1, stretched=True)
    one = fit_decay(window, channel_ns=width, components=1)
    apart = (1.0 - fit.fit["stretch"].value) / fit.fit["stretch"].sd
    assert 0.0 < apart < 1.96
    mean, known = fit.mean("intensity"), one.mean("intensity")
    # a smaller exponent makes a longer mean: the lower end lies along the exponential law, whose deviance is higher already
    assert mean.low == pytest.approx(known.value - math.sqrt(1.96**2 - apart**2) * known.sd, abs=0.2 * known.sd)
    assert mean.high - mean.value == pytest.approx(1.96 * mean.sd, rel=0.01)


def test_the_noise_of_a_response_is_no_misfit():
    truth = LifetimeTruth((2.0,), (1.0,), photons=3e6, scatter_share=0.1)
    counter = replace(USUAL, response_photons=3e4)
    fits = [
        fit_decay(recorded(seed, truth, counter)[0], channel_ns=0.1, components=1, scatter=True) for seed in range(4)
    ]
    for fit in fits:
        slopes = fit.model.by_response(fit.fit.values, np.flatnonzero(fit.model.window.response.variance))
        assert slopes.shape == (
            fit.model.window.end - fit.model.window.start,
            np.count_nonzero(fit.model.window.response.variance),
        )
        chi2, drawn = fit.reduced_chi2(), float(drawn_residuals(fit.model, fit.fit)[0].sum())
        # a fifth more than 1, and as much as is said within four standard errors
        assert drawn > 0.2 * fit.fit.goodness.degrees
        assert abs(chi2.value - 1.0 - drawn / fit.fit.goodness.degrees) < 4.0 * chi2.sd
        assert fit.unevenness < 0.01


def test_a_tail_begins_later_the_more_photons_there_are():
    found = [
        range_of(
            virtual_decay(LifetimeTruth((20.0,), (1.0,), photons=n), USUAL, rng=np.random.default_rng(1))[0], tail=True
        )
        for n in (1e4, 3e6)
    ]
    waits = [(one.start - one.peak) / one.rise for one in found]
    # of a slow tail 3 % strong: a factor of e for each rise
    assert waits[1] - waits[0] == pytest.approx(0.5 * math.log(300.0), abs=0.4)
    short = range_of(virtual_decay(LifetimeTruth((0.5,), (1.0,)), USUAL, rng=np.random.default_rng(1))[0], tail=True)
    assert short.start - short.peak < 3 * short.rise


def test_a_law_moves_with_its_counts_as_is_said():
    window, width = recorded(2, LifetimeTruth((6.0,), (1.0,), background=0.5))
    fit = fit_decay(window, channel_ns=width, components=1)
    beside = beside_of(fit, 0, window.counts.size, window.counts.size + 100)
    more = np.zeros(window.counts.size)
    # so few more that slopes tell what they do
    more[window.start + 200 : window.start + 240] = 0.2
    again = fit_decay(replace(window, counts=window.counts + more), channel_ns=width, components=1)
    other = beside_of(again, 0, window.counts.size, window.counts.size + 100)
    moved = beside.slopes @ beside.by_count @ more
    said = [other.background - beside.background, other.shift - beside.shift, *(other.later - beside.later)]
    # the bend over so small a step, and how far a search goes
    assert moved == pytest.approx(said, rel=0.02, abs=1e-3 * np.abs(moved).max())


def test_phasor_of_one_lifetime_lies_on_the_circle():
    window, width = recorded(2, LifetimeTruth((6.0,), (1.0,), background=0.5))
    fit = fit_decay(window, channel_ns=width, components=1)
    size = window.counts.size
    known = {"channel_ns": width, "frequency_mhz": 20.0}
    found = phasor_of(
        window.counts, window.response.shape, **known, beside=beside_of(fit, 0, size, size),
        response_variance=window.response.variance,
    )  # fmt: skip
    assert abs(found.phase_ns.value - 6.0) < 4.0 * found.phase_ns.sd
    assert abs(found.modulation_ns.value - 6.0) < 4.0 * found.modulation_ns.sd
    assert (found.g.value - 0.5) ** 2 + found.s.value**2 == pytest.approx(0.25, abs=0.005)
    # two lifetimes after the pulse the record ends
    end = int(window.response.shape.argmax()) + round(12.0 / width)
    known["response_variance"] = window.response.variance[:end]
    short, whole = (
        phasor_of(window.counts[:end], window.response.shape[:end], **known, beside=beside_of(fit, 0, end, last))
        for last in (end, size + 500)
    )
    assert abs(short.phase_ns.value - 6.0) > 20.0 * short.phase_ns.sd
    assert abs(whole.phase_ns.value - 6.0) < 4.0 * whole.phase_ns.sd
