"""Lay the nominal animal on the one in an image, and say how well.

1. `register_body` bends and widens the nominal outline until it meets the animal's, from one photograph;
2. `register_landmarks` does the same from places that a person has named;
3. `align_days` brings the photographs of one animal and view on several days onto each other;
4. `view_mismatch` tells whether a session's views were exchanged.

All fit the parameters of a `Pose`, by Gauss-Newton with a prior that says how animals lie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from lampyris.core.images import Pose, Registration
from lampyris.imaging.body.animal import Outline, animal_from_stage, pose_from_body, stage_from_animal
from lampyris.imaging.body.midline import shape_modes
from lampyris.tissue.anatomy import NOMINAL_LENGTH_MM, surface_point_mm

Floats = NDArray[np.float64]

# order of the parameters: centre (y, x), turn, logarithms of length and of width, then bend in mm, then girth
CENTRE, TURN, LENGTH, WIDTH = slice(0, 2), 2, 3, 4
# spread of the bend's arc, S and W, and of the girth's taper and further terms, over animals and breaths
BEND_SD_MM = (3.0, 1.5, 0.6)
GIRTH_SD = (0.03, 0.03, 0.02, 0.015)
# spread of an animal's length, and of its width against its length: age and fat, and how it was laid
SIZE_LOG_SD, RATIO_LOG_SD = 0.2, 0.06
TURN_SD_RAD = 0.5
STEP = 1e-4

OUTLINE_STEP_MM = 1.5
# over how much of the outline its errors go together
OUTLINE_REACH_MM = 8.0
OUTLINE_SD_MM = 0.15
OUTLIERS_MM = (6.0, 3.0, 1.5, 0.8, 0.8, 0.8)
BEYOND_MM = 25.0
# an outline this near to the image's edge is the edge's, not the animal's
EDGE_MM = 1.5
# what the fit does not see: `register_body` says how it was measured
INNER_SD_MM = 0.2
# where the rump is off the image, length hangs on how widths run along the body, and animals differ in that
WITHOUT_RUMP = 1.5
LANDMARK_SD_MM = 1.0
LANDMARK_ROUNDS = 8
SURFACE_SITES = ("tail vein", "left flank", "right flank", "left mammary fat pad", "right mammary fat pad")

PHOTO_PITCH_MM = 0.9
# shading is smoother than this; the rim's light changes with how the animal lies
LEVEL_MM, RIM_MM = 4.0, 1.5
PHOTO_REACH_MM = 3.0
# how far the photographs may move what the outline said: centre, turn, length, width, bend, girth
NEAR_OUTLINE_SD = (0.4, 0.4, 0.01, 0.015, 0.02, 0.4, 0.4, 0.4, 0.015, 0.015, 0.015, 0.015)
ALIGN_PASSES, ALIGN_ROUNDS = 2, 4
# what a correlation lacks must shrink to this share: by less it may have shrunk by chance
LEAST_GAIN = 0.9
EXCHANGED_MARGIN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Prior:
    """Rows of ``weights @ parameters``, expected at `means` with unit spread."""

    weights: Floats
    means: Floats


def _prior(centre: Floats, *, size_log: float) -> _Prior:
    """How animals lie."""
    count = 5 + len(BEND_SD_MM) + len(GIRTH_SD)
    spreads = np.array([1e3, 1e3, TURN_SD_RAD, SIZE_LOG_SD, np.inf, *BEND_SD_MM, *GIRTH_SD])
    weights = np.diag(1.0 / spreads)
    weights[WIDTH, WIDTH], weights[WIDTH, LENGTH] = 1.0 / RATIO_LOG_SD, -1.0 / RATIO_LOG_SD
    expected = np.zeros(count)
    expected[CENTRE] = centre
    expected[LENGTH] = expected[WIDTH] = size_log
    return _Prior(weights, weights @ expected)


def pose_of(parameters: Floats, /, *, middle_mm: float, mirrored: bool) -> Pose:
    """Pose of a vector of parameters; `middle_mm` is the nominal length whose straight place is the centre."""
    turn, scale_y = float(parameters[TURN]), float(np.exp(parameters[LENGTH]))
    bends, girths = shape_modes()
    bend = bends @ parameters[5 : 5 + len(BEND_SD_MM)]
    girth = np.exp(girths @ parameters[5 + len(BEND_SD_MM) :])
    ahead = scale_y * middle_mm
    return Pose(
        y_mm=float(parameters[0] - ahead * np.cos(turn)),
        x_mm=float(parameters[1] - ahead * np.sin(turn)),
        angle_rad=turn,
        scale_y=scale_y,
        scale_x=float(np.exp(parameters[WIDTH])),
        mirrored=mirrored,
        bend_mm=tuple(bend.tolist()),
        girth=tuple(girth.tolist()),
    )


def _parameters_of(pose: Pose, middle_mm: float) -> Floats:
    """Parameters of a pose; of its bend and girth what the modes can say."""
    bends, girths = shape_modes()
    shape = np.zeros(len(BEND_SD_MM) + len(GIRTH_SD))
    if pose.bend_mm:
        shape[: len(BEND_SD_MM)] = np.linalg.lstsq(bends, np.array(pose.bend_mm), rcond=None)[0]
    if pose.girth:
        shape[len(BEND_SD_MM) :] = np.linalg.lstsq(girths, np.log(pose.girth), rcond=None)[0]
    ahead = pose.scale_y * middle_mm
    centre = pose.y_mm + ahead * np.cos(pose.angle_rad), pose.x_mm + ahead * np.sin(pose.angle_rad)
    return np.array([*centre, pose.angle_rad, np.log(pose.scale_y), np.log(pose.scale_x), *shape])


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Places of the nominal animal that a fit lays on the stage."""

    y_mm: Floats
    right_mm: Floats
    middle_mm: float
    mirrored: bool

    def pose(self, parameters: Floats) -> Pose:
        return pose_of(parameters, middle_mm=self.middle_mm, mirrored=self.mirrored)

    def stage(self, parameters: Floats) -> Floats:
        """Dims (axis, place)."""
        return np.stack(stage_from_animal(self.pose(parameters), self.y_mm, self.right_mm))

    def slopes(self, parameters: Floats) -> Floats:
        """Change of the places with each parameter, dims (parameter, axis, place)."""
        here = self.stage(parameters)
        steps = STEP * np.eye(parameters.size)
        return np.stack([(self.stage(parameters + step) - here) / STEP for step in steps])


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What an image says of places on the stage: residuals in units of their sd, and their change per mm along y and x."""

    residual: Floats
    slope: Floats
    weight: Floats


def _fit(
    start: Floats,
    places: _Places,
    prior: _Prior,
    look: Callable[[Floats, int], _Seen],
    *,
    rounds: int,
    far: bool = True,
) -> tuple[Floats, Floats]:
    """Gauss-Newton with iterated weights: parameters and their covariance.

    Parameters
    ----------
    look : callable
        Of the places on the stage, dims (axis, place), and the round.
    far : bool
        The start may be far off; else how places go with parameters is computed once.
    """
    found = start
    slopes = places.slopes(found)
    for number in range(rounds):
        seen = look(places.stage(found), number)
        if far and number:
            slopes = places.slopes(found)
        change = np.einsum("ap,kap->kp", seen.slope, slopes)
        normal = (change * seen.weight) @ change.T + prior.weights.T @ prior.weights
        pull = (change * seen.weight) @ seen.residual + prior.weights.T @ (prior.weights @ found - prior.means)
        found = found - np.linalg.solve(normal, pull)
    return found, np.linalg.inv(normal)


# --- from the outline --------------------------------------------------------------------------------------------------


def register_body(body: NDArray[np.bool_], nominal: Outline, /, *, pixel_mm: float, mirrored: bool) -> Registration:
    """Lay the nominal animal on a body, from its outline alone.

    The moments of the body give place, turn and size. Then the nominal outline is moved, turned, scaled, bent and
    widened until it lies on the body's, by iterated least squares of its points' distances; points off the image, and
    outliers such as limbs and ears, count for nothing or little. An image's edge that cuts the animal is no outline.

    ``sd_mm`` is what the fit leaves open of places inside the body, given the distances that remain, and
    `INNER_SD_MM`, which no outline shows. The latter was set on 14 synthetic animals, both views, of drawn size, bend and
    breath in pixels of 0.45 mm: inner places landed 0.21 mm off per axis, 0.9 of ``sd_mm``, and 72 % and 97 % of them within
    one and 1.96 of it; of animals cut at the head, rump or side, in 20 views of each cut, errors were 0.8 to 1.05 of it. It
    is of the animal's frame: how organs lie in that frame is another uncertainty. A real animal differs from the nominal
    outline in more than those did; what of this the outline shows is in ``sd_mm``.

    Parameters
    ----------
    body : ndarray of bool, dims (y, x)
        The animal without its tail, head up.
    nominal : Outline
    pixel_mm : float
    mirrored : bool
        True in the ventral view.

    Returns
    -------
    Registration
        ``overlap`` is Dice's, inside the image.

    Raises
    ------
    ValueError
        If the body is empty.
    """
    if not body.any():
        raise ValueError("the body mask is empty: there is nothing to register")
    places = _outline_places(nominal, mirrored)
    distance = _signed_distance_mm(body, pixel_mm)
    look = _outline_look(distance, body.shape, pixel_mm)
    rivals = []
    for start in _starts(body, nominal, pixel_mm, mirrored):
        prior = _prior(start[CENTRE], size_log=0.0)
        found, covariance = _fit(start, places, prior, look, rounds=len(OUTLIERS_MM))
        rivals.append((_outline_cost(found, places, prior, look), found, covariance))
    _, found, covariance = min(rivals, key=lambda rival: rival[0])
    pose = places.pose(found)
    inner = _inner_sd_mm(found, covariance, nominal, mirrored)
    rump = np.array(stage_from_animal(pose, np.array(nominal.y_mm[-1]), np.array(0.0)))
    if (rump < 0).any() or (rump > (np.array(body.shape) - 1) * pixel_mm).any():
        inner *= WITHOUT_RUMP
    return Registration(
        pose=pose,
        sd_mm=float(np.hypot(INNER_SD_MM, inner)),
        overlap=outline_overlap(body, nominal, pose, pixel_mm=pixel_mm),
        method="silhouette",
    )


def outline_overlap(body: NDArray[np.bool_], nominal: Outline, pose: Pose, /, *, pixel_mm: float) -> float:
    """Dice's coefficient of a body and the nominal outline in a pose, inside the image."""
    rows, columns = np.meshgrid(*(np.arange(count) * pixel_mm for count in body.shape), indexing="ij")
    along, right = animal_from_stage(pose, rows, columns)
    laid = np.abs(right) < np.interp(along, nominal.y_mm, nominal.half_width_mm, left=0.0, right=0.0)
    return float(2.0 * (laid & body).sum() / max(laid.sum() + body.sum(), 1))


def _outline_places(nominal: Outline, mirrored: bool) -> _Places:
    """Points spread evenly around the nominal outline."""
    y = np.concatenate([nominal.y_mm, nominal.y_mm[::-1]])
    right = np.concatenate([nominal.half_width_mm, -nominal.half_width_mm[::-1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(y), np.diff(right)))])
    at = np.arange(0.5 * OUTLINE_STEP_MM, length[-1], OUTLINE_STEP_MM)
    return _Places(np.interp(at, length, y), np.interp(at, length, right), nominal.silhouette.y_mm, mirrored)


def _signed_distance_mm(body: NDArray[np.bool_], pixel_mm: float) -> Floats:
    """Distance from the outline, positive outside, with a margin in which what meets the edge goes straight on."""
    padded = np.pad(body, _margin_px(pixel_mm), mode="edge")
    distance = distance_transform_edt(~padded) - distance_transform_edt(padded)
    # the transforms count from pixel centres, the outline lies half a pixel before
    distance = distance - 0.5 * np.sign(distance)
    return np.asarray(gaussian_filter(distance, 1.0) * pixel_mm)


def _margin_px(pixel_mm: float) -> int:
    return int(np.ceil(BEYOND_MM / pixel_mm))


def _outline_look(distance: Floats, shape: tuple[int, ...], pixel_mm: float) -> Callable[[Floats, int], _Seen]:
    margin = _margin_px(pixel_mm)
    slopes = np.array(np.gradient(distance, pixel_mm))
    last = (np.array(shape)[:, None] - 1) * pixel_mm
    share = np.sqrt(OUTLINE_STEP_MM / OUTLINE_REACH_MM)

    def look(stage: Floats, number: int) -> _Seen:
        where = stage / pixel_mm + margin
        apart = map_coordinates(distance, where, order=1, mode="nearest")
        slope = np.stack([map_coordinates(one, where, order=1, mode="nearest") for one in slopes])
        shown = ((stage > EDGE_MM) & (stage < last - EDGE_MM)).all(axis=0)
        outlier = OUTLIERS_MM[min(number, len(OUTLIERS_MM) - 1)]
        # Geman and McClure's weights: what lies far off is pulled no more
        robust = shown / (1.0 + (apart / outlier) ** 2) ** 2
        # never surer of the outline than of its drawing, nor than of what is left
        milder = np.sqrt(robust)
        left = np.sqrt(np.sum(milder * apart**2) / max(milder.sum(), 1e-9))
        sd = max(OUTLINE_SD_MM, float(left)) / share
        return _Seen(apart / sd, slope / sd, robust)

    return look


def _outline_cost(found: Floats, places: _Places, prior: _Prior, look: Callable[[Floats, int], _Seen]) -> float:
    """Of rival fits the better: capped distances of the points in the image, per point, and how odd the pose is."""
    seen = look(places.stage(found), len(OUTLIERS_MM))
    # weight = 1 / (1 + t)^2 of t = (distance / outlier)^2, hence t / (1 + t) = 1 - sqrt(weight)
    shown = seen.weight > 0
    capped = np.where(shown, 1.0 - np.sqrt(seen.weight), 0.0)
    odd = prior.weights @ found - prior.means
    scale = OUTLINE_STEP_MM / OUTLINE_REACH_MM * (OUTLIERS_MM[-1] / OUTLINE_SD_MM) ** 2
    # points off the image cost a little, so that none is gained by pushing the animal out
    return float(scale * (capped.sum() + 0.1 * (~shown).sum()) + odd @ odd)


def _starts(body: NDArray[np.bool_], nominal: Outline, pixel_mm: float, mirrored: bool) -> list[Floats]:
    """Where fits begin: the moments; and where an edge cuts the animal, its free end at the width's scale."""
    moments = pose_from_body(body, nominal.silhouette, pixel_mm=pixel_mm, mirrored=mirrored)
    middle = nominal.silhouette.y_mm
    starts = [_parameters_of(moments, middle)]
    cut_above, cut_below = body[:2].any(), body[-2:].any()
    if cut_above or cut_below:
        rows, columns = (np.asarray(one * pixel_mm, dtype=np.float64) for one in np.nonzero(body))
        along, _ = animal_from_stage(replace(moments, scale_y=1.0), rows, columns)
        for cut, seen_end, nominal_end in (
            (cut_above, along.max(), nominal.y_mm[-1]),
            (cut_below, along.min(), nominal.y_mm[0]),
        ):
            if cut:
                ahead = seen_end - moments.scale_x * nominal_end
                cos, sin = np.cos(moments.angle_rad), np.sin(moments.angle_rad)
                freed = replace(
                    moments,
                    y_mm=moments.y_mm + ahead * cos,
                    x_mm=moments.x_mm + ahead * sin,
                    scale_y=moments.scale_x,
                )
                starts.append(_parameters_of(freed, middle))
    return starts


def _inner_places(nominal: Outline, mirrored: bool) -> _Places:
    """A grid of places inside the nominal body."""
    y, share = np.meshgrid(np.linspace(5.0, NOMINAL_LENGTH_MM - 5.0, 12), np.linspace(-0.8, 0.8, 5))
    right = share * np.interp(y, nominal.y_mm, nominal.half_width_mm)
    return _Places(y.ravel(), right.ravel(), nominal.silhouette.y_mm, mirrored)


def _inner_sd_mm(found: Floats, covariance: Floats, nominal: Outline, mirrored: bool) -> float:
    slopes = _inner_places(nominal, mirrored).slopes(found)
    variance = np.einsum("kap,kl,lap->ap", slopes, covariance, slopes)
    return float(np.sqrt(variance.mean()))


# --- from landmarks ----------------------------------------------------------------------------------------------------


def landmark_points() -> dict[str, tuple[float, float]]:
    """Places that may be named as landmarks: (y from the nose, x to the animal's right) in the nominal animal, in mm.

    Examples
    --------
    >>> landmark_points()["nose"]
    (0.0, 0.0)
    """
    points = {"nose": (0.0, 0.0), "tail base": (NOMINAL_LENGTH_MM, 0.0)}
    for site in SURFACE_SITES:
        _, y, left = surface_point_mm(site)
        points[site] = (y, -left)
    return points


def register_landmarks(
    marks: Mapping[str, tuple[float, float]], nominal: Outline, /, *, mirrored: bool, sd_mm: float = LANDMARK_SD_MM
) -> Registration:
    """Lay the nominal animal on places that a person named.

    Two landmarks on the midline give place, turn and size; further ones tell width from length, and bend the midline. What
    they leave open is filled from how animals lie: straight, and as wide as they are long.

    Parameters
    ----------
    marks : mapping of name to (y, x)
        Of `landmark_points`, in mm from the image's first pixel centre.
    nominal : Outline
    mirrored : bool
        True in the ventral view.
    sd_mm : float
        Standard uncertainty per axis of a mark.

    Returns
    -------
    Registration
        Without overlap; ``sd_mm`` of places inside the body.

    Raises
    ------
    ValueError
        If a name is unknown, fewer than two marks are given, or they lie on one spot.
    """
    known = landmark_points()
    unknown = sorted(set(marks) - known.keys())
    if unknown:
        raise ValueError(f"no landmark {', '.join(unknown)}; there are {', '.join(known)}")
    if len(marks) < 2:
        raise ValueError(f"two landmarks or more are expected, got {len(marks)}: name another")
    seen = np.array(list(marks.values()), dtype=float).T
    y, right = np.array([known[name] for name in marks]).T
    across = -right if mirrored else right
    middle = nominal.silhouette.y_mm
    start = _similarity(np.stack([y - middle, across]), seen)
    prior = _prior(start[CENTRE], size_log=float(start[LENGTH]))
    # each mark twice: once for where it lies along y, once for x
    places = _Places(np.tile(y, 2), np.tile(right, 2), middle, mirrored)
    axis = np.repeat(np.eye(2), y.size, axis=1)

    def look(stage: Floats, _: int) -> _Seen:
        apart = (axis * stage).sum(axis=0) - seen.ravel()
        return _Seen(apart / sd_mm, axis / sd_mm, np.ones(apart.size))

    found, covariance = _fit(start, places, prior, look, rounds=LANDMARK_ROUNDS)
    inner = _inner_sd_mm(found, covariance, nominal, mirrored)
    return Registration(places.pose(found), float(np.hypot(INNER_SD_MM, inner)), float("nan"), "landmarks")


def _similarity(nominal: Floats, seen: Floats) -> Floats:
    """Parameters that bring places onto seen ones by place, turn and one scale alone, as complex numbers y + i x."""
    here, there = (one[0] + 1j * one[1] for one in (nominal, seen))
    spread = here - here.mean()
    if np.sum(np.abs(there - there.mean()) ** 2) == 0 or np.sum(np.abs(spread) ** 2) == 0:
        raise ValueError("the landmarks lie on one spot: name places that are apart")
    turn = np.sum(np.conj(spread) * there) / np.sum(np.abs(spread) ** 2)
    centre = there.mean() - turn * here.mean()
    shape = np.zeros(len(BEND_SD_MM) + len(GIRTH_SD))
    return np.array([centre.real, centre.imag, np.angle(turn), np.log(np.abs(turn)), np.log(np.abs(turn)), *shape])


# --- over days ---------------------------------------------------------------------------------------------------------


def align_days(
    photos: Sequence[NDArray[np.floating]],
    registrations: Sequence[Registration],
    nominal: Outline,
    /,
    *,
    pixel_mm: float,
) -> tuple[Registration, ...]:
    """Bring the photographs of one animal and one view on several days onto each other.

    Each photograph is compared, in the nominal animal's frame and freed of its shading and contrast, with the mean of the
    others, and its pose is moved, turned, scaled and bent a little further until they agree. What all days' poses
    share stays as the outlines gave it. A pose that does not agree better afterwards is left alone.

    Parameters
    ----------
    photos : sequence of ndarray, dims (y, x)
    registrations : sequence of Registration
        From the outlines.
    nominal : Outline
    pixel_mm : float

    Returns
    -------
    tuple of Registration
        ``sd_mm`` stays: it is of the nominal animal's places, not of one day against another.

    Raises
    ------
    ValueError
        If the counts differ, or the views do.
    """
    if len(photos) != len(registrations):
        raise ValueError(f"{len(photos)} photographs for {len(registrations)} registrations")
    if len({one.pose.mirrored for one in registrations}) > 1:
        raise ValueError("photographs of both views were given: align each view by itself")
    if len(photos) < 2:
        return tuple(registrations)
    images = [
        _levelled(photo, one.pose, nominal, pixel_mm=pixel_mm) for photo, one in zip(photos, registrations, strict=True)
    ]
    places = _photo_places(nominal, registrations[0].pose.mirrored)
    start = np.stack([_parameters_of(one.pose, places.middle_mm) for one in registrations])
    found = start.copy()
    for _ in range(ALIGN_PASSES):
        laid = np.stack([image.at(places.stage(one)) for image, one in zip(images, found, strict=True)])
        others = (laid.sum(axis=0) - laid) / (len(laid) - 1)
        found = np.stack(
            [_fit_photo(image, own, other, places) for image, own, other in zip(images, start, others, strict=True)]
        )
        # what the outlines' mean says of the nominal animal is kept
        found += (start - found).mean(axis=0)
    before, after = (
        _agreement([image.at(places.stage(one)) for image, one in zip(images, parameters, strict=True)])
        for parameters in (start, found)
    )
    return tuple(
        replace(one, pose=places.pose(parameters), method="silhouette and photographs")
        if 1.0 - new < LEAST_GAIN * (1.0 - old)
        else one
        for one, parameters, old, new in zip(registrations, found, before, after, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Levelled:
    """A photograph at reduced resolution, freed of shading and contrast, with its slopes per mm."""

    values: Floats
    slopes: Floats
    pitch_mm: float
    offset_mm: float

    def where(self, stage: Floats) -> Floats:
        return (stage - self.offset_mm) / self.pitch_mm

    def at(self, stage: Floats) -> Floats:
        return np.asarray(map_coordinates(self.values, self.where(stage), order=1, mode="nearest"))


def _levelled(photo: NDArray[np.floating], pose: Pose, nominal: Outline, /, *, pixel_mm: float) -> _Levelled:
    """Subtract the local mean inside the outline, and divide by the local contrast."""
    times = max(round(PHOTO_PITCH_MM / pixel_mm), 1)
    image = np.nan_to_num(np.asarray(photo, float))
    rows, columns = (count // times for count in image.shape)
    small = image[: rows * times, : columns * times].reshape(rows, times, columns, times).mean(axis=(1, 3))
    pitch, offset = pixel_mm * times, 0.5 * (times - 1) * pixel_mm
    y, x = np.meshgrid(*(offset + np.arange(count) * pitch for count in small.shape), indexing="ij")
    along, right = animal_from_stage(pose, y, x)
    half = np.interp(along, nominal.y_mm, nominal.half_width_mm, left=0.0, right=0.0)
    inside = (np.abs(right) < half - 0.5 * RIM_MM).astype(float)
    sigma = LEVEL_MM / pitch
    weight = np.maximum(gaussian_filter(inside, sigma), 1e-6)
    level = (small - gaussian_filter(small * inside, sigma) / weight) * inside
    contrast = np.sqrt(gaussian_filter(level**2 * inside, sigma) / weight)
    typical = float(np.sqrt(np.sum(level**2) / max(inside.sum(), 1.0)))
    # an even patch has no contrast to be divided by
    values = level / np.hypot(contrast, 0.3 * typical + 1e-12)
    return _Levelled(values, np.array(np.gradient(values, pitch)), pitch, offset)


def _photo_places(nominal: Outline, mirrored: bool) -> _Places:
    """Every `PHOTO_PITCH_MM` inside the outline, off its rim, both sides alike."""
    reach = float(nominal.half_width_mm.max())
    columns = np.arange(-np.floor(reach / PHOTO_PITCH_MM), np.floor(reach / PHOTO_PITCH_MM) + 1) * PHOTO_PITCH_MM
    y, right = np.meshgrid(np.arange(0.0, NOMINAL_LENGTH_MM, PHOTO_PITCH_MM), columns, indexing="ij")
    half = np.interp(y, nominal.y_mm, nominal.half_width_mm, left=0.0, right=0.0)
    inside = np.abs(right) < half - RIM_MM
    return _Places(y[inside], right[inside], nominal.silhouette.y_mm, mirrored)


def _fit_photo(image: _Levelled, start: Floats, reference: Floats, places: _Places) -> Floats:
    """Parameters near the outline's at which a photograph agrees with a reference at the same places of the animal."""
    prior = _Prior(np.diag(1.0 / np.array(NEAR_OUTLINE_SD)), start / np.array(NEAR_OUTLINE_SD))
    # neighbouring places are seen through one patch of skin
    share = PHOTO_PITCH_MM / PHOTO_REACH_MM

    def look(stage: Floats, _: int) -> _Seen:
        where = image.where(stage)
        values = map_coordinates(image.values, where, order=1, mode="nearest")
        slopes = np.stack([map_coordinates(one, where, order=1, mode="nearest") for one in image.slopes])
        gain = float(values @ reference / max(reference @ reference, 1e-12))
        residual = values - gain * reference
        sd = max(float(np.sqrt(np.mean(residual**2))), 0.05) / share
        return _Seen(residual / sd, slopes / sd, np.ones(residual.size))

    return _fit(start, places, prior, look, rounds=ALIGN_ROUNDS, far=False)[0]


def _agreement(laid: list[Floats]) -> Floats:
    """Correlation of each photograph with the mean of the others."""
    all_of = np.stack(laid)
    others = (all_of.sum(axis=0) - all_of) / (len(all_of) - 1)
    return np.array([_correlation(one, other) for one, other in zip(all_of, others, strict=True)])


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt(np.sum(a**2) * np.sum(b**2)))
    return float(a @ b) / size if size > 0 else 0.0


# --- views -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlacedPhoto:
    """A photograph with where its animal lies."""

    photo: NDArray[np.floating]
    registration: Registration


@dataclass(frozen=True, slots=True)
class ViewVerdict:
    """Whether a session's views look like the other sessions'.

    Parameters
    ----------
    session : str
    own, crossed : float
        Median correlation with the other sessions' photographs of the same view, and of the other view.
    exchanged : bool
        The other view's is higher by `EXCHANGED_MARGIN` or more. Of two sessions, which one is wrong cannot be told, and
        both are marked.
    """

    session: str
    own: float
    crossed: float
    exchanged: bool

    @property
    def margin(self) -> float:
        """By how much the own view agrees better; negative where the other does."""
        return self.own - self.crossed


def view_mismatch(
    photos: Mapping[str, Mapping[str, PlacedPhoto]], nominal: Outline, /, *, pixel_mm: float
) -> tuple[ViewVerdict, ...]:
    """Tell for one animal whether a session's dorsal and ventral images bear each other's labels.

    Parameters
    ----------
    photos : mapping of session to mapping of view to PlacedPhoto
    nominal : Outline
    pixel_mm : float

    Returns
    -------
    tuple of ViewVerdict
        Of the sessions with two views, where another has two as well; else empty.
    """
    whole = {session: views for session, views in photos.items() if len(views) == 2}
    if len(whole) < 2:
        return ()
    laid = {
        session: {view: _own_and_turned(one, nominal, pixel_mm) for view, one in views.items()}
        for session, views in whole.items()
    }
    verdicts = []
    for session, views in laid.items():
        own, crossed = [], []
        for other in (laid[name] for name in laid if name != session):
            for view, (straight, turned) in views.items():
                (across,) = (name for name in other if name != view)
                own.append(_correlation(straight, other[view][0]))
                crossed.append(_correlation(turned, other[across][0]))
        same, swapped = float(np.median(own)), float(np.median(crossed))
        verdicts.append(ViewVerdict(session, same, swapped, swapped - same >= EXCHANGED_MARGIN))
    return tuple(verdicts)


def _own_and_turned(placed: PlacedPhoto, nominal: Outline, pixel_mm: float) -> tuple[Floats, Floats]:
    """A photograph in the nominal frame as its label says, and as the other view's label would have laid it."""
    pose = placed.registration.pose
    places = _photo_places(nominal, pose.mirrored)
    image = _levelled(placed.photo, pose, nominal, pixel_mm=pixel_mm)
    other = replace(pose, mirrored=not pose.mirrored)
    own, turned = (image.at(np.stack(stage_from_animal(one, places.y_mm, places.right_mm))) for one in (pose, other))
    return own, turned
