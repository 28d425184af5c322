"""Moments of a spot under Gaussian windows on the skin: what localisation compares with the light table.

A sum under a window needs no shape and no peak, and the light table answers the very same sum for a cell anywhere. The window
lies at the same place of the animal in every view, so that the dark side of a lesion says something too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lampyris.core.results import WindowMoments
from lampyris.imaging.body.animal import animal_from_stage, stage_from_animal
from lampyris.imaging.detection.background import joint_fit
from lampyris.imaging.detection.detect import FieldFit, SpotSearch, spot_distance
from lampyris.imaging.detection.photometry import NEIGHBOUR_ERROR
from lampyris.imaging.detection.regions import ViewFrame
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.statistics.thresholds import robust_sd

WINDOW_SIGMAS_MM = (1.5, 2.5, 4.0)
# a spot within this reach of the window's centre is the same lesion's, seen from the other side
OWN_REACH_MM = 6.0
# what shines through from the other side is wide
FORCED_DEPTH_MM = 4.0
# with less of the body away from spots than this, all of it says what noise is
QUIET_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredView:
    """One view after detection, with what its windows read.

    Parameters
    ----------
    search, field, frame : SpotSearch, FieldFit, ViewFrame
    along_mm, left_mm : ndarray, dims (y, x)
        Nominal place of each pixel of the frame's crop.
    noise : ndarray, dims (moment, moment)
        Covariance of the moments of all windows where nothing is.
    """

    search: SpotSearch
    field: FieldFit
    frame: ViewFrame
    along_mm: NDArray[np.float64]
    left_mm: NDArray[np.float64]
    noise: NDArray[np.float64]


def measured_view(search: SpotSearch, field: FieldFit, frame: ViewFrame, /) -> MeasuredView:
    """Prepare a view for its windows: places of the pixels, and the noise of each window as measured on the animal."""
    pixel = search.pixel_mm
    rows, columns = np.indices(search.body.shape, dtype=float)
    y_mm, x_mm = (rows + frame.crop[0].start) * pixel, (columns + frame.crop[1].start) * pixel
    along, right = animal_from_stage(frame.pose, y_mm, x_mm)
    scale = float(np.sqrt(frame.pose.scale_y * frame.pose.scale_x))
    return MeasuredView(search, field, frame, along, -right, _window_noise(search, field, scale))


def session_windows(views: dict[str, MeasuredView], /) -> dict[str, tuple[tuple[WindowMoments, ...], ...]]:
    """Windows of all widths on every spot of a session, in its own view and at the same place of the animal in the others.

    Parameters
    ----------
    views : dict of view to MeasuredView
        All views of the session.

    Returns
    -------
    dict of view to tuple of tuple of WindowMoments
        Per spot of ``views[view].field.spots``: own view first, narrow windows first.
    """
    places = {name: [_place_of(view, index) for index in range(len(view.field.spots))] for name, view in views.items()}
    bare: dict[str, list[tuple[float, float]]] = {}
    for name, view in views.items():
        others = [place for other, found in places.items() if other != name for place in found]
        bare[name] = [place for place in others if not _spots_near(view, place)]
    ground = {name: _with_forced(view, bare[name]) for name, view in views.items()}
    return {
        name: tuple(_all_windows(views, ground, name, index, place) for index, place in enumerate(found))
        for name, found in places.items()
    }


def _all_windows(
    views: dict[str, MeasuredView],
    ground: dict[str, NDArray[np.float64]],
    name: str,
    index: int,
    place: tuple[float, float],
) -> tuple[WindowMoments, ...]:
    numbers = range(len(WINDOW_SIGMAS_MM))
    own = views[name]
    windows = [_moments(name, own, own.field.fit.background, place, number, (index,)) for number in numbers]
    for other, view in views.items():
        if other != name:
            near = _spots_near(view, place)
            background = view.field.fit.background if near else ground[other]
            windows += [_moments(other, view, background, place, number, near) for number in numbers]
    return tuple(windows)


def _place_of(view: MeasuredView, index: int) -> tuple[float, float]:
    """Nominal place (along, left) of a spot."""
    spot, crop, pixel = view.field.spots[index], view.frame.crop, view.search.pixel_mm
    y_mm, x_mm = (spot.y + crop[0].start) * pixel, (spot.x + crop[1].start) * pixel
    along, right = animal_from_stage(view.frame.pose, np.array(y_mm), np.array(x_mm))
    return float(along), -float(right)


def _with_forced(view: MeasuredView, places: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Background of a view once spots of free shape may lie at the given places, where the search found none.

    Without them the background's smooth terms take the faint light that comes through from the other side.
    """
    search, field = view.search, view.field
    if not places:
        return field.fit.background
    columns = [image for image in field.images if image.any()]
    shapes = [index for index, depth in enumerate(search.profiles.depth_mm) if depth >= FORCED_DEPTH_MM]
    for along, left in places:
        distance = np.hypot(view.along_mm - along, view.left_mm - left)
        forced = [search.profiles.image(shape, distance) * search.body for shape in shapes or [-1]]
        # a place off this view's body sends no light to it
        columns += [image for image in forced if image.any()]
    if not columns:
        return field.fit.background
    refit = joint_fit(
        search.data,
        search.variance,
        search.body,
        search.terms,
        np.stack(columns),
        spot_error=search.options.spot_model_error,
        organ_error=search.options.organ_model_error,
    )
    return refit.background


def _spots_near(view: MeasuredView, place: tuple[float, float]) -> tuple[int, ...]:
    """Spots of a view that may be the other side of a lesion at this place."""
    y_mm, x_mm = stage_from_animal(view.frame.pose, np.array(place[0]), np.array(-place[1]))
    near = []
    for index, spot in enumerate(view.field.spots):
        width = float(view.search.profiles.fwhm_mm[spot.template])
        y = (spot.y + view.frame.crop[0].start) * view.search.pixel_mm
        x = (spot.x + view.frame.crop[1].start) * view.search.pixel_mm
        if np.hypot(y - float(y_mm), x - float(x_mm)) < max(OWN_REACH_MM, width):
            near.append(index)
    return tuple(near)


def _moments(
    name: str,
    view: MeasuredView,
    background: NDArray[np.float64],
    place: tuple[float, float],
    number: int,
    own: tuple[int, ...],
) -> WindowMoments:
    search, field, sigma = view.search, view.field, WINDOW_SIGMAS_MM[number]
    others = np.delete(field.images, own, axis=0).sum(axis=0)
    along, left = view.along_mm - place[0], view.left_mm - place[1]
    squared = along**2 + left**2
    weight = np.exp(-0.5 * squared / sigma**2) * search.body
    light = weight * (search.data - background - others)
    terms = (light, light * along, light * left, light * squared)
    flux, first, second, spread = (lambertian_flux(float(term.sum()), search.pixel_mm) for term in terms)
    # the measured scatter holds the frames' noise of dark places already; a bright spot has more of its own
    quiet = float(np.median(search.variance[search.body]))
    more = float(np.sum(weight**2 * np.maximum(search.variance - quiet, 0.0)))
    subtracted = NEIGHBOUR_ERROR * float((weight * others).sum())
    subtracted += search.options.organ_model_error * float((weight * field.fit.uptake).sum())
    y_mm, x_mm = stage_from_animal(view.frame.pose, np.array(place[0]), np.array(-place[1]))
    return WindowMoments(
        view=name,
        y_mm=float(y_mm),
        x_mm=float(x_mm),
        sigma_mm=sigma,
        flux=flux,
        along=first,
        left=second,
        spread=spread,
        own_sd=lambertian_flux(float(np.hypot(np.sqrt(more), subtracted)), search.pixel_mm),
        fitted=bool(own),
    )


def _window_noise(search: SpotSearch, field: FieldFit, scale: float) -> NDArray[np.float64]:
    """Covariance of all windows' moments where nothing is, ph s-1 times powers of mm, from the residual image itself.

    The moments of a Gaussian window are derivatives of the smoothed image: x g = -s2 dg/dx, r2 g = s4 (laplacian g) + 2 s2 g.
    """
    pixel, images = search.pixel_mm, []
    residual = np.where(search.body, field.residual, 0.0)
    for sigma_mm in WINDOW_SIGMAS_MM:
        sigma = sigma_mm * scale / pixel
        area = 2.0 * np.pi * sigma**2

        def smoothed(order: tuple[int, int], width: float = sigma) -> NDArray[np.float64]:
            return np.asarray(gaussian_filter(residual, width, order=order, mode="constant", truncate=3.0))

        flux = area * smoothed((0, 0))
        # moments are in mm of the nominal animal
        step = pixel / scale
        along, across = (-area * sigma**2 * step * smoothed(order) for order in ((1, 0), (0, 1)))
        curved = area * sigma**4 * (smoothed((2, 0)) + smoothed((0, 2)))
        images += [flux, along, across, (curved + 2.0 * sigma**2 * flux) * step**2]
    distance = spot_distance(search, field.spots)
    quiet = search.body & (distance > 2.0 * WINDOW_SIGMAS_MM[-1] * scale)
    if quiet.sum() < QUIET_SHARE * search.body.sum():
        quiet = search.body
    rows = np.stack([image[quiet] for image in images])
    # a few spots that were not found must not set the scale: robust deviations, ordinary correlations
    sds = np.array([robust_sd(row) for row in rows]) * lambertian_flux(1.0, pixel)
    return np.asarray(np.corrcoef(rows) * np.outer(sds, sds))
