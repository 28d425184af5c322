"""What a course says to the chemist: when the batch is narrowest, when it ripens, how sure that is; and a fit to aliquots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.arrays import frozen_array
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
        From here on the number of dots has fallen by more than a hundredth: monomer is used up. NaN where it does not.
    still_narrowing : bool
        The least spread is that of the last time: a longer course may be narrower yet.
    """

    stop_s: float
    diameter_nm: float
    spread: float
    ripens_from_s: float
    still_narrowing: bool = False


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
    # two courses whose spread differs by rounding are equally narrow
    last = best == number.size - 1 and spread[best] < 0.999 * spread[max(best - 1, most)]
    return Advice(float(course.time_s[best]), float(course.diameter_nm[best]), float(spread[best]), ripens, bool(last))


@dataclass(frozen=True, slots=True)
class AdviceRange:
    """What the advice is over drawn constants.

    Parameters
    ----------
    stop_s, diameter_nm, spread, ripens_from_s : Estimate
        Median and middle share of the draws in which they exist; NaN throughout where they do in none.
    without_dots : int
        Draws in which no dots formed.
    draws : int
    """

    stop_s: Estimate
    diameter_nm: Estimate
    spread: Estimate
    ripens_from_s: Estimate
    without_dots: int
    draws: int


def advice_range(courses: Sequence[Course], /, *, level: float = 0.95) -> AdviceRange:
    """The advice of each course as medians with the middle share of the draws.

    Parameters
    ----------
    courses : sequence of Course
        Of `drawn_courses`.
    level : float
        Share.
    """
    told = [advice(one) for one in courses]
    method = f"median and middle {100 * level:g} % of {len(told)} draws of the constants"

    def estimate(name: str, unit: str) -> Estimate:
        values = np.array([getattr(one, name) for one in told])
        values = values[np.isfinite(values)]
        if not values.size:
            return Estimate.unknown(level, unit, method)
        low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
        sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
        return Estimate(middle, sd, low, high, level, unit, method)

    return AdviceRange(
        estimate("stop_s", "s"),
        estimate("diameter_nm", "nm"),
        estimate("spread", "1"),
        estimate("ripens_from_s", "s"),
        sum(math.isnan(one.stop_s) for one in told),
        len(told),
    )


def drawn_courses(
    batch: Batch,
    kinetics: Kinetics,
    told: dict[str, SourcedValue],
    times_s: ArrayLike,
    /,
    *,
    draws: int,
    rng: np.random.Generator,
    nucleation: bool = True,
) -> tuple[Course, ...]:
    """Courses with constants drawn from their spread.

    Parameters
    ----------
    batch : Batch
    kinetics : Kinetics
    told : dict of str to SourcedValue
        Of `kinetics_of`; each is drawn log-normally with its mean and standard uncertainty. ``conversion_s`` scales the batch's.
    times_s : array_like, dims (time,)
    draws : int
    rng : numpy.random.Generator
    nucleation : bool
        As of `grow`.

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
        conversion = factors.pop("conversion_s", 1.0) * batch.conversion_s
        try:
            own = replace(batch, conversion_s=conversion)
            courses.append(grow(own, scaled(kinetics, factors), times_s, nucleation=nucleation))
        except ValueError:
            continue
    return tuple(courses)


def band(
    courses: Sequence[Course], name: str, /, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end over courses of one of their columns, dims (time,); of those that have dots, NaN where none has."""
    values = np.array([getattr(one, name) for one in courses])
    tail = (1.0 - level) / 2.0
    low, high = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    for k, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if known.size:
            low[k], high[k] = np.quantile(known, [tail, 1.0 - tail])
    return low, high


@dataclass(frozen=True, slots=True, eq=False)
class AliquotFit:
    """Constants that aliquots ask for.

    Parameters
    ----------
    speed, solubility : Estimate
        Factors on diffusion and surface rate together, and on solubility.
    conversion : Estimate or None
        Factor on the time constant of the precursor; None where it is not fitted.
    kinetics : Kinetics
    batch : Batch
        Both with these factors.
    fit : Fit
    """

    speed: Estimate
    solubility: Estimate
    conversion: Estimate | None
    kinetics: Kinetics
    batch: Batch
    fit: Fit


@dataclass(frozen=True, slots=True, eq=False)
class Aliquots:
    """What was measured in samples of a batch.

    Parameters
    ----------
    time_s, diameter_nm, diameter_sd_nm : numpy.ndarray, dims (aliquot,)
        Time, mean diameter and standard uncertainty of that mean.
    spread_nm, spread_sd_nm : numpy.ndarray or None, dims (aliquot,)
        Standard deviation of the diameters, and its standard uncertainty, where they were measured (NaN where not).

    Raises
    ------
    ValueError
        If fewer than three are given, or a number is not finite or not above 0.
    """

    time_s: NDArray[np.float64]
    diameter_nm: NDArray[np.float64]
    diameter_sd_nm: NDArray[np.float64]
    spread_nm: NDArray[np.float64] | None = None
    spread_sd_nm: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        count = np.asarray(self.time_s).size
        if count < 3:
            raise ValueError(f"{count} aliquots are too few for two constants, 3 are needed")
        for name in ("time_s", "diameter_nm", "diameter_sd_nm", "spread_nm", "spread_sd_nm"):
            given = getattr(self, name)
            if given is None:
                continue
            values = frozen_array(name, given, ("aliquot",), np.float64, (count,))
            known = values[~np.isnan(values)] if name.startswith("spread") else values
            if not (np.isfinite(known) & (known > 0)).all():
                raise ValueError(f"{name} needs numbers above 0, got {values.tolist()}")
            object.__setattr__(self, name, values)


def fit_aliquots(
    batch: Batch, kinetics: Kinetics, aliquots: Aliquots, /, *, nucleation: bool = True, conversion: bool = False
) -> AliquotFit:
    """Fit speed and solubility, and the precursor's conversion, to aliquots.

    Parameters
    ----------
    batch : Batch
    kinetics : Kinetics
        Where the fit starts.
    aliquots : Aliquots
        In any order; several may be of one time.
    nucleation : bool
        As of `grow`.
    conversion : bool
        Whether the time constant of the precursor is fitted too; it needs one aliquot more, or spreads.

    Returns
    -------
    AliquotFit
        Trust it only where its fit has no flags: three constants are often not told apart by a few mean diameters.

    Raises
    ------
    ValueError
        If no start gives a course that can be followed, or there are fewer values than constants.
    """
    times, place = np.unique(aliquots.time_s, return_inverse=True)
    names = ["speed", "solubility"] + (["conversion"] if conversion and batch.conversion_s > 0 else [])

    def flask(p: NDArray[np.float64]) -> tuple[Batch, Kinetics]:
        factor = dict(zip(names, np.exp(p).tolist(), strict=True))
        speed = factor["speed"]
        by = {"diffusion_m2_s": speed, "reaction_m_s": speed, "solubility_mmol_l": factor["solubility"]}
        return (
            replace(batch, conversion_s=batch.conversion_s * factor.get("conversion", 1.0)),
            scaled(kinetics, by),
        )

    def model(p: NDArray[np.float64]) -> NDArray[np.float64]:
        course = grow(*flask(p), times, nucleation=nucleation)
        # a flask without dots is far from every aliquot
        sizes = np.where(np.isfinite(course.diameter_nm), course.diameter_nm, 0.0)[place]
        if not spreads.any():
            return sizes
        return np.concatenate([sizes, np.where(np.isfinite(course.sd_nm), course.sd_nm, 0.0)[place][spreads]])

    spreads = np.zeros(place.size, bool) if aliquots.spread_nm is None else np.isfinite(aliquots.spread_nm)
    observed, sd = aliquots.diameter_nm, aliquots.diameter_sd_nm
    if aliquots.spread_nm is not None and aliquots.spread_sd_nm is not None:
        observed = np.concatenate([observed, aliquots.spread_nm[spreads]])
        sd = np.concatenate([sd, aliquots.spread_sd_nm[spreads]])
    if observed.size < len(names) + 1:
        raise ValueError(f"{observed.size} values are too few for {len(names)} constants")
    bounds = {"speed": 6.0, "solubility": 4.0, "conversion": 4.0}
    # steps of slopes of a hundredth: adaptive steps of the course leave a noise of about 1e-5
    parameters = [Parameter(f"log_{name}", 0.0, -bounds[name], bounds[name], scale=10.0) for name in names]
    fit = fit_least_squares(DataSet(model, observed, sd=sd), parameters)
    found = {name: _factor(fit[f"log_{name}"]) for name in names}
    own, constants = flask(fit.values)
    return AliquotFit(found["speed"], found["solubility"], found.get("conversion"), constants, own, fit)


def _factor(log: Estimate) -> Estimate:
    """Estimate of a factor from that of its logarithm."""
    value = math.exp(log.value)
    ends = [math.exp(min(max(end, -700.0), 700.0)) for end in (log.low, log.high)]
    return Estimate(value, value * log.sd, ends[0], ends[1], log.level, "1", log.method)
