"""Power by simulation, which checks the formulas: experiments are drawn as the question assumes, and tested."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.statistics.onset.logrank import logrank
from lampyris.statistics.onset.times import times_of_events
from lampyris.statistics.power.onsets import OnsetPlan, interval_onset_power
from lampyris.statistics.power.question import PowerQuestion, Sizes, pattern
from lampyris.statistics.power.shares import boschloo_p, fisher_p

P = NDArray[np.float64]


def simulated_power(q: PowerQuestion, sizes: Sizes, effect: float, /) -> Estimate:
    """Share of simulated experiments that come out.

    Parameters
    ----------
    q : PowerQuestion
        `simulations` and `seed` say how many, and what they are drawn from.
    sizes : tuple of int
        Units per group.
    effect : float

    Returns
    -------
    Estimate
        With the exact interval of the simulation's own error.
    """
    rng = np.random.default_rng(q.seed)
    if q.kind == "onset":
        plan = OnsetPlan(q.control, q.days, q.shape)
        return interval_onset_power(
            (sizes[0], sizes[1]), effect, plan, alpha=q.test_alpha, simulations=q.simulations, seed=q.seed
        )
    p = _DRAWN[q.kind](q, sizes, effect, rng)
    return clopper_pearson_interval(int((p <= q.test_alpha).sum()), q.simulations)


def _normal(q: PowerQuestion, n: int, mean: float, sd: float, rng: np.random.Generator) -> P:
    return rng.normal(mean, sd, (q.simulations, n))


def _two(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import stats  # takes more than half a second to import

    first = _normal(q, n[0], 0.0, q.sd, rng)
    second = _normal(q, n[1], effect, q.sd if q.second_sd is None else q.second_sd, rng)
    return np.asarray(stats.ttest_ind(first, second, axis=1, equal_var=q.second_sd is None).pvalue)


def _paired(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import stats

    return np.asarray(stats.ttest_1samp(_normal(q, n[0], effect, q.sd, rng), 0.0, axis=1).pvalue)


def _anova(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import stats

    samples = [_normal(q, m, mean, q.sd, rng) for m, mean in zip(n, pattern(q, effect), strict=True)]
    test = stats.f_oneway if q.kind == "anova" else stats.kruskal
    return np.asarray(test(*samples, axis=1).pvalue)


def _correlation(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import special

    x = _normal(q, n[0], 0.0, 1.0, rng)
    y = effect * x + math.sqrt(1 - effect**2) * _normal(q, n[0], 0.0, 1.0, rng)
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    r = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    t = r * np.sqrt((n[0] - 2) / (1 - r * r))
    return np.asarray(2 * special.stdtr(n[0] - 2, -np.abs(t)))


def _equivalence(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import special

    first, second = _normal(q, n[0], 0.0, q.sd, rng), _normal(q, n[1], q.difference, q.sd, rng)
    df = n[0] + n[1] - 2
    squares = sum(((one - one.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for one in (first, second))
    error = np.sqrt(squares / df * (1 / n[0] + 1 / n[1]))
    difference = second.mean(axis=1) - first.mean(axis=1)
    return np.asarray(np.maximum(*(special.stdtr(df, (sign * difference - effect) / error) for sign in (1.0, -1.0))))


def _shares(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    table = (fisher_p if q.test == "fisher" else boschloo_p)((n[0], n[1]))
    return np.asarray(table[rng.binomial(n[0], q.control, q.simulations), rng.binomial(n[1], effect, q.simulations)])


def _logrank(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    groups = ["control"] * n[0] + ["other"] * n[1]
    ratio = np.repeat([1.0, effect], n)
    end = max(q.days)
    p = np.ones(q.simulations)
    for k in range(q.simulations):
        onset = q.control * (rng.exponential(size=ratio.size) / (math.log(2) * ratio)) ** (1 / q.shape)
        test = logrank(times_of_events(np.minimum(onset, end), onset <= end), groups)
        p[k] = test.p if math.isfinite(test.p) else 1.0
    return p


def _nested(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import stats

    means = []
    for m, mean in zip(n, (0.0, effect), strict=True):
        animals = rng.normal(mean, q.sd, (q.simulations, m, 1))
        values = animals + rng.normal(0.0, q.sd_within, (q.simulations, m, q.inside))
        means.append(values.mean(axis=2))
    return np.asarray(stats.ttest_ind(*means, axis=1).pvalue)


def _auc(q: PowerQuestion, n: Sizes, effect: float, rng: np.random.Generator) -> P:
    from scipy import special, stats

    shift = math.sqrt(2) * float(special.ndtri(effect))
    test = stats.mannwhitneyu(
        _normal(q, n[0], shift, 1.0, rng), _normal(q, n[1], 0.0, 1.0, rng), axis=1, method="asymptotic"
    )
    return np.asarray(test.pvalue)


_DRAWN: dict[str, Callable[[PowerQuestion, Sizes, float, np.random.Generator], P]] = {
    "two-sample": _two,
    "paired": _paired,
    "anova": _anova,
    "kruskal": _anova,
    "correlation": _correlation,
    "equivalence": _equivalence,
    "shares": _shares,
    "log-rank": _logrank,
    "nested": _nested,
    "auc": _auc,
}
