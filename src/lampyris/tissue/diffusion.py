"""Diffuse light in a body of voxels: finite volumes, Robin boundary, preconditioned conjugate gradients.

1. `geometry.body_geometry` finds neighbours and surface of a mask, `build_system` adds the optical maps and returns the
   coefficients of a symmetric positive definite matrix;
2. `point_sources` and `collimated_source` give right-hand sides;
3. `solve` finds the fluence of many sources in one pass over the matrix, `solve_reference` does it by factorisation;
4. `exitance`, `surface_map` and `outflow` read what leaves; `to_volume` and `from_volume` change between layouts.

Arrays are (z, y, x), x fastest; the centre of voxel i lies at (i + 0.5) voxel_mm. Inside the module light lives on the
compact list of inside voxels in C order, the layout (voxel,) or (voxel, source).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.errors import LampyrisError
from lampyris.tissue.boundary import mismatch_factor, specular_reflection
from lampyris.tissue.conjugate_gradients import Floats, IncompleteFactor, incomplete_factor, solve_block
from lampyris.tissue.geometry import BodyGeometry, body_geometry

Side = Literal["top", "bottom"]

_BLOCK = 8


@dataclass(frozen=True, slots=True, eq=False)
class DiffusionSystem:
    """The discretised diffusion equation of one body at one wavelength.

    Row i of the matrix says ``diagonal[i] phi_i + sum_f coupling[i, f] phi_neighbour = source_i`` per unit volume.

    Parameters
    ----------
    geometry : BodyGeometry
        The body.
    voxel_mm : float
        Edge of a voxel.
    refractive_index : float
        Index of the body against air.
    absorption, reduced_scattering : ndarray, dims (voxel,)
        Optical coefficients, mm^-1.
    diagonal : ndarray, dims (voxel,)
        Diagonal of the matrix, mm^-1.
    coupling : ndarray, dims (voxel, face)
        Off-diagonal entries, mm^-1, not positive, 0 towards the outside.
    surface_mm2 : ndarray, dims (voxel,)
        True surface that belongs to the voxel, 0 for inner voxels.
    conductance : ndarray, dims (voxel,)
        Outgoing flux density per unit fluence in the energy balance, 0 for inner voxels.
    exitance_per_fluence : ndarray, dims (voxel,)
        The same for the place where the voxel's centre really lies: what `exitance` reads, free of the staircase.
    factor : IncompleteFactor
        Preconditioner.
    """

    geometry: BodyGeometry
    voxel_mm: float
    refractive_index: float
    absorption: Floats
    reduced_scattering: Floats
    diagonal: Floats
    coupling: Floats
    surface_mm2: Floats
    conductance: Floats
    exitance_per_fluence: Floats
    factor: IncompleteFactor

    @property
    def inside(self) -> NDArray[np.bool_]:
        """The body, dims (z, y, x)."""
        return self.geometry.inside

    @property
    def size(self) -> int:
        """Number of inside voxels."""
        return int(self.diagonal.size)


@dataclass(frozen=True, slots=True, eq=False)
class CollimatedBeam:
    """A broad beam inside the body.

    Parameters
    ----------
    source : ndarray, dims (voxel,)
        Density of first scattering, the source of the diffuse light, irradiance unit per mm.
    fluence : ndarray, dims (voxel,)
        Mean fluence rate of the light not yet scattered, irradiance unit; add it to the diffuse fluence.
    """

    source: Floats
    fluence: Floats


# ---------------------------------------------------------------------------------------------------------------------
# the matrix


def build_system(
    absorption: ArrayLike,
    reduced_scattering: ArrayLike,
    body: ArrayLike | BodyGeometry,
    /,
    *,
    voxel_mm: float,
    refractive_index: float = 1.4,
    smooth_surface: bool = True,
) -> DiffusionSystem:
    """Return the finite-volume diffusion system of a body.

    Faces between voxels carry the harmonic mean of D = 1 / (3 (mua + musp)); a face to the outside lets
    ``phi / (2 A + h / (2 D))`` out. A staircase has more area than the surface it stands for, so each outer face
    counts only by the component of the smooth outward normal along it.

    Parameters
    ----------
    absorption, reduced_scattering : array_like, dims (z, y, x)
        Optical coefficients, mm^-1; values outside the body are not looked at.
    body : array_like of bool, dims (z, y, x), or BodyGeometry
        The body; all beyond the array is outside. The geometry of an earlier system saves time at the next wavelength.
    voxel_mm : float
        Edge of a voxel.
    refractive_index : float
        Index of the body against air.
    smooth_surface : bool
        Whether outer faces count by the smooth normal (else each counts fully); of no effect on a ready geometry.

    Returns
    -------
    DiffusionSystem

    Raises
    ------
    ValueError
        If shapes differ, the body is empty, or a coefficient is not finite or out of range; all faults at once.

    References
    ----------
    Haskell et al. (1994) J. Opt. Soc. Am. A 11, 2727. doi:10.1364/JOSAA.11.002727

    Examples
    --------
    >>> import numpy as np
    >>> block = np.ones((6, 6, 6))
    >>> system = build_system(0.02 * block, 1.0 * block, block > 0, voxel_mm=0.5)
    >>> source = np.full((system.size, 1), 1.0)
    >>> fluence = solve(system, source)
    >>> absorbed = 0.5**3 * np.sum(system.absorption * fluence[:, 0])
    >>> bool(abs(absorbed + outflow(system, fluence)[0] - 6**3 * 0.5**3) < 1e-5 * 27)
    True
    """
    geometry = body if isinstance(body, BodyGeometry) else body_geometry(body, smooth_surface=smooth_surface)
    mask = geometry.inside
    mua, musp = np.asarray(absorption, dtype=np.float64), np.asarray(reduced_scattering, dtype=np.float64)
    _check_maps(mua, musp, mask, voxel_mm)
    mismatch = mismatch_factor(refractive_index)
    mua, musp = mua[mask], musp[mask]
    diffusion = 1.0 / (3.0 * (mua + musp))
    beside = diffusion[geometry.neighbour]
    coupling = -2.0 * diffusion[:, None] * beside / ((diffusion[:, None] + beside) * voxel_mm**2)
    coupling[geometry.neighbour < 0] = 0.0
    exposed = geometry.weight.sum(axis=1)
    surface = exposed > 0.0
    conductance = np.where(surface, 1.0 / (2.0 * mismatch + 0.5 * voxel_mm / diffusion), 0.0)
    depth = voxel_mm * (0.5 + geometry.ripple)
    diagonal = mua - coupling.sum(axis=1) + exposed * conductance / voxel_mm
    return DiffusionSystem(
        geometry=geometry,
        voxel_mm=float(voxel_mm),
        refractive_index=float(refractive_index),
        absorption=mua,
        reduced_scattering=musp,
        diagonal=diagonal,
        coupling=coupling,
        surface_mm2=exposed * voxel_mm**2,
        conductance=conductance,
        exitance_per_fluence=np.where(surface, 1.0 / (2.0 * mismatch + depth / diffusion), 0.0),
        factor=incomplete_factor(diagonal, coupling, geometry.neighbour),
    )


def _check_maps(mua: Floats, musp: Floats, mask: NDArray[np.bool_], voxel_mm: float) -> None:
    """Raise ValueError with every fault of the maps."""
    faults = []
    if not (np.isfinite(voxel_mm) and voxel_mm > 0.0):
        faults.append(f"voxel_mm must be positive, it is {voxel_mm!r}")
    for name, values, least in (("absorption", mua, "not negative"), ("reduced_scattering", musp, "positive")):
        if values.shape != mask.shape:
            faults.append(f"{name} has shape {values.shape}, the body has {mask.shape}")
            continue
        held = values[mask]
        bad = ~(np.isfinite(held) & ((held > 0.0) | ((held == 0.0) & (least == "not negative"))))
        if bad.any():
            faults.append(
                f"{name} must be finite and {least}; {np.count_nonzero(bad)} inside voxels are not, as {held[bad][0]}"
            )
    if faults:
        raise ValueError("; ".join(faults))


# ---------------------------------------------------------------------------------------------------------------------
# the solution


def solve(
    system: DiffusionSystem, sources: ArrayLike, /, *, tolerance: float = 1e-6, max_iterations: int = 2000
) -> Floats:
    """Return the fluence of several sources.

    Conjugate gradients with a modified incomplete Cholesky factor (Eisenstat's form, two triangular sweeps a step).
    Blocks of columns share each pass; every column has its own step lengths and stops by itself, so its digits do not
    depend on its companions.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    sources : array_like, dims (voxel, source) or (source, z, y, x)
        Source density per mm^3; a point of unit power in one voxel is ``1 / voxel_mm**3``.
    tolerance : float
        Norm of the residual over that of the source, for each column.
    max_iterations : int
        Steps after which the solution is given up.

    Returns
    -------
    ndarray, dims (voxel, source)
        Fluence rate, mm^-2 per unit of power.

    Raises
    ------
    ValueError
        If the sources do not fit the body, are not finite, or lie outside it.
    LampyrisError
        If a column does not reach the tolerance.

    References
    ----------
    Eisenstat (1981) SIAM J. Sci. Stat. Comput. 2, 1. doi:10.1137/0902001
    Gustafsson (1978) BIT 18, 142. doi:10.1007/BF01931691
    """
    right = _columns(system, sources)
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"tolerance must lie between 0 and 1, it is {tolerance!r}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, it is {max_iterations!r}")
    # powers of two, so that squares of very large or small powers stay in range and no digit changes
    exponent = np.frexp(np.abs(right).max(axis=0, initial=0.0))[1]
    fluence = np.empty_like(right)
    start = 0
    for width in _block_widths(right.shape[1]):
        columns = slice(start, min(start + width, right.shape[1]))
        block = np.zeros((system.size, width))
        block[:, : columns.stop - columns.start] = np.ldexp(right[:, columns], -exponent[columns])
        answer, missed = solve_block(
            system.factor, system.diagonal, system.coupling, system.geometry.neighbour, block, tolerance, max_iterations
        )
        if missed is not None:
            raise LampyrisError(
                f"source {start + missed[0]} reached a relative residual of {missed[1]:.2e} instead of {tolerance:.2e} "
                f"in {max_iterations} steps; raise max_iterations, or tolerance where rounding is the limit"
            )
        fluence[:, columns] = np.ldexp(answer[:, : columns.stop - columns.start], exponent[columns])
        start = columns.stop
    return fluence


def solve_reference(system: DiffusionSystem, sources: ArrayLike, /) -> Floats:
    """Return the fluence of several sources by sparse factorisation: slow, exact to rounding.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    sources : array_like, dims (voxel, source) or (source, z, y, x)
        Source density per mm^3.

    Returns
    -------
    ndarray, dims (voxel, source)
        Fluence rate, mm^-2 per unit of power.

    Raises
    ------
    ValueError
        If the sources do not fit the body.
    """
    from scipy.sparse.linalg import splu

    return np.asarray(splu(sparse_matrix(system).tocsc()).solve(_columns(system, sources)))


def sparse_matrix(system: DiffusionSystem, /) -> Any:
    """Return the matrix as a `scipy.sparse.csr_array`, dims (voxel, voxel), mm^-1.

    Parameters
    ----------
    system : DiffusionSystem
        The body.

    Returns
    -------
    scipy.sparse.csr_array
        Symmetric and positive definite.
    """
    from scipy.sparse import coo_array

    row, face = np.nonzero(system.geometry.neighbour >= 0)
    every = np.arange(system.size)
    values = np.concatenate([system.diagonal, system.coupling[row, face]])
    places = (np.concatenate([every, row]), np.concatenate([every, system.geometry.neighbour[row, face]]))
    return coo_array((values, places), shape=(system.size, system.size)).tocsr()


def _columns(system: DiffusionSystem, sources: ArrayLike) -> Floats:
    """Return the sources as (voxel, source) after checking them."""
    values = np.asarray(sources, dtype=np.float64)
    if values.ndim == 4 and values.shape[1:] == system.inside.shape:
        if np.any(values[:, ~system.inside] != 0.0):
            raise ValueError("sources must be zero outside the body, some are not: their light would be lost")
        values = values[:, system.inside].T
    elif values.ndim != 2 or values.shape[0] != system.size:
        raise ValueError(
            f"sources need the shape ({system.size}, source) or (source, {', '.join(map(str, system.inside.shape))}), "
            f"they have {values.shape}"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError(f"sources must be finite, {np.count_nonzero(~np.isfinite(values))} values are not")
    return values


def _block_widths(count: int) -> list[int]:
    """Return the widths of the blocks; one column alone is solved alone, other remainders fill a block up."""
    widths = [_BLOCK] * (count // _BLOCK)
    rest = count % _BLOCK
    # a full block costs about three single columns
    return widths + ([1] * rest if rest <= 3 else [_BLOCK])


# ---------------------------------------------------------------------------------------------------------------------
# sources


def point_sources(system: DiffusionSystem, positions_mm: ArrayLike, /) -> Floats:
    """Return the source density of points of unit power.

    A point is shared among the up to eight nearest voxel centres by trilinear weights, which keep its place; shares
    that would fall outside the body go to the others.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    positions_mm : array_like, dims (source, 3)
        z, y, x from the corner of the array.

    Returns
    -------
    ndarray, dims (voxel, source)
        Per mm^3.

    Raises
    ------
    ValueError
        If a point does not lie in an inside voxel.
    """
    positions = np.asarray(positions_mm, dtype=np.float64)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise ValueError(f"positions_mm needs the shape (source, 3), it has {positions.shape}")
    padded = np.pad(_numbers(system.inside), 1, constant_values=-1)
    place = positions / system.voxel_mm
    cell = np.floor(np.where(np.isfinite(place), place, -1.0)).astype(np.int64)
    held = np.all((cell >= 0) & (cell < system.inside.shape), axis=1)
    held[held] = system.inside[tuple(cell[held].T)]
    if not held.all():
        lost = int(np.flatnonzero(~held)[0])
        raise ValueError(f"point {lost} at z, y, x = {positions[lost].tolist()} mm does not lie in the body")
    corner = np.floor(place - 0.5).astype(np.int64)
    part = place - 0.5 - corner
    density = np.zeros((system.size, positions.shape[0]))
    column = np.arange(positions.shape[0])
    for offset in np.ndindex(2, 2, 2):
        share = np.prod(np.where(np.array(offset) == 1, part, 1.0 - part), axis=1)
        voxel = padded[tuple((corner + np.array(offset) + 1).T)]
        inside = voxel >= 0
        density[voxel[inside], column[inside]] += share[inside]
    return np.asarray(density / (density.sum(axis=0) * system.voxel_mm**3))


def collimated_source(system: DiffusionSystem, /, *, side: Side, irradiance: ArrayLike = 1.0) -> CollimatedBeam:
    """Return what a broad vertical beam does in the body before its light turns diffuse.

    The beam loses the specular share at the surface and then exp(-(mua + musp) l) along each column. A voxel gets what
    the beam loses across it, so that scattered, absorbed and transmitted parts add up exactly. Gaps along a column are
    crossed without loss.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    side : {'top', 'bottom'}
        Where the beam enters: top is the greatest z.
    irradiance : float or array_like, dims (y, x)
        Power per horizontal area before the surface; the results have its unit.

    Returns
    -------
    CollimatedBeam

    Raises
    ------
    ValueError
        If `side` is unknown or the irradiance is negative, not finite, or of another shape.
    """
    beam = np.asarray(irradiance, dtype=np.float64)
    if beam.shape not in ((), system.inside.shape[1:]):
        raise ValueError(f"irradiance needs no dimension or the shape {system.inside.shape[1:]}, it has {beam.shape}")
    if not np.all(np.isfinite(beam) & (beam >= 0.0)):
        raise ValueError("irradiance must be finite and not negative")
    step = slice(None, None, -1 if _is_top(side) else 1)
    attenuation = system.absorption + system.reduced_scattering
    depth = to_volume(system, attenuation * system.voxel_mm, outside=0.0)[step]
    before = np.exp(-(np.cumsum(depth, axis=0) - depth))
    lost = (before * -np.expm1(-depth))[step][system.inside]
    entering = np.broadcast_to(beam * (1.0 - specular_reflection(system.refractive_index)), system.inside.shape)
    removed = entering[system.inside] * lost / system.voxel_mm
    return CollimatedBeam(source=removed * system.reduced_scattering / attenuation, fluence=removed / attenuation)


# ---------------------------------------------------------------------------------------------------------------------
# what leaves, and layouts


def exitance(system: DiffusionSystem, fluence: ArrayLike, /) -> Floats:
    """Return the outgoing flux density at the surface.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    fluence : array_like, dims (voxel,) or (voxel, source)
        As from `solve`.

    Returns
    -------
    ndarray, same dims
        Power per mm^2 of true surface; 0 at inner voxels.

    Raises
    ------
    ValueError
        If the fluence does not fit the body.
    """
    values = _fitting(system, fluence)
    return np.asarray((values.T * system.exitance_per_fluence).T)


def outflow(system: DiffusionSystem, fluence: ArrayLike, /) -> Floats:
    """Return the power that leaves through the whole surface.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    fluence : array_like, dims (voxel,) or (voxel, source)
        As from `solve`.

    Returns
    -------
    ndarray, dims () or (source,)

    Raises
    ------
    ValueError
        If the fluence does not fit the body.
    """
    return np.asarray(np.einsum("i,i...->...", system.surface_mm2 * system.conductance, _fitting(system, fluence)))


def surface_map(system: DiffusionSystem, fluence: ArrayLike, /, *, side: Side, outside: float = np.nan) -> Floats:
    """Return the outgoing flux density that one sees from above or below.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    fluence : array_like, dims (voxel,) or (voxel, source)
        As from `solve`.
    side : {'top', 'bottom'}
        Which voxel of each column counts: top is the greatest z.
    outside : float
        Value beside the silhouette.

    Returns
    -------
    ndarray, dims (y, x) or (source, y, x)
        Power per mm^2 of true surface.

    Raises
    ------
    ValueError
        If `side` is unknown or the fluence does not fit the body.
    """
    values = exitance(system, fluence)
    voxel = surface_voxels(system, side=side)
    seen = voxel >= 0
    image = np.full((*values.shape[1:], *voxel.shape), outside)
    image[..., seen] = values[voxel[seen]].T
    return image


def surface_voxels(system: DiffusionSystem, /, *, side: Side) -> NDArray[np.int64]:
    """Return the index of the topmost or bottommost voxel of each column, -1 beside the silhouette.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    side : {'top', 'bottom'}
        Top is the greatest z.

    Returns
    -------
    ndarray of int64, dims (y, x)

    Raises
    ------
    ValueError
        If `side` is unknown.
    """
    step = slice(None, None, -1 if _is_top(side) else 1)
    inside = system.inside[step]
    first = inside.argmax(axis=0)
    voxel = np.take_along_axis(_numbers(system.inside)[step], first[None], axis=0)[0]
    return np.where(inside.any(axis=0), voxel, -1)


def to_volume(system: DiffusionSystem, values: ArrayLike, /, *, outside: float = np.nan) -> Floats:
    """Return values of voxels as a volume.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    values : array_like, dims (voxel,) or (voxel, source)
        One value per inside voxel.
    outside : float
        Value outside the body.

    Returns
    -------
    ndarray, dims (z, y, x) or (source, z, y, x)

    Raises
    ------
    ValueError
        If the values do not fit the body.
    """
    compact = _fitting(system, values)
    volume = np.full((*compact.shape[1:], *system.inside.shape), outside)
    volume[..., system.inside] = compact.T
    return volume


def from_volume(system: DiffusionSystem, volume: ArrayLike, /) -> Floats:
    """Return the inside values of a volume.

    Parameters
    ----------
    system : DiffusionSystem
        The body.
    volume : array_like, dims (z, y, x) or (source, z, y, x)
        Values on the body's grid.

    Returns
    -------
    ndarray, dims (voxel,) or (voxel, source)

    Raises
    ------
    ValueError
        If the volume does not fit the body.
    """
    values = np.asarray(volume, dtype=np.float64)
    if values.ndim not in (3, 4) or values.shape[-3:] != system.inside.shape:
        raise ValueError(f"the volume needs the shape (..., {system.inside.shape}), it has {values.shape}")
    return np.ascontiguousarray(values[..., system.inside].T)


def _numbers(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the compact index of each voxel, -1 outside; dims (z, y, x)."""
    number = np.full(inside.shape, -1, dtype=np.int64)
    number[inside] = np.arange(np.count_nonzero(inside))
    return number


def _fitting(system: DiffusionSystem, values: ArrayLike) -> Floats:
    """Return values as (voxel,) or (voxel, source) after checking their shape."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2) or array.shape[0] != system.size:
        raise ValueError(f"values need the shape ({system.size},) or ({system.size}, source), they have {array.shape}")
    return array


def _is_top(side: str) -> bool:
    """Return whether the side is the top."""
    if side not in ("top", "bottom"):
        raise ValueError(f"side must be 'top' or 'bottom', it is {side!r}")
    return side == "top"
