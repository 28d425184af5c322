"""Infrared bands: search, and fit with uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.ftir.baseline import noise_sd, smooth_line
from lampyris.bench.ftir.group import (
    COMMON,
    EACH,
    LEAN,
    LEVEL,
    RISE,
    SHARE,
    each_with_share,
    predict_bands,
    slopes_of_group,
)
from lampyris.bench.ftir.joint_errors import joint_covariances
from lampyris.bench.photons import local_mean
from lampyris.bench.shapes import LN2
from lampyris.core.constants import FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

Array = NDArray[np.float64]
_MOST_LEAN = 0.35
"""Of a band's sides about their mean: one is then twice as wide as the other; more is another band beneath."""
_MOST_TOGETHER = 6
_FURTHER_BAND = 12.0
_STEPS = 1.5
_ROUNDS = 5
_SEARCHED = 3
"""Rounds in which what is left is searched again: a weak band beside a strong one is seen only once that one is fitted."""
_BROADEST = 2.0
"""Times the widest band that is searched for: wider than that is baseline."""
_WINDOW = 2.0
"""Full widths beyond a group's outer bands that are fitted."""
SHAPE_FLOOR = 2e-4
"""Of the tallest band: what no sum of pseudo-Voigt bands tells from the shape of real ones."""
LEAST_NOISE = 1e-6
"""Of a spectrum's range: below that nothing was measured but drawn, computed or smoothed; assumed."""
MOST_CANDIDATES = 60
"""Places where a band may be that are fitted; the lines of a vapour are more."""


def absorbance(transmittance: ArrayLike, /) -> Array:
    """-log10 of a transmittance as a share of 1; NaN where nothing came through.

    Examples
    --------
    >>> absorbance([1.0, 0.1, 0.0]).tolist()
    [-0.0, 1.0, nan]
    """
    share = np.asarray(transmittance, np.float64)
    return -np.log10(share, where=share > 0, out=np.full(share.shape, np.nan))


def variance_absorbance(absorbance_now: ArrayLike, /, *, transmittance_sd: float) -> Array:
    """Variance of absorbance whose transmittance has a constant standard deviation, as of a detector limited by its own noise."""
    slope = 10.0 ** np.minimum(np.asarray(absorbance_now, np.float64), 6.0) / math.log(10.0)
    return (transmittance_sd * slope) ** 2


def band_area(height: float, width: float, share: float, /) -> float:
    """Area of a pseudo-Voigt band.

    Examples
    --------
    >>> round(band_area(1.0, 1.0, 0.0), 4), round(band_area(1.0, 1.0, 1.0), 4)
    (1.0645, 1.5708)
    """
    return height * width * ((1.0 - share) * math.sqrt(math.pi / LN2) / 2.0 + share * math.pi / 2.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What counts as a band, and the level of its intervals."""

    significance: float
    widest_cm: float
    level: float


@dataclass(frozen=True, slots=True)
class Band:
    """A band.

    Parameters
    ----------
    centre_cm, fwhm_cm, height, area : Estimate
    significance : float
        Height over its standard error.
    share : float
        Lorentzian share of its shape.
    lean : Estimate
        By how much its side to high wavenumbers is wider than the mean of both, as a share; one for bands that were fitted together.
    by_lean_cm : float
        How far its place moves with one standard error of the lean, which moves all bands of the group at once.
    """

    centre_cm: Estimate
    fwhm_cm: Estimate
    height: Estimate
    area: Estimate
    significance: float
    share: float
    lean: Estimate
    by_lean_cm: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class BandFit:
    """Bands of a spectrum.

    Parameters
    ----------
    bands : tuple of Band
        By falling wavenumber.
    baseline, expected : numpy.ndarray, dims (point,)
        What lies under them, and both together.
    noise : float
        Standard deviation of a point; at least what rounding makes.
    doubtful : bool
        A fit did not end at a certain minimum.
    unseen : bool
        The points scatter less than rounding alone would make them: their noise is not known.
    untried : int
        Places where a band may be that were not fitted, the weakest, since there are more than `MOST_CANDIDATES`.
    """

    bands: tuple[Band, ...]
    baseline: Array
    expected: Array
    noise: float
    doubtful: bool
    unseen: bool = False
    untried: int = 0


def infer_bands(
    wavenumber_cm: Array,
    signal: Array,
    /,
    *,
    baseline: Array,
    reach_cm: float = 0.0,
    significance: float = 5.0,
    widest_cm: float = 250.0,
    rounding: float = 0.0,
    level: float = 0.95,
) -> BandFit:
    """Bands that stand above the noise, each with the uncertainty of its fit.

    Parameters
    ----------
    wavenumber_cm, signal : numpy.ndarray, dims (point,)
        Rising, and absorbance; finite.
    baseline : numpy.ndarray, dims (point,)
        What is taken off first; each group of bands has a straight line of its own besides.
    reach_cm : float
        Where above 0, the baseline is drawn anew under what the bands leave, as stiff as `smooth_line`.
    significance : float
        Height over its standard error from which a band is kept.
    widest_cm : float
    rounding : float
        Standard deviation of what rounding does to a point: noise is taken to be no less.
    level : float

    Returns
    -------
    BandFit

    Raises
    ------
    ValueError
        If points are too few.

    Notes
    -----
    Points count by the noise of a detector, whose transmittance is as noisy everywhere.
    Candidates are the tops of the spectrum's correlation with negative second derivatives of Gaussians of several widths, which do
    not see a straight baseline. Groups are fitted, and what is left is searched again; a further band must lower AICc.
    Errors come from what the fit leaves, not from the noise: also where no noise is seen.
    """
    if wavenumber_cm.size < 30:
        raise ValueError(f"{wavenumber_cm.size} points are too few; 30 are needed")
    asked = _Asked(significance, widest_cm, level)
    sd = _relative_sd(signal)
    flat = signal - baseline
    seen = noise_sd(flat)
    unseen = seen < max(rounding, LEAST_NOISE * float(np.ptp(signal)))
    noise = max(seen, rounding)
    floor = max(noise, SHAPE_FLOOR * float(np.ptp(flat)))
    places = _candidates(wavenumber_cm, flat, floor, significance, widest_cm)
    found = places[:MOST_CANDIDATES]
    groups: list[tuple[slice, Fit, int]] = []
    earlier: list[Band] = []
    for turn in range(_ROUNDS):
        last = turn == _ROUNDS - 1
        groups = _clear_groups(
            wavenumber_cm, flat, sd, _fit_groups(wavenumber_cm, flat, sd, found, groups, asked), asked, last
        )
        found = [one for _, fit, count in groups for one in _places(fit, count)]
        if last:
            break
        earlier = _all_described(groups)
        if turn < _SEARCHED:
            left = flat - _modelled(wavenumber_cm, groups)
            seen_left = _candidates(wavenumber_cm, left, max(floor, noise_sd(left)), significance, widest_cm)
            more = [one for one in seen_left if all(abs(one[0] - c) > 0.35 * min(w, one[1]) for c, w in found)]
            found = found + _that_help(wavenumber_cm, flat, sd, groups, more, asked)
        # far tails of bands lie in the baseline: it is drawn anew under what the bands leave
        if reach_cm:
            under = signal - _bands_alone(wavenumber_cm, groups)
            baseline = smooth_line(wavenumber_cm, under, reach_cm=reach_cm)
            flat = signal - baseline
    joint = joint_covariances(wavenumber_cm, sd, groups, reach_cm=reach_cm)
    told = [
        (place, replace(fit, covariance=own), count) for (place, fit, count), own in zip(groups, joint, strict=True)
    ]
    step = float(np.median(np.diff(wavenumber_cm)))
    bands = [_with_top(_with_change(band, earlier), step) for _, fit, count in told for band in _described(fit, count)]
    bands.sort(key=lambda one: -one.centre_cm.value)
    expected = _expected(wavenumber_cm, signal, baseline, groups, reach_cm)
    doubtful = any(not fit.trusted for _, fit, _ in groups)
    return BandFit(tuple(bands), baseline, expected, noise, doubtful, unseen, max(len(places) - MOST_CANDIDATES, 0))


def _clear_groups(
    x: Array, y: Array, sd: Array, groups: Sequence[tuple[slice, Fit, int]], asked: _Asked, last: bool
) -> list[tuple[slice, Fit, int]]:
    """Groups without their weak bands, each beside all others as they were fitted; none without a band."""
    cleared = [_without_weak(x, y - _bands_alone(x, groups, k), sd, one, asked, last) for k, one in enumerate(groups)]
    return [one for one in cleared if one[2]]


def _expected(
    x: Array, signal: Array, baseline: Array, groups: Sequence[tuple[slice, Fit, int]], reach_cm: float
) -> Array:
    """Spectrum that the fits expect.

    The baseline was drawn before the last of them, whose lines make up for it within their windows only: beside these it is drawn anew.
    """
    expected = baseline + _modelled(x, groups)
    if reach_cm:
        alone = _bands_alone(x, groups)
        beside = np.ones(x.size, np.bool_)
        for place, _, _ in groups:
            beside[place] = False
        expected[beside] = (smooth_line(x, signal - alone, reach_cm=reach_cm) + alone)[beside]
    return expected


def _candidates(x: Array, y: Array, noise: float, significance: float, widest_cm: float) -> list[tuple[float, float]]:
    """Centres and widths where a band may be, the strongest first."""
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import fftconvolve

    # points that were left out make gaps, and some instruments an uneven axis
    step = float(np.median(np.diff(x)))
    even = np.arange(x[0], x[-1], step)
    x, y = even, np.interp(even, x, y)
    tops: list[tuple[float, float, float]] = []
    width = 3.0 * step
    # band edges must not look like bands
    while width <= widest_cm:
        s = width / step / FWHM_PER_SD
        reach = min(math.ceil(5.0 * s), y.size - 1)
        t = np.arange(-reach, reach + 1) / s
        kernel = (1.0 - t**2) * np.exp(-0.5 * t**2)
        kernel -= kernel.mean()
        padded = np.pad(y, reach, mode="reflect", reflect_type="odd")
        answer = fftconvolve(padded, kernel, mode="valid") / math.sqrt(float(kernel @ kernel))
        size = max(answer.size // 12, 20)
        spread = [
            1.4826 * float(np.median(np.abs(answer[k : k + size]))) for k in range(0, answer.size - size + 1, size)
        ]
        own = min(max(float(np.quantile(spread, 0.25)), noise), 3.0 * noise) if spread else noise
        told = answer / max(own, 1e-300)
        top = (told == maximum_filter1d(told, 2 * max(int(s), 1) + 1)) & (told > significance)
        tops += [(float(told[k]), float(x[k]), 1.2 * width) for k in np.flatnonzero(top)]
        width *= _STEPS
    tops.sort(reverse=True)
    kept: list[tuple[float, float]] = []
    for _, centre, wide in tops:
        if all(abs(centre - c) > 0.5 * min(max(w, wide), 2.0 * w) for c, w in kept):
            kept.append((centre, wide))
    return kept


def _groups(found: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Bands whose windows touch, in the order of the axis; large groups are parted where they are furthest apart."""
    ordered = sorted(found)
    groups: list[list[tuple[float, float]]] = []
    for one in ordered:
        if groups and one[0] - groups[-1][-1][0] < _WINDOW * (one[1] + groups[-1][-1][1]):
            groups[-1].append(one)
        else:
            groups.append([one])
    made: list[list[tuple[float, float]]] = []
    while groups:
        group = groups.pop(0)
        if len(group) <= _MOST_TOGETHER:
            made.append(group)
            continue
        gaps = [(b[0] - a[0]) / (a[1] + b[1]) for a, b in pairwise(group)]
        middle = [gap * (1.0 if 1 <= k < len(gaps) - 1 else 0.5) for k, gap in enumerate(gaps)]
        at = int(np.argmax(middle)) + 1
        groups = [group[:at], group[at:], *groups]
    return made


def _relative_sd(signal: Array) -> Array:
    """Relative noise of the points: that of what comes through, which is more where less does."""
    return np.sqrt(variance_absorbance(np.clip(local_mean(signal), -0.5, 4.0), transmittance_sd=1.0))


def _fit_groups(
    x: Array,
    y: Array,
    sd: Array,
    found: Sequence[tuple[float, float]],
    had: Sequence[tuple[slice, Fit, int]],
    asked: _Asked,
) -> list[tuple[slice, Fit, int]]:
    groups = _groups(found)
    ends = [(group[0][0] - _WINDOW * group[0][1], group[-1][0] + _WINDOW * group[-1][1]) for group in groups]
    made = []
    for k, group in enumerate(groups):
        low, high = ends[k]
        # a window ends half way to the next group's nearest band where the two would overlap
        if k:
            low = max(low, 0.5 * (groups[k - 1][-1][0] + group[0][0]))
        if k + 1 < len(groups):
            high = min(high, 0.5 * (group[-1][0] + groups[k + 1][0][0]))
        # tails of bands of other groups, as they were last fitted, do not belong to this one
        fit = _fit(x, y - _bands_beside(x, had, group), sd, group, low, high, asked)
        if fit is not None:
            made.append(fit)
    return made


def _places(fit: Fit, count: int) -> list[tuple[float, float]]:
    """Centre and width of each band of a group."""
    values = fit.values.tolist()
    return [(values[EACH * k + 1], math.exp(min(max(values[EACH * k + 2], -20.0), 20.0))) for k in range(count)]


def _fit(
    x: Array, y: Array, sd: Array, group: Sequence[tuple[float, float]], low: float, high: float, asked: _Asked
) -> tuple[slice, Fit, int] | None:
    first, last = np.searchsorted(x, [low, high])
    needed = EACH * len(group) + COMMON + 4
    short = max(needed - int(last - first), 0)
    place = slice(max(int(first) - short, 0), min(int(last) + short, x.size))
    own, seen = x[place], y[place]
    if own.size < needed - 2:
        return None
    middle, span = 0.5 * (own[0] + own[-1]), float(own[-1] - own[0])
    floor = float(np.quantile(seen, 0.1))
    tall = max(float(np.ptp(seen)), 1e-12)
    parameters = []
    step = span / max(own.size - 1, 1)
    thinnest, widest = math.log(step), math.log(min(2.0 * span, _BROADEST * asked.widest_cm))
    for k, (centre, width) in enumerate(group):
        height = max(float(np.interp(centre, own, seen)) - floor, 0.05 * tall)
        inside = min(max(centre, float(own[0])), float(own[-1]))
        # without bounds a band that the window does not hold runs away, and where it is then is a matter of rounding
        parameters += [
            Parameter(f"height_{k}", height, 0.0, scale=0.01 * tall),
            Parameter(f"centre_{k}", inside, own[0], own[-1], unit="1/cm", scale=0.02 * width),
            Parameter(f"log_width_{k}", min(max(math.log(width), thinnest), widest), thinnest, widest, scale=0.02),
        ]
    # one shape and lean for a group: bands of one sample have much the same, and overlapping ones do not tell theirs apart
    parameters += [
        Parameter("share", 0.3, 0.0, 1.0, scale=0.02),
        Parameter("lean", 0.0, -_MOST_LEAN, _MOST_LEAN, scale=0.01),
        Parameter("level", floor, scale=0.01 * tall),
        Parameter("rise", 0.0, scale=0.01 * tall),
    ]
    line = (own - middle) / span

    def model(p: Array) -> Array:
        return predict_bands(own, each_with_share(p), lean=p[LEAN]) + p[LEVEL] + p[RISE] * line

    data = DataSet(model, seen, sd=sd[place], jacobian=slopes_of_group(own, line))
    return place, fit_least_squares(data, parameters, scatter="residual", level=asked.level), len(group)


def _without_weak(
    x: Array, y: Array, sd: Array, group: tuple[slice, Fit, int], asked: _Asked, last: bool
) -> tuple[slice, Fit, int]:
    """Group without bands whose height is not significant, the weakest taken out first."""
    place, fit, count = group
    low, high = float(x[group[0]][0]), float(x[group[0]][-1])
    step = (high - low) / max(x[place].size - 1, 1)
    # one that would be wider still is of the baseline
    widest = min(2.0 * (high - low), 0.99 * _BROADEST * asked.widest_cm)

    def sane(centre: float, width: float) -> bool:
        return low <= centre <= high and step < width < widest

    while count:
        # while bands are missing, residuals follow each other since they are missing
        widen = widening_of(fit) if last else 1.0
        told = [
            fit.estimates[EACH * k].value / (widen * fit.estimates[EACH * k].sd)
            if fit.estimates[EACH * k].sd > 0 and math.isfinite(fit.estimates[EACH * k].sd) and sane(*one)
            else 0.0
            for k, one in enumerate(_places(fit, count))
        ]
        weakest = int(np.argmin(told))
        if told[weakest] >= asked.significance:
            break
        kept = [one for k, one in enumerate(_places(fit, count)) if k != weakest]
        if not kept:
            return place, fit, 0
        again = _fit(x, y, sd, kept, float(x[place][0]), float(x[place][-1]) + 1e-9, asked)
        if again is None:
            return place, fit, 0
        place, fit, count = again
    return place, fit, count


def _that_help(
    x: Array,
    y: Array,
    sd: Array,
    groups: Sequence[tuple[slice, Fit, int]],
    more: Sequence[tuple[float, float]],
    asked: _Asked,
) -> list[tuple[float, float]]:
    """Of further candidates those that lower the AICc of their group, or stand where no group is."""
    kept: list[tuple[float, float]] = []
    for one in more[:8]:
        inside = [g for g in groups if x[g[0]][0] <= one[0] <= x[g[0]][-1]]
        if not inside:
            kept.append(one)
            continue
        place, fit, count = inside[0]
        if count >= 2 * _MOST_TOGETHER:
            continue
        again = _fit(x, y, sd, [*_places(fit, count), one], float(x[place][0]), float(x[place][-1]) + 1e-9, asked)
        if again is not None and fit.goodness.aicc - again[1].goodness.aicc > _FURTHER_BAND:
            kept.append(one)
    return kept


def _bands_alone(x: Array, groups: Sequence[tuple[slice, Fit, int]], but: int = -1) -> Array:
    """All bands but those of one group, everywhere."""
    total = np.zeros(x.size)
    for k, (_, fit, _) in enumerate(groups):
        if k != but:
            total += predict_bands(x, each_with_share(fit.values), lean=fit.values[LEAN])
    return total


def _bands_beside(x: Array, groups: Sequence[tuple[slice, Fit, int]], group: Sequence[tuple[float, float]]) -> Array:
    """All bands as they were last fitted but those of a group, which may have been parted or joined since."""
    total = np.zeros(x.size)
    for _, fit, count in groups:
        others = [k for k, (c, _) in enumerate(_places(fit, count)) if not any(abs(c - g) < 1e-6 * g for g, _ in group)]
        own = each_with_share(fit.values).reshape(-1, 4)[others]
        total += predict_bands(x, own, lean=fit.values[LEAN])
    return total


def _modelled(x: Array, groups: Sequence[tuple[slice, Fit, int]]) -> Array:
    """Bands everywhere, lines of the groups within their windows."""
    total = np.zeros(x.size)
    for place, fit, _ in groups:
        values = fit.values
        own = x[place]
        total += predict_bands(x, each_with_share(values), lean=values[LEAN])
        total[place] += values[LEVEL] + values[RISE] * (own - 0.5 * (own[0] + own[-1])) / float(own[-1] - own[0])
    return total


def widening_of(fit: Fit, /) -> float:
    """By how much errors grow since residuals follow each other, in zero-filled spectra or where the shape is not quite right."""
    return widening(following(fit.residuals[0]))


def _all_described(groups: Sequence[tuple[slice, Fit, int]]) -> list[Band]:
    return [band for _, fit, count in groups for band in _described(fit, count)]


def _with_change(band: Band, earlier: Sequence[Band]) -> Band:
    """Band whose errors hold how far the last drawing of the baseline moved it."""
    near = [one for one in earlier if abs(one.centre_cm.value - band.centre_cm.value) < 0.2 * band.fwhm_cm.value]
    if not near:
        return band
    before = min(near, key=lambda one: abs(one.centre_cm.value - band.centre_cm.value))

    def joined(now: Estimate, was: Estimate) -> Estimate:
        if not now.sd > 0 or not math.isfinite(now.sd):
            return now
        return widened(now, math.hypot(now.sd, now.value - was.value) / now.sd, why="baseline")

    height = joined(band.height, before.height)
    return replace(
        band,
        centre_cm=joined(band.centre_cm, before.centre_cm),
        fwhm_cm=joined(band.fwhm_cm, before.fwhm_cm),
        height=height,
        area=joined(band.area, before.area),
        significance=height.value / height.sd,
    )


def _with_top(band: Band, step_cm: float) -> Band:
    """Band whose place holds how far its top moves where both halves meet, since an instrument records means over its step or more.

    A blur of standard deviation s moves the top of halves with a parabola each by 4 lean s / (2 pi)^1/2.
    """
    moved = 4.0 * band.lean.value / math.sqrt(2.0 * math.pi) * step_cm / math.sqrt(12.0)
    one = band.centre_cm
    if not (one.sd > 0 and math.isfinite(one.sd)):
        return band
    return replace(band, centre_cm=widened(one, math.hypot(one.sd, moved) / one.sd, why="lean"))


def _parameter(fit: Fit, place: int) -> Estimate:
    """A parameter by the fit's covariance; its own estimate where that knows nothing of it."""
    one = fit.estimates[place]
    variance = float(fit.covariance[place, place])
    if not (math.isfinite(variance) and variance > 0):
        return one
    sd = math.sqrt(variance)
    half = fit.quantile() * sd
    return Estimate(one.value, sd, one.value - half, one.value + half, one.level, one.unit, one.method)


def _by_lean(fit: Fit, count: int, place: int) -> float:
    """How far a parameter moves with one standard error of the lean."""
    at = EACH * count + COMMON + LEAN
    variance = float(fit.covariance[at, at])
    moved = float(fit.covariance[place, at])
    return moved / math.sqrt(variance) if variance > 0 and math.isfinite(variance) and math.isfinite(moved) else 0.0


def _described(fit: Fit, count: int) -> list[Band]:
    widen = widening_of(fit)
    lean = widened(_parameter(fit, EACH * count + COMMON + LEAN), widen)
    bands = []
    for k in range(count):
        at = EACH * k
        area = derived(fit, lambda p, at=at: band_area(p[at], math.exp(p[at + 2]), p[SHARE]), unit="1/cm")  # type: ignore[misc]
        height, centre, log_width = (widened(_parameter(fit, at + j), widen) for j in range(3))
        value = math.exp(log_width.value)
        low, high = math.exp(min(log_width.low, 50.0)), math.exp(min(log_width.high, 50.0))
        width = Estimate(value, value * log_width.sd, low, high, log_width.level, "1/cm", log_width.method)
        bands.append(
            Band(
                centre,
                width,
                height,
                widened(area, widen),
                height.value / height.sd,
                min(max(float(fit.values[SHARE]), 0.0), 1.0),
                lean,
                _by_lean(fit, count, at + 1) * widen,
            )
        )
    return bands
