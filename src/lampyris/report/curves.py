"""Fluxes over days: each animal's own, and the arm's geometric mean where every animal has a value."""

import math
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import StudyResults
from lampyris.statistics.intervals import geometric_mean_interval


@dataclass(frozen=True, slots=True)
class AnimalCurve:
    """One animal's total lesion flux.

    Parameters
    ----------
    animal : str
        Who.
    days, values : tuple of float
        Days, and the flux or, where `limited`, the limit.
    limited : tuple of bool
        Nothing was found.
    """

    animal: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    limited: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ArmDay:
    """An arm on one day.

    Parameters
    ----------
    day : float
        Day.
    n, limited : int
        Animals, and how many of them lie below their limit.
    estimate : Estimate
        Geometric mean with its interval; where some are limited, the limits stand in and the mean is an upper bound.
    upper_bound : bool
        Some are limited: the interval is not to be shown.
    """

    day: float
    n: int
    limited: int
    estimate: Estimate
    upper_bound: bool


def flux_unit(results: StudyResults, /) -> str:
    """Unit of the outcomes' fluxes."""
    units = (estimate.unit for outcome in results.outcomes for estimate in outcome.total_flux)
    return next(units, FLUX_UNIT)


def animal_curves(results: StudyResults, /) -> dict[str, list[AnimalCurve]]:
    """Curves of every animal that is done, by arm; points that cannot stand on a logarithmic axis are left out."""
    arms: dict[str, list[AnimalCurve]] = {}
    for outcome in results.outcomes:
        if outcome.status != "done":
            continue
        points = [
            (day, flux.value, limited)
            for day, flux, limited in zip(outcome.days, outcome.total_flux, outcome.below_limit, strict=True)
            if math.isfinite(flux.value) and flux.value > 0
        ]
        if points:
            days, values, limited = zip(*sorted(points), strict=True)
            arms.setdefault(outcome.group, []).append(AnimalCurve(outcome.animal, days, values, limited))
    return arms


def arm_means(curves: dict[str, list[AnimalCurve]], unit: str, /, *, level: float) -> dict[str, list[ArmDay]]:
    """Geometric mean per arm and day, for drawing.

    Parameters
    ----------
    curves : dict of str to list of AnimalCurve
        From `animal_curves`.
    unit : str
        Of the values.
    level : float
        Of the interval.

    Returns
    -------
    dict of str to list of ArmDay
        By arm, sorted by day; an upper bound where any animal lies below its limit.
    """
    means: dict[str, list[ArmDay]] = {}
    for arm, animals in curves.items():
        by_day: dict[float, list[tuple[float, bool]]] = {}
        for curve in animals:
            for day, value, limited in zip(curve.days, curve.values, curve.limited, strict=True):
                by_day.setdefault(day, []).append((value, limited))
        means[arm] = [
            ArmDay(
                day,
                len(points),
                sum(limited for _, limited in points),
                geometric_mean_interval([value for value, _ in points], unit=unit, level=level),
                any(limited for _, limited in points),
            )
            for day, points in sorted(by_day.items())
        ]
    return means
