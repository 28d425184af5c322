"""What a session says of a source: its amount where it is seen, the most that may be there where it is not; and where it lies."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.lesions import Sighting
from lampyris.core.results import DetectionLimit
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.following.kinds import Verdict
from lampyris.imaging.following.localise import (
    Likelihood,
)
from lampyris.imaging.following.sources import STEPS_SD_MM, Ground, Source
from lampyris.imaging.light.nominal import SUBCUTIS
from lampyris.statistics.thresholds import half_width

CELLS_UNIT = "labelled-cell equivalents"
# steps of the logarithm of an amount in which its distribution is summed
LOG_STEP = 0.02
MOST_STEPS = 2000
# labels of prelabelled cells do not fade faster, early loss and bleaching of dyes included: what would have outshone the
# limit even so was not there
FASTEST_HALF_LIFE_DAYS = 2.0


def would_show(ground: Ground, source: Source, number: int) -> bool:
    """Whether a session would have shown the source if it was there.

    Label is only lost, so before its first sighting it would have been at least as bright as then; after a sighting it may
    have faded as fast as labels do. The lower end of its flux must exceed the limit of its region in a view that saw it. An
    injected probe follows cells that grow: that it does not show earlier says nothing of when they came.
    """
    days = [session.day for session in ground.sessions]
    for spot in source.members:
        later = days[number] - days[spot.session]
        if ground.setting.injected and later < 0:
            continue
        faded = 0.5 ** (max(later, 0.0) / FASTEST_HALF_LIFE_DAYS)
        between = [
            one.session for one in source.members if min(spot.session, number) < one.session < max(spot.session, number)
        ]
        if between:
            continue
        for view in ground.sessions[number].views:
            if view.view != spot.view.view:
                continue
            regions = {spot.detection.region, SUBCUTIS}
            limits = [one.flux.value for one in view.limits if one.region in regions and np.isfinite(one.flux.value)]
            if limits and spot.detection.flux.low * faded > max(limits):
                return True
    return False


def sighting_of(ground: Ground, source: Source, verdict: Verdict, number: int) -> Sighting:
    """What a session says of a source: seen, with its flux and amount, or how much may have been missed."""
    session = ground.sessions[number]
    own = [spot for spot in source.members if spot.session == number]
    if not own:
        flux, cells = _unseen(ground, source, verdict, session)
        return Sighting(session.session, session.day, False, (), flux, cells)
    brightest = max(own, key=lambda spot: spot.detection.flux.value)
    return Sighting(
        session=session.session,
        day=session.day,
        seen=True,
        detections=tuple((spot.view.view, spot.detection.number) for spot in own),
        flux=brightest.detection.flux,
        cells=_cells(ground, source, verdict, number),
    )


def _cells(ground: Ground, source: Source, verdict: Verdict, number: int) -> Estimate:
    """Labelled-cell equivalents in one session: the amount over all places, with what is its own and what all share."""
    share, own_sd = source.log_share[number]
    found, level = source.found, ground.settings.analysis.interval_level
    per_cell = np.log(ground.probe.photons_per_cell_fluence_mm2)
    common = float(np.hypot(ground.probe.brightness_relative_sd, ground.settings.instrument.radiance_relative_sd))
    sd = np.sqrt(found.log_amount_sd**2 + common**2 + own_sd**2)
    low, middle, high = _mixture_quantiles(found.log_amount + share - per_cell, sd, verdict.place_weight, level)
    value = float(np.exp(middle))
    spread = (high - low) / (2.0 * half_width(level))
    return Estimate(
        value,
        value * spread,
        float(np.exp(low)),
        float(np.exp(high)),
        level,
        CELLS_UNIT,
        "light table, over all places",
    )


def _mixture_quantiles(
    mean: NDArray[np.float64], sd: NDArray[np.float64], weight: NDArray[np.float64], level: float
) -> tuple[float, float, float]:
    """Lower end, median and upper end of a mixture of normal distributions."""
    likely = weight > 1e-6 * weight.max()
    mean, sd, weight = mean[likely], sd[likely], weight[likely] / weight[likely].sum()
    first, last = float((mean - 5.0 * sd).min()), float((mean + 5.0 * sd).max())
    grid = np.linspace(first, last, min(int((last - first) / LOG_STEP) + 2, MOST_STEPS))
    below = ndtr((grid[:, None] - mean) / sd) @ weight
    tail = (1.0 - level) / 2.0
    low, middle, high = np.interp([tail, 0.5, 1.0 - tail], below, grid)
    return float(low), float(middle), float(high)


def _unseen(ground: Ground, source: Source, verdict: Verdict, session: SessionResult) -> tuple[Estimate, Estimate]:
    """The most that may be there without being seen: the limit of its region, in the view that would see it best."""
    level = ground.settings.analysis.interval_level
    best: tuple[float, float] = (float("nan"), float("nan"))
    region = next(iter(verdict.organs))
    for view in session.views:
        limit = _limit_of(view, region)
        if limit is None:
            continue
        light = ground.table.whole_flux[view.view][source.found.voxel]
        per_cell = float(np.exp(verdict.place_weight @ np.log(light))) * ground.probe.photons_per_cell_fluence_mm2
        cells = limit.flux.value / limit.outline_share / per_cell
        if not cells > best[1]:
            best = (limit.flux.value, cells)
    flux, cells = best
    # what the place and the optics leave open widens the limit upwards
    common = float(np.hypot(ground.probe.brightness_relative_sd, verdict.place_weight @ source.found.log_amount_sd))
    high = cells * float(np.exp(half_width(level) * common))
    return (
        Estimate(flux, float("nan"), 0.0, flux, level, FLUX_UNIT, "detection limit"),
        Estimate(cells, float("nan"), 0.0, high, level, CELLS_UNIT, "detection limit"),
    )


def _limit_of(view: ViewResult, region: str) -> DetectionLimit | None:
    named = {limit.region: limit for limit in view.limits}
    found = named.get(region, named.get(SUBCUTIS))
    return found if found is not None and np.isfinite(found.flux.value) else None


def position_of(ground: Ground, found: Likelihood, verdict: Verdict) -> tuple[Estimate, Estimate, Estimate]:
    """Place in the nominal animal, mm: z, y, x."""
    points = ground.table.points_mm[found.voxel]
    level = ground.settings.analysis.interval_level
    z, y, x = (
        _place_estimate(points[:, axis], verdict.place_weight, ground.table.pitch_mm, 0.0, level=level)
        for axis in range(3)
    )
    return z, y, x


def depth_of(ground: Ground, source: Source, verdict: Verdict) -> Estimate:
    """Depth below the skin, mm, in the view that sees most of the source."""
    depth = ground.table.depth_mm[source.main][source.found.voxel]
    level = ground.settings.analysis.interval_level
    return _place_estimate(depth, verdict.place_weight, ground.table.pitch_mm, STEPS_SD_MM, level=level)


def _place_estimate(
    values: NDArray[np.float64], weight: NDArray[np.float64], pitch: float, blur: float, /, *, level: float
) -> Estimate:
    """Mean and interval of a coordinate whose probability fills voxels evenly, blurred by an error of the grid."""
    mean = float(weight @ values)
    sd = float(np.sqrt(weight @ (values - mean) ** 2 + pitch**2 / 12.0 + blur**2))
    order = np.argsort(values, kind="stable")
    edges, first = np.unique(values[order], return_index=True)
    share = np.add.reduceat(weight[order], first)
    ends = np.concatenate([edges - pitch / 2.0, edges[-1:] + pitch / 2.0])
    below = np.concatenate([[0.0], np.cumsum(share)])
    tail = (1.0 - level) / 2.0
    low, high = np.interp([tail, 1.0 - tail], below, ends)
    more = half_width(level) * blur
    low, high = mean - float(np.hypot(mean - low, more)), mean + float(np.hypot(high - mean, more))
    return Estimate(mean, sd, low, high, level, "mm", "posterior over the nominal animal")
