"""The ensemble: sizes, shapes and compositions of a batch of dots, and the transition energies that follow."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from lampyris.probe.refusals import each_within, refusal, within

EnergyOfSize = Callable[[float], float]
"""Diameter in nm to transition energy in eV."""
Transitions = EnergyOfSize | tuple[ArrayLike, ArrayLike]
"""A function of the diameter, or diameters in nm with their energies in eV."""

# beyond this many standard deviations no dot is looked for: 6e-7 of a normal batch
_REACH = 5.0
_SIZES = 161
_MOST_SIZES = 8001
_SHAPES = 15


@dataclass(frozen=True, slots=True)
class SizeSpread:
    """Diameters of a batch.

    Parameters
    ----------
    mean_nm, sd_nm : float
        Arithmetic mean and standard deviation of the diameter.
    kind : str
        ``normal`` or ``lognormal``.

    Raises
    ------
    InputError
        If a number is not finite or out of bounds, or a normal spread is so wide that it reaches zero size.

    Examples
    --------
    >>> diameter, weight = SizeSpread(6.8, 0.9).nodes()
    >>> round(float(weight @ diameter), 6)
    6.8
    """

    mean_nm: float
    sd_nm: float
    kind: Literal["normal", "lognormal"] = "normal"

    def __post_init__(self) -> None:
        within("mean_nm", self.mean_nm, 0.0, 1000.0, unit="nm", open_low=True)
        within("sd_nm", self.sd_nm, 0.0, 1000.0, unit="nm")
        if self.kind not in ("normal", "lognormal"):
            raise refusal(
                "probe.unknown-name", "kind", f"{self.kind!r} is no kind of spread.", "Say normal or lognormal."
            )
        if self.kind == "normal" and self.sd_nm > 0.2 * self.mean_nm:
            seen = f"a normal spread of {self.sd_nm:g} nm around {self.mean_nm:g} nm reaches towards zero size."
            raise refusal("probe.spread-too-wide", "sd_nm", seen, "Say kind lognormal, or check sd_nm.")

    def nodes(self, count: int = _SIZES, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Diameters in nm and weights that sum to 1, dims (node,); one of each where there is no spread."""
        if self.sd_nm == 0:
            return np.array([self.mean_nm]), np.array([1.0])
        # an even grid: for a bell its sums converge faster than any power, and no node lies alone in a tail
        reach = _REACH if self.kind == "lognormal" else min(_REACH, 0.9 * self.mean_nm / self.sd_nm)
        standard = np.linspace(-reach, reach, count)
        weight = np.exp(-0.5 * standard**2)
        if self.kind == "normal":
            diameter = self.mean_nm + self.sd_nm * standard
        else:
            log_variance = math.log1p((self.sd_nm / self.mean_nm) ** 2)
            diameter = np.exp(math.log(self.mean_nm) - log_variance / 2 + math.sqrt(log_variance) * standard)
        return diameter, weight / weight.sum()

    def at_half_maximum(self) -> tuple[float, float]:
        """Diameters in nm at which half as many dots lie as at the most frequent one, per logarithm if lognormal."""
        half = math.sqrt(2.0 * math.log(2.0))
        if self.kind == "normal":
            return self.mean_nm - half * self.sd_nm, self.mean_nm + half * self.sd_nm
        log_variance = math.log1p((self.sd_nm / self.mean_nm) ** 2)
        middle, step = math.log(self.mean_nm) - log_variance / 2, half * math.sqrt(log_variance)
        return math.exp(middle - step), math.exp(middle + step)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A batch of dots: how size, shape and composition vary, each on its own.

    Parameters
    ----------
    size : SizeSpread
        Of the diameter of the sphere of equal volume.
    aspect, aspect_sd : float
        Mean and standard deviation of length over width.
    bulk_gap_ev : float
        Gap without confinement: shape moves only what is above it. Needed where dots are not spheres.
    composition_sd : float
        Standard deviation of an alloy's share.
    composition_slope_ev : float
        Change of the transition energy with that share.
    defect_fwhm_ev : float
        Width that dots of one size add because of where the emitting defect sits (CuInS2).

    Raises
    ------
    InputError
        If a number is out of bounds, or shape varies without `bulk_gap_ev`.
    """

    size: SizeSpread
    aspect: float = 1.0
    aspect_sd: float = 0.0
    bulk_gap_ev: float = math.nan
    composition_sd: float = 0.0
    composition_slope_ev: float = 0.0
    defect_fwhm_ev: float = 0.0

    def __post_init__(self) -> None:
        within("aspect", self.aspect, 1.0, 20.0, because="beyond that a dot is a rod, with another physics")
        within("aspect_sd", self.aspect_sd, 0.0, 5.0)
        within("composition_sd", self.composition_sd, 0.0, 0.5)
        within("composition_slope_ev", self.composition_slope_ev, -10.0, 10.0, unit="eV")
        within("defect_fwhm_ev", self.defect_fwhm_ev, 0.0, 1.0, unit="eV")
        if not self.spheres:
            within("bulk_gap_ev", self.bulk_gap_ev, 0.0, 10.0, unit="eV", because="needed where dots are not spheres")

    @property
    def spheres(self) -> bool:
        """Every dot is a sphere."""
        return self.aspect == 1.0 and self.aspect_sd == 0.0

    @property
    def added_sd_ev(self) -> float:
        """Standard deviation of the energy from composition and defects, which no size explains."""
        defect = self.defect_fwhm_ev / (2.0 * math.sqrt(2.0 * math.log(2.0)))
        return math.hypot(self.composition_sd * self.composition_slope_ev, defect)


def shape_factor(aspect: ArrayLike, /) -> NDArray[np.float64]:
    """Confinement energy of an elongated dot over that of a sphere of equal volume.

    Exact for a box of these proportions, whose energy goes as the sum of 1/L^2; for an ellipsoid it holds to first order. The
    lifting of degeneracies by shape is left out.

    Examples
    --------
    >>> shape_factor([1.0, 2.0]).round(4).tolist()
    [1.0, 1.1906]
    """
    ratio = np.asarray(aspect, dtype=np.float64)
    return (2.0 * ratio ** (2.0 / 3.0) + ratio ** (-4.0 / 3.0)) / 3.0


def energies(transitions: Transitions, diameter_nm: ArrayLike, /, *, samples: int = 13) -> NDArray[np.float64]:
    """Transition energies of many diameters from few calls.

    Parameters
    ----------
    transitions : callable or pair of arrays
        A callable is asked at `samples` sizes and joined by a polynomial (Chebyshev nodes), since a solver costs
        milliseconds. Arrays are joined by a monotone cubic and are not continued.
    diameter_nm : array_like, dims (dot,)
    samples : int

    Returns
    -------
    array, dims (dot,)
        In eV.

    Raises
    ------
    InputError
        If arrays do not cover the diameters or do not rise, or an energy is not above 0.
    """
    wanted = each_within("diameter_nm", diameter_nm, 0.0, math.inf, unit="nm")
    low, high = float(wanted.min()), float(wanted.max())
    if not callable(transitions):
        found = _joined(transitions, wanted, low, high)
    elif wanted.size <= samples or low == high:
        found = np.array([float(transitions(float(one))) for one in wanted])
    else:
        nodes = np.cos(np.pi * (np.arange(samples) + 0.5) / samples)
        at = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        values = np.array([float(transitions(float(one))) for one in at])
        each_within("transition energy", values, 0.0, 100.0, unit="eV")
        curve = chebyshev.chebfit(nodes, values, samples - 1)
        found = np.asarray(chebyshev.chebval((2.0 * wanted - high - low) / (high - low), curve), dtype=np.float64)
    return each_within("transition energy", found, 1e-3, 100.0, unit="eV")


def _joined(
    pair: tuple[ArrayLike, ArrayLike], wanted: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    from scipy.interpolate import PchipInterpolator

    size = each_within("diameter_nm", pair[0], 0.0, math.inf, unit="nm")
    energy = each_within("transition energy", pair[1], 1e-3, 100.0, unit="eV")
    if size.shape != energy.shape or size.size < 2 or not (np.diff(size) > 0).all():
        seen = f"{size.size} diameters and {energy.size} energies; diameters must rise, two or more."
        raise refusal("probe.no-curve", "transitions", seen, "Give one energy to each diameter, sorted by diameter.")
    if low < size[0] or high > size[-1]:
        seen = f"dots of {low:.3g} to {high:.3g} nm are wanted, the energies cover {size[0]:.3g} to {size[-1]:.3g} nm."
        raise refusal("probe.out-of-range", "diameter_nm", seen, "Give energies of more sizes; none is extrapolated.")
    return np.asarray(PchipInterpolator(size, energy)(wanted), dtype=np.float64)


def weighted_energies(
    transitions: Transitions,
    ensemble: Ensemble,
    /,
    *,
    size_power: float = 0.0,
    samples: int = 13,
    finest_ev: float = math.inf,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies of a batch's dots and their weights.

    Parameters
    ----------
    transitions : callable or pair of arrays
        Of a sphere of that diameter.
    ensemble : Ensemble
    size_power : float
        Weight of a dot goes as its diameter to this power: 0 counts dots, 3 weighs them by volume, as light absorbed far above
        the gap does.
    samples : int
        As of `energies`.
    finest_ev : float
        Neighbouring sizes lie no further apart than this in energy, up to 8001 sizes: what a line smooths over.

    Returns
    -------
    energy_ev, weight : array, dims (dot,)
        Weights sum to 1. Composition and defects are not in them: see `Ensemble.added_sd_ev`.
    """
    diameter, weight = ensemble.size.nodes()
    energy = energies(transitions, diameter, samples=samples)
    widest = float(np.abs(np.diff(energy)).max(initial=0.0))
    if widest > finest_ev:
        count = min(math.ceil(widest / finest_ev) * (diameter.size - 1) + 1, _MOST_SIZES)
        finer, weight = ensemble.size.nodes(count)
        diameter, energy = finer, np.interp(finer, diameter, energy)
    weight = weight * (diameter / ensemble.size.mean_nm) ** size_power
    if not ensemble.spheres:
        # the logarithm of the aspect varies evenly, so that a disc is as likely as a rod
        standard = np.linspace(-4.0, 4.0, _SHAPES) if ensemble.aspect_sd > 0 else np.zeros(1)
        share = np.exp(-0.5 * standard**2)
        factor = shape_factor(ensemble.aspect * np.exp(ensemble.aspect_sd / ensemble.aspect * standard))
        above = energy - ensemble.bulk_gap_ev
        energy = (ensemble.bulk_gap_ev + above[:, None] * factor).ravel()
        weight = (weight[:, None] * share).ravel()
    return energy, weight / weight.sum()
