"""Shapes that a point of light below the skin draws on it: a bank of profiles by depth in homogeneous tissue.

Shapes only: the animal is not homogeneous, so the depth of the best shape is no measured depth.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.tissue.analytic import exitance_profile

_RADIUS_MM = 45.0
_STEP_MM = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class SpotProfiles:
    """Radial profiles on the skin, each with unit integral over the plane.

    Parameters
    ----------
    depth_mm : ndarray, dims (depth,)
        Source depths.
    radius_mm : ndarray, dims (radius,)
        Even steps from 0.
    profile : ndarray, dims (depth, radius)
        Per mm2, lens blur included.
    fwhm_mm : ndarray, dims (depth,)
        Full width at half maximum.
    """

    depth_mm: NDArray[np.float64]
    radius_mm: NDArray[np.float64]
    profile: NDArray[np.float64]
    fwhm_mm: NDArray[np.float64]

    def image(self, index: int, distance_mm: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Profile `index` at the given distances, 0 beyond the table."""
        return np.interp(distance_mm, self.radius_mm, self.profile[index], right=0.0)

    def share_above(self, index: int, fraction: float, /) -> float:
        """Share of profile `index` that lies where it exceeds `fraction` of its peak."""
        row = self.profile[index]
        ring = row * self.radius_mm
        return float(ring[row > fraction * row[0]].sum() / ring.sum())


@lru_cache(maxsize=8)
def spot_profiles(
    depths_mm: tuple[float, ...],
    /,
    *,
    absorption: float,
    reduced_scattering: float,
    refractive_index: float,
    blur_mm: float,
) -> SpotProfiles:
    """Bank of spot profiles.

    Parameters
    ----------
    depths_mm : tuple of float
        Source depths.
    absorption, reduced_scattering : float
        Of the homogeneous tissue, mm-1.
    refractive_index : float
    blur_mm : float
        Standard deviation of the lens blur.

    Returns
    -------
    SpotProfiles

    Examples
    --------
    >>> bank = spot_profiles((0.5, 4.0), absorption=0.03, reduced_scattering=0.6, refractive_index=1.4, blur_mm=0.3)
    >>> bool(bank.fwhm_mm[0] < bank.fwhm_mm[1])
    True
    """
    radius = np.arange(0.0, _RADIUS_MM, _STEP_MM)
    rows = []
    for depth in depths_mm:
        raw = exitance_profile(
            radius,
            depth,
            absorption=absorption,
            reduced_scattering=reduced_scattering,
            refractive_index=refractive_index,
        )
        blurred = _blur_radial(radius, np.asarray(raw, float), blur_mm)
        area = np.sum(2.0 * np.pi * radius * blurred) * _STEP_MM + blurred[0] * np.pi * (_STEP_MM / 2) ** 2
        rows.append(blurred / area)
    profile = np.stack(rows)
    width = [2.0 * float(np.interp(-0.5, -row / row[0], radius)) for row in profile]
    return SpotProfiles(np.array(depths_mm), radius, profile, np.array(width))


def _blur_radial(radius: NDArray[np.float64], profile: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Convolve a radial profile with a Gaussian in the plane (the angular integral is a scaled Bessel function)."""
    if sigma <= 0:
        return profile
    from scipy.special import i0e

    reach = radius <= 6.0 * sigma + 8.0
    r, s = radius[reach][:, None], radius[None, :]
    weight = np.exp(-0.5 * ((r - s) / sigma) ** 2) * i0e(r * s / sigma**2) * s / sigma**2 * _STEP_MM
    blurred = profile.copy()
    # far out the profile is straight over the blur's width, where blurring changes nothing
    blurred[reach] = (weight @ profile) / weight.sum(axis=1)
    return blurred
