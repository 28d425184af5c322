"""Contrast of a particle in an electron micrograph: projected sphere or flat disc, blurred; and the noise upon it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

LEAST_BLUR, MOST_BLUR = 0.015, 1.2
"""Blur over radius that the tables reach; outside, the nearest is taken."""
_BLURS, _STEP, _REACH = 64, 0.01, 4.8
_NODES = 256


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Radii of rings of a disc of radius 1, their widths times radius, and the sphere's half thickness there."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # the sine takes away the infinite slope of the sphere's edge
    angle = 0.25 * np.pi * (nodes + 1.0)
    at = np.sin(angle)
    return at, 0.25 * np.pi * weights * np.cos(angle) * at, np.cos(angle)


@lru_cache(maxsize=1)
def _kernels() -> NDArray[np.float32]:
    """What each ring adds at each distance from the centre, dims (blur, radius, ring)."""
    at, size, _ = _rings()
    radius = np.arange(0.0, _REACH + _STEP / 2, _STEP)
    blurs = np.geomspace(LEAST_BLUR, MOST_BLUR, _BLURS)
    found = np.zeros((_BLURS, radius.size, at.size), np.float32)
    _fill(found, radius, at, size, blurs)
    return found


@njit(cache=True, nogil=True)
def _fill(found, radius, at, size, blurs):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Blur of rings; the modified Bessel function of order 0 by Abramowitz and Stegun 9.8.1 and 9.8.2, good to 2e-7."""
    for k in range(blurs.size):
        narrow = 1.0 / blurs[k] ** 2
        for i in range(radius.size):
            for j in range(at.size):
                away = 0.5 * narrow * (radius[i] - at[j]) ** 2
                if away > 18.0:
                    # beyond six deviations nothing arrives
                    continue
                x = radius[i] * at[j] * narrow
                if x < 3.75:
                    t = (x / 3.75) ** 2
                    t = 1.0 + t * (
                        3.5156229
                        + t * (3.0899424 + t * (1.2067492 + t * (0.2659732 + t * (0.0360768 + t * 0.0045813))))
                    )
                    bessel = t * np.exp(-x)
                else:
                    t = 3.75 / x
                    t = 0.39894228 + t * (0.01328592 + t * (0.00225319 + t * (-0.00157565 + t * (0.00916281 + t * (
                        -0.02057706 + t * (0.02635537 + t * (-0.01647633 + t * 0.00392377)))))))  # fmt: skip
                    bessel = t / np.sqrt(x)
                found[k, i, j] = np.exp(-away) * bessel * size[j] * narrow


def _shape(thickness: NDArray[np.float64], flatness: float) -> NDArray[np.float64]:
    """Contrast where the sphere has a thickness, 1 at the centre."""
    if flatness <= 0.0:
        return thickness ** (1.0 - flatness)
    if flatness >= 1.0:
        return np.ones_like(thickness)
    depth = 2.0 * flatness / (1.0 - flatness)
    return np.asarray(np.expm1(-depth * thickness) / np.expm1(-depth))


class Profile(NamedTuple):
    """Blurred contrast of the particles of an image: standard deviation of the blur, and tables of particles of radius 1.

    ``values`` and ``slopes`` along the radius have dims (blur, radius): blurs spread evenly in their logarithm from `LEAST_BLUR` to
    `MOST_BLUR`, radii from 0 in steps of 0.01.
    """

    blur_px: float
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]


def blended(blur_px: float, flatness: float, /) -> Profile:
    """Contrast of the particles of an image.

    Parameters
    ----------
    blur_px : float
        Standard deviation of the Gaussian blur.
    flatness : float
        As of `predict_profile`.

    Returns
    -------
    Profile
    """
    table = (_kernels() @ _shape(_rings()[2], flatness).astype(np.float32)).astype(np.float64)
    return Profile(blur_px, table, np.gradient(table, _STEP, axis=1))


def predict_profile(radius: ArrayLike, blur: float, flatness: float, /) -> NDArray[np.float64]:
    """Contrast along the radius of a particle of radius 1 and contrast 1.

    Parameters
    ----------
    radius : array_like, dims (point,)
        In radii of the particle.
    blur : float
        Standard deviation of the Gaussian blur, in radii.
    flatness : float
        0 for the projected thickness of a sphere; above it that thickness weakens a beam by Beer's law, up to 1, where contrast is
        even as a disc's; below it the contrast tapers to the edge as a crystal's with facets, thickness to the power of 2 at -1.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    place = np.log(np.clip(blur, LEAST_BLUR, MOST_BLUR) / LEAST_BLUR) / np.log(MOST_BLUR / LEAST_BLUR) * (_BLURS - 1)
    row = min(max(int(place), 1), _BLURS - 3)
    share = _cubic(float(place) - row)
    kernels = _about(row)
    shape = _shape(_rings()[2], flatness)
    away = np.abs(np.asarray(radius, np.float64)) / _STEP
    below = np.minimum(away.astype(np.intp), kernels.shape[1] - 2)
    # even about the centre, and nothing beyond the last step
    steps = np.stack((np.abs(below - 1), below, below + 1, np.minimum(below + 2, kernels.shape[1] - 1)))
    if 2 * steps.size > kernels.shape[1]:
        told = (share @ (kernels @ shape))[steps]
    else:
        # of few radii only the steps about each
        told = np.tensordot(share, kernels[:, steps] @ shape, axes=1)
    off = away - below
    return np.asarray(np.where(off <= 1.0, (_cubic(off) * told).sum(axis=0), 0.0))


@lru_cache(maxsize=8)
def _about(row: int) -> NDArray[np.float64]:
    """Kernels of the four blurs about a row: single precision would show in the slopes of a fit."""
    return _kernels()[row - 1 : row + 3].astype(np.float64)


def _cubic(off: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Weights of the four points about a place, so far from the second, of a cubic whose slope is continuous as a fit needs it
    (Catmull and Rom), dims (point, place)."""
    return np.array(
        [
            -0.5 * off + off**2 - 0.5 * off**3,
            1.0 - 2.5 * off**2 + 1.5 * off**3,
            0.5 * off + 2.0 * off**2 - 1.5 * off**3,
            0.5 * (off**3 - off**2),
        ]
    )


def predict_image(
    shape: tuple[int, int],
    particles: ArrayLike,
    /,
    *,
    blur_px: float,
    flatness: float,
    background: ArrayLike = 1.0,
    darker: bool = True,
) -> NDArray[np.float64]:
    """Mean image of ellipsoidal particles on a background.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels.
    particles : array_like, dims (particle, 6)
        Centre x and y, radius (px) of the circle of equal area, two numbers of its shape (see `lampyris.bench.micrographs.shapes`),
        and contrast at the centre of an unblurred one.
    blur_px : float
    flatness : float
    background : array_like
        Broadcast to the shape.
    darker : bool
        Than the background; contrasts of particles that overlap add up.

    Returns
    -------
    numpy.ndarray, dims (y, x)
    """
    image = np.zeros(shape)
    for x, y, radius, a, b, contrast in np.asarray(particles, np.float64).reshape(-1, 6):
        reach = int(np.ceil(2.0 * radius + 6.0 * blur_px))
        top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
        v, u = np.ogrid[top : min(int(y) + reach + 1, shape[0]), left : min(int(x) + reach + 1, shape[1])]
        q = np.sqrt(1.0 + a * a + b * b)
        squared = (q - a) * (u - x) ** 2 - 2.0 * b * (u - x) * (v - y) + (q + a) * (v - y) ** 2
        at = np.sqrt(np.maximum(squared, 0.0)) / radius
        image[v.ravel()[0] if v.size else 0 :, :][: v.size, u.ravel()[0] if u.size else 0 :][:, : u.size] += (
            contrast * predict_profile(at.ravel(), blur_px / radius, flatness).reshape(at.shape)
        )
    return np.asarray(background, np.float64) + (-image if darker else image)


def variance_image(
    expected: ArrayLike, /, *, electrons_per_level: float, read_levels: float = 0.0
) -> NDArray[np.float64]:
    """Variance of an image that counts electrons, in grey levels squared.

    Parameters
    ----------
    expected : array_like
        Grey levels above the camera's zero.
    electrons_per_level : float
    read_levels : float
        Standard deviation of the camera's own noise.

    Returns
    -------
    numpy.ndarray
    """
    return np.maximum(np.asarray(expected, np.float64), 0.0) / electrons_per_level + read_levels**2
