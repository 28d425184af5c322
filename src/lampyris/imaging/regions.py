"""Regions of the body: diffuse organ signal, and what would have been missed in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT, Pose
from lampyris.core.results import DetectionLimit, OrganSignal
from lampyris.core.settings import StudySettings
from lampyris.imaging.animal import animal_from_stage
from lampyris.imaging.calibrate import lambertian_flux
from lampyris.imaging.detect import FieldFit, SpotSearch, spot_distance
from lampyris.imaging.forward import project
from lampyris.imaging.limits import detection_limit
from lampyris.imaging.nominal import NominalAnimal, NominalView, Region
from lampyris.probe.probe import Probe

HOLDS_AT_SHARE = 0.9
CELLS_UNIT = "labelled-cell equivalents"
# spread of photons per cell from the animal's optics beyond the nominal one, as a standard deviation of the logarithm
OPTICS_LOG_SD = 0.5
# a spot this near to a region's footprint may lie in the region
OWN_SPOT_MM = 2.0


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


def organ_signals(search: SpotSearch, field: FieldFit, settings: StudySettings, /) -> tuple[OrganSignal, ...]:
    """Diffuse signal with an organ's shape, with the fit's and the shape's uncertainty."""
    level = settings.analysis.interval_level
    signals = []
    for organ, flux, fit_sd in zip(search.terms.organs, field.fit.organ_flux, field.fit.organ_sd, strict=True):
        sd = float(np.hypot(fit_sd * field.noise[-1].inflation, settings.analysis.organ_model_error * flux))
        low, high = float(flux - 1.96 * sd), float(flux + 1.96 * sd)
        estimate = Estimate(float(flux), sd, low, high, level, FLUX_UNIT, "organ shape of the nominal animal")
        signals.append(OrganSignal(organ, estimate))
    return tuple(signals)


def region_limits(
    search: SpotSearch, field: FieldFit, frame: ViewFrame, probe: Probe, settings: StudySettings, /
) -> tuple[DetectionLimit, ...]:
    """Detection limit in every region of a view, from the background measured in this very image.

    The limit holds at nine of ten places of the region; its interval spans the places.
    """
    limits = []
    footprints = np.stack([region.footprint for region in frame.side.regions])
    laid = project(footprints, frame.nominal.grid, frame.pose, shape=frame.shape, pixel_mm=search.pixel_mm)
    for region, footprint in zip(frame.side.regions, laid, strict=True):
        place = footprint[frame.crop] > 0.5
        place &= search.body
        if not place.any():
            # a region smaller than a pixel, or at the edge: take the nearest ring of the body
            place = binary_dilation(place, iterations=2) & search.body
        if place.any():
            limits.append(_region_limit(search, field, region, place, probe, settings))
    return tuple(limits)


def _region_limit(
    search: SpotSearch, field: FieldFit, region: Region, place: NDArray[np.bool_], probe: Probe, settings: StudySettings
) -> DetectionLimit:
    options = settings.analysis
    template = int(np.argmin(np.abs(search.profiles.depth_mm - region.depth_mm)))
    noise = field.noise[template]
    known = place & np.isfinite(noise.sigma)
    bias = _foreign_bias(search, field, template, place)
    scale = lambertian_flux(1.0, 10.0) / 100.0
    everywhere = detection_limit(
        noise.sigma[known] * scale,
        threshold=noise.threshold,
        power=options.detection_power,
        bias=bias[known] * scale,
    )
    if everywhere.size == 0:
        everywhere = np.array([np.inf])
    # the measured scatter is itself uncertain by 1/sqrt(2 nu)
    spread = 1.0 / np.sqrt(2.0 * noise.degrees_of_freedom)
    value = float(np.quantile(everywhere, HOLDS_AT_SHARE))
    low = float(min(np.quantile(everywhere, 0.05), value) * np.exp(-1.96 * spread))
    high = float(np.quantile(everywhere, 0.95) * np.exp(1.96 * spread))
    flux = Estimate(
        value,
        float(np.std(everywhere)) if everywhere.size > 1 else spread * value,
        low,
        max(high, value),
        options.interval_level,
        FLUX_UNIT,
        "matched filter; background measured in the image",
    )
    return DetectionLimit(
        region=region.name,
        flux=flux,
        cells=_cells(flux, region, probe, options.interval_level),
        depth_mm=region.depth_mm,
        false_alarms=options.false_alarms_per_session,
        power=options.detection_power,
    )


def _foreign_bias(search: SpotSearch, field: FieldFit, template: int, place: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What spots outside the region and organ shapes may feign in it: a region's own spot was seen, and is no obstacle to itself."""
    bias = field.noise[template].bias[0].copy()
    for index, spot in enumerate(field.spots, start=1):
        near = place & (spot_distance(search, (spot,)) < OWN_SPOT_MM)
        if not near.any():
            bias += field.noise[template].bias[index]
    return bias


def _cells(flux: Estimate, region: Region, probe: Probe, level: float) -> Estimate:
    """Labelled-cell equivalents that would send this flux, over the region's places in the nominal animal."""
    per_cell = region.photons_per_cell * probe.photons_per_cell_fluence_mm2
    per_cell = per_cell[per_cell > 0]
    middle = float(np.median(per_cell))
    places = float(np.std(np.log(per_cell))) if per_cell.size > 1 else 0.0
    width = float(np.sqrt(places**2 + probe.brightness_relative_sd**2 + OPTICS_LOG_SD**2))
    value = flux.value / middle
    low, high = value * np.exp(-1.96 * width), value * np.exp(1.96 * width)
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
