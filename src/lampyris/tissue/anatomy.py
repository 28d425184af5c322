"""A procedural mouse: an outline, a skin, a skeleton and organs as ellipsoids, drawn on voxels of any size.

Ours, not an atlas file: an individual is a set of numbers (`AnatomyParameters`), so that the nominal animal of the
analysis and a drawn one of a simulation are one type with different instances.

Frame, in mm: ``y`` from the nose (0) towards the tail, ``x`` from the midline to the animal's left, ``z`` from the
body's axis towards the back. Arrays have dims ``(z, y, x)``.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import distance_transform_edt

from lampyris.io.package_tables import rows_of

NOMINAL_WEIGHT_G = 25.0
NOMINAL_LENGTH_MM = 92.0
SKIN_MM = 0.7
TAIL_LENGTH_MM = 18.0
TAIL_RADIUS_MM = 1.6
SPINE_RADIUS_MM = 1.3

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class OrganPart:
    """One row of ``data/organs.csv``: an ellipsoid of the nominal animal.

    Parameters
    ----------
    organ, part, tissue : str
        Organ it belongs to, which piece of it, and its row in the optics table.
    volume_mm3, volume_relative_sd : float
        Nominal volume and spread between animals.
    centre_mm : (z, y, x)
        Centre in the nominal animal.
    axes : (z, y, x)
        Ratio of the semi-axes.
    shift_sd_mm : float
        Spread of the centre between animals, per axis.
    """

    organ: str
    part: str
    tissue: str
    volume_mm3: float
    volume_relative_sd: float
    centre_mm: Vector
    axes: Vector
    shift_sd_mm: float

    @property
    def semi_axes_mm(self) -> Vector:
        """Semi-axes (z, y, x) in mm that give the volume."""
        z, y, x = self.axes
        size = (3.0 * self.volume_mm3 / (4.0 * np.pi * z * y * x)) ** (1.0 / 3.0)
        return (z * size, y * size, x * size)


@dataclass(frozen=True, slots=True)
class AnatomyParameters:
    """What makes an individual; the default is the nominal 25 g animal.

    Parameters
    ----------
    weight_g : float
        Body weight; all lengths go with its cube root.
    length_scale, width_scale, height_scale : float
        Relative to an animal of that weight.
    shift_mm : dict of (organ, part) to (z, y, x)
        Displacement of an organ's centre.
    volume_scale : dict of organ to float
        Relative volume.
    """

    weight_g: float = NOMINAL_WEIGHT_G
    length_scale: float = 1.0
    width_scale: float = 1.0
    height_scale: float = 1.0
    shift_mm: dict[tuple[str, str], Vector] = field(default_factory=dict)
    volume_scale: dict[str, float] = field(default_factory=dict)

    @property
    def scale(self) -> Vector:
        """Scale of (z, y, x) against the nominal animal."""
        size = (self.weight_g / NOMINAL_WEIGHT_G) ** (1.0 / 3.0)
        return (size * self.height_scale, size * self.length_scale, size * self.width_scale)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """An animal on voxels.

    Parameters
    ----------
    labels : ndarray of uint8, dims (z, y, x)
        0 outside, else 1 + index into `names`.
    names : tuple of str
        Region of each label: ``muscle``, ``skin``, ``tail``, ``skeleton`` and the organs.
    tissues : tuple of str
        Row of the optics table of each region.
    voxel_mm : float
        Edge of a voxel.
    origin_mm : (z, y, x)
        Centre of the first voxel.
    parameters : AnatomyParameters
        The individual.
    """

    labels: NDArray[np.uint8]
    names: tuple[str, ...]
    tissues: tuple[str, ...]
    voxel_mm: float
    origin_mm: Vector
    parameters: AnatomyParameters

    @property
    def inside(self) -> NDArray[np.bool_]:
        """True inside the animal, dims (z, y, x)."""
        return self.labels > 0

    def region(self, name: str, /) -> NDArray[np.bool_]:
        """True in the named region, dims (z, y, x).

        Raises
        ------
        KeyError
            If the animal has no such region.
        """
        if name not in self.names:
            raise KeyError(f"no region {name!r}; there are {', '.join(self.names)}")
        return self.labels == self.names.index(name) + 1

    def coordinates(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Voxel centres along z, y and x in mm."""
        z, y, x = (
            start + self.voxel_mm * np.arange(count)
            for start, count in zip(self.origin_mm, self.labels.shape, strict=True)
        )
        return z, y, x

    def volume_mm3(self, name: str, /) -> float:
        """Volume of a region in mm3."""
        return float(np.count_nonzero(self.region(name)) * self.voxel_mm**3)

    def depth_mm(self, *, side: str) -> NDArray[np.float64]:
        """Depth of each voxel's centre below the surface that faces `side` ("top" is the back), dims (z, y, x).

        Raises
        ------
        ValueError
            If the side is neither "top" nor "bottom".
        """
        if side not in ("top", "bottom"):
            raise ValueError(f"side must be 'top' or 'bottom', got {side!r}")
        inside = self.inside if side == "top" else self.inside[::-1]
        index = np.arange(inside.shape[0])[:, None, None]
        top = np.where(inside.any(axis=0), inside.shape[0] - 1 - inside[::-1].argmax(axis=0), -1)
        depth = ((top[None] - index + 0.5) * self.voxel_mm).astype(np.float64)
        return depth if side == "top" else depth[::-1]


@lru_cache(maxsize=1)
def organ_parts() -> tuple[OrganPart, ...]:
    """The rows of ``data/organs.csv`` in painting order."""
    parts = []
    for row in rows_of("lampyris.tissue", "data", "organs.csv"):
        centre = (float(row["z_mm"]), float(row["centre_share"]) * NOMINAL_LENGTH_MM, float(row["x_mm"]))
        axes = (float(row["axis_z"]), float(row["axis_y"]), float(row["axis_x"]))
        parts.append(
            OrganPart(
                organ=row["organ"],
                part=row["part"],
                tissue=row["tissue"],
                volume_mm3=float(row["volume_mm3"]),
                volume_relative_sd=float(row["volume_relative_sd"]),
                centre_mm=centre,
                axes=axes,
                shift_sd_mm=float(row["shift_sd_mm"]),
            )
        )
    return tuple(parts)


def organ_names() -> tuple[str, ...]:
    """Organs in painting order, each once.

    Examples
    --------
    >>> "liver" in organ_names() and "lungs" in organ_names()
    True
    """
    return tuple(dict.fromkeys(part.organ for part in organ_parts()))


def build_anatomy(parameters: AnatomyParameters | None = None, /, *, voxel_mm: float = 0.8) -> Anatomy:
    """Draw an animal on voxels.

    Parameters
    ----------
    parameters : AnatomyParameters, optional
        The individual; the nominal 25 g animal by default.
    voxel_mm : float
        Edge of a voxel.

    Returns
    -------
    Anatomy

    Raises
    ------
    ValueError
        If the voxel is not between 0.1 and 3 mm.

    Examples
    --------
    >>> mouse = build_anatomy(voxel_mm=1.0)
    >>> bool(1150 < mouse.volume_mm3("liver") < 1450)
    True
    """
    if not 0.1 <= voxel_mm <= 3.0:
        raise ValueError(f"voxel_mm is expected between 0.1 and 3 mm, got {voxel_mm}")
    who = parameters if parameters is not None else AnatomyParameters()
    z, y, x = _grid(who, voxel_mm)
    inside, tail = _outline(who, z, y, x)
    names = ["muscle", "skin", "tail", "skeleton", *(name for name in organ_names() if name != "skeleton")]
    tissues = {"muscle": "muscle", "skin": "skin", "tail": "skin", "skeleton": "bone"}
    labels = np.where(inside, 1, 0).astype(np.uint8)
    _paint_spine(labels, names.index("skeleton") + 1, who, z, y, x)
    for part in organ_parts():
        _paint_part(labels, names.index(part.organ) + 1, part, who, (z, y, x))
        tissues.setdefault(part.organ, part.tissue)
    # the transform counts from the outer voxel's centre, the skin from its face
    depth = distance_transform_edt(inside, sampling=voxel_mm) - 0.5 * voxel_mm
    skin = inside & (depth <= max(SKIN_MM, 0.75 * voxel_mm))
    labels[skin] = names.index("skin") + 1
    labels[tail & ~inside] = names.index("tail") + 1
    return Anatomy(
        labels=labels,
        names=tuple(names),
        tissues=tuple(tissues[name] for name in names),
        voxel_mm=voxel_mm,
        origin_mm=(float(z[0]), float(y[0]), float(x[0])),
        parameters=who,
    )


def surface_point_mm(site: str, /) -> Vector:
    """Where an injection site lies in the nominal animal, (z, y, x) in mm.

    Raises
    ------
    KeyError
        If the site has no place on the animal.
    """
    length = NOMINAL_LENGTH_MM
    places: dict[str, Vector] = {
        "tail vein": (0.0, 1.02 * length, 0.0),
        "left flank": (2.0, 0.66 * length, 11.5),
        "right flank": (2.0, 0.66 * length, -11.5),
        "left mammary fat pad": (-6.5, 0.78 * length, 9.5),
        "right mammary fat pad": (-6.5, 0.78 * length, -9.5),
    }
    return places[site]


def half_width_mm(y_mm: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Half width of the nominal animal's outline at a distance from the nose, 0 beyond either end; the tail is left out.

    Examples
    --------
    >>> bool(10.0 < float(half_width_mm(np.array(60.0))) < 15.0)
    True
    """
    share = np.asarray(y_mm, float) / NOMINAL_LENGTH_MM
    held = (share >= 0) & (share <= 1)
    return np.where(held, _profiles()[0](np.clip(share, 0.0, 1.0)), 0.0)


@lru_cache(maxsize=1)
def _profiles() -> tuple[PchipInterpolator, PchipInterpolator]:
    rows = rows_of("lampyris.tissue", "data", "outline.csv")
    share = [float(row["share"]) for row in rows]
    return (
        PchipInterpolator(share, [float(row["half_width_mm"]) for row in rows]),
        PchipInterpolator(share, [float(row["half_height_mm"]) for row in rows]),
    )


def _grid(
    who: AnatomyParameters, voxel_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Voxel centres that hold the whole animal with one empty voxel around it, symmetric about the midline."""
    scale_z, scale_y, scale_x = who.scale
    half_z, half_x = 10.5 * scale_z, 15.0 * scale_x
    count_z, count_x = (2 * int(np.ceil(half / voxel_mm)) + 2 for half in (half_z, half_x))
    z = (np.arange(count_z, dtype=np.float64) - (count_z - 1) / 2) * voxel_mm
    x = (np.arange(count_x, dtype=np.float64) - (count_x - 1) / 2) * voxel_mm
    y: NDArray[np.float64] = np.arange(
        -voxel_mm, scale_y * (NOMINAL_LENGTH_MM + TAIL_LENGTH_MM) + 2 * voxel_mm, voxel_mm
    )
    return z, y, x


def _outline(
    who: AnatomyParameters, z: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    scale_z, scale_y, scale_x = who.scale
    width, height = _profiles()
    share = y / (scale_y * NOMINAL_LENGTH_MM)
    held = (share >= 0) & (share <= 1)
    half_x = np.where(held, width(np.clip(share, 0, 1)) * scale_x, np.nan)
    half_z = np.where(held, height(np.clip(share, 0, 1)) * scale_z, np.nan)
    radius = (x[None, None, :] / half_x[None, :, None]) ** 2 + (z[:, None, None] / half_z[None, :, None]) ** 2
    inside = np.nan_to_num(radius, nan=np.inf) <= 1.0
    along = (share > 0.97) & (y <= scale_y * (NOMINAL_LENGTH_MM + TAIL_LENGTH_MM))
    tail = (np.hypot(z[:, None, None], x[None, None, :]) <= TAIL_RADIUS_MM) & along[None, :, None]
    return inside, tail


def _paint_spine(
    labels: NDArray[np.uint8],
    value: int,
    who: AnatomyParameters,
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> None:
    scale_z, scale_y, scale_x = who.scale
    share = y / (scale_y * NOMINAL_LENGTH_MM)
    centre = _profiles()[1](np.clip(share, 0, 1)) * scale_z * 0.62
    radius = np.hypot((z[:, None, None] - centre[None, :, None]) / scale_z, x[None, None, :] / scale_x)
    spine = (radius <= SPINE_RADIUS_MM) & ((share > 0.2) & (share < 0.98))[None, :, None]
    labels[spine & (labels > 0)] = value


def _paint_part(
    labels: NDArray[np.uint8],
    value: int,
    part: OrganPart,
    who: AnatomyParameters,
    grid: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    grow = who.volume_scale.get(part.organ, 1.0) ** (1.0 / 3.0)
    shift = who.shift_mm.get((part.organ, part.part), (0.0, 0.0, 0.0))
    radius: NDArray[np.float64] = np.zeros((1, 1, 1))
    for axis, (points, centre, semi, scale, move) in enumerate(
        zip(grid, part.centre_mm, part.semi_axes_mm, who.scale, shift, strict=True)
    ):
        shape = [1, 1, 1]
        shape[axis] = points.size
        radius = radius + (((points - centre * scale - move) / (semi * scale * grow)) ** 2).reshape(shape)
    labels[(radius <= 1.0) & (labels > 0)] = value
