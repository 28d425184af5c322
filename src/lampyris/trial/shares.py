"""Shares, medians and calibration of cases that come in animals: days, views and lesions of one animal are not independent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lampyris.core.seeds import seed_sequence
from lampyris.statistics.intervals import clopper_pearson_interval

RESAMPLES = 2000
BINS = 10
# whose, and whether it holds
Case = tuple[str, bool]
# whose, the probability that was stated, and whether it came true
Stated = tuple[str, float, bool]
Item = TypeVar("Item")


def share(cases: Sequence[Case], /) -> float | None:
    """Share of the cases that hold; None without cases."""
    return sum(hit for _, hit in cases) / len(cases) if cases else None


def share_interval(cases: Sequence[Case], /) -> list[float] | None:
    """95 % interval of a share.

    Animals are resampled (percentiles of 2000 draws); where every case is alike, which resampling cannot judge, the exact
    binomial interval with one case per animal is taken.

    Parameters
    ----------
    cases : sequence of (animal, hit)

    Returns
    -------
    list of float or None
        Low and high end; None without cases.
    """
    if not cases:
        return None
    animals: dict[str, list[bool]] = {}
    for animal, hit in cases:
        animals.setdefault(animal, []).append(hit)
    hits = np.array([sum(one) for one in animals.values()], float)
    sizes = np.array([len(one) for one in animals.values()], float)
    if hits.sum() in (0.0, sizes.sum()):
        exact = clopper_pearson_interval(len(animals) if hits.sum() else 0, len(animals), level=0.95)
        return [exact.low, exact.high]
    rng = np.random.default_rng(seed_sequence("resampling", "score"))
    draws = rng.integers(len(animals), size=(RESAMPLES, len(animals)))
    shares = hits[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return [float(low), float(high)]


def resampled_interval(
    items: Sequence[tuple[str, Item]], figure: Callable[[list[Item]], float], /
) -> tuple[float, float] | None:
    """95 % percentile interval of any figure of the items, animals resampled.

    Parameters
    ----------
    items : sequence of (animal, item)
    figure : callable
        From the items to the figure.

    Returns
    -------
    (low, high) or None
        None with fewer than two animals.
    """
    animals: dict[str, list[Item]] = {}
    for animal, item in items:
        animals.setdefault(animal, []).append(item)
    if len(animals) < 2:
        return None
    groups = list(animals.values())
    rng = np.random.default_rng(seed_sequence("resampling", "figure"))
    draws = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    values = [figure([item for index in draw for item in groups[index]]) for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Statements of nearly the same probability.

    Parameters
    ----------
    low, high : float
        Range of stated probabilities, the upper end included.
    stated : float
        Their mean.
    right : float
        Share that came true.
    right_low, right_high : float
        Its 95 % interval, animals resampled.
    n : int
    """

    low: float
    high: float
    stated: float
    right: float
    right_low: float
    right_high: float
    n: int


def calibration_bins(stated: Sequence[Stated], /, *, bins: int = BINS) -> tuple[CalibrationBin, ...]:
    """Stated probabilities beside what came true, in bins of equal width; empty bins are left out.

    Parameters
    ----------
    stated : sequence of (animal, probability, hit)
    bins : int

    Examples
    --------
    >>> one = calibration_bins([("a", 0.9, True), ("b", 0.9, False)])[0]
    >>> one.stated, one.right, one.n
    (0.9, 0.5, 2)
    """
    found = []
    for index in range(bins):
        low, high = index / bins, (index + 1) / bins
        # a probability on an edge belongs below, so that 1 is in the last bin
        inside = [one for one in stated if low < one[1] <= high or (index == 0 and one[1] == 0.0)]
        if not inside:
            continue
        cases = [(animal, hit) for animal, _, hit in inside]
        interval = share_interval(cases) or [math.nan, math.nan]
        mean = sum(one[1] for one in inside) / len(inside)
        right = sum(hit for _, hit in cases) / len(cases)
        found.append(CalibrationBin(low, high, mean, right, interval[0], interval[1], len(inside)))
    return tuple(found)


def expected_calibration_error(stated: Sequence[Stated], /) -> float | None:
    """Mean distance between stated probability and share right over `calibration_bins`, weighted by their cases.

    References
    ----------
    Naeini, Cooper & Hauskrecht 2015, Proc. AAAI 29, 2901, doi:10.1609/aaai.v29i1.9602.

    Examples
    --------
    >>> expected_calibration_error([("a", 0.75, True), ("a", 0.75, True), ("b", 0.75, True), ("b", 0.75, False)])
    0.0
    """
    if not stated:
        return None
    return sum(one.n * abs(one.stated - one.right) for one in calibration_bins(stated)) / len(stated)


def confidence_gap(stated: Sequence[tuple[float, bool]], /) -> float:
    """Distance between the mean stated probability and the share that came true; NaN without cases.

    Examples
    --------
    >>> confidence_gap([(0.5, True), (1.0, True)])
    0.25
    """
    if not stated:
        return math.nan
    return abs(sum(probability for probability, _ in stated) - sum(hit for _, hit in stated)) / len(stated)


def median(values: Sequence[float], /) -> float | None:
    """Median of the finite values; None without any."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.median(finite)) if finite else None
