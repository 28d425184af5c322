"""Two lifetimes behind a measured response in 4,096 channels, beside lmfit with NumPy's convolution."""

import math
import statistics

import numpy as np

from lampyris.bench.lifetime import Window, fit_decay, range_of, response_from_counts
from lampyris.bench.lifetime.response import sharpened, shifted_response
from lampyris.virtual.instruments.lifetime import Counter, LifetimeTruth, virtual_decay
from speed.measurement import Measurement, alternate, compared, core_seconds, one_core

ROW = "tcspc-fit"
PEER = "lmfit with numpy.convolve"
GOAL_S = 0.3
COUNTER = Counter(channels=4096, channel_ns=0.0274)
PART = "4096 channels, 2 lifetimes, response shifted, Poisson likelihood, support-plane intervals"
FIT = "the fit alone from the same start of the shift"
# of the lifetimes' standard errors
AGREEMENT = 0.1
REWEIGHTED = 2


def measure() -> list[Measurement]:
    """The fit with its intervals against its time; the fit alone against the peer's."""
    truth = LifetimeTruth((1.0, 4.0), (0.3, 0.7))
    decay, response = virtual_decay(truth, COUNTER, rng=np.random.default_rng(1))
    found = range_of(decay, until=0.0)
    window = Window(decay, response_from_counts(response), found.start, found.end)

    def whole() -> object:
        return fit_decay(window, channel_ns=COUNTER.channel_ns, components=2).lifetimes()

    whole()
    with one_core():
        took = statistics.median(core_seconds(whole) for _ in range(5))
    return [Measurement(ROW, PART, "", f"{GOAL_S:g} s", ours_s=took, held=took <= GOAL_S), _beside_peer(window)]


def _beside_peer(window: Window) -> Measurement:
    try:
        import lmfit
    except ImportError:
        return Measurement(ROW, FIT, PEER, "1 x", note="the peer lmfit is not installed; `make test` installs it")
    ours = fit_decay(window, channel_ns=1.0, components=2)
    lags = np.arange(window.counts.size)

    def off(p: "lmfit.Parameters", sd: np.ndarray) -> np.ndarray:
        # both read the response alike
        moved = sharpened(shifted_response(window.response.shape, p["s"].value)[0])
        # the response ends early: a short one makes the peer's convolution as fast as it can be
        lit = np.flatnonzero(moved)
        first, last = int(lit[0]), int(lit[-1]) + 1
        total = np.full(window.counts.size, p["b"].value)
        for k in "12":
            x = 1.0 / p[f"t{k}"].value
            kernel = (1 - math.exp(-x)) ** 2 / x * np.exp(-(lags - 1.0) * x)
            kernel[0] = 1 - (1 - math.exp(-x)) / x
            total[first:] += (
                p[f"n{k}"].value * np.convolve(moved[first:last], kernel[: kernel.size - first])[: kernel.size - first]
            )
        return (total[window.start : window.end] - window.seen) / sd

    start = (("t1", 20.0), ("t2", 200.0), ("n1", 2e5), ("n2", 8e5), ("b", 1.0), ("s", 1.0))

    def peer() -> "lmfit.minimizer.MinimizerResult":
        parameters = lmfit.Parameters()
        for name, value in start:
            parameters.add(name, value=value, min=0.0)
        # likelihood by least squares: weighted by the counts, then by what the fit before expects. Where channels hold few counts
        # the first is far too low, and what the second weighs by it still is.
        sd = np.sqrt(np.maximum(window.seen, 1.0))
        found = lmfit.minimize(off, parameters, args=(sd,))
        for _ in range(REWEIGHTED):
            sd = np.sqrt(np.maximum(window.seen + sd * found.residual, 0.1))
            found = lmfit.minimize(off, found.params, args=(sd,))
        return found

    theirs = sorted(peer().params[name].value for name in ("t1", "t2"))
    agree = all(
        abs(one.value - other) < AGREEMENT * one.sd
        for one, other in zip(ours.lifetimes(profile=False), theirs, strict=True)
    )
    times = alternate(lambda: fit_decay(window, channel_ns=1.0, components=2, start_shift=1.0), peer, rounds=5)
    return compared(ROW, FIT, PEER, times, goal_ratio=1.0, agree=agree)
