"""Power of tests of an onset: log-rank by Schoenfeld's formula, and intervals between sessions by simulation.

References
----------
Schoenfeld 1981, Biometrika 68:316, doi:10.1093/biomet/68.1.316.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.statistics.onset.score_test import large_sample_score_test
from lampyris.statistics.onset.times import OnsetTimes


def event_share(median: float, follow_up: float, /, *, hazard_ratio: float = 1.0, shape: float = 1.0) -> float:
    """Share of animals with the event by the end, where all are followed as long.

    Parameters
    ----------
    median : float
        Day by which half of the control animals have the event.
    follow_up : float
        Last day.
    hazard_ratio : float
        Of the group against the control.
    shape : float
        Of the Weibull law; 1 is a constant hazard.

    Returns
    -------
    float

    Examples
    --------
    >>> event_share(14.0, 14.0), round(event_share(14.0, 28.0, hazard_ratio=0.5), 3)
    (0.5, 0.5)
    """
    return -math.expm1(-math.log(2) * hazard_ratio * (follow_up / median) ** shape)


def logrank_power(
    n: tuple[float, float], hazard_ratio: float, shares: tuple[float, float], /, *, alpha: float = 0.05
) -> float:
    """Power of the two-sided log-rank test.

    Parameters
    ----------
    n : (float, float)
        Animals in the control and in the other group.
    hazard_ratio : float
        Of the other group against the control.
    shares : (float, float)
        Animals with the event by the end, as `event_share`.
    alpha : float

    Returns
    -------
    float
        By Schoenfeld's formula, which the number of events alone enters. It is for hazard ratios near 1 and many events; with
        a dozen events or fewer, simulate.

    Examples
    --------
    >>> round(logrank_power((50, 50), 0.5, (0.7, 0.5)), 3)
    0.766
    """
    events = n[0] * shares[0] + n[1] * shares[1]
    part = n[0] / (n[0] + n[1])
    drift = abs(math.log(hazard_ratio)) * math.sqrt(events * part * (1 - part))
    z = float(special.ndtri(1 - alpha / 2))
    return float(special.ndtr(drift - z) + special.ndtr(-drift - z))


@dataclass(frozen=True, slots=True)
class OnsetPlan:
    """How onsets come, and when animals are looked at.

    Parameters
    ----------
    median : float
        Day by which half of the control animals have the event.
    days : tuple of float
        Of the sessions; all animals share them.
    shape : float
        Of the Weibull law; 1 is a constant hazard.
    loss : float
        Share of the animals that leave before the end, after a session drawn evenly.
    """

    median: float
    days: tuple[float, ...]
    shape: float = 1.0
    loss: float = 0.0


def drawn_onsets(n: tuple[int, int], hazard_ratio: float, plan: OnsetPlan, rng: np.random.Generator, /) -> OnsetTimes:
    """Onsets of two groups as sessions would see them.

    Parameters
    ----------
    n : (int, int)
        Animals in the control and in the other group.
    hazard_ratio : float
        Of the other group against the control.
    plan : OnsetPlan
    rng : Generator

    Returns
    -------
    OnsetTimes
        The control's first.
    """
    count = n[0] + n[1]
    ratio = np.repeat([1.0, hazard_ratio], n)
    onset = plan.median * (rng.exponential(size=count) / (math.log(2) * ratio)) ** (1 / plan.shape)
    looks = np.unique(np.concatenate([[0.0], np.asarray(plan.days, dtype=np.float64)]))
    last = np.where(rng.random(count) < plan.loss, rng.integers(1, looks.size, count), looks.size - 1)
    first_seen = np.searchsorted(looks, onset)
    seen = first_seen <= last
    low = np.where(seen, looks[np.minimum(first_seen, looks.size) - 1], looks[last])
    high = np.where(seen, looks[np.minimum(first_seen, looks.size - 1)], np.inf)
    return OnsetTimes(low, high)


def interval_onset_power(
    n: tuple[int, int],
    hazard_ratio: float,
    plan: OnsetPlan,
    /,
    *,
    alpha: float = 0.05,
    simulations: int = 500,
    seed: int = 1,
) -> Estimate:
    """Power of the permutation test of an onset that is seen in sessions only, by simulation.

    Parameters
    ----------
    n, hazard_ratio, plan
        As `drawn_onsets`.
    alpha : float
    simulations : int
        Experiments drawn.
    seed : int
        What they are drawn from.

    Returns
    -------
    Estimate
        Share of experiments that come out, with its exact interval: the error of the simulation, not of the assumptions.
        Experiments are judged by the large-sample tail of the same statistic, which keeps to alpha from about five a group.
    """
    groups = ["control"] * n[0] + ["other"] * n[1]
    found = 0
    for rng in np.random.default_rng(seed).spawn(simulations):
        times = drawn_onsets(n, hazard_ratio, plan, rng)
        found += bool(times.seen.any() and large_sample_score_test(times, groups).p <= alpha)
    return clopper_pearson_interval(found, simulations)
