"""Limits by region, view and day, in flux over all animals and in cells by probe, for the table and the heat map."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.results import DetectionLimit
from lampyris.core.study import SessionResult, StudyResults


@dataclass(frozen=True, slots=True)
class ProbeLimit:
    """A limit in labelled cells: the median over the `n` animals that carry the probe."""

    estimate: Estimate
    n: int


@dataclass(frozen=True, slots=True)
class LimitCell:
    """A region on one day in one view.

    Parameters
    ----------
    flux : Estimate
        Median over all animals of the stored limits, and of the ends of their intervals: flux inside the outline.
    n : int
        Animals.
    depth_mm, outline_share : float
        Median nominal depth, and median share of a spot's whole flux that lies inside the outline.
    cells : dict of str to ProbeLimit
        By probe, over the animals that carry it; unlabelled controls have none, since a cell without label is dark.
    """

    flux: Estimate
    n: int
    depth_mm: float
    outline_share: float
    cells: dict[str, ProbeLimit]


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
    probes : dict of str to str
        Title of each probe that has a limit in cells in any view, in the order of the arms.
    """

    view: str
    regions: tuple[str, ...]
    days: tuple[float, ...]
    cells: dict[tuple[str, float], LimitCell]
    unit: str
    log_range: tuple[float, float]
    probes: dict[str, str]


def _median(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def _median_estimate(estimates: list[Estimate]) -> Estimate:
    value, low, high = (_median([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        low, high = -math.inf, math.inf
    first = estimates[0]
    return Estimate(value, math.nan, low, high, first.level, first.unit, "median over animals")


def probe_carried(results: StudyResults, session: SessionResult, /) -> str:
    """Key of the probe whose label the session's cells carry; "" for controls, whatever their rows say."""
    role = results.groups.get(session.group, {}).get("role")
    return "" if role == "control" else session.probe


def probe_title(results: StudyResults, probe: str, /) -> str:
    """Name of a probe as the study's settings give it, else its key."""
    probes: Any = results.record.options.get("probes")
    settings = probes.get(probe) if isinstance(probes, dict) else None
    return (settings.get("title") if isinstance(settings, dict) else None) or probe


def _cell(stored: list[tuple[str, DetectionLimit]]) -> LimitCell:
    limits = [limit for _, limit in stored]
    by_probe: dict[str, list[Estimate]] = {}
    for probe, limit in stored:
        if probe and not math.isnan(limit.cells.value):
            by_probe.setdefault(probe, []).append(limit.cells)
    return LimitCell(
        _median_estimate([limit.flux for limit in limits]),
        len(limits),
        _median([limit.depth_mm for limit in limits]),
        _median([limit.outline_share for limit in limits]),
        {probe: ProbeLimit(_median_estimate(cells), len(cells)) for probe, cells in by_probe.items()},
    )


def _probes(results: StudyResults, cells: Iterable[LimitCell]) -> dict[str, str]:
    """Titles of the probes that have a limit in cells; a title that two probes share is told apart by the key."""
    have = {probe for cell in cells for probe in cell.cells}
    order = [*(group.get("probe", "") for group in results.groups.values()), *sorted(have)]
    titles = {probe: probe_title(results, probe) for probe in dict.fromkeys(order) if probe in have}
    shared = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    return {probe: f"{title} ({probe})" if title in shared else title for probe, title in titles.items()}


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
    stored: dict[str, dict[tuple[str, float], list[tuple[str, DetectionLimit]]]] = {}
    for session in results.sessions:
        probe = probe_carried(results, session)
        for view in session.views:
            grid = stored.setdefault(view.view, {})
            for limit in view.limits:
                grid.setdefault((limit.region, session.day), []).append((probe, limit))
    cells = {view: {key: _cell(limits) for key, limits in grid.items()} for view, grid in stored.items() if grid}
    probes = _probes(results, (cell for grid in cells.values() for cell in grid.values()))
    fluxes = [c.flux.value for grid in cells.values() for c in grid.values() if 0 < c.flux.value < math.inf]
    log_range = (math.log10(min(fluxes)), math.log10(max(fluxes))) if fluxes else (0.0, 1.0)
    grids = []
    for name, own in cells.items():
        depth = {region: _median([c.depth_mm for (r, _), c in own.items() if r == region]) for region, _ in own}
        regions = sorted(depth, key=lambda region: (math.isnan(depth[region]), depth[region], region))
        days = sorted({day for _, day in own})
        unit = next((cell.flux.unit for cell in own.values()), FLUX_UNIT)
        grids.append(LimitGrid(name, tuple(regions), tuple(days), own, unit, log_range, probes))
    return tuple(grids)
