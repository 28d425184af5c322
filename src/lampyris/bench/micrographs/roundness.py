"""How round particles are: circularity without what noise adds, and by how much outlines leave their ellipses."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.micrographs.background import Flattened
from lampyris.bench.micrographs.contrast import Profile
from lampyris.bench.micrographs.corners import MOST_WAVES, Ripples
from lampyris.bench.micrographs.shapes import aspect, beyond_linear, edge_waves
from lampyris.statistics.thresholds import robust_sd

Array = NDArray[np.float64]
# stamps of background that noise is told from: as many as these pixels make, within bounds
_STAMP_PIXELS, _FEWEST_STAMPS, _MOST_STAMPS, _SEED, _FEWEST_CLEAR = 2_000_000, 400, 4000, 20051, 8
# share of stamps that count by their value, and tiles along a side of which one is left out at a time
_CALM, _TILES = 0.75, 4


@dataclass(frozen=True, slots=True, eq=False)
class Roundness:
    """Shapes of particles, dims (particle,).

    Parameters
    ----------
    circularity : numpy.ndarray
        4 pi area / perimeter squared of the ellipse with those of waves 3 to 8 of its edge that blur lets through. What noise
        adds is taken off: right in the mean, and so above 1 for some.
    tilt_sd : numpy.ndarray
        Noise of either number of the shape (`shapes`).
    shared_sd : numpy.ndarray
        Error of the circularity from not knowing the picture's noise, of one sign in all particles.
    ripples : Ripples
        By how much waves 3 to 8 of the edge leave the ellipse.
    noise_share : float
        Relative standard error of the square of `tilt_sd`, shared by all particles.
    """

    circularity: Array
    tilt_sd: Array
    shared_sd: Array
    ripples: Ripples
    noise_share: float


def roundness(
    residual: NDArray[np.float32],
    particles: Array,
    told: Array,
    flat: Flattened,
    /,
    *,
    profile: Profile,
    blur_share: float = 0.0,
) -> Roundness:
    """Shapes of particles from what their fits leave.

    Parameters
    ----------
    residual : numpy.ndarray, dims (y, x)
        Contrast with all particles taken off.
    particles, told : numpy.ndarray, dims (particle, 7) and (particle, 4)
        Of `shapes.fit_particles`.
    flat : Flattened
    profile : contrast.Profile
    blur_share : float
        Relative standard error of the blur. An edge's place is told the worse the more blurred it is: the variance goes with the blur.

    Returns
    -------
    Roundness

    Notes
    -----
    A radius r (1 + sum of a_n cos + b_n sin) has the circularity 1 - sum (n^2 - 1) (a_n^2 + b_n^2) / 2 to the second order. The
    noise of a_n and b_n comes from the same sums over clear background.
    """
    waves, along = edge_waves(residual, particles, profile, MOST_WAVES)
    scale, share = _noise_at(residual, particles, along, flat, profile)
    share[1] = np.hypot(share[1], blur_share)
    tilt_variance = told[:, 3] * scale[2]
    # either number of the shape moves the edge by half of it, times a cosine
    tilt_variance *= beyond_linear(particles[:, 2] ** 2 * tilt_variance / 8.0, profile.blur_px)
    n = np.arange(3, MOST_WAVES + 1)
    # a wave shorter than the blur is not seen, but its noise and what square pixels do to it are
    shown = n <= np.maximum(particles[:, 2] / profile.blur_px, 3.0)[:, None]
    noise = np.where(shown, waves[:, 3:, 2] * scale[3:], 0.0)
    ripple = 0.5 * np.where(shown, waves[:, 3:, 0] ** 2 + waves[:, 3:, 1] ** 2, 0.0) - noise
    # the second order of an ellipse's circularity in the logarithm of its aspect is 3 / 8
    added = np.column_stack((0.75 * tilt_variance, noise * (n**2 - 1.0)))
    circular = ellipse_circularity(aspect(particles)) + added[:, 0] - ripple @ (n**2 - 1.0)
    # each wave's own noise, and in all of them how dark particles are and how blurred
    shared = np.hypot(np.sqrt(np.sum((added * share[0, 2:]) ** 2, axis=1)), np.abs(added @ share[1, 2:]))
    whole = np.hypot(*share)
    ripples = Ripples(ripple, noise, noise * whole[3:])
    return Roundness(circular, np.sqrt(tilt_variance), shared, ripples, float(whole[2]))


def _noise_at(
    residual: NDArray[np.float32],
    particles: Array,
    along: Array,
    flat: Flattened,
    profile: Profile,
) -> tuple[Array, Array]:
    """Variance of a pixel's noise as waves about particles show it, dims (wave,), and its relative errors: each wave's own, and that
    of how much paler noise is where particles are, dims (2, wave).

    Electrons are fewer in a dark particle than beside it, and so is the variance that counting them has. What goes together over
    areas is of the support, and a particle dims that as it dims the beam, so that its variance falls with the square.
    """
    relative, own = _noise_scale(residual, particles, flat, profile)
    seen = along[np.isfinite(along)]
    if not seen.size:
        return flat.pixel_sd**2 * relative, np.vstack((own, np.zeros_like(own)))
    paler = min(1.0, float(np.median(seen)) / flat.pixel_sd**2)
    # of a median of so many
    paler_sd = 1.2533 * float(robust_sd(seen)) / math.sqrt(seen.size) / flat.pixel_sd**2 if seen.size > 1 else 0.0
    counted, support = np.minimum(relative, 1.0), np.maximum(relative - 1.0, 0.0)
    scale = paler * counted + paler**2 * support
    # noise of the detector goes together without being dimmed twice
    dimmed = paler * (1.0 - paler) * support / math.sqrt(3.0)
    error = np.hypot((counted + 2.0 * paler * support) * paler_sd, dimmed)
    return flat.pixel_sd**2 * scale, np.vstack((own, error / scale))


def _noise_scale(
    residual: NDArray[np.float32], particles: Array, flat: Flattened, profile: Profile
) -> tuple[Array, Array]:
    """Variance of waves where no particle is, over that of noise without neighbours, and its relative standard error, dims (wave,)."""
    rows, columns = np.nonzero(flat.clear)
    fair = particles[(particles[:, 5] > 0) & np.isfinite(particles).all(axis=1)]
    if not len(fair):
        return np.ones(MOST_WAVES + 1), np.zeros(MOST_WAVES + 1)
    power = np.zeros((0, MOST_WAVES + 1))
    if rows.size >= _FEWEST_CLEAR:
        stamps = _stamps(fair, rows, columns, residual.shape, profile.blur_px)
        waves, _ = edge_waves(residual, stamps, profile, MOST_WAVES)
        power = 0.5 * (waves[:, :, 0] ** 2 + waves[:, :, 1] ** 2) / (waves[:, :, 2] * flat.pixel_sd**2)
        known = np.isfinite(power).all(axis=1)
        power, stamps = power[known], stamps[known]
    if len(power) < _FEWEST_CLEAR:
        # between that of lone pixels and that of areas
        area = (flat.area_sd / flat.pixel_sd) ** 2
        return np.full(MOST_WAVES + 1, area), np.full(MOST_WAVES + 1, abs(area - 1.0) / area / math.sqrt(3.0))
    # stamps of one tile share pixels, those of different tiles do not
    tile = (stamps[:, :2] * _TILES / residual.shape[::-1]).astype(np.intp) @ (1, _TILES)
    tiles = np.unique(tile)
    scale = _calm_mean(power)
    if tiles.size < 2:
        return scale, np.full(MOST_WAVES + 1, 1.0 / math.sqrt(len(power)))
    left = np.array([_calm_mean(power[tile != one]) for one in tiles])
    error = np.sqrt((tiles.size - 1) / tiles.size * np.sum((left - left.mean(axis=0)) ** 2, axis=0))
    return scale, error / scale


def _stamps(
    fair: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...], blur_px: float
) -> Array:
    """Particles laid anyhow on the clear blocks of a picture, whole within it, dims (stamp, 7)."""
    rng = np.random.default_rng(_SEED)
    area = float(np.mean((3.0 * fair[:, 2] + 6.0 * blur_px) ** 2))
    count = int(np.clip(_STAMP_PIXELS / area, _FEWEST_STAMPS, _MOST_STAMPS))
    stamps = fair[rng.integers(len(fair), size=count)].copy()
    block = rng.integers(rows.size, size=count)
    stamps[:, 0] = 8.0 * columns[block] + rng.uniform(0.0, 8.0, count)
    stamps[:, 1] = 8.0 * rows[block] + rng.uniform(0.0, 8.0, count)
    reach = 1.5 * stamps[:, 2] + 3.0 * blur_px
    height, width = shape
    x, y = stamps[:, 0], stamps[:, 1]
    return np.asarray(stamps[(x > reach) & (x < width - reach) & (y > reach) & (y < height - reach)])


def _calm_mean(power: Array) -> Array:
    """Mean of powers of noise, which are exponential, by the calmer `_CALM` of them: a stamp that reached into something that is
    there does not count. Largest likelihood of a sample of which the largest are censored."""
    kept = max(math.ceil(_CALM * len(power)), 1)
    ordered = np.sort(power, axis=0)[:kept]
    return np.asarray((ordered.sum(axis=0) + (len(power) - kept) * ordered[-1]) / kept)


def ellipse_circularity(long: ArrayLike, /) -> Array:
    """4 pi area / perimeter squared of an ellipse by its aspect (Ramanujan's second perimeter, within 1e-6 up to an aspect of 5).

    Examples
    --------
    >>> round(float(ellipse_circularity(2.0)), 4)
    0.8412
    """
    ratio = np.asarray(long, np.float64)
    h = ((ratio - 1.0) / (ratio + 1.0)) ** 2
    perimeter = np.pi * (ratio + 1.0) * (1.0 + 3.0 * h / (10.0 + np.sqrt(4.0 - 3.0 * h)))
    return np.asarray(4.0 * np.pi * np.pi * ratio / perimeter**2)
