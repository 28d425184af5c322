"""Diffuse light with closed forms: point sources in infinite and semi-infinite media.

1. `infinite_fluence`: no boundary;
2. `extrapolated_fluence`, `extrapolated_flux`: half-space, image source beyond an extrapolated boundary;
3. `robin_fluence`, `exitance_profile`, `total_exitance`: half-space with the partial-current condition itself, which is
   what the voxel solver discretises.

All are per unit power of the source. Depth is counted from the surface into the tissue.

References
----------
Kienle & Patterson (1997) J. Opt. Soc. Am. A 14, 246. doi:10.1364/JOSAA.14.000246
Haskell et al. (1994) J. Opt. Soc. Am. A 11, 2727. doi:10.1364/JOSAA.11.002727
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.tissue.boundary import mismatch_factor

Floats = NDArray[np.float64]

# nodes of the line of images; doubling them changes no printed digit
_NODES = 80
# extrapolation lengths after which the line of images, falling as exp(-length), is cut
_CUT = 40.0


def diffusion_coefficient(absorption: float, reduced_scattering: float, /) -> float:
    """Return D = 1 / (3 (mua + musp)).

    Parameters
    ----------
    absorption, reduced_scattering : float
        Coefficients, mm^-1.

    Returns
    -------
    float
        mm.

    Raises
    ------
    ValueError
        If absorption is negative, scattering is not positive, or one is not finite.

    Examples
    --------
    >>> round(diffusion_coefficient(0.01, 1.0), 6)
    0.330033
    """
    if not (np.isfinite(absorption) and absorption >= 0.0):
        raise ValueError(f"absorption must be finite and not negative, it is {absorption!r}")
    if not (np.isfinite(reduced_scattering) and reduced_scattering > 0.0):
        raise ValueError(f"reduced_scattering must be finite and positive, it is {reduced_scattering!r}")
    return 1.0 / (3.0 * (absorption + reduced_scattering))


def effective_attenuation(absorption: float, reduced_scattering: float, /) -> float:
    """Return the attenuation of diffuse light, sqrt(mua / D).

    Parameters
    ----------
    absorption, reduced_scattering : float
        Coefficients, mm^-1.

    Returns
    -------
    float
        mm^-1.

    Raises
    ------
    ValueError
        If a coefficient is out of range.

    Examples
    --------
    >>> round(effective_attenuation(0.01, 1.0), 6)
    0.174069
    """
    return float(np.sqrt(absorption / diffusion_coefficient(absorption, reduced_scattering)))


def infinite_fluence(distance_mm: ArrayLike, /, *, absorption: float, reduced_scattering: float) -> Floats:
    """Return the fluence rate around a point source in an infinite medium.

    Parameters
    ----------
    distance_mm : array_like, any dims
        Distance from the source, positive.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.

    Returns
    -------
    ndarray, dims of `distance_mm`
        mm^-2.

    Raises
    ------
    ValueError
        If a distance or coefficient is out of range.

    Examples
    --------
    >>> print(f"{infinite_fluence(5.0, absorption=0.01, reduced_scattering=1.0):.6e}")
    2.019653e-02
    """
    distance = _lengths("distance_mm", distance_mm, positive=True)
    diffusion = diffusion_coefficient(absorption, reduced_scattering)
    return np.asarray(_green(distance, effective_attenuation(absorption, reduced_scattering)) / diffusion)


def extrapolated_fluence(
    rho_mm: ArrayLike,
    z_mm: ArrayLike,
    depth_mm: float,
    /,
    *,
    absorption: float,
    reduced_scattering: float,
    mismatch: float,
) -> Floats:
    """Return the fluence rate of a point source in a half-space with extrapolated boundary (eq. 3).

    Parameters
    ----------
    rho_mm, z_mm : array_like, dims that broadcast
        Distance along the surface and depth of the place.
    depth_mm : float
        Depth of the source; 1 / (mua + musp) for a pencil beam.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.
    mismatch : float
        A from `lampyris.tissue.boundary.mismatch_factor`.

    Returns
    -------
    ndarray, dims of `rho_mm` and `z_mm`
        mm^-2.

    Raises
    ------
    ValueError
        If a length or coefficient is out of range.

    Examples
    --------
    >>> bool(extrapolated_fluence(5.0, 0.0, 0.99, absorption=0.01, reduced_scattering=1.0, mismatch=2.76) > 0)
    True
    """
    rho, z, diffusion, extrapolation = _half_space(rho_mm, z_mm, depth_mm, absorption, reduced_scattering, mismatch)
    attenuation = effective_attenuation(absorption, reduced_scattering)
    source = np.hypot(rho, z - depth_mm)
    image = np.hypot(rho, z + depth_mm + 2.0 * extrapolation)
    return np.asarray((_green(source, attenuation) - _green(image, attenuation)) / diffusion)


def extrapolated_flux(
    rho_mm: ArrayLike, depth_mm: float, /, *, absorption: float, reduced_scattering: float, mismatch: float
) -> Floats:
    """Return the flux through the surface of a half-space with extrapolated boundary, -D d(fluence)/dz (eq. 4).

    Parameters
    ----------
    rho_mm : array_like, any dims
        Distance along the surface.
    depth_mm : float
        Depth of the source.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.
    mismatch : float
        A from `lampyris.tissue.boundary.mismatch_factor`.

    Returns
    -------
    ndarray, dims of `rho_mm`
        mm^-2.

    Raises
    ------
    ValueError
        If a length or coefficient is out of range.

    Examples
    --------
    >>> bool(extrapolated_flux(5.0, 0.99, absorption=0.01, reduced_scattering=1.0, mismatch=2.76) > 0)
    True
    """
    rho, _, _, extrapolation = _half_space(rho_mm, 0.0, depth_mm, absorption, reduced_scattering, mismatch)
    attenuation = effective_attenuation(absorption, reduced_scattering)
    flux = np.zeros_like(rho)
    for height in (depth_mm, depth_mm + 2.0 * extrapolation):
        flux += height * _slope(np.hypot(rho, height), attenuation)
    return flux


def robin_fluence(
    rho_mm: ArrayLike,
    z_mm: ArrayLike,
    depth_mm: float,
    /,
    *,
    absorption: float,
    reduced_scattering: float,
    refractive_index: float = 1.4,
) -> Floats:
    """Return the fluence rate of a point source in a half-space under the partial-current condition.

    The condition fluence = 2 A D d(fluence)/dz at the surface holds exactly with an image of equal sign and a line of
    negative images above it that falls as exp(-length / (2 A D)); the line is summed by Gauss-Legendre quadrature.

    Parameters
    ----------
    rho_mm, z_mm : array_like, dims that broadcast
        Distance along the surface and depth of the place.
    depth_mm : float
        Depth of the source, positive.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.
    refractive_index : float
        Index of the tissue against air.

    Returns
    -------
    ndarray, dims of `rho_mm` and `z_mm`
        mm^-2.

    Raises
    ------
    ValueError
        If a length or coefficient is out of range.

    Examples
    --------
    >>> bool(robin_fluence(5.0, 0.0, 0.99, absorption=0.01, reduced_scattering=1.0) > 0)
    True
    """
    mismatch = mismatch_factor(refractive_index)
    rho, z, diffusion, extrapolation = _half_space(rho_mm, z_mm, depth_mm, absorption, reduced_scattering, mismatch)
    attenuation = effective_attenuation(absorption, reduced_scattering)
    rho, z = rho[..., None], z[..., None]
    source = _green(np.hypot(rho, z - depth_mm), attenuation)
    height = z + depth_mm
    length, weight = _line(np.hypot(rho, height), extrapolation)
    # by parts: image - 2 line of images = -image + 2 line of their slopes, which does not cancel near the surface
    image = _green(np.hypot(rho, height), attenuation)
    beyond = np.hypot(rho, height + length)
    slopes = (height + length) * _slope(beyond, attenuation) * np.exp(-length / extrapolation)
    line = np.sum(weight * slopes, axis=-1, keepdims=True)
    return np.asarray((source - image + 2.0 * line)[..., 0] / diffusion)


def exitance_profile(
    rho_mm: ArrayLike,
    depth_mm: float,
    /,
    *,
    absorption: float,
    reduced_scattering: float,
    refractive_index: float = 1.4,
) -> Floats:
    """Return the outgoing flux density on a flat surface above a point source.

    The shape of the spot that a lesion throws on the skin; its integral over the plane is `total_exitance`.

    Parameters
    ----------
    rho_mm : array_like, any dims
        Distance along the surface from the point above the source.
    depth_mm : float
        Depth of the source, positive.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.
    refractive_index : float
        Index of the tissue against air.

    Returns
    -------
    ndarray, dims of `rho_mm`
        mm^-2 per unit power.

    Raises
    ------
    ValueError
        If a length or coefficient is out of range.

    Examples
    --------
    >>> spot = exitance_profile([0.0, 2.0, 4.0], 2.0, absorption=0.02, reduced_scattering=1.0)
    >>> bool(spot[0] > spot[1] > spot[2])
    True
    """
    fluence = robin_fluence(
        rho_mm,
        0.0,
        depth_mm,
        absorption=absorption,
        reduced_scattering=reduced_scattering,
        refractive_index=refractive_index,
    )
    return fluence / (2.0 * mismatch_factor(refractive_index))


def total_exitance(
    depth_mm: ArrayLike, /, *, absorption: float, reduced_scattering: float, refractive_index: float = 1.4
) -> Floats:
    """Return the share of a point source's power that leaves through a flat surface.

    The integral of `exitance_profile` over the plane is exp(-k depth) / (1 + 2 A D k) with k = sqrt(mua / D).

    Parameters
    ----------
    depth_mm : array_like, any dims
        Depth of the source, positive.
    absorption, reduced_scattering : float
        Coefficients, mm^-1.
    refractive_index : float
        Index of the tissue against air.

    Returns
    -------
    ndarray, dims of `depth_mm`
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a length or coefficient is out of range.

    Examples
    --------
    >>> print(f"{total_exitance(2.0, absorption=0.0, reduced_scattering=1.0):.3f}")
    1.000
    """
    depth = _lengths("depth_mm", depth_mm, positive=True)
    attenuation = effective_attenuation(absorption, reduced_scattering)
    diffusion = diffusion_coefficient(absorption, reduced_scattering)
    extrapolation = 2.0 * mismatch_factor(refractive_index) * diffusion
    return np.asarray(np.exp(-attenuation * depth) / (1.0 + extrapolation * attenuation))


def _half_space(
    rho_mm: ArrayLike, z_mm: ArrayLike, depth_mm: float, absorption: float, reduced_scattering: float, mismatch: float
) -> tuple[Floats, Floats, float, float]:
    """Return checked places, the diffusion coefficient and the extrapolation length 2 A D."""
    rho, z = np.broadcast_arrays(_lengths("rho_mm", rho_mm), _lengths("z_mm", z_mm))
    _lengths("depth_mm", depth_mm, positive=True)
    if not (np.isfinite(mismatch) and mismatch >= 1.0):
        raise ValueError(f"mismatch must be finite and at least 1, it is {mismatch!r}")
    diffusion = diffusion_coefficient(absorption, reduced_scattering)
    return rho, z, diffusion, 2.0 * mismatch * diffusion


def _lengths(name: str, values: ArrayLike, *, positive: bool = False) -> Floats:
    """Return lengths after checking them."""
    array = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(array) & ((array > 0.0) if positive else (array >= 0.0)))
    if np.any(bad):
        wanted = "positive" if positive else "not negative"
        raise ValueError(
            f"{name} must be finite and {wanted}; {np.count_nonzero(bad)} values are not, as {array[bad].flat[0]}"
        )
    return array


def _green(distance: Floats, attenuation: float) -> Floats:
    """Return exp(-k r) / (4 pi r)."""
    return np.asarray(np.exp(-attenuation * distance) / (4.0 * np.pi * distance))


def _slope(distance: Floats, attenuation: float) -> Floats:
    """Return -G'(r) / r of G = exp(-k r) / (4 pi r)."""
    return np.asarray(_green(distance, attenuation) * (attenuation + 1.0 / distance) / distance)


def _line(nearest: Floats, extrapolation: float) -> tuple[Floats, Floats]:
    """Return nodes and weights from 0 to the cut, dense over the distance of the nearest image; dims (..., node)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # length = nearest (e^u - 1) spreads the nodes evenly over the scales between the nearest image and the cut
    span = np.log1p(_CUT * extrapolation / nearest)
    grown = np.exp(0.5 * span * (nodes + 1.0))
    return nearest * (grown - 1.0), 0.5 * span * weights * nearest * grown
