"""Two release curves beside each other: similarity factors with their rules, and whether a condition triggers the release."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.probe.release.profile import Array, ReleaseProfile, mean_dissolution_time, time_means

PAST_PERCENT = 85.0
LEAST_VESSELS = 12
_LEAST_POINTS = 3
_RAPID_H = 0.25


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity of a test curve to a reference.

    Parameters
    ----------
    reference, test : str
    times_h : tuple of float
        Times that were compared.
    f1 : float
        Difference factor in percent; NaN where too few times can be compared.
    f2 : Estimate
        Similarity factor, with its bootstrap interval over the vessels; unbounded without replicates.
    verdict : str
        ``similar`` where the interval lies at or above 50, ``different`` where it lies below, else ``undecided``.
    vessels : (int, int)
        Of reference and test.
    notes : tuple of str
        Rules that the data do not meet.
    """

    reference: str
    test: str
    times_h: tuple[float, ...]
    f1: float
    f2: Estimate
    verdict: str
    vessels: tuple[int, int]
    notes: tuple[str, ...]


def difference_factor(reference: Array, test: Array, /) -> float:
    """f1: sum of absolute differences as percent of the reference's sum; 0 for equal curves, up to 15 for alike ones.

    References
    ----------
    Moore & Flanner 1996, Pharm Technol 20(6):64.

    Examples
    --------
    >>> difference_factor(np.array([20.0, 40.0, 60.0]), np.array([22.0, 38.0, 66.0]))
    8.333333333333334
    """
    return float(100.0 * np.abs(reference - test).sum() / reference.sum())


def similarity_factor(reference: Array, test: Array, /) -> float:
    """f2: 100 for equal curves, 50 for a mean difference of 10 % at every time.

    References
    ----------
    Moore & Flanner 1996, Pharm Technol 20(6):64; Shah et al. 1998, Pharm Res 15:889, doi:10.1023/A:1011976615750.

    Examples
    --------
    >>> curve = np.array([20.0, 40.0, 60.0])
    >>> similarity_factor(curve, curve), round(similarity_factor(curve, curve + 10), 1)
    (100.0, 49.9)
    """
    return float(50.0 * np.log10(100.0 / np.sqrt(1.0 + np.mean((reference - test) ** 2, axis=-1))))


def compare_profiles(
    reference: ReleaseProfile,
    test: ReleaseProfile,
    /,
    *,
    rng: np.random.Generator,
    draws: int = 2000,
    level: float = 0.90,
) -> Similarity:
    """Similarity factors of two curves, by the rules.

    Parameters
    ----------
    reference, test : ReleaseProfile
    rng : numpy.random.Generator
    draws : int
        Of the bootstrap.
    level : float
        Of the interval; 90 % is what a limit at 50 is judged by.

    Returns
    -------
    Similarity

    Notes
    -----
    Times after 0 that both curves have, up to the first at which both means lie above 85 %: at most one such time, since a long
    plateau makes any two curves alike. The rules ask for 12 units, a coefficient of variation of at most 20 % at the first time and
    10 % later; what is not met is said. The interval draws whole vessels anew in each curve (bias-corrected and accelerated).

    References
    ----------
    Shah et al. 1998, doi:10.1023/A:1011976615750; Efron 1987, J Am Stat Assoc 82:171, doi:10.1080/01621459.1987.10478410.
    """
    times, notes = _compared_times(reference, test)
    name = f"bootstrap over vessels (BCa, {draws} draws)"
    if len(times) < _LEAST_POINTS:
        told = f"{len(times)} times can be compared, and f1 and f2 need {_LEAST_POINTS}."
        nothing = Estimate(math.nan, math.nan, -math.inf, math.inf, level, "1", "too few times")
        sizes = (len(reference.vessels), len(test.vessels))
        return Similarity(reference.name, test.name, times, math.nan, nothing, "undecided", sizes, (*notes, told))
    means = [np.array([_mean_at(one, time) for time in times]) for one in (reference, test)]
    tables = [_vessel_table(one, times) for one in (reference, test)]
    notes += [note for one, table in zip((reference, test), tables, strict=True) for note in _spread_notes(one, table)]
    value = similarity_factor(*means)
    sizes = (len(tables[0]), len(tables[1]))
    if min(sizes) < 2:
        f2 = Estimate(value, math.nan, -math.inf, math.inf, level, "1", "no replicate vessels: no interval")
        notes.append("without replicate vessels f2 has no interval, and a value alone does not show similarity.")
    else:
        f2 = _bootstrap(value, tables[0], tables[1], rng, draws, level, name)
    if min(sizes) < LEAST_VESSELS:
        notes.append(
            f"the rules ask for {LEAST_VESSELS} units of each, and there are {sizes[0]} and {sizes[1]}: a bootstrap of few vessels is "
            "too narrow."
        )
    verdict = "similar" if f2.low >= 50 else "different" if f2.high < 50 else "undecided"
    f1 = difference_factor(*means) if means[0].sum() > 0 else math.nan
    return Similarity(reference.name, test.name, times, f1, f2, verdict, sizes, tuple(notes))


def _compared_times(reference: ReleaseProfile, test: ReleaseProfile) -> tuple[tuple[float, ...], list[str]]:
    by_time = [{one.time_h: one.mean for one in time_means(curve) if one.time_h > 0} for curve in (reference, test)]
    shared = sorted(by_time[0].keys() & by_time[1].keys())
    notes = []
    if len(shared) < max(len(by_time[0]), len(by_time[1])):
        notes.append("times that only one of the curves has are not compared.")
    kept: list[float] = []
    for time in shared:
        kept.append(time)
        if min(one[time] for one in by_time) > PAST_PERCENT:
            break
    if len(kept) < len(shared):
        notes.append(
            f"{len(shared) - len(kept)} later times are left out: one time past {PAST_PERCENT:g} % is the most that counts."
        )
    if kept and kept[-1] <= _RAPID_H and min(one[kept[-1]] for one in by_time) > PAST_PERCENT:
        notes.append("both release more than 85 % within 15 min: they count as similar without f2.")
    return tuple(kept), notes


def _mean_at(profile: ReleaseProfile, time: float) -> float:
    return float(profile.released[profile.time_h == time].mean())


def _vessel_table(profile: ReleaseProfile, times: Sequence[float]) -> Array:
    """Percent released, dims (vessel, time), of vessels that have every time."""
    rows = []
    for name in profile.vessels:
        own = profile.of_vessel(name)
        known = dict(zip(own.time_h.tolist(), own.released.tolist(), strict=True))
        if all(time in known for time in times):
            rows.append([known[time] for time in times])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(times))


def _spread_notes(profile: ReleaseProfile, table: Array) -> list[str]:
    notes = []
    if len(table) < len(profile.vessels):
        notes.append(
            f"{profile.name}: {len(profile.vessels) - len(table)} vessels lack a time and are not drawn in the bootstrap."
        )
    if len(table) > 1:
        mean = table.mean(axis=0)
        variation = 100.0 * table.std(axis=0, ddof=1) / np.where(mean > 0, mean, np.nan)
        limits = np.where(np.arange(mean.size) == 0, 20.0, 10.0)
        over = int((variation > limits).sum())
        if over:
            notes.append(
                f"{profile.name}: vessels vary by more than the rules allow at {over} time{'s' if over > 1 else ''} (20 % at the first, "
                "10 % later): read the interval, not f2 alone."
            )
    return notes


def _bootstrap(
    value: float, reference: Array, test: Array, rng: np.random.Generator, draws: int, level: float, name: str
) -> Estimate:
    """Bias-corrected and accelerated interval; vessels are drawn within each curve."""
    drawn = [table[rng.integers(0, len(table), (draws, len(table)))].mean(axis=1) for table in (reference, test)]
    factors = np.sort(_factors(drawn[0], drawn[1]))
    point = float(_factors(reference.mean(axis=0), test.mean(axis=0)))
    below = (np.count_nonzero(factors < point) + 0.5 * np.count_nonzero(factors == point)) / draws
    lean = float(special.ndtri(min(max(below, 0.5 / draws), 1 - 0.5 / draws)))
    bend = _acceleration(reference, test)
    ends = []
    for tail in (0.5 * (1 - level), 0.5 * (1 + level)):
        moved = lean + float(special.ndtri(tail))
        share = float(special.ndtr(lean + moved / (1.0 - bend * moved)))
        ends.append(float(np.quantile(factors, share)))
    low, high = min(ends[0], value), max(ends[1], value)
    return Estimate(value, float(factors.std(ddof=1)), low, high, level, "1", name)


def _factors(reference: Array, test: Array) -> Array:
    return np.asarray(50.0 * np.log10(100.0 / np.sqrt(1.0 + np.mean((reference - test) ** 2, axis=-1))))


def _acceleration(reference: Array, test: Array) -> float:
    """From leaving each vessel out once."""
    found = []
    for own, other, flipped in ((reference, test, False), (test, reference, True)):
        if len(own) < 2:
            continue
        left = (own.sum(axis=0) - own) / (len(own) - 1)
        rest = other.mean(axis=0)
        values = _factors(rest, left) if flipped else _factors(left, rest)
        found.append((len(own) - 1) * (values.mean() - values) / len(own))
    influence = np.concatenate(found)
    spread = float((influence**2).sum())
    return float((influence**3).sum() / (6.0 * spread**1.5)) if spread > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """Release under one condition beside another, such as pH 5.0 beside pH 7.4.

    Parameters
    ----------
    resting, triggered : str
        Names of the two curves.
    at_h : float
        When they are compared.
    difference : Estimate
        Percent released, triggered less resting.
    mean_time_difference : Estimate
        Mean dissolution time, triggered less resting, in h; NaN where nothing came out of a vessel.
    verdict : str
        ``more``, ``less`` or ``not told apart``, by whether the interval of `difference` holds 0.
    notes : tuple of str
    """

    resting: str
    triggered: str
    at_h: float
    difference: Estimate
    mean_time_difference: Estimate
    verdict: str
    notes: tuple[str, ...]


def compare_conditions(
    resting: ReleaseProfile, triggered: ReleaseProfile, /, *, at_h: float | None = None, level: float = 0.95
) -> Trigger:
    """Whether a condition changes the release, with vessels as the unit.

    Parameters
    ----------
    resting, triggered : ReleaseProfile
    at_h : float, optional
        Time of the comparison, which must be measured in both; the last such time otherwise. Choose it before you look.
    level : float

    Returns
    -------
    Trigger
        Intervals are Welch's.

    Raises
    ------
    ValueError
        If the curves share no such time.
    """
    shared = sorted({float(t) for t in resting.time_h} & {float(t) for t in triggered.time_h} - {0.0})
    if not shared or (at_h is not None and at_h not in shared):
        wanted = "a time after 0" if at_h is None else f"{at_h:g} h"
        told = ", ".join(f"{time:g}" for time in shared) or "none"
        raise ValueError(f"{resting.name} and {triggered.name} do not share {wanted}; times of both in h: {told}")
    at = shared[-1] if at_h is None else at_h
    notes = (
        []
        if at_h is not None
        else [f"compared at the last shared time, {at:g} h; say another with --at, before you look."]
    )
    values = [one.released[one.time_h == at] for one in (resting, triggered)]
    difference = welch_difference(values[0], values[1], unit="%", level=level)
    times = [
        np.array([mean_dissolution_time(one.of_vessel(name)).value for name in one.vessels])
        for one in (resting, triggered)
    ]
    if all(part.size and np.isfinite(part).all() for part in times):
        delay = welch_difference(times[0], times[1], unit="h", level=level)
    else:
        delay = Estimate(math.nan, math.nan, -math.inf, math.inf, level, "h", "no vessels with a mean time")
    if min(part.size for part in values) < 2:
        notes.append("a condition with one vessel gives no interval: repeat it in at least three.")
    verdict = "more" if difference.low > 0 else "less" if difference.high < 0 else "not told apart"
    return Trigger(resting.name, triggered.name, at, difference, delay, verdict, tuple(notes))


def welch_difference(first: Array, second: Array, /, *, unit: str, level: float = 0.95) -> Estimate:
    """Mean of `second` less mean of `first` with Welch's interval; unbounded where a side has one value."""
    value = float(second.mean() - first.mean())
    if min(first.size, second.size) < 2:
        return Estimate(value, math.nan, -math.inf, math.inf, level, unit, "one value on a side: no interval")
    parts = [float(one.var(ddof=1)) / one.size for one in (first, second)]
    error = math.sqrt(sum(parts))
    words = "difference of means, Welch's t interval"
    if error == 0:
        return Estimate(value, 0.0, value, value, level, unit, f"{words}: no scatter")
    degrees = sum(parts) ** 2 / sum(part**2 / (one.size - 1) for part, one in zip(parts, (first, second), strict=True))
    half = float(special.stdtrit(degrees, 0.5 * (1 + level))) * error
    return Estimate(value, error, value - half, value + half, level, unit, words)
