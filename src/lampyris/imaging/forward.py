"""Where probe, tissue and camera meet: light in, light out, the expected frame and its variance.

`lampyris.virtual` runs this on an animal it has drawn, the analysis on the nominal one. Nothing here draws random
numbers. Photons throughout: fluence rates in ph s-1 mm-2, exitance in ph s-1 mm-2, radiance in ph s-1 cm-2 sr-1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from lampyris.camera.camera import Camera, predict_counts, predict_electrons, variance_counts
from lampyris.core.images import Pose
from lampyris.imaging.body.animal import animal_from_stage
from lampyris.tissue.anatomy import Anatomy
from lampyris.tissue.diffusion import (
    DiffusionSystem,
    build_system,
    collimated_source,
    from_volume,
    solve,
    surface_map,
    surface_voxels,
    to_volume,
)
from lampyris.tissue.geometry import BodyGeometry, body_geometry
from lampyris.tissue.optics import tissue_optics

SIDE_OF_VIEW: dict[str, Literal["top", "bottom"]] = {"dorsal": "top", "ventral": "bottom"}
REFRACTIVE_INDEX = 1.4
# relative to the whole source: a deep source's light at the far skin is a thousandth of it and less
SOLVER_TOLERANCE = 1e-7
SOLVES_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """An animal with its optics at every wavelength in use.

    Parameters
    ----------
    anatomy : Anatomy
    bands : tuple of DiffusionSystem
        Light transport per emission band.
    excitation_fluence : dict of view to ndarray, dims (z, y, x)
        Fluence rate at the excitation wavelength per unit irradiance of the side that faces the lamp.
    """

    anatomy: Anatomy
    bands: tuple[DiffusionSystem, ...]
    excitation_fluence: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class SurfaceGrid:
    """Where the columns of a surface map lie in the animal's frame: first centre (y, x to the left) and pitch, in mm."""

    y_mm: float
    x_mm: float
    pitch_mm: float


def surface_grid(anatomy: Anatomy, /) -> SurfaceGrid:
    """Grid of the maps that `surface_exitance` returns."""
    _, y0, x0 = anatomy.origin_mm
    return SurfaceGrid(y0, x0, anatomy.voxel_mm)


def build_phantom(
    anatomy: Anatomy,
    /,
    *,
    excitation_nm: float,
    emission_nm: tuple[float, ...],
    optics_scale: Mapping[str, tuple[float, float]] | None = None,
) -> Phantom:
    """Light transport through an animal, lit from either side.

    Parameters
    ----------
    anatomy : Anatomy
    excitation_nm : float
        Wavelength of the lamp.
    emission_nm : tuple of float
        Centre of each emission band.
    optics_scale : mapping of tissue to (absorption, scattering), optional
        Factors on the tabulated optics: the individual's deviation.

    Returns
    -------
    Phantom
    """
    scale = optics_scale or {}
    body = body_geometry(anatomy.inside)
    lamp = _system(anatomy, body, excitation_nm, scale)
    beams = [collimated_source(lamp, side=side, irradiance=1.0) for side in SIDE_OF_VIEW.values()]
    fluence = solve(lamp, np.stack([beam.source for beam in beams], axis=-1), tolerance=SOLVER_TOLERANCE)
    fluence = fluence + np.stack([beam.fluence for beam in beams], axis=-1)
    return Phantom(
        anatomy=anatomy,
        bands=tuple(_system(anatomy, body, wavelength, scale) for wavelength in emission_nm),
        excitation_fluence={
            view: to_volume(lamp, fluence[:, column], outside=0.0) for column, view in enumerate(SIDE_OF_VIEW)
        },
    )


def surface_exitance(
    phantom: Phantom, band: int, sources: NDArray[np.float64], /, *, views: tuple[str, ...]
) -> NDArray[np.float64]:
    """Light that leaves the animal towards the camera.

    Parameters
    ----------
    phantom : Phantom
    band : int
        Index of the emission band.
    sources : ndarray, dims (source, z, y, x)
        Emitted photons per second and mm3.
    views : tuple of str
        For each source, the view in which its map is wanted.

    Returns
    -------
    ndarray, dims (source, y, x)
        Exitance in ph s-1 mm-2 in the animal's frame, 0 off the animal.
    """
    system = phantom.bands[band]
    fluence = solve(system, from_volume(system, sources), tolerance=SOLVER_TOLERANCE)
    return np.stack(
        [
            surface_map(system, fluence[:, column], side=SIDE_OF_VIEW[view], outside=0.0)
            for column, view in enumerate(views)
        ]
    )


def visible_share(phantom: Phantom, band: int, /, *, view: str) -> NDArray[np.float64]:
    """Share of the photons emitted in each voxel that leave through the side a view sees.

    One adjoint solve (reciprocity): the surface is lit with the camera's sensitivity and the field is read inside.

    Parameters
    ----------
    phantom : Phantom
    band : int
    view : str

    Returns
    -------
    ndarray, dims (z, y, x)
    """
    system, side = phantom.bands[band], SIDE_OF_VIEW[view]
    # flux through one column's top voxel per unit fluence there, spread over the voxel's depth
    count = phantom.anatomy.inside.sum()
    per_fluence = surface_map(system, np.ones(int(count)), side=side, outside=0.0)
    voxel = surface_voxels(system, side=side)
    adjoint = np.zeros((int(count), 1))
    seen = voxel >= 0
    adjoint[voxel[seen], 0] = per_fluence[seen] / phantom.anatomy.voxel_mm
    field = solve(system, adjoint, tolerance=SOLVER_TOLERANCE)
    return to_volume(system, field[:, 0], outside=0.0)


def skin_sensitivity(phantom: Phantom, band: int, /, *, view: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What each place of the skin sees of every voxel: the whole of a view's adjoint fields.

    By reciprocity the exitance at a place, from a source in a voxel, is that place's conductance times the fluence in the
    voxel from a source at the place: one solve per column of the animal, however many voxels may shine.

    Parameters
    ----------
    phantom : Phantom
    band : int
    view : str

    Returns
    -------
    columns : ndarray of int, dims (column, 2)
        Row and column of each place on the surface map.
    seen : ndarray of float32, dims (column, voxel)
        Share of a voxel's photons that leaves through the column towards the view; voxels in the order of the body.
    """
    system, side = phantom.bands[band], SIDE_OF_VIEW[view]
    voxel = surface_voxels(system, side=side)
    columns = np.argwhere(voxel >= 0)
    pitch = phantom.anatomy.voxel_mm
    count = int(phantom.anatomy.inside.sum())
    conductance = surface_map(system, np.ones(count), side=side, outside=0.0)[columns[:, 0], columns[:, 1]]
    seen = np.empty((len(columns), count), np.float32)
    for start in range(0, len(columns), SOLVES_AT_ONCE):
        block = slice(start, min(start + SOLVES_AT_ONCE, len(columns)))
        sources = np.zeros((count, block.stop - start))
        places = voxel[columns[block, 0], columns[block, 1]]
        # one photon per second, as a density over its voxel
        sources[places, np.arange(block.stop - start)] = pitch**-3
        fluence = solve(system, sources, tolerance=SOLVER_TOLERANCE)
        seen[block] = (fluence * conductance[block] * pitch**2).T
    return columns, seen


def project(
    maps: NDArray[np.float64], grid: SurfaceGrid, pose: Pose, /, *, shape: tuple[int, int], pixel_mm: float
) -> NDArray[np.float64]:
    """Lay maps of the animal's surface on the camera's pixels.

    Parameters
    ----------
    maps : ndarray, dims (..., y, x)
        In the animal's frame (x to the animal's left).
    grid : SurfaceGrid
        The columns' positions.
    pose : Pose
        Where the animal lies.
    shape : (y, x)
        Of the image.
    pixel_mm : float
        Pitch of the image.

    Returns
    -------
    ndarray, dims (..., y, x)
        Linear interpolation, 0 off the map.
    """
    rows, columns = np.meshgrid(*(np.arange(count) * pixel_mm for count in shape), indexing="ij")
    along, right = animal_from_stage(pose, rows, columns)
    where = np.stack([(along - grid.y_mm) / grid.pitch_mm, (-right - grid.x_mm) / grid.pitch_mm])
    flat = maps.reshape(-1, *maps.shape[-2:])
    laid = [map_coordinates(one, where, order=1, mode="constant", cval=0.0) for one in flat]
    return np.stack(laid).reshape(*maps.shape[:-2], *shape)


def radiance_from_exitance(exitance_per_mm2: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Radiance of a Lambertian surface: exitance over pi, per cm2.

    Examples
    --------
    >>> float(radiance_from_exitance(np.array(np.pi)))
    100.0
    """
    return exitance_per_mm2 * (100.0 / np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedFrame:
    """What a frame will hold on average, dims (channel, y, x): electrons before saturation, counts, and their variance."""

    electrons: NDArray[np.float64]
    counts: NDArray[np.float64]
    variance: NDArray[np.float64]


def expected_frame(
    camera: Camera, radiance: NDArray[np.float64], /, *, exposure_s: NDArray[np.float64]
) -> ExpectedFrame:
    """Expected counts of a frame and their variance.

    Parameters
    ----------
    camera : Camera
    radiance : ndarray, dims (channel, y, x)
        All light of each band at the lens: probe, autofluorescence and leakage.
    exposure_s : ndarray, dims (channel,)

    Returns
    -------
    ExpectedFrame
    """
    electrons = predict_electrons(camera, radiance, exposure_s=exposure_s)
    variance = variance_counts(electrons, gain_e_per_count=camera.gain_e_per_count, read_noise_e=camera.read_noise_e)
    return ExpectedFrame(electrons, predict_counts(camera, electrons), variance)


def _system(
    anatomy: Anatomy, body: BodyGeometry, wavelength_nm: float, scale: Mapping[str, tuple[float, float]]
) -> DiffusionSystem:
    absorption = np.zeros(len(anatomy.names) + 1)
    scattering = np.ones(len(anatomy.names) + 1)
    for index, tissue in enumerate(anatomy.tissues, start=1):
        optics = tissue_optics(tissue, wavelength_nm)
        more_absorption, more_scattering = scale.get(tissue, (1.0, 1.0))
        absorption[index] = optics.absorption_per_mm * more_absorption
        scattering[index] = optics.reduced_scattering_per_mm * more_scattering
    return build_system(
        absorption[anatomy.labels],
        scattering[anatomy.labels],
        body,
        voxel_mm=anatomy.voxel_mm,
        refractive_index=REFRACTIVE_INDEX,
    )
