"""What diameters say together: laws of size by maximum likelihood, the spread without measuring noise, several images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import Fit, LogLikelihood, Parameter, fit_likelihood
from lampyris.statistics.intervals import t_interval_from_summary, with_error
from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]
Law = Literal["normal", "lognormal"]
LAWS: tuple[Law, ...] = ("normal", "lognormal")
FEWEST = 10
"""Diameters that a law needs."""
# particles of equal weight from which on a fourth moment is taken
_LEAST_WORTH = 6
TWO_KINDS_AICC, LEAST_SEPARATION, LEAST_SHARE = 10.0, 2.0, 0.05
"""Two populations are told where AICc falls by so much, their means differ by this many of their pooled standard
deviations (Ashman's D, 2 where two peaks begin to show), and the smaller holds this share."""


@dataclass(frozen=True, slots=True, eq=False)
class Diameters:
    """Diameters of particles.

    Parameters
    ----------
    nm : numpy.ndarray, dims (particle,)
    sd_nm : numpy.ndarray, dims (particle,)
        Noise of measuring each.
    weight : numpy.ndarray, dims (particle,)
        Inverse of the chance to have been counted, up to a factor.
    piece : numpy.ndarray of int, dims (particle,)
        Particles of one number touch: they came into the picture together. Empty where all stand alone.
    """

    nm: Array
    sd_nm: Array
    weight: Array
    piece: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    def pieces(self) -> NDArray[np.intp]:
        """Number of the piece of each particle, from 0 without a gap."""
        return np.unique(self.piece, return_inverse=True)[1] if self.piece.size else np.arange(self.nm.size)

    def joined(self, others: "Sequence[Diameters]", /) -> "Diameters":
        """These and others."""
        every = (self, *others)
        pieces = [one.pieces() for one in every]
        first = np.cumsum([0, *(int(own.max(initial=-1)) + 1 for own in pieces[:-1])])
        return Diameters(
            np.concatenate([one.nm for one in every]),
            np.concatenate([one.sd_nm for one in every]),
            np.concatenate([one.weight for one in every]),
            np.concatenate([own + start for own, start in zip(pieces, first, strict=True)]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SizeLaw:
    """One law of size fitted to diameters.

    Parameters
    ----------
    law : str
    fit : Fit
    mean_nm, sd_nm : Estimate
        Of the particles, measuring noise taken out.
    """

    law: Law
    fit: Fit
    mean_nm: Estimate
    sd_nm: Estimate

    def density(self, nm: ArrayLike, /) -> Array:
        """Density at diameters, dims (point,), per nm, without measuring noise."""
        return np.exp(_log_density(self.law, np.asarray(nm, np.float64), self.mean_nm.value, self.sd_nm.value, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class TwoKinds:
    """Two populations in one sample.

    Parameters
    ----------
    means_nm, sds_nm, shares : tuple of float
        The smaller first.
    aicc_gain : float
        How much lower the AICc is than that of one population.
    """

    means_nm: tuple[float, float]
    sds_nm: tuple[float, float]
    shares: tuple[float, float]
    aicc_gain: float


def _log_density(law: Law, nm: Array, mean: float, sd: float, noise: Array | float) -> Array:
    """Logarithm of the density of a measured diameter."""
    if law == "normal":
        variance = sd * sd + noise * noise
        return np.asarray(-0.5 * (nm - mean) ** 2 / variance - 0.5 * np.log(2.0 * np.pi * variance))
    own = math.log1p((sd / mean) ** 2)
    # noise is small beside the diameter: it acts on its logarithm
    variance = own + np.log1p((noise / mean) ** 2)
    logs = np.log(nm)
    return np.asarray(
        -0.5 * (logs - math.log(mean) + 0.5 * own) ** 2 / variance - 0.5 * np.log(2.0 * np.pi * variance) - logs
    )


def fit_sizes(diameters: Diameters, /, *, laws: Sequence[Law] = LAWS, level: float = 0.95) -> tuple[SizeLaw, ...]:
    """Laws of size, that of the least AICc first.

    Parameters
    ----------
    diameters : Diameters
    laws : sequence of str
    level : float

    Returns
    -------
    tuple of SizeLaw
        Intervals by profile likelihood with particles as units; the standard deviation times sqrt(n / (n - 1)).

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST` diameters, or they do not vary.
    """
    nm = diameters.nm
    if nm.size < FEWEST:
        raise ValueError(f"{nm.size} particles are too few for a law of size; it needs {FEWEST}")
    if not np.ptp(nm) > 0:
        raise ValueError("all diameters are the same")
    found = [_fitted(law, diameters, level) for law in laws]
    return tuple(sorted(found, key=lambda one: one.fit.goodness.aicc))


def _fitted(law: Law, diameters: Diameters, level: float) -> SizeLaw:
    nm, noise = diameters.nm, diameters.sd_nm
    weight = diameters.weight / diameters.weight.mean()
    mean, sd = moments(diameters)
    start = max(sd, 0.02 * mean, 0.3 * float(np.std(nm)))
    error = start / math.sqrt(nm.size)
    parameters = [
        Parameter("mean", mean, 0.2 * mean, 5.0 * mean, unit="nm", scale=error),
        Parameter("sd", start, 1e-4 * mean, 3.0 * mean, unit="nm", scale=0.7 * error),
    ]
    terms = LogLikelihood(lambda p: weight * _log_density(law, nm, p[0], p[1], noise))
    fit = fit_likelihood(terms, parameters, intervals="profile", level=level)
    grow = math.sqrt(nm.size / (nm.size - 1.0))
    return SizeLaw(law, fit, fit["mean"], stretched(fit["sd"], grow))


def stretched(one: Estimate, factor: float, /) -> Estimate:
    """An estimate times a number."""
    return Estimate(
        one.value * factor, one.sd * factor, one.low * factor, one.high * factor, one.level, one.unit, one.method
    )


def moments(diameters: Diameters, /) -> tuple[float, float]:
    """Weighted mean and standard deviation (divisor n - 1), the noise of measuring taken out of the latter."""
    weight = diameters.weight / diameters.weight.sum()
    mean = float(weight @ diameters.nm)
    variance = _variance(diameters.nm, diameters.weight)
    return mean, math.sqrt(max(variance - float(weight @ diameters.sd_nm**2), 0.0))


def mean_interval(diameters: Diameters, /, *, level: float = 0.95) -> Estimate:
    """Weighted mean diameter with Student's interval, whatever the law of sizes; particles that touch count as one unit."""
    mean, _ = moments(diameters)
    count = _worth(diameters.weight)
    total = math.sqrt(_variance(diameters.nm, diameters.weight))
    grown, units = _by_pieces(diameters, diameters.nm - mean)
    units = max(round(count * units / diameters.nm.size), 2)
    return t_interval_from_summary(mean, total * grown * math.sqrt(units / count), units, unit="nm", level=level)


def spread_interval(diameters: Diameters, /, *, level: float = 0.95, usual_fourth: float | None = None) -> Estimate:
    """Standard deviation of particles, whatever the law of sizes; the noise of measuring is taken out.

    Parameters
    ----------
    diameters : Diameters
        At least `FEWEST`.
    level : float
    usual_fourth : float, optional
        Fourth moment over the squared second that such values have; by default that of the laws of size.

    Returns
    -------
    Estimate
        Bonett's interval: its width follows the fourth moment, where that by chi-squared holds for the normal law alone. Noise is
        taken off the squares of its ends. Where so few particles carry the weight that the fourth moment tells nothing, every
        spread is within it.

    Notes
    -----
    Few particles of a law with a long tail often lack it, and then show too small a fourth moment together with too small a spread.
    Bonett pools their fourth moment with that of samples before, by their numbers; here as many particles before are taken to
    have been those of the laws of size. Particles that touch came into the picture together, and scatter as pieces do.

    References
    ----------
    Bonett, Comput. Stat. Data Anal. 50, 775 (2006), DOI 10.1016/j.csda.2004.10.003.
    """
    from scipy.special import stdtrit

    nm, weight = diameters.nm, diameters.weight / diameters.weight.sum()
    count = _worth(diameters.weight)
    variance = _variance(nm, diameters.weight)
    if count < _LEAST_WORTH:
        value = math.sqrt(max(variance - float(weight @ diameters.sd_nm**2), 0.0))
        return Estimate(value, math.nan, 0.0, math.inf, level, "nm", f"no interval: {count} particles have the weight")
    middle = _trimmed_mean(nm, 0.5 / math.sqrt(count - 4.0))
    fourth = float(weight @ (nm - middle) ** 4) / float(weight @ (nm - weight @ nm) ** 2) ** 2
    usual = _usual_fourth(diameters) if usual_fourth is None else usual_fourth
    fourth = 0.5 * (fourth + usual)
    away = (nm - weight @ nm) ** 2
    reach = half_width(level)
    small = count / (count - reach)
    grown, units = _by_pieces(diameters, away - float(weight @ away))
    grown *= float(stdtrit(units - 1, 0.5 * (1.0 + level)) / stdtrit(nm.size - 1, 0.5 * (1.0 + level)))
    error = grown * small * math.sqrt(max(fourth - (count - 3.0) / count, 0.0) / (count - 1.0))
    noise = float(weight @ diameters.sd_nm**2)
    ends = [math.sqrt(max(small * variance * math.exp(sign * reach * error) - noise, 0.0)) for sign in (-1.0, 1.0)]
    value = math.sqrt(max(variance - noise, 0.0))
    sd = 0.5 * error * variance / value if value > 0 else math.nan
    return Estimate(value, sd, min(ends[0], value), max(ends[1], value), level, "nm", "Bonett's interval")


def geometric(diameters: Diameters, /, *, level: float = 0.95) -> tuple[Estimate, Estimate]:
    """Geometric mean and geometric standard deviation of diameters: of a lognormal law its median and the exponential of its sigma.

    Parameters
    ----------
    diameters : Diameters
        At least `FEWEST`, all above 0.
    level : float

    Returns
    -------
    mean, sd : Estimate
        In nm, and as a factor.
    """
    share = diameters.sd_nm / diameters.nm
    # noise lowers the mean logarithm by half its square
    logs = Diameters(np.log(diameters.nm) + 0.5 * share**2, share, diameters.weight, diameters.piece)
    # logarithms are normal or, of a normal law, skewed by three times its relative spread
    normal = 3.0 + 16.0 * min(_variance(diameters.nm, diameters.weight) / float(diameters.nm.mean()) ** 2, 0.1)
    fourth = normal + _lognormal_share(diameters) * (3.0 - normal)
    mean, sd = mean_interval(logs, level=level), spread_interval(logs, level=level, usual_fourth=fourth)
    return _exponential(mean, "nm"), _exponential(sd, "1")


def _exponential(one: Estimate, unit: str) -> Estimate:
    value = math.exp(one.value)
    return Estimate(
        value, value * one.sd, math.exp(one.low), math.exp(one.high), one.level, unit, f"{one.method}, of logarithms"
    )


def _by_pieces(diameters: Diameters, off: Array) -> tuple[float, int]:
    """By how much a weighted mean of values that are off by `off` scatters more with pieces as units than with particles, and how
    many units there are. Of few pieces nothing is told, and particles are the units."""
    pieces = diameters.pieces()
    count, units = pieces.size, int(pieces.max(initial=-1)) + 1
    own = diameters.weight * off
    alone = float(own @ own) * count / max(count - 1, 1)
    if units == count or units < _LEAST_WORTH or not alone > 0:
        return 1.0, count
    whole = np.bincount(pieces, own)
    return math.sqrt(float(whole @ whole) * units / (units - 1) / alone), units


def _usual_fourth(diameters: Diameters) -> float:
    """Fourth moment over the squared second of a normal and a lognormal law, each by how well it describes the diameters."""
    factor = math.exp(min(_variance(np.log(diameters.nm), diameters.weight), 1.0))
    return 3.0 + _lognormal_share(diameters) * (factor**4 + 2.0 * factor**3 + 3.0 * factor**2 - 6.0)


def _lognormal_share(diameters: Diameters) -> float:
    """How likely a lognormal law is beside a normal one, by their likelihoods."""
    logs = np.log(diameters.nm)
    spread, variance = _variance(logs, diameters.weight), _variance(diameters.nm, diameters.weight)
    if not (spread > 0 and variance > 0):
        return 0.0
    mean = float(diameters.weight @ logs / diameters.weight.sum())
    gain = diameters.nm.size * (0.5 * math.log(variance / spread) - mean)
    return 1.0 / (1.0 + math.exp(-min(max(gain, -50.0), 50.0)))


def _worth(weight: Array) -> int:
    """How many particles of equal weight tell as much."""
    return max(round(float(weight.sum() ** 2 / (weight @ weight))), 2)


def _variance(nm: Array, weight: Array) -> float:
    share = weight / weight.sum()
    return float(share @ (nm - share @ nm) ** 2) * nm.size / max(nm.size - 1, 1)


def _trimmed_mean(values: Array, share: float) -> float:
    ordered = np.sort(values)
    cut = int(share * ordered.size)
    return float(ordered[cut : ordered.size - cut].mean())


def over_images(images: Sequence[Diameters], /, *, level: float = 0.95) -> tuple[Estimate, Estimate]:
    """Mean and standard deviation of the particles of several images, the image as the unit.

    Parameters
    ----------
    images : sequence of Diameters
        At least two.
    level : float

    Returns
    -------
    mean, sd : Estimate
        Intervals by leaving one image out at a time (jackknife), Student's with one degree less than images; of the standard
        deviation on its logarithm.
    """
    from scipy.special import stdtrit

    count = len(images)
    mean, sd = moments(images[0].joined(images[1:]))
    without = []
    for k in range(count):
        rest = [one for j, one in enumerate(images) if j != k]
        without.append(moments(rest[0].joined(rest[1:])))
    left = np.array(without)
    scale = (count - 1) / count
    quantile = float(stdtrit(count - 1, 0.5 * (1.0 + level)))
    error = math.sqrt(scale * float(np.sum((left[:, 0] - left[:, 0].mean()) ** 2)))
    words = f"{count} images left out one at a time, Student's t"
    average = Estimate(mean, error, mean - quantile * error, mean + quantile * error, level, "nm", words)
    if not (sd > 0 and (left[:, 1] > 0).all()):
        return average, Estimate(
            sd, math.nan, 0.0, math.inf, level, "nm", f"{words}: not told from the noise of measuring"
        )
    logs = np.log(left[:, 1])
    spread = math.sqrt(scale * float(np.sum((logs - logs.mean()) ** 2)))
    reach = math.exp(min(quantile * spread, 700.0))
    return average, Estimate(sd, sd * spread, sd / reach, sd * reach, level, "nm", f"{words}, on the logarithm")


def two_kinds(diameters: Diameters, one: SizeLaw, /) -> TwoKinds | None:
    """Two populations, where they describe the diameters clearly better than one law.

    Parameters
    ----------
    diameters : Diameters
    one : SizeLaw
        The best law of one population.

    Returns
    -------
    TwoKinds or None
        A mixture of two lognormal populations, by AICc and Ashman's D (`TWO_KINDS_AICC`, `LEAST_SEPARATION`).

    References
    ----------
    Ashman, Bird and Zepf, Astron. J. 108, 2348 (1994), DOI 10.1086/117248.
    """
    nm, noise = diameters.nm, diameters.sd_nm
    if nm.size < 4 * FEWEST:
        return None
    weight = diameters.weight / diameters.weight.mean()
    logs, spread = np.log(nm), noise / nm
    cut = _best_cut(logs)
    lower, upper = logs[logs <= cut], logs[logs > cut]
    sd = [max(float(part.std()), 0.01) for part in (lower, upper)]
    span = float(np.ptp(logs))

    def likelihood(p: Array) -> Array:
        parts = []
        for centre, width, share in ((p[0], p[1], p[4]), (p[2], p[3], 1.0 - p[4])):
            variance = np.exp(2.0 * width) + spread**2
            parts.append(-0.5 * (logs - centre) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance) + math.log(share))
        return np.asarray(weight * (np.logaddexp(*parts) - logs))

    parameters = [
        Parameter("first", float(lower.mean()), float(logs.min()), float(logs.max()), scale=0.02),
        Parameter("log first width", math.log(sd[0]), math.log(0.005), math.log(span + 0.1), scale=0.1),
        Parameter("second", float(upper.mean()), float(logs.min()), float(logs.max()), scale=0.02),
        Parameter("log second width", math.log(sd[1]), math.log(0.005), math.log(span + 0.1), scale=0.1),
        Parameter("share", min(max(lower.size / logs.size, 0.02), 0.98), 0.005, 0.995, scale=0.05),
    ]
    fit = fit_likelihood(LogLikelihood(likelihood), parameters)
    gain = one.fit.goodness.aicc - fit.goodness.aicc
    a, wa, b, wb, share = fit.values.tolist()
    wa, wb = math.exp(wa), math.exp(wb)
    if a > b:
        a, wa, b, wb, share = b, wb, a, wa, 1.0 - share
    apart = math.sqrt(2.0) * (b - a) / math.hypot(wa, wb)
    if not (gain > TWO_KINDS_AICC and apart > LEAST_SEPARATION and LEAST_SHARE < share < 1.0 - LEAST_SHARE):
        return None
    means = (math.exp(a + wa**2 / 2), math.exp(b + wb**2 / 2))
    sds = (means[0] * math.sqrt(math.expm1(wa**2)), means[1] * math.sqrt(math.expm1(wb**2)))
    return TwoKinds(means, sds, (share, 1.0 - share), gain)


def _best_cut(logs: Array) -> float:
    """Where two groups differ most (Otsu's rule)."""
    ordered = np.sort(logs)
    count = np.arange(1, ordered.size)
    left = np.cumsum(ordered)[:-1] / count
    right = (ordered.sum() - np.cumsum(ordered)[:-1]) / (ordered.size - count)
    return float(ordered[:-1][np.argmax(count * (ordered.size - count) * (left - right) ** 2)])


def with_common(one: Estimate, relative_sd: float, why: str, /) -> Estimate:
    """An estimate whose interval also holds an uncertainty that all particles share, as a share of the value."""
    if not (relative_sd > 0 and math.isfinite(one.value)):
        return one
    # no size and no spread is below 0
    least = 0.0 if one.low >= 0 else -math.inf
    return with_error(one, relative_sd * abs(one.value), f"{one.method}; {why}", least=least)


def particles_needed(mean_nm: float, sd_nm: float, percent: float, /, *, level: float = 0.95) -> int:
    """How many particles hold the mean to a share of itself.

    Examples
    --------
    >>> particles_needed(6.8, 0.9, 2.0)
    169
    """

    return max(2, math.ceil((half_width(level) * 100.0 * sd_nm / mean_nm / percent) ** 2))


def shell_nm(whole: Estimate, core: Estimate, /) -> Estimate:
    """Thickness of a shell: half of what the mean diameter grew, errors joined in quadrature."""
    value = 0.5 * (whole.value - core.value)
    low = value - 0.5 * math.hypot(whole.value - whole.low, core.high - core.value)
    high = value + 0.5 * math.hypot(whole.high - whole.value, core.value - core.low)
    sd = 0.5 * math.hypot(whole.sd, core.sd)
    return Estimate(
        value, sd, low, high, whole.level, "nm", "half the difference of mean diameters, errors in quadrature"
    )
