"""From a correlogram to a size distribution: non-negative, smooth, as smooth as the noise asks for (of CONTIN's class)."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.recording import Recording
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import normal_interval

SIZES = 72
"""Diameters of the grid."""
SMALLEST_NM = 0.3
_SHARE = 0.5
_ALPHAS = np.logspace(-6.0, 2.0, 17)
_LEAST_AREA = 0.02
_FLOOR = 1e-4
REFUSED = 2.0
"""Squares that a simpler distribution may cost more; beyond, it is refused."""
# a valley parts two peaks where it falls below this share of the lower one
_VALLEY = 0.8


@dataclass(frozen=True, slots=True)
class Peak:
    """A population.

    Parameters
    ----------
    mean_nm, sd_nm, area : Estimate
        Diameter of the peak's mean decay rate; width, broadened by what the noise blurs, so that its interval begins at 0 and ends with
        an upper limit; share of the scattered light.
    low_nm, high_nm : float
        Where it begins and ends.
    support : float
        Share of resamples in which the number of peaks is the same.
    """

    mean_nm: Estimate
    sd_nm: Estimate
    area: Estimate
    low_nm: float
    high_nm: float
    support: float


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Distribution by scattered intensity.

    Parameters
    ----------
    diameters_nm, intensity : numpy.ndarray, dims (size,)
        Sizes evenly spaced in the logarithm, and shares of the light, which sum to 1.
    low, high : numpy.ndarray, dims (size,)
        95 % of resamples.
    peaks : tuple of Peak
        The largest first.
    alpha : float
        Regularisation that was chosen, on the scale of the whitened problem.
    reduced_chi2 : float
        At the chosen regularisation.
    single_costs : float
        Squares that a single population costs more; above `REFUSED` there are several.
    lag_s, level, fitted, residual : numpy.ndarray, dims (lag,)
        g2 - 1 that was fitted, the fit, and what is left in standard deviations.
    """

    diameters_nm: NDArray[np.float64]
    intensity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    peaks: tuple[Peak, ...]
    alpha: float
    reduced_chi2: float
    single_costs: float
    lag_s: NDArray[np.float64]
    level: NDArray[np.float64]
    fitted: NDArray[np.float64]
    residual: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Least squares behind the inversion, reduced to as many rows as unknowns.

    Parameters
    ----------
    kernel : numpy.ndarray, dims (lag, size)
        Field's correlation of each size.
    diameters_nm : numpy.ndarray, dims (size,)
    lag_s, level, sd : numpy.ndarray, dims (lag,)
        g2 - 1 that is fitted.
    triangle, target : numpy.ndarray, dims (row, size) and (row,)
        Whitened kernel and field after a QR decomposition.
    left : float
        Squares that no solution takes away.
    """

    kernel: NDArray[np.float64]
    diameters_nm: NDArray[np.float64]
    lag_s: NDArray[np.float64]
    level: NDArray[np.float64]
    sd: NDArray[np.float64]
    triangle: NDArray[np.float64]
    target: NDArray[np.float64]
    left: float


def posed(recording: Recording, optics: Optics, /) -> Problem:
    """Set up the inversion.

    Parameters
    ----------
    recording : Recording
    optics : Optics

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If fewer than 10 groups of lags stand above the noise.
    """
    sd = np.sqrt(np.diag(recording.covariance))
    floor = np.maximum(3.0 * sd, 0.005 * recording.intercept)
    stands = recording.level >= floor
    # the first lags of a dim run are noise, and one of them may stand above it by chance: the longest run counts
    edges = np.flatnonzero(np.diff(np.concatenate([[False], stands, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    begin, end = (int(one) for one in runs[np.argmax(runs[:, 1] - runs[:, 0])]) if runs.size else (0, 0)
    if end - begin < 10:
        raise ValueError(f"only {end - begin} groups of lags stand above the noise: 10 are needed")
    kept = slice(begin, end)
    lag, level = recording.lag_s[kept], recording.level[kept]
    field = np.sqrt(level)
    # sizes that decay within the lags, and a few times beyond on either side
    low = max(optics.rate_nm_per_s * float(lag[0]) / 3.0, SMALLEST_NM)
    sizes = np.geomspace(low, max(4.0 * optics.rate_nm_per_s * float(lag[-1]), 10.0 * low), SIZES)
    kernel = np.exp(-np.multiply.outer(lag, optics.rates_per_s(sizes)))
    spread = recording.covariance[kept, kept] / np.outer(2.0 * field, 2.0 * field)
    own = np.sqrt(np.diag(spread))
    strength, direction = np.linalg.eigh(spread / np.outer(own, own))
    # a floor keeps what is nearly common to all lags from weighing without end
    root = np.sqrt(np.maximum(strength, 0.0) + _FLOOR)
    whitened = (direction.T / root[:, None]) @ (np.column_stack([kernel, field]) / own[:, None])
    triangle = np.asarray(np.linalg.qr(whitened, mode="r"))
    rows = min(SIZES, triangle.shape[0])
    left = float((triangle[rows:, -1] ** 2).sum())
    return Problem(kernel, sizes, lag, level, sd[kept], triangle[:rows, :-1], triangle[:rows, -1], left)


def bending(count: int, /) -> NDArray[np.float64]:
    """Second differences of a distribution that is zero beyond its ends, dims (size + 2, size)."""
    rows = np.zeros((count + 2, count))
    for k in range(count):
        rows[k : k + 3, k] = (1.0, -2.0, 1.0)
    return rows


def solved(
    gram: NDArray[np.float64], target: NDArray[np.float64], /, *, start: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Non-negative least squares on normal equations, by an active set that may start warm.

    Parameters
    ----------
    gram : numpy.ndarray, dims (size, size)
        Positive definite.
    target : numpy.ndarray, dims (size,)
    start : numpy.ndarray of bool, dims (size,), optional
        Which unknowns are expected above zero.

    Returns
    -------
    numpy.ndarray, dims (size,)

    References
    ----------
    Lawson and Hanson, Solving Least Squares Problems, SIAM 1995, DOI 10.1137/1.9781611971217, chapter 23; on normal equations as
    Bro and de Jong, J. Chemom. 11, 393 (1997).
    """
    from scipy.linalg.lapack import dposv

    count = target.size
    tolerance = 1e-10 * float(np.abs(target).max() or 1.0)
    free = np.zeros(count, np.bool_)
    found = np.zeros(count)

    def inner(places: NDArray[np.intp]) -> NDArray[np.float64]:
        _, values, failed = dposv(gram[np.ix_(places, places)], target[places])
        if failed:
            values = np.linalg.lstsq(gram[np.ix_(places, places)], target[places], rcond=None)[0]
        return np.asarray(values, np.float64)

    if start is not None and start.any():
        free = start.copy()
        for _ in range(count):
            places = np.flatnonzero(free)
            values = inner(places)
            if (values > 0).all():
                found[places] = values
                break
            free[places[values <= 0]] = False
            if not free.any():
                break
    for _ in range(3 * count):
        slope = target - gram @ found
        slope[free] = -math.inf
        best = int(np.argmax(slope))
        if not slope[best] > tolerance:
            break
        free[best] = True
        while True:
            places = np.flatnonzero(free)
            values = inner(places)
            if (values > 0).all():
                found[:] = 0.0
                found[places] = values
                break
            now = found[places]
            down = values <= 0
            step = float(np.min(now[down] / np.maximum(now[down] - values[down], 1e-300)))
            found[places] = now + step * (values - now)
            free &= found > 1e-14 * max(float(found.max()), 1e-300)
            found[~free] = 0.0
            if not free.any():
                break
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A solution at one regularisation.

    Parameters
    ----------
    alpha : float
    penalised : numpy.ndarray, dims (size, size)
        Normal equations with the regularisation.
    values : numpy.ndarray, dims (size,)
    squares : float
    """

    alpha: float
    penalised: NDArray[np.float64]
    values: NDArray[np.float64]
    squares: float


def candidates(problem: Problem, /) -> tuple[list[Candidate], int]:
    """Solutions from the weakest regularisation to the strongest, and which of them CONTIN's rule chooses.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    list of Candidate
    int
        Place of the strongest whose squares exceed those of the weakest by no more than chance makes in half of all cases (F test
        at 0.5).

    References
    ----------
    Provencher, Comput. Phys. Commun. 27, 213 (1982), DOI 10.1016/0010-4655(82)90173-4.
    """
    from scipy.special import fdtri

    gram, target = problem.triangle.T @ problem.triangle, problem.triangle.T @ problem.target
    scale = 1e-4 * float(np.trace(gram)) / SIZES
    bend = bending(SIZES)
    smooth = bend.T @ bend
    found: list[Candidate] = []
    start: NDArray[np.bool_] | None = None
    for alpha in _ALPHAS * scale:
        penalised = gram + alpha * smooth
        values = solved(penalised, target, start=start)
        start = values > 0
        found.append(Candidate(float(alpha), penalised, values, _squares(problem, values)))
    free = max(2, _effective(gram, found[0].penalised, found[0].values > 0))
    degrees = max(problem.lag_s.size - free, 1)
    most = found[0].squares * (1.0 + free / degrees * float(fdtri(free, degrees, _SHARE)))
    return found, max(k for k, one in enumerate(found) if one.squares <= most or k == 0)


def unimodal(
    penalised: NDArray[np.float64], target: NDArray[np.float64], free: NDArray[np.float64], /
) -> NDArray[np.float64]:
    """Best solution that rises to one top and falls behind it.

    Parameters
    ----------
    penalised : numpy.ndarray, dims (size, size)
        Normal equations with their regularisation.
    target : numpy.ndarray, dims (size,)
    free : numpy.ndarray, dims (size,)
        Solution without the condition: its top is looked for where it is above zero.

    Returns
    -------
    numpy.ndarray, dims (size,)
    """
    count = target.size
    above = np.flatnonzero(free > 0)
    best, least = free, math.inf
    rows = np.arange(count)[:, None]
    columns = np.arange(count)[None]
    tops = np.unique(np.concatenate([np.arange(above[0], above[-1] + 1, 3), above[np.argsort(free[above])[-2:]]]))
    for top in tops:
        # each column is a step: up to the top on its left, down from it on its right
        steps = np.where(columns <= top, (rows >= columns) & (rows <= top), (rows > top) & (rows <= columns)).astype(
            float
        )
        values = steps @ solved(steps.T @ penalised @ steps, steps.T @ target)
        cost = _cost(penalised, target, values)
        if cost < least:
            best, least = values, cost
    return best


def _cost(penalised: NDArray[np.float64], target: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    return float(values @ penalised @ values - 2.0 * target @ values)


def _without(
    penalised: NDArray[np.float64], target: NDArray[np.float64], places: NDArray[np.bool_], start: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Solution that is zero at some places."""
    kept = np.flatnonzero(~places)
    values = np.zeros(target.size)
    values[kept] = solved(penalised[np.ix_(kept, kept)], target[kept], start=start[kept])
    return values


def told_apart(
    found: list[Candidate], place: int, target: NDArray[np.float64], scale: float, /
) -> tuple[Candidate, float]:
    """The simplest distribution that the data do not refuse, and how far a single population is refused.

    Parameters
    ----------
    found : list of Candidate
    place : int
        Of the chosen one.
    target : numpy.ndarray, dims (size,)
        Right side of the normal equations.
    scale : float
        Variance of the noise against what is assumed of it.

    Returns
    -------
    Candidate
        Where one top costs less than `REFUSED` squares at the weakest regularisation: the chosen one, with one top. Otherwise the
        strongest regularisation at which one top costs as much, without the small peaks that cost less.
    float
        Squares that one top costs.
    """
    weakest = _single_cost(found[0], target, scale) if len(peak_ranges(found[0].values)) > 1 else 0.0
    chosen = found[place]
    if weakest < REFUSED:
        if len(peak_ranges(chosen.values)) > 1:
            single = unimodal(chosen.penalised, target, chosen.values)
            chosen = Candidate(chosen.alpha, chosen.penalised, single, math.nan)
        return chosen, weakest
    for one in found[place::-1]:
        if len(peak_ranges(one.values)) > 1 and _single_cost(one, target, scale) >= min(REFUSED, weakest):
            chosen = one
            break
    else:
        chosen = found[0]
    values = chosen.values
    free = _cost(chosen.penalised, target, values)
    for a, b in sorted(peak_ranges(values), key=lambda ends: float(values[ends[0] : ends[1] + 1].sum()))[:-1]:
        if len(peak_ranges(values)) < 3:
            break
        out = np.zeros(values.size, np.bool_)
        out[a : b + 1] = True
        fewer = _without(chosen.penalised, target, out, values > 0)
        if (_cost(chosen.penalised, target, fewer) - free) / scale < REFUSED:
            values = fewer
    return Candidate(chosen.alpha, chosen.penalised, values, math.nan), weakest


def _single_cost(one: Candidate, target: NDArray[np.float64], scale: float) -> float:
    single = unimodal(one.penalised, target, one.values)
    return (_cost(one.penalised, target, single) - _cost(one.penalised, target, one.values)) / scale


def _effective(gram: NDArray[np.float64], penalised: NDArray[np.float64], free: NDArray[np.bool_]) -> int:
    """Degrees of freedom of a solution: the trace of what maps data to fit over the unknowns above zero."""
    places = np.flatnonzero(free)
    own = gram[np.ix_(places, places)]
    return round(float(np.trace(np.linalg.solve(penalised[np.ix_(places, places)], own))))


def _squares(problem: Problem, values: NDArray[np.float64]) -> float:
    return float(((problem.triangle @ values - problem.target) ** 2).sum()) + problem.left


def infer_distribution(
    recording: Recording,
    optics: Optics,
    /,
    *,
    rng: np.random.Generator,
    resamples: int = 60,
    level: float = 0.95,
) -> Distribution:
    """Size distribution by scattered intensity, its peaks, and their intervals.

    Parameters
    ----------
    recording : Recording
    optics : Optics
    rng : numpy.random.Generator
        For the resamples.
    resamples : int
        Fits to the fitted correlogram with noise of the run's covariance, from which the intervals come.
    level : float

    Returns
    -------
    Distribution

    Raises
    ------
    ValueError
        If too few lags stand above the noise.
    """
    problem = posed(recording, optics)
    found, place = candidates(problem)
    gram, target = problem.triangle.T @ problem.triangle, problem.triangle.T @ problem.target
    free = _effective(gram, found[place].penalised, found[place].values > 0)
    reduced = found[place].squares / max(problem.lag_s.size - free, 1)
    # noise that the run's own numbers do not explain widens the intervals; what is not told is scaled to what is seen
    widen = math.sqrt(max(reduced, 1.0) if recording.told else reduced)
    one, single_costs = told_apart(found, place, target, widen**2)
    values = one.values
    expected = problem.triangle @ values
    start = values > 0
    draws = np.empty((resamples, SIZES))
    for k in range(resamples):
        noisy = expected + widen * rng.standard_normal(expected.size)
        draws[k] = solved(one.penalised, problem.triangle.T @ noisy, start=start)
    total = float(values.sum())
    shares = draws / np.maximum(draws.sum(axis=1, keepdims=True), 1e-300)
    tail = 0.5 * (1.0 - level)
    fit = (problem.kernel @ values) ** 2
    return Distribution(
        problem.diameters_nm,
        values / total,
        np.quantile(shares, tail, axis=0),
        np.quantile(shares, 1.0 - tail, axis=0),
        _peaks(problem.diameters_nm, values / total, (shares, _weaker(found, one).values), level),
        one.alpha,
        reduced,
        single_costs,
        problem.lag_s,
        problem.level,
        fit,
        (problem.level - fit) / problem.sd,
    )


def _weaker(found: list[Candidate], one: Candidate) -> Candidate:
    """Solution at about a tenth of a regularisation: what it does to the peaks is no noise, and counts."""
    return next((other for other in reversed(found) if other.alpha < 0.2 * one.alpha), found[0])


def peak_ranges(shares: NDArray[np.float64], /) -> list[tuple[int, int]]:
    """First and last place of each peak of a distribution, parted at valleys.

    Parameters
    ----------
    shares : numpy.ndarray, dims (size,)

    Returns
    -------
    list of (int, int)
        Peaks of at least 2 % of the area, by size.
    """
    found: list[tuple[int, int]] = []
    start = 0
    top = -1
    lowest = -1
    for k, value in enumerate(shares):
        if top < 0 or (lowest < 0 and value >= shares[top]):
            top = k if value > 0 else top
            start = k if top == k and (k == 0 or shares[k - 1] <= 0) else start
            continue
        if lowest < 0 or value <= shares[lowest]:
            lowest = k
        elif value > shares[top] and shares[lowest] >= _VALLEY * shares[top]:
            top, lowest = k, -1
        elif shares[lowest] < _VALLEY * min(value, shares[top]):
            found.append((start, lowest))
            start, top, lowest = lowest, k, -1
    if top >= 0:
        found.append((start, len(shares) - 1))
    area = float(shares.sum()) or 1.0
    large = [(a, b) for a, b in found if shares[a : b + 1].sum() >= _LEAST_AREA * area]
    return [_trimmed(shares, a, b) for a, b in large]


def _trimmed(shares: NDArray[np.float64], a: int, b: int) -> tuple[int, int]:
    """Range of a peak without the emptiness beside it, but for two sizes of room."""
    own = np.flatnonzero(shares[a : b + 1] > 1e-4 * float(shares[a : b + 1].max()))
    return max(a, a + int(own[0]) - 2), min(b, a + int(own[-1]) + 2)


def _moments(sizes: NDArray[np.float64], shares: NDArray[np.float64]) -> tuple[float, float, float]:
    """Diameter of the mean rate, standard deviation and area."""
    area = float(shares.sum())
    if not area > 0:
        return math.nan, math.nan, 0.0
    mean = area / float((shares / sizes).sum())
    centre = float(shares @ sizes) / area
    return mean, math.sqrt(max(float(shares @ (sizes - centre) ** 2) / area, 0.0)), area


def _peaks(
    sizes: NDArray[np.float64],
    shares: NDArray[np.float64],
    others: tuple[NDArray[np.float64], NDArray[np.float64]],
    level: float,
) -> tuple[Peak, ...]:
    draws, weaker = others
    ranges = peak_ranges(shares)
    same = float(np.mean([len(peak_ranges(draw)) == len(ranges) for draw in draws])) if len(draws) else math.nan
    found = []
    for a, b in ranges:
        own = slice(a, b + 1)
        at = _moments(sizes[own], shares[own])
        seen = np.array([_moments(sizes[own], draw[own]) for draw in draws])
        moved = _moments(sizes[own], weaker[own] / max(float(weaker.sum()), 1e-300))
        mean, sd, area = (_interval(at[k], seen[:, k], moved[k] - at[k], level, ("nm", "nm", "1")[k]) for k in range(3))
        # the drawn width is broadened by what the noise blurs, which may be all of it
        sd = replace(sd, low=0.0)
        found.append(Peak(mean, sd, area, float(sizes[a]), float(sizes[b]), same))
    return tuple(sorted(found, key=lambda one: -one.area.value))


def _interval(value: float, seen: NDArray[np.float64], moved: float, level: float, unit: str) -> Estimate:
    words = (
        "second-derivative regularisation; resampled with the noise of the run, and moved by a weaker regularisation"
    )
    told = seen[np.isfinite(seen)]
    if told.size < 10:
        return Estimate(value, math.inf, -math.inf, math.inf, level, unit, words)
    # what the regularisation leans is told twice, by resamples of what it made and by a weaker one: the larger counts, not both
    leans = max(abs(float(told.mean()) - value), abs(moved) if math.isfinite(moved) else 0.0)
    sd = math.hypot(float(told.std()), leans)
    return normal_interval(value, sd, unit=unit, method=words, low=0.0, level=level)
