"""Bleaching with the dose of light: laws, what one measurement says, and beams that are not even.

Bleaching goes with dose (J/cm2), never with the calendar: times become doses with the irradiance at the dot.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import each_within, refusal, within

Law = Literal["single", "double", "stretched", "power"]
# of the average over a beam
_NODES = 64


@dataclass(frozen=True, slots=True)
class Bleaching:
    """What is left of the emission after a dose, as a share of what was there.

    Parameters
    ----------
    law : str
        ``single``: ``exp(-x)`` with x the dose over `dose_1_e`.
        ``double``: ``w exp(-x) + (1-w) exp(-D/dose_2)``.
        ``stretched``: ``exp(-x^b)``.
        ``power``: ``(1 + x/p)^-p``, which is an exponential with gamma-distributed rates.
    dose_1_e : float
        Scale of the dose, J/cm2. Any unit serves, also minutes at one irradiance, if doses are given in the same.
    dose_2 : float
        Of the second component; of ``double`` only.
    share : float
        w; of ``double`` only.
    shape : float
        b or p; of ``stretched`` and ``power`` only.

    Raises
    ------
    InputError
        If the law is unknown, or a number that it needs is out of bounds.

    Examples
    --------
    >>> Bleaching("single", 700.0).retained([0.0, 700.0]).round(4).tolist()
    [1.0, 0.3679]
    """

    law: Law
    dose_1_e: float
    dose_2: float = math.nan
    share: float = 1.0
    shape: float = 1.0

    def __post_init__(self) -> None:
        within("dose_1_e", self.dose_1_e, 0.0, 1e300, open_low=True)
        match self.law:
            case "single":
                return
            case "double":
                within("dose_2", self.dose_2, 0.0, 1e300, open_low=True)
                within("share", self.share, 0.0, 1.0)
            case "stretched":
                within("shape", self.shape, 0.05, 1.0)
            case "power":
                within("shape", self.shape, 0.01, 1e6)
            case _:
                laws = "single, double, stretched, power"
                raise refusal(
                    "probe.unknown-name", "law", f"{self.law!r} is no law of bleaching.", f"Known are: {laws}."
                )

    def retained(self, dose: ArrayLike, /) -> NDArray[np.float64]:
        """Share left after each dose, from 1 down.

        Raises
        ------
        InputError
            If a dose is negative or not finite.
        """
        given = each_within("dose", dose, 0.0, 1e300).reshape(np.shape(dose))
        x = given / self.dose_1_e
        match self.law:
            case "double":
                return self.share * np.exp(-x) + (1.0 - self.share) * np.exp(-given / self.dose_2)
            case "stretched":
                return np.exp(-(x**self.shape))
            case "power":
                return np.exp(-self.shape * np.log1p(x / self.shape))
        return np.exp(-x)


def dose_j_per_cm2(irradiance_mw_per_cm2: Uncertain, seconds: Uncertain, /) -> Estimate:
    """Dose of light of an exposure.

    Raises
    ------
    InputError
        If a number is negative or not finite.

    Examples
    --------
    >>> dose_j_per_cm2(50.0, 3600.0).value
    180.0
    """
    within("irradiance_mw_per_cm2", value_of(irradiance_mw_per_cm2), 0.0, 1e12, unit="mW/cm2")
    within("seconds", value_of(seconds), 0.0, 1e12, unit="s")
    return propagated(
        lambda irradiance, seconds: irradiance * seconds / 1000.0,
        {"irradiance": irradiance_mw_per_cm2, "seconds": seconds},
        unit="J/cm2",
        method="irradiance times time",
        low=0.0,
    )


@dataclass(frozen=True, slots=True)
class BleachingRate:
    """What one measurement of what is left says, if bleaching is single-exponential and the light even.

    Parameters
    ----------
    rate : Estimate
        Per unit of the time or dose.
    half : Estimate
        Time or dose to half.
    """

    rate: Estimate
    half: Estimate

    def retained_after(self, span: float, /) -> Estimate:
        """Share left after a span of the same unit, going on at the same rate.

        Raises
        ------
        InputError
            If the span is negative or not finite.
        """
        within("span", span, 0.0, 1e300)
        ends = sorted(math.exp(-end * span) for end in (self.rate.low, self.rate.high))
        value = math.exp(-self.rate.value * span)
        sd = value * span * self.rate.sd
        return Estimate(value, sd, ends[0], ends[1], self.rate.level, "1", f"single exponential, {self.rate.method}")


def rate_from_retained(retained: Uncertain, span: float, /, *, unit: str = "min") -> BleachingRate:
    """Rate and half-life from the share left after a span of light.

    Parameters
    ----------
    retained : float or Estimate
        Share left, above 0 to 1 (91.8 % is 0.918).
    span : float
        Time at one irradiance, or dose.
    unit : str
        Of the span.

    Returns
    -------
    BleachingRate
        An interval whose upper end is no loss at all has an infinite half-life as its end.

    Raises
    ------
    InputError
        If the share is not above 0 and up to 1, or the span not above 0.

    Examples
    --------
    >>> found = rate_from_retained(0.918, 60.0)
    >>> f"{found.rate.value:.3g} /min, half in {found.half.value / 60:.1f} h"
    '0.00143 /min, half in 8.1 h'
    >>> round(found.retained_after(24 * 60.0).value, 2)
    0.13
    """
    within("retained", value_of(retained), 0.0, 1.0, open_low=True)
    within("span", span, 0.0, 1e300, unit=unit, open_low=True)
    rate = propagated(
        lambda retained: -math.log(max(retained, 1e-300)) / span,
        {"retained": retained},
        unit=f"1/{unit}",
        method="single exponential from one share",
        low=0.0,
    )
    log_2 = math.log(2.0)
    longest, shortest = (log_2 / end if end > 0 else math.inf for end in (rate.low, rate.high))
    value = log_2 / rate.value if rate.value > 0 else math.inf
    sd = value * rate.sd / rate.value if rate.value > 0 else math.inf
    return BleachingRate(rate, Estimate(value, sd, min(shortest, value), longest, rate.level, unit, rate.method))


def gaussian_beam_retained(
    bleaching: Bleaching, peak_dose: ArrayLike, /, *, aperture: float = math.inf
) -> NDArray[np.float64]:
    """Share left of the whole emission from dots that lie evenly in a Gaussian beam.

    Dots on the axis get the peak dose D, those outside less, and each emits as it is lit: what is left is the mean of the law over
    doses from 0 to D, all equally weighted. A single exponential gives ``(1 - exp(-x))/x`` with ``x = D / dose_1_e``, which is
    no exponential: an uneven beam always looks like dots of several kinds.

    Parameters
    ----------
    bleaching : Bleaching
        Of dots in even light.
    peak_dose : array_like
        On the beam's axis.
    aperture : float
        Radius seen, over the beam's radius at 1/e^2; infinite for all of it, small for the axis alone.

    Raises
    ------
    InputError
        If a dose is negative or not finite, or the aperture not above 0.

    Examples
    --------
    >>> law = Bleaching("single", 100.0)
    >>> gaussian_beam_retained(law, [0.0, 100.0]).round(4).tolist()
    [1.0, 0.6321]
    """
    if aperture != math.inf:
        within("aperture", aperture, 0.0, 1e6, open_low=True)
    dose = each_within("peak_dose", peak_dose, 0.0, 1e300)
    least = math.exp(-2.0 * aperture**2)
    if bleaching.law == "single":
        x = dose / bleaching.dose_1_e
        small = x * (1.0 - least) < 1e-12
        safe = np.where(small, 1.0, x)
        mean = np.exp(-least * safe) * -np.expm1(-safe * (1.0 - least)) / (safe * (1.0 - least))
        return np.where(small, np.exp(-x * (1.0 + least) / 2.0), mean).reshape(np.shape(peak_dose))
    return _mean_over(bleaching.retained, dose, least).reshape(np.shape(peak_dose))


def _mean_over(
    retained: Callable[[NDArray[np.float64]], NDArray[np.float64]], dose: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Mean of a law over relative irradiances from `least` to 1, evenly weighted."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # squares: a stretched law has an endless slope at no dose, which this change of variable takes away
    low, high = math.sqrt(least), 1.0
    root = 0.5 * (high + low) + 0.5 * (high - low) * nodes
    share = weights * root * (high - low) / (1.0 - least)
    return retained(dose[:, None] * root**2) @ share


def uneven_retained(bleaching: Bleaching, doses: ArrayLike, /, *, weights: ArrayLike | None = None) -> float:
    """Share left of the whole emission from dots that got different doses, each emitting as it is lit.

    Parameters
    ----------
    bleaching : Bleaching
    doses : array_like, dims (place,)
        Such as the fluence map of tissue times the time.
    weights : array_like, dims (place,), optional
        Dots times irradiance at each place; the dose itself otherwise, for dots that lie evenly.

    Raises
    ------
    InputError
        If a number is negative or not finite, or all weights are 0.
    """
    dose = each_within("doses", doses, 0.0, 1e300).ravel()
    share = dose if weights is None else each_within("weights", weights, 0.0, 1e300).ravel()
    if share.shape != dose.shape:
        seen = f"{dose.size} doses and {share.size} weights."
        raise refusal("probe.no-bleaching", "weights", seen, "Give one weight to each dose.")
    if not share.sum() > 0:
        if weights is None:
            return 1.0
        raise refusal("probe.no-bleaching", "weights", "all weights are 0.", "Give a weight above 0 to one place.")
    return float(share @ bleaching.retained(dose) / share.sum())
