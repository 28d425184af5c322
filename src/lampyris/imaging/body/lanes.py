"""Several animals in one image: found, counted, ordered from left to right, and cut out, each by itself.

An animal's piece of the image holds the whole animal with a margin. Pixels nearer to another animal, or to any other bright thing,
are emptied: no light that left another animal's skin there enters a number. What a bright neighbour sends sideways through
the air or the stage into an animal's own pixels is not removed; keep animals apart, or put dividers between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter1d, label

from lampyris.core.arrays import frozen_array
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import Stage
from lampyris.imaging.body.animal import (
    FILLED_SHARE,
    LARGEST_MM2,
    SMALLEST_MM2,
    TAIL_HALF_WIDTH_MM,
    bright_objects,
    open_with_disc,
    otsu_threshold,
)
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import flat_levels

# an object of less than this share of the largest is a nose cone or a toy, no animal
LEAST_SHARE = 0.35
# what lies around an animal in its piece: a margin, and below it room for the tail
MARGIN_MM, TAIL_MM = 12.0, 25.0
# where animals touch, the lens and a slip of the cut carry light of one so far onto the other
GUARD_MM = 1.5
# touching animals show as ridges of light along the lanes: so far apart, with a valley of this share between
LEAST_PITCH_MM, LEAST_VALLEY = 12.0, 0.2
PROFILE_MM = 2.0
# nose cones shine: what is brighter than this multiple of the usual animal is as bright as that
BRIGHTEST = 1.5
# wider than high by this factor, in the upper part of the image: a bar of nose cones
WIDE, UPPER_PART = 1.5, 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One animal's piece of an image.

    Parameters
    ----------
    number : int
        From 1, counted from the left, heads up.
    origin_px : (row, column)
        Where the piece begins in the image turned head up.
    own : ndarray of bool, dims (y, x)
        Pixels of the piece that belong to this animal and the stage around it.
    """

    number: int
    origin_px: tuple[int, int]
    own: NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", frozen_array("own", self.own, ("y", "x"), np.bool_))

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the piece in the image turned head up."""
        (top, left), (height, width) = self.origin_px, self.own.shape
        return slice(top, top + height), slice(left, left + width)


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """Bright objects of an image.

    Parameters
    ----------
    labels : ndarray of int, dims (y, x)
        Number of the object that a pixel is of, 0 for none; touching animals have numbers of their own.
    animals : tuple of int
        Those that are animals, from left to right.
    middles_mm : tuple of float
        How far from the left edge each of them lies.
    """

    labels: NDArray[np.int32]
    animals: tuple[int, ...]
    middles_mm: tuple[float, ...]


def find_bodies(photo: NDArray[np.floating], /, *, pixel_mm: float, stage: Stage) -> Bodies:
    """Find the animals of a photograph, heads up, however many there are.

    Nothing in the strip of ``nose_cones_mm`` at the heads' side is an animal, nor anything much smaller than the largest
    object, nor a bar across the stage in the upper part of the image. With ``lane_edges_mm`` the image is cut there first;
    without, touching animals are cut along the darkest line between them.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Photograph, or any image in which animals are brighter than the stage.
    pixel_mm : float
        Pixel pitch.
    stage : Stage
        How animals lie; ``head`` is not used here.

    Returns
    -------
    Bodies
    """
    image = np.nan_to_num(np.asarray(photo, np.float64))
    low = float(np.percentile(image, 1.0))
    image = np.maximum(image - low, 0.0)
    image[: round(stage.nose_cones_mm / pixel_mm)] = 0.0
    bright = image[image > otsu_threshold(image)]
    if bright.size:
        image = np.minimum(image, BRIGHTEST * float(np.median(bright)))
    opened = open_with_disc(bright_objects(image, pixel_mm), TAIL_HALF_WIDTH_MM / pixel_mm)
    edges = [round(edge / pixel_mm) for edge in stage.lane_edges_mm]
    for edge in edges:
        opened[:, min(edge, opened.shape[1] - 1)] = False
    labels = np.asarray(label(opened)[0], np.int32)
    if not edges:
        labels = _split(labels, image, pixel_mm)
    return _animals(labels, pixel_mm)


def find_lanes(
    photo: NDArray[np.floating],
    stage: Stage,
    /,
    *,
    pixel_mm: float,
    lanes: Sequence[int],
    file: str = "",
    photographed: bool = True,
) -> dict[int, Lane]:
    """Find the animals that the sheet names in an image.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Photograph, heads up, on the image's grid; or what stands in for it.
    stage : Stage
        Borders of lanes and nose cones. Without borders a lane's number counts animals, with borders it counts lanes,
        and lanes that the sheet does not name may be empty.
    pixel_mm : float
        Pixel pitch.
    lanes : sequence of int
        Every lane that the sheet names for this image.
    file : str
        Named in errors.
    photographed : bool
        False where the image stands in for a photograph, so that errors can say so.

    Returns
    -------
    dict of int to Lane
        By number.

    Raises
    ------
    ImageError
        If there are more or fewer animals than the sheet names.
    """
    bodies = find_bodies(photo, pixel_mm=pixel_mm, stage=stage)
    if stage.lane_edges_mm:
        found = _by_edges(bodies, stage, lanes, file, photographed)
        columns = {lane: _strip(stage, lane, pixel_mm) for lane in found}
    else:
        found = _by_count(bodies, lanes, file, photographed)
        columns = {}
    # a pixel is of the object that it is nearest to
    rows, cols = distance_transform_edt(bodies.labels == 0, return_distances=False, return_indices=True)
    nearest = bodies.labels[rows, cols]
    nearest[: round(stage.nose_cones_mm / pixel_mm)] = 0
    boxes = find_objects(bodies.labels)
    cut = {}
    for lane, number in found.items():
        place = _piece(boxes[number - 1], nearest.shape, pixel_mm)
        own = nearest[place] == number
        others = (bodies.labels[place] != number) & (bodies.labels[place] > 0)
        if others.any():
            own &= distance_transform_edt(~others) > GUARD_MM / pixel_mm
        if lane in columns:
            inside = np.zeros(nearest.shape[1], bool)
            inside[columns[lane]] = True
            own &= inside[None, place[1]]
        cut[lane] = Lane(lane, (place[0].start, place[1].start), own)
    return cut


def cut_view(view: ViewInput, lane: Lane, /, *, pixel_mm: float) -> ViewInput:
    """One animal's piece of a view of several.

    Parameters
    ----------
    view : ViewInput
        The whole image, heads up; its landmarks are from the image's first pixel.
    lane : Lane
        Of the animal.
    pixel_mm : float
        Pixel pitch, for the landmarks.

    Returns
    -------
    ViewInput
        With the dark frame's counts, that is without light, where others lie; landmarks from the piece's first pixel.
    """
    place = lane.place
    dark = view.dark[(slice(None), *place)]
    counts = np.array(view.image.counts[(slice(None), *place)])
    counts[:, ~lane.own] = np.rint(dark[:, ~lane.own]).astype(counts.dtype)
    photo = view.photo
    if photo is not None:
        stage = float(np.percentile(photo, 1.0))
        photo = np.where(lane.own, photo[place], stage)
    top, left = (start * pixel_mm for start in lane.origin_px)
    return replace(
        view,
        image=replace(view.image, counts=counts),
        photo=photo,
        dark=dark,
        flat=view.flat[(slice(None), *place)],
        flat_level=flat_levels(view.flat),
        landmarks=tuple((name, y - top, x - left) for name, y, x in view.landmarks),
        origin_px=lane.origin_px,
        not_own=~lane.own,
    )


def strangers(bodies: Bodies, stage: Stage, lanes: Sequence[int], /) -> tuple[int, ...]:
    """Lanes between borders that hold an animal and are not named; empty where no borders are drawn."""
    held = {_lane_at(stage, middle) for middle in bodies.middles_mm} if stage.lane_edges_mm else set()
    return tuple(sorted(held - {*lanes, 0}))


def _split(labels: NDArray[np.int32], image: NDArray[np.float64], pixel_mm: float) -> NDArray[np.int32]:
    """Give touching animals numbers of their own: each object is cut in the valleys of its light between lanes."""
    from scipy.signal import find_peaks  # takes half a second to import

    out = labels.copy()
    following = int(labels.max(initial=0))
    for number, box in enumerate(find_objects(labels), start=1):
        mask = labels[box] == number
        if mask.sum() * pixel_mm**2 < 2.0 * SMALLEST_MM2:
            continue
        light = image[box] * mask
        profile = gaussian_filter1d(np.pad(light.sum(axis=0), 2), PROFILE_MM / pixel_mm, mode="constant")
        peaks, _ = find_peaks(profile, prominence=LEAST_VALLEY * profile.max(), distance=LEAST_PITCH_MM / pixel_mm)
        for left, right in zip(peaks[:-1] - 2, peaks[1:] - 2, strict=True):
            seam = left + _darkest_path(light[:, left : right + 1])
            following += 1
            # what lies right of this seam is cut again by the next
            beyond = np.arange(mask.shape[1])[None, :] >= seam[:, None]
            out[box][mask & beyond] = following
    return out


def _darkest_path(light: NDArray[np.float64]) -> NDArray[np.intp]:
    """Column per row of the path from top to bottom that crosses least light, a column aside per row at most."""
    height, width = light.shape
    # of equally dark ways the straight one
    cost = light + 1e-6 * (light.max() + 1.0)
    total = np.empty_like(cost)
    came = np.zeros((height, width), np.intp)
    total[0] = cost[0]
    for row in range(1, height):
        before = np.pad(total[row - 1], 1, constant_values=np.inf)
        choices = np.stack([before[1:-1], before[:-2], before[2:]])
        best = choices.argmin(axis=0)
        came[row] = np.arange(width) + np.array([0, -1, 1])[best]
        total[row] = cost[row] + choices.min(axis=0)
    path = np.empty(height, np.intp)
    path[-1] = int(total[-1].argmin())
    for row in range(height - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    return path


def _animals(labels: NDArray[np.int32], pixel_mm: float) -> Bodies:
    """Which objects are animals, by size and shape."""
    areas = np.bincount(labels.ravel(), minlength=1)[1:] * pixel_mm**2
    boxes = find_objects(labels)
    sound = [
        number
        for number, box in enumerate(boxes, start=1)
        if box is not None and SMALLEST_MM2 <= areas[number - 1] <= LARGEST_MM2 and _may_be_animal(box, labels.shape)
    ]
    least = LEAST_SHARE * max((float(areas[number - 1]) for number in sound), default=0.0)
    placed = sorted(
        (float(np.nonzero(labels == number)[1].mean() * pixel_mm), number)
        for number in sound
        if areas[number - 1] >= least
    )
    return Bodies(labels, tuple(number for _, number in placed), tuple(middle for middle, _ in placed))


def _may_be_animal(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Neither the whole frame, which is what a threshold makes of an empty stage, nor a bar across at the heads' side."""
    height, width = (side.stop - side.start for side in box)
    if height > FILLED_SHARE * shape[0] and width > FILLED_SHARE * shape[1]:
        return False
    middle = 0.5 * (box[0].start + box[0].stop)
    return not (width > WIDE * height and middle < UPPER_PART * shape[0])


def _by_count(bodies: Bodies, lanes: Sequence[int], file: str, photographed: bool) -> dict[int, int]:
    """Object of each lane where lanes count animals from the left."""
    ordered = sorted(lanes)
    if len(bodies.animals) == len(ordered):
        return dict(zip(ordered, bodies.animals, strict=True))
    found, named = len(bodies.animals), len(ordered)
    where = f", at {_listed(bodies.middles_mm)} mm from the left, heads up" if found else ""
    seen = f"{found} animal{_s(found)} {_is(found)} in the image{where}; the sheet names {named} lane{_s(named)} of it."
    mend = (
        "Give every animal in the image, also one that is left out, its row with its lane; or draw the lanes' borders with "
        "lane_edges_mm under [stage] in study.toml, and the strip of nose cones with nose_cones_mm."
    )
    raise _refusal(file, seen, mend, photographed)


def _by_edges(bodies: Bodies, stage: Stage, lanes: Sequence[int], file: str, photographed: bool) -> dict[int, int]:
    """Object of each named lane where a person drew the borders."""
    found: dict[int, int] = {}
    faults = []
    for lane in sorted(lanes):
        inside = [
            (number, middle)
            for number, middle in zip(bodies.animals, bodies.middles_mm, strict=True)
            if _lane_at(stage, middle) == lane
        ]
        if len(inside) == 1:
            found[lane] = inside[0][0]
            continue
        low, high = stage.lane_edges_mm[lane - 1 : lane + 1] if lane < len(stage.lane_edges_mm) else (0.0, 0.0)
        where = f" at {_listed([middle for _, middle in inside])} mm" if inside else ""
        count = f"{len(inside)} animals" if inside else "no animal"
        faults.append(f"lane {lane}, from {low:g} to {high:g} mm, holds {count}{where}")
    if faults:
        seen = (
            f"{'; '.join(faults)}; all animals are at {_listed(bodies.middles_mm) or 'no'} mm from the left, heads up."
        )
        mend = "Correct the lanes in the sheet, or lane_edges_mm under [stage] in study.toml."
        raise _refusal(file, seen, mend, photographed)
    return found


def _lane_at(stage: Stage, x_mm: float) -> int:
    """Lane between whose borders a place lies; 0 outside all of them."""
    edges = stage.lane_edges_mm
    number = int(np.searchsorted(edges, x_mm, side="right"))
    return number if number < len(edges) else 0


def _strip(stage: Stage, lane: int, pixel_mm: float) -> slice:
    low, high = (max(round(edge / pixel_mm), 0) for edge in stage.lane_edges_mm[lane - 1 : lane + 1])
    return slice(low, high)


def _piece(box: tuple[slice, ...], shape: tuple[int, ...], pixel_mm: float) -> tuple[slice, slice]:
    """An animal's box with its margins, within the image."""
    margin, tail = (round(length / pixel_mm) for length in (MARGIN_MM, TAIL_MM))
    return (
        slice(max(box[0].start - margin, 0), min(box[0].stop + tail, shape[0])),
        slice(max(box[1].start - margin, 0), min(box[1].stop + margin, shape[1])),
    )


def _refusal(file: str, seen: str, mend: str, photographed: bool) -> ImageError:
    if not photographed:
        seen += " No photograph shows them: they were looked for in their own glow."
        mend += " A photograph shows animals more surely."
    finding = Finding("image.lane-count", Severity.ERROR, Place(file), seen, mend)
    return ImageError(f"{file}: animals and lanes do not agree", [finding])


def _listed(places_mm: Sequence[float]) -> str:
    return ", ".join(f"{place:.0f}" for place in places_mm)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
