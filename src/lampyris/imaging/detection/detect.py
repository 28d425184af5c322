"""Find spots against the measured, structured background at a stated number of false alarms.

A bank of spot shapes is laid on every place of the body (a matched filter with the local level free). How much the filter's
output scatters where nothing is, is measured in the image itself; the threshold follows from the allowed number of false
alarms over the body, the shapes and the views, and from how well that scatter is known. The strongest spot is taken into the
joint fit with the background, and the search repeated on what is left.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, grey_dilation

from lampyris.core.settings import AnalysisOptions
from lampyris.imaging.detection.background import BackgroundTerms, JointFit, joint_fit
from lampyris.imaging.detection.matched_filter import FilterBank, filter_bank, filter_bound, filter_flux, filter_weights
from lampyris.imaging.light.spots import SpotProfiles
from lampyris.statistics.thresholds import peak_threshold, robust_sd

# a spot this significant is fitted with all shapes of the bank at once, a fainter one with its best shape only
FREE_SHAPE_Z = 8.0
MERGE_WIDTHS = 0.6
MERGE_MM = 2.5
SHAPE_REACH_MM = 1.5
LEAST_FREEDOM = 8.0
LEAST_INFLATION = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class SpotSearch:
    """What is searched, in what, and with which allowance.

    Parameters
    ----------
    data, variance : ndarray, dims (y, x)
        Unbiased probe abundance and its variance.
    body : ndarray of bool, dims (y, x)
        Pixels used.
    terms : BackgroundTerms
    profiles : SpotProfiles
    pixel_mm : float
    options : AnalysisOptions
    false_alarms : float
        Allowed in this view.
    """

    data: NDArray[np.float64]
    variance: NDArray[np.float64]
    body: NDArray[np.bool_]
    terms: BackgroundTerms
    profiles: SpotProfiles
    pixel_mm: float
    options: AnalysisOptions
    false_alarms: float


@dataclass(frozen=True, slots=True)
class Spot:
    """A spot as the search found it.

    Parameters
    ----------
    y, x : float
        Position in pixels.
    template : int
        Best shape of the bank.
    z, threshold : float
        Significance when it was found, and what it had to exceed.
    """

    y: float
    x: float
    template: int
    z: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class NoiseField:
    """What one shape of the bank measures where nothing is, in radiance times mm2.

    Parameters
    ----------
    flux : ndarray, dims (y, x)
        What the shape explains of the residual at each place.
    sigma : ndarray, dims (y, x)
        Its standard deviation where nothing is: frame noise and background structure, as measured; inf off the body.
    bias : ndarray, dims (source, y, x)
        Largest flux that the error of what was subtracted may feign: the organ shapes first, then each spot. It counts in
        full, since the error of a shape is the same all around a spot and no draw from a distribution.
    inflation : float
        Measured scatter over that of white noise.
    threshold : float
        In units of sigma.
    degrees_of_freedom : float
        Of the measured scatter.
    """

    flux: NDArray[np.float64]
    sigma: NDArray[np.float64]
    bias: NDArray[np.float64]
    inflation: float
    threshold: float
    degrees_of_freedom: float


@dataclass(frozen=True, slots=True, eq=False)
class FieldFit:
    """Spots and background of one view.

    Parameters
    ----------
    spots : tuple of Spot
        In the order found.
    images : ndarray, dims (spot, y, x)
        Fitted image of each.
    fit : JointFit
    residual : ndarray, dims (y, x)
        Data minus background minus spots, 0 outside.
    noise : tuple of NoiseField
        One per shape, after the last spot.
    exhausted : bool
        The search ended because it may hold no more spots, not because nothing was left.
    """

    spots: tuple[Spot, ...]
    images: NDArray[np.float64]
    fit: JointFit
    residual: NDArray[np.float64]
    noise: tuple[NoiseField, ...]
    exhausted: bool = False


def find_spots(search: SpotSearch, /) -> FieldFit:
    """Search until nothing stands above the threshold.

    Parameters
    ----------
    search : SpotSearch

    Returns
    -------
    FieldFit
    """
    bank = filter_bank(search.profiles, search.body.shape, pixel_mm=search.pixel_mm)
    spots: tuple[Spot, ...] = ()
    room = most = search.options.max_detections_per_view
    while True:
        spots, images, fit = _fit(search, spots)
        residual = np.where(search.body, search.data - fit.background - images.sum(axis=0), 0.0)
        noise = _noise_fields(search, bank, residual, fit, images, spots)
        found = _strongest(search, noise, spots)
        if found is not None and len(spots) < room:
            spots = (*spots, found)
            continue
        lasting = _lasting(search, spots, images)
        if len(lasting) == len(spots):
            return FieldFit(spots, images, fit, residual, noise, exhausted=found is not None and room == most)
        # what the later spots have explained away is taken out, and nothing is sought in its place
        spots, room = lasting, len(lasting)


def fit_spots(search: SpotSearch, known: tuple[Spot, ...], placed: tuple[tuple[float, float], ...] = (), /) -> FieldFit:
    """Fit spots at places that a person or an earlier search gave: none is sought, none moved, none dropped.

    Parameters
    ----------
    search : SpotSearch
    known : tuple of Spot
        As an earlier search found them.
    placed : tuple of (y, x)
        Further places, in pixels of the search: each takes the shape that is most significant there.

    Returns
    -------
    FieldFit
        The known spots, then the placed ones with their significance beside the others, whatever it is. A spot in which the
        fit sees no light has a faint image of its shape, so that what is there can still be measured.
    """
    bank = filter_bank(search.profiles, search.body.shape, pixel_mm=search.pixel_mm)
    spots = known
    for place in placed:
        spots = (*spots, _best_shape(search, bank, spots, place))
    images, fit = _fit_here(search, spots)
    for image, spot in zip(images, spots, strict=True):
        if not image.max() > 0:
            shape = search.profiles.image(spot.template, spot_distance(search, (spot,))) * search.body
            image += 1e-6 * fit.pixel_sd * shape / max(float(shape.max()), 1e-300)
    residual = np.where(search.body, search.data - fit.background - images.sum(axis=0), 0.0)
    return FieldFit(spots, images, fit, residual, _noise_fields(search, bank, residual, fit, images, spots))


def _best_shape(search: SpotSearch, bank: FilterBank, others: tuple[Spot, ...], place: tuple[float, float]) -> Spot:
    """A spot at a place, with the shape that is most significant there beside the others."""
    images, fit = _fit_here(search, others)
    residual = np.where(search.body, search.data - fit.background - images.sum(axis=0), 0.0)
    noise = _noise_fields(search, bank, residual, fit, images, others)
    usable = np.logical_and.reduce([np.isfinite(field.sigma) for field in noise])
    # a place at the animal's edge is judged by the nearest one that all shapes can be laid on
    distance = np.where(usable, spot_distance(search, (Spot(*place, 0, 0.0, 0.0),)), np.inf)
    y, x = np.unravel_index(int(np.argmin(distance)), distance.shape)
    # the error of the others' shapes is no reason to doubt a place that a person gave, so it is not taken off
    z = [float(field.flux[y, x] / field.sigma[y, x]) for field in noise]
    best = int(np.argmax(z))
    return Spot(place[0], place[1], best, z[best], noise[best].threshold)


def _lasting(search: SpotSearch, spots: tuple[Spot, ...], images: NDArray[np.float64]) -> tuple[Spot, ...]:
    """Spots that still have light of their own in the joint fit and did not drift onto a brighter one or off the body."""
    order = sorted(range(len(spots)), key=lambda index: -float(images[index].max()))
    kept: list[int] = []
    for index in order:
        spot = spots[index]
        apart = [np.hypot(spot.y - spots[k].y, spot.x - spots[k].x) * search.pixel_mm for k in kept]
        if images[index].max() > 0 and min(apart, default=np.inf) >= 0.5 * MERGE_MM:
            kept.append(index)
    return tuple(spots[index] for index in sorted(kept))


def spot_distance(search: SpotSearch, spots: tuple[Spot, ...], /) -> NDArray[np.float64]:
    """Distance in mm of every pixel from the nearest spot, inf where there is none; dims (y, x)."""
    height, width = search.body.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    nearest = np.full(search.body.shape, np.inf)
    for spot in spots:
        np.minimum(nearest, (rows - spot.y) ** 2 + (columns - spot.x) ** 2, out=nearest)
    return np.asarray(np.sqrt(nearest) * search.pixel_mm)


def _fit(search: SpotSearch, spots: tuple[Spot, ...]) -> tuple[tuple[Spot, ...], NDArray[np.float64], JointFit]:
    """Joint fit of background and spots, the positions moved to where the residual's slope vanishes."""
    for round_ in range(3):
        images, fit = _fit_here(search, spots)
        if round_ == 2 or not spots:
            break
        spots = _moved(search, spots, images, fit)
    return spots, images, fit


def _fit_here(search: SpotSearch, spots: tuple[Spot, ...]) -> tuple[NDArray[np.float64], JointFit]:
    """Joint fit of background and spots where they are; the spots' images, dims (spot, y, x)."""
    columns, owner = _columns(search, spots)
    fit = joint_fit(
        search.data,
        search.variance,
        search.body,
        search.terms,
        columns,
        spot_error=search.options.spot_model_error,
        organ_error=search.options.organ_model_error,
    )
    images = np.zeros((len(spots), *search.body.shape))
    for column, number, amplitude in zip(columns, owner, fit.amplitudes, strict=True):
        images[number] += amplitude * column
    images *= search.body
    return images, fit


def _columns(search: SpotSearch, spots: tuple[Spot, ...]) -> tuple[NDArray[np.float64], list[int]]:
    """Shapes of every spot, and which spot each belongs to."""
    columns, owner = [], []
    for number, spot in enumerate(spots):
        distance = spot_distance(search, (spot,))
        shapes = range(len(search.profiles.depth_mm)) if spot.z > FREE_SHAPE_Z else (spot.template,)
        for shape in shapes:
            columns.append(search.profiles.image(shape, distance))
            owner.append(number)
    return (np.stack(columns) if columns else np.zeros((0, *search.body.shape))), owner


def _moved(search: SpotSearch, spots: tuple[Spot, ...], images: NDArray[np.float64], fit: JointFit) -> tuple[Spot, ...]:
    """One Gauss-Newton step of each spot's position, at most one pixel."""
    residual = (search.data - fit.background - images.sum(axis=0)) * search.body
    moved = []
    for spot, image in zip(spots, images, strict=True):
        slope_y, slope_x = (-one for one in np.gradient(image))
        near = fit.weight * (image > 0.05 * image.max())
        cross = float(np.sum(near * slope_y * slope_x))
        normal = np.array([[np.sum(near * slope_y**2), cross], [cross, np.sum(near * slope_x**2)]])
        right = np.array([np.sum(near * slope_y * residual), np.sum(near * slope_x * residual)])
        if np.linalg.det(normal) <= 0:
            moved.append(spot)
            continue
        step = np.clip(np.linalg.solve(normal, right), -1.0, 1.0)
        moved.append(replace(spot, y=spot.y + float(step[0]), x=spot.x + float(step[1])))
    return tuple(moved)


def _noise_fields(
    search: SpotSearch,
    bank: FilterBank,
    residual: NDArray[np.float64],
    fit: JointFit,
    images: NDArray[np.float64],
    spots: tuple[Spot, ...],
) -> tuple[NoiseField, ...]:
    """What every shape measures where nothing is."""
    weight = bank.transform(fit.weight)
    data = bank.transform(fit.weight * residual)
    # a shape errs sideways as well: what it feigns at a place is a share of the brightest within reach
    reach = _disc(SHAPE_REACH_MM / search.pixel_mm)
    errors = [search.options.organ_model_error * grey_dilation(fit.uptake, footprint=reach)]
    errors += [search.options.spot_model_error * grey_dilation(image, footprint=reach) for image in images]
    feigned = [bank.transform(fit.weight * error) for error in errors]
    distance = spot_distance(search, spots)
    area = float(search.body.sum()) * search.pixel_mm**2
    edge = float((search.body & ~binary_erosion(search.body)).sum()) * search.pixel_mm
    fields: list[NoiseField] = []
    # the body holds few independent places of the widest shapes: structure that the next narrower shape has seen is taken
    # to reach at least as high there
    inflation = LEAST_INFLATION
    for template, width in enumerate(search.profiles.fwhm_mm):
        weights = filter_weights(bank, template, weight, search.body)
        flux = filter_flux(bank, template, weights, data)
        bias = np.stack([filter_bound(bank, template, weights, one) for one in feigned])
        quiet = weights.usable & (distance > 0.75 * width + MERGE_MM)
        quiet &= bias.sum(axis=0) < 3.0 * weights.white
        if quiet.sum() < 0.2 * search.body.sum():
            quiet = weights.usable
        inflation = max(robust_sd(flux[quiet] / weights.white[quiet]), inflation)
        # independent places of a field of this smoothness, less the background's own smooth terms
        places = float(quiet.sum()) * search.pixel_mm**2 / (1.13 * width**2)
        freedom = max(places - search.terms.free.shape[0] / 2.0, LEAST_FREEDOM)
        threshold = peak_threshold(
            search.false_alarms / len(search.profiles.depth_mm),
            area_mm2=area,
            perimeter_mm=edge,
            fwhm_mm=max(float(width), 2.0 * search.pixel_mm),
            degrees_of_freedom=freedom,
        )
        fields.append(NoiseField(flux, inflation * weights.white, bias, inflation, threshold, freedom))
    return tuple(fields)


def _strongest(search: SpotSearch, noise: tuple[NoiseField, ...], spots: tuple[Spot, ...]) -> Spot | None:
    """The most significant of the peaks above their thresholds; a peak within a width of a known spot belongs to that spot."""
    distance = spot_distance(search, spots)
    known = [MERGE_WIDTHS * float(search.profiles.fwhm_mm[spot.template]) for spot in spots]
    best: Spot | None = None
    for template, field in enumerate(noise):
        apart = max([MERGE_WIDTHS * float(search.profiles.fwhm_mm[template]), MERGE_MM, *known])
        ground = np.isfinite(field.sigma) & (distance > apart)
        if not ground.any():
            continue
        z = np.full(search.body.shape, -np.inf)
        np.divide(field.flux - field.bias.sum(axis=0), field.sigma, out=z, where=ground)
        y, x = np.unravel_index(int(np.argmax(z)), z.shape)
        height = float(z[y, x])
        if height > field.threshold and (best is None or height > best.z):
            best = Spot(float(y), float(x), template, height, field.threshold)
    return best


def _disc(radius_px: float) -> NDArray[np.bool_]:
    reach = int(radius_px)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return y * y + x * x <= radius_px * radius_px
