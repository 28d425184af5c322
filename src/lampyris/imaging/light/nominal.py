"""What the nominal animal says: where organs lie, how their uptake would look, and how many photons a cell would send.

Computed once for an instrument and kept in the process: every session of a study shares it.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lampyris.core.settings import Instrument
from lampyris.imaging.body.animal import TAIL_HALF_WIDTH_MM, Outline, Silhouette, open_with_disc, silhouette
from lampyris.imaging.forward import (
    SIDE_OF_VIEW,
    Phantom,
    SurfaceGrid,
    build_phantom,
    radiance_from_exitance,
    surface_exitance,
    surface_grid,
    visible_share,
)
from lampyris.imaging.light.spots import SpotProfiles, spot_profiles
from lampyris.probe.probe import Probe, band_fractions, photon_irradiance_per_mm2
from lampyris.tissue.anatomy import Anatomy, build_anatomy
from lampyris.tissue.optics import tissue_optics

UPTAKE_ORGANS = ("liver", "spleen", "lungs")
SUBCUTIS = "subcutis"
SUBCUTIS_DEPTH_MM = 2.5
OUTLINE_VOXEL_MM = 0.5
OUTLINE_SMOOTH_MM = 0.75
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """An organ as one view sees it.

    Parameters
    ----------
    name : str
    footprint : ndarray of float, dims (y, x)
        1 above the organ, in the animal's frame.
    depth_mm : float
        Median depth of its voxels below this view's surface.
    photons_per_cell : ndarray, dims (voxel,)
        For each of its voxels: photons per second over the bands that leave through this side, for a source that emits
        as `photons_per_cell_fluence_mm2` = 1 at the lamp's irradiance; multiply with the probe's figure.
    """

    name: str
    footprint: NDArray[np.float64]
    depth_mm: float
    photons_per_cell: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NominalView:
    """The nominal animal from one side.

    Parameters
    ----------
    silhouette : Silhouette
        Of the body without tail, y from the nose, x to the animal's right.
    outline : Outline
        Of the same body, finer than the grid.
    uptake : dict of organ to ndarray, dims (y, x)
        Probe radiance (ph s-1 cm-2 sr-1) of evenly spread uptake, scaled to 1 photon per second through the seen side.
    regions : tuple of Region
        The subcutis first, then the organs.
    nearest : ndarray of int, dims (y, x)
        Index into `regions` of the organ nearest to the surface, 0 where none lies above the middle.
    """

    silhouette: Silhouette
    outline: Outline
    uptake: dict[str, NDArray[np.float64]]
    regions: tuple[Region, ...]
    nearest: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NominalAnimal:
    """The nominal animal for one instrument.

    Parameters
    ----------
    grid : SurfaceGrid
        Of all maps.
    views : dict of view to NominalView
    profiles : SpotProfiles
        Spot shapes in tissue with the body's mean optics.
    """

    grid: SurfaceGrid
    views: dict[str, NominalView]
    profiles: SpotProfiles


def nominal_animal(
    instrument: Instrument, probe: Probe, /, *, voxel_mm: float, template_depths_mm: tuple[float, ...]
) -> NominalAnimal:
    """Nominal animal, computed on first use and kept.

    Parameters
    ----------
    instrument : Instrument
    probe : Probe
        Its emission weights the bands.
    voxel_mm : float
        Grid.
    template_depths_mm : tuple of float
        Of the spot shapes.

    Returns
    -------
    NominalAnimal
    """
    fractions = tuple(np.round(band_fractions(probe, instrument.bands), 12).tolist())
    # threads of one process wait for the first to finish rather than compute the same thing twice
    with _LOCK:
        return _nominal_animal(instrument, fractions, voxel_mm, template_depths_mm)


@lru_cache(maxsize=8)
def _nominal_animal(
    instrument: Instrument, fractions: tuple[float, ...], voxel_mm: float, depths_mm: tuple[float, ...]
) -> NominalAnimal:
    anatomy = build_anatomy(voxel_mm=voxel_mm)
    phantom = _phantom(instrument, voxel_mm)
    views = {view: _nominal_view(phantom, instrument, np.array(fractions), view) for view in SIDE_OF_VIEW}
    middle = instrument.bands[len(instrument.bands) // 2].centre_nm
    absorption, scattering = _mean_optics(anatomy, middle)
    profiles = spot_profiles(
        depths_mm,
        absorption=absorption,
        reduced_scattering=scattering,
        refractive_index=1.4,
        blur_mm=instrument.blur_mm,
    )
    return NominalAnimal(surface_grid(anatomy), views, profiles)


@lru_cache(maxsize=4)
def _phantom(instrument: Instrument, voxel_mm: float) -> Phantom:
    return build_phantom(
        build_anatomy(voxel_mm=voxel_mm),
        excitation_nm=instrument.excitation_nm,
        emission_nm=tuple(band.centre_nm for band in instrument.bands),
    )


def _nominal_view(phantom: Phantom, instrument: Instrument, fractions: NDArray[np.float64], view: str) -> NominalView:
    anatomy = phantom.anatomy
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    share = np.sum([part * visible_share(phantom, band, view=view) for band, part in enumerate(fractions)], axis=0)
    per_cell = lamp * phantom.excitation_fluence[view] * share
    depth = anatomy.depth_mm(side=SIDE_OF_VIEW[view])
    regions = _regions(anatomy, depth, per_cell)
    return NominalView(
        silhouette=_silhouette(anatomy),
        outline=nominal_outline(),
        uptake=_uptake(phantom, len(fractions) // 2, view),
        regions=regions,
        nearest=_nearest(anatomy, depth, regions),
    )


@lru_cache(maxsize=1)
def nominal_outline() -> Outline:
    """Outline of the nominal animal, computed on first use and kept.

    Examples
    --------
    >>> bool(13.0 < nominal_outline().half_width_mm.max() < 14.5)
    True
    """
    anatomy = build_anatomy(voxel_mm=OUTLINE_VOXEL_MM)
    widths = _trunk(anatomy).sum(axis=1) * anatomy.voxel_mm / 2.0
    rows = np.nonzero(widths)[0]
    y = anatomy.origin_mm[1] + anatomy.voxel_mm * np.arange(rows[0], rows[-1] + 1)
    # rows of voxels go in steps of a voxel on either side
    half = gaussian_filter1d(widths[rows[0] : rows[-1] + 1], OUTLINE_SMOOTH_MM / anatomy.voxel_mm, mode="nearest")
    ends = y[0] - anatomy.voxel_mm / 2.0, y[-1] + anatomy.voxel_mm / 2.0
    return Outline(
        silhouette=_silhouette(anatomy),
        y_mm=np.concatenate([ends[:1], y, ends[1:]]),
        half_width_mm=np.concatenate([[0.0], half, [0.0]]),
    )


def _trunk(anatomy: Anatomy) -> NDArray[np.bool_]:
    body = (anatomy.inside & ~anatomy.region("tail")).any(axis=0)
    # opened like the photograph's, so that both lose the same corners
    return open_with_disc(np.asarray(body), TAIL_HALF_WIDTH_MM / anatomy.voxel_mm)


def _silhouette(anatomy: Anatomy) -> Silhouette:
    body = _trunk(anatomy)
    found = silhouette(body, pixel_mm=anatomy.voxel_mm)
    _, y0, _ = anatomy.origin_mm
    return Silhouette(
        y_mm=found.y_mm + y0,
        x_mm=0.0,
        along_mm=found.along_mm,
        across_mm=found.across_mm,
        angle_rad=0.0,
        skew=found.skew,
    )


def _uptake(phantom: Phantom, band: int, view: str) -> dict[str, NDArray[np.float64]]:
    anatomy = phantom.anatomy
    sources = np.stack([anatomy.region(organ) * phantom.excitation_fluence[view] for organ in UPTAKE_ORGANS])
    maps = surface_exitance(phantom, band, sources, views=(view,) * len(UPTAKE_ORGANS))
    totals = maps.sum(axis=(1, 2)) * anatomy.voxel_mm**2
    return {
        organ: radiance_from_exitance(one / total)
        for organ, one, total in zip(UPTAKE_ORGANS, maps, totals, strict=True)
    }


def _regions(anatomy: Anatomy, depth: NDArray[np.float64], per_cell: NDArray[np.float64]) -> tuple[Region, ...]:
    body = anatomy.inside & ~anatomy.region("tail")
    shallow = body & (depth <= SUBCUTIS_DEPTH_MM)
    regions = [Region(SUBCUTIS, body.any(axis=0).astype(float), float(np.median(depth[shallow])), per_cell[shallow])]
    for name in anatomy.names:
        if name in ("muscle", "skin", "tail", "skeleton"):
            continue
        mask = anatomy.region(name)
        regions.append(Region(name, mask.any(axis=0).astype(float), float(np.median(depth[mask])), per_cell[mask]))
    return tuple(regions)


def _nearest(anatomy: Anatomy, depth: NDArray[np.float64], regions: tuple[Region, ...]) -> NDArray[np.int64]:
    """Organ whose top is nearest to the surface in each column, if it lies in the nearer half of the body."""
    top = np.full((len(regions), *anatomy.labels.shape[1:]), np.inf)
    for index, region in enumerate(regions[1:], start=1):
        mask = anatomy.region(region.name)
        top[index] = np.where(mask, depth, np.inf).min(axis=0)
    half = 0.5 * np.where(anatomy.inside, depth, 0.0).max(axis=0)
    best = top.argmin(axis=0)
    return np.where(top.min(axis=0) <= half, best, 0)


def _mean_optics(anatomy: Anatomy, wavelength_nm: float) -> tuple[float, float]:
    """Volume-weighted mean absorption and reduced scattering of the body, mm-1."""
    counts = np.bincount(anatomy.labels.ravel(), minlength=len(anatomy.names) + 1)[1:]
    optics = [tissue_optics(tissue, wavelength_nm) for tissue in anatomy.tissues]
    absorption = np.average([one.absorption_per_mm for one in optics], weights=counts)
    scattering = np.average([one.reduced_scattering_per_mm for one in optics], weights=counts)
    return float(absorption), float(scattering)
