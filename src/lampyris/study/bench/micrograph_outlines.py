"""Outlines of particles as GeoJSON to accept or mend, and what a person made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.micrographs.measure import Particles
from lampyris.core.bench import BenchPicture
from lampyris.core.regions import DrawnRegion
from lampyris.io.durable import write_text
from lampyris.io.regions.geojson import read_geojson
from lampyris.io.regions.geojson_out import Outline, outlines_text

_COLOURS = {
    "measured": (86, 180, 233), "edge": (230, 159, 0), "cluster": (204, 121, 167), "rejected": (122, 122, 122)
}  # fmt: skip
_SAME_PX = 0.05
# corners are written to a thousandth of a pixel; what moved less was not moved
_SHOWN_PX = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """Outlines of one picture as a person left them: its file, and each outline by its order."""

    file: str
    regions: tuple[DrawnRegion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Particles after mending, dims (particle,); drawn ones at the end, each a piece of its own."""

    diameter_px: NDArray[np.float64]
    diameter_sd_px: NDArray[np.float64]
    circularity: NDArray[np.float64]
    aspect: NDArray[np.float64]
    tilt_sd: NDArray[np.float64]
    shared_sd: NDArray[np.float64]
    weight: NDArray[np.float64]
    piece: NDArray[np.intp]
    kinds: tuple[str, ...]
    outlines: tuple[NDArray[np.float64], ...]
    used: NDArray[np.bool_]
    names: tuple[str, ...] = field(default=())


def read_corrections(files: Sequence[str], /) -> dict[str, Mended]:
    """Mended outlines by the picture that they name; "" where they name none.

    Raises
    ------
    InputError
        If a file is no GeoJSON of outlines in pixels.
    """
    found: dict[str, list[DrawnRegion]] = {}
    names: dict[str, str] = {}
    for file in files:
        for one in read_geojson(Path(file), file=Path(file).name):
            found.setdefault(one.region.image, []).append(one.region)
            names[one.region.image] = Path(file).name
    return {image: Mended(names[image], tuple(regions)) for image, regions in found.items()}


def corrected(found: Particles, mended: Mended | None, /, *, touching: bool) -> Kept:
    """Particles that count, with a person's word over the program's.

    Parameters
    ----------
    found : Particles
    mended : Mended or None
        An outline that keeps its name and its corners is accepted or, labelled ``rejected``, rejected; one that was moved or is
        new is measured as drawn; what is missing was rejected.
    touching : bool
        Whether those parted from touching ones count.

    Returns
    -------
    Kept
    """
    kinds = list(found.kinds)
    names = [f"particle {number}" for number in range(1, len(kinds) + 1)]
    drawn: list[DrawnRegion] = []
    if mended is not None:
        left = {region.name: region for region in mended.regions}
        told = dict(zip(names, range(len(names)), strict=True))
        for k, name in enumerate(names):
            region = left.get(name)
            if region is None:
                kinds[k] = "rejected"
            elif not _same(region, found.outlines[k]):
                kinds[k] = "rejected"
                if region.label != "rejected":
                    drawn.append(region)
            elif region.label in ("measured", "cluster", "rejected"):
                kinds[k] = region.label
        drawn += [one for one in mended.regions if one.name not in told and one.label != "rejected"]
    count = ("measured", "cluster") if touching else ("measured",)
    used = [kind in count for kind in kinds]
    rows = [_drawn(one, found) for one in drawn]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    return Kept(
        np.append(found.diameter_px, columns[0]),
        np.append(found.diameter_sd_px, np.zeros(len(rows))),
        np.append(found.round.circularity, columns[1]),
        np.append(found.aspect, columns[2]),
        np.append(found.round.tilt_sd, np.zeros(len(rows))),
        np.append(found.round.shared_sd, np.zeros(len(rows))),
        np.append(found.weight, columns[3]),
        np.append(found.found.together, -1 - np.arange(len(rows))),
        (*kinds, *("measured" for _ in rows)),
        (*found.outlines, *(np.array(one.outline_px)[:, ::-1] for one in drawn)),
        np.array([*used, *(True for _ in rows)], bool) & (np.append(found.weight, columns[3]) > 0),
        (*names, *(one.name for one in drawn)),
    )


def _same(region: DrawnRegion, outline: NDArray[np.float64]) -> bool:
    corners = np.array(region.outline_px)[:, ::-1]
    return corners.shape == outline.shape and bool(np.abs(corners - outline).max() < _SAME_PX)


def _drawn(region: DrawnRegion, found: Particles) -> tuple[float, float, float, float]:
    """Diameter, circularity, aspect and weight of a drawn outline."""
    y, x = np.array(region.outline_px).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    area = 0.5 * abs(float(np.sum(x * next_y - next_x * y)))
    length = float(np.sum(np.hypot(x - next_x, y - next_y)))
    size = np.linalg.eigvalsh(np.cov(np.vstack([x, y])))
    height, width = found.shape
    room = max(width - np.ptp(x), 1.0) * max(height - np.ptp(y), 1.0)
    aspect = float(np.sqrt(size[1] / max(size[0], 1e-12)))
    return (
        2.0 * float(np.sqrt(area / np.pi)),
        4.0 * np.pi * area / max(length, 1e-9) ** 2,
        aspect,
        width * height / room,
    )


def write_outlines(folder: Path, file: str, found: Particles, kept: Kept, pixel_nm: float, /) -> Path:
    """Write every outline of a picture as ``NAME.outlines.geojson``; the path written."""
    outlines = []
    for k, name in enumerate(kept.names):
        said: Mapping[str, Any] = {
            "image": file,
            "label": kept.kinds[k],
            "diameter_nm": round(float(kept.diameter_px[k] * pixel_nm), 4),
            "diameter_sd_nm": round(float(kept.diameter_sd_px[k] * pixel_nm), 4),
            "circularity": round(min(float(kept.circularity[k]), 1.0), 4),
            "aspect": round(float(kept.aspect[k]), 4),
            "reason": found.reasons[k] if k < len(found.reasons) else "drawn",
        }
        corners = tuple((float(y), float(x)) for x, y in kept.outlines[k] if np.isfinite(x + y))
        if len(corners) > 2:
            outlines.append(Outline(corners, name, kept.kinds[k], _COLOURS[kept.kinds[k]], said))
    path = folder / f"{Path(file).name}.outlines.geojson"
    write_text(path, outlines_text(outlines, about={"image": file, "pixel_nm": pixel_nm}))
    return path


def picture_of(pixels: NDArray[np.generic], kept: Kept, pixel_nm: float, name: str, /) -> BenchPicture:
    """The picture, reduced, with the outlines and what became of each."""
    step = max(1, -(-max(pixels.shape) // _SHOWN_PX))
    rows, columns = pixels.shape[0] // step, pixels.shape[1] // step
    small = (
        pixels[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3), dtype=np.float64)
    )
    low, high = np.quantile(small, [0.002, 0.998])
    grey = np.clip((small - low) / max(high - low, 1e-12) * 255.0, 0.0, 255.0).astype(np.uint8)
    finite = [bool(np.isfinite(one).all()) for one in kept.outlines]
    # corners count from the centre of the first pixel, the picture is drawn from its corner
    ends = (columns, rows)
    outlines = tuple(
        np.clip((one + 0.5) / step, 0.0, ends) for one, good in zip(kept.outlines, finite, strict=True) if good
    )
    kinds = tuple(kind for kind, good in zip(kept.kinds, finite, strict=True) if good)
    return BenchPicture(grey, outlines, kinds, pixel_nm * step, name)
