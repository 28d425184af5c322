"""What a course says to the chemist: when the batch is narrowest, when it ripens, how sure that is; and a fit to aliquots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue
from lampyris.probe.growth.batch import Batch, Kinetics, scaled
from lampyris.probe.growth.population import Course, grow
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do.

    Parameters
    ----------
    stop_s : float
        When the relative spread is least after dots have stopped forming.
    diameter_nm, spread : float
        Then.
    ripens_from_s : float
        From here on the number of dots falls by more than a hundredth: monomer is used up. NaN where it does not.
    """

    stop_s: float
    diameter_nm: float
    spread: float
    ripens_from_s: float


def advice(course: Course, /) -> Advice:
    """Read a course.

    Parameters
    ----------
    course : Course
        With enough times to see the spread fall and rise.

    Returns
    -------
    Advice
        NaN throughout where no dots formed.
    """
    number, spread = course.number_nmol_l, course.spread
    if not np.isfinite(course.diameter_nm).any() or not number.max() > 0:
        return Advice(math.nan, math.nan, math.nan, math.nan)
    most = int(np.nanargmax(number))
    after = np.arange(number.size) >= most
    usable = after & np.isfinite(spread)
    best = int(np.flatnonzero(usable)[np.argmin(spread[usable])]) if usable.any() else most
    fallen = np.flatnonzero(after & (number < 0.99 * number[most]))
    ripens = float(course.time_s[fallen[0]]) if fallen.size else math.nan
    return Advice(float(course.time_s[best]), float(course.diameter_nm[best]), float(spread[best]), ripens)


def drawn_courses(
    batch: Batch,
    kinetics: Kinetics,
    told: dict[str, SourcedValue],
    times_s: ArrayLike,
    /,
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Course, ...]:
    """Courses with constants drawn from their spread.

    Parameters
    ----------
    batch : Batch
    kinetics : Kinetics
    told : dict of str to SourcedValue
        Of `kinetics_of`; each is drawn log-normally with its mean and standard uncertainty.
    times_s : array_like, dims (time,)
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Course
        Draws whose constants lie too far apart to follow are left out.
    """
    courses = []
    for _ in range(draws):
        factors = {}
        for name, one in told.items():
            spread = math.sqrt(math.log1p((one.sd / one.value) ** 2))
            factors[name] = math.exp(rng.normal(-0.5 * spread**2, spread))
        try:
            courses.append(grow(batch, scaled(kinetics, factors), times_s))
        except ValueError:
            continue
    return tuple(courses)


def band(
    courses: Sequence[Course], name: str, /, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end over courses of one of their columns, dims (time,)."""
    values = np.array([getattr(one, name) for one in courses])
    tail = (1.0 - level) / 2.0
    with np.errstate(all="ignore"):
        return np.nanquantile(values, tail, axis=0), np.nanquantile(values, 1.0 - tail, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class AliquotFit:
    """Constants that aliquots ask for.

    Parameters
    ----------
    speed, solubility : Estimate
        Factors on diffusion and surface rate together, and on solubility.
    kinetics : Kinetics
        With both.
    fit : Fit
    """

    speed: Estimate
    solubility: Estimate
    kinetics: Kinetics
    fit: Fit


def fit_aliquots(
    batch: Batch,
    kinetics: Kinetics,
    time_s: ArrayLike,
    diameter_nm: ArrayLike,
    diameter_sd_nm: ArrayLike,
    /,
    *,
    nucleation: bool = True,
) -> AliquotFit:
    """Fit speed and solubility to diameters of aliquots.

    Parameters
    ----------
    batch : Batch
    kinetics : Kinetics
        Where the fit starts.
    time_s, diameter_nm, diameter_sd_nm : array_like, dims (aliquot,)
        Time, mean diameter and standard uncertainty of that mean.
    nucleation : bool
        As of `grow`.

    Returns
    -------
    AliquotFit

    Raises
    ------
    ValueError
        If fewer than three aliquots are given, or their times do not rise.
    """
    time, size = np.asarray(time_s, np.float64), np.asarray(diameter_nm, np.float64)
    if time.size < 3:
        raise ValueError(f"{time.size} aliquots are too few for two constants, 3 are needed")

    def kinetics_at(p: NDArray[np.float64]) -> Kinetics:
        speed, solubility = math.exp(p[0]), math.exp(p[1])
        return scaled(kinetics, {"diffusion_m2_s": speed, "reaction_m_s": speed, "solubility_mmol_l": solubility})

    def model(p: NDArray[np.float64]) -> NDArray[np.float64]:
        course = grow(batch, kinetics_at(p), time, nucleation=nucleation)
        # a flask without dots is far from every aliquot
        return np.where(np.isfinite(course.diameter_nm), course.diameter_nm, 0.0)

    parameters = [
        Parameter("log_speed", 0.0, -6.0, 6.0, scale=0.5),
        Parameter("log_solubility", 0.0, -4.0, 4.0, scale=0.5),
    ]
    fit = fit_least_squares(DataSet(model, size, sd=np.asarray(diameter_sd_nm, np.float64)), parameters)
    return AliquotFit(_factor(fit["log_speed"]), _factor(fit["log_solubility"]), kinetics_at(fit.values), fit)


def _factor(log: Estimate) -> Estimate:
    """Estimate of a factor from that of its logarithm."""
    value = math.exp(log.value)
    ends = [math.exp(min(max(end, -700.0), 700.0)) for end in (log.low, log.high)]
    return Estimate(value, value * log.sd, ends[0], ends[1], log.level, "1", log.method)
