"""How much of its probe's light an organ lets out: absorption of lamp and emission on the way, for an organ of its outline,
weight and tissue.

The organ is a dome over its outline with the volume of its weight, of even tissue with the tabulated optics, lit and seen from
above; the same diffusion equation as in the living animal is solved in it. Probe is taken to be spread evenly: where the image says
otherwise (`unevenness`) the interval widens by what depth could do.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from lampyris.core.estimate import Estimate
from lampyris.core.settings import Instrument
from lampyris.probe.probe import Probe, band_fractions
from lampyris.statistics.thresholds import half_width
from lampyris.tissue.diffusion import (
    DiffusionSystem,
    build_system,
    collimated_source,
    solve,
    surface_map,
    surface_voxels,
)
from lampyris.tissue.geometry import BodyGeometry, body_geometry
from lampyris.tissue.optics import tissue_names, tissue_optics, tissue_row
from lampyris.tissue.variation import WIDEST_LOG_SD

# organs of a mouse between 1.04 and 1.06 g/ml; lungs hold some air
DENSITY_G_PER_ML, LUNG_DENSITY_G_PER_ML = 1.05, 0.8
# mean height over the square root of the outline's area, where there is no weight; and how far it may be off, relative
FLATNESS, FLATNESS_SD = 0.45, 0.35
# heights from weight and outline against the true dome
HEIGHT_SD = 0.06
# coarse voxels, a dome for a shape, and diffusion near a surface
MODEL_SD = 0.06
VOXELS_HIGH, FINEST_MM, COARSEST_MM = 12, 0.25, 0.9
# less cannot be told from unmixing's own error
LEAST_ESCAPE = 1e-3
_STEP = 0.1
_TOLERANCE = 1e-5

TISSUE_OF_ORGAN = {
    "liver": "liver", "spleen": "spleen", "kidney": "kidneys", "kidneys": "kidneys", "lung": "lung", "lungs": "lung",
    "heart": "heart", "brain": "brain", "stomach": "stomach", "gut": "gut", "intestine": "gut", "intestines": "gut",
    "bowel": "gut", "colon": "gut", "caecum": "gut", "bladder": "bladder", "muscle": "muscle", "bone": "bone",
    "femur": "bone", "femurs": "bone", "tibia": "bone", "skin": "skin", "fat": "adipose", "adipose": "adipose",
    "tumour": "tumour", "tumor": "tumour", "metastasis": "tumour", "node": "lymph_node", "nodes": "lymph_node",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Escape:
    """What leaves an organ upwards per photon that the same probe would emit in a thin clear layer under the same lamp.

    Parameters
    ----------
    value, relative_sd : float
        The standard deviation is that of the logarithm.
    pattern : ndarray, dims (y, x)
        Light of evenly spread probe on the image's pixels, relative.
    depth_log_sd : float
        Spread of the logarithm over where in the organ a small source may lie.
    """

    value: float
    relative_sd: float
    pattern: NDArray[np.float64]
    depth_log_sd: float


def tissue_of(organ: str, given: str = "", /) -> str:
    """Row of the optics table for an organ: as given, else by its name; "" where neither is known.

    Examples
    --------
    >>> tissue_of("left kidney"), tissue_of("Axillary node"), tissue_of("whatsit")
    ('kidneys', 'lymph_node', '')
    """
    if given:
        return given if given in tissue_names() else ""
    words = organ.casefold().replace("_", " ").replace("-", " ").split()
    return next((TISSUE_OF_ORGAN[word] for word in reversed(words) if word in TISSUE_OF_ORGAN), "")


def organ_escape(
    mask: NDArray[np.bool_],
    tissue: str,
    probe: Probe,
    instrument: Instrument,
    /,
    *,
    weight_g: float = math.nan,
    thickness_mm: float = math.nan,
    seen_share: NDArray[np.float64] | None = None,
) -> Escape:
    """Escape of an organ's light.

    Parameters
    ----------
    mask : ndarray of bool, dims (y, x)
        Its outline on the image.
    tissue : str
        Row of the optics table.
    probe : Probe
    instrument : Instrument
        Lamp, bands, pixel.
    weight_g, thickness_mm : float
        What is known of it; the thickness is the mean height.
    seen_share : ndarray, dims (channel,), optional
        How unmixing weighs the bands in the probe's radiance; ones where nothing is unmixed.

    Returns
    -------
    Escape
    """
    pixel = instrument.pixel_mm
    known = math.isfinite(thickness_mm) or math.isfinite(weight_g)
    thickness_mm = mean_height_mm(mask, tissue, pixel, weight_g=weight_g, thickness_mm=thickness_mm)
    dome = _Dome(mask, pixel, thickness_mm)
    model = _Model(dome, tissue, probe, instrument, seen_share)
    middle, field = model.escape()
    optics = tissue_optics(tissue, instrument.excitation_nm)
    shifts, spreads = [], []
    for name, sd in (("absorption", optics.relative_sd_absorption), ("scattering", optics.relative_sd_scattering)):
        sd = min(sd, WIDEST_LOG_SD)
        more, less = (math.log(model.escape(**{name: math.exp(side * sd)})[0] / middle) for side in (1.0, -1.0))
        # the mean over what the optics may be is not what their mean gives: light dies the faster the more is absorbed
        shifts.append(0.5 * (more + less))
        spreads.append(0.5 * (more - less))
    higher = _Model(_Dome(mask, pixel, thickness_mm * (1 + _STEP)), tissue, probe, instrument, seen_share)
    per_log = math.log(higher.escape()[0] / middle) / math.log1p(_STEP)
    spreads.append(per_log * (HEIGHT_SD if known else FLATNESS_SD))
    value = middle * math.exp(sum(shifts))
    low, high = np.quantile(field, [0.05, 0.95])
    return Escape(
        value=value,
        relative_sd=math.hypot(*spreads, MODEL_SD),
        pattern=dome.on_pixels(model.surface()),
        depth_log_sd=float(math.log(high / low)) / 3.29,
    )


def mean_height_mm(
    mask: NDArray[np.bool_], tissue: str, pixel_mm: float, /, *, weight_g: float, thickness_mm: float
) -> float:
    """Mean height of an organ as it lies: as measured, else from its weight, else from its outline alone.

    Examples
    --------
    >>> mean_height_mm(np.ones((10, 10), bool), "liver", 1.0, weight_g=0.525, thickness_mm=math.nan)
    5.0
    """
    area = float(mask.sum()) * pixel_mm**2
    if math.isfinite(thickness_mm):
        return thickness_mm
    if math.isfinite(weight_g):
        return 1e3 * weight_g / (LUNG_DENSITY_G_PER_ML if tissue == "lung" else DENSITY_G_PER_ML) / area
    return FLATNESS * math.sqrt(area)


def escape_estimate(escape: Escape, focal_share: float, /, *, level: float = 0.95) -> Estimate:
    """Escape with its interval; of light in spots the depth is not known."""
    sd = math.hypot(escape.relative_sd, focal_share * escape.depth_log_sd)
    z = half_width(level)
    value = escape.value
    return Estimate(
        value, value * sd, value * math.exp(-z * sd), value * math.exp(z * sd), level, "1",
        "diffusion in a dome of the organ's outline and weight",
    )  # fmt: skip


def unevenness(
    probe: NDArray[np.float64], variance: NDArray[np.float64], escape: Escape, inner: NDArray[np.bool_], /
) -> float:
    """Share of an organ's light that evenly spread probe does not explain.

    Parameters
    ----------
    probe, variance : ndarray, dims (y, x)
        Probe radiance, tray light removed, and its noise variance.
    escape : Escape
    inner : ndarray of bool, dims (y, x)
        Pixels away from the outline.

    Returns
    -------
    float
        0 to 1; 0 where noise hides it.
    """
    pattern = escape.pattern
    held = inner & (pattern > 0)
    if held.sum() < 8:
        return 0.0
    ratio = probe[held] / pattern[held]
    noise = np.sqrt(variance[held]) / pattern[held]
    whole = float(probe[held].sum() / pattern[held].sum())
    if not whole > 3.0 * float(np.median(noise)) / math.sqrt(held.sum()):
        return 0.0
    # noise alone spreads the ratios: the low fifth lies 0.84 standard deviations below the middle
    level = float(np.quantile(ratio, 0.2)) + 0.84 * float(np.median(noise))
    return float(np.clip(1.0 - level / whole, 0.0, 1.0))


class _Dome:
    """The organ's body on voxels over its outline, dims (z, y, x); up is the greatest z."""

    def __init__(self, mask: NDArray[np.bool_], pixel: float, thickness_mm: float) -> None:
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        self.shape = mask.shape
        self.pixel = pixel
        self.pitch = float(np.clip(1.5 * thickness_mm / VOXELS_HIGH, FINEST_MM, COARSEST_MM))
        self.start = (rows[0] - 1.0) * pixel, (columns[0] - 1.0) * pixel
        counts = [
            math.ceil((last - first + 3) * pixel / self.pitch)
            for first, last in ((rows[0], rows[-1]), (columns[0], columns[-1]))
        ]
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        bulge = np.zeros(mask.shape)
        bulge[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = _bulge(box)
        where = [start + (np.arange(count) + 0.5) * self.pitch for start, count in zip(self.start, counts, strict=True)]
        places = np.meshgrid(*(at / pixel for at in where), indexing="ij")
        cover = map_coordinates(mask.astype(float), places, order=1) > 0.5
        height = np.sqrt(np.maximum(map_coordinates(bulge, places, order=1), 0.0)) * cover
        height *= thickness_mm * float(mask.sum()) * pixel**2 / (height.sum() * self.pitch**2)
        # between flat and round below
        below = 0.15 * (height.max() - height)
        z = (np.arange(math.ceil(height.max() / self.pitch) + 1) + 0.5) * self.pitch
        self.inside = (z[:, None, None] >= below) & (z[:, None, None] < below + height) & cover
        # a rim lower than a voxel is one voxel high: the outline has no holes
        thin = cover & ~self.inside.any(axis=0)
        at = np.clip((below + 0.5 * height) / self.pitch, 0, len(z) - 1).astype(int)
        self.inside[at[thin], *np.nonzero(thin)] = True
        self.geometry: BodyGeometry = body_geometry(self.inside)

    def on_pixels(self, surface: NDArray[np.float64]) -> NDArray[np.float64]:
        """A map of the columns on the image, dims (y, x)."""
        where = [
            (np.arange(count) * self.pixel - start) / self.pitch - 0.5
            for count, start in zip(self.shape, self.start, strict=True)
        ]
        return np.asarray(map_coordinates(surface, np.meshgrid(*where, indexing="ij"), order=1, mode="constant"))


def _bulge(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A membrane blown up over an outline, dims (y, x): over an ellipse the square of an ellipsoid's height."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    number = np.full(np.array(mask.shape) + 2, -1)
    inner = np.pad(mask, 1)
    number[inner] = np.arange(mask.sum())
    rows, columns = [np.arange(mask.sum())], [np.arange(mask.sum())]
    diagonal = np.full(int(mask.sum()), 4.0)
    values = [diagonal]
    for axis, step in ((0, -1), (0, 1), (1, -1), (1, 1)):
        other = np.roll(number, step, axis)[inner]
        held = other >= 0
        # the membrane is held at the pixel's face, not at the next pixel's centre
        diagonal[~held] += 1.0
        rows.append(np.flatnonzero(held))
        columns.append(other[held])
        values.append(np.full(int(held.sum()), -1.0))
    count = int(mask.sum())
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count))
    out = np.zeros(mask.shape)
    out[mask] = np.atleast_1d(spsolve(matrix.tocsc(), np.ones(count)))
    return out


class _Model:
    """Light in the dome."""

    def __init__(
        self, dome: _Dome, tissue: str, probe: Probe, instrument: Instrument, seen: NDArray[np.float64] | None
    ) -> None:
        self.dome, self.tissue = dome, tissue
        self.lamp_nm = instrument.excitation_nm
        share = band_fractions(probe, instrument.bands)
        weights = share / share.sum() * (1.0 if seen is None else seen)
        self.bands = [(band.centre_nm, float(weight)) for band, weight in zip(instrument.bands, weights, strict=True)]

    def escape(self, *, absorption: float = 1.0, scattering: float = 1.0) -> tuple[float, NDArray[np.float64]]:
        """Mean over the organ, and each voxel's own, dims (voxel,)."""
        lamp = self._system(self.lamp_nm, absorption, scattering)
        beam = collimated_source(lamp, side="top", irradiance=1.0)
        fluence = solve(lamp, beam.source[:, None], tolerance=_TOLERANCE)[:, 0] + beam.fluence
        seen = np.zeros(fluence.size)
        for wavelength, weight in self.bands:
            seen += weight * self._upwards(self._system(wavelength, absorption, scattering))
        field = fluence * seen
        return max(float(field.mean()), LEAST_ESCAPE), np.maximum(field, 1e-3 * LEAST_ESCAPE)

    def _upwards(self, system: DiffusionSystem) -> NDArray[np.float64]:
        """Share of a voxel's photons that leave upwards, by reciprocity."""
        per_fluence = surface_map(system, np.ones(system.size), side="top", outside=0.0)
        voxel = surface_voxels(system, side="top")
        seen = voxel >= 0
        adjoint = np.zeros((system.size, 1))
        adjoint[voxel[seen], 0] = per_fluence[seen] / system.voxel_mm
        return solve(system, adjoint, tolerance=_TOLERANCE)[:, 0]

    def surface(self) -> NDArray[np.float64]:
        """Light of evenly spread probe through each column, relative, dims (y, x)."""
        middle = self.bands[int(np.argmax([weight for _, weight in self.bands]))][0]
        lamp = self._system(self.lamp_nm, 1.0, 1.0)
        beam = collimated_source(lamp, side="top", irradiance=1.0)
        fluence = solve(lamp, beam.source[:, None], tolerance=_TOLERANCE)[:, 0] + beam.fluence
        system = self._system(middle, 1.0, 1.0)
        light = solve(system, fluence[:, None], tolerance=_TOLERANCE)[:, 0]
        return surface_map(system, light, side="top", outside=0.0)

    def _system(self, wavelength: float, absorption: float, scattering: float) -> DiffusionSystem:
        optics = tissue_optics(self.tissue, wavelength)
        shape = self.dome.inside.shape
        return build_system(
            np.full(shape, optics.absorption_per_mm * absorption),
            np.full(shape, optics.reduced_scattering_per_mm * scattering),
            self.dome.geometry,
            voxel_mm=self.dome.pitch,
            refractive_index=optics.refractive_index,
        )


def stands_in(tissue: str, /) -> bool:
    """Whether a tissue's optics are those of a proxy."""
    return bool(tissue_row(tissue).proxy_for)
