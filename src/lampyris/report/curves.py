"""Fluxes over days: each animal's own, and the arm's geometric mean where every animal has a value."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import StudyResults
from lampyris.report.identities import is_primary, is_tumour
from lampyris.statistics.intervals import geometric_mean_interval


@dataclass(frozen=True, slots=True)
class AnimalCurve:
    """Values over days of one animal, or of one of its lesions.

    Parameters
    ----------
    animal : str
        Who.
    days, values : tuple of float
        Days, and the flux or, where `limited`, the limit.
    limited : tuple of bool
        Nothing was found.
    lesion : int
        Number of the lesion; 0 for the whole animal.
    """

    animal: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    limited: tuple[bool, ...]
    lesion: int = 0

    @property
    def name(self) -> str:
        """Whose values they are, in words."""
        return f"{self.animal} L{self.lesion}" if self.lesion else self.animal


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


def _points(
    days: Iterable[float], values: Iterable[Estimate], limited: Iterable[bool]
) -> list[tuple[float, float, bool]]:
    return sorted(
        (day, value.value, below)
        for day, value, below in zip(days, values, limited, strict=True)
        if math.isfinite(value.value) and value.value > 0
    )


def _curve(animal: str, points: list[tuple[float, float, bool]], lesion: int = 0) -> AnimalCurve:
    days, values, limited = zip(*points, strict=True)
    return AnimalCurve(animal, days, values, limited, lesion)


def burden_curves(results: StudyResults, /) -> dict[str, list[AnimalCurve]]:
    """Labelled-cell equivalents of each animal in lesions other than its primary, by arm; limits where none was seen."""
    arms: dict[str, list[AnimalCurve]] = {}
    for outcome in results.outcomes:
        end = outcome.endpoints
        points = _points(end.days, end.burden, end.burden_below) if end is not None else []
        if points:
            arms.setdefault(outcome.group, []).append(_curve(outcome.animal, points))
    return arms


def lesion_curves(results: StudyResults, /) -> dict[str, list[tuple[str, AnimalCurve]]]:
    """Labelled-cell equivalents of each lesion that counts as tumour, by organ.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict of str to list of (str, AnimalCurve)
        By organ, the most lesions first: arm and curve. A primary has its site as its organ. Sessions before a lesion
        was first seen, and those that miss it later, are limits.
    """
    organs: dict[str, list[tuple[str, AnimalCurve]]] = {}
    for outcome in results.outcomes:
        for lesion in outcome.lesions:
            points = _points(
                (s.day for s in lesion.sightings),
                (s.cells for s in lesion.sightings),
                (not s.seen for s in lesion.sightings),
            )
            if points and is_tumour(lesion.kind):
                place = f"{lesion.organ}, primary" if is_primary(lesion) else lesion.organ
                organs.setdefault(place, []).append((outcome.group, _curve(outcome.animal, points, lesion.number)))
    return dict(sorted(organs.items(), key=lambda item: (-len(item[1]), item[0])))
