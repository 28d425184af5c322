"""Contrast of a particle in an electron micrograph: projected sphere or flat disc, blurred; and the noise upon it."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_BLUR, MOST_BLUR = 0.015, 1.2
"""Blur over radius that the tables reach; outside, the nearest is taken."""
_BLURS, _STEP, _REACH = 32, 0.01, 6.0
_NODES = 320


@lru_cache(maxsize=1)
def tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Blurred contrast of a unit sphere and of a unit disc of contrast 1.

    Returns
    -------
    sphere, disc : numpy.ndarray, dims (blur, radius)
        Blurs spread evenly in their logarithm from `LEAST_BLUR` to `MOST_BLUR`; radii from 0 in steps of 0.01.
    """
    from scipy.special import i0e

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # the sine takes away the infinite slope of the sphere's edge
    angle = 0.25 * np.pi * (nodes + 1.0)
    at, share = np.sin(angle), 0.25 * np.pi * weights * np.cos(angle)
    radius = np.arange(0.0, _REACH + _STEP / 2, _STEP)
    sphere, disc = (np.zeros((_BLURS, radius.size)) for _ in range(2))
    for row, blur in enumerate(np.geomspace(LEAST_BLUR, MOST_BLUR, _BLURS)):
        away = (radius[:, None] - at) / blur
        # beyond six deviations nothing arrives
        near = np.abs(away) < 6.0
        kernel = np.zeros(away.shape)
        kernel[near] = np.exp(-0.5 * away[near] ** 2) * i0e((radius[:, None] * at)[near] / blur**2)
        kernel *= at / blur**2 * share
        disc[row] = kernel.sum(axis=1)
        sphere[row] = kernel @ np.cos(angle)
    return sphere, disc


def blended(flatness: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Table of a contrast between sphere (0) and disc (1), and its slope along the radius, dims (blur, radius)."""
    sphere, disc = tables()
    table = (1.0 - flatness) * sphere + flatness * disc
    return table, np.gradient(table, _STEP, axis=1)


def predict_profile(radius: ArrayLike, blur: float, flatness: float, /) -> NDArray[np.float64]:
    """Contrast along the radius of a particle of radius 1 and contrast 1.

    Parameters
    ----------
    radius : array_like, dims (point,)
        In radii of the particle.
    blur : float
        Standard deviation of the Gaussian blur, in radii.
    flatness : float
        0 for the projection of a sphere, 1 for a disc of even contrast.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    table = (1.0 - flatness) * tables()[0] + flatness * tables()[1]
    place = np.log(np.clip(blur, LEAST_BLUR, MOST_BLUR) / LEAST_BLUR) / np.log(MOST_BLUR / LEAST_BLUR) * (_BLURS - 1)
    row = min(int(place), _BLURS - 2)
    line = (row + 1 - place) * table[row] + (place - row) * table[row + 1]
    return np.interp(np.abs(np.asarray(radius, np.float64)), np.arange(line.size) * _STEP, line, right=0.0)


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
