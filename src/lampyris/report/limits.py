"""Limits by region, view and day over the animals of the study, for the table and the heat map."""

import math
import statistics
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.results import DetectionLimit
from lampyris.core.study import StudyResults


@dataclass(frozen=True, slots=True)
class LimitCell:
    """A region on one day in one view.

    Parameters
    ----------
    flux, cells : Estimate
        Median over animals of the stored limits, and of the ends of their intervals; `cells` is NaN where no animal
        has a number of cells (unlabelled controls).
    n : int
        Animals.
    depth_mm : float
        Median nominal depth.
    """

    flux: Estimate
    cells: Estimate
    n: int
    depth_mm: float


@dataclass(frozen=True, slots=True)
class LimitGrid:
    """All regions and days of one view.

    Parameters
    ----------
    view : str
        ``dorsal`` or ``ventral``.
    regions : tuple of str
        From the shallowest down.
    days : tuple of float
        Sorted.
    cells : dict of (region, day) to LimitCell
        Where there is one.
    unit : str
        Of the fluxes.
    log_range : (float, float)
        Decadic logarithms of the smallest and largest flux over all views: the shared colour scale.
    """

    view: str
    regions: tuple[str, ...]
    days: tuple[float, ...]
    cells: dict[tuple[str, float], LimitCell]
    unit: str
    log_range: tuple[float, float]


def _median(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def _median_estimate(estimates: list[Estimate]) -> Estimate:
    value, low, high = (_median([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        low, high = -math.inf, math.inf
    first = estimates[0]
    return Estimate(value, math.nan, low, high, first.level, first.unit, "median over animals")


def _cell(limits: list[DetectionLimit]) -> LimitCell:
    return LimitCell(
        _median_estimate([limit.flux for limit in limits]),
        _median_estimate([limit.cells for limit in limits if not math.isnan(limit.cells.value)] or [limits[0].cells]),
        len(limits),
        _median([limit.depth_mm for limit in limits]),
    )


def limit_grids(results: StudyResults, /) -> tuple[LimitGrid, ...]:
    """Limits of the whole study, a grid per view.

    Parameters
    ----------
    results : StudyResults
        The study; its stored limits are read, none is computed.

    Returns
    -------
    tuple of LimitGrid
        Empty where the study holds no limits.
    """
    stored: dict[str, dict[tuple[str, float], list[DetectionLimit]]] = {}
    for session in results.sessions:
        for view in session.views:
            for limit in view.limits:
                stored.setdefault(view.view, {}).setdefault((limit.region, session.day), []).append(limit)
    cells = {view: {key: _cell(limits) for key, limits in grid.items()} for view, grid in stored.items()}
    fluxes = [c.flux.value for grid in cells.values() for c in grid.values() if 0 < c.flux.value < math.inf]
    log_range = (math.log10(min(fluxes)), math.log10(max(fluxes))) if fluxes else (0.0, 1.0)
    grids = []
    for name, grid in cells.items():
        depth = {region: _median([c.depth_mm for (r, _), c in grid.items() if r == region]) for region, _ in grid}
        regions = sorted(depth, key=lambda region: (math.isnan(depth[region]), depth[region], region))
        days = sorted({day for _, day in grid})
        unit = next((cell.flux.unit for cell in grid.values()), FLUX_UNIT)
        grids.append(LimitGrid(name, tuple(regions), tuple(days), grid, unit, log_range))
    return tuple(grids)
