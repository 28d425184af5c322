"""Cumulants: the mean decay rate and its spread, from the logarithm of the field's correlation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.recording import Recording
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.statistics.intervals import normal_interval, t_interval
from lampyris.statistics.thresholds import half_width

CUTOFF = 0.1
"""Share of the intercept of g2 - 1 down to which lags are fitted."""
_FEWEST = 6
_LEAST_DECAY = 1e-3
"""Fall of the logarithm of g1 over the fitted lags, below which nothing decays but rounding."""
_OF_SHIFT = 0.3
"""Standard deviation of what the order of the fit moves, over that of a lognormal law; assumed."""
_DRAWS = 200
"""Pairs of draws by which noise is followed through the logarithm and the weights."""
_EVERY = 3
_TENTH = 1.2816
"""Standard deviations beyond which a tenth lies."""
_LEAST_SHARE = 0.05
_LOGNORMAL = "of the lognormal law behind the cumulants"
_METHOD = "quadratic cumulants; noise of photons and speckles, and what the order of the fit leaves out"


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """What a quadratic fit makes of lognormal distributions of the observed mean rate, dims (spread,).

    Noise passes a logarithm and decides weights, so it moves the fit, and more to one side than to the other: medians are told.

    Parameters
    ----------
    true, fitted : numpy.ndarray
        Polydispersities, rising.
    shift : numpy.ndarray
        Relative change of the mean size from fit to truth.
    noise, size_noise, common : numpy.ndarray
        Standard deviations that the run's noise gives the fitted polydispersity, and the mean size relative to itself, and the
        covariance of both. They are of the law, not of the measured points: a run whose noise widens its own distribution would
        state too small a noise.
    even, even_shift : numpy.ndarray
        Polydispersity of sizes that fill a span evenly in their logarithm, of which the same would be fitted, and their change of the
        mean size: without a slow tail more of a wide distribution is seen.
    lean : numpy.ndarray
        How much further, of the square of a deviation in standard deviations, the fitted polydispersity lies upwards.
    """

    true: NDArray[np.float64]
    fitted: NDArray[np.float64]
    shift: NDArray[np.float64]
    noise: NDArray[np.float64]
    lean: NDArray[np.float64]
    size_noise: NDArray[np.float64]
    common: NDArray[np.float64]
    even: NDArray[np.float64]
    even_shift: NDArray[np.float64]

    def size_noise_at(self, fitted: float) -> float:
        """Relative standard deviation of the mean size once it is shifted: noise that moves the polydispersity moves the shift too."""
        noise, own = self.at(fitted, self.noise), self.at(fitted, self.size_noise)
        slope = self._shift_slope(fitted)
        square = own**2 + 2.0 * slope * self.at(fitted, self.common) + (slope * noise) ** 2
        return math.sqrt(max(square, 0.0))

    def correlation_at(self, fitted: float) -> float:
        """Correlation of the noise of the shifted mean size and of the polydispersity."""
        noise, size = self.at(fitted, self.noise), self.size_noise_at(fitted)
        if not noise * size > 0:
            return 0.0
        together = self.at(fitted, self.common) + self._shift_slope(fitted) * noise**2
        return min(max(together / (noise * size), -1.0), 1.0)

    def _shift_slope(self, fitted: float) -> float:
        noise = self.at(fitted, self.noise)
        return (self.at(fitted + noise, self.shift) - self.at(fitted - noise, self.shift)) / (2.0 * noise)

    def at(self, fitted: float, curve: NDArray[np.float64]) -> float:
        """A curve at a fitted polydispersity, its end beyond."""
        return float(np.interp(fitted, self.fitted, curve))


@dataclass(frozen=True, slots=True, eq=False)
class Cumulants:
    """Result of the quadratic cumulant fit.

    Parameters
    ----------
    z_average_nm, pdi, intercept : Estimate
        Hydrodynamic diameter of the mean decay rate; polydispersity, twice the second cumulant over the square of the first;
        amplitude of the field's correlation at lag 0, whose square is the intercept of g2 - 1.
    z_noise_nm : float
        Standard deviation of the diameter by the noise of the run alone.
    z_cubic_nm : float
        The same diameter with a cubic term: how far the order of the fit matters.
    law : Law
        What the quadratic fit makes of lognormal distributions, with the noise of this run.
    spread_ends : tuple of float
        Between which the polydispersity lies if both ends are to be missed alike, from 0 and perhaps to infinity.
    lag_s, level, fitted : numpy.ndarray, dims (lag,)
        Fitted lags, g2 - 1 there with the baseline taken off, and the fit.
    residual : numpy.ndarray, dims (lag,)
        In standard deviations.
    """

    z_average_nm: Estimate
    pdi: Estimate
    intercept: Estimate
    z_noise_nm: float
    z_cubic_nm: float
    law: Law
    spread_ends: tuple[float, float]
    lag_s: NDArray[np.float64]
    level: NDArray[np.float64]
    fitted: NDArray[np.float64]
    residual: NDArray[np.float64]

    @property
    def lognormal_nm(self) -> float:
        """Diameter of the mean rate of the lognormal distribution of which a quadratic fit would make this one."""
        return self.z_average_nm.value * (1.0 + self.law.at(self.pdi.value, self.law.shift))

    @property
    def lognormal_pdi(self) -> float:
        """Its polydispersity, from 0."""
        return self.law.at(self.pdi.value, self.law.true)


def lognormal_size(found: Cumulants, /) -> Estimate:
    """Diameter of the mean decay rate of a lone population: of the lognormal law behind its cumulants.

    Parameters
    ----------
    found : Cumulants

    Returns
    -------
    Estimate
        In nm. The interval is that of the Z-average, which is laid about this size.

    Notes
    -----
    A distribution that may not go below zero takes noise at short lags for a little of small sizes. They hardly count as light, but they
    do in the mean rate, so that what is left of a lone peak is pushed to larger sizes; cumulants are not.
    """
    size = found.z_average_nm
    value = found.lognormal_nm
    known = 0.5 * (size.high - size.low) if math.isfinite(size.high) else value - size.low
    return replace(size, value=value, sd=known / half_width(size.level), method=_LOGNORMAL)


def lognormal_width(found: Cumulants, /) -> Estimate:
    """Standard deviation of the sizes of a lone population: of the lognormal law behind its cumulants.

    Parameters
    ----------
    found : Cumulants

    Returns
    -------
    Estimate
        In nm. The interval holds every spread that that of the polydispersity does, and the error of the size.

    Notes
    -----
    A regularised distribution is broader than the sample by what the noise blurs, which cumulants are not.
    """
    size, spread = found.z_average_nm, found.pdi

    def width(pdi: float) -> float:
        # of rates whose mean is that of z: sizes have the mean z (1 + pdi), and the same relative variance
        return found.lognormal_nm * (1.0 + pdi) * math.sqrt(max(pdi, 0.0)) if math.isfinite(pdi) else math.inf

    value, low, high = width(found.lognormal_pdi), width(spread.low), width(spread.high)
    of_size = value * half_width(spread.level) * size.sd / size.value
    low, high = max(value - math.hypot(value - low, of_size), 0.0), value + math.hypot(high - value, of_size)
    known = 0.5 * (high - low) if math.isfinite(high) else value - low
    return Estimate(value, known / half_width(spread.level), low, high, spread.level, "nm", _LOGNORMAL)


def over_runs(several: Sequence[Cumulants], /) -> Cumulants:
    """Mean size and polydispersity over runs of a sample, by their scatter.

    Parameters
    ----------
    several : sequence of Cumulants
        At least two.

    Returns
    -------
    Cumulants
        As of the first, but for the means with Student's intervals. What the order of the fit leaves out is the same in all runs, so
        no scatter tells it: the ends are carried from what is fitted to the lognormal law that would be fitted so.
    """
    first = several[0]
    means = {
        name: np.mean([getattr(one.law, name) for one in several], axis=0)
        for name in ("fitted", "shift", "even", "even_shift")
    }
    law = replace(first.law, **means)
    level = first.pdi.level
    size = t_interval([one.z_average_nm.value for one in several], unit="nm", level=level)
    spread = t_interval([one.pdi.value for one in several], unit="1", level=level)
    ends = [law.at(end, law.true) if end < law.fitted[-1] else math.inf for end in (spread.low, spread.high)]
    shift = size.value * law.at(spread.value, law.shift)
    reach = math.hypot(size.high - size.value, half_width(level) * _OF_SHIFT * shift)
    centre = size.value + shift
    words = f"{size.method}, and what the order of the fit leaves out"
    return replace(
        first,
        z_average_nm=replace(
            size, low=min(size.value, max(centre - reach, 0.0)), high=max(size.value, centre + reach), method=words
        ),
        pdi=replace(spread, low=min(spread.value, ends[0]), high=max(spread.value, ends[1]), method=words),
        law=law,
        spread_ends=(max(ends[0], 0.0), max(ends[1], 0.0)),
    )


def cumulant_coefficients(lag_s: ArrayLike, field: ArrayLike, /, *, order: int = 2) -> NDArray[np.float64]:
    """Coefficients of the logarithm of the field's correlation, the constant first, weighted by the square of the field.

    Parameters
    ----------
    lag_s, field : array_like, dims (lag,)
        The field above 0.
    order : int
        Of the polynomial.

    Returns
    -------
    numpy.ndarray, dims (order + 1,)
    """
    return _solver(np.asarray(lag_s, np.float64), np.asarray(field, np.float64), order) @ np.log(
        np.asarray(field, np.float64)
    )


def _solver(lag: NDArray[np.float64], field: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Matrix that makes coefficients of logarithms."""
    unit = lag[-1]
    weight = field**2
    design = np.vander(lag / unit, order + 1, increasing=True)
    made = np.linalg.pinv(design * weight[:, None]) * weight
    return np.asarray(made / (unit ** np.arange(order + 1))[:, None], np.float64)


def infer_cumulants(
    recording: Recording, optics: Optics, /, *, cutoff: float = CUTOFF, level: float = 0.95
) -> Cumulants:
    """Mean size and polydispersity.

    Parameters
    ----------
    recording : Recording
        Grouped lags with their covariance.
    optics : Optics
    cutoff : float
        Share of the intercept of g2 - 1 down to which lags are fitted.
    level : float
        Of the intervals.

    Returns
    -------
    Cumulants
        The intervals hold the noise of the run, of photons and speckles, and how far the order of the fit moves the answer.

    Raises
    ------
    ValueError
        If fewer than 6 lags stand above the cutoff, or the correlation does not decay.

    References
    ----------
    Koppel, J. Chem. Phys. 57, 4814 (1972), DOI 10.1063/1.1678153; ISO 22412:2017 for what is reported.
    """
    below = np.flatnonzero(recording.level < max(cutoff, 0.02) * recording.intercept)
    end = int(below[0]) if below.size else recording.level.size
    if end < _FEWEST:
        raise ValueError(f"only {end} groups of lags stand above {cutoff:g} of the intercept: {_FEWEST} are needed")
    lag, seen = recording.lag_s[:end], recording.level[:end]
    return _fitted(lag, seen, recording.covariance[:end, :end], optics, level)


def infer_cumulants_at(
    lag_s: ArrayLike, correlation: ArrayLike, covariance: ArrayLike, optics: Optics, /, *, level: float = 0.95
) -> Cumulants:
    """As `infer_cumulants`, at the lags that the instrument's own program fitted.

    Parameters
    ----------
    lag_s, correlation : array_like, dims (lag,)
        g2 - 1 there, its baseline taken off.
    covariance : array_like, dims (lag, lag)
    optics : Optics
    level : float

    Returns
    -------
    Cumulants

    Raises
    ------
    ValueError
        If a value is not above 0, they are fewer than 6, or the correlation does not decay.
    """
    lag, seen = np.asarray(lag_s, np.float64), np.asarray(correlation, np.float64)
    if lag.size < _FEWEST or not (seen > 0).all():
        raise ValueError(f"the {lag.size} lags to fit are fewer than {_FEWEST}, or their correlation is not above 0")
    return _fitted(lag, seen, np.asarray(covariance, np.float64), optics, level)


def _fitted(
    lag: NDArray[np.float64], seen: NDArray[np.float64], covariance: NDArray[np.float64], optics: Optics, level: float
) -> Cumulants:
    field = np.sqrt(seen)
    solve = _solver(lag, field, 2)
    constant, slope, bend = (solve @ np.log(field)).tolist()
    if not slope * float(lag[-1]) < -_LEAST_DECAY:
        raise ValueError("the correlation does not decay over the fitted lags")
    cubic = cumulant_coefficients(lag, field, order=3)
    z = optics.rate_nm_per_s / -slope
    z_cubic = optics.rate_nm_per_s / -float(cubic[1]) if cubic[1] < 0 else math.inf
    pdi, pdi_cubic = 2.0 * bend / slope**2, 2.0 * float(cubic[2]) / float(cubic[1]) ** 2
    own = solve @ (covariance / np.outer(2.0 * seen, 2.0 * seen)) @ solve.T
    half = -slope
    slopes = np.array(
        [[0.0, z / half, 0.0], [0.0, 4.0 * bend / half**3, 2.0 / slope**2], [math.exp(constant), 0.0, 0.0]]
    )
    sds = np.sqrt(np.maximum(np.diag(slopes @ own @ slopes.T), 0.0))
    cubic_sd = _cubic_sd(lag, field, covariance, seen, optics)
    law = _lognormal(lag, half, optics, covariance, math.exp(2.0 * constant))
    spread, ends = _spread(pdi, _beyond(pdi_cubic - pdi, 3.0 * cubic_sd[1]), law, level)
    height = normal_interval(math.exp(constant), float(sds[2]), unit="1", method=_METHOD, level=level)
    fit = np.exp(2.0 * (constant + slope * lag + bend * lag**2))
    return Cumulants(
        _size(
            z, law.size_noise_at(pdi) * z, _beyond(z_cubic - z, 3.0 * cubic_sd[0]), law.at(pdi, law.shift) * z, level
        ),
        spread,
        height,
        float(sds[0]),
        z_cubic,
        law,
        ends,
        lag,
        seen,
        fit,
        (seen - fit) / np.sqrt(np.diag(covariance)),
    )


def _cubic_sd(
    lag: NDArray[np.float64],
    field: NDArray[np.float64],
    covariance: NDArray[np.float64],
    seen: NDArray[np.float64],
    optics: Optics,
) -> tuple[float, float]:
    """Standard deviations of how the answers move from the quadratic to the cubic fit, by noise alone."""
    logs = covariance / np.outer(2.0 * seen, 2.0 * seen)
    two, three = _solver(lag, field, 2), _solver(lag, field, 3)
    b = cumulant_coefficients(lag, field)
    scale = abs(float(b[1]))
    moved = three[:3] - two
    spread = moved @ logs @ moved.T
    z_sd = optics.rate_nm_per_s / scale**2 * math.sqrt(max(float(spread[1, 1]), 0.0))
    row = np.array([0.0, 4.0 * float(b[2]) / scale**3, 2.0 / scale**2])
    return z_sd, math.sqrt(max(float(row @ spread @ row), 0.0))


def _beyond(moved: float, noise: float) -> float:
    """What of a move is more than noise makes."""
    return math.sqrt(max(moved**2 - noise**2, 0.0)) if math.isfinite(moved) else math.inf


def _lognormal(
    lag: NDArray[np.float64], rate: float, optics: Optics, covariance: NDArray[np.float64], intercept: float
) -> Law:
    true = np.concatenate([np.linspace(0.0, 0.3, 16), np.linspace(0.35, 1.2, 18)])
    nodes = np.linspace(-4.0, 4.0, 41)
    weight = np.exp(-0.5 * nodes**2) / np.exp(-0.5 * nodes**2).sum()
    fitted, size, noise, size_noise, common = (np.empty(true.size) for _ in range(5))
    strength, direction = np.linalg.eigh(covariance)
    half = np.random.default_rng(seed_sequence("dls", "cumulants")).standard_normal((_DRAWS, lag.size))
    moved: list[tuple[float, float, float, float]] = []
    root = np.concatenate([half, -half]) * np.sqrt(np.maximum(strength, 0.0)) @ direction.T
    for k, one in enumerate(true):
        s = math.sqrt(math.log1p(one))
        rates = rate * np.exp(-0.5 * s * s - s * nodes)
        field = np.exp(-np.multiply.outer(lag, rates)) @ weight
        solve = _solver(lag, field, 2)
        _, slope, bend = (solve @ np.log(field)).tolist()
        fitted[k], size[k] = 2.0 * bend / slope**2, -rate / slope
        level = 2.0 * intercept * field**2
        own = solve @ (covariance / np.outer(level, level)) @ solve.T
        row = np.array([0.0, -4.0 * bend / slope**3, 2.0 / slope**2])
        noise[k], size_noise[k] = math.sqrt(max(row @ own @ row, 0.0)), math.sqrt(max(own[1, 1], 0.0)) / -slope
        common[k] = float(row @ own[1]) / -slope
        if k % _EVERY == 0:
            slopes, bends = _drawn(lag, intercept * field**2, root)
            spreads = 2.0 * bends / slopes**2
            low, middle, high = np.quantile(spreads, [0.1, 0.5, 0.9]).tolist()
            moved.append(
                (
                    one,
                    middle - fitted[k],
                    np.median(-rate / slopes) - size[k],
                    (low + high - 2.0 * middle) / (high - low),
                )
            )
    even = _even_alike(lag, rate, fitted)
    places, *columns = zip(*moved, strict=True)
    of_spread, of_size, lean = (np.interp(true, places, column) for column in columns)
    fitted, size = fitted + of_spread, size + of_size
    order = np.maximum.accumulate(fitted) + 1e-9 * np.arange(true.size)
    return Law(true, order, 1.0 / size - 1.0, noise, lean / _TENTH, size_noise, common, *even)


def _even_alike(
    lag: NDArray[np.float64], rate: float, fitted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Polydispersities of sizes even in their logarithm that would be fitted as these, and changes of their mean size."""
    halves = np.linspace(0.0, 3.0, 31)
    steps = (np.arange(41) - 20.0) / 20.5
    spread, seen, size = (np.empty(halves.size) for _ in range(3))
    for k, half in enumerate(halves.tolist()):
        own = np.exp(half * steps)
        own /= own.mean()
        field = np.exp(-np.multiply.outer(lag, rate * own)).mean(axis=1)
        _, slope, bend = cumulant_coefficients(lag, field).tolist()
        spread[k], seen[k], size[k] = own.var(), 2.0 * bend / slope**2, -rate / slope
    known = np.maximum.accumulate(seen) + 1e-9 * np.arange(seen.size)
    return np.interp(fitted, known, spread), np.interp(fitted, known, 1.0 / size - 1.0)


def _drawn(
    lag: NDArray[np.float64], level: NDArray[np.float64], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and second coefficient of quadratic fits to a noisy level, dims (draw,): `_solver` for many draws at once."""
    seen = np.maximum(level + noise, _LEAST_SHARE * level)
    weight, logs = seen**2, 0.5 * np.log(seen)
    powers = (lag / lag[-1]) ** np.arange(5)[:, None]
    sums = weight @ powers.T
    gram = np.stack([sums[:, k : k + 3] for k in range(3)], axis=1)
    found = np.linalg.solve(gram, ((weight * logs) @ powers[:3].T)[..., None])[..., 0]
    return found[:, 1] / lag[-1], found[:, 2] / lag[-1] ** 2


def _size(value: float, noise: float, beyond: float, shift: float, level: float) -> Estimate:
    """Diameter about what the order of the fit would make of a lognormal distribution.

    Noise is normal in the decay rate, of which the diameter is the reciprocal: the upper half of the interval is the longer one.
    """
    sd = math.sqrt(noise**2 + beyond**2 + (_OF_SHIFT * shift) ** 2)
    centre = value + shift
    reach = half_width(level) * sd / centre if math.isfinite(sd) else math.inf
    low, high = centre / (1.0 + reach), centre / (1.0 - reach) if reach < 1.0 else math.inf
    return Estimate(value, math.hypot(sd, shift), min(value, low), max(value, high), level, "nm", _METHOD)


def _spread(value: float, beyond: float, law: Law, level: float) -> tuple[Estimate, tuple[float, float]]:
    """Polydispersity with all those of a lognormal law that would be fitted as this one within their noise, and its central ends.

    A fit sees less and less of a wide distribution, and noise is larger for a narrow one, so the interval is not symmetric. No
    distribution is narrower than none: near there the interval turns from two ends to an upper one as Feldman and Cousins have it,
    which keeps it from being empty where noise makes the value negative, and from holding more than its level where it does not.
    """
    sd = np.sqrt(law.noise**2 + beyond**2 + (_OF_SHIFT * (law.true - law.fitted)) ** 2)
    above = law.fitted - law.fitted[0]
    means = above / sd
    seen = value - float(law.fitted[0])
    # beyond its turn a leaning parabola would come back
    most = 0.5 / np.maximum(np.abs(law.lean), 1e-9)[:, None]

    def ends(apart: NDArray[np.float64]) -> tuple[float, float]:
        leaning = apart + law.lean[:, None] * np.minimum(np.abs(apart), most) ** 2
        own = (means[:, None] + leaning) * sd[:, None]
        return _crossing(own[:, 1], seen, law.true), _crossing(own[:, 0], seen, law.true)

    low, high = ends(np.array([_accepted(one, level) for one in means.tolist()]) - means[:, None])
    central = ends(np.broadcast_to(half_width(level) * np.array([-1.0, 1.0]), (means.size, 2)))
    if central[1] == 0.0:
        central = low, high
    # a quadratic fit hardly tells wide distributions apart: there is then no upper end, and the lower half says how well it is known
    known = (high - low) / 2.0 if math.isfinite(high) else max(value - low, float(np.interp(value, law.fitted, sd)))
    own = Estimate(value, known / half_width(level), min(value, low), max(value, high), level, "1", _METHOD)
    return own, central


@lru_cache(maxsize=1)
def _acceptance(level: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Means from 0 in standard deviations, and between which ends their values are accepted.

    References
    ----------
    Feldman and Cousins, Phys. Rev. D 57, 3873 (1998), DOI 10.1103/PhysRevD.57.3873, section IV.B: values are taken up in the order
    of their likelihood over that of the best mean that is not below 0.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    means = np.linspace(0.0, 4.0, 41)

    def lower(high: float, mean: float) -> float:
        # the value with the same ratio of likelihoods: below 0 the best mean is 0
        mirrored = 2.0 * mean - high
        return mirrored if mirrored >= 0.0 or mean == 0.0 else 0.5 * mean - 0.5 * (high - mean) ** 2 / mean

    def rest(high: float, mean: float) -> float:
        below = 0.0 if mean == 0.0 else float(ndtr(lower(high, mean) - mean))
        return float(ndtr(high - mean)) - below - level

    tops = np.array([brentq(rest, mean, mean + 8.0, args=(mean,)) for mean in means.tolist()])
    floors = np.array(
        [-math.inf if m == 0.0 else lower(t, m) for m, t in zip(means.tolist(), tops.tolist(), strict=True)]
    )
    return means, floors, tops


def _accepted(mean: float, level: float) -> tuple[float, float]:
    means, floors, tops = _acceptance(level)
    if mean >= means[-1]:
        return mean - half_width(level), mean + half_width(level)
    # the floor falls without end towards a mean of 0
    floor = float(np.interp(mean, means[1:], floors[1:])) if mean >= means[1] else -math.inf
    return floor, float(np.interp(mean, means, tops))


def _crossing(curve: NDArray[np.float64], value: float, place: NDArray[np.float64]) -> float:
    """First place at which a curve reaches a value; its first place where it begins above, and infinity where it never does."""
    above = np.flatnonzero(curve >= value)
    if not above.size:
        return math.inf
    k = int(above[0])
    if k == 0 or math.isinf(curve[k - 1]):
        return float(place[k])
    share = (value - curve[k - 1]) / (curve[k] - curve[k - 1])
    return float(place[k - 1] + share * (place[k] - place[k - 1]))
