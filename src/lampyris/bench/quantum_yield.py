"""Quantum yield: relative to a standard over any number of dilutions, and absolute in an integrating sphere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.photons import PhotonSum
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares
from lampyris.statistics.intervals import normal_interval


@dataclass(frozen=True, slots=True)
class SpherePhotons:
    """What an integrating sphere counts in the three measurements.

    Parameters
    ----------
    empty : PhotonSum
        Excitation without sample, L_a.
    indirect : PhotonSum
        Excitation with the beam beside the sample, L_b; equal to `empty` where it was not measured.
    direct : PhotonSum
        Excitation with the beam on the sample, L_c.
    indirect_emission, direct_emission : PhotonSum
        Emission of the two, P_b and P_c.
    """

    empty: PhotonSum
    indirect: PhotonSum
    direct: PhotonSum
    indirect_emission: PhotonSum
    direct_emission: PhotonSum


@dataclass(frozen=True, slots=True)
class SphereYield:
    """Result of an integrating sphere: absorptance, yield as seen, and yield with self-absorption taken out."""

    absorptance: Estimate
    quantum_yield: Estimate
    observed_yield: Estimate


def predict_sphere(
    quantum_yield: float, absorptance: float, empty: float, /, *, wall_share: float = 0.0, indirect_share: float = 0.0
) -> tuple[float, float, float, float]:
    """Photons that a sphere counts.

    Parameters
    ----------
    quantum_yield : float
    absorptance : float
        Share of the beam that the sample absorbs on its first pass.
    empty : float
        Excitation photons without sample.
    wall_share : float
        Share of excitation lost to sample and holder when the beam misses the sample.
    indirect_share : float
        Emission that scattered light excites when the beam misses, over `empty`.

    Returns
    -------
    L_b, L_c, P_b, P_c : float

    References
    ----------
    de Mello, Wittmann and Friend, Adv. Mater. 9, 230 (1997), DOI 10.1002/adma.19970090308, equations 2 to 5.
    """
    indirect = empty * (1.0 - wall_share)
    indirect_emission = empty * indirect_share
    direct = (1.0 - absorptance) * indirect
    emission = (1.0 - absorptance) * indirect_emission + quantum_yield * empty * absorptance
    return indirect, direct, indirect_emission, emission


def infer_sphere(
    photons: SpherePhotons,
    /,
    *,
    calibration_relative_sd: float = 0.0,
    reabsorbed: tuple[float, float] = (0.0, 0.0),
    level: float = 0.95,
) -> SphereYield:
    """Yield and absorptance from the photons of the three measurements.

    Parameters
    ----------
    photons : SpherePhotons
    calibration_relative_sd : float
        Relative standard uncertainty of the sensitivity at the emission against that at the excitation.
    reabsorbed : (float, float)
        Share of emitted photons that the sample takes up again, and its standard uncertainty.
    level : float

    Returns
    -------
    SphereYield
        NaN throughout where nothing was absorbed.

    Notes
    -----
    The yield without self-absorption is Phi / (1 - a + a Phi).

    References
    ----------
    de Mello, Wittmann and Friend, Adv. Mater. 9, 230 (1997), DOI 10.1002/adma.19970090308.
    Ahn, Al-Kaysi, Mueller, Wentz and Bardeen, Rev. Sci. Instrum. 78, 086105 (2007), DOI 10.1063/1.2768926.

    Examples
    --------
    >>> exact = [PhotonSum(v, 0.0, 9) for v in (100.0, *predict_sphere(0.4, 0.5, 100.0, wall_share=0.1))]
    >>> la, lb, lc, pb, pc = exact
    >>> round(infer_sphere(SpherePhotons(la, lb, lc, pb, pc)).quantum_yield.value, 12)
    0.4
    """
    sums = (
        photons.empty,
        photons.indirect,
        photons.direct,
        photons.indirect_emission,
        photons.direct_emission,
    )
    at = np.array([one.value for one in sums])
    sd = np.array([one.sd for one in sums])
    same = photons.indirect is photons.empty
    share, share_sd = reabsorbed

    def answers(v: NDArray[np.float64], own: float) -> NDArray[np.float64]:
        la, lb, lc, pb, pc = v if not same else (v[0], v[0], *v[2:])
        absorptance = 1.0 - lc / lb
        seen = (pc - (1.0 - absorptance) * pb) / (la * absorptance)
        return np.array([absorptance, seen, seen / (1.0 - own + own * seen)])

    with np.errstate(all="ignore"):
        value = answers(at, share)
        variance = np.zeros(3)
        for k in range(5):
            step = np.zeros(5)
            step[k] = sd[k] or 0.0
            variance += ((answers(at + step, share) - answers(at - step, share)) / 2.0) ** 2
        variance += ((answers(at, share + share_sd) - answers(at, share - share_sd)) / 2.0) ** 2
    variance[1:] += (calibration_relative_sd * value[1:]) ** 2
    method = "sphere, photon counts, linear propagation"
    order = [0, 2, 1]
    told = zip(value[order].tolist(), np.sqrt(variance)[order].tolist(), strict=True)
    return SphereYield(*(_told(v, s, "1", method, level) for v, s in told))


def reabsorbed_share(
    wavelength_nm: NDArray[np.float64], seen: ArrayLike, dilute: ArrayLike, /, *, tail_nm: float
) -> tuple[float, float]:
    """Share of emission that is taken up again, from the blue side that a concentrated sample lacks.

    Parameters
    ----------
    wavelength_nm : numpy.ndarray, dims (point,)
    seen, dilute : array_like, dims (point,)
        Photons per nm in the sphere, and of a very dilute sample.
    tail_nm : float
        From here on nothing is absorbed: the two are made equal there.

    Returns
    -------
    float, float
        Share and its standard uncertainty, from the scatter of the ratio in the tail.

    Raises
    ------
    ValueError
        If fewer than five points lie beyond `tail_nm`, or the dilute one has no light there.
    """
    a, b = np.asarray(seen, np.float64), np.asarray(dilute, np.float64)
    tail = wavelength_nm >= tail_nm
    if tail.sum() < 5 or not b[tail].sum() > 0:
        raise ValueError(f"fewer than five points with light lie beyond {tail_nm:g} nm")
    ratio = float(a[tail].sum() / b[tail].sum())
    scatter = a[tail] - ratio * b[tail]
    ratio_sd = float(np.sqrt(np.sum(scatter**2)) / b[tail].sum())
    total, whole = np.trapezoid(a, wavelength_nm), np.trapezoid(b, wavelength_nm)
    return float(1.0 - total / (ratio * whole)), float(total / (ratio**2 * whole) * ratio_sd)


@dataclass(frozen=True, slots=True, eq=False)
class Dilutions:
    """Dilutions of a sample or standard.

    Parameters
    ----------
    absorbance : numpy.ndarray, dims (dilution,)
        At the excitation wavelength, decadic, in the cell used.
    photons : numpy.ndarray, dims (dilution,)
        Integrated emission in photons, the blank taken off.
    photons_sd : numpy.ndarray, dims (dilution,)
    """

    absorbance: NDArray[np.float64]
    photons: NDArray[np.float64]
    photons_sd: NDArray[np.float64]

    def absorbed(self) -> NDArray[np.float64]:
        """Share of the beam that each dilution absorbs."""
        return 1.0 - 10.0**-self.absorbance


def predict_emission(absorbance: ArrayLike, slope: float, /) -> NDArray[np.float64]:
    """Photons that dilutions of one substance emit: proportional to the share of the beam absorbed.

    Parameters
    ----------
    absorbance : array_like, dims (dilution,)
    slope : float
        Photons at full absorption.

    Returns
    -------
    numpy.ndarray, dims (dilution,)
    """
    return slope * (1.0 - 10.0 ** -np.asarray(absorbance, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class RelativeYield:
    """Result of a relative measurement.

    Parameters
    ----------
    quantum_yield : Estimate
    slope, standard_slope : Estimate
        Photons at full absorption.
    fit : Fit
    bent : bool
        A line with an intercept fits either substance clearly better: an inner filter, a blank, or a wrong absorbance.
    """

    quantum_yield: Estimate
    slope: Estimate
    standard_slope: Estimate
    fit: Fit
    bent: bool


def infer_relative(
    sample: Dilutions,
    standard: Dilutions,
    /,
    *,
    standard_yield: tuple[float, float],
    refractive_indices: tuple[float, float],
    absorbance_sd: float,
    excitation_ratio: float = 1.0,
    level: float = 0.95,
) -> RelativeYield:
    """Yield of a sample from its dilutions and those of a standard.

    Parameters
    ----------
    sample, standard : Dilutions
        At least one of each.
    standard_yield : (float, float)
        Of the standard, and its standard uncertainty.
    refractive_indices : (float, float)
        Of the sample's and of the standard's solvent.
    absorbance_sd : float
        Standard uncertainty of an absorbance.
    excitation_ratio : float
        Excitation photons on the standard over those on the sample.
    level : float

    Returns
    -------
    RelativeYield
        Slopes are fitted through the origin with the errors of photons and absorbance; where points scatter more than those
        say, the scatter counts.

    References
    ----------
    Wurth, Grabolle, Pauli, Spieles and Resch-Genger, Nat. Protoc. 8, 1535 (2013), DOI 10.1038/nprot.2013.087.
    """
    both = (sample, standard)
    slopes = [float(np.sum(one.photons * one.absorbed()) / np.sum(one.absorbed() ** 2)) for one in both]
    names = ("slope", "standard_slope")
    sets = [_line_set(one, name, start, absorbance_sd) for one, name, start in zip(both, names, slopes, strict=True)]
    parameters = [Parameter(name, start, scale=0.01 * abs(start)) for name, start in zip(names, slopes, strict=True)]
    fit = fit_least_squares(sets, parameters, scatter="known", level=level)
    points = sum(one.photons.size for one in both)
    # more scatter than the stated errors explain widens them; less does not narrow them
    widen = math.sqrt(max(1.0, fit.goodness.chi2 / (points - 2))) if points > 2 else 1.0
    factor = standard_yield[0] * (refractive_indices[0] / refractive_indices[1]) ** 2 * excitation_ratio
    estimates = [fit[name] for name in names]
    a, b = (one.value for one in estimates)
    relative = [widen * one.sd / abs(one.value) for one in estimates]
    value = factor * a / b
    sd = abs(value) * math.sqrt(relative[0] ** 2 + relative[1] ** 2 + (standard_yield[1] / standard_yield[0]) ** 2)
    quantile = _quantile(level, points - 2 if widen > 1.0 else math.inf)
    method = "slopes through the origin, errors of photons, absorbance and standard"
    by_slope = [_told(one.value, widen * one.sd, "photons", "line through the origin", level) for one in estimates]
    return RelativeYield(
        quantum_yield=Estimate(value, sd, value - quantile * sd, value + quantile * sd, level, "1", method),
        slope=by_slope[0],
        standard_slope=by_slope[1],
        fit=fit,
        bent=any(_bends(one, slope, absorbance_sd) for one, slope in zip(both, slopes, strict=True)),
    )


def _line_set(dilutions: Dilutions, name: str, slope: float, absorbance_sd: float) -> DataSet:
    absorbance = dilutions.absorbance
    return DataSet(
        lambda p: predict_emission(absorbance, p[0]),
        dilutions.photons,
        sd=emission_sd(dilutions, slope, absorbance_sd),
        parameters=(name,),
    )


def emission_sd(dilutions: Dilutions, slope: float, absorbance_sd: float, /) -> NDArray[np.float64]:
    """Error of the photons, with that of the absorbance carried over by the slope, dims (dilution,)."""
    steep = slope * math.log(10.0) * 10.0**-dilutions.absorbance
    total = np.hypot(dilutions.photons_sd, steep * absorbance_sd)
    return np.maximum(total, 1e-9 * np.abs(dilutions.photons).max())


def _bends(dilutions: Dilutions, slope: float, absorbance_sd: float) -> bool:
    """Whether an intercept lies three of its standard errors from zero; told from three dilutions on."""
    x, y = dilutions.absorbed(), dilutions.photons
    if x.size < 3:
        return False
    weight = 1.0 / emission_sd(dilutions, slope, absorbance_sd) ** 2
    mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = np.sum(weight * (x - mean_x) ** 2)
    rise = np.sum(weight * (x - mean_x) * (y - mean_y)) / spread
    intercept = mean_y - rise * mean_x
    return bool(abs(intercept) > 3.0 * math.sqrt(1.0 / weight.sum() + mean_x**2 / spread))


def _quantile(level: float, degrees: float) -> float:
    if math.isinf(degrees):
        from scipy.special import ndtri

        return float(ndtri(0.5 + level / 2))
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))


def _told(value: float, sd: float, unit: str, method: str, level: float) -> Estimate:
    """Normal interval; nothing is told of a number that is not finite."""
    known = math.isfinite(value) and math.isfinite(sd)
    return normal_interval(value if known else math.nan, sd, unit=unit, method=method, level=level)


def pooled_yield(estimates: Sequence[Estimate], /, *, shared_relative_sd: float, level: float = 0.95) -> Estimate:
    """Mean of repeated yields: their scatter by Student's t, and beside it the error that all share.

    Parameters
    ----------
    estimates : sequence of Estimate
        Two or more repeats.
    shared_relative_sd : float
        Relative standard uncertainty common to all, such as the correction or the standard.
    level : float

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
    values = np.array([one.value for one in estimates])
    if values.size < 2:
        raise ValueError(f"a scatter needs two repeats, got {values.size}")
    mean = float(values.mean())
    own = float(values.std(ddof=1) / math.sqrt(values.size))
    shared = shared_relative_sd * abs(mean)
    reach = math.hypot(_quantile(level, values.size - 1) * own, _quantile(level, math.inf) * shared)
    return Estimate(
        mean, math.hypot(own, shared), mean - reach, mean + reach, level, "1", f"mean of {values.size} repeats"
    )
