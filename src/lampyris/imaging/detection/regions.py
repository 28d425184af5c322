"""Regions of the body: diffuse organ signal, and what would have been missed in each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT, Pose
from lampyris.core.results import DetectionLimit, OrganSignal
from lampyris.core.settings import StudySettings
from lampyris.imaging.body.animal import animal_from_stage
from lampyris.imaging.detection.detect import FieldFit, SpotSearch, spot_distance
from lampyris.imaging.detection.matched_filter import window_mm
from lampyris.imaging.forward import project
from lampyris.imaging.light.nominal import NominalAnimal, NominalView, Region
from lampyris.imaging.limits import detection_limit
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.probe.probe import Probe
from lampyris.statistics.thresholds import half_width

HOLDS_AT_SHARE = 0.9
CELLS_UNIT = "labelled-cell equivalents"
# spread of photons per cell from the animal's optics beyond the nominal one, as a standard deviation of the logarithm
OPTICS_LOG_SD = 0.5
# a spot this near to a region's footprint may lie in the region
OWN_SPOT_MM = 2.0
# below this share a spot is no spot any more for the search; the limit is then a lower bound
LEAST_SEEN = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class ViewFrame:
    """Where the nominal animal lies in one image.

    Parameters
    ----------
    nominal : NominalAnimal
    side : NominalView
        The side that faces the camera.
    pose : Pose
    shape : (y, x)
        Of the image.
    crop : (slice, slice)
        The body's bounding box, in which spots are searched.
    """

    nominal: NominalAnimal
    side: NominalView
    pose: Pose
    shape: tuple[int, int]
    crop: tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the limits of all regions share.

    Parameters
    ----------
    search : SpotSearch
    field : FieldFit
    root : ndarray, dims (pixel,)
        Square root of the weight at the body's pixels.
    basis : ndarray, dims (pixel, term)
        The background's weighted terms made orthonormal.
    distance_mm : tuple of ndarray, dims (y, x)
        From each spot.
    """

    search: SpotSearch
    field: FieldFit
    root: NDArray[np.float64]
    basis: NDArray[np.float64]
    distance_mm: tuple[NDArray[np.float64], ...]


def organ_signals(search: SpotSearch, field: FieldFit, settings: StudySettings, /) -> tuple[OrganSignal, ...]:
    """Diffuse signal with an organ's shape, with the fit's and the shape's uncertainty."""
    level = settings.analysis.interval_level
    signals = []
    for organ, flux, fit_sd in zip(search.terms.organs, field.fit.organ_flux, field.fit.organ_sd, strict=True):
        sd = float(np.hypot(fit_sd * field.noise[-1].inflation, settings.analysis.organ_model_error * flux))
        half = half_width(level) * sd
        low, high = float(flux - half), float(flux + half)
        estimate = Estimate(float(flux), sd, low, high, level, FLUX_UNIT, "organ shape of the nominal animal")
        signals.append(OrganSignal(organ, estimate))
    return tuple(signals)


def region_limits(
    search: SpotSearch, field: FieldFit, frame: ViewFrame, probe: Probe, settings: StudySettings, /
) -> tuple[DetectionLimit, ...]:
    """Detection limit in every region of a view, from the background measured in this very image.

    The limit holds at nine of ten places of the region; its interval spans the places.
    """
    root = np.sqrt(field.fit.weight[search.body])
    basis = np.linalg.qr((search.terms.free[:, search.body] * root).T)[0]
    distances = tuple(spot_distance(search, (spot,)) for spot in field.spots)
    ground = _Ground(search, field, root, basis, distances)
    limits = []
    for region, footprint in zip(frame.side.regions, _laid_footprints(frame, search.pixel_mm), strict=True):
        place = (footprint > 0.5) & search.body
        if not place.any():
            # a region smaller than a pixel, or at the edge: take the nearest ring of the body
            place = binary_dilation(place, iterations=2) & search.body
        if place.any():
            limits.append(_region_limit(ground, region, place, probe, settings))
    return tuple(limits)


def _laid_footprints(frame: ViewFrame, pixel_mm: float) -> NDArray[np.float64]:
    """The regions' footprints on the body's bounding box, dims (region, y, x)."""
    rows, columns = frame.crop
    # seen from the box' corner the animal lies nearer by the corner's distance
    pose = replace(
        frame.pose,
        y_mm=frame.pose.y_mm - rows.start * pixel_mm,
        x_mm=frame.pose.x_mm - columns.start * pixel_mm,
    )
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    footprints = np.stack([region.footprint for region in frame.side.regions])
    return project(footprints, frame.nominal.grid, pose, shape=shape, pixel_mm=pixel_mm)


def _region_limit(
    ground: _Ground, region: Region, place: NDArray[np.bool_], probe: Probe, settings: StudySettings
) -> DetectionLimit:
    search, field = ground.search, ground.field
    options = settings.analysis
    template = int(np.argmin(np.abs(search.profiles.depth_mm - region.depth_mm)))
    noise = field.noise[template]
    known = place & np.isfinite(noise.sigma)
    bias = _foreign_bias(ground, template, place, known)
    # what the background's smooth terms swallow of a spot before the search sees it
    seen = _seen_share(ground, template, place)
    scale = lambertian_flux(1.0, 10.0) / 100.0 / seen
    everywhere = detection_limit(
        noise.sigma[known] * scale,
        threshold=noise.threshold,
        power=options.detection_power,
        bias=bias * scale,
    )
    if everywhere.size == 0:
        everywhere = np.array([np.inf])
    # the measured scatter is itself uncertain by 1/sqrt(2 nu)
    level = options.interval_level
    factor = float(np.exp(half_width(level) / np.sqrt(2.0 * noise.degrees_of_freedom)))
    value, low, high = np.quantile(everywhere, [HOLDS_AT_SHARE, 0.5 * (1.0 - level), 0.5 * (1.0 + level)]).tolist()
    low, high = min(low, value) / factor, high * factor
    whole = Estimate(
        value,
        float(np.std(everywhere)) if everywhere.size > 1 else 0.0,
        low,
        max(high, value),
        level,
        FLUX_UNIT,
        "matched filter; background measured in the image",
    )
    share = search.profiles.share_above(template, options.outline_fraction)
    return DetectionLimit(
        region=region.name,
        flux=replace(
            whole, value=whole.value * share, sd=whole.sd * share, low=whole.low * share, high=whole.high * share
        ),
        outline_share=share,
        cells=_cells(whole, region, probe, level),
        depth_mm=region.depth_mm,
        false_alarms=options.false_alarms_per_session,
        power=options.detection_power,
    )


def _seen_share(ground: _Ground, template: int, place: NDArray[np.bool_]) -> float:
    """Share of a spot in the middle of a place that is left for the filter after the background's smooth terms took theirs."""
    search, basis = ground.search, ground.basis
    rows, columns = np.nonzero(place)
    middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    y, x = np.ogrid[: place.shape[0], : place.shape[1]]
    distance = np.hypot(y - rows[middle], x - columns[middle])[search.body] * search.pixel_mm
    shape = search.profiles.image(template, distance)
    weighted = shape * ground.root
    near = distance <= window_mm(search.profiles, template)
    taken = basis[near] @ (basis.T @ weighted)
    # sums over the window, where the weight is not 0
    root, shape, weighted = ground.root[near], shape[near], weighted[near]
    weight = root**2
    above = shape - np.sum(weight * shape) / weight.sum()
    found = np.sum(root * (weighted - taken) * above) / np.sum(weight * shape * above)
    return float(np.clip(found, LEAST_SEEN, 1.0))


def _foreign_bias(
    ground: _Ground, template: int, place: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What spots outside the region and organ shapes may feign in it: a region's own spot was seen, and is no obstacle to itself."""
    organs, *spots = ground.field.noise[template].bias
    bias = organs[known]
    for distance, feigned in zip(ground.distance_mm, spots, strict=True):
        if not (distance[place] < OWN_SPOT_MM).any():
            bias += feigned[known]
    return bias


def _cells(flux: Estimate, region: Region, probe: Probe, level: float) -> Estimate:
    """Labelled-cell equivalents that would send this flux, over the region's places in the nominal animal."""
    per_cell = region.photons_per_cell * probe.photons_per_cell_fluence_mm2
    per_cell = per_cell[per_cell > 0]
    middle = float(np.median(per_cell))
    places = float(np.std(np.log(per_cell))) if per_cell.size > 1 else 0.0
    width = float(np.sqrt(places**2 + probe.brightness_relative_sd**2 + OPTICS_LOG_SD**2))
    value = flux.value / middle
    factor = float(np.exp(half_width(level) * width))
    low, high = value / factor, value * factor
    return Estimate(
        value, value * width, float(low), float(high), level, CELLS_UNIT, "nominal animal's light transport"
    )


def region_at(frame: ViewFrame, y_mm: float, x_mm: float, /) -> str:
    """Organ of the nominal animal nearest to the surface under a place on the stage, or the subcutis."""
    along, right = animal_from_stage(frame.pose, np.array(y_mm), np.array(x_mm))
    grid = frame.nominal.grid
    row = round((float(along) - grid.y_mm) / grid.pitch_mm)
    column = round((-float(right) - grid.x_mm) / grid.pitch_mm)
    height, width = frame.side.nearest.shape
    place = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    return frame.side.regions[int(frame.side.nearest[place])].name
