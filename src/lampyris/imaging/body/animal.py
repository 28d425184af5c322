"""Find the animal in a photograph and say how it lies against the nominal one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_fill_holes, distance_transform_edt, label, median_filter

from lampyris.core.arrays import frozen_array
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import Pose, Radiance
from lampyris.imaging.body.midline import profile_pieces, profile_values, straightened

TAIL_HALF_WIDTH_MM = 2.6
# projected areas between which an object may be a mouse, newborn to obese
SMALLEST_MM2, LARGEST_MM2 = 300.0, 6000.0
# a second object of this share of the first is another animal
SECOND_SHARE = 0.4
FILLED_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Silhouette:
    """Moments of a body outline in mm: centroid, standard deviations along and across, and the long axis' turn."""

    y_mm: float
    x_mm: float
    along_mm: float
    across_mm: float
    angle_rad: float
    skew: float


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The nominal animal's outline without tail, the same on both sides of the midline.

    Parameters
    ----------
    silhouette : Silhouette
        Its moments.
    y_mm, half_width_mm : ndarray, dims (station,)
        From the nose end to the rump end, half widths 0 at both.
    """

    silhouette: Silhouette
    y_mm: NDArray[np.float64]
    half_width_mm: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("y_mm", "half_width_mm"):
            array = frozen_array(name, getattr(self, name), ("station",), np.float64, np.shape(self.y_mm))
            object.__setattr__(self, name, array)


def find_body(
    photo: NDArray[np.floating], /, *, pixel_mm: float, file: str = "", photographed: bool = True
) -> NDArray[np.bool_]:
    """The animal without its tail: the one large bright object of the photograph.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Photograph, or any image in which the animal is brighter than the stage.
    pixel_mm : float
        Pixel pitch.
    file : str
        Named in the error.
    photographed : bool
        False where the image stands in for a photograph, so that the error can say so.

    Returns
    -------
    ndarray of bool, dims (y, x)

    Raises
    ------
    ImageError
        If no object of a mouse's size is there, or more than one.
    """
    # opening with a disc wider than the tail cuts it off and leaves the trunk
    opened = open_with_disc(bright_objects(photo, pixel_mm), TAIL_HALF_WIDTH_MM / pixel_mm)
    pieces, count = label(opened)
    sizes = np.bincount(pieces.ravel())[1:] * pixel_mm**2
    area = float(sizes.max()) if count else 0.0
    body = pieces == 1 + int(np.argmax(sizes)) if count else np.zeros(opened.shape, bool)
    # without an animal the threshold splits the stage's own noise, and the "object" is the frame
    fills = body.any(axis=1).mean() > FILLED_SHARE and body.any(axis=0).mean() > FILLED_SHARE
    if not SMALLEST_MM2 <= area <= LARGEST_MM2 or fills:
        mend = "Check the photograph, or pixel_mm in study.toml."
        if not photographed:
            mend = "No photograph is named in the sheet, and the animal's own glow does not show it: add a photograph."
        seen = f"the largest bright object covers {area:.0f} mm2; a mouse covers 1500 to 3000 mm2."
        raise _refusal(file, "no animal found", "image.no-animal", seen, mend)
    large = int((sizes >= max(SMALLEST_MM2, SECOND_SHARE * area)).sum())
    if large > 1:
        seen = f"{large} objects of a mouse's size are in the image."
        mend = (
            "If they are animals, give each its own rows with this image and its lane, counted from the left; if not, take them "
            "off the photograph."
        )
        raise _refusal(file, "more than one animal", "image.several-animals", seen, mend)
    return body


def light_photograph(radiance: Radiance, /) -> NDArray[np.float64]:
    """Stand-in for a photograph: the animal's own glow and leaked light, compressed so that a lesion does not outshine it.

    Parameters
    ----------
    radiance : Radiance
        Calibrated bands.

    Returns
    -------
    ndarray, dims (y, x)
        Logarithm of the radiance summed over the bands, smoothed, down to its noise.
    """
    total = median_filter(radiance.values.sum(axis=0), size=3)
    noise = float(np.sqrt(np.median(radiance.variance.sum(axis=0))))
    return np.asarray(np.log10(np.maximum(total, 3.0 * noise)))


def edge_contact_mm(photo: NDArray[np.floating], /, *, pixel_mm: float) -> float:
    """Length over which bright objects meet the edge of an image; a tail's width is normal, a trunk's is a cropped animal."""
    mask = bright_objects(photo, pixel_mm)
    border = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return float(border.sum() * pixel_mm)


def bright_objects(photo: NDArray[np.floating], /, pixel_mm: float) -> NDArray[np.bool_]:
    """What is brighter than the stage, holes filled.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
    pixel_mm : float

    Returns
    -------
    ndarray of bool, dims (y, x)
    """
    image = np.nan_to_num(np.asarray(photo, float))
    mask = image > otsu_threshold(image)
    return np.asarray(binary_fill_holes(binary_closing(mask, _disc(1.0 / pixel_mm))) | mask)


def _refusal(file: str, what: str, rule: str, seen: str, mend: str) -> ImageError:
    return ImageError(f"{file}: {what}", [Finding(rule, Severity.ERROR, Place(file=file), seen, mend)])


def open_with_disc(mask: NDArray[np.bool_], radius_px: float, /) -> NDArray[np.bool_]:
    """Morphological opening with a disc, by distances: what a disc of this radius can cover without leaving the mask.

    Parameters
    ----------
    mask : ndarray of bool, dims (y, x)
    radius_px : float
    """
    margin = int(np.ceil(radius_px)) + 1
    padded = np.pad(mask, margin)
    kept = distance_transform_edt(padded) > radius_px
    if not kept.any():
        return np.zeros_like(mask)
    opened = distance_transform_edt(~kept) <= radius_px
    return np.asarray((opened & padded)[margin:-margin, margin:-margin])


def silhouette(body: NDArray[np.bool_], /, *, pixel_mm: float) -> Silhouette:
    """Moments of a body mask.

    Parameters
    ----------
    body : ndarray of bool, dims (y, x)
    pixel_mm : float

    Returns
    -------
    Silhouette
        In mm from the first pixel's centre; the angle is between -90 and 90 degrees from the image's y axis.
    """
    y, x = np.nonzero(body)
    centre = np.array([y.mean(), x.mean()])
    offsets = np.stack([y, x]) - centre[:, None]
    spread, axes = np.linalg.eigh(np.cov(offsets))
    long = axes[:, 1] * (1.0 if axes[0, 1] >= 0 else -1.0)
    along = long @ offsets
    return Silhouette(
        y_mm=float(centre[0] * pixel_mm),
        x_mm=float(centre[1] * pixel_mm),
        along_mm=float(np.sqrt(spread[1]) * pixel_mm),
        across_mm=float(np.sqrt(spread[0]) * pixel_mm),
        angle_rad=float(np.arctan2(long[1], long[0])),
        skew=float(np.mean(along**3) / np.mean(along**2) ** 1.5),
    )


def pose_from_body(body: NDArray[np.bool_], nominal: Silhouette, /, *, pixel_mm: float, mirrored: bool) -> Pose:
    """Pose that lays the nominal animal on the one in the image, head up, from moments of the silhouette.

    Parameters
    ----------
    body : ndarray of bool, dims (y, x)
    nominal : Silhouette
        Of the nominal animal in its own frame (y from the nose, x to its right).
    pixel_mm : float
    mirrored : bool
        True for the ventral view.

    Returns
    -------
    Pose
    """
    seen = silhouette(body, pixel_mm=pixel_mm)
    scale_y, scale_x = seen.along_mm / nominal.along_mm, seen.across_mm / nominal.across_mm
    along = nominal.y_mm * scale_y
    return Pose(
        y_mm=seen.y_mm - along * np.cos(seen.angle_rad),
        x_mm=seen.x_mm - along * np.sin(seen.angle_rad),
        angle_rad=seen.angle_rad,
        scale_y=scale_y,
        scale_x=scale_x,
        mirrored=mirrored,
    )


def stage_from_animal(
    pose: Pose, y_mm: NDArray[np.float64], right_mm: NDArray[np.float64], /
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stage position (y, x) of points given in the nominal animal's frame (y from the nose, right from the midline).

    Examples
    --------
    >>> stage_from_animal(Pose(10.0, 20.0), np.array(5.0), np.array(1.0))
    (np.float64(15.0), np.float64(21.0))
    """
    length = np.asarray(y_mm, float)
    along = pose.scale_y * length
    across = pose.scale_x * np.asarray(right_mm, float) * (-1.0 if pose.mirrored else 1.0)
    if pose.girth:
        across = across * profile_values(profile_pieces(pose.girth, ends="clamped"), length)[0]
    if pose.bend_mm:
        offset, slope = profile_values(profile_pieces(pose.bend_mm, ends="natural"), length)
        normal = np.hypot(pose.scale_y, slope)
        along, across = along - across * slope / normal, offset + across * pose.scale_y / normal
    cos, sin = np.cos(pose.angle_rad), np.sin(pose.angle_rad)
    return pose.y_mm + cos * along - sin * across, pose.x_mm + sin * along + cos * across


def animal_from_stage(
    pose: Pose, y_mm: NDArray[np.float64], x_mm: NDArray[np.float64], /
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inverse of `stage_from_animal`; a bent midline's point is the foot of the normal nearest along the animal."""
    dy, dx = np.asarray(y_mm, float) - pose.y_mm, np.asarray(x_mm, float) - pose.x_mm
    cos, sin = np.cos(pose.angle_rad), np.sin(pose.angle_rad)
    along, across = cos * dy + sin * dx, -sin * dy + cos * dx
    side = -1.0 if pose.mirrored else 1.0
    if not pose.bend_mm and not pose.girth:
        return along / pose.scale_y, across / pose.scale_x * side
    bend = profile_pieces(pose.bend_mm or (0.0,), ends="natural")
    girth = profile_pieces(pose.girth or (1.0,), ends="clamped")
    length, width = straightened(along, across, scale_y=pose.scale_y, bend=bend, girth=girth)
    return length, width / pose.scale_x * side


def _disc(radius_px: float) -> NDArray[np.bool_]:
    reach = max(int(np.ceil(radius_px)), 1)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return y * y + x * x <= radius_px * radius_px


def otsu_threshold(image: NDArray[np.float64]) -> float:
    """Threshold that best splits the histogram in two.

    References
    ----------
    Otsu 1979, doi:10.1109/TSMC.1979.4310076.
    """
    counts, edges = np.histogram(image, bins=256)
    centres = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)
    above = below[-1] - below
    mean_below = np.cumsum(counts * centres) / np.maximum(below, 1)
    mean_above = (np.sum(counts * centres) - np.cumsum(counts * centres)) / np.maximum(above, 1)
    between = below.astype(float) * above * (mean_below - mean_above) ** 2
    return float(edges[1:][np.argmax(between)])
